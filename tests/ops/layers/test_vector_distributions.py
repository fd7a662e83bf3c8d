"""Normal distributions of vectors against formulas in NumPy, and samples against what they should be like."""

import numpy as np
import pytest

import millstream as tf

D = tf.contrib.distributions
LOC, SCALE = np.array([[1.0, -1.0, 0.5], [0.0, 2.0, 1.0]]), np.array([0.5, 2.0, 1.5])
X = np.array([0.3, 0.1, -2.0])


def log_of(x, loc, scale):
    return np.sum(-0.5 * ((x - loc) / scale) ** 2 - np.log(scale * np.sqrt(2 * np.pi)), -1)


def kl_of(loc, scale, other_loc, other_scale):
    ratio = (scale / other_scale) ** 2
    return 0.5 * np.sum(ratio + ((loc - other_loc) / other_scale) ** 2 - 1 - np.log(ratio), -1)


def test_values():
    made = D.MultivariateNormalDiag(LOC, SCALE)
    other = D.MultivariateNormalDiag(scale_diag=SCALE * 2, scale_identity_multiplier=0.5)
    plain = D.MultivariateNormalDiagWithSoftplusScale(np.float32(LOC), np.float32(np.log(np.expm1(SCALE))))
    assert made.batch_shape.as_list() == [2] and made.event_shape.as_list() == [3] and made.dtype is tf.float64
    pairs = [
        (made.log_prob(X), log_of(X, LOC, SCALE)),
        (made.prob(X), np.exp(log_of(X, LOC, SCALE))),
        (made.entropy(), np.full(2, np.sum(0.5 * np.log(2 * np.pi * np.e * SCALE**2)))),
        (made.mean(), LOC),
        (made.mode(), LOC),
        (made.stddev(), np.tile(SCALE, (2, 1))),
        (made.covariance(), np.tile(np.diag(SCALE**2), (2, 1, 1))),
        (other.stddev(), SCALE * 2 + 0.5),
        (D.kl_divergence(made, other), kl_of(LOC, SCALE, 0, SCALE * 2 + 0.5)),
        (plain.log_prob(np.float32(X)), log_of(X, LOC, SCALE)),
        (made.batch_shape_tensor(), [2]),
        (D.MultivariateNormalDiag(LOC[0]).log_prob(X), log_of(X, LOC[0], 1)),
    ]
    with tf.Session() as session:
        for found, (_, expected) in zip(session.run([tensor for tensor, _ in pairs]), pairs, strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-5)
        drawn = session.run(made.sample(20000, seed=3))
    assert drawn.shape == (20000, 2, 3)
    np.testing.assert_allclose(drawn.mean(0), LOC, atol=0.06)
    np.testing.assert_allclose(drawn.std(0), np.tile(SCALE, (2, 1)), atol=0.06)


def test_samples_have_gradients_and_wrong_arguments_are_told():
    loc, scale = tf.constant([1.0, 2.0]), tf.constant([0.5, 0.0])
    made = D.MultivariateNormalDiag(loc, scale)
    gradient = tf.gradients(made.sample(4, seed=1), [loc, scale])
    with tf.Session() as session:
        assert session.run(gradient[0]).tolist() == [4, 4]
    with pytest.raises(tf.errors.InvalidArgumentError, match="x > 0"):
        D.MultivariateNormalDiag(loc, scale, validate_args=True)
    with pytest.raises(ValueError, match="at least one of `loc` and `scale_diag`"):
        D.MultivariateNormalDiag(scale_identity_multiplier=1.0)


@pytest.mark.parametrize("last", [1, 3])
@pytest.mark.parametrize("kind", ["Normal", "MultivariateNormalDiag"])
def test_what_is_known_of_shapes_stays_known(kind, last):
    loc, scale = (tf.placeholder(tf.float32, [None, None, last]) for _ in range(2))
    made = getattr(D, kind)(loc, scale)
    for tensor in (made.mean(), made.stddev(), made.mode(), made.sample()):
        assert tensor.shape.as_list() == [None, None, last]
    assert made.entropy().shape.as_list() == [None, None, last][: 2 + (kind == "Normal")]
