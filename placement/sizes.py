"""What static shapes tell of a tensor's size."""

from __future__ import annotations

import math

from ..ops.core.node import Tensor


def static_elements(tensor: Tensor) -> int | None:
    """Return how many elements a tensor has, or None where its static shape does not tell."""
    dims = tensor.dims
    if dims is None:
        return None
    known = [dim for dim in dims if dim is not None]
    return math.prod(known) if len(known) == len(dims) else None


def static_bytes(tensor: Tensor) -> int | None:
    """Return the bytes of a tensor, or None where its static shape does not tell, and for strings and handles."""
    dtype = tensor.dtype.base_dtype
    elements = static_elements(tensor)
    return None if elements is None or dtype.np_dtype.hasobject else elements * dtype.np_dtype.itemsize
