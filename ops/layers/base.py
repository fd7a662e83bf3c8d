"""Layers: objects that make their variables when they are first called, in a variable scope of their own.

As in TensorFlow 1, `name=` names the variable scope as it stands, so that a second layer of the name needs `reuse`;
without a name the scope is made unique. Invariant: every call of one layer uses the same variables.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any

from ..array import placeholder
from ..array.shape_ops import shape as shape_of
from ..core import dtypes
from ..core.convert import convert_n_to_tensor
from ..core.dtypes import DType, as_dtype
from ..core.graph import Graph, GraphKeys, get_default_graph
from ..core.node import Tensor
from ..core.scopes import name_scope
from ..core.shapes import Shape, as_shape_tuple, num_elements
from ..core.sparse_tensor import convert_to_tensor_or_sparse_tensor, is_sparse
from ..core.tensor_shape import TensorShape
from ..math.complex import cast
from ..variables.distribution import VariableAggregation, VariableSynchronization
from ..variables.initializers import Ones, Zeros
from ..variables.scope import VariableScope, variable_scope
from .input_spec import check_inputs

Activation = Callable[[Tensor], Tensor] | None
# Defaults of arguments: None stands for the scope's own initialiser, as everywhere.
ZEROS, ONES = Zeros(), Ones()


def _parts(values: Any) -> Iterator[Any]:
    """Return the values and what is in lists, tuples and dicts among them."""
    for value in values:
        yield value
        if isinstance(value, list | tuple | dict):
            yield from _parts(value.values() if isinstance(value, dict) else value)


class Layer:
    """A part of a network with variables.

    Derived classes make variables with `add_weight` in `build(input_shape)`, and compute in `call(inputs)`.

    Args:
      trainable: whether the variables go into TRAINABLE_VARIABLES.
      name: the name of the variable scope; made unique when None.
      dtype: of the variables; that of the first inputs when None.
      activity_regularizer: a function from the outputs to a loss, whose share of one example goes into REGULARIZATION_LOSSES.

    Derived classes may set `input_spec`, an InputSpec or a list of them, which every call's inputs are held against.
    """

    input_spec: Any = None

    def __init__(
        self, trainable: bool = True, name: str | None = None, dtype: Any = None, activity_regularizer: Any = None,
        _scope: Any = None, _reuse: bool | None = None, **unknown: Any,
    ) -> None:  # fmt: skip
        if unknown:
            raise TypeError(f"Keyword argument not understood: {sorted(unknown)[0]}")
        self.trainable = trainable
        self.built = False
        self.dtype: DType | None = None if dtype is None else as_dtype(dtype).base_dtype
        self.activity_regularizer = activity_regularizer
        self._name = name or _snake_case(type(self).__name__)
        self._reuse = _reuse
        self._losses: list[Tensor] = []
        self._updates: list[Any] = []
        # The losses and updates that were said to depend on inputs.
        self._conditional: set[Any] = set()
        self._calls: list[tuple[Any, Any]] = []
        self._current: Any = None
        self._variables: list[tuple[Any, bool]] = []
        self._scope: VariableScope | None = None
        if _scope is not None:
            with variable_scope(_scope) as scope:
                self._scope = scope

    @property
    def name(self) -> str:
        """The layer's name."""
        return self._scope.name.rsplit("/", 1)[-1] if self._scope is not None else self._name

    @property
    def scope_name(self) -> str:
        """The name of the layer's variable scope; ValueError before the first call."""
        if self._scope is None:
            raise ValueError(
                f'No name available for layer scope because the layer "{self._name}" has not been used yet.'
            )
        return self._scope.name

    @property
    def variables(self) -> list[Any]:
        """All variables of the layer."""
        return [*self.trainable_variables, *self.non_trainable_variables]

    @property
    def trainable_variables(self) -> list[Any]:
        """The variables that training changes; none when the layer is not trainable."""
        return [variable for variable, trainable in self._variables if trainable and self.trainable]

    @property
    def non_trainable_variables(self) -> list[Any]:
        """The variables that training leaves alone."""
        return [variable for variable, trainable in self._variables if not (trainable and self.trainable)]

    weights = variables
    trainable_weights = trainable_variables
    non_trainable_weights = non_trainable_variables

    @property
    def losses(self) -> list[Tensor]:
        """The losses of regularizers that this layer has made."""
        return list(self._losses)

    @property
    def updates(self) -> list[Any]:
        """The operations that this layer wants run in training; none when the layer is not trainable."""
        return list(self._updates) if self.trainable else []

    @property
    def graph(self) -> Any:
        """The graph of the layer's variables; the default graph before the first call."""
        return self._variables[0][0].graph if self._variables else get_default_graph()

    @property
    def input(self) -> Any:
        """The inputs of the only call; AttributeError unless there was exactly one."""
        return self._only_call()[0]

    @property
    def output(self) -> Any:
        """The outputs of the only call; AttributeError unless there was exactly one."""
        return self._only_call()[1]

    def _only_call(self) -> tuple[Any, Any]:
        if not self._calls:
            raise AttributeError(f"Layer {self.name} is not connected, no input to return.")
        if len(self._calls) > 1:
            raise AttributeError(f"Layer {self.name} was called {len(self._calls)} times; its input is ill-defined.")
        return self._calls[0]

    def _of_rank(self, dims: Shape, least: int = 0, exact: int = 0) -> tuple[int | None, ...]:
        """Return the shape of the input if its rank is `exact`, or `least` and more; ValueError if not."""
        wrong = f"Input 0 of layer {self.name} is incompatible with the layer: "
        if dims is None:
            raise ValueError(f"{wrong}its rank is undefined, but the layer requires a defined rank.")
        if len(dims) < least or exact not in (0, len(dims)):
            wanted = f"ndim={exact}" if exact else f"min_ndim={least}"
            raise ValueError(f"{wrong}expected {wanted}, found ndim={len(dims)}. Full shape received: {list(dims)}")
        return dims

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Add a loss, or a list of them, to this layer's and to the collection REGULARIZATION_LOSSES.

        `inputs` that are not None say that the losses depend on the layer's inputs; see `get_losses_for`.
        """
        for loss in losses if isinstance(losses, list | tuple) else [losses]:
            self._losses.append(loss)
            if inputs is not None:
                self._conditional.add(loss)
            get_default_graph().add_to_collection(GraphKeys.REGULARIZATION_LOSSES, loss)

    def add_update(self, updates: Any, inputs: Any = None) -> None:
        """Add an operation, or a list of them, to this layer's updates and, if it is trainable, to the collection UPDATE_OPS.

        `inputs` that are not None say that the updates depend on the layer's inputs; see `get_updates_for`.
        """
        for given in updates if isinstance(updates, list | tuple) else [updates]:
            update = getattr(given, "op", given)
            self._updates.append(update)
            if inputs is not None:
                self._conditional.add(update)
            if self.trainable:
                get_default_graph().add_to_collection(GraphKeys.UPDATE_OPS, update)

    def get_losses_for(self, inputs: Any) -> list[Any]:
        """Return the losses that depend on these inputs (a tensor or a list), those that depend on none for None."""
        return self._made_for(inputs, self.losses)

    def get_updates_for(self, inputs: Any) -> list[Any]:
        """Return the updates that depend on these inputs (a tensor or a list), those that depend on none for None."""
        return self._made_for(inputs, self.updates)

    def _made_for(self, inputs: Any, made: list[Any]) -> list[Any]:
        if inputs is None:
            return [item for item in made if item not in self._conditional]
        sources = set(inputs if isinstance(inputs, list | tuple) else [inputs])
        return [item for item in made if item in self._conditional and _depends(item, sources)]

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the static shape of the outputs for inputs of a shape, a TensorShape or what becomes one, or of several.

        A copy of the layer is called on such inputs in a graph of its own.

        Raises:
          NotImplementedError: where the layer holds other layers, which would be built there.
          ValueError: where the layer takes no such inputs.
        """
        if any(isinstance(part, Layer) for part in _parts(list(vars(self).values()))):
            raise NotImplementedError(
                f"Layer {self.name} holds other layers: it has to say itself which shape its outputs have (compute_output_shape)."
            )
        twin = copy(self)
        twin.built, twin._scope, twin._reuse = False, None, None
        twin._losses, twin._updates, twin._conditional, twin._calls, twin._variables = [], [], set(), [], []
        with Graph().as_default():
            several = isinstance(input_shape, list) and any(
                isinstance(s, list | tuple | TensorShape) for s in input_shape
            )
            given = [placeholder(self.dtype or dtypes.float32, s) for s in (input_shape if several else [input_shape])]
            outputs = twin(given if several else given[0])
            return [tensor.shape for tensor in outputs] if isinstance(outputs, list | tuple) else outputs.shape

    def count_params(self) -> int:
        """Return the number of elements of all variables; ValueError before the first call."""
        if not self.built:
            raise ValueError(f"You tried to call `count_params` on {self.name}, but the layer isn't built.")
        return sum(num_elements(variable.shape.as_list()) or 0 for variable in self.variables)

    def build(self, input_shape: Any) -> None:
        """Make the variables for inputs of this TensorShape (or these, of several inputs), before the first `call`."""
        several = isinstance(input_shape, list) and any(isinstance(n, list | tuple | TensorShape) for n in input_shape)
        self._make(None if several else as_shape_tuple(input_shape))
        self.built = True

    def _make(self, dims: Shape) -> None:
        """Make the variables for inputs of shape `dims`; the layers of this package say how."""

    def call(self, inputs: Any, **options: Any) -> Any:
        """Compute the outputs; derived classes say how."""
        raise NotImplementedError(f"{type(self).__name__} has no `call`")

    def add_weight(
        self, name: str, shape: Any, dtype: Any = None, initializer: Any = None, regularizer: Any = None,
        trainable: bool | None = None, constraint: Any = None, use_resource: bool | None = None,
        synchronization: Any = VariableSynchronization.AUTO, aggregation: Any = VariableAggregation.NONE,
        partitioner: Any = None,
    ) -> Any:  # fmt: skip
        """Make a variable, or find the shared one, in the layer's scope, which is open while the layer is called.

        It is trained unless `trainable` is False or `synchronization` says that copies are joined when they are read.
        """
        trained = synchronization is not VariableSynchronization.ON_READ if trainable is None else trainable
        if self._current is None:
            with self._inside(None):
                return self.add_weight(
                    name, shape, dtype, initializer, regularizer, trainable, constraint, use_resource, synchronization,
                    aggregation, partitioner,
                )  # fmt: skip
        known = set(get_default_graph().get_collection(GraphKeys.REGULARIZATION_LOSSES))
        variable = self._current.get_variable(
            name, shape=shape, dtype=dtype or self.dtype or dtypes.float32, initializer=initializer, regularizer=regularizer,
            trainable=trained and self.trainable, constraint=constraint, use_resource=use_resource,
            synchronization=synchronization, aggregation=aggregation, partitioner=partitioner,
        )  # fmt: skip
        self._losses += [
            loss for loss in get_default_graph().get_collection(GraphKeys.REGULARIZATION_LOSSES) if loss not in known
        ]
        self._variables.append((variable, trained))
        return variable

    add_variable = add_weight

    def apply(self, inputs: Any, **options: Any) -> Any:
        """Compute the outputs; the same as calling the layer."""
        return self(inputs, **options)

    def __call__(self, inputs: Any, scope: Any = None, **options: Any) -> Any:
        """Make the variables on the first call, and compute the outputs."""
        several = isinstance(inputs, list | tuple) and not is_sparse(inputs)
        tensors = convert_n_to_tensor(inputs) if several else [convert_to_tensor_or_sparse_tensor(inputs)]
        with self._inside(scope):
            self._build(tensors)
            outputs = self.call(tensors if several else tensors[0], **options)
            self._regularize(outputs)
        self._calls.append((inputs, outputs))
        return outputs

    @contextmanager
    def _inside(self, scope: Any) -> Iterator[None]:
        """Open the layer's variable scope, settled as `scope` where it was not yet, and its name scope."""
        self._open(scope)
        assert self._scope is not None
        outer = self._current
        with variable_scope(self._scope, reuse=self.built or self._reuse, auxiliary_name_scope=False) as current:
            self._current = current
            try:
                with name_scope(current.original_name_scope):
                    yield
            finally:
                self._current = outer

    def _open(self, scope: Any) -> None:
        """Settle the variable scope on the first call."""
        if self._scope is None:
            given = self._name if self._reuse and scope is None else scope
            with variable_scope(given, default_name=self._name) as captured:
                self._scope = captured

    def _build(self, tensors: list[Tensor]) -> None:
        check_inputs(self.input_spec, tensors, self.name)
        if self.built:
            return
        if self.dtype is None:
            self.dtype = tensors[0].dtype.base_dtype if tensors else dtypes.float32
        found = [tensor.shape for tensor in tensors]
        self.build(found[0] if len(found) == 1 else found)
        self.built = True
        check_inputs(self.input_spec, tensors, self.name)

    def _regularize(self, outputs: Any) -> None:
        if self.activity_regularizer is None:
            return
        for output in outputs if isinstance(outputs, list | tuple) else [outputs]:
            with name_scope("ActivityRegularizer"):
                loss = self.activity_regularizer(output)
                rows = cast(shape_of(output)[0], loss.dtype)
                self.add_loss(loss / rows)


class KernelLayer(Layer):
    """A layer with a kernel, a bias where `use_bias`, and an activation; the arguments are those of `Dense`."""

    def __init__(
        self, activation: Activation, use_bias: bool, kernel_initializer: Any, bias_initializer: Any,
        kernel_regularizer: Any, bias_regularizer: Any, activity_regularizer: Any, kernel_constraint: Any,
        bias_constraint: Any, trainable: bool, name: str | None, **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(trainable, name, activity_regularizer=activity_regularizer, **options)
        self.activation, self.use_bias = activation, use_bias
        self._kernel_options = {
            "initializer": kernel_initializer, "regularizer": kernel_regularizer, "constraint": kernel_constraint,
        }  # fmt: skip
        self._bias_options = {
            "initializer": bias_initializer, "regularizer": bias_regularizer, "constraint": bias_constraint,
        }  # fmt: skip
        self.kernel: Any = None
        self.bias: Any = None

    def _add_weights(self, dims: list[int]) -> None:
        """Make the kernel, of shape `dims`, and the bias of its last dimension."""
        self.kernel = self.add_weight("kernel", dims, **self._kernel_options)
        if self.use_bias:
            self.bias = self.add_weight("bias", dims[-1:], **self._bias_options)


def activated(outputs: Tensor, activation: Activation) -> Tensor:
    """Return the outputs behind their activation, if there is one."""
    return outputs if activation is None else activation(outputs)


def _depends(item: Any, sources: set[Any]) -> bool:
    """Tell whether an operation or tensor is computed from one of these tensors."""
    waiting, seen = [getattr(item, "op", item)], set()
    while waiting:
        op = waiting.pop()
        if op in seen:
            continue
        seen.add(op)
        if not sources.isdisjoint(op.inputs):
            return True
        waiting += [tensor.op for tensor in op.inputs] + list(op.control_inputs)
    return False


def _snake_case(name: str) -> str:
    words = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()
