"""Random ops, row by row: shapes, ranges, moments; the next run gives other numbers, the next session and a GPU the same ones."""

import numpy as np

import millstream as tf
from support.opcheck_programs import Program, program_table, program_tests

N = 4096
LOGITS = np.log(np.array([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]]))


def moments(mean, variance, low=-np.inf, high=np.inf):
    """Returns a check of samples: within five standard errors of their mean and variance, and within bounds."""

    def check(values, arrays):
        (drawn,) = values
        error = 5 / np.sqrt(drawn.size)
        assert abs(drawn.mean(dtype=np.float64) - mean) < error * np.sqrt(variance)
        assert abs(drawn.var(dtype=np.float64) / variance - 1) < 3 * error
        assert low <= drawn.min() and drawn.max() <= high

    return check


def check_classes(values, arrays):
    (drawn,) = values
    assert drawn.shape == (2, N) and drawn.dtype == np.int64
    found = np.stack([np.bincount(row, minlength=3) for row in drawn]) / N
    np.testing.assert_allclose(found, np.exp(arrays[0]), atol=5 / np.sqrt(N))


def check_shuffle(values, arrays):
    (drawn,) = values
    assert sorted(map(tuple, drawn)) == sorted(map(tuple, arrays[0]))
    assert not np.array_equal(drawn, arrays[0])


def check_gamma(values, arrays):
    (drawn,) = values
    assert drawn.shape == (N, 2) and (drawn > 0).all()
    np.testing.assert_allclose(drawn.mean(0), arrays[0], atol=10 / np.sqrt(N))
    np.testing.assert_allclose(drawn.var(0), arrays[0], rtol=0.2)


PROGRAMS = program_table(
    Program("RandomUniform", lambda: tf.random_uniform([N], seed=3), check=moments(0.5, 1 / 12, 0, 1), random=True),
    Program("RandomUniform", lambda: tf.random_uniform([64, 64], -2.0, 2.0, tf.float64, seed=3),
            check=moments(0, 4 / 3, -2, 2), random=True, label="float64"),
    Program("RandomUniform", lambda: tf.random_uniform([N], dtype=tf.float16, seed=3),
            check=moments(0.5, 1 / 12, 0, 1), random=True, label="float16"),
    Program("RandomUniformInt", lambda: tf.random_uniform([N], -5, 6, tf.int32, seed=3), check=moments(0, 10, -5, 5),
            random=True),
    Program("RandomUniformInt", lambda: tf.random_uniform([N], -5, 6, tf.int64, seed=3), check=moments(0, 10, -5, 5),
            random=True, label="int64"),
    Program("RandomUniformInt", lambda: tf.random_uniform([N], 6, 6, tf.int32, seed=3), label="empty",
            raises=(tf.errors.InvalidArgumentError, "Need minval < maxval, got 6 >= 6")),
    Program("RandomStandardNormal", lambda: tf.random_normal([N], 1.0, 2.0, seed=3), check=moments(1, 4), random=True),
    Program("RandomStandardNormal", lambda: tf.random_normal([N], dtype=tf.float64, seed=3), check=moments(0, 1), random=True,
            label="float64"),
    Program("TruncatedNormal", lambda: tf.truncated_normal([N], seed=3), check=moments(0, 0.7737, -2, 2), random=True),
    Program("RandomShuffle", lambda x: tf.random_shuffle(x, seed=3), [np.arange(60).reshape(20, 3)], check=check_shuffle,
            random=True),
    Program("Multinomial", lambda x: tf.multinomial(x, N, seed=3), [LOGITS], check=check_classes, random=True),
    Program("RandomGamma", lambda alpha: tf.random_gamma([N], alpha, dtype=alpha.dtype, seed=3), [np.array([0.5, 4.0])],
            check=check_gamma, random=True),
)  # fmt: skip

(test_program,) = program_tests(PROGRAMS)
