"""Dropout and clipping by norms, in sessions."""

import numpy as np
import pytest

import millstream as tf
from millstream.ops.layers.clip import clip_by_average_norm, clip_by_global_norm, clip_by_norm, global_norm
from millstream.ops.layers.dropout import dropout

X = np.array([[3.0, 4.0], [0.3, 0.4]], np.float32)


def run(build):
    with tf.Graph().as_default(), tf.Session() as session:
        return session.run(build())


def test_dropout_keeps_the_expectation() -> None:
    found = run(lambda: dropout(tf.ones([100, 100]), keep_prob=0.75, seed=3))
    assert set(np.unique(found)) == {0.0, np.float32(1 / 0.75)}
    assert abs(found.mean() - 1) < 0.05


def test_dropout_of_rows_broadcasts() -> None:
    found = run(lambda: dropout(tf.ones([50, 4]), rate=0.5, noise_shape=[50, 1], seed=1))
    assert (found == found[:, :1]).all()


def test_dropout_by_a_fed_rate() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        keep = tf.placeholder(tf.float32)
        dropped = dropout(tf.ones([10, 10]), keep)
        assert (session.run(dropped, {keep: 1.0}) == 1).all()


@pytest.mark.parametrize("arguments", [{}, {"keep_prob": 0.5, "rate": 0.5}, {"keep_prob": 0.0}, {"rate": 1.0}])
def test_probabilities_are_checked(arguments) -> None:
    with tf.Graph().as_default(), pytest.raises(ValueError):
        dropout(tf.ones([2]), **arguments)


def test_clip_by_norm() -> None:
    np.testing.assert_allclose(run(lambda: clip_by_norm(X, 1.0, [1])), [[0.6, 0.8], [0.3, 0.4]], rtol=1e-6)


def test_clip_by_average_norm() -> None:
    average = np.linalg.norm(X) / X.size
    np.testing.assert_allclose(run(lambda: clip_by_average_norm(X, 0.5)), X * 0.5 / average, rtol=1e-6)


def test_clip_by_global_norm() -> None:
    clipped, norm = run(lambda: clip_by_global_norm([tf.constant(X[0]), tf.constant(X[1])], 1.0))
    np.testing.assert_allclose(norm, np.linalg.norm(X), rtol=1e-6)
    np.testing.assert_allclose(clipped, X / np.linalg.norm(X), rtol=1e-6)


def test_an_infinite_norm_shows() -> None:
    clipped, _ = run(lambda: clip_by_global_norm([tf.constant([np.inf, 1.0])], 1.0))
    assert np.isnan(clipped[0]).all()


def test_the_norm_of_nothing_is_zero() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        clipped, norm = clip_by_global_norm([None], 1.0)
        assert clipped == [None]
        assert session.run([norm, global_norm([])]) == [0.0, 0.0]


def test_values_of_slices_are_limited_where_they_are() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        slices = tf.IndexedSlices(tf.constant([[6.0, 8.0]]), tf.constant([1]), tf.constant([4, 2]))
        found = tf.clip_by_value(slices, -1.0, 7.0)
        assert session.run(found.values).tolist() == [[6.0, 7.0]]
        assert found.indices is slices.indices and found.dense_shape is slices.dense_shape
        for bounds in ([[1.0], [2.0]], 3.0), (0.0, [[1.0], [2.0]]):
            with pytest.raises(ValueError, match=r"\(2,\) and \(2, 2\) are incompatible"):
                tf.clip_by_value([1.0, 2.0], *bounds)
