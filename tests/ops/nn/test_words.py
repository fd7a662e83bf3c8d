"""What convolutions, pools and their kin refuse, in TensorFlow's words; axes, ranks and choices that only a run knows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import millstream as tf

RNG = np.random.RandomState(5)
IMAGES, FILTERS = RNG.randn(2, 5, 6, 3).astype("f"), RNG.randn(2, 3, 3, 2).astype("f")
nn = tf.nn


def zeros(*dims: int) -> Any:
    return np.zeros(dims, "f")


REFUSED: dict[str, tuple[Any, str]] = {
    "valid": (lambda: nn.conv2d(zeros(1, 4, 4, 3), zeros(9, 9, 3, 1), 1, "VALID"), "subtracting 9 from 4 for 'Conv2D'"),
    "empty": (lambda: nn.conv2d(zeros(1, 0, 4, 3), zeros(1, 1, 3, 1), 1, "VALID"), "subtracting 1 from 0"),
    "dilated": (
        lambda: nn.conv2d(zeros(1, 9, 4, 3), zeros(3, 3, 3, 1), 1, "VALID", dilations=2),
        "subtracting 5 from 4",
    ),
    "explicit": (
        lambda: nn.conv2d(zeros(1, 1, 9, 3), zeros(4, 4, 3, 1), 1, [[0, 0], [1, 1], [0, 1], [0, 0]]),
        "subtracting 4 from 3",
    ),
    "pool": (lambda: nn.max_pool(zeros(1, 4, 4, 3), 9, 1, "VALID"), "Negative dimension size caused by subtracting 9"),
    "volumes": (lambda: nn.avg_pool3d(zeros(1, 5, 1, 4, 3), 2, 1, "VALID"), "subtracting 2 from 1"),
    "channels": (
        lambda: nn.depthwise_conv2d(zeros(1, 2, 9, 3), zeros(3, 3, 3, 1), [1, 1, 1, 1], "VALID"),
        "subtracting 3 from 2 for 'depthwise'",
    ),
    "pairs": (lambda: nn.conv2d(IMAGES, FILTERS, 1, [[1, 2], [0, 3]]), "must be of size 4. Got padding of size: 2"),
    "numbers": (
        lambda: nn.conv2d(IMAGES, FILTERS, 1, [0, 1, 1, 0]),
        "must be a list/tuple of size 2. Element with index 0",
    ),
    "rate": (
        lambda: nn.depthwise_conv2d(IMAGES, FILTERS, [1, 1, 1, 1], "SAME", [0, 2]),
        "all values of dilation_rate must be positive",
    ),
    "atrous": (lambda: nn.atrous_conv2d(IMAGES, FILTERS, 0, "SAME"), "all values of dilation_rate must be positive"),
    "negative k": (lambda: nn.top_k(IMAGES, -1), "given by scalar input 1, must be non-negative but is -1"),
    "several k": (lambda: nn.top_k(IMAGES, [1, 2]), "Input must be scalar but has rank 1"),
    "poisson": (lambda: nn.log_poisson_loss(zeros(3), zeros(4, 3)), "must have the same shape"),
    "num_true": (lambda: nn.compute_accidental_hits([[1, 2]], [1, 2], 3), "Dimension must be 3 but is 2"),
    "keep_prob": (lambda: nn.dropout(IMAGES, "a"), "keep_prob must be a floating point number or Tensor"),
    "rates": (lambda: nn.dropout(IMAGES, rate=tf.constant([0.5])), "must be rank 0|must have rank 0"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_while_building(case: str) -> None:
    build, words = REFUSED[case]
    with tf.Graph().as_default(), pytest.raises(ValueError, match=words):
        build()


def test_an_axis_out_of_range() -> None:
    with (
        tf.Graph().as_default(),
        pytest.raises(tf.errors.InvalidArgumentError, match=r"\(3\) must be in the range \[-3, 3\)"),
    ):
        nn.softmax(zeros(2, 3, 4), 3)


def test_gradients_that_fit_no_images_name_the_dimension() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        sizes = tf.placeholder(tf.int32, [4])
        images = nn.conv2d_transpose(zeros(2, 3, 4, 5), zeros(3, 3, 2, 5), sizes, 2)
        words = "actual = 4, computed = 2 spatial_dim: 2 input: 3 filter: 3"
        with pytest.raises(tf.errors.InvalidArgumentError, match=words):
            session.run(images, {sizes: [2, 6, 3, 2]})


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3])
@pytest.mark.parametrize("dims", [[2, 3, 4], None])
def test_softmax_along_an_axis_that_a_run_knows(axis: int, dims: list[int] | None) -> None:
    given = RNG.randn(2, 3, 4).astype("f")
    with tf.Graph().as_default(), tf.Session() as session:
        x, along = tf.placeholder(tf.float32, dims), tf.placeholder(tf.int32, [])
        both = nn.softmax(x, along), nn.softmax(x, tf.constant(axis)), tf.exp(nn.log_softmax(x, axis))
        assert both[0].shape == x.shape
        wanted = np.exp(given) / np.exp(given).sum(axis, keepdims=True)
        for found in session.run(both, {x: given, along: axis}):
            np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_rows_with_numbers_that_are_not_finite_have_no_target_on_top() -> None:
    rows = np.array([[0.1, 0.9, 0.3], [np.nan, 1, 2], [np.inf, 1, 2], [0.5, 0.5, 0.5]], "f")
    with tf.Graph().as_default(), tf.Session() as session:
        for k in (1, 3, 5):
            assert session.run(nn.in_top_k(rows, [1, 2, 1, 2], k)).tolist() == [True, False, False, True]


@pytest.mark.parametrize("dims", [[4, 6], [None, 6], [4, None]])
def test_dropout_takes_its_own_dimensions_for_none(dims: list[int | None]) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(2)
        x = tf.placeholder(tf.float32, dims)
        found = session.run(nn.dropout(x, 0.5, noise_shape=[None, 1], seed=3), {x: np.ones((4, 6))})
        assert {tuple(row) for row in found} == {(0.0,) * 6, (2.0,) * 6}
        assert nn.dropout(x, 1.0) is x and nn.dropout(x, rate=0) is x


def test_second_derivatives_of_greatest_elements_are_zeros() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.constant(IMAGES)
        for y in (nn.max_pool(x, 2, 2, "SAME"), nn.max_pool1d(x[0], 2, 1, "VALID")):
            (dx,) = tf.gradients(y, x)
            assert not session.run(tf.gradients(dx, x)[0]).any()


def test_names_of_what_is_composed() -> None:
    with tf.Graph().as_default():
        assert nn.erosion2d(IMAGES, FILTERS[..., 0], [1, 1, 1, 1], [1, 1, 1, 1], "SAME").name == "erosion2d/Neg_1:0"
        assert nn.log_poisson_loss(zeros(3), zeros(3)).name == "log_poisson_loss/sub:0"
        assert nn.batch_normalization(IMAGES, 0.0, 1.0, None, None, 1e-3).name == "batchnorm/add_1:0"


def test_images_without_rows_reach_a_run() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [None, None, None, 3])
        pooled = nn.max_pool(nn.conv2d(x, FILTERS[:1], 1, "VALID"), 1, 1, "VALID")
        for _ in range(8):
            assert session.run(pooled, {x: zeros(2, 0, 4, 3)}).shape == (2, 0, 2, 2)
