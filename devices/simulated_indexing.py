"""Indexing as a GPU does it: indices out of range wrap around instead of raising.

A GPU cannot raise from a kernel; CuPy takes every index modulo the axis. Simulated GPUs do likewise, so that a missing
bounds check shows before a real GPU is there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .errors import UnsupportedByDevice


def is_mask(key: Any) -> bool:
    """Whether a key has a boolean array, whose count the host must wait for."""
    parts = key if isinstance(key, tuple) else (key,)
    return any(getattr(part, "dtype", None) == np.bool_ for part in parts)


def device_key(key: Any, shape: tuple[int, ...]) -> Any:
    """Return the key with index arrays wrapped into range. UnsupportedByDevice for lists, which would be copied."""
    parts = key if isinstance(key, tuple) else (key,)
    axis = 0
    wrapped: list[Any] = []
    for part in parts:
        if isinstance(part, list):
            raise UnsupportedByDevice("indexing with a list copies it to the device implicitly; put() it there first")
        if part is Ellipsis:
            axis = len(shape) - sum(_axes_taken(later) for later in parts[len(wrapped) + 1 :])
        wrapped.append(_wrap(part, shape, axis))
        axis += _axes_taken(part)
    return tuple(wrapped) if isinstance(key, tuple) else wrapped[0]


def _axes_taken(part: Any) -> int:
    if part is None or part is Ellipsis:
        return 0
    return int(part.ndim) if isinstance(part, np.ndarray) and part.dtype == np.bool_ else 1


def _wrap(part: Any, shape: tuple[int, ...], axis: int) -> Any:
    if not isinstance(part, np.ndarray) or part.dtype == np.bool_ or axis >= len(shape):
        return part
    return part % max(shape[axis], 1)
