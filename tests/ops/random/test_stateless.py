"""Random ops without state: TensorFlow's numbers for a seed, the same on every device."""

# A table reads best with a row on each line.
# ruff: noqa: E501

import numpy as np
import pytest

import millstream as tf
from support.opcheck import Row, row_tests, table

SEED = np.array([7, -3])
LOGITS = np.log(np.array([[0.5, 0.2, 0.3]]))


def drawn(name, *arguments, **more):
    return lambda seed: getattr(tf.random, f"stateless_{name}")(*arguments[:1], seed, *arguments[1:], **more)


ROWS = table(
    Row("StatelessRandomUniform", drawn("uniform", [40, 3]), [SEED]),
    Row("StatelessRandomUniform", drawn("uniform", [41], -1.0, 2.0, tf.float64), [SEED.astype(np.int32)], label="float64"),
    Row("StatelessRandomUniform", drawn("uniform", [8], dtype=tf.float16), [SEED], label="float16"),
    Row("StatelessRandomNormal", drawn("normal", [40, 3], 1.0, 2.0), [SEED]),
    Row("StatelessRandomNormal", drawn("normal", [5], dtype=tf.float64), [SEED], label="float64"),
    Row("StatelessTruncatedNormal", drawn("truncated_normal", [300]), [SEED]),
    Row("StatelessTruncatedNormal", drawn("truncated_normal", [300], dtype=tf.float64), [SEED], label="float64"),
    Row("StatelessRandomUniformInt", drawn("uniform", [5, 7], -5, 100, tf.int32), [SEED]),
    Row("StatelessRandomUniformInt", drawn("uniform", [5, 7], -5, 2**40, tf.int64), [SEED], label="int64"),
    Row("StatelessMultinomial", lambda seed: tf.random.stateless_categorical(LOGITS, 50, seed), [SEED]),
    Row("StatelessMultinomial", lambda seed: tf.random.stateless_multinomial(LOGITS, 50, seed, tf.int32), [SEED], label="int32"),
)  # fmt: skip
test_forward, test_in_sessions, test_gradient = row_tests(ROWS)


def run(build):
    with tf.Graph().as_default(), tf.Session() as sess:
        return sess.run(build())


@pytest.mark.parametrize(
    ("build", "wanted"),
    [
        (lambda: tf.random.stateless_uniform([3], [7, -3]), [0.4346422, 0.06527591, 0.74761295]),
        (lambda: tf.random.stateless_normal([3], [7, 9]), [-0.7631857, -0.44022563, 0.15210249]),
        (
            lambda: tf.random.stateless_truncated_normal([3], [7, 9], dtype=tf.float64),
            [0.529473808, -1.193059504, 0.655879614],
        ),
        (lambda: tf.random.stateless_uniform([4], [2**40 + 1, 9], -5, 100, tf.int32), [1, 76, 52, 89]),
        (lambda: tf.random.stateless_categorical(LOGITS, 8, [1, 2]), [[2, 2, 0, 2, 1, 1, 2, 0]]),
    ],
)
def test_tensorflow_s_numbers(build, wanted):
    found = run(build)
    np.testing.assert_allclose(found, np.array(wanted, found.dtype), rtol=1e-6)


def test_seeds_tell_streams_apart():
    first, again, other = (run(lambda s=s: tf.random.stateless_uniform([1000], [s, 0])) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.15


@pytest.mark.parametrize(
    ("build", "error", "words"),
    [
        (lambda: tf.random.stateless_uniform([2], [1, 2], dtype=tf.int32), ValueError, "Must specify maxval for integer dtype"),
        (lambda: tf.random.stateless_uniform([2], [1, 2], dtype=tf.bool), ValueError, "Invalid dtype"),
        (lambda: tf.random.stateless_uniform([2], [1, 2, 3]), ValueError, "incompatible|Dimension"),
        (lambda: tf.random.stateless_uniform([2], [1, 2], 5, 5, tf.int32), tf.errors.InvalidArgumentError, "Need minval < maxval, got 5 >= 5"),
    ],
)  # fmt: skip
def test_errors(build, error, words):
    with pytest.raises(error, match=words):
        run(build)
