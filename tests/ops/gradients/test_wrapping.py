"""Functions whose forward values are computed again for the gradient, and functions that gradients pass through."""

import numpy as np

import millstream as tf


def test_recomputed_gradients_are_the_same():
    with tf.Graph().as_default(), tf.Session() as sess:
        x = tf.constant([1.0, 2.0])

        def plain(x):
            w = tf.get_variable("w", [2], initializer=tf.constant_initializer(3.0), use_resource=True)
            return tf.sin(x * w)

        with tf.variable_scope("model"):
            y = tf.recompute_grad(plain)(x)
        (w,) = tf.trainable_variables()
        found = tf.gradients(y, [x, w])
        sines = [op for op in tf.get_default_graph().get_operations() if op.type == "Sin"]
        sess.run(tf.global_variables_initializer())
        by_x, by_w = sess.run(found)
    assert len(sines) == 2
    np.testing.assert_allclose(by_x, 3 * np.cos([3.0, 6.0]), rtol=1e-5)
    np.testing.assert_allclose(by_w, np.array([1, 2]) * np.cos([3.0, 6.0]), rtol=1e-5)


def test_gradients_pass_through():
    with tf.Graph().as_default(), tf.Session() as sess:
        x = tf.constant([1.2, 2.7])
        y = tf.grad_pass_through(tf.round)(x) * 2
        values, gradient = sess.run([y, tf.gradients(y, x)[0]])
    np.testing.assert_array_equal(values, [2, 6])
    np.testing.assert_array_equal(gradient, [2, 2])
