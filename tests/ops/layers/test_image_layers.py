"""tf.layers on images: the same values as tf.nn with the layer's variables, names as in TensorFlow 1, and errors."""

import numpy as np
import pytest

import millstream as tf


@pytest.mark.parametrize(("padding", "strides", "expected"), [("valid", 1, [2, 4, 5, 3]), ("same", (2, 2), [2, 3, 4, 3])])
def test_convolutions_use_their_variables(padding, strides, expected) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.constant(np.random.default_rng(0).normal(size=(2, 6, 7, 2)).astype(np.float32))
        y = tf.layers.conv2d(x, 3, 3, strides, padding, activation=tf.nn.relu, bias_initializer=tf.ones_initializer())
        assert y.shape.as_list() == expected
        assert y.name == "conv2d/Relu:0"
        kernel, bias = tf.trainable_variables()
        assert (kernel.name, bias.name) == ("conv2d/kernel:0", "conv2d/bias:0")
        step = [1, *((strides,) * 2 if isinstance(strides, int) else strides), 1]
        wanted = tf.nn.relu(tf.nn.conv2d(x, kernel, step, padding.upper()) + 1.0)
        session.run(tf.global_variables_initializer())
        np.testing.assert_allclose(*session.run([y, wanted]), rtol=1e-5, atol=1e-6)


def test_pools() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.reshape(tf.range(16.0), [1, 4, 4, 1])
        largest, mean = tf.layers.max_pooling2d(x, 2, 2), tf.layers.average_pooling2d(x, (2, 2), 2)
        assert largest.name == "max_pooling2d/MaxPool:0"
        found = session.run([largest, mean])
        np.testing.assert_array_equal(found[0].ravel(), [5, 7, 13, 15])
        np.testing.assert_array_equal(found[1].ravel(), [2.5, 4.5, 10.5, 12.5])


def test_errors() -> None:
    with tf.Graph().as_default():
        with pytest.raises(ValueError, match="channel dimension"):
            tf.layers.conv2d(tf.placeholder(tf.float32, [None, 4, 4, None]), 3, 3)
        with pytest.raises(ValueError, match="tuple of 2 integers"):
            tf.layers.conv2d(tf.zeros([1, 4, 4, 1]), 3, (1, 2, 3))
        with pytest.raises(ValueError, match="data_format"):
            tf.layers.max_pooling2d(tf.zeros([1, 4, 4, 1]), 2, 2, data_format="NHWC")
