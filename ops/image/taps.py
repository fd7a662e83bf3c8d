"""Where a resized image's rows and columns come from: places in the source, and their weights.

Rows and columns are resized independently, so one axis is all there is to know. Numbers are float32 and in TensorFlow's
order, so that places on the edge between two pixels fall to the same one. Computed on the host, from sizes alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from ...devices.types import Array

_TABLE = 1024
_ONE, _HALF = np.float32(1), np.float32(0.5)


@dataclass(frozen=True)
class Sampling:
    """How an axis of `source` pixels becomes one of `size`: corners to corners, or centres of pixels to centres."""

    source: int
    size: int
    align_corners: bool = False
    half_pixel_centers: bool = False

    @property
    def scale(self) -> np.float32:
        """Return how many source pixels lie between two made ones."""
        if self.align_corners and self.size > 1:
            return np.float32(self.source - 1) / np.float32(self.size - 1)
        return np.float32(self.source) / np.float32(max(self.size, 1))

    @property
    def places(self) -> Array:
        """Return each made pixel's place in the source, float32."""
        ramp = np.arange(self.size, dtype=np.float32)
        if self.half_pixel_centers:
            return (ramp + _HALF) * self.scale - _HALF
        return ramp * self.scale


@cache
def nearest(along: Sampling) -> Array:
    """Return the source pixel of each made one."""
    ramp = np.arange(along.size, dtype=np.float32)
    exact = (ramp + _HALF if along.half_pixel_centers else ramp) * along.scale
    # Halves round away from zero, as C's roundf does.
    chosen = np.floor(exact + _HALF) if along.align_corners else np.floor(exact)
    return np.clip(chosen.astype(np.int64), 0, along.source - 1)


@cache
def linear(along: Sampling) -> tuple[Array, Array, Array]:
    """Return the pixels before and after each place, and how far it is from the first to the second."""
    places = along.places
    floor = np.floor(places)
    before = np.maximum(floor.astype(np.int64), 0)
    after = np.minimum(np.ceil(places).astype(np.int64), along.source - 1)
    return before, after, (places - floor).astype(np.float32)


@cache
def _cubic_table(a: float) -> Array:
    """Return the cubic kernel at distances t and 1 + t for t = 0, 1/1024 … 1, float32 (1025, 2)."""
    slope = np.float32(a)
    near = np.arange(_TABLE + 1, dtype=np.float32) / np.float32(_TABLE)
    far = near + _ONE
    inner = ((slope + 2) * near - (slope + 3)) * near * near + 1
    outer = ((slope * far - 5 * slope) * far + 8 * slope) * far - 4 * slope
    return np.stack([inner, outer], axis=1).astype(np.float32)


@cache
def cubic(along: Sampling) -> tuple[Array, Array]:
    """Return the four pixels around each place and their weights, (size, 4); Keys' kernel between centres."""
    places, table = along.places, _cubic_table(-0.5 if along.half_pixel_centers else -0.75)
    floor = np.floor(places)
    offset = np.rint((places - floor) * np.float32(_TABLE)).astype(np.int64)
    weights = np.stack(
        [table[offset, 1], table[offset, 0], table[_TABLE - offset, 0], table[_TABLE - offset, 1]], axis=1
    )
    wanted = floor.astype(np.int64)[:, None] + np.arange(-1, 3)
    pixels = np.clip(wanted, 0, along.source - 1)
    if along.half_pixel_centers:
        weights = np.where(pixels == wanted, weights, np.float32(0))
        weights = weights / weights.sum(axis=1, keepdims=True)
    return pixels, weights.astype(np.float32)


@cache
def area_matrix(along: Sampling) -> Array:
    """Return how much of each source pixel is in each made one, float32 (size, source); rows sum to 1."""
    scale = along.scale
    begin = (np.arange(along.size, dtype=np.float32) * scale)[:, None]
    end = (np.arange(1, along.size + 1, dtype=np.float32) * scale)[:, None]
    pixel = np.arange(int(np.ceil(end.max(initial=0))), dtype=np.float32)[None]
    share = np.clip(np.minimum(end, pixel + _ONE) - np.maximum(begin, pixel), 0, None)
    return _summed(np.broadcast_to(np.arange(pixel.size), share.shape), share / scale, along.source)


def _summed(pixels: Array, weights: Array, source: int) -> Array:
    matrix = np.zeros((len(pixels), source), np.float32)
    rows = np.broadcast_to(np.arange(len(pixels))[:, None], pixels.shape)
    np.add.at(matrix, (rows, np.minimum(pixels, source - 1)), weights)
    return matrix


@cache
def nearest_matrix(along: Sampling) -> Array:
    """Return `nearest` as a matrix of ones, float32 (size, source)."""
    return _summed(nearest(along)[:, None], np.ones((along.size, 1), np.float32), along.source)


@cache
def linear_matrix(along: Sampling) -> Array:
    """Return `linear` as a matrix of weights, float32 (size, source)."""
    before, after, share = linear(along)
    return _summed(np.stack([before, after], 1), np.stack([_ONE - share, share], 1), along.source)


@cache
def cubic_matrix(along: Sampling) -> Array:
    """Return `cubic` as a matrix of weights, float32 (size, source)."""
    return _summed(*cubic(along), along.source)
