"""Undoing broadcasts: the gradient of an input that was broadcast is the sum over the copies.

Which axes were copied is worked out while building wherever the static shapes tell, also when they are known in part;
only where they do not are shapes compared at run time.
"""

from __future__ import annotations

from typing import Any

from ..array.reshape import reshape
from ..array.shape_ops import shape
from ..core import shapes
from ..core.node import Operation, Tensor
from ..core.registry import lookup
from ..core.shapes import Shape
from .reductions import sum_op


def copied_axes(mine: Shape, other: Shape) -> list[int] | None:
    """Return the axes of the broadcast result that copy this input; None when the static shapes do not tell.

    >>> copied_axes((3, 1), (None, 3, 5)), copied_axes((None,), (None,))
    ([0, 2], None)
    """
    if mine is None or other is None:
        return [] if mine is not None and mine == other else None
    missing = max(len(other) - len(mine), 0)
    found = list(range(missing))
    for axis, dim in enumerate(mine, missing):
        place = axis - (missing + len(mine) - len(other))
        theirs = other[place] if place >= 0 else 1
        if dim is None and theirs != 1:
            return None
        if dim == 1 and theirs != 1:
            found.append(axis)
    return found


def unbroadcast_one(gradient: Tensor, x: Tensor, other: Tensor, axes: Any = None) -> Tensor:
    """Return `gradient` of the broadcast result summed to the shape of the input `x`, which met `other`."""
    known = copied_axes(x.dims, other.dims)
    if known is None:
        return reshape(sum_op(gradient, axes), shape(x))
    if x is other or not known:
        return gradient
    assert x.dims is not None
    leading = max(len(other.dims or ()) - len(x.dims), 0)
    if len(known) == leading:
        return sum_op(gradient, known)  # type: ignore[no-any-return]
    summed = sum_op(gradient, known, keep_dims=True)
    if not leading:
        return summed  # type: ignore[no-any-return]
    return reshape(summed, list(x.dims) if shapes.is_static(x.dims) else shape(x))


def unbroadcast(op: Operation, gx: Tensor | None, gy: Tensor | None) -> list[Tensor | None]:
    """Return the gradients of an op's first two inputs, each summed to the shape of its input."""
    x, y = op.inputs[:2]
    axes: Any = (None, None)
    if copied_axes(x.dims, y.dims) is None or copied_axes(y.dims, x.dims) is None:
        axes = lookup("BroadcastGradientArgs")(shape(x), shape(y))
    return [
        None if gx is None else unbroadcast_one(gx, x, y, axes[0]),
        None if gy is None else unbroadcast_one(gy, y, x, axes[1]),
    ]


def unbroadcast_to(gradient: Tensor, x: Tensor) -> Tensor:
    """Return `gradient` summed to the shape of `x`, which was broadcast to the gradient's shape."""
    axes = None
    if copied_axes(x.dims, gradient.dims) is None:
        axes = lookup("BroadcastGradientArgs")(shape(x), shape(gradient))[0]
    return unbroadcast_one(gradient, x, gradient, axes)
