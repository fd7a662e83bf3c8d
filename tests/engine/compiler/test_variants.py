"""Programs for shapes that come again: what folds away, that results are the general program's, and when one is made."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import millstream as tf
from millstream.engine.compiler import variants


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default():
        yield


def regression():
    x, y = tf.placeholder(tf.float32, [None]), tf.placeholder(tf.float32, [None])
    w, b = tf.Variable(2.0), tf.Variable(-1.0)
    loss = tf.reduce_mean(tf.square(x * w + b - y))
    return x, y, [loss, *tf.gradients(loss, [w, b])]


def types(source):
    """Return the op types of a program's lines."""
    return [line.rpartition(") on ")[0].rpartition("(")[2] for line in source.splitlines() if " on CPU:0" in line]


def test_shape_arithmetic_folds_away():
    x, y, fetches = regression()
    ones = np.ones(7, "f4")
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        general = sess.run(fetches, {x: ones, y: 2 * ones})
        for _ in range(20):
            again = sess.run(fetches, {x: ones, y: 2 * ones})
        plan = sess.plan(fetches, [x, y])
        (source,) = plan.sources.values()
        left = set(types(source))
        assert {"Shape", "BroadcastTo", "BroadcastGradientArgs", "Reshape", "Size"} <= set(types(plan.source))
        assert left == {"Mul", "AddV2", "Sub", "Square", "Mean", "Sum"}
        assert general == again


def test_each_shape_has_its_own_and_there_is_a_bound():
    x = tf.placeholder(tf.float32, [None, 2])
    y = tf.reshape(tf.reduce_sum(x, 1), tf.shape(x)[:1]) * tf.cast(tf.size(x), tf.float32)
    with tf.Session() as sess:
        for rows in range(1, 14):
            value = np.arange(2.0 * rows, dtype="f4").reshape(rows, 2)
            for _ in range(6):
                np.testing.assert_array_equal(sess.run(y, {x: value}), value.sum(1) * value.size)
        assert len(sess.plan(y, [x]).sources) == variants.MOST


def test_shapes_that_do_not_go_together_are_reported_by_the_general_program():
    x, y = tf.placeholder(tf.float32, [None]), tf.placeholder(tf.float32, [None])
    total = tf.add(x, y, name="total")
    with tf.Session() as sess:
        for _ in range(8):
            with pytest.raises(tf.errors.InvalidArgumentError, match="total"):
                sess.run(total, {x: [1.0, 2.0], y: [1.0, 2.0, 3.0]})
        assert sess.plan(total, [x, y]).sources == {}
        np.testing.assert_array_equal(sess.run(total, {x: [1.0], y: [2.0]}), [3.0])


def test_a_shape_that_comes_seldom_gets_no_program():
    x = tf.placeholder(tf.float32, [None])
    with tf.Session() as sess:
        for size in range(1, 30):
            sess.run(x * 2.0, {x: np.ones(size, "f4")})
        assert sess.plan(x * 2.0, [x]).sources == {}


def test_a_pinned_shape_stays():
    x = tf.placeholder(tf.float32, [None])
    with tf.device("/cpu:0"):
        y = tf.shape(x)
    with tf.Session() as sess:
        for _ in range(8):
            assert sess.run(y, {x: [1.0, 2.0]}).tolist() == [2]
        assert "Shape" in types(next(iter(sess.plan(y, [x]).sources.values())))


def test_loops_and_branches_keep_their_unknown_shapes():
    x = tf.placeholder(tf.float32, [None])
    _, y = tf.while_loop(
        lambda i, y: i < 3, lambda i, y: (i + 1, tf.concat([y, y], 0)), [0, x],
        shape_invariants=[tf.TensorShape([]), tf.TensorShape([None])],
    )  # fmt: skip
    z = tf.cond(tf.size(x) > 2, lambda: tf.reduce_sum(y), lambda: tf.cast(tf.size(y), tf.float32))
    with tf.Session() as sess:
        for _ in range(10):
            assert sess.run(z, {x: [1.0, 2.0, 3.0]}) == 48
            assert sess.run(z, {x: [5.0, 5.0]}) == 16


def test_a_variable_that_may_change_its_shape_is_looked_at_in_each_run():
    x = tf.placeholder(tf.float32, [None])
    v = tf.Variable([1.0, 3.0], use_resource=False)
    grow = tf.assign(v, [1.0, 2.0, 6.0], validate_shape=False)
    mean = tf.reduce_mean(v) + tf.reduce_sum(x)
    with tf.Session() as sess:
        sess.run(v.initializer)
        for _ in range(8):
            assert sess.run(mean, {x: [0.0]}) == 2
        sess.run(grow)
        for _ in range(8):
            assert sess.run(mean, {x: [0.0]}) == 3


def test_strings_are_fed_in_any_shape():
    x, n = tf.placeholder(tf.string), tf.placeholder(tf.float32, [None])
    same, twice, count = tf.identity(x), n * 2.0, tf.size(x)
    with tf.Session() as sess:
        for _ in range(8):
            text, numbers = sess.run([same, twice], {x: b"one", n: [1.0]})
            assert (text, numbers.tolist()) == (b"one", [2.0])
            assert sess.run(count, {x: [b"a", b"b"]}) == 2


def test_many_threads_share_the_programs():
    x, y, fetches = regression()
    wrong = []
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        feeds = [{x: np.ones(n, "f4"), y: np.zeros(n, "f4")} for n in (1, 2, 3, 5)]
        expected = [sess.run(fetches, feed) for feed in feeds]

        def work():
            for i in range(400):
                if sess.run(fetches, feeds[i % 4]) != expected[i % 4]:
                    wrong.append(i)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not wrong


STEPS = {
    "tanh": tf.tanh,
    "relu": tf.nn.relu,
    "double": lambda x: x + x,
    "times one": lambda x: x * 1.0,
    "times ones": lambda x: x * tf.ones_like(x),
    "plus zeros": lambda x: x + tf.zeros_like(x),
    "shift": lambda x: x - tf.reduce_mean(x),
    "by row": lambda x: x / (1.0 + tf.reduce_max(tf.abs(x), 1, keepdims=True)),
    "by column": lambda x: x - tf.reduce_min(x, 0),
    "softmax": tf.nn.softmax,
    "there and back": lambda x: tf.reshape(tf.reshape(x, [-1]), tf.shape(x)),
    "turn": lambda x: tf.transpose(tf.transpose(x)),
    "square": lambda x: tf.matmul(x, tf.matmul(x, x, transpose_a=True)) * 0.1,
    "fill": lambda x: x * tf.fill(tf.shape(x), 0.5),
    "tile": lambda x: tf.reduce_mean(tf.tile(x, [2, 1]), 0) + x,
    "norm": lambda x: x * tf.rsqrt(tf.reduce_sum(tf.square(x)) + 1.0),
    "same": tf.identity,
}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=8), st.integers(1, 5), st.integers(1, 5))
def test_results_are_the_general_programs(names, rows, columns):
    """Of random chains and their gradients, bit for bit, with every shape unknown to the graph."""
    value = np.random.RandomState(rows * 8 + columns).randn(rows, columns).astype("f4")
    with tf.Graph().as_default(), tf.Session() as sess:
        x = tf.placeholder(tf.float32, [None, None])
        y = x
        for name in names:
            y = STEPS[name](y)
        fetches = [y, *tf.gradients(tf.reduce_mean(tf.square(y)), [x])]
        plan = sess.plan(fetches, [x])
        for _ in range(plan._variants._patience):
            general = sess.run(fetches, {x: value})
        assert not plan.sources
        special = sess.run(fetches, {x: value})
        assert plan.sources
        for expected, actual in zip(general, special, strict=True):
            np.testing.assert_array_equal(expected, actual)
            assert actual.flags.owndata and actual.flags.writeable
