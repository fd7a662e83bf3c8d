"""Samples of a distribution in host memory: which counters they come from, and how rejected ones are redrawn.

Invariant: the counters are TensorFlow's. A run takes its blocks from its start on; a truncated normal gives every
block's worth of values a region of its own, so that values never depend on how many of the others were redrawn.
"""

from __future__ import annotations

import numpy as np

from ...devices.threads import divide
from ...devices.types import Array
from . import philox
from .distributions import TRUNCATION, Distribution

# Counters that a run reserves for each of its outputs, whatever it uses; rejection may use any number of them.
RESERVED = 256
_WORD = 2**64
_WORDS = 4
# Fewer samples than this are drawn by one thread.
_THREADED = 1 << 18
_FIRST_RETRY = 4


def region(distribution: Distribution) -> int:
    """Return how many counters lie between the starts of successive blocks, or regions of a truncated normal."""
    return RESERVED * distribution.per_block // _WORDS if distribution.truncated else 1


def blocks_for(distribution: Distribution, size: int) -> int:
    """Return how many blocks, or regions of a truncated normal, hold `size` samples."""
    return -(-size // distribution.per_block)


def counters(start: int, first: int, count: int, step: int) -> Array:
    """Return the counters number `first`, `first` + 1, … of those that lie `step` apart from `start` on: (count,)."""
    return np.arange(first, first + count, dtype=np.uint64) * np.uint64(step) + np.uint64(start)


def samples(key: philox.Key, start: int, size: int, distribution: Distribution) -> Array:
    """Return the `size` samples of the run that starts at counter `start`, a new array (size,)."""
    out = np.empty(size, distribution.dtype)
    tile = philox.TILE * distribution.per_block

    def fill(low: int, high: int) -> None:
        for first in range(low, high, tile):
            _write(
                key,
                start + first // distribution.per_block * region(distribution),
                distribution,
                out[first : first + tile],
            )

    if size < _THREADED:
        fill(0, size)
    else:
        divide(fill, size, tile)
    return out


def _write(key: philox.Key, start: int, distribution: Distribution, out: Array) -> None:
    """Write the samples from counter `start` on to `out`; converted where they lie, if they may."""
    count, start = blocks_for(distribution, out.size), start % _WORD
    if distribution.truncated:
        values = converted(key, counters(start, 0, count, region(distribution)), distribution)
    elif distribution.in_place and out.size % distribution.per_block == 0:
        blocks = out.view(np.uint32).reshape(-1, _WORDS)
        philox.successive(key, start, blocks)
        distribution.convert(np, blocks)
        return
    else:
        blocks = np.empty((count, _WORDS), np.uint32)
        philox.successive(key, start, blocks)
        values = distribution.convert(np, blocks)
    out[:] = values.reshape(-1)[: out.size]


def successive_runs(key: philox.Key, start: int, count: int, size: int, distribution: Distribution) -> Array:
    """Return the samples of `count` runs of `size` each, the first at counter `start`: a new array (count, size)."""
    starts = counters(start, 0, count, size * RESERVED)
    places = starts[:, np.newaxis] + counters(0, 0, blocks_for(distribution, size), region(distribution))
    values = converted(key, places.reshape(-1), distribution).reshape(count, -1)
    return values[:, :size].astype(distribution.dtype)


def converted(key: philox.Key, places: Array, distribution: Distribution) -> Array:
    """Return the values (places.size, per_block) of the blocks, or of the regions, that begin at `places`."""
    values = distribution.convert(np, philox.words(key, places))
    if distribution.truncated:
        _redraw(key, places, distribution, values)
    return values


def _redraw(key: philox.Key, places: Array, distribution: Distribution, values: Array) -> None:
    """Give every region its first `per_block` values within the bounds; most have them in their first block."""
    width, tries = distribution.per_block, _FIRST_RETRY
    short = np.flatnonzero(~(np.abs(values) < TRUNCATION).all(axis=1))
    while short.size:
        blocks = places[short, np.newaxis] + np.arange(tries, dtype=np.uint64)
        drawn = distribution.convert(np, philox.words(key, blocks)).reshape(short.size, -1)
        accepted = np.abs(drawn) < TRUNCATION
        rank = np.cumsum(accepted, axis=1)
        done = rank[:, -1] >= width
        kept = accepted & (rank <= width) & done[:, np.newaxis]
        values[short[done]] = drawn[kept].reshape(-1, width)
        short, tries = short[~done], 4 * tries
