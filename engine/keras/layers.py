"""keras's layers: those of `tf.layers` with keras's defaults, texts for functions, and a memory of how tensors were made.

State: each layer's output keeps the layer and its inputs (`_history`, in the graph), so that a Model finds its layers and can
be applied to other inputs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...ops.array import concat, reshape, shape
from ...ops.array.placeholders import placeholder, placeholder_with_default
from ...ops.core.graph import get_default_graph
from ...ops.core.node import Tensor
from ...ops.layers import base, convolution_layers, core_layers, normalization, pooling_layers
from ...ops.layers.embedding import embedding_lookup
from ...ops.math import add_n, cast, multiply, reduce_max, reduce_mean
from ...ops.sparse import sparse_placeholder
from ...ops.variables.initializers import RandomUniform
from .named import ACTIVATIONS, INITIALIZERS, REGULARIZERS, named

_KEY = ("__keras_history",)
_TEXTS = (
    ("activation", "activation function", ACTIVATIONS, False), ("initializer", "initializer", INITIALIZERS, True),
    ("regularizer", "regularizer", REGULARIZERS, True),
)  # fmt: skip


def history() -> dict[Tensor, tuple[Any, Any]]:
    """Return how the tensors of the default graph were made by layers: (layer, inputs) by output."""
    found = get_default_graph().get_collection_ref(_KEY)
    if not found:
        found.append({})
    return found[0]  # type: ignore[no-any-return]


def _read(options: dict[str, Any]) -> dict[str, Any]:
    """Return options with texts replaced by what they name."""
    found = {}
    for key, value in options.items():
        for ending, what, table, make in _TEXTS:
            if key.endswith(ending):
                value = named(table, what, value, make)
        found[key] = value
    return found


class KerasLayer(base.Layer):
    """To be mixed into a layer of `tf.layers`."""

    def __init__(self, *args: Any, **options: Any) -> None:
        first = options.pop("input_shape", None)
        if "input_dim" in options:
            first = (options.pop("input_dim"),)
        if "batch_input_shape" in options:
            first = tuple(options.pop("batch_input_shape"))[1:]
        self.first_shape = None if first is None else tuple(first)
        super().__init__(*args, **_read(options))

    def __call__(self, inputs: Any, *args: Any, **options: Any) -> Any:
        """Compute the outputs, and remember how they were made."""
        outputs = super().__call__(inputs, *args, **options)
        history()[outputs] = (self, inputs)
        return outputs

    def get_weights(self) -> list[Any]:
        """Return the values of the variables in keras's session."""
        return session_of(self.variables).run(self.variables)  # type: ignore[no-any-return]

    def set_weights(self, weights: Any) -> None:
        """Give the variables values in keras's session."""
        session = session_of(self.variables)
        for variable, value in zip(self.variables, weights, strict=True):
            variable.load(value, session)


_sessions: list[Callable[[list[Any]], Any]] = []


def session_of(variables: list[Any]) -> Any:
    """Return keras's session, with these variables initialised."""
    return _sessions[0](variables)


def use_sessions(provider: Callable[[list[Any]], Any]) -> None:
    """Let layers find their session by this function of the variables that they need."""
    _sessions[:] = [provider]


def _as_keras(kind: type, defaults: dict[str, Any] | None = None) -> Any:
    class Made(KerasLayer, kind):  # type: ignore[misc]
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **{**(defaults or {}), **options})

    Made.__name__ = Made.__qualname__ = kind.__name__
    Made.__doc__ = f"`tf.layers.{kind.__name__}`, with activations, initialisers and regularisers by name."
    return Made


class _Activated(core_layers.Dense):
    def __init__(self, units: int, activation: Any = None, **options: Any) -> None:
        super().__init__(units, named(ACTIVATIONS, "activation function", activation, False), **options)


_Activated.__name__ = "Dense"
Dense = _as_keras(_Activated)
Conv1D = _as_keras(convolution_layers.Conv1D)
Conv2D = _as_keras(convolution_layers.Conv2D)
Conv3D = _as_keras(convolution_layers.Conv3D)
Conv2DTranspose = _as_keras(convolution_layers.Conv2DTranspose)
SeparableConv2D = _as_keras(convolution_layers.SeparableConv2D)
Flatten = _as_keras(core_layers.Flatten)


class _Phased:
    """To be mixed into layers that do something else while keras trains."""

    def call(self, inputs: Any, *, training: Any = None, **options: Any) -> Any:
        """Compute the outputs as for training where the call, or keras's loop, says so."""
        return super().call(inputs, training=learning_phase() if training is None else training, **options)  # type: ignore[misc]


class _Pool(base.Layer):
    """A pool whose strides are its window's size where they are not given."""

    kind: Any

    def __init__(self, pool_size: Any = 2, strides: Any = None, padding: str = "valid", **options: Any) -> None:
        name = options.pop("name", None)
        layout = options.pop("data_format", None) or "channels_last"
        super().__init__(name=name, **options)
        self._pool = self.kind(pool_size, pool_size if strides is None else strides, padding, layout)

    def call(self, inputs: Any, **options: Any) -> Tensor:
        """Return the pooled windows."""
        return self._pool.call(inputs)  # type: ignore[no-any-return]


def _pooling(kind: type) -> Any:
    return _as_keras(type(kind.__name__, (_Pool,), {"kind": kind, "__doc__": kind.__doc__}))


MaxPooling1D = MaxPool1D = _pooling(pooling_layers.MaxPooling1D)
MaxPooling2D = MaxPool2D = _pooling(pooling_layers.MaxPooling2D)
AveragePooling1D = AvgPool1D = _pooling(pooling_layers.AveragePooling1D)
AveragePooling2D = AvgPool2D = _pooling(pooling_layers.AveragePooling2D)


class Dropout(KerasLayer, _Phased, core_layers.Dropout):
    """Sets a random part of the inputs to 0 while keras trains, or where the call says `training`."""


class BatchNormalization(KerasLayer, _Phased, normalization.BatchNormalization):  # type: ignore[misc]
    """Normalises by the batch while keras trains, or where the call says `training`, else by moving values."""


class _Function(base.Layer):
    """A layer without variables: a function of the inputs."""

    def __init__(self, function: Callable[[Any], Any], **options: Any) -> None:
        super().__init__(**options)
        self._function = function

    def call(self, inputs: Any, **options: Any) -> Any:
        """Return what the function gives."""
        return self._function(inputs)


Lambda = _as_keras(_Function)
Lambda.__name__ = "Lambda"


def Activation(activation: Any, **options: Any) -> Any:
    """Return a layer of one activation, by function or name."""
    return Lambda(named(ACTIVATIONS, "activation function", activation, False), **{"name": "activation", **options})


def Reshape(target_shape: Any, **options: Any) -> Any:
    """Return a layer that gives each example another shape."""
    return Lambda(lambda x: _reshaped(x, list(target_shape)), **{"name": "reshape", **options})


def _reshaped(x: Any, sizes: list[int]) -> Any:
    return reshape(x, concat([shape(x)[:1], sizes], 0) if (x.dims or (None,))[0] is None else [x.dims[0], *sizes])


def GlobalAveragePooling2D(**options: Any) -> Any:
    """Return a layer that gives the mean over the space of images."""
    return Lambda(lambda x: reduce_mean(x, [1, 2]), **{"name": "global_average_pooling2d", **options})


def GlobalMaxPooling2D(**options: Any) -> Any:
    """Return a layer that gives the largest value over the space of images."""
    return Lambda(lambda x: reduce_max(x, [1, 2]), **{"name": "global_max_pooling2d", **options})


def _merging(name: str, merge: Callable[[Any], Any]) -> Any:
    def layer(**options: Any) -> Any:
        return Lambda(merge, **{"name": name, **options})

    layer.__name__ = layer.__qualname__ = name
    layer.__doc__ = f"Return a layer of a list of tensors: {name}."
    return layer


Add = _merging("add", add_n)
Multiply = _merging("multiply", lambda tensors: _folded(multiply, tensors))
add = lambda inputs, **options: Add(**options)(inputs)  # noqa: E731
concatenate = lambda inputs, axis=-1, **options: Concatenate(axis, **options)(inputs)  # noqa: E731


def _folded(function: Callable[[Any, Any], Any], tensors: Any) -> Any:
    result = tensors[0]
    for tensor in tensors[1:]:
        result = function(result, tensor)
    return result


def Concatenate(axis: int = -1, **options: Any) -> Any:
    """Return a layer that joins a list of tensors along an axis."""
    return Lambda(lambda tensors: concat(tensors, axis), **{"name": "concatenate", **options})


class _Embedding(base.Layer):
    """Rows of a matrix `embeddings` for ids."""

    def __init__(self, input_dim: int, output_dim: int, embeddings_initializer: Any = None, **options: Any) -> None:
        options.pop("input_length", None)
        super().__init__(**{"dtype": "float32", **options})
        self._sizes, self._initializer = [input_dim, output_dim], embeddings_initializer or RandomUniform(-0.05, 0.05)

    def build(self, dims: Any) -> None:
        """Make the matrix."""
        self.embeddings = self.add_weight("embeddings", self._sizes, initializer=self._initializer)

    def call(self, inputs: Any, **options: Any) -> Tensor:
        """Return the rows."""
        return embedding_lookup(self.embeddings, cast(inputs, "int32"))


class Embedding(KerasLayer, _Embedding):
    """Rows of a matrix `embeddings` [input_dim, output_dim] for ids."""

    def __init__(self, input_dim: int, output_dim: int, **options: Any) -> None:
        base_options = _read(options)
        self.first_shape = base_options.pop("input_shape", None)
        _Embedding.__init__(self, input_dim, output_dim, **base_options)


_PHASE = ("__keras_learning_phase",)


def learning_phase() -> Tensor:
    """Return the boolean scalar that says whether keras trains, False where it is not fed."""
    found = get_default_graph().get_collection_ref(_PHASE)
    if not found:
        found.append(placeholder_with_default(False, [], name="keras_learning_phase"))
    return found[0]  # type: ignore[no-any-return]


def Input(
    shape: Any = None, batch_size: int | None = None, name: str | None = None, dtype: Any = "float32", sparse: bool = False,
    tensor: Any = None, **options: Any,
) -> Any:  # fmt: skip
    """Return a placeholder for examples of a shape, the batch's size in front; or the given tensor.

    Where `sparse`, it is a SparseTensor, which layers that take sparse tensors can read, such as Lambda; it is fed a
    SparseTensorValue.
    """
    if tensor is not None:
        return tensor
    sizes = options.get("batch_shape", [batch_size, *(shape or ())])
    if sparse:
        return sparse_placeholder(dtype or "float32", list(sizes), name=name or "input")
    return placeholder(dtype or "float32", list(sizes), name=name or "input")


Layer = KerasLayer

__all__ = [
    "Activation",
    "Add",
    "AveragePooling1D",
    "AveragePooling2D",
    "AvgPool1D",
    "AvgPool2D",
    "BatchNormalization",
    "Concatenate",
    "Conv1D",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling2D",
    "Input",
    "Lambda",
    "Layer",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPooling1D",
    "MaxPooling2D",
    "Multiply",
    "Reshape",
    "SeparableConv2D",
    "add",
    "concatenate",
]  # fmt: skip
