"""Special functions of several arguments: values by SciPy, derivatives by differences, and odd arguments."""

import numpy as np
import pytest
from scipy import special

import millstream as tf
from millstream.ops.core.registry import lookup
from support.opcheck import Row, row_tests, table

RNG = np.random.default_rng(8)
A = RNG.uniform(0.3, 4, (2, 3))
B = RNG.uniform(0.5, 3, (2, 3))
X = RNG.uniform(0.1, 6, (2, 3))
UNIT = RNG.uniform(0.1, 0.9, (2, 3))
ORDERS = np.array([0.0, 1.0, 2.0, 3.0])


def derivative_by_a(a, x):
    step = 1e-6
    return (special.gammainc(a + step, x) - special.gammainc(a - step, x)) / (2 * step)


def density(a, x):
    return np.exp((a - 1) * np.log(x) - x - special.gammaln(a))


ROWS = table(
    Row("Igamma", tf.igamma, [A, X], special.gammainc, gradient=True, second=False),
    Row("Igamma", tf.igamma, [A, X[0]], special.gammainc, gradient=True, second=False, label="broadcast"),
    Row("Igammac", tf.igammac, [A, X], special.gammaincc, gradient=True, second=False),
    Row("IgammaGradA", lookup("IgammaGradA"), [A, X], derivative_by_a, dtypes=("float32",), devices="CPU"),
    Row("RandomGammaGrad", lookup("RandomGammaGrad"), [A, X], lambda a, x: -derivative_by_a(a, x) / density(a, x), dtypes=("float32",), devices="CPU"),  # noqa: E501
    Row("Zeta", tf.zeta, [A + 1.5, X], special.zeta),
    Row("Zeta", lambda q: tf.zeta(np.float64(3.0) if q.dtype == tf.float64 else 3.0, q), [X], lambda q: special.zeta(3.0, q), gradient=True, label="by q"),  # noqa: E501
    Row("Polygamma", lambda x: tf.polygamma(tf.cast(ORDERS, x.dtype), x), [X[0, 0] + ORDERS],
        lambda x: special.polygamma(ORDERS.astype(int), x), gradient=True, error=10),
    Row("Betainc", lambda x: tf.betainc(tf.cast(A, x.dtype), tf.cast(B, x.dtype), x), [UNIT],
        lambda x: special.betainc(A, B, x), gradient=True),
)  # fmt: skip

test_forward, test_in_sessions, test_gradient = row_tests(ROWS)


@pytest.mark.parametrize(
    "function, arguments, expected",
    [
        (tf.digamma, [-1.0], np.nan),
        (tf.lgamma, [-2.0], np.inf),
        (tf.erfinv, [1.0], np.inf),
        (tf.erfinv, [1.5], np.nan),
        (tf.polygamma, [0.5, 1.0], np.nan),
        (tf.polygamma, [-1.0, 1.0], np.nan),
        (tf.igamma, [1.0, 0.0], 0.0),
        (tf.igamma, [-1.0, 1.0], np.nan),
        (tf.igammac, [1.0, np.inf], 0.0),
        (tf.math.bessel_i0, [200.0], np.inf),
    ],
)
def test_odd_arguments(function, arguments, expected):
    with tf.Graph().as_default(), tf.Session() as session:
        assert session.run(function(*arguments)) == pytest.approx(expected, nan_ok=True)


def test_lbeta_is_the_beta_function():
    with tf.Graph().as_default(), tf.Session() as session:
        found = session.run(tf.lbeta([[2.0, 3.0], [1.0, 1.0]]))
    np.testing.assert_allclose(found, np.log([1 / 12, 1.0]), atol=1e-6)
    assert tf.lbeta([1.0, 2.0]).op.name == "lbeta"


def test_samples_of_gamma_move_with_alpha():
    """Integrating the derivative of a sample from one alpha to the next gives the difference of equal quantiles."""
    with tf.Graph().as_default(), tf.Session() as session:
        alpha = tf.placeholder(tf.float64, [])
        quantile = np.array([0.1, 0.5, 0.9])
        sample = tf.placeholder(tf.float64, [3])
        slope = lookup("RandomGammaGrad")(alpha, sample)
        steps = np.linspace(2.0, 2.1, 21)
        slopes = [session.run(slope, {alpha: a, sample: special.gammaincinv(a, quantile)}) for a in steps]
    moved = special.gammaincinv(2.1, quantile) - special.gammaincinv(2.0, quantile)
    np.testing.assert_allclose(np.trapezoid(slopes, steps, axis=0), moved, rtol=1e-5)


def test_random_gamma_has_a_gradient():
    with tf.Graph().as_default(), tf.Session() as session:
        alpha = tf.constant([0.7, 3.0], tf.float64)
        drawn = tf.random_gamma([2000], alpha, dtype=tf.float64, seed=4)
        (slope,) = tf.gradients(tf.reduce_mean(drawn, 0), alpha)
        np.testing.assert_allclose(session.run(slope), [1.0, 1.0], atol=0.1)
