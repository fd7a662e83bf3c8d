"""Fused groups give what their ops give one by one: whole or in blocks, on one thread or several."""

import numpy as np
import pytest

import millstream as tf
from millstream.engine.runtime import fused
from millstream.engine.runtime.fused import FusedGroup, Line

F4 = np.dtype("f4")
SIZES = (3, fused.LARGE, fused.LARGE + 7, fused.THREADED + 12_345)


def relu(x):
    return np.maximum(x, np.float32(0))


def group():
    """t0 = x * y; t1 = relu(t0); o0 = t1 + x; t3 = o0 - y; o1 = relu(t3)"""
    lines = [
        Line("t0", np.multiply, ("a0", "a1"), F4),
        Line("t1", relu, ("t0",), F4, into=False),
        Line("o0", np.add, ("t1", "a0"), F4),
        Line("t3", np.subtract, ("o0", "a1"), F4),
        Line("o1", relu, ("t3",), F4, into=False),
    ]
    return FusedGroup(lines, 2, [F4, F4])


def one_by_one(x, y):
    first = relu(x * y) + x
    return first, relu(first - y)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("second", ["array", "scalar", "broadcast scalar", "column", "every other"])
def test_groups_equal_their_ops(size, second):
    rng = np.random.RandomState(size % 1000)
    x = rng.randn(size).astype("f4")
    y = {
        "array": lambda: rng.randn(size).astype("f4"),
        "scalar": lambda: np.float32(0.5),
        "broadcast scalar": lambda: np.broadcast_to(np.float32(0.5), size),
        "column": lambda: np.ones((2, 1), "f4"),
        "every other": lambda: rng.randn(2 * size).astype("f4")[::2],
    }[second]()
    for made, expected in zip(group()(x, y), one_by_one(x, y), strict=True):
        assert made.dtype == expected.dtype and made.shape == expected.shape
        np.testing.assert_array_equal(made, expected)


def test_inputs_stay_as_they_are():
    x, y = np.full(fused.LARGE, -1, "f4"), np.full(fused.LARGE, 2, "f4")
    group()(x, y)
    assert (x == -1).all() and (y == 2).all()


def test_threads_are_as_quiet_as_the_caller():
    """Ops on very large arrays run on other threads, where NumPy's warnings would be on again."""
    x = tf.placeholder(tf.float32, [None])
    y = tf.exp(tf.log(x) * 2.0)
    with tf.Session(graph=x.graph) as sess:
        assert not sess.run(y, {x: np.zeros(fused.THREADED + 1, "f4")}).any()


def test_gradients_of_a_chain_join_its_groups():
    """Kernels that are no ufuncs, and sums of gradients, run inside groups."""
    with tf.Graph().as_default(), tf.Session() as sess:
        x = tf.placeholder(tf.float32, [100_000])
        y = tf.sigmoid(tf.tanh(x) * x)
        (gradient,) = tf.gradients(y, x)
        value = np.linspace(-2, 2, 100_000, dtype="f4")
        assert sess.plan(gradient, [x]).source.count("fused") == 1
        inner = np.tanh(value) * value
        slope = np.exp(-inner) / (1 + np.exp(-inner)) ** 2 * (np.tanh(value) + value / np.cosh(value) ** 2)
        np.testing.assert_allclose(sess.run(gradient, {x: value}), slope, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("size", [10, fused.LARGE, fused.THREADED + 1])
def test_a_failure_names_the_op_that_failed(size, monkeypatch):
    """Whole, in blocks and on other threads alike."""
    with tf.Graph().as_default(), tf.Session() as sess:
        x = tf.placeholder(tf.float32, [None])
        guilty = tf.sigmoid(tf.exp(x), name="guilty")
        y = tf.sqrt(guilty) + 1.0

        def fail(xp, value):
            if value.shape[0] and value[-1] < 0.5:
                raise ValueError("no good")
            return value

        (entry,) = guilty.op.decl.kernels_for("CPU")
        monkeypatch.setattr(guilty.op.decl, "kernels", [type(entry)(fail, "CPU")])
        values = np.ones(size, "f4")
        values[-1] = -9.0
        with pytest.raises(tf.errors.InvalidArgumentError, match="no good") as info:
            sess.run(y, {x: values})
        assert info.value.op is guilty.op
