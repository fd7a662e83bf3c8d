"""What variables of both kinds do with their initial values."""

from __future__ import annotations

from typing import Any

from ..core import shapes
from ..core.node import Tensor
from ..core.shapes import Shape


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
