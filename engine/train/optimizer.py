"""Optimizer: from a loss to the operation that changes the variables.

`minimize` is `compute_gradients` and `apply_gradients`. A kind of optimiser says in `_create_slots` which variables it keeps
beside each variable, in `_prepare` what it takes from the outside, and in four `_apply` methods which op changes a ref or
resource variable by a dense or sparse gradient. Invariant: every node that changes a variable sits with that variable.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...ops.array import getitem, shape, unique
from ...ops.core import dtypes
from ...ops.core.convert import convert_to_tensor
from ...ops.core.dtypes import DType, as_dtype
from ...ops.core.graph import Graph, GraphKeys, get_default_graph
from ...ops.core.indexed_slices import IndexedSlices
from ...ops.core.node import Operation, Tensor
from ...ops.gradients.gradients import gradients
from ...ops.math import cast, unsorted_segment_sum
from ...ops.state import group
from ...ops.state import tuple as tuple_of
from ...ops.state.assign import assign_add_resource
from ...ops.state.public import assign_add
from ...ops.variables import Variable, trainable_variables
from .slots import create_slot, create_slot_with_initializer, create_zeros_slot, is_resource

_make: Any = Variable
_VALID = (dtypes.float16, dtypes.bfloat16, dtypes.float32, dtypes.float64, dtypes.complex64, dtypes.complex128)


class Optimizer:
    """The base class of optimisers.

    State: `_slots` by (slot's name, variable), `_non_slots` by (name, graph).
    """

    GATE_NONE = 0
    GATE_OP = 1
    GATE_GRAPH = 2

    def __init__(self, use_locking: bool, name: str) -> None:
        if not name:
            raise ValueError("Must specify the optimizer name")
        self._use_locking = use_locking
        self._name = name
        self._slots: dict[str, dict[tuple[Graph, str], Any]] = {}
        self._non_slots: dict[tuple[str, Graph], Any] = {}

    def get_name(self) -> str:
        """Return the optimiser's name."""
        return self._name

    # -- from a loss to gradients ----------------------------------------------------------------------------------

    def minimize(
        self, loss: Any, global_step: Any = None, var_list: Any = None, gate_gradients: int = GATE_OP,
        aggregation_method: Any = None, colocate_gradients_with_ops: bool = False, name: str | None = None, grad_loss: Any = None,
    ) -> Operation:  # fmt: skip
        """Return an operation that changes the variables so that `loss` falls.

        Args:
          loss: a tensor.
          global_step: a variable to add one to afterwards.
          var_list: the variables to change; the trainable ones by default.

        Raises:
          ValueError: when no variable has a gradient.
        """
        found = self.compute_gradients(
            loss, var_list=var_list, gate_gradients=gate_gradients, aggregation_method=aggregation_method,
            colocate_gradients_with_ops=colocate_gradients_with_ops, grad_loss=grad_loss,
        )  # fmt: skip
        if all(gradient is None for gradient, _ in found):
            raise ValueError(
                "No gradients provided for any variable, check your graph for ops that do not support gradients, between "
                f"variables {[str(v) for _, v in found]} and loss {loss}."
            )
        return self.apply_gradients(found, global_step=global_step, name=name)

    def compute_gradients(
        self, loss: Any, var_list: Any = None, gate_gradients: int = GATE_OP, aggregation_method: Any = None,
        colocate_gradients_with_ops: bool = False, grad_loss: Any = None,
    ) -> list[tuple[Any, Any]]:  # fmt: skip
        """Return (gradient, variable) for every variable of `var_list`; a gradient is a Tensor, IndexedSlices or None.

        Raises:
          ValueError: when there is no variable, or the loss or a variable is not of a floating or complex type.
        """
        if gate_gradients not in (self.GATE_NONE, self.GATE_OP, self.GATE_GRAPH):
            raise ValueError(
                "gate_gradients must be one of: Optimizer.GATE_NONE, Optimizer.GATE_OP, Optimizer.GATE_GRAPH.  "
                f"Not {gate_gradients}"
            )
        loss = loss() if callable(loss) else loss
        self._assert_valid_dtypes([loss] if grad_loss is None else [loss, grad_loss])
        variables = _trainables() if var_list is None else _flatten(var_list)
        if not variables:
            raise ValueError("No variables to optimize.")
        found = gradients(
            loss, [_target(v) for v in variables], grad_ys=grad_loss, gate_gradients=gate_gradients == self.GATE_OP,
            aggregation_method=aggregation_method, colocate_gradients_with_ops=colocate_gradients_with_ops,
        )  # fmt: skip
        if gate_gradients == self.GATE_GRAPH:
            found = tuple_of(found)
        self._assert_valid_dtypes([v for g, v in zip(found, variables, strict=True) if g is not None])
        return list(zip(found, variables, strict=True))

    def _valid_dtypes(self) -> Iterable[DType]:
        return _VALID

    def _assert_valid_dtypes(self, tensors: Iterable[Any]) -> None:
        valid = tuple(self._valid_dtypes())
        for tensor in tensors:
            dtype = as_dtype(tensor.dtype).base_dtype
            if dtype not in valid:
                raise ValueError(f"Invalid type {dtype!r} for {tensor.name}, expected: {list(valid)}.")

    # -- from gradients to updates ---------------------------------------------------------------------------------

    def apply_gradients(self, grads_and_vars: Any, global_step: Any = None, name: str | None = None) -> Operation:
        """Return an operation that changes variables by gradients, and then adds one to `global_step`.

        Args:
          grads_and_vars: pairs as `compute_gradients` returns them; those without a gradient are left out.

        Raises:
          TypeError: when a gradient is no tensor. ValueError: when there is nothing to apply.
        """
        pairs = [(_as_gradient(gradient), variable) for gradient, variable in grads_and_vars]
        if not pairs:
            raise ValueError("No variables provided.")
        active = [(gradient, variable) for gradient, variable in pairs if gradient is not None]
        if not active:
            raise ValueError(f"No gradients provided for any variable: {[str(v) for _, v in pairs]}.")
        graph = get_default_graph()
        with graph.control_dependencies(None):
            self._create_slots([variable for _, variable in active])
        with graph.name_scope(name or self._name) as scope:
            self._prepare()
            updates = [self._updated(graph, gradient, variable) for gradient, variable in active]
            if global_step is None:
                applied = self._finish(updates, scope)
            else:
                applied = self._counted(graph, self._finish(updates, "update"), global_step, scope)
        applied = applied.op if isinstance(applied, Tensor) else applied
        train_ops = graph.get_collection_ref(GraphKeys.TRAIN_OP)
        if applied not in train_ops:
            train_ops.append(applied)
        return applied

    def _counted(self, graph: Graph, finished: Any, global_step: Any, scope: str) -> Any:
        with graph.control_dependencies([finished]), graph.colocate_with(global_step):
            if is_resource(global_step):
                one = convert_to_tensor(1, global_step.dtype)
                return assign_add_resource.node(global_step.handle, one, name=scope)
            return assign_add(global_step, 1, name=scope)

    def _updated(self, graph: Graph, gradient: Any, variable: Any) -> Any:
        """Return the node that changes one variable, and applies its constraint."""
        if not isinstance(variable, Variable):
            raise NotImplementedError(f"Trying to update a Tensor {variable}")
        with graph.name_scope(f"update_{variable.op.name}"), graph.colocate_with(variable):
            if isinstance(gradient, IndexedSlices):
                if variable.constraint is not None:
                    raise RuntimeError("Cannot use a constraint function on a sparse variable.")
                return self._updated_rows(gradient, variable)
            apply = self._resource_apply_dense if is_resource(variable) else self._apply_dense
            update = apply(gradient, variable)
            if variable.constraint is None:
                return update
            with graph.control_dependencies([update]):
                return variable.assign(variable.constraint(variable))

    def _updated_rows(self, gradient: IndexedSlices, variable: Any) -> Any:
        if is_resource(variable):
            return self._resource_apply_sparse_duplicate_indices(gradient.values, variable, gradient.indices)
        return self._apply_sparse_duplicate_indices(gradient, variable)

    # -- what a kind of optimiser defines --------------------------------------------------------------------------

    def _create_slots(self, var_list: list[Any]) -> None:
        """Make the variables that the optimiser keeps."""

    def _prepare(self) -> None:
        """Make tensors of the settings."""

    def _apply_dense(self, grad: Any, var: Any) -> Any:
        raise NotImplementedError

    def _resource_apply_dense(self, grad: Any, handle: Any) -> Any:
        raise NotImplementedError

    def _apply_sparse(self, grad: Any, var: Any) -> Any:
        raise NotImplementedError

    def _resource_apply_sparse(self, grad: Any, handle: Any, indices: Any) -> Any:
        raise NotImplementedError

    def _apply_sparse_duplicate_indices(self, grad: Any, var: Any) -> Any:
        """Change the rows of a ref variable; rows that come twice are summed first."""
        values, indices = _deduplicated(grad.values, grad.indices)
        return self._apply_sparse(IndexedSlices(values, indices, grad.dense_shape), var)

    def _resource_apply_sparse_duplicate_indices(self, grad: Any, handle: Any, indices: Any) -> Any:
        """Change the rows of a resource variable; rows that come twice are summed first."""
        values, indices = _deduplicated(grad, indices)
        return self._resource_apply_sparse(values, handle, indices)

    def _finish(self, update_ops: list[Any], name_scope: str) -> Any:
        """Return an operation that runs after all updates."""
        return group(*update_ops, name=name_scope)

    def _call_if_callable(self, param: Any) -> Any:
        return param() if callable(param) else param

    # -- the variables that it keeps -------------------------------------------------------------------------------

    def get_slot(self, var: Any, name: str) -> Any:
        """Return the slot `name` of a variable, or None."""
        return self._slots.get(name, {}).get(_key(var))

    def get_slot_names(self) -> list[str]:
        """Return the names of the slots that there are."""
        return sorted(self._slots)

    def variables(self) -> list[Any]:
        """Return the variables that the optimiser keeps in the default graph, by name."""
        graph = get_default_graph()
        slots = [slot for named in self._slots.values() for slot in named.values()]
        found = [v for v in (*self._non_slots.values(), *slots) if v.graph is graph]
        return sorted(found, key=lambda v: v.name)

    def _get_or_make_slot(self, var: Any, val: Any, slot_name: str, op_name: str) -> Any:
        named = self._slots.setdefault(slot_name, {})
        if _key(var) not in named:
            named[_key(var)] = create_slot(var, val, op_name)
        return named[_key(var)]

    def _get_or_make_slot_with_initializer(
        self, var: Any, initializer: Any, shape: Any, dtype: Any, slot_name: str, op_name: str
    ) -> Any:
        named = self._slots.setdefault(slot_name, {})
        if _key(var) not in named:
            named[_key(var)] = create_slot_with_initializer(var, initializer, shape, dtype, op_name)
        return named[_key(var)]

    def _zeros_slot(self, var: Any, slot_name: str, op_name: str) -> Any:
        named = self._slots.setdefault(slot_name, {})
        if _key(var) not in named:
            named[_key(var)] = create_zeros_slot(var, op_name)
        return named[_key(var)]

    def _create_non_slot_variable(self, initial_value: Any, name: str, colocate_with: Any) -> Any:
        graph = colocate_with.graph
        if (name, graph) not in self._non_slots:
            with graph.colocate_with(colocate_with):
                made = _make(initial_value, name=name, trainable=False, use_resource=is_resource(colocate_with))
            self._non_slots[name, graph] = made
        return self._non_slots[name, graph]

    def _get_non_slot_variable(self, name: str, graph: Graph | None = None) -> Any:
        return self._non_slots.get((name, get_default_graph() if graph is None else graph))

    def _typed(self, value: Any, var: Any) -> Any:
        """Return a setting in the variable's dtype."""
        dtype = var.dtype.base_dtype
        return value if value.dtype.base_dtype is dtype else cast(value, dtype)


def _trainables() -> list[Any]:
    return trainable_variables() + get_default_graph().get_collection(GraphKeys.TRAINABLE_RESOURCE_VARIABLES)


def _flatten(items: Any) -> list[Any]:
    if not isinstance(items, list | tuple | set):
        return [items]
    return [leaf for item in items for leaf in _flatten(item)]


def _target(variable: Any) -> Any:
    """Return what gradients are taken to: the reference, the handle, or the tensor itself."""
    if isinstance(variable, Tensor):
        return variable
    if not isinstance(variable, Variable):
        raise TypeError(f"Argument is not a variable: {variable!r}")
    return variable._to_tensor(as_ref=True)


def _key(variable: Any) -> tuple[Graph, str]:
    return variable.graph, variable.op.name


def _as_gradient(gradient: Any) -> Any:
    if gradient is None or isinstance(gradient, Tensor | IndexedSlices):
        return gradient
    try:
        return convert_to_tensor(gradient)
    except TypeError:
        raise TypeError(f"Gradient must be convertible to a Tensor or IndexedSlices, or None: {gradient}") from None


def _deduplicated(values: Any, indices: Any) -> tuple[Tensor, Tensor]:
    """Return the sums of `values` over equal indices, and those indices once each."""
    unique_indices, positions = unique(indices)
    count = getitem(shape(unique_indices), 0)
    return unsorted_segment_sum(values, positions, count), unique_indices
