"""Variables that an optimiser keeps beside a variable, of its shape: accumulators, moments, averages.

A slot is called `NAME/OPTIMIZER`, is of the variable's kind (ref or resource) and sits where the variable sits.
"""

from __future__ import annotations

from typing import Any

from ...ops.array import shape as shape_of
from ...ops.array import zeros
from ...ops.core.graph import get_default_graph
from ...ops.variables.base import SliceInfo
from ...ops.variables.initializers import Zeros
from ...ops.variables.scope import get_variable, variable_scope


def is_resource(variable: Any) -> bool:
    """Tell whether a variable is a resource variable."""
    return hasattr(variable, "handle")


def _slot(primary: Any, name: str, initializer: Any, **options: Any) -> Any:
    with variable_scope(None, f"{primary.op.name}/{name}"), get_default_graph().colocate_with(primary):
        slot = get_variable("", initializer=initializer, trainable=False, use_resource=is_resource(primary), **options)
    info = primary._get_save_slice_info() if hasattr(primary, "_get_save_slice_info") else None
    if info is not None:
        full_name = slot.op.name.replace(primary.op.name, info.full_name, 1)
        slot._set_save_slice_info(SliceInfo(full_name, info.full_shape, info.var_offset, info.var_shape))
    return slot


def create_slot(primary: Any, value: Any, name: str) -> Any:
    """Return a slot of `primary` with this initial value."""
    return _slot(primary, name, value, validate_shape=value.shape.is_fully_defined())


def create_slot_with_initializer(primary: Any, initializer: Any, shape: Any, dtype: Any, name: str) -> Any:
    """Return a slot of `primary` that an initialiser fills."""
    return _slot(
        primary, name, initializer, shape=shape, dtype=dtype.base_dtype, validate_shape=shape.is_fully_defined()
    )


def create_zeros_slot(primary: Any, name: str, dtype: Any = None) -> Any:
    """Return a slot of `primary` that starts with zeros."""
    wanted = primary.dtype if dtype is None else dtype
    if primary.shape.is_fully_defined():
        return create_slot_with_initializer(primary, Zeros(), primary.shape, wanted, name)
    return create_slot(primary, zeros(shape_of(primary), wanted.base_dtype), name)
