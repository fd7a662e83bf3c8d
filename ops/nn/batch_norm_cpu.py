"""Batch normalisation on the CPU in NumPy: channels last, some rows at a time, on all cores.

Arrays are matrices of float32 with a column for each channel. Sums are taken block by block, first within blocks, so they
are as exact as NumPy's own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...devices.threads import divide
from ...devices.types import Array
from .bias import channel_sums
from .conv_cpu import CACHE

# Elements from which on handing a part to another thread pays.
_LARGE = 1 << 18
# Rows that parts are multiples of, so that short rows can be taken together.
_UNIT = 64


def _rows_of_block(x: Array) -> int:
    return int(max(_UNIT, CACHE // max(x.shape[1] * x.itemsize, 1) // _UNIT * _UNIT))


def _over_rows(work: Callable[[int, int], None], x: Array) -> None:
    """Call `work(start, stop)` on blocks of rows, on all cores where that pays."""
    step = _rows_of_block(x)

    def part(start: int, stop: int) -> None:
        for low in range(start, stop, step):
            work(low, min(low + step, stop))

    if x.size < _LARGE:
        part(0, len(x))
    else:
        divide(part, len(x), _UNIT)


def _sums(x: Array, several: Callable[[int, int], tuple[Array, ...]]) -> list[Array]:
    """Return the sums over blocks of what `several(start, stop)` gives for each, in the blocks' order."""
    found: dict[int, tuple[Array, ...]] = {}

    def work(start: int, stop: int) -> None:
        found[start] = several(start, stop)

    _over_rows(work, x)
    return [np.sum([found[start][i] for start in sorted(found)], axis=0) for i in range(len(found[min(found)]))]


def statistics(x: Array) -> tuple[Array, Array]:
    """Return mean and variance of each column, in two passes."""
    count = x.dtype.type(len(x))
    (total,) = _sums(x, lambda start, stop: (channel_sums(x[start:stop]),))
    mean = total / count

    def squares(start: int, stop: int) -> tuple[Array]:
        away = x[start:stop] - mean
        away *= away
        return (channel_sums(away),)

    (total,) = _sums(x, squares)
    return mean, total / count


def scaled(x: Array, mean: Array, factor: Array, shift: Array) -> Array:
    """Return `(x - mean) * factor + shift`, which have an element for each column."""
    made = np.empty_like(x)

    def work(start: int, stop: int) -> None:
        target: Any = made[start:stop]
        np.subtract(x[start:stop], mean, out=target)
        target *= factor
        target += shift

    _over_rows(work, x)
    return made


def gradient_sums(x: Array, dy: Array, mean: Array) -> list[Array]:
    """Return the sums of `dy` and of `dy * (x - mean)` of each column."""

    def both(start: int, stop: int) -> tuple[Array, Array]:
        part = dy[start:stop]
        away = x[start:stop] - mean
        away *= part
        return channel_sums(part), channel_sums(away)

    return _sums(x, both)


def combined(x: Array, dy: Array, mean: Array, by_dy: Array, by_x: Array, shift: Array) -> Array:
    """Return `dy * by_dy + (x - mean) * by_x + shift`, whose other terms have an element for each column."""
    made = np.empty_like(x)

    def work(start: int, stop: int) -> None:
        target: Any = made[start:stop]
        np.subtract(x[start:stop], mean, out=target)
        target *= by_x
        target += shift
        target += dy[start:stop] * by_dy

    _over_rows(work, x)
    return made
