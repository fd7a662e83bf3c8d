"""Sampled losses and the samples below them: TensorFlow's numbers for its seeds, and gradients that stay sparse."""

import pathlib
import warnings

import numpy as np
import pytest

import millstream as tf
from millstream.ops.layers import sampled
from support.sampled_cases import results

GOLDEN = dict(np.load(pathlib.Path(__file__).parents[2] / "golden" / "sampled.npz"))


@pytest.fixture(scope="module")
def found() -> dict:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Converting sparse IndexedSlices")
        return results(tf)


@pytest.mark.parametrize("case", sorted(GOLDEN))
def test_numbers_are_tensorflows(case: str, found: dict) -> None:
    ours, theirs = found[case], GOLDEN[case]
    assert ours.dtype == theirs.dtype
    if theirs.dtype.kind == "f":
        np.testing.assert_allclose(ours, theirs, rtol=3e-6, atol=3e-6)
    else:
        np.testing.assert_array_equal(ours, theirs)


def build(loss, **options):
    weights, biases = tf.get_variable("w", [1000, 8]), tf.get_variable("b", [1000])
    inputs = tf.get_variable("x", [4, 8])
    return loss(weights, biases, [[1], [2], [3], [4]], inputs, 16, 1000, **options), weights, biases


@pytest.mark.parametrize("loss", ["nce_loss", "sampled_softmax_loss", "sampled_sparse_softmax_loss"])
def test_gradients_stay_sparse(loss: str) -> None:
    """Of 1,000 rows only those of the 4 true and 16 drawn classes are read, and get gradients; nothing makes them dense."""
    with tf.Graph().as_default() as graph, tf.Session() as session:
        value, weights, biases = build(getattr(sampled, loss))
        for gradient in tf.gradients(value, [weights, biases]):
            assert isinstance(gradient, tf.IndexedSlices)
            session.run(tf.global_variables_initializer())
            assert session.run(gradient.values).shape[0] == 20
        assert not [op for op in graph.get_operations() if op.type in ("UnsortedSegmentSum", "ScatterNd")]


def test_a_step_changes_only_the_rows_it_read() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        value, weights, _ = build(tf.nn.nce_loss)
        ops = tf.get_default_graph().get_operations()
        sample = next(op for op in ops if op.type == "LogUniformCandidateSampler").outputs[0]
        step = tf.train.GradientDescentOptimizer(1.0).minimize(tf.reduce_mean(value))
        session.run(tf.global_variables_initializer())
        before = session.run(weights)
        drawn, _ = session.run([sample, step])
        changed = np.flatnonzero((session.run(weights) != before).any(axis=1))
    assert set(changed) == set(drawn.tolist()) | {1, 2, 3, 4}


def test_sampled_sparse_softmax_is_the_other_one_with_one_label() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        sample = tf.nn.uniform_candidate_sampler([[1], [2], [3], [4]], 1, 16, True, 1000, seed=1)
        tf.set_random_seed(1)
        one, _, _ = build(tf.nn.sampled_softmax_loss, sampled_values=sample)
        with tf.variable_scope("", reuse=True):
            other, _, _ = build(sampled.sampled_sparse_softmax_loss, sampled_values=sample)
        session.run(tf.global_variables_initializer())
        np.testing.assert_allclose(*session.run([one, other]), rtol=1e-6)
