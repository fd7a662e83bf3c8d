"""Branches by number, loops that find their types, paddings for blocks."""

import numpy as np
import pytest

import millstream as tf


def run(build):
    with tf.Graph().as_default(), tf.Session() as sess:
        return sess.run(build())


def constant(value):
    return lambda: tf.constant(value)


BRANCHES = [constant(10.0), constant(20.0), constant(30.0)]


@pytest.mark.parametrize(
    ("branches", "default", "wanted"),
    [
        (BRANCHES, None, {0: 10, 1: 20, 2: 30, 3: 30, -1: 30}),
        (BRANCHES, constant(-1.0), {0: 10, 2: 30, 3: -1, -1: -1}),
        ({1: BRANCHES[0], 0: BRANCHES[1]}, None, {1: 10, 0: 20, 7: 10}),
        ([(1, BRANCHES[0]), (0, BRANCHES[1])], constant(-1.0), {1: 10, 0: 20, -1: -1}),
        ([BRANCHES[1]], None, {0: 20, 5: 20}),
    ],
)
def test_branches_by_number(branches, default, wanted):
    for index, value in wanted.items():
        assert run(lambda index=index: tf.switch_case(tf.constant(index), branches, default)) == value


@pytest.mark.parametrize(
    ("branches", "error", "words"),
    [
        ([], ValueError, "must not be empty"),
        (7, TypeError, "branch_fns must be a dict, list, or tuple"),
        ([(1, 2)], TypeError, "must be a callable, or a pair"),
        ([(1, BRANCHES[0]), (1, BRANCHES[1])], ValueError, r"contiguous range of \[0 to 2\) but found \{1,1\}"),
        ({7: BRANCHES[0], 3: BRANCHES[1]}, ValueError, r"contiguous range of \[0 to 2\) but found \{3,7\}"),
    ],
)
def test_malformed_branches(branches, error, words):
    with tf.Graph().as_default(), pytest.raises(error, match=words):
        tf.switch_case(tf.constant(0), branches)


@pytest.mark.parametrize(
    ("index", "words"), [(0, "must be a Tensor"), ([0.0], "must be a Tensor"), (None, "an integer Tensor, got float32")]
)
def test_what_is_no_number_of_a_branch(index, words):
    with tf.Graph().as_default(), pytest.raises(TypeError, match=words):
        tf.switch_case(tf.constant(0.0) if index is None else index, BRANCHES)


def test_a_loop_finds_its_types():
    x = np.arange(6.0).reshape(3, 2)
    total, count = run(lambda: tf.vectorized_map(lambda row: (tf.reduce_sum(row), tf.size(row)), tf.constant(x)))
    np.testing.assert_array_equal(total, x.sum(1))
    np.testing.assert_array_equal(count, [2, 2, 2])
    assert count.dtype == np.int32


@pytest.mark.parametrize(
    ("base", "paddings", "crops"),
    [(None, [[0, 1], [0, 0]], [[0, 1], [0, 0]]), ([[1, 1], [2, 0]], [[1, 2], [2, 1]], [[0, 1], [0, 1]])],
)
def test_paddings_for_blocks(base, paddings, crops):
    lengths = [5, 6] if base is None else [6, 6]
    found = run(lambda: tf.required_space_to_batch_paddings(lengths, [3, 3], base))
    np.testing.assert_array_equal(found[0], paddings)
    np.testing.assert_array_equal(found[1], crops)
