"""tf.distributions against formulas in NumPy, and samples against what they should be like."""

import numpy as np
import pytest

import millstream as tf

D = tf.distributions
X = np.array([-1.0, 0.2, 3.0], "f4")
P = np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]], "f4")


def normal_log(x, m, s):
    return -0.5 * ((x - m) / s) ** 2 - np.log(s * np.sqrt(2 * np.pi))


VALUES = {
    "Normal.log_prob": (lambda: D.Normal(1.0, 2.0).log_prob(X), normal_log(X, 1, 2)),
    "Normal.prob": (lambda: D.Normal([0.0, 1.0, 2.0], 2.0).prob(X), np.exp(normal_log(X, np.arange(3), 2))),
    "Normal.entropy": (lambda: D.Normal([0.0, 1.0], 2.0).entropy(), [0.5 * np.log(2 * np.pi * np.e * 4)] * 2),
    "Normal.cdf": (lambda: D.Normal(0.0, 1.0).cdf([0.0, 1.96]), [0.5, 0.9750021]),
    "Normal.moments": (lambda: tf.stack([D.Normal(1.0, 2.0).mean(), D.Normal(1.0, 2.0).variance()]), [1, 4]),
    "Normal.kl": (
        lambda: D.kl_divergence(D.Normal(1.0, 2.0), D.Normal(0.0, 3.0)), np.log(1.5) + (4 + 1) / 18 - 0.5),
    "Normal.cross_entropy": (
        lambda: D.Normal(1.0, 2.0).cross_entropy(D.Normal(0.0, 3.0)), np.log(3 * np.sqrt(2 * np.pi)) + 5 / 18),
    "Laplace.log_prob": (lambda: D.Laplace(1.0, 2.0).log_prob(X), -np.abs(X - 1) / 2 - np.log(4)),
    "Laplace.stddev": (lambda: D.Laplace(1.0, 2.0).stddev(), 2 * np.sqrt(2)),
    "Uniform.prob": (lambda: D.Uniform(0.0, 2.0).prob([-1.0, 1.0, 2.0]), [0, 0.5, 0]),
    "Uniform.entropy": (lambda: D.Uniform(0.0, 2.0).entropy(), np.log(2)),
    "Uniform.stddev": (lambda: D.Uniform(0.0, 2.0).stddev(), 2 / np.sqrt(12)),
    "Bernoulli.log_prob": (lambda: D.Bernoulli(probs=[0.2, 0.7]).log_prob([1, 0]), np.log([0.2, 0.3])),
    "Bernoulli.entropy": (lambda: D.Bernoulli(probs=0.2).entropy(), -0.2 * np.log(0.2) - 0.8 * np.log(0.8)),
    "Bernoulli.kl": (
        lambda: D.Bernoulli(probs=0.2).kl_divergence(D.Bernoulli(probs=0.4)), 0.2 * np.log(0.5) + 0.8 * np.log(0.8 / 0.6)),
    "Bernoulli.mode": (lambda: D.Bernoulli(logits=[-1.0, 1.0]).mode(), [0, 1]),
    "Categorical.log_prob": (lambda: D.Categorical(probs=P).log_prob([2, 0]), np.log([0.5, 0.6])),
    "Categorical.prob, one batch": (lambda: D.Categorical(probs=P[0]).prob([2, 0, 2]), [0.5, 0.2, 0.5]),
    "Categorical.entropy": (lambda: D.Categorical(logits=np.log(P)).entropy(), -(P * np.log(P)).sum(1)),
    "Categorical.mode": (lambda: D.Categorical(probs=P).mode(), [2, 0]),
    "Categorical.kl": (
        lambda: D.kl_divergence(D.Categorical(probs=P[0]), D.Categorical(probs=P[1])), (P[0] * np.log(P[0] / P[1])).sum()),
}  # fmt: skip


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


@pytest.mark.parametrize("case", VALUES)
def test_values(case):
    build, expected = VALUES[case]
    with tf.Session() as session:
        np.testing.assert_allclose(session.run(build()), expected, rtol=2e-5, atol=1e-6)


SAMPLES = {
    "Normal": (lambda: D.Normal([0.0, 3.0], [1.0, 2.0]), [0, 3], [1, 2]),
    "Laplace": (lambda: D.Laplace([0.0, 3.0], 1.0), [0, 3], [np.sqrt(2)] * 2),
    "Uniform": (lambda: D.Uniform([0.0, 2.0], [1.0, 4.0]), [0.5, 3], [1 / np.sqrt(12), 2 / np.sqrt(12)]),
    "Bernoulli": (lambda: D.Bernoulli(probs=[0.2, 0.7]), [0.2, 0.7], [0.4, np.sqrt(0.21)]),
    "Categorical": (lambda: D.Categorical(probs=P), [1.3, 0.5], [np.sqrt(0.61), np.sqrt(0.45)]),
}


@pytest.mark.parametrize("kind", SAMPLES)
def test_samples(kind):
    make, mean, deviation = SAMPLES[kind]
    distribution = make()
    drawn = distribution.sample(20000, seed=1)
    assert drawn.shape.as_list() == [20000, 2] and distribution.batch_shape.as_list() == [2]
    with tf.Session() as session:
        values = session.run(drawn)
        assert session.run(distribution.sample([2, 3])).shape == (2, 3, 2) and session.run(
            distribution.sample()
        ).shape == (2,)
    np.testing.assert_allclose(values.mean(0), mean, atol=0.06)
    np.testing.assert_allclose(values.std(0), deviation, atol=0.06)


def test_samples_have_gradients():
    scale = tf.constant(2.0)
    (gradient,) = tf.gradients(D.Normal(0.0, scale).sample([5], seed=1) / scale, [scale])
    with tf.Session() as session:
        assert abs(session.run(gradient)) < 1e-5


def test_refusals():
    with pytest.raises(ValueError, match=r"Must pass probs or logits, but not both"):
        D.Bernoulli()
    with pytest.raises(NotImplementedError, match=r"No KL.* registered for distribution_a type Normal and"):
        D.kl_divergence(D.Normal(0.0, 1.0), D.Uniform())
