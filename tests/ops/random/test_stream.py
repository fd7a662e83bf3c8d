"""What a run draws never depends on what was made ahead of it, nor on the threads beside it."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from millstream.ops.random.distributions import NORMAL, TRUNCATED_NORMAL, UNIFORM, uniform_integers
from millstream.ops.random.sampling import RESERVED, samples
from millstream.ops.random.stream import SMALL_BLOCKS, PhiloxStream

F32, F64 = np.dtype(np.float32), np.dtype(np.float64)
DISTRIBUTIONS = (
    UNIFORM[F32], UNIFORM[F64], NORMAL[F32], TRUNCATED_NORMAL[F32], TRUNCATED_NORMAL[F64],
    uniform_integers(np.int32, -3, 9),
)  # fmt: skip
SIZES = (0, 1, 3, 4, 7, 2048, 2049)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(DISTRIBUTIONS), st.sampled_from(SIZES), st.integers(1, 6))))
def test_runs_are_those_of_their_counters(requests):
    stream, start = PhiloxStream(5, 6), 0
    for distribution, size, times in requests:
        for _ in range(times):
            drawn = stream.sample(distribution, size)
            np.testing.assert_array_equal(drawn, samples(stream.key, start, size, distribution))
            start += size * RESERVED


def test_a_reservation_in_between_moves_the_runs_made_ahead():
    stream = PhiloxStream(5, 6)
    for _ in range(6):
        stream.sample(UNIFORM[F32], 4)
    assert stream.reserve(1000) == 6 * 4 * RESERVED
    expected = samples(stream.key, 6 * 4 * RESERVED + 1000, 4, UNIFORM[F32])
    np.testing.assert_array_equal(stream.sample(UNIFORM[F32], 4), expected)


def test_runs_belong_to_the_caller():
    """Writing to a sample changes neither later samples nor earlier ones."""
    stream, other = PhiloxStream(1, 1), PhiloxStream(1, 1)
    for _ in range(20):
        drawn, clean = stream.sample(UNIFORM[F32], 5), other.sample(UNIFORM[F32], 5)
        np.testing.assert_array_equal(drawn, clean)
        assert drawn.base is None and drawn.flags.writeable
        drawn[:] = -1


@pytest.mark.parametrize("size", [3, SMALL_BLOCKS * 4 + 1])
def test_threads_share_the_runs_out(size):
    stream, drawn, lock = PhiloxStream(9, 9), [], threading.Lock()

    def work():
        for _ in range(25):
            value = stream.sample(UNIFORM[F32], size).tobytes()
            with lock:
                drawn.append(value)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    alone = PhiloxStream(9, 9)
    assert sorted(drawn) == sorted(alone.sample(UNIFORM[F32], size).tobytes() for _ in range(100))


def test_seeds_of_zero_are_never_the_same_twice():
    assert PhiloxStream(0, 0).key != PhiloxStream(0, 0).key
    assert PhiloxStream(0, 1).key == PhiloxStream(0, 1).key


@pytest.mark.parametrize(
    ("table", "mean", "deviation"), [(UNIFORM, 0.5, 12**-0.5), (NORMAL, 0, 1), (TRUNCATED_NORMAL, 0, 0.87963)]
)
@pytest.mark.parametrize("dtype", [F32, F64])
def test_moments(table, mean, deviation, dtype):
    drawn = PhiloxStream(3, 4).sample(table[dtype], 200_000).astype(np.float64)
    assert abs(drawn.mean() - mean) < 0.01 and abs(drawn.std() - deviation) < 0.01
    if table is TRUNCATED_NORMAL:
        assert np.abs(drawn).max() < 2


def test_integers_cover_their_range_alone():
    drawn = PhiloxStream(3, 4).sample(uniform_integers(np.int64, -2, 3), 10_000)
    assert sorted(set(drawn.tolist())) == [-2, -1, 0, 1, 2]
