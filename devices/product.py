"""Products of matrices without BLAS's threads: small ones on one core, large ones on our own threads.

OpenBLAS's threads spin while they wait, for work and for each other: on a machine where anything else runs, our own
threads among it, a product then takes ten times as long. So they are left asleep.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from .blas import one_thread
from .threads import divide
from .types import Array

# Products of one number with another, in one product of matrices: from `MEDIUM` on BLAS would divide it among its threads,
# from `LARGE` on handing a part to another thread of ours pays.
MEDIUM = 1 << 19
LARGE = 1 << 22
# Rows or columns that BLAS takes at a time; parts are whole multiples of it.
_UNIT = 16


def product(a: Array, b: Array, out: Array) -> Array:
    """Write the product of two matrices to `out`, and return it."""
    rows, columns = out.shape
    if rows * columns * a.shape[1] < LARGE:
        return np.matmul(a, b, out=out)
    with one_thread():
        if rows >= columns:
            divide(lambda start, stop: np.matmul(a[start:stop], b, out=out[start:stop]), rows, _UNIT)
        else:
            divide(lambda start, stop: np.matmul(a, b[:, start:stop], out=out[:, start:stop]), columns, _UNIT)
    return out


def products(a: Array, b: Array, empty: Callable[..., Array] = np.empty) -> Array:
    """Return what `np.matmul` does of two arrays; where BLAS computes it, in memory that `empty(shape, dtype)` gives."""
    dims = _dims(a, b)
    if dims is None:
        return np.matmul(a, b)
    out = empty(dims, a.dtype)
    one = dims[-2] * dims[-1] * a.shape[-1]
    whole = one * prod(dims[:-2])
    if one < MEDIUM and whole < LARGE:
        return np.matmul(a, b, out=out)
    with one_thread():
        return np.matmul(a, b, out=out) if whole < LARGE else _divided(a, b, out)


def multiplied(a: Array, b: Array) -> Array:
    """Return the product of two matrices whose sizes nobody knew before."""
    return a.dot(b) if a.size * b.shape[1] < MEDIUM else products(a, b)


def _dims(a: Array, b: Array) -> tuple[int, ...] | None:
    """Return the shape of a product that BLAS computes; None for any other one, and where the shapes do not fit."""
    if a.dtype != b.dtype or a.dtype.char not in "fdFD" or min(a.ndim, b.ndim) < 2 or a.shape[-1] != b.shape[-2]:
        return None
    stack = a.shape[:-2]
    if stack != b.shape[:-2]:
        try:
            stack = np.broadcast_shapes(stack, b.shape[:-2])
        except ValueError:
            return None
    return (*stack, a.shape[-2], b.shape[-1])


def _divided(a: Array, b: Array, out: Array) -> Array:
    """Write the products of stacks of matrices to `out`, and return it: parts of the longest axis of the stack on each core."""
    stack = out.shape[:-2]
    if max(stack, default=1) == 1:
        product(a.reshape(a.shape[-2:]), b.reshape(b.shape[-2:]), out.reshape(out.shape[-2:]))
        return out
    axis = stack.index(max(stack)) - out.ndim

    def part(start: int, stop: int) -> None:
        first, second, target = (_between(x, axis, start, stop) for x in (a, b, out))
        np.matmul(first, second, out=target)

    divide(part, out.shape[axis], 1)
    return out


def _between(x: Array, axis: int, start: int, stop: int) -> Array:
    """Return a slice of an array along an axis, counted from the last one; all of it where it broadcasts along that."""
    if x.ndim < -axis or x.shape[axis] == 1:
        return x
    return x[(..., slice(start, stop), *(slice(None),) * (-axis - 1))]
