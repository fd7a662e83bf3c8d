"""What sets refuse while they are built, which sums a threshold drops, and what nodes of sparse products are called."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import millstream as tf

ONES = np.ones((2, 3), np.int64)


def sparse(*dims: int, dtype: Any = np.int64) -> Any:
    return tf.SparseTensor(np.zeros((1, len(dims)), np.int64), np.ones(1, dtype), dims)


REFUSED: dict[str, tuple[Any, type[Exception], str]] = {
    "rank": (lambda f: f(ONES[0], ONES[0]), ValueError, "must be at least rank 2 but is rank 1"),
    "ranks": (lambda f: f(ONES, ONES[None]), ValueError, "must be rank 2 but is rank 3"),
    "groups": (lambda f: f(ONES, ONES[:1]), ValueError, r"Dimension 0 in both shapes must be equal, but are 2 and 1"),
    "mixed": (lambda f: f(ONES, sparse(2, 3, 4)), ValueError, "must be rank 2 but is rank 3"),
    "both": (lambda f: f(sparse(2, 2), sparse(2, 3, 4)), ValueError, "must be rank 2 but is rank 3"),
    "vectors": (lambda f: f(sparse(2), sparse(2)), ValueError, "must have rank 2 at least, has 1"),
    "types": (lambda f: f(tf.constant(ONES), tf.constant(ONES, tf.int32)), TypeError, "Types don't match, tf.int64 vs tf.int32"),
    "sparse types": (lambda f: f(sparse(2, 2), sparse(2, 2, dtype=np.int32)), TypeError, "Types don't match"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_sets_of_rows_that_do_not_fit(case: str) -> None:
    build, kind, words = REFUSED[case]
    for operation in (tf.sets.set_intersection, tf.sets.set_union, tf.sets.set_difference):
        with tf.Graph().as_default(), pytest.raises(kind, match=words):
            build(operation)


def test_sets_of_rows_of_unknown_shape() -> None:
    with tf.Graph().as_default():
        unknown = tf.placeholder(tf.int64)
        assert tf.sets.set_union(unknown, unknown).indices.shape.as_list() == [None, None]
        assert tf.sets.set_union(unknown, ONES).indices.shape.as_list() == [None, 2]


def test_a_threshold_drops_sums_alone() -> None:
    a = tf.SparseTensorValue([[0, 0], [0, 1], [1, 0]], [1.0, 0.1, 2.0], [2, 2])
    b = tf.SparseTensorValue([[0, 0], [1, 0], [1, 1]], [-0.9, 1.0, -0.2], [2, 2])
    with tf.Graph().as_default(), tf.Session() as session:
        total = session.run(tf.sparse.add(a, b, threshold=0.5))
    assert total.indices.tolist() == [[0, 1], [1, 0], [1, 1]]
    np.testing.assert_allclose(total.values, [0.1, 3.0, -0.2], rtol=1e-6)


def test_names_of_nodes_in_their_scopes() -> None:
    with tf.Graph().as_default():
        given = sparse(2, 2, dtype=np.float32)
        product = tf.sparse_tensor_dense_matmul(given, np.eye(2, dtype="f"))
        filled, _ = tf.sparse.fill_empty_rows(given, 1.0)
        found = [tensor.op.name for tensor in (product, filled.values, tf.sparse.softmax(given).values)]
    kinds = ("SparseTensorDenseMatMul", "SparseFillEmptyRows", "SparseSoftmax")
    assert found == [f"{kind}/{kind}" for kind in kinds]


def test_words_of_matrices_without_an_inverse() -> None:
    failing = {
        "Input is not invertible.": tf.linalg.inv,
        "Input matrix is not invertible.": lambda m: tf.linalg.solve(m, m),
        "^Cholesky decomposition was not successful. The input might not be valid.": tf.linalg.cholesky,
    }
    for words, build in failing.items():
        with (
            tf.Graph().as_default(),
            tf.Session() as session,
            pytest.raises(tf.errors.InvalidArgumentError, match=words),
        ):
            session.run(build(tf.zeros([2, 2])))
