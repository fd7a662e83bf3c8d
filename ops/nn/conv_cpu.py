"""Convolutions on the CPU in NumPy: patches of a few images at a time, small enough for the cache, on all cores.

Two ways to gather patches. Along rows: what the window's rows see, one copy for all of them, since a window that is one
row lower sees the same but for a shift; then there is a product for each row of the window, added to those before. By taps:
an array for each element of the window; it is the quicker copy where images have few channels. Images are (batch, height,
width, channels), filters (height, width, in, out). Invariant: BLAS computes on one thread where we have divided the batch
among ours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ...devices import blas
from ...devices.accumulating import add_products
from ...devices.product import product
from ...devices.threads import divide
from ...devices.types import Array, Empty
from .finishing import finish, finish_piece
from .windows import Window, taps

# Bytes of patches at a time: what a core's own cache holds beside the results.
CACHE = 1 << 19
# Products of one number with another below which threads cost more than they bring.
SMALL = 1 << 20
# Parts of a batch for each core, so that one that is kept from working delays little.
_SHARES = 2
# Numbers that lie together in a row of a window, from which on rows are the better way.
LONG = 32


class Patches:
    """Patches of some images of a batch, gathered into memory that is used again for the next ones."""

    def __init__(self, images: Array, window: Window, block: int) -> None:
        self.images, self.window, self.block = images, window, block
        self.places = window.outputs(*images.shape[1:3])
        _, height, width, depth = images.shape
        (top, bottom), (left, right) = window.pads
        self.padded = bool(top or bottom or left or right)
        self.dims = (height + top + bottom, width + left + right, depth)
        self._inside = np.s_[:, top : top + height, left : left + width]
        self._around = np.zeros((block, *self.dims), images.dtype) if self.padded else None
        self._gathered: Array = None

    def _padded(self, start: int, stop: int) -> Array:
        if self._around is None:
            return self.images[start:stop]
        around = self._around[: stop - start]
        around[self._inside] = self.images[start:stop]
        return around

    def by_rows(self, start: int, stop: int) -> list[Array]:
        """Return for each row of the window what it sees: (places' rows * images * columns, numbers in a row of the window)."""
        around, window, (rows, columns) = self._padded(start, stop), self.window, self.places
        s0, s1, s2, s3 = around.strides
        count, (height, _, depth), wide, down = stop - start, self.dims, window.size[1], window.strides[0]
        view = as_strided(
            around, (height, count, columns, wide, depth),
            (s1, s0, s2 * window.strides[1], s2 * window.dilations[1], s3), writeable=False,
        )  # fmt: skip
        if self._gathered is None:
            self._gathered = np.empty(height * self.block * columns * wide * depth, around.dtype)
        gathered = self._gathered[: view.size].reshape(view.shape)
        # Rows that one row of the window sees lie together: with a step of 2, the even ones before the odd ones.
        begins, begin = [], 0
        for phase in range(min(down, height)):
            rows_of_it = view[phase::down]
            begins.append(begin)
            np.copyto(gathered[begin : begin + len(rows_of_it)], rows_of_it)
            begin += len(rows_of_it)
        seen = []
        for first in range(0, window.size[0] * window.dilations[0], window.dilations[0]):
            at = begins[first % down] + first // down
            seen.append(gathered[at : at + rows].reshape(-1, wide * depth))
        return seen

    def by_taps(self, start: int, stop: int) -> Array:
        """Return (numbers in a window, images * places)."""
        around, window, (rows, columns) = self._padded(start, stop), self.window, self.places
        s0, s1, s2, s3 = around.strides
        (high, wide), (down, right), (d0, d1), depth = window.size, window.strides, window.dilations, self.dims[2]
        view = as_strided(
            around, (high, wide, depth, stop - start, rows, columns),
            (s1 * d0, s2 * d1, s3, s0, s1 * down, s2 * right), writeable=False,
        )  # fmt: skip
        if self._gathered is None:
            self._gathered = np.empty(high * wide * depth * self.block * rows * columns, around.dtype)
        gathered = self._gathered[: view.size].reshape(view.shape)
        np.copyto(gathered, view)
        return gathered.reshape(high * wide * depth, -1)


def _along_rows(window: Window, depth: int) -> bool:
    return window.size[1] * depth >= LONG


def _block(images: Array, window: Window) -> int:
    """Return how many images' patches fill the cache."""
    _, height, _, depth = images.shape
    rows, columns = window.outputs(*images.shape[1:3])
    along = height if _along_rows(window, depth) else rows * window.size[0]
    size = along * columns * window.size[1] * depth * images.dtype.itemsize
    return int(max(1, min(len(images), CACHE // max(size, 1))))


def over_batch(work: Callable[[int, int], None], batch: int, products: int) -> None:
    """Call `work(start, stop)` on parts of a batch, on all cores where that pays."""
    if batch < 2 or products < SMALL:
        work(0, batch)
        return
    with blas.one_thread():
        divide(work, batch, 1, _SHARES)


def _products(images: Array, window: Window, made: int) -> int:
    rows, columns = window.outputs(*images.shape[1:3])
    return int(len(images) * rows * columns * window.size[0] * window.size[1] * images.shape[3] * made)


def forward(
    images: Array,
    filters: Array,
    window: Window,
    empty: Empty = np.empty,
    bias: Array | None = None,
    relu: bool = False,
) -> Array:
    """Return the convolution of images with filters, in memory that `empty` gives; with a bias and relu if asked for."""
    high, wide, depth, made = filters.shape
    rows, columns = window.outputs(*images.shape[1:3])
    found = empty((len(images), rows, columns, made), np.result_type(images, filters))
    if not found.size or not filters.size:
        found[...] = 0
        return finish(found, bias, relu)
    if window.size == window.strides == (1, 1) and images.flags.c_contiguous and not _is_padded(window):
        product(images.reshape(-1, depth), filters.reshape(depth, made), found.reshape(-1, made))
        return finish(found, bias, relu)
    along, block = _along_rows(window, depth), _block(images, window)
    rowwise, flat = filters.reshape(high, wide * depth, made), filters.reshape(-1, made)

    def part(start: int, stop: int) -> None:
        patches = Patches(images, window, min(block, stop - start))
        scratch = np.empty(found[: patches.block].size if along and block > 1 else 0, found.dtype)
        for low in range(start, stop, block):
            end = min(low + block, stop)
            target = found[low:end].reshape(-1, made)
            if not along:
                np.matmul(patches.by_taps(low, end).T, flat, out=target)
            elif end - low == 1:
                _sum_of_rows(patches.by_rows(low, end), rowwise, target)
            else:
                turned = scratch[: target.size].reshape(rows, end - low, columns, made)
                _sum_of_rows(patches.by_rows(low, end), rowwise, turned.reshape(-1, made))
                np.copyto(found[low:end], turned.swapaxes(0, 1))
            finish_piece(target, bias, relu)

    over_batch(part, len(images), _products(images, window, made))
    return found


def _is_padded(window: Window) -> bool:
    return any(length for pair in window.pads for length in pair)


def _sum_of_rows(seen: list[Array], filters: Array, target: Array) -> None:
    np.matmul(seen[0], filters[0], out=target)
    if len(seen) > 1:
        add_products(seen[1:], filters[1:], target)


def filter_gradient(images: Array, dy: Array, window: Window) -> Array:
    """Return the gradient by the filters: (window's rows, columns, channels in, channels out)."""
    (high, wide), depth, made = window.size, images.shape[3], dy.shape[3]
    kind = np.result_type(images, dy)
    if not images.size or not dy.size:
        return np.zeros((high, wide, depth, made), kind)
    along, block, parts = _along_rows(window, depth), _block(images, window), []

    def part(start: int, stop: int) -> None:
        patches = Patches(images, window, min(block, stop - start))
        total = np.zeros((high, wide * depth, made), kind)
        parts.append((start, total))
        for low in range(start, stop, block):
            end = min(low + block, stop)
            if along:
                turned = np.ascontiguousarray(dy[low:end].swapaxes(0, 1)).reshape(-1, made)
                add_products([row.T for row in patches.by_rows(low, end)], turned, total)
            else:
                total += (patches.by_taps(low, end) @ dy[low:end].reshape(-1, made)).reshape(total.shape)

    over_batch(part, len(images), _products(images, window, made))
    totals = [total for _, total in sorted(parts, key=lambda pair: pair[0])]
    for total in totals[1:]:
        totals[0] += total
    found: Array = totals[0].reshape(high, wide, depth, made)
    return found


def image_gradient(
    filters: Array, dy: Array, window: Window, height: int, width: int, empty: Empty = np.empty
) -> Array:
    """Return the gradient by the images, which have `height` rows and `width` columns."""
    mirrored = _mirrored(window, dy, height, width)
    if mirrored is not None:
        turned = np.ascontiguousarray(filters[::-1, ::-1].transpose(0, 1, 3, 2))
        return forward(dy, turned, mirrored, empty)
    return _scattered(filters, dy, window, height, width)


def _mirrored(window: Window, dy: Array, height: int, width: int) -> Window | None:
    """Return the window with which the gradient is itself a convolution, None where steps leave places out."""
    if window.strides != (1, 1):
        return None
    pads: list[Any] = []
    for i, length in enumerate((height, width)):
        span = (window.size[i] - 1) * window.dilations[i]
        before = span - window.pads[i][0]
        pads.append((before, length + span - dy.shape[1 + i] - before))
    return None if min(min(pair) for pair in pads) < 0 else Window(window.size, (1, 1), window.dilations, tuple(pads))


def _scattered(filters: Array, dy: Array, window: Window, height: int, width: int) -> Array:
    """Return the gradient by adding what each place gives to the elements that it saw."""
    (high, wide, depth, made), (_, rows, columns, _) = filters.shape, dy.shape
    found = np.zeros((len(dy), height, width, depth), np.result_type(filters, dy))
    (top, bottom), (left, right) = window.pads
    turned = np.ascontiguousarray(filters.reshape(-1, made).T)
    block = max(1, min(len(dy), CACHE // max(rows * columns * high * wide * depth * found.itemsize, 1)))

    def part(start: int, stop: int) -> None:
        around = np.empty((min(block, stop - start), height + top + bottom, width + left + right, depth), found.dtype)
        for low in range(start, stop, block):
            end = min(low + block, stop)
            given = dy[low:end].reshape(-1, made) @ turned
            given = given.reshape(end - low, rows, columns, high, wide, depth)
            inside = around[: end - low]
            inside[...] = 0
            for (i, j), index in taps(window, rows, columns):
                inside[index] += given[:, :, :, i, j]
            found[low:end] = inside[:, top : top + height, left : left + width]

    over_batch(part, len(dy), len(dy) * rows * columns * made * high * wide * depth)
    return found
