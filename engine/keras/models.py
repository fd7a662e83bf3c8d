"""keras's models: layers put together, and the loops that train, evaluate and predict over arrays.

State: `_session`, one session a graph, shared by all models (`tf.keras.backend.get_session`); a model's `_losses_` after compile.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...ops.array import reshape, shape
from ...ops.array.placeholders import placeholder
from ...ops.core.graph import Graph, GraphKeys, get_default_graph
from ...ops.core.node import Tensor
from ...ops.layers.base import Layer
from ...ops.math import add_n, argmax, cast, equal, greater, reduce_mean
from ...ops.state.public import is_variable_initialized
from ...ops.variables import global_variables, local_variables, variables_initializer
from ..session import Session
from . import layers as keras_layers
from .named import LOSSES, OPTIMIZERS, named

_session: dict[Graph, Session] = {}
_ready: dict[Graph, set[Any]] = {}


def get_session(variables: Any = None) -> Session:
    """Return the default session, else keras's own; variables that it has not seen are initialised."""
    graph = get_default_graph()
    try:
        session = graph.session_for("eval", None)
    except ValueError:
        if graph not in _session:
            _session[graph] = Session(graph=graph)
        session = _session[graph]
    known = _ready.setdefault(graph, set())
    fresh = [v for v in global_variables() + local_variables() if v not in known]
    if fresh:
        uninitialised = [v for v in fresh if not _has_value(session, v)]
        session.run(variables_initializer(uninitialised))
        known.update(fresh)
    return session  # type: ignore[no-any-return]


def _has_value(session: Session, variable: Any) -> bool:
    return bool(session.run(is_variable_initialized(variable)))


def set_session(session: Session) -> None:
    """Let keras use a session for its graph."""
    _session[session.graph] = session


def clear_session() -> None:
    """Forget keras's sessions."""
    for session in _session.values():
        session.close()
    _session.clear()
    _ready.clear()


keras_layers.use_sessions(get_session)


class History:
    """What `fit` returns: the losses and metrics by name, a number an epoch."""

    def __init__(self) -> None:
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []


class Model:
    """Layers from inputs to outputs.

    `Model(inputs, outputs)` finds the layers between two tensors; a derived class says in `call(inputs)` how they are applied.
    """

    def __init__(self, inputs: Any = None, outputs: Any = None, name: str | None = None) -> None:
        self.name = name or type(self).__name__.lower()
        self.inputs, self.outputs = inputs, outputs
        self._compiled: dict[str, Any] | None = None

    # -- what it is made of --------------------------------------------------------------------------------------------

    @property
    def layers(self) -> list[Any]:
        """The layers, from the inputs to the outputs."""
        if self.outputs is None:
            return [value for value in vars(self).values() if isinstance(value, Layer)]
        found: list[Any] = []

        def visit(tensor: Any) -> None:
            for item in tensor if isinstance(tensor, list | tuple) else [tensor]:
                made = keras_layers.history().get(item)
                if made is not None and made[0] not in found and not _contains(self.inputs, item):
                    visit(made[1])
                    found.append(made[0])

        visit(self.outputs)
        return found

    @property
    def variables(self) -> list[Any]:
        """All variables of the layers."""
        return [v for layer in self.layers for v in layer.variables]

    weights = variables

    @property
    def trainable_variables(self) -> list[Any]:
        """The variables that training changes."""
        return [v for layer in self.layers for v in layer.trainable_variables]

    trainable_weights = trainable_variables

    @property
    def losses(self) -> list[Any]:
        """The losses of the layers' regularisers."""
        return [loss for layer in self.layers for loss in layer.losses]

    def count_params(self) -> int:
        """Return the number of elements of all variables."""
        return sum(layer.count_params() for layer in self.layers if layer.variables)

    def get_weights(self) -> list[Any]:
        """Return the values of the variables."""
        return get_session().run(self.variables)  # type: ignore[no-any-return]

    def set_weights(self, weights: Any) -> None:
        """Give the variables values."""
        for variable, value in zip(self.variables, weights, strict=True):
            variable.load(value, get_session())

    def summary(self, print_fn: Callable[[str], Any] = print) -> None:
        """Print a line for each layer: its name, the shape of its outputs, its number of parameters."""
        for layer in self.layers:
            count = layer.count_params() if layer.variables else 0
            print_fn(f"{layer.name:28} {_output_shape(layer):24} {count}")
        print_fn(f"Total params: {self.count_params():,}")

    def call(self, inputs: Any) -> Any:
        """Apply the layers to other inputs."""
        done: dict[Any, Any] = dict(zip(_flat(self.inputs), _flat(inputs), strict=True))

        def value(tensor: Any) -> Any:
            if isinstance(tensor, list | tuple):
                return [value(item) for item in tensor]
            if tensor not in done:
                layer, given = keras_layers.history()[tensor]
                ours = value(given)
                done[tensor] = layer(ours)
            return done[tensor]

        return value(self.outputs)

    def __call__(self, inputs: Any) -> Any:
        """Apply the model to tensors."""
        return self.call(inputs)

    # -- training ------------------------------------------------------------------------------------------------------

    def compile(self, optimizer: Any, loss: Any = None, metrics: Any = None, **unused: Any) -> None:
        """Choose the optimiser, the loss and the metrics, each an object, a function or a name."""
        if unused:
            raise TypeError(f"compile() got an unexpected keyword argument {sorted(unused)[0]!r}")
        self._compiled = {
            "optimizer": named(OPTIMIZERS, "optimizer", optimizer), "loss": named(LOSSES, "loss", loss, False), "name": loss,
            "metrics": list(metrics or []),
        }  # fmt: skip
        self._nodes: dict[str, Any] = {}

    def _prepare(self, x: Any, y: Any) -> dict[str, Any]:
        """Return the nodes of a training step, made for the first arrays."""
        if self._compiled is None:
            raise RuntimeError("You must compile your model before using it.")
        if not self._nodes:
            self._predict_nodes(x)
            settings = self._compiled
            labels = placeholder(np.asarray(y).dtype.name, [None, *np.shape(y)[1:]], name="target")
            value: Any = reduce_mean(settings["loss"](labels, self.outputs))
            total = add_n([value, *self.losses]) if self.losses else value
            graph = get_default_graph()
            with graph.control_dependencies(graph.get_collection(GraphKeys.UPDATE_OPS)):
                train = settings["optimizer"].minimize(total, var_list=self.trainable_variables)
            self._nodes = {
                "labels": labels, "loss": total, "metrics": [self._metric(m, labels) for m in settings["metrics"]],
                "train": train,
            }  # fmt: skip
        return self._nodes

    def _predict_nodes(self, x: Any) -> None:
        """Make the inputs and outputs of a model that has none yet."""
        if self.outputs is None:
            self.inputs = placeholder("float32", [None, *np.shape(x)[1:]], name="input")
            self.outputs = self.call(self.inputs)

    def _metric(self, metric: Any, labels: Any) -> tuple[str, Any]:
        if callable(metric):
            return metric.__name__, reduce_mean(metric(labels, self.outputs))
        if metric in LOSSES:
            return metric, reduce_mean(LOSSES[metric](labels, self.outputs))
        if metric not in ("accuracy", "acc"):
            raise ValueError(f"Unknown metric: {metric}; known are accuracy, {', '.join(LOSSES)}")
        return "acc", reduce_mean(cast(_hits(labels, self.outputs), "float32"))

    def fit(
        self, x: Any, y: Any, batch_size: int = 32, epochs: int = 1, verbose: int = 1, validation_data: Any = None,
        shuffle: bool = True, callbacks: Any = None,
    ) -> History:  # fmt: skip
        """Train over arrays, and return the losses and metrics of each epoch; `verbose` 0 prints nothing."""
        if callbacks:
            raise NotImplementedError("fit: callbacks are not there")
        nodes, session, record = self._prepare(x, y), get_session(), History()
        for epoch in range(epochs):
            order = np.random.permutation(len(y)) if shuffle else np.arange(len(y))
            rows = [
                self._run(session, x, y, order[i : i + batch_size], nodes["train"])
                for i in range(0, len(y), batch_size)
            ]
            found = dict(zip(self.metrics_names, _means(rows), strict=True))
            if validation_data is not None:
                scores = np.atleast_1d(self.evaluate(validation_data[0], validation_data[1], batch_size, 0))
                found.update({f"val_{name}": float(v) for name, v in zip(self.metrics_names, scores, strict=True)})
            for name, value in found.items():
                record.history.setdefault(name, []).append(value)
            record.epoch.append(epoch)
            if verbose:
                print(f"Epoch {epoch + 1}/{epochs} - " + " - ".join(f"{k}: {v:.4f}" for k, v in found.items()))
        return record

    @property
    def metrics_names(self) -> list[str]:
        """The names of what `evaluate` returns."""
        return ["loss", *(name for name, _ in self._nodes["metrics"])]

    def _feeds(self, x: Any, places: Any) -> dict[Any, Any]:
        parts = x if isinstance(x, list | tuple) else [x]
        return {tensor: np.asarray(part)[places] for tensor, part in zip(_flat(self.inputs), parts, strict=True)}

    def _run(self, session: Session, x: Any, y: Any, places: Any, train: Any = None) -> tuple[int, list[float]]:
        nodes = self._nodes
        feeds = {**self._feeds(x, places), nodes["labels"]: np.asarray(y)[places]}
        if train is not None:
            feeds[keras_layers.learning_phase()] = True
        wanted = [nodes["loss"], *(tensor for _, tensor in nodes["metrics"])]
        values = session.run([wanted, [] if train is None else train], feeds)[0]
        return len(places), [float(value) for value in values]

    def train_on_batch(self, x: Any, y: Any) -> Any:
        """Train one step on a batch; return the loss and metrics."""
        nodes = self._prepare(x, y)
        return _scalar(self._run(get_session(), x, y, np.arange(len(y)), nodes["train"])[1])

    def evaluate(self, x: Any, y: Any, batch_size: int = 32, verbose: int = 1) -> Any:
        """Return the loss, and the metrics where there are some, over arrays."""
        self._prepare(x, y)
        session = get_session()
        rows = [
            self._run(session, x, y, np.arange(i, min(i + batch_size, len(y)))) for i in range(0, len(y), batch_size)
        ]
        return _scalar(_means(rows))

    def predict(self, x: Any, batch_size: int = 32, verbose: int = 0) -> Any:
        """Return the outputs for arrays."""
        self._predict_nodes(x)
        session, count = get_session(), len(x[0] if isinstance(x, list | tuple) else x)
        found = [
            session.run(self.outputs, self._feeds(x, slice(i, i + batch_size))) for i in range(0, count, batch_size)
        ]
        return np.concatenate(found)


class Sequential(Model):
    """Layers one after the other."""

    def __init__(self, layers: Any = None, name: str | None = None) -> None:
        super().__init__(name=name or "sequential")
        self._stack: list[Any] = []
        for layer in layers or []:
            self.add(layer)

    def add(self, layer: Any) -> None:
        """Add a layer at the end; the first may say its `input_shape`."""
        self._stack.append(layer)
        first = getattr(self._stack[0], "first_shape", None)
        if len(self._stack) == 1 and first is not None:
            self.inputs = keras_layers.Input(first)
            self.outputs = layer(self.inputs)
        elif self.outputs is not None:
            self.outputs = layer(self.outputs)

    @property
    def layers(self) -> list[Any]:
        """The layers in order."""
        return list(self._stack)

    def call(self, inputs: Any) -> Any:
        """Apply the layers to tensors."""
        for layer in self._stack:
            inputs = layer(inputs)
        return inputs


def _output_shape(layer: Any) -> str:
    return next((str(tensor.shape) for tensor, made in keras_layers.history().items() if made[0] is layer), "?")


def _flat(items: Any) -> list[Any]:
    return list(items) if isinstance(items, list | tuple) else [items]


def _contains(items: Any, tensor: Tensor) -> bool:
    return any(item is tensor for item in _flat(items))


def _hits(labels: Any, outputs: Any) -> Tensor:
    """Return where predictions are right: by index, by one-hot row, or by a threshold of one half."""
    width = (outputs.dims or (None,))[-1]
    if width == 1:
        return equal(cast(greater(outputs, 0.5), "float32"), cast(labels, "float32"))
    best = argmax(outputs, -1)
    if labels.dims is not None and labels.dims[-1:] == (width,) and len(labels.dims) == len(outputs.dims or ()):
        return equal(best, argmax(labels, -1))
    return equal(best, reshape(cast(labels, "int64"), shape(best)))


def _means(rows: list[tuple[int, list[float]]]) -> list[float]:
    total = sum(count for count, _ in rows)
    return [sum(count * values[i] for count, values in rows) / total for i in range(len(rows[0][1]))]


def _scalar(values: list[float]) -> Any:
    return values[0] if len(values) == 1 else values
