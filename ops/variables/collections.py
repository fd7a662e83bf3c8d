"""The variables of a graph: listing, initialising, and asking which have no value."""

from __future__ import annotations

from typing import Any

from ..array import boolean_mask, stack
from ..array.shape_ops import rank_op
from ..core.convert import constant
from ..core.graph import GraphKeys, get_default_graph
from ..core.node import Operation, Tensor
from ..core.scopes import name_scope
from ..math import logical_not
from ..state.group import group, no_op
from ..state.public import is_variable_initialized

__all__ = [
    "all_variables", "assert_variables_initialized", "global_variables", "global_variables_initializer",
    "initialize_all_variables", "initialize_local_variables", "initialize_variables", "local_variables",
    "local_variables_initializer", "metric_variables", "model_variables", "moving_average_variables",
    "report_uninitialized_variables", "trainable_variables", "variables_initializer",
]  # fmt: skip
_REF_VARIABLES = ("Variable", "VariableV2", "AutoReloadVariable")


def _collection(key: str, scope: str | None) -> list[Any]:
    return get_default_graph().get_collection(key, scope)


def global_variables(scope: str | None = None) -> list[Any]:
    """Return the variables that are saved and shared; `scope` is a regular expression that names must begin with."""
    return _collection(GraphKeys.GLOBAL_VARIABLES, scope)


def local_variables(scope: str | None = None) -> list[Any]:
    """Return the variables that belong to one process and are not saved."""
    return _collection(GraphKeys.LOCAL_VARIABLES, scope)


def trainable_variables(scope: str | None = None) -> list[Any]:
    """Return the variables that optimisers change by default."""
    return _collection(GraphKeys.TRAINABLE_VARIABLES, scope)


def model_variables(scope: str | None = None) -> list[Any]:
    """Return the variables of the collection MODEL_VARIABLES."""
    return _collection(GraphKeys.MODEL_VARIABLES, scope)


def metric_variables(scope: str | None = None) -> list[Any]:
    """Return the variables of the collection METRIC_VARIABLES."""
    return _collection(GraphKeys.METRIC_VARIABLES, scope)


def moving_average_variables(scope: str | None = None) -> list[Any]:
    """Return the variables that have moving averages."""
    return _collection(GraphKeys.MOVING_AVERAGE_VARIABLES, scope)


def all_variables() -> list[Any]:
    """Return `global_variables()`; the older name."""
    return global_variables()


def variables_initializer(var_list: Any, name: str = "init") -> Operation:
    """Return an operation that initialises the variables of a list."""
    return group(*[v.initializer for v in var_list], name=name) if var_list else no_op(name=name)


def global_variables_initializer() -> Operation:
    """Return an operation that initialises the global variables there are now."""
    return variables_initializer(global_variables())


def local_variables_initializer() -> Operation:
    """Return an operation that initialises the local variables there are now."""
    return variables_initializer(local_variables())


def initialize_variables(var_list: Any, name: str = "init") -> Operation:
    """Return `variables_initializer(var_list, name)`; the older name."""
    return variables_initializer(var_list, name)


def initialize_all_variables() -> Operation:
    """Return `global_variables_initializer()`; the older name."""
    return global_variables_initializer()


def initialize_local_variables() -> Operation:
    """Return `local_variables_initializer()`; the older name."""
    return local_variables_initializer()


def _all_of(var_list: Any) -> list[Any]:
    if var_list is not None:
        return list(var_list)
    return global_variables() + local_variables()


def report_uninitialized_variables(var_list: Any = None, name: str = "report_uninitialized_variables") -> Tensor:
    """Return a 1-D string tensor of the names of the variables (default: global and local ones) that have no value."""
    variables = _all_of(var_list)
    graph = get_default_graph()
    with name_scope(name):
        if not variables:
            return constant([], "string")
        initialized = [is_variable_initialized(v) for v in variables]
        with graph.device("/cpu:0"):
            missing = logical_not(stack(initialized))
            return boolean_mask(constant([v.op.name for v in variables]), missing)


def assert_variables_initialized(var_list: Any = None) -> Tensor | None:
    """Return a tensor whose evaluation fails when a variable (default: global and local ones) has no value."""
    variables = _all_of(var_list)
    if not variables:
        variables = [op.outputs[0] for op in get_default_graph().get_operations() if op.type in _REF_VARIABLES]
    if not variables:
        return None
    ranks = []
    for variable in variables:
        with get_default_graph().colocate_with(variable):
            ranks.append(rank_op(variable))
    return ranks[0] if len(ranks) == 1 else stack(ranks)
