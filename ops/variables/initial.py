"""What variables of both kinds do with their initial values.

A value that is computed from other variables would read them before they have theirs, for one operation initialises them
all. So such a value is built again with each variable's `initialized_value`: its value if it has one, else its initial value.
"""

from __future__ import annotations

from typing import Any

from ..core import shapes
from ..core.graph import GraphKeys, new_operation
from ..core.node import Operation, Tensor
from ..core.shapes import Shape
from ..flow import cond
from ..state.handles import HANDLES
from ..state.public import is_variable_initialized

# What looks at a variable by itself, or chooses what to look at, is left as it is.
_KEPT = frozenset({"IsVariableInitialized", "VarIsInitializedOp", "ReadVariableOp", "If", "StatelessIf"})


def initial_shape(value: Tensor, shape: Any, validate_shape: bool) -> Shape:
    """Return the static shape of a variable with this initial value.

    Raises:
      ValueError: when it is to be validated and is not fully known.
    """
    if shape is not None:
        return shapes.as_shape_tuple(shape)
    if not validate_shape:
        return None
    if not shapes.is_static(value.dims):
        raise ValueError(f"initial_value must have a shape specified: {value}")
    return value.dims


def check_slices(delta: Any) -> None:
    """Raise TypeError unless `delta` is an IndexedSlices."""
    if not (hasattr(delta, "indices") and hasattr(delta, "values")):
        raise TypeError(f"sparse_delta is not IndexedSlices: {delta}")


def initialized_value(variable: Any) -> Tensor:
    """Return a tensor of the variable's value when it has one, else of its initial value."""
    with variable.graph.control_dependencies(None):
        chosen = cond(is_variable_initialized(variable), variable.read_value, lambda: variable.initial_value)
    return chosen  # type: ignore[no-any-return]


def guarded(value: Tensor, name: str) -> Tensor:
    """Return `value` with every variable that it depends on replaced by its `initialized_value`.

    Nodes between are built again as `NODE_name`; a value that depends on no variable is returned itself.
    """
    done: dict[Operation, Operation] = {}
    stack = [value.op]
    while stack:
        node = stack[-1]
        waiting = [] if node.type in _KEPT or node.type in HANDLES else [t.op for t in node.inputs if t.op not in done]
        if waiting:
            stack.extend(waiting)
            continue
        stack.pop()
        if node not in done:
            done[node] = _rebuilt(node, done, name)
    return done[value.op].outputs[value.index]


def _rebuilt(node: Operation, done: dict[Operation, Operation], name: str) -> Operation:
    """Return what stands for a node in a guarded value: itself when nothing below it changed."""
    if node.type in HANDLES:
        variable = _variable_of(node)
        return node if variable is None else initialized_value(variable).op
    if node.type in _KEPT or all(done[t.op] is t.op for t in node.inputs):
        return node
    graph = node.graph
    inputs = tuple(done[t.op].outputs[t.index] if done[t.op] is not t.op else t for t in node.inputs)
    with graph.name_scope(None):
        unique = graph.unique_name(f"{node.name}_{name}")
    return new_operation(graph, node.decl, unique, inputs, dict(node.attrs))


def _variable_of(handle: Operation) -> Any:
    graph = handle.graph
    for key in (GraphKeys.GLOBAL_VARIABLES, GraphKeys.LOCAL_VARIABLES):
        for variable in graph.get_collection(key):
            if getattr(variable, "op", None) is handle:
                return variable
    return None
