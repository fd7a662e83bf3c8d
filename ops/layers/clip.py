"""Clipping gradients and other tensors by their norms; sparse slices keep their sparsity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..array import identity, ones_like, size, stack
from ..core import dtypes
from ..core.convert import constant, convert_to_tensor
from ..core.indexed_slices import IndexedSlices
from ..core.node import Tensor
from ..core.scopes import colocate_with, name_scope
from ..math import cast, greater, maximum, minimum, reduce_sum, rsqrt, sqrt, where
from ..nn import l2_loss

__all__ = ["clip_by_average_norm", "clip_by_global_norm", "clip_by_norm", "global_norm"]


def _values(t: Any, name: str | None = None) -> Tensor:
    return t.values if isinstance(t, IndexedSlices) else convert_to_tensor(t, name=name)


def _like(t: Any, values: Tensor) -> Any:
    return IndexedSlices(values, t.indices, t.dense_shape) if isinstance(t, IndexedSlices) else values


def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: str | None = None) -> Any:
    """Scale a tensor down so that its L2 norm (along `axes`, or of the whole) is at most `clip_norm`."""
    with name_scope(name, "clip_by_norm", [_values(t)] if isinstance(t, Tensor | IndexedSlices) else []) as scope:
        values = _values(t, "t")
        squares = reduce_sum(values * values, axes, keepdims=True)
        # The square root has no gradient at 0, so that zeros take another way around it.
        positive = greater(squares, 0)
        norm = where(positive, sqrt(where(positive, squares, ones_like(squares))), squares)
        clipped = values * clip_norm / maximum(norm, clip_norm)
        clipped.set_shape(values.dims)
        return _like(t, identity(clipped, name=scope))


def clip_by_average_norm(t: Any, clip_norm: Any, name: str | None = None) -> Tensor:
    """Scale a tensor down so that its L2 norm over its number of elements is at most `clip_norm`."""
    with name_scope(name, "clip_by_average_norm", [t] if isinstance(t, Tensor) else []) as scope:
        values = convert_to_tensor(t, name="t")
        count = cast(size(values), values.dtype.base_dtype)
        inverse = rsqrt(reduce_sum(values * values))
        clipped = values * clip_norm * minimum(inverse * count, constant(1.0, values.dtype.base_dtype) / clip_norm)
        result: Tensor = identity(clipped, name=scope)
        return result


def _check_list(t_list: Any) -> list[Any]:
    if not isinstance(t_list, Sequence) or isinstance(t_list, str | bytes):
        raise TypeError("t_list should be a sequence")
    return list(t_list)


def global_norm(t_list: Any, name: str | None = None) -> Tensor:
    """Return the L2 norm of all tensors of a list together; entries may be None, and 0 is the norm of nothing."""
    tensors = [t for t in _check_list(t_list) if t is not None]
    with name_scope(name, "global_norm", [_values(t) for t in tensors if isinstance(t, Tensor | IndexedSlices)]):
        halves = []
        for t in tensors:
            values = _values(t)
            with colocate_with(values.op):
                halves.append(l2_loss(values))
        total = reduce_sum(stack(halves) if halves else constant([], dtypes.float32))
        return sqrt(total * constant(2.0, total.dtype), name="global_norm")


def clip_by_global_norm(
    t_list: Any, clip_norm: Any, use_norm: Any = None, name: str | None = None
) -> tuple[list[Any], Tensor]:
    """Scale all tensors of a list by one factor, so that their norm together is at most `clip_norm`.

    Args:
      t_list: tensors, IndexedSlices or None.
      clip_norm: a number or scalar tensor above 0.
      use_norm: the global norm, where it is known; computed when None.

    Returns:
      The scaled tensors, and the norm that they had. A norm that is not finite makes every element NaN.
    """
    tensors = _check_list(t_list)
    norm = global_norm(tensors, name) if use_norm is None else convert_to_tensor(use_norm)
    with name_scope(name, "clip_by_global_norm", [norm]) as scope:
        inverse, limit = constant(1.0, norm.dtype) / norm, constant(1.0, norm.dtype) / clip_norm
        # norm - norm is 0, and NaN where the norm is not finite.
        scale = clip_norm * minimum(inverse, limit) + (norm - norm)
        clipped: list[Any] = []
        for i, t in enumerate(tensors):
            if t is None:
                clipped.append(None)
                continue
            values = _values(t)
            with colocate_with(values.op):
                clipped.append(_like(t, identity(values * scale, name=f"{scope}_{i}")))
    return clipped, norm
