"""Convolutions on the CPU in NumPy: patches of a few images at a time, small enough for the cache, on all cores.

Two ways to gather patches. Along rows: what the window's rows see, one copy for all of them, since a window that is one
row lower sees the same but for a shift; then there is a product for each row of the window, added to those before. By taps:
an array for each element of the window; it is the quicker copy where images have few channels. Images are (batch, height,
width, channels), filters (height, width, in, out). Invariant: BLAS computes on one thread, and what is much is divided among
ours: a batch into images, few or large images into bands of rows.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ...devices import blas
from ...devices.accumulating import add_products
from ...devices.product import MEDIUM, product
from ...devices.threads import divide
from ...devices.types import Array, Empty
from .finishing import finish, finish_piece
from .windows import Window, taps

# Bytes of patches at a time: what a core's own cache holds beside the results.
CACHE = 1 << 19
# Products of one number with another below which threads cost more than they bring.
SMALL = 1 << 20
# Rows that a band of an image has at least: those that its neighbours see as well are gathered twice.
_LEAST_ROWS = 8
# Parts of a batch for each core, so that one that is kept from working delays little.
_SHARES = 2
# Numbers that lie together in a row of a window, from which on rows are the better way.
LONG = 32


# What a piece makes: its images and the rows of its places.
Places = tuple[slice, slice]


class _Room:
    """Memory for the pieces of a part, one after the other: fresh arrays for each would be cold, and their padding be cleared."""

    def __init__(self) -> None:
        self._kept: dict[str, Array] = {}
        self._around: tuple[Any, Array] = (None, None)

    def empty(self, what: str, dims: tuple[int, ...], dtype: Any) -> Array:
        """Return an uninitialised array, which takes the place of the last one for the same."""
        size = prod(dims)
        if what not in self._kept or self._kept[what].size < size:
            self._kept[what] = np.empty(size, dtype)
        return self._kept[what][:size].reshape(dims)

    def padded(self, images: Array, window: Window) -> Array:
        """Return images with the window's padding."""
        if not _is_padded(window):
            return images
        (count, height, width, depth), ((top, bottom), (left, right)) = images.shape, window.pads
        if self._around[0] != (images.shape, window.pads):
            around = np.zeros((count, height + top + bottom, width + left + right, depth), images.dtype)
            self._around = ((images.shape, window.pads), around)
        self._around[1][:, top : top + height, left : left + width] = images
        return self._around[1]


def _by_rows(images: Array, window: Window, room: _Room) -> list[Array]:
    """Return for each row of the window what it sees: (places' rows * images * columns, numbers in a row of the window)."""
    rows, columns = window.outputs(*images.shape[1:3])
    around, wide, down = room.padded(images, window), window.size[1], window.strides[0]
    (count, height, _, depth), (s0, s1, s2, s3) = around.shape, around.strides
    view = as_strided(
        around, (height, count, columns, wide, depth),
        (s1, s0, s2 * window.strides[1], s2 * window.dilations[1], s3), writeable=False,
    )  # fmt: skip
    gathered = room.empty("patches", view.shape, around.dtype)
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


def _by_taps(images: Array, window: Window, room: _Room) -> Array:
    """Return what the window sees: (numbers in a window, images * places)."""
    (rows, columns), around = window.outputs(*images.shape[1:3]), room.padded(images, window)
    (high, wide), (down, right), (d0, d1) = window.size, window.strides, window.dilations
    (count, _, _, depth), (s0, s1, s2, s3) = around.shape, around.strides
    view = as_strided(
        around, (high, wide, depth, count, rows, columns), (s1 * d0, s2 * d1, s3, s0, s1 * down, s2 * right),
        writeable=False,
    )  # fmt: skip
    gathered = room.empty("patches", view.shape, around.dtype)
    np.copyto(gathered, view)
    return gathered.reshape(high * wide * depth, -1)


def _along_rows(window: Window, depth: int) -> bool:
    return window.size[1] * depth >= LONG


def _patch_bytes(images: Array, window: Window) -> int:
    """Return how much memory the patches of one image take."""
    _, height, _, depth = images.shape
    rows, columns = window.outputs(*images.shape[1:3])
    along = height if _along_rows(window, depth) else rows * window.size[0]
    return int(along * columns * window.size[1] * depth * images.dtype.itemsize)


def _pieces(images: Array, window: Window, cores: int) -> list[Places]:
    """Divide a batch into images whose patches fit into the cache, images that are too large or too few into bands of rows."""
    (rows, _), bytes_of_one = window.outputs(*images.shape[1:3]), max(1, _patch_bytes(images, window))
    parts = cores * _SHARES
    block = max(1, min(CACHE // bytes_of_one, -(-len(images) // parts)))
    band = max(min(rows * CACHE // bytes_of_one, -(-rows * len(images) // parts)), _LEAST_ROWS) if block == 1 else rows
    return [
        (slice(low, low + block), slice(row, min(row + band, rows)))
        for low in range(0, len(images), block) for row in range(0, rows, band)
    ]  # fmt: skip


def over_batch(work: Callable[[int, int], None], batch: int, products: int) -> None:
    """Call `work(start, stop)` on parts of a batch, on all cores where that pays."""
    if batch < 2 or products < SMALL:
        _on_one_core(partial(work, 0, batch), products)
        return
    with blas.one_thread():
        divide(work, batch, 1, _SHARES)


def _on_one_core(work: Callable[[], None], products: int) -> None:
    if products < MEDIUM:
        work()
        return
    with blas.one_thread():
        work()


def _over_pieces(work: Callable[[list[Places]], None], images: Array, window: Window, products: int) -> None:
    """Call `work` on parts of what the convolution of images makes, on all cores where that pays."""
    if products < SMALL:
        _on_one_core(lambda: work(_pieces(images, window, 1)), products)
        return
    pieces = _pieces(images, window, os.cpu_count() or 1)
    with blas.one_thread():
        divide(lambda start, stop: work(pieces[start:stop]), len(pieces), 1, _SHARES)


def _seen_from(images: Array, window: Window, places: Places) -> tuple[Array, Window]:
    """Return what places see of images, and a window that has these places there."""
    height, step, (top, _) = images.shape[1], window.strides[0], window.pads[0]
    first = places[1].start * step - top
    last = (places[1].stop - 1) * step + (window.size[0] - 1) * window.dilations[0] + 1 - top
    low, high = (min(max(end, 0), height) for end in (first, last))
    above = min(max(-first, 0), last - first)
    pads = ((above, last - first - above - (high - low)), window.pads[1])
    return images[places[0], low:high], replace(window, pads=pads)


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
    along, rowwise = _along_rows(window, depth), filters.reshape(high, wide * depth, made)

    def part(pieces: list[Places]) -> None:
        room = _Room()
        for places in pieces:
            seen, target = _seen_from(images, window, places), found[places]
            flat = target.reshape(-1, made)
            if not along:
                np.matmul(_by_taps(*seen, room).T, filters.reshape(-1, made), out=flat)
            elif len(target) == 1:
                _sum_of_rows(_by_rows(*seen, room), rowwise, flat)
            else:
                turned = room.empty("turned", (target.shape[1], len(target), columns, made), found.dtype)
                _sum_of_rows(_by_rows(*seen, room), rowwise, turned.reshape(-1, made))
                np.copyto(target, turned.swapaxes(0, 1))
            finish_piece(flat, bias, relu)

    _over_pieces(part, images, window, _products(images, window, made))
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
    along, parts = _along_rows(window, depth), []

    def part(pieces: list[Places]) -> None:
        room, total = _Room(), np.zeros((high, wide * depth, made), kind)
        parts.append(([(images.start, rows.start) for images, rows in pieces], total))
        for places in pieces:
            seen, given = _seen_from(images, window, places), dy[places]
            if along:
                turned = room.empty("turned", (given.shape[1], len(given), *given.shape[2:]), kind)
                np.copyto(turned, given.swapaxes(0, 1))
                add_products([row.T for row in _by_rows(*seen, room)], turned.reshape(-1, made), total)
            else:
                total += (_by_taps(*seen, room) @ given.reshape(-1, made)).reshape(total.shape)

    _over_pieces(part, images, window, _products(images, window, made))
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
