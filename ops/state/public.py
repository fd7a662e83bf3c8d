"""`tf.assign` and its relatives: functions over variables of either kind.

They tell the kinds apart by dtype (a reference or not), as TensorFlow does: ops for references are built here, resource
variables are asked to do it themselves.
"""

from __future__ import annotations

from typing import Any

from ..core.node import Tensor
from .assign import (
    assign_add_ref,
    assign_ref,
    assign_sub_ref,
    count_up_to_ref,
    is_initialized_ref,
    is_initialized_resource,
)
from .rows import SCATTER, SCATTER_ND

__all__ = [
    "assign", "assign_add", "assign_sub", "count_up_to", "is_variable_initialized", "scatter_add", "scatter_div", "scatter_max",
    "scatter_min", "scatter_mul", "scatter_nd_add", "scatter_nd_sub", "scatter_nd_update", "scatter_sub", "scatter_update",
]  # fmt: skip


def _is_ref(variable: Any) -> bool:
    return bool(variable.dtype._is_ref_dtype)


def assign(
    ref: Any, value: Any, validate_shape: bool | None = None, use_locking: bool | None = None, name: str | None = None
) -> Any:
    """Return a node that gives the variable `value`, and the variable after that.

    Args:
      ref: a variable.
      value: its new value, of the variable's dtype and, with `validate_shape`, its shape.
    """
    if not _is_ref(ref):
        return ref.assign(value, name=name)
    return assign_ref(
        ref, value, validate_shape=validate_shape is not False, use_locking=use_locking is not False, name=name
    )


def assign_add(ref: Any, value: Any, use_locking: bool | None = None, name: str | None = None) -> Any:
    """Return a node that adds `value` to the variable, and the variable after that."""
    if not _is_ref(ref):
        return ref.assign_add(value, name=name)
    return assign_add_ref(ref, value, use_locking=bool(use_locking), name=name)


def assign_sub(ref: Any, value: Any, use_locking: bool | None = None, name: str | None = None) -> Any:
    """Return a node that subtracts `value` from the variable, and the variable after that."""
    if not _is_ref(ref):
        return ref.assign_sub(value, name=name)
    return assign_sub_ref(ref, value, use_locking=bool(use_locking), name=name)


def count_up_to(ref: Any, limit: int, name: str | None = None) -> Tensor:
    """Return a node that gives the variable's value and adds one, until OutOfRangeError at `limit`."""
    if not _is_ref(ref):
        return ref.count_up_to(limit)  # type: ignore[no-any-return]
    return count_up_to_ref(ref, limit=limit, name=name)  # type: ignore[no-any-return]


def is_variable_initialized(variable: Any, name: str | None = None) -> Tensor:
    """Return a node that tells whether the variable has a value."""
    if not _is_ref(variable):
        return is_initialized_resource(variable.handle, name=name)  # type: ignore[no-any-return]
    return is_initialized_ref(variable, name=name)  # type: ignore[no-any-return]


def _rows(kind: str, ref: Any, indices: Any, updates: Any, use_locking: bool, name: str | None) -> Any:
    if not _is_ref(ref):
        return ref._scatter_rows(kind, indices, updates, name)
    return SCATTER[kind][0](ref, indices, updates, use_locking=use_locking, name=name)


def _slices(kind: str, ref: Any, indices: Any, updates: Any, use_locking: bool, name: str | None) -> Any:
    if not _is_ref(ref):
        return ref._scatter_slices(kind, indices, updates, name)
    return SCATTER_ND[kind][0](ref, indices, updates, use_locking=use_locking, name=name)


def scatter_update(ref: Any, indices: Any, updates: Any, use_locking: bool = True, name: str | None = None) -> Any:
    """Replace the rows `indices` of a variable by `updates`; of rows named twice the last wins."""
    return _rows("Update", ref, indices, updates, use_locking, name)


def scatter_add(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Any:
    """Add `updates` to the rows `indices` of a variable; rows named twice get both."""
    return _rows("Add", ref, indices, updates, use_locking, name)


def scatter_sub(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Any:
    """Subtract `updates` from the rows `indices` of a variable."""
    return _rows("Sub", ref, indices, updates, use_locking, name)


def scatter_mul(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Any:
    """Multiply the rows `indices` of a variable by `updates`."""
    return _rows("Mul", ref, indices, updates, use_locking, name)


def scatter_div(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Any:
    """Divide the rows `indices` of a variable by `updates`."""
    return _rows("Div", ref, indices, updates, use_locking, name)


def scatter_min(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Any:
    """Lower the rows `indices` of a variable to `updates` where these are less."""
    return _rows("Min", ref, indices, updates, use_locking, name)


def scatter_max(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Any:
    """Raise the rows `indices` of a variable to `updates` where these are more."""
    return _rows("Max", ref, indices, updates, use_locking, name)


def scatter_nd_update(ref: Any, indices: Any, updates: Any, use_locking: bool = True, name: str | None = None) -> Any:
    """Replace the slices of a variable that the rows of `indices` name."""
    return _slices("Update", ref, indices, updates, use_locking, name)


def scatter_nd_add(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Any:
    """Add `updates` to the slices of a variable that the rows of `indices` name."""
    return _slices("Add", ref, indices, updates, use_locking, name)


def scatter_nd_sub(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Any:
    """Subtract `updates` from the slices of a variable that the rows of `indices` name."""
    return _slices("Sub", ref, indices, updates, use_locking, name)
