"""Gradients of gathers whose axis or ranks only a run knows are those of gathers that are known while building."""

import numpy as np
import pytest

import millstream as tf

CASES = [
    ((3, 4), (2, 2), 0, 0), ((3, 4, 5), (2,), 1, 0), ((3, 4, 5), (), -1, 0), ((0, 4), (2,), 1, 0),
    ((3, 4, 5), (3, 2), 2, 1), ((3, 4, 5, 2), (3, 4, 3), 2, 2), ((3, 4, 5), (3, 2), -1, -1),
]  # fmt: skip


@pytest.mark.parametrize("known", [True, False], ids=["ranks known", "nothing known"])
@pytest.mark.parametrize(("dims", "places", "axis", "batch"), CASES)
def test_gradients(dims, places, axis, batch, known):
    rng = np.random.default_rng(3)
    params, indices = rng.normal(size=dims), rng.integers(0, dims[axis], places)
    with tf.Graph().as_default(), tf.Session() as session:
        x, i = tf.placeholder(tf.float64, dims if known else None), tf.placeholder(tf.int64, places if known else None)
        where, constant = tf.placeholder(tf.int32, []), tf.constant(params)
        y = tf.gather(constant, tf.constant(indices), axis=axis, batch_dims=batch)
        weights = rng.normal(size=y.shape)
        (wanted,) = tf.gradients(y, constant, weights)
        (found,) = tf.gradients(tf.gather(x, i, axis=where, batch_dims=batch), x, weights)
        ours, theirs = session.run(
            [found, tf.convert_to_tensor(wanted)], {x: params, i: indices, where: axis}
        )
    np.testing.assert_allclose(ours, theirs)
