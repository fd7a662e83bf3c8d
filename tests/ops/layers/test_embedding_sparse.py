"""Embeddings of sparse ids: sums, means and roots of them in NumPy, weights, missing ids, shards, gradients."""

import numpy as np
import pytest

import millstream as tf
from millstream.ops.core.registry import lookup
from support.opcheck import Row, row_tests, table

RNG = np.random.default_rng(5)
MATRIX = RNG.normal(size=(10, 3))
PLACES = np.array([[0, 0], [0, 2], [1, 0], [2, 0], [2, 1], [2, 3]])
IDS, WEIGHTS = np.array([1, 3, 1, 9, 9, 0]), np.array([1, 2, 0.5, 3, 1, 0.25])
DEEP = np.array([[0, 0, 0], [0, 0, 2], [0, 1, 0], [2, 0, 0], [2, 0, 1], [2, 1, 3]])
SOME, SIGNED = np.array([1, -3, 1, 9, 9, 0]), np.array([1, 2, 0.5, -3, 1, 0.25])


def combine(matrix, rows, ids, weights, combiner, count, default=None):
    out = np.zeros((count, matrix.shape[1]))
    for row in range(count):
        mine = [
            (i, w)
            for r, i, w in zip(rows, ids, weights, strict=True)
            if r == row and i >= 0 and (w > 0 or combiner == "sum")
        ]
        mine = mine or ([] if default is None else [(default, 1.0)])
        total = sum((w * matrix[i] for i, w in mine), np.zeros(matrix.shape[1]))
        norm = {"sum": 1.0, "mean": sum(w for _, w in mine), "sqrtn": np.sqrt(sum(w * w for _, w in mine))}[combiner]
        out[row] = total / norm if mine else 0.0
    return out


def sparse(places, values, dims):
    return tf.SparseTensor(places, values, dims)


@pytest.mark.parametrize("combiner", ["sum", "mean", "sqrtn"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shards", [1, 2])
def test_lookup(combiner: str, weighted: bool, shards: int) -> None:
    weights = WEIGHTS if weighted else np.ones(6)
    with tf.Graph().as_default(), tf.Session() as session:
        params = tf.constant(MATRIX) if shards == 1 else [tf.constant(MATRIX[i::2]) for i in range(2)]
        factors = sparse(PLACES, WEIGHTS, [3, 4]) if weighted else None
        found = tf.nn.embedding_lookup_sparse(params, sparse(PLACES, IDS, [3, 4]), factors, combiner=combiner)
        wanted = combine(MATRIX, PLACES[:, 0], IDS, weights, combiner, 3)
        np.testing.assert_allclose(session.run(found), wanted, rtol=1e-6)


@pytest.mark.parametrize("combiner", ["sum", "mean", "sqrtn"])
@pytest.mark.parametrize("default", [None, 2])
@pytest.mark.parametrize("weighted", [False, True])
def test_missing_ids(combiner: str, default: int | None, weighted: bool) -> None:
    """Ids of any rank; negative ids and weights are dropped, and entries without ids get the default's row or zeros."""
    weights = SIGNED if weighted else np.ones(6)
    with tf.Graph().as_default(), tf.Session() as session:
        factors = sparse(DEEP, SIGNED, [3, 2, 4]) if weighted else None
        ids = sparse(DEEP, SOME, [3, 2, 4])
        found = tf.nn.safe_embedding_lookup_sparse(tf.constant(MATRIX), ids, factors, combiner, default)
        assert found.shape.as_list() == [3, 2, 3]
        wanted = combine(MATRIX, DEEP[:, 0] * 2 + DEEP[:, 1], SOME, weights, combiner, 6, default)
        np.testing.assert_allclose(session.run(found), wanted.reshape(3, 2, 3), rtol=1e-6, atol=1e-12)


def test_norms_are_clipped_and_gradients_reach_the_rows() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        matrix = tf.constant(MATRIX)
        found = tf.nn.embedding_lookup_sparse(matrix, sparse([[0, 0]], [4], [1, 1]), None, combiner="sum", max_norm=0.5)
        assert np.linalg.norm(session.run(found)) == pytest.approx(0.5)
        plain = tf.nn.embedding_lookup_sparse(matrix, sparse(PLACES, IDS, [3, 4]), None, combiner="sum")
        (slopes,) = tf.gradients(plain, matrix)
        dense = session.run(tf.convert_to_tensor(slopes))
    np.testing.assert_array_equal(dense[:, 0], np.bincount(IDS, minlength=10))


def test_partitioned_variables() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        whole = tf.get_variable("w", [10, 3], partitioner=tf.fixed_size_partitioner(3))
        found = tf.nn.embedding_lookup(whole, [0, 5, 9], partition_strategy="div")
        session.run(tf.global_variables_initializer())
        rows, value = session.run([found, tf.convert_to_tensor(whole)])
    np.testing.assert_array_equal(rows, value[[0, 5, 9]])


REFUSED = {
    "dense ids": (lambda: tf.nn.embedding_lookup_sparse(MATRIX, [1], None), TypeError, "sp_ids must be SparseTensor"),
    "dense weights": (
        lambda: tf.nn.embedding_lookup_sparse(MATRIX, sparse(PLACES, IDS, [3, 4]), WEIGHTS), TypeError, "sp_weights must be",
    ),
    "combiner": (
        lambda: tf.nn.embedding_lookup_sparse(MATRIX, sparse(PLACES, IDS, [3, 4]), None, combiner="max"), ValueError,
        "combiner must be one of",
    ),
    "no weights": (
        lambda: tf.nn.safe_embedding_lookup_sparse([], sparse(PLACES, IDS, [3, 4])), ValueError, "Missing embedding_weights",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case: str) -> None:
    build, kind, words = REFUSED[case]
    with tf.Graph().as_default(), pytest.raises(kind, match=words):
        build()


def filled(values, default):
    sparse_out, empty = tf.sparse_fill_empty_rows(sparse([[0, 1], [2, 0], [2, 2]], values, [4, 3]), default)
    return [sparse_out.indices, sparse_out.values, empty]


def filled_values(values, default):
    places = np.array([[0, 1], [1, 0], [2, 0], [2, 2], [3, 0]])
    return places, np.array([values[0], default, values[1], values[2], default]), np.array([False, True, False, True])


def lookup_gradient_of(dy):
    return lookup("SparseFillEmptyRowsGrad")(np.array([0, 3]), dy)


ROWS = table(
    Row("SparseFillEmptyRows", filled, [np.array([1.0, 2.0, 3.0]), np.array(7.0)], filled_values, gradient=True, devices="CPU"),
    Row("SparseFillEmptyRowsGrad", lookup_gradient_of, [np.array([1.0, 2.0, 4.0, 8.0])],
        lambda dy: (dy[[0, 3]], dy[1] + dy[2]), devices="CPU"),
)  # fmt: skip


test_forward, test_in_sessions, test_gradient = row_tests(ROWS)


def test_retain() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        kept = session.run(tf.sparse_retain(sparse(PLACES, IDS, [3, 4]), IDS > 1))
        np.testing.assert_array_equal(kept.values, [3, 9, 9])
        np.testing.assert_array_equal(kept.indices, PLACES[IDS > 1])
        with pytest.raises(ValueError, match=r"must be equal|compatible"):
            tf.sparse_retain(sparse(PLACES, IDS, [3, 4]), [True])
        with pytest.raises(tf.errors.InvalidArgumentError, match="is invalid"):
            session.run(tf.sparse_fill_empty_rows(sparse([[5, 0]], [1], [2, 2]), 0)[1])


@pytest.mark.parametrize("combiner", ["sum", "mean", "sqrtn"])
def test_each_row_is_looked_up_once_and_has_one_gradient(combiner: str) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        table = tf.constant(np.arange(12.0, dtype="f").reshape(4, 3))
        ids = tf.SparseTensor([[0, 0], [0, 1], [1, 0], [3, 0]], tf.constant([2, 0, 2, 2], tf.int64), [4, 2])
        weights = tf.SparseTensor(ids.indices, tf.ones([4]), ids.dense_shape)
        plain, weighed = (tf.nn.embedding_lookup_sparse(table, ids, w, combiner=combiner) for w in (None, weights))
        assert [plain.op.name, weighed.op.name] == ["embedding_lookup_sparse", "embedding_lookup_sparse_1"]
        dense = tf.convert_to_tensor(tf.gradients(weighed, table)[0])
        one, other, found, wanted = session.run([plain, weighed, tf.gradients(plain, table)[0], dense])
    np.testing.assert_allclose(one, other, rtol=1e-6)
    assert not one[2].any()
    assert found.indices.tolist() == [2, 0]
    np.testing.assert_allclose(found.values, wanted[[2, 0]], rtol=1e-6)
