"""Philox against its definition on Python's integers, and its counters at their edges."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from millstream.ops.random import philox

WORD = st.integers(0, 2**64 - 1)


def block(key: philox.Key, counter: int) -> list[int]:
    """Philox 4x32-10 as its paper defines it."""
    mask = 2**32 - 1
    a, b, c, d = counter & mask, counter >> 32, key.seed2 & mask, key.seed2 >> 32
    low, high = key.seed & mask, key.seed >> 32
    for _ in range(10):
        p, q = a * 0xD2511F53, c * 0xCD9E8D57
        a, b, c, d = (q >> 32) ^ b ^ low, q & mask, (p >> 32) ^ d ^ high, p & mask
        low, high = (low + 0x9E3779B9) & mask, (high + 0xBB67AE85) & mask
    return [a, b, c, d]


@given(WORD, WORD, st.lists(WORD, max_size=5))
def test_blocks_are_the_definition(seed, seed2, counters):
    key = philox.Key(seed, seed2)
    found = philox.words(key, np.array(counters, np.uint64))
    assert found.dtype == np.uint32
    assert found.tolist() == [block(key, counter) for counter in counters]


def test_known_answers():
    """The generator's authors publish these for counters and keys of zeros and of ones."""
    ones = 2**64 - 1
    assert block(philox.Key(0, 0), 0) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    assert block(philox.Key(ones, ones), ones) == [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]


def test_tiles_do_not_show():
    counters = np.arange(2 * philox.TILE + 3, dtype=np.uint64)
    whole = philox.words(philox.Key(1, 2), counters)
    for place in (0, philox.TILE - 1, philox.TILE, len(counters) - 1):
        np.testing.assert_array_equal(whole[place], philox.words(philox.Key(1, 2), counters[place : place + 1])[0])


def test_counters_are_not_written_to():
    counters = np.arange(6, dtype=np.uint64).reshape(2, 3)
    counters.flags.writeable = False
    assert philox.words(philox.Key(1, 2), counters).shape == (2, 3, 4)
