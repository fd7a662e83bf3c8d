"""Philox 4x32-10 in C, from the optional package `randomgen`: the same blocks in a third of the time.

The only file that imports randomgen, when numbers are first drawn. Invariant: the blocks are `philox.words`'s; a library
that disagrees on a block, or that is not there, is not used.
"""

from __future__ import annotations

import importlib
from functools import lru_cache
from typing import Any, Protocol

import numpy as np

from ...devices.types import Array

_WORD = 2**64
_COUNTERS = 2**128


class Draw(Protocol):
    """Writes successive blocks."""

    def __call__(self, key: int, upper: int, start: int, out: Array) -> None:
        """Write the blocks at counters `start`, `start` + 1, … of a key and an upper half to `out`, uint32 (n, 4)."""


@lru_cache(maxsize=1)
def drawing() -> Draw | None:
    """Return what draws in C, or None where there is no such library or it gives other numbers."""
    try:
        philox = importlib.import_module("randomgen.philox").Philox
        draw = _drawing(philox)
        block = np.empty((2, 4), np.uint32)
        draw(0, 0, 0, block)
    except Exception:  # whatever an incompatible release raises
        return None
    # Known answers of Philox 4x32-10, from the paper's authors, for the first counter.
    return draw if block[0].tolist() == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8] else None


def _drawing(philox: Any) -> Draw:
    def draw(key: int, upper: int, start: int, out: Array) -> None:
        # The library steps its counter before it makes a block.
        before = (upper * _WORD + start - 1) % _COUNTERS
        generator = np.random.Generator(philox(key=key, counter=before, number=4, width=32))
        out[...] = generator.integers(0, 1 << 32, out.shape, np.uint32)

    return draw
