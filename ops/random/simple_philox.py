"""Scalar draws from a Philox run, many at a time: TensorFlow's SimplePhilox, in NumPy.

Where TensorFlow's kernels draw one number after the other (candidate samplers), each number takes one or two words of the
run. Words are made in blocks, and numbers that take a fixed count of words are made together. Invariant: the n-th number
of a run is TensorFlow's n-th number, whatever was made ahead of it.
"""

from __future__ import annotations

import numpy as np

from ...devices.types import Array
from . import philox

_WORDS = 4
_MANTISSA_HIGH = np.uint64(0xFFFFF)
_ONE = np.uint64(1023 << 52)
_FLOAT_ONE = np.uint32(127 << 23)
_FLOAT_MANTISSA = np.uint32(0x7FFFFF)


class SimplePhilox:
    """The words of one run, taken in order.

    State: `_place` is the counter of the next block to make, `_left` words that were made and not taken yet.
    """

    def __init__(self, key: philox.Key, start: int) -> None:
        self._key, self._place = key, start
        self._left: Array = np.empty(0, np.uint32)

    def words(self, count: int) -> Array:
        """Return the next `count` words, uint32 (count,)."""
        missing = count - self._left.size
        if missing > 0:
            blocks = -(-missing // _WORDS)
            places = np.arange(blocks, dtype=np.uint64) + np.uint64(self._place)
            self._place += blocks
            made = philox.words(self._key, places).reshape(-1)
            self._left = np.concatenate([self._left, made]) if self._left.size else made
        taken, self._left = self._left[:count], self._left[count:]
        return taken

    def doubles(self, count: int) -> Array:
        """Return `count` numbers in [0, 1), float64, two words each."""
        pairs = self.words(2 * count).reshape(-1, 2).astype(np.uint64)
        bits = (pairs[:, 0] & _MANTISSA_HIGH) << np.uint64(32) | pairs[:, 1] | _ONE
        return bits.view(np.float64) - 1.0

    def integers32(self, count: int, limit: int) -> Array:
        """Return up to `count` integers below `limit`, int64, one word each; rejected words yield none."""
        return _below(self.words(count).astype(np.uint64), limit, 2**32)

    def integers64(self, count: int, limit: int) -> Array:
        """Return up to `count` integers below `limit`, int64, two words each; rejected ones yield none."""
        pairs = self.words(2 * count).reshape(-1, 2).astype(np.uint64)
        return _below(pairs[:, 0] | pairs[:, 1] << np.uint64(32), limit, 2**64)

    def floats_and_integers(self, count: int, limit: int) -> tuple[Array, Array]:
        """Return `count` pairs: a number in [0, 1), float32, and then an integer below `limit`, int64."""
        least = _rejected_below(limit, 2**32)
        words = self.words(2 * count)
        while (rejected := np.flatnonzero(words[1::2] < least)).size:
            words = np.concatenate([np.delete(words, 2 * rejected[0] + 1), self.words(1)])
        return _as_floats(words[::2]), (words[1::2] % np.uint32(limit)).astype(np.int64)


def _as_floats(words: Array) -> Array:
    """Return words as float32 numbers in [0, 1)."""
    return (words & _FLOAT_MANTISSA | _FLOAT_ONE).view(np.float32) - np.float32(1)


def _rejected_below(limit: int, span: int) -> int:
    """Return below which words out of `span` are rejected, so that all remainders by `limit` are equally likely."""
    return 0 if limit & (limit - 1) == 0 else (span - 1) % limit + 1


def _below(words: Array, limit: int, span: int) -> Array:
    least = _rejected_below(limit, span)
    kept = words[words >= np.uint64(least)] if least else words
    return (kept % np.uint64(limit)).astype(np.int64)
