"""Samples of a distribution in host memory: which counters they come from, and how rejected ones are redrawn.

Invariant: the counters are TensorFlow's. A run takes its blocks from its start on; a truncated normal gives every block's
worth of values a region of its own, so that values never depend on how many of the others were redrawn.
"""

from __future__ import annotations

import numpy as np

from ...devices.types import Array
from . import philox
from .distributions import TRUNCATION, Distribution

# Counters that a run reserves for each of its outputs, whatever it uses; rejection may use any number of them.
RESERVED = 256
_WORDS = 4
_FIRST_RETRY = 4


def region(distribution: Distribution) -> int:
    """Return how many counters lie between the starts of a truncated normal's successive regions."""
    return RESERVED * distribution.per_block // _WORDS


def blocks_for(distribution: Distribution, size: int) -> int:
    """Return how many blocks, or regions of a truncated normal, hold `size` samples."""
    return -(-size // distribution.per_block)


def samples(key: philox.Key, start: int, size: int, distribution: Distribution) -> Array:
    """Return the `size` samples of the run that starts at counter `start`, a new array (size,)."""
    out = np.empty(size, distribution.dtype)
    step = philox.TILE * distribution.per_block
    for first in range(0, size, step):
        part = out[first : first + step]
        counters = _counters(start, first // distribution.per_block, blocks_for(distribution, part.size), distribution)
        part[:] = _values(key, counters, distribution).reshape(-1)[: part.size]
    return out


def successive_runs(key: philox.Key, start: int, count: int, size: int, distribution: Distribution) -> Array:
    """Return the samples of `count` runs of `size` each, the first at counter `start`: a new array (count, size)."""
    starts = np.arange(count, dtype=np.uint64) * np.uint64(size * RESERVED)
    counters = starts[:, np.newaxis] + _counters(start, 0, blocks_for(distribution, size), distribution)
    values = _values(key, counters.reshape(-1), distribution).reshape(count, -1)
    return values[:, :size].astype(distribution.dtype)


def _counters(start: int, first: int, count: int, distribution: Distribution) -> Array:
    step = region(distribution) if distribution.truncated else 1
    offsets = np.arange(first, first + count, dtype=np.uint64)
    return offsets * np.uint64(step) + np.uint64(start)


def _values(key: philox.Key, counters: Array, distribution: Distribution) -> Array:
    """Return the values (counters.size, per_block) of the blocks, or of the regions that begin, at `counters`."""
    values = distribution.convert(np, philox.words(key, counters))
    if distribution.truncated:
        _redraw(key, counters, distribution, values)
    return values


def _redraw(key: philox.Key, counters: Array, distribution: Distribution, values: Array) -> None:
    """Give every region its first `per_block` values within the bounds; most have them in their first block."""
    width, tries = distribution.per_block, _FIRST_RETRY
    short = np.flatnonzero(~(np.abs(values) < TRUNCATION).all(axis=1))
    while short.size:
        blocks = counters[short, np.newaxis] + np.arange(tries, dtype=np.uint64)
        drawn = distribution.convert(np, philox.words(key, blocks)).reshape(short.size, -1)
        accepted = np.abs(drawn) < TRUNCATION
        rank = np.cumsum(accepted, axis=1)
        done = rank[:, -1] >= width
        kept = accepted & (rank <= width) & done[:, np.newaxis]
        values[short[done]] = drawn[kept].reshape(-1, width)
        short, tries = short[~done], 4 * tries
