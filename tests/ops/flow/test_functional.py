"""`map_fn`, folds and `scan`: values, structures, directions, gradients to second order, and what they refuse."""

from typing import Any

import numpy as np
import pytest

import millstream as tf

X = np.arange(6.0).reshape(3, 2)


def value(build: Any, *arrays: Any) -> Any:
    with tf.Graph().as_default(), tf.Session() as session:
        return session.run(build(*[tf.constant(array) for array in arrays]))


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (lambda x: tf.map_fn(lambda a: a * 2.0, x), X * 2),
        (lambda x: tf.map_fn(lambda a: tf.reduce_sum(a) > 2.0, x, dtype=tf.bool), [False, True, True]),
        (lambda x: tf.map_fn(lambda t: t[0] * t[1], (x, x + 1.0), dtype=tf.float64), X * (X + 1)),
        (lambda x: tf.map_fn(lambda t: {"b": t["a"] + 1.0}, {"a": x}, dtype={"b": tf.float64})["b"], X + 1),
        (lambda x: tf.foldl(lambda a, b: a - b, x), X[0] - X[1] - X[2]),
        (lambda x: tf.foldr(lambda a, b: a - b, x), X[2] - X[1] - X[0]),
        (lambda x: tf.foldl(lambda a, b: a - b, x, initializer=tf.ones_like(x[0])), 1 - X.sum(0)),
        (lambda x: tf.foldr(lambda a, b: 2.0 * a - b, x, initializer=tf.ones_like(x[0])), 2 * (2 * (2 - X[2]) - X[1]) - X[0]),
        (lambda x: tf.scan(lambda a, b: a + b, x), X.cumsum(0)),
        (lambda x: tf.scan(lambda a, b: a + b, x, reverse=True), X[::-1].cumsum(0)[::-1]),
        (lambda x: tf.scan(lambda a, b: a + b, x, initializer=tf.ones_like(x[0])), 1 + X.cumsum(0)),
        (lambda x: tf.scan(lambda a, b: (a[1], a[0] + b), x, initializer=(x[0], x[1]))[1], [[0, 2], [4, 6], [4, 7]]),
        (lambda x: tf.map_fn(lambda row: tf.scan(lambda a, b: a * b, row), x + 1.0), (X + 1).cumprod(1)),
    ],
)  # fmt: skip
def test_values(build: Any, expected: Any) -> None:
    np.testing.assert_allclose(value(build, X), expected)


def test_no_rows() -> None:
    empty = np.zeros((0, 2))
    assert value(lambda x: tf.map_fn(lambda a: a, x), empty).shape == (0, 2)
    assert value(lambda x: tf.foldl(lambda a, b: a + b, x, initializer=np.ones(2)), empty).tolist() == [1, 1]
    with pytest.raises(ValueError, match="no initializer"):
        value(lambda x: tf.scan(lambda a, b: a, x), empty)


def test_second_derivatives_of_a_scan_inside_a_map() -> None:
    def build(x: Any) -> Any:
        y = tf.map_fn(lambda row: tf.scan(lambda a, b: a * b, row), x)
        (first,) = tf.gradients(y, x)
        return tf.gradients(first, x)[0]

    # The rows' products are x0 and x0 * x1, whose gradient sums to 1 + x1 + x0.
    np.testing.assert_allclose(value(build, X + 1.0), np.ones((3, 2)))


def test_static_shapes() -> None:
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None, 2])
        assert tf.map_fn(lambda a: a, x).shape.as_list() == [None, 2]
        assert tf.scan(lambda a, b: a + b, tf.zeros([3, 2])).shape.as_list() == [3, 2]
        assert tf.foldl(lambda a, b: a + b, x).name.startswith("foldl/while/Exit")


@pytest.mark.parametrize("function", [tf.map_fn, tf.foldl, tf.foldr, tf.scan])
def test_refusals(function: Any) -> None:
    with tf.Graph().as_default():
        with pytest.raises(TypeError, match="fn must be callable"):
            function(3, X)
        with pytest.raises(ValueError, match="not a scalar"):
            function(lambda *a: a[0], tf.constant(1.0))


def test_no_gradient_where_none_was_wanted() -> None:
    with tf.Graph().as_default():
        x = tf.constant(X)
        assert tf.gradients(tf.foldl(lambda a, b: a * b, x, back_prop=False, initializer=np.ones(2)), x) == [None]
