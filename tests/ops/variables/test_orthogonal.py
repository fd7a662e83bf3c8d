"""The orthogonal initialiser: TensorFlow's numbers, and what it promises."""

import numpy as np
import pytest

import millstream as tf

# With graph seed 3 and op seed 5, the first numbers of each shape.
GOLDEN = {
    (4, 3): [-0.77041, 1.77622, 0.47444, -1.78668, -0.59193, -0.55067],
    (2, 5): [-0.92578, -1.6057, -0.52312, -0.43319, 0.3215, 1.53801],
    (3, 3, 2, 4): [-0.41646, 0.30922, -0.90114, -0.68277, -0.23532, 0.05873],
}


@pytest.mark.parametrize("shape", GOLDEN)
def test_numbers(shape):
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(3)
        found = session.run(tf.orthogonal_initializer(gain=2.0, seed=5)(shape))
    np.testing.assert_allclose(found.ravel()[:6], GOLDEN[shape], atol=5e-5)
    flat = found.reshape(-1, shape[-1])
    square = flat.T @ flat if flat.shape[0] >= flat.shape[1] else flat @ flat.T
    np.testing.assert_allclose(square, 4 * np.eye(len(square)), atol=1e-5)


def test_what_it_refuses_and_tells():
    assert tf.initializers.orthogonal(seed=3).get_config() == {"gain": 1.0, "seed": 3, "dtype": "float32"}
    with pytest.raises(ValueError, match="must be at least two-dimensional"):
        tf.orthogonal_initializer()([3])
