"""What array ops refuse, in TensorFlow's words: while building where shapes tell, at the run where they do not."""

import re

import numpy as np
import pytest

import millstream as tf

FIVE = np.ones(5, np.float32)
SQUARE = np.ones((2, 2), np.float32)

AT_RUN = (
    (
        lambda x: tf.reshape(x, [3, 2]),
        FIVE,
        "Input to reshape is a tensor with 5 values, but the requested shape has 6",
    ),
    (lambda x: tf.reshape(x, [-1, 2]), FIVE, "but the requested shape requires a multiple of 2"),
    (lambda x: x[5], FIVE, "slice index 5 of dimension 0 out of bounds."),
    (lambda x: tf.slice(x, [3], [9]), FIVE, r"Expected size\[0\] in \[0, 2\], but got 9"),
    (lambda x: tf.slice(x, [9], [1]), FIVE, r"Expected begin\[0\] in \[0, 5\], but got 9"),
    (lambda x: tf.concat([x, tf.ones([2, 3])], 0), SQUARE, r"shape\[0\] = \[2,2\] vs. shape\[1\] = \[2,3\]"),
    (lambda x: tf.stack([x, tf.ones([2])]), FIVE, r"values\[0\].shape = \[5\] != values\[1\].shape = \[2\]"),
    (lambda x: tf.gather(x, [1, 7]), FIVE, r"indices\[1\] = 7 is not in \[0, 5\)"),
    (lambda x: tf.gather(x, [[0], [-1]]), FIVE, r"indices\[1,0\] = -1 is not in \[0, 5\)"),
    (lambda x: tf.gather_nd(x, [[9]]), FIVE, r"indices\[0\] = \[9\] does not index into param"),
    (lambda x: tf.split(x, 2), FIVE, "Number of ways to split should evenly divide the split dimension"),
    (
        lambda x: tf.transpose(x, [0, 1]),
        FIVE,
        "transpose expects a vector of size 1. But input.1. is a vector of size 2",
    ),
    (lambda x: tf.check_numerics(x / 0.0, "loss"), FIVE, "loss : Tensor had Inf"),
    (lambda x: tf.squeeze(x, [0]), FIVE, r"Can not squeeze dim\[0\], expected a dimension of 1, got 5"),
    (lambda x: tf.expand_dims(x, 5), FIVE, "Tried to expand dim index 5 for tensor with 1 dimensions."),
    (lambda x: tf.unstack(x, 3), FIVE, r"Input shape axis 0 must equal 3, got shape \[5\]"),
    (lambda x: tf.pad(x, [[1, 1]]), SQUARE, "The first dimension of paddings must be the rank of inputs"),
    (lambda x: tf.tile(x, [1]), SQUARE, "Expected multiples argument to be a vector of length 2 but got length 1"),
    (
        lambda x: tf.ensure_shape(x, [2, None]),
        FIVE,
        r"Shape of tensor \[5\] is not compatible with expected shape \[2,\?\]",
    ),
)

AT_BUILD = (
    (
        lambda: tf.reshape(tf.ones([5]), [3, 2]),
        r"Cannot reshape a tensor with 5 elements to shape \[3,2\] \(6 elements\)",
    ),
    (lambda: tf.concat([tf.ones([2, 3]), tf.ones([2])], 0), "Shape must be rank 2 but is rank 1"),
    (
        lambda: tf.concat([tf.ones([2, 3]), tf.ones([2, 2])], 0),
        "Dimension 0 in both shapes must be equal, but are 3 and 2",
    ),
    (lambda: tf.stack([tf.ones([2]), tf.ones([3])]), "From merging shape 0 with other shapes"),
    (lambda: tf.split(tf.ones([5]), 2), "Dimension size must be evenly divisible by 2 but is 5"),
    (lambda: tf.split(tf.ones([5]), tf.constant(2)), "Rank-0 tensors are not supported as the num_or_size_splits"),
    (lambda: tf.transpose(tf.ones([5]), [0, 1]), "Dimension must be 1 but is 2"),
    (lambda: tf.squeeze(tf.ones([5]), [3]), r"squeeze_dims\[0\] not in \[-1,1\)"),
    (lambda: tf.expand_dims(tf.ones([5]), 5), r"dim 5 not in the interval \[-2, 1\]"),
    (lambda: tf.gather(tf.ones([5]), [1], axis=3), "Shape must be at least rank 4 but is rank 1"),
    (lambda: tf.unstack(tf.placeholder(tf.float32)), "Cannot infer num from shape"),
    (lambda: tf.pad(tf.ones([2]), [[1, 1]], "WRAP"), "Unknown padding mode: WRAP"),
    (lambda: tf.boolean_mask(tf.ones([2]), True), "mask cannot be scalar"),
    (lambda: tf.ensure_shape(tf.ones([2]), [3]), "Dimension 0 in both shapes must be equal, but are 2 and 3"),
)


@pytest.mark.parametrize(("build", "value", "words"), AT_RUN)
def test_at_the_run(build, value, words):
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32)
        with pytest.raises(tf.errors.InvalidArgumentError, match=words):
            session.run(build(x), {x: value})


@pytest.mark.parametrize(("build", "words"), AT_BUILD)
def test_while_building(build, words):
    with tf.Graph().as_default(), pytest.raises(ValueError, match=words):
        build()


UNFED = (
    (tf.int32, [None, 2], r"with dtype int32 and shape \[\?,2\]"),
    (tf.float32, None, "with dtype float$"),
    (tf.float64, [], "with dtype double$"),
)


@pytest.mark.parametrize(("dtype", "shape", "words"), UNFED)
def test_placeholders_that_nobody_feeds(dtype, shape, words):
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(dtype, shape)
        with pytest.raises(tf.errors.InvalidArgumentError) as caught:
            session.run(tf.identity(x))
    first = caught.value.message.splitlines()[0]
    assert first.startswith("You must feed a value for placeholder tensor 'Placeholder'")
    assert re.search(words, first)


def test_gathers_out_of_bounds_on_a_gpu_give_zeros():
    with tf.Graph().as_default(), tf.device("/gpu:0"):
        x = tf.placeholder(tf.float32)
        outputs = [tf.gather(x, [1, 7]), tf.gather_nd(x, [[4], [-1]])]
        with tf.devices.simulated_gpus(1), tf.Session() as session:
            found = session.run(outputs, {x: np.arange(1.0, 6.0)})
    assert [value.tolist() for value in found] == [[2.0, 0.0], [5.0, 0.0]]


def test_shapes_that_cannot_be_computed_fail_at_the_run():
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.reshape(tf.ones([4]), tf.gather([2, 2], [0, 7]))
        assert x.shape.as_list() == [None, None]
        with pytest.raises(tf.errors.InvalidArgumentError, match="not in"):
            session.run(x)
