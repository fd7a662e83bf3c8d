"""Where values belong in what is sorted, places in a shape, and small functions composed of others."""

# A table reads best with a row on each line.
# ruff: noqa: E501

import numpy as np
import pytest
import scipy.special

import millstream as tf
from millstream.ops.math import bucketize
from support.opcheck import Row, row_tests, table

RNG = np.random.default_rng(4)
SORTED = np.sort(RNG.normal(size=(3, 7)))
SORTED[1, 2:4] = SORTED[1, 2]
VALUES = np.concatenate([RNG.normal(size=(3, 4)), SORTED[:, 2:3]], 1)
X = RNG.normal(size=(3, 4))
INTEGERS = np.array([[1, 3, 3, 9]], np.int32)


def rows_searched(side):
    return lambda a, v: np.stack([np.searchsorted(p, q, side) for p, q in zip(a, v, strict=True)])


ROWS = table(
    Row("LowerBound", tf.searchsorted, [SORTED, VALUES], rows_searched("left")),
    Row("UpperBound", lambda a, v: tf.searchsorted(a, v, "right"), [SORTED, VALUES], rows_searched("right")),
    Row("LowerBound", lambda a, v: tf.searchsorted(a, v, out_type=tf.int64), [INTEGERS, INTEGERS], rows_searched("left"), label="int64"),
    Row("Bucketize", lambda x: bucketize(x, boundaries=[-1.0, 0.0, 0.5]), [X], lambda x: np.digitize(x, [-1, 0, 0.5])),
    Row("Bucketize", lambda x: bucketize(x, boundaries=[3.0, 4.0]), [INTEGERS], lambda x: np.digitize(x, [3, 4]), label="int32"),
    Row("UnravelIndex", lambda i: tf.unravel_index(i, [3, 5]), [INTEGERS[0]], lambda i: np.stack(np.unravel_index(i, (3, 5)))),
    Row("UnravelIndex", lambda i: tf.unravel_index(i, [2, 3, 5]), [np.int64(17)], lambda i: np.stack(np.unravel_index(i, (2, 3, 5))), label="one"),
    Row("Softplus", tf.log_sigmoid, [X], lambda x: -np.logaddexp(0, -x), gradient=True, label="log_sigmoid"),
    Row("MulNoNan", lambda x: tf.math.multiply_no_nan(1 / x, [0.0, 1, 2, 0]), [X], lambda x: [0.0, 1, 2, 0] / x, label="public", dtypes=("float32",)),
    Row("DivNoNan", lambda x: tf.math.reciprocal_no_nan(tf.nn.relu(x)), [X], lambda x: np.where(x > 0, 1 / x, 0), label="reciprocal"),
    Row("AddV2", lambda x: tf.math.polyval([x, 2 * x, x], x), [X], lambda x: x**3 + 2 * x**2 + x, gradient=True, label="polyval"),
    Row("Ndtri", tf.math.erfcinv, [np.array([0.05, 0.3, 1.0, 1.8])], scipy.special.erfcinv, gradient=True, label="erfcinv", error=10),
)  # fmt: skip
test_forward, test_in_sessions, test_gradient = row_tests(ROWS)


def run(build):
    with tf.Graph().as_default(), tf.Session() as sess:
        return sess.run(build())


@pytest.mark.parametrize(
    ("values", "never_falls", "rises"),
    [
        ([], True, True),
        ([3], True, True),
        ([1, 1, 2], True, False),
        ([1, 2], True, True),
        ([[1, 2], [1, 3]], False, False),
    ],
)
def test_order_of_sequences(values, never_falls, rises):
    x = np.array(values, np.int32)
    assert run(lambda: tf.math.is_non_decreasing(x)) == never_falls
    assert run(lambda: tf.math.is_strictly_increasing(x)) == rises


@pytest.mark.parametrize(("values", "ends"), [([[-1.5, 0.0], [1.5, 5.0]], [0.0, 5.0]), ([[-1, 0], [1, 9]], [0, 5])])
def test_bins_of_a_histogram(values, ends):
    found = run(lambda: tf.histogram_fixed_width_bins(tf.constant(values), ends, nbins=5))
    np.testing.assert_array_equal(found, [[0, 0], [1, 4]])
    assert found.dtype == np.int32


@pytest.mark.parametrize(
    ("build", "error", "words"),
    [
        (lambda: tf.searchsorted([1], [1], "middle"), ValueError, "side must be either 'right' or 'left'. Saw: middle."),
        (lambda: tf.histogram_fixed_width_bins([1.0], [0.0, 1.0], 0), ValueError, "nbins should be a positive number, but got '0'."),
        (lambda: tf.math.polyval((1.0,), 2.0), ValueError, "Argument coeffs must be list type"),
        (lambda: tf.unravel_index([9], [3, 3]), tf.errors.InvalidArgumentError, "index is out of bound as with dims"),
        (lambda: bucketize([1.0], boundaries=[2.0, 1.0]), tf.errors.InvalidArgumentError, "Expected sorted boundaries"),
    ],
)  # fmt: skip
def test_errors(build, error, words):
    with pytest.raises(error, match=words):
        run(build)
