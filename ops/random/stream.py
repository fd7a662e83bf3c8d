"""The counter of one random node in one session, and its small runs made ahead.

A run of n outputs starts where the previous run's reservation ended, and reserves a fixed number of counters an output;
so the runs of a node that asks for n each time start at equal distances, and many are made in one pass of NumPy, whose
price hardly depends on their number. The state of a `PhiloxStream`:

    key       the stream, fixed
    _next     the counter at which the next run starts
    _made     runs made ahead, the next one last
    _wanted   what they are samples of: (distribution, size)
    _ahead    how many runs to make when they are used up; it doubles while the requests stay the same

Invariant: what a run returns depends on the key and on the reservations before it, never on what was made ahead. Each
made run is handed out once, so it is the caller's own.
"""

from __future__ import annotations

import os
import threading

from ...devices.types import Array
from .distributions import Distribution
from .philox import Key
from .sampling import RESERVED, blocks_for, samples, successive_runs

# Runs of more blocks than this gain nothing from being made ahead.
SMALL_BLOCKS = 512
_AHEAD_BLOCKS = 4096
_WORD = 2**64


class PhiloxStream:
    """TensorFlow's stream for two seeds; both zero: a stream keyed from the system's entropy."""

    def __init__(self, seed: int, seed2: int) -> None:
        if not (seed or seed2):
            seed, seed2 = (int.from_bytes(os.urandom(8), "little") for _ in range(2))
        self.key = Key(seed % _WORD, seed2 % _WORD)
        self._next = 0
        self._lock = threading.Lock()
        self._made: list[Array] = []
        self._wanted: tuple[Distribution, int] | None = None
        self._ahead = 1

    def reserve(self, counters: int) -> int:
        """Return the first of the next `counters` counters; no other call gets any of them."""
        with self._lock:
            self._wanted = None
            return self._advance(counters)

    def sample(self, distribution: Distribution, size: int) -> Array:
        """Return the next run's `size` samples in host memory, a new array (size,)."""
        if not 0 < size <= SMALL_BLOCKS * distribution.per_block:
            return samples(self.key, self.reserve(size * RESERVED), size, distribution)
        with self._lock:
            if self._wanted is None or self._wanted[0] is not distribution or self._wanted[1] != size:
                self._wanted, self._made, self._ahead = (distribution, size), [], 1
            if not self._made:
                self._make_ahead(distribution, size)
            self._advance(size * RESERVED)
            return self._made.pop()

    def _make_ahead(self, distribution: Distribution, size: int) -> None:
        rows = successive_runs(self.key, self._next, self._ahead, size, distribution)
        self._made = [row.copy() for row in rows[::-1]]
        self._ahead = max(1, min(2 * self._ahead, _AHEAD_BLOCKS // blocks_for(distribution, size)))

    def _advance(self, counters: int) -> int:
        start = self._next
        self._next = (start + counters) % _WORD
        return start
