"""Counts of events: TensorFlow's numbers, and the moments of Poisson's distribution for small and large rates."""

import numpy as np
import pytest

import millstream as tf
from millstream.ops.core.registry import lookup
from support.opcheck_programs import Program, program_table, program_tests

N = 4096
RATES = np.array([0.0, 0.5, 9.5, 10.0, 300.0])


def check(values, arrays):
    (drawn,) = values
    assert drawn.shape == (N, len(RATES))
    np.testing.assert_array_equal(drawn, np.floor(drawn))
    error = 5 / np.sqrt(N)
    np.testing.assert_allclose(drawn.mean(0), RATES, atol=error * np.sqrt(RATES.max()), rtol=error)
    np.testing.assert_allclose(drawn.var(0), RATES, rtol=4 * error)


PROGRAMS = program_table(
    Program("RandomPoissonV2", lambda: tf.random_poisson(RATES, [N], seed=3), check=check, random=True),
    Program("RandomPoissonV2", lambda: tf.random_poisson(RATES.astype(np.float32), [N], tf.int64, seed=3), check=check,
            random=True, label="int64"),
    Program("RandomPoissonV2", lambda: tf.random_poisson(-1.0, [N], seed=3), label="negative",
            raises=(tf.errors.InvalidArgumentError, "rates must be finite and not negative")),
    Program("RandomPoisson", lambda: lookup("RandomPoisson")([N], RATES, seed=3), check=check, random=True),
)  # fmt: skip

(test_program,) = program_tests(PROGRAMS)


@pytest.mark.parametrize(
    ("rates", "dtype", "wanted"),
    [
        (np.array([3, 30.0, 200]), tf.int32, [[2, 35, 208], [5, 31, 198], [4, 27, 201], [3, 37, 192]]),
        (np.array([3, 30], np.float32), tf.float32, [[2, 35], [5, 31], [4, 27], [3, 37]]),
    ],
)
def test_tensorflow_s_numbers(rates, dtype, wanted):
    with tf.Graph().as_default(), tf.Session() as sess:
        found = sess.run(tf.random.poisson(rates, [4], dtype, seed=5))
    np.testing.assert_array_equal(found, wanted)
