"""What a plan leaves out: steps that somebody waits for but nobody uses."""

import numpy as np
import pytest

import millstream as tf


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default():
        yield


def waited_for(make, device=None):
    """x -> unused, on which y = x + 1 waits; return the plan's source."""
    x = tf.placeholder(tf.float32, [2])
    with tf.device(device):
        unused = make(x)
    with tf.control_dependencies([unused]):
        y = tf.add(x, 1.0, name="y")
    with tf.Session() as sess:
        np.testing.assert_array_equal(sess.run(y, {x: [1.0, 2.0]}), [2.0, 3.0])
        return sess.plan(y, [x]).source


def test_pure_nodes_that_are_only_waited_for_do_not_run():
    assert "unused" not in waited_for(lambda x: tf.tanh(tf.exp(x, name="unused_too"), name="unused"))


@pytest.mark.parametrize(
    "make",
    [
        lambda x: tf.check_numerics(x, "bad", name="unused"),
        lambda x: tf.Print(x, [x], name="unused"),
        lambda x: tf.py_func(np.tanh, [x], tf.float32, name="unused"),
    ],
    ids=["checks", "printing", "functions of the program"],
)
def test_nodes_with_a_purpose_of_their_own_run(make):
    assert "unused" in waited_for(make)


def test_pinned_nodes_run_where_they_were_pinned():
    assert "unused" in waited_for(lambda x: tf.tanh(x, name="unused"), "/cpu:0")


def test_what_was_asked_for_runs():
    x = tf.placeholder(tf.float32, [2])
    y = tf.tanh(x, name="asked")
    with tf.Session() as sess:
        assert "asked" in sess.plan(y.op, [x]).source
        sess.run(y.op, {x: [1.0, 2.0]})


def test_the_gradient_of_the_data_is_not_computed():
    """One product forward and one for the weights' gradient; the data's gradient is only waited for."""
    x = tf.placeholder(tf.float32, [4, 3])
    w = tf.get_variable("w", [3, 2])
    train = tf.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_sum(tf.square(tf.matmul(x, w))))
    with tf.Session() as sess:
        products = [line for line in sess.plan(train, [x]).source.splitlines() if "(MatMul)" in line]
    assert len(products) == 2


def test_copies_of_what_is_dropped_are_neither_made_nor_listed():
    """x(GPU:0) -> tanh(CPU, dropped): no copy to the host but that of the fetch."""
    with tf.devices.simulated_gpus(1):
        with tf.device("/gpu:0"):
            x = tf.exp(tf.placeholder_with_default(tf.ones([2]), [2]), name="x")
            kept = tf.add(x, 1.0)
        unused = tf.py_func(np.tanh, [x], tf.float32)
        with tf.control_dependencies([tf.tanh(unused)]), tf.device("/gpu:0"):
            waits = tf.add(kept, 1.0)
        with tf.Session() as sess:
            listed = {copy.tensor for copy in sess.placement(waits).copies}
            source = sess.plan(waits).source
    assert "x:0" in listed and source.count(".wait()") == 2
