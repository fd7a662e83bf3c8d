"""Gradients of matrices that a loop multiplies with: one product after the loop, with the same values, to second order."""

from typing import Any

import numpy as np
import pytest

import millstream as tf
from millstream.devices import simulated_gpus
from support.differentiate import numeric_gradient

W = np.sin(np.arange(12.0)).reshape(4, 3) / 2
B = np.cos(np.arange(3.0))
X = np.cos(np.arange(8.0)).reshape(2, 4)


def last(w: Any, b: Any, x: Any, steps: Any) -> Any:
    """Returns the sum of a recurrent network's last outputs, with a bias."""

    def step(i: Any, h: Any) -> Any:
        return i + 1, tf.tanh(tf.nn.bias_add(tf.matmul(tf.concat([h, x[:, :1]], 1), w), b))

    return tf.reduce_sum(tf.while_loop(lambda i, _: i < steps, step, (tf.constant(0), x[:, :3]))[1] ** 2.0)


def reference(w: Any, b: Any, steps: int) -> float:
    h = X[:, :3]
    for _ in range(steps):
        h = np.tanh(np.concatenate([h, X[:, :1]], 1) @ w + b)
    return float((h**2).sum())


@pytest.mark.filterwarnings("ignore:.*holds variant values")
@pytest.mark.parametrize("gpus", [0, 1])
@pytest.mark.parametrize("steps", [0, 1, 4])
def test_first_and_second_derivatives(steps: int, gpus: int) -> None:
    with simulated_gpus(gpus), tf.Graph().as_default(), tf.device("/gpu:0" if gpus else None):
        w, b, x, n = (
            tf.placeholder(tf.float64, [4, 3]),
            tf.placeholder(tf.float64, [3]),
            tf.constant(X),
            tf.placeholder(tf.int32, []),
        )
        first = tf.gradients(last(w, b, x, n), [w, b])
        total = tf.add_n([tf.reduce_sum(grad**2.0) for grad in first])
        second = tf.gradients(total, [w, b])
        with tf.Session(config=tf.ConfigProto(allow_soft_placement=True)) as session:
            feeds = {w: W, b: B, n: steps}
            found = session.run([*first, *second], feeds)
            again = lambda moved: float(session.run(total, {w: moved[0], b: moved[1], n: steps}))  # noqa: E731
            for i in range(2):
                np.testing.assert_allclose(
                    found[i], numeric_gradient(lambda m: reference(*m, steps), [W, B], i), atol=1e-6
                )
                np.testing.assert_allclose(found[2 + i], numeric_gradient(again, [W, B], i), atol=1e-5)


@pytest.mark.parametrize("use_resource", [False, True])
def test_the_product_is_outside_of_the_loop(use_resource: bool) -> None:
    with tf.Graph().as_default() as graph, tf.Session() as session:
        w = tf.get_variable("w", initializer=W, use_resource=use_resource)
        b = tf.get_variable("b", initializer=B, use_resource=use_resource)
        found = tf.gradients(last(w, b, tf.constant(X), 3), [w, b])
        assert [op.region for op in graph.get_operations() if op.type == "TensorListConcatV2"] == [None, None]
        session.run(tf.global_variables_initializer())
        for i, value in enumerate(session.run(found)):
            np.testing.assert_allclose(value, numeric_gradient(lambda m: reference(*m, 3), [W, B], i), atol=1e-6)
