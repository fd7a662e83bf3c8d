"""Pools on the CPU in NumPy: a few images at a time, on all cores, rows before columns.

The greatest (or the sum) of a window is that of its columns' greatest, so the rows are taken first, where long runs of
memory are compared. Images are (batch, height, width, channels). Of equal greatest elements the first in the window
gets the gradient.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...devices.types import Array
from ..math.reductions import lowest
from .conv_cpu import CACHE, over_batch
from .windows import Window, taps

# Elements that a core handles in the time that handing work to another one takes.
_PASS = 4


def _work(images: Array, window: Window) -> int:
    return int(images.size * window.size[0] * _PASS)


def _block(images: Array) -> int:
    return max(1, CACHE // max(images[0].nbytes, 1)) if len(images) else 1


class _Padded:
    """Some images at a time with the window's padding around them, in memory that is used again."""

    def __init__(self, images: Array, window: Window, block: int, value: Any) -> None:
        _, height, width, depth = images.shape
        (top, bottom), (left, right) = window.pads
        self.images = images
        self._inside = np.s_[:, top : top + height, left : left + width]
        self._around: Array = None
        if top or bottom or left or right:
            self._around = np.full((block, height + top + bottom, width + left + right, depth), value, images.dtype)

    def __call__(self, start: int, stop: int) -> Array:
        if self._around is None:
            return self.images[start:stop]
        around = self._around[: stop - start]
        around[self._inside] = self.images[start:stop]
        return around


def _reduced(around: Array, window: Window, places: tuple[int, int], combine: Any, target: Array) -> None:
    """Combine the elements of each window: down the rows first, then along the columns."""
    high, wide = window.size
    (down, right), (d0, d1) = window.strides, window.dilations
    rows, columns = places
    tops = [around[:, i * d0 : i * d0 + (rows - 1) * down + 1 : down] for i in range(high)]
    tall = tops[0] if high == 1 else combine(tops[0], tops[1])
    for more in tops[2:]:
        combine(tall, more, out=tall)
    parts = [tall[:, :, j * d1 : j * d1 + (columns - 1) * right + 1 : right] for j in range(wide)]
    if wide == 1:
        target[...] = parts[0]
        return
    combine(parts[0], parts[1], out=target)
    for more in parts[2:]:
        combine(target, more, out=target)


def _pooled(images: Array, window: Window, combine: Any, filler: Any) -> Array:
    rows, columns = window.outputs(*images.shape[1:3])
    found = np.empty((len(images), rows, columns, images.shape[3]), images.dtype)
    block = _block(images)

    def part(start: int, stop: int) -> None:
        around = _Padded(images, window, min(block, stop - start), filler)
        for low in range(start, stop, block):
            end = min(low + block, stop)
            _reduced(around(low, end), window, (rows, columns), combine, found[low:end])

    if found.size:
        over_batch(part, len(images), _work(images, window))
    return found


def greatest(images: Array, window: Window) -> Array:
    """Return the greatest element of each window."""
    return _pooled(images, window, np.maximum, lowest(images.dtype))


def total(images: Array, window: Window) -> Array:
    """Return the sum of each window's elements inside the images."""
    return _pooled(images, window, np.add, 0)


def _is_partition(window: Window, height: int, width: int, places: tuple[int, int]) -> bool:
    """Tell whether every element of the images is in one window and one only."""
    return (
        window.size == window.strides and window.dilations == (1, 1)
        and (places[0] * window.size[0], places[1] * window.size[1]) == (height, width)
    )  # fmt: skip


def _spread(like: Array, places: tuple[int, int], window: Window, give: Any, dtype: Any, work: int) -> Array:
    """Return images to which each window gave something: `give(low, end)` yields (index, values, where or None)."""
    _, height, width, depth = like.shape
    (top, bottom), (left, right) = window.pads
    found = np.empty(like.shape, dtype)
    once, block = _is_partition(window, height, width, places), _block(like)

    def part(start: int, stop: int) -> None:
        around: Array = None
        if not once:
            around = np.empty((min(block, stop - start), height + top + bottom, width + left + right, depth), dtype)
        for low in range(start, stop, block):
            end = min(low + block, stop)
            inside = found[low:end] if around is None else around[: end - low]
            if around is not None:
                inside[...] = 0
            for index, values, mask in give(low, end):
                if around is not None:
                    inside[index] += values if mask is None else values * mask
                elif mask is None:
                    inside[index] = values
                else:
                    np.multiply(values, mask, out=inside[index])
            if around is not None:
                found[low:end] = inside[:, top : top + height, left : left + width]

    over_batch(part, len(like), work)
    return found


def greatest_gradient(images: Array, found: Array, dy: Array, window: Window) -> Array:
    """Return the gradient of the greatest elements by the images."""
    places = found.shape[1:3]
    filler = lowest(images.dtype)

    def give(low: int, end: int) -> Any:
        around = _Padded(images, window, end - low, filler)(low, end)
        best, gradient = found[low:end], dy[low:end]
        open_places = np.ones(best.shape, "bool")
        for _, index in taps(window, *places):
            mask = around[index] == best
            mask &= open_places
            open_places ^= mask
            yield index, gradient, mask

    if not images.size:
        return np.zeros(images.shape, dy.dtype)
    return _spread(images, places, window, give, dy.dtype, _work(images, window))


def mean_gradient(dims: tuple[int, int, int, int], shares: Array, window: Window) -> Array:
    """Return the gradient of means by images of shape `dims`; `shares` is what each place gives to its elements."""
    like = np.broadcast_to(shares.dtype.type(0), dims)

    def give(low: int, end: int) -> Any:
        for _, index in taps(window, *shares.shape[1:3]):
            yield index, shares[low:end], None

    if not like.size:
        return np.zeros(dims, shares.dtype)
    return _spread(like, shares.shape[1:3], window, give, shares.dtype, _work(like, window))
