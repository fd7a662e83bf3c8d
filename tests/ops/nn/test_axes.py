"""What convolutions and pools refuse: numbers for the batch and for channels, and gradients whose shapes do not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import millstream as tf

IMAGES, FILTERS = np.arange(2 * 8 * 8 * 4, dtype="f4").reshape(2, 8, 8, 4), np.ones((3, 3, 4, 4), "f4")
ONES = [1, 1, 1, 1]

REFUSED = [
    (lambda x, f: tf.nn.conv2d(x, f, [1, 0, 1, 1], "SAME"), ValueError, "Stride must be > 0, but got 0"),
    (lambda x, f: tf.nn.conv2d(x, f, ONES, "SAME", dilations=[1, 0, 1, 1]), ValueError, "Dilation rate must be >= 1"),
    (lambda x, f: tf.nn.conv2d(x, f, [1, 1, 1], "SAME"), ValueError, "strides should be of length 1, 2 or 4"),
    (lambda x, f: tf.nn.max_pool(x, [1, 2, 2], 2, "SAME"), ValueError, "ksize should be of length 1, 2 or 4"),
    (lambda x, f: tf.nn.max_pool(x, [1, 0, 2, 1], 2, "SAME"), ValueError, "ksize must be positive"),
    (lambda x, f: tf.nn.conv2d(x, f, ONES), TypeError, "argument 'padding' not None"),
    (
        lambda x, f: tf.nn.conv2d(x, f, ONES, "SAME", filters=f),
        ValueError,
        "Cannot specify both 'filter' and 'filters'",
    ),
    (lambda x, f: tf.nn.conv2d(x, f, ONES, [[1, 1], [0, 0], [0, 0], [0, 0]]), ValueError, "Nonzero explicit padding"),
    (lambda x, f: tf.nn.conv2d_transpose(x, f[..., :3], [2, 8, 8, 4], 1), ValueError, "but are 4 and 3"),
    (
        lambda x, f: tf.nn.conv2d(x, f, [2, 1, 1, 1], "SAME"),
        tf.errors.UnimplementedError,
        "strides in the batch and depth",
    ),
    (
        lambda x, f: tf.nn.conv2d(x, f, [1, 1, 1, 2], "SAME"),
        tf.errors.UnimplementedError,
        "strides in the batch and depth",
    ),
    (
        lambda x, f: tf.nn.conv3d(x[None], f[None], [1, 1, 1, 1, 2], "SAME"),
        tf.errors.UnimplementedError,
        "batch and depth",
    ),
    (lambda x, f: tf.nn.depthwise_conv2d(x, f, [2, 1, 1, 1], "SAME"), tf.errors.UnimplementedError, "batch and depth"),
    (
        lambda x, f: tf.nn.conv2d(x, f, ONES, "SAME", dilations=[1, 1, 1, 2]),
        tf.errors.InvalidArgumentError,
        "dilations in",
    ),
    (lambda x, f: tf.nn.max_pool(x, [2, 2, 2, 1], 1, "SAME"), tf.errors.UnimplementedError, "on the batch dimension"),
    (
        lambda x, f: tf.nn.avg_pool(x, [1, 1, 1, 2], [1, 1, 1, 2], "SAME"),
        tf.errors.UnimplementedError,
        "depth dimension",
    ),
    (
        lambda x, f: tf.nn.max_pool(x, [1, 2, 2, 2], [1, 1, 1, 2], "SAME"),
        tf.errors.UnimplementedError,
        "exactly one of",
    ),
    (
        lambda x, f: tf.nn.max_pool(x, [1, 1, 1, 2], ONES, "SAME"),
        tf.errors.UnimplementedError,
        "equal the depth stride",
    ),
    (lambda x, f: tf.nn.max_pool(x, [1, 1, 1, 3], [1, 1, 1, 3], "SAME"), tf.errors.UnimplementedError, "evenly divide"),
]

FAILING = [
    (lambda x, f: tf.nn.conv2d_transpose(x, f, [2, 17, 16, 4], 2), "actual = 8, computed = 9 spatial_dim: 1"),
    (lambda x, f: tf.nn.conv2d_transpose(x, f, [3, 16, 16, 4], 2), "the same batch size. Input batch: 3"),
    (lambda x, f: tf.nn.conv2d_transpose(x, f, [2, 16, 16, 5], 2), "evenly divisible by filter depth: 5 vs 4"),
    (lambda x, f: tf.nn.conv2d_transpose(x, f[..., :2], [2, 16, 16, 4], 2), "the same out_depth: 2 vs 4"),
    (lambda x, f: tf.nn.conv2d_backprop_filter(x, [3, 3, 4, 4], x, 2, "SAME"), "Size of out_backprop doesn't match"),
    (
        lambda x, f: tf.nn.conv3d_transpose(x[:, None], f[None], [2, 1, 9, 8, 4], 1),
        "Size of out_backprop doesn't match",
    ),
    (
        lambda x, f: tf.nn.depthwise_conv2d_native_backprop_input([2, 9, 8, 4], f[..., :1], x, ONES, "SAME"),
        "Size of out_backprop doesn't match",
    ),
    (lambda x, f: tf.nn.conv2d(x[:, :1], f, 1, "VALID"), "Computed output size would be negative: -1"),
    (lambda x, f: tf.nn.max_pool(x[:, :1], 3, 1, "VALID"), "Computed output size would be negative: -1"),
    (lambda x, f: tf.nn.max_pool(x[0], 2, 1, "VALID"), "must be 4-dimensional"),
]


def test_what_is_refused_while_building() -> None:
    for build, kind, words in REFUSED:
        with tf.Graph().as_default(), pytest.raises(kind, match=words):
            build(tf.constant(IMAGES), tf.constant(FILTERS))


def test_what_fails_with_shapes_that_only_a_run_knows() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        x, f = tf.placeholder(tf.float32), tf.placeholder(tf.float32)
        for build, words in FAILING:
            with pytest.raises(tf.errors.InvalidArgumentError, match=words):
                session.run(build(x, f), {x: IMAGES, f: FILTERS})


@pytest.mark.parametrize("dims", [(2, 8, 8, 4), None])
def test_greatest_channels(dims: Any) -> None:
    """A window along channels takes the greatest of those beside each other, and sends its gradient there."""
    values = np.random.default_rng(0).normal(size=(2, 8, 8, 4)).astype("f4")
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, dims)
        y = tf.nn.max_pool(x, [1, 1, 1, 2], [1, 1, 1, 2], "VALID", name="maxout")
        assert y.op.name == "maxout"
        found, slope = session.run([y, tf.gradients(y, x)[0]], {x: values})
    pairs = values.reshape(2, 8, 8, 2, 2)
    np.testing.assert_array_equal(found, pairs.max(axis=-1))
    np.testing.assert_array_equal(slope.reshape(pairs.shape), pairs == pairs.max(axis=-1, keepdims=True))


def test_numbers_for_space_alone() -> None:
    """None, NumPy's numbers and lists of one stand for numbers along rows and columns."""
    with tf.Graph().as_default():
        for strides in (None, 1, np.int64(1), [1], (1, 1), np.array([1, 1, 1, 1])):
            assert tf.nn.conv2d(IMAGES, FILTERS, strides, "SAME").op.get_attr("strides") == ONES
        assert tf.nn.conv1d(IMAGES[0], FILTERS[0], padding="SAME").shape == (8, 8, 4)
