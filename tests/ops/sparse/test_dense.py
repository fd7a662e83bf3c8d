"""Sparse tensors as objects, and from sparse to dense."""

# A table reads best with a row on each line.
# ruff: noqa: E501

import numpy as np
import pytest

import millstream as tf
from support.opcheck import Row, row_tests, table

PLACES = np.array([[0, 1], [1, 0], [1, 2]])
VALUES = np.array([1.5, -2.0, 3.0])


def dense(places, dims, values, default=0.0):
    out = np.full(dims, default)
    out[tuple(np.atleast_2d(places).T if np.ndim(places) == 2 else (np.atleast_1d(places),))] = values
    return out


ROWS = table(
    Row("SparseToDense", lambda v: tf.sparse_to_dense(PLACES, [2, 3], v), [VALUES], lambda v: dense(PLACES, (2, 3), v), gradient=True),
    Row("SparseToDense", lambda v, d: tf.sparse_to_dense(PLACES, [2, 3], v, d), [VALUES, np.array(7.0)],
        lambda v, d: dense(PLACES, (2, 3), v, d), gradient=True, label="default"),
    Row("SparseToDense", lambda v: tf.sparse_to_dense([1, 3], [5], v), [np.array(2.0)], lambda v: dense([1, 3], (5,), v), gradient=True, unknown=False, label="scalar"),
    Row("SparseToDense", lambda v: tf.sparse_to_dense(3, [5], v), [np.array(2)], lambda v: dense(3, (5,), v), label="one place"),
    Row("SparseToDense", lambda v: tf.sparse_to_dense([4, 0], [5], v, validate_indices=False), [np.array([2.0, 3.0])],
        lambda v: dense([4, 0], (5,), v), label="unordered"),
    Row("SparseToDense", lambda v: tf.sparse_tensor_to_dense(tf.SparseTensor(PLACES, v, [2, 3])),
        [np.array([b"a", b"b", b"c"], object)], lambda v: np.array([[b"", b"a", b""], [b"b", b"", b"c"]], object), devices="CPU", label="string"),
    Row("SparseToDense", lambda v: tf.sparse_to_dense(np.zeros((0, 2), np.int64), [1, 2], v), [np.zeros(0)], lambda v: np.zeros((1, 2)), label="empty"),
)  # fmt: skip

test_forward, test_in_sessions, test_gradient = row_tests(ROWS)

ORDER = "Many sparse ops require sorted indices"
ERRORS = {
    "order": (lambda: tf.sparse_to_dense([[0, 1], [0, 0]], [2, 2], [5, 6]), rf"indices\[1\] = \[0,0\] is out of order. {ORDER}"),
    "repeated": (lambda: tf.sparse_to_dense([[0, 1], [0, 1]], [2, 2], [5, 6]), rf"indices\[1\] = \[0,1\] is repeated. {ORDER}"),
    "bounds": (lambda: tf.sparse_to_dense([[0, 3]], [2, 2], [5]), r"indices\[0\] = \[0,3\] is out of bounds: need 0 <= index < \[2,2\]"),
    "unchecked bounds": (lambda: tf.sparse_to_dense([[0, 3]], [2, 2], [5], validate_indices=False), "out of bounds"),
    "values": (lambda: tf.sparse_to_dense([0, 1], [3], [1, 2, 3]), r"sparse_values has incorrect shape \[3\], should be \[\] or \[2\]"),
    "rank": (lambda: tf.sparse_to_dense([[0, 1]], [3], [1]), "output_shape has incorrect number of elements: 1 should be: 2"),
}  # fmt: skip


@pytest.mark.parametrize("case", ERRORS)
def test_errors(case: str) -> None:
    build, words = ERRORS[case]
    with tf.Graph().as_default(), tf.Session() as session, pytest.raises(tf.errors.InvalidArgumentError, match=words):
        session.run(build())


def test_feeding_and_fetching() -> None:
    """A sparse tensor is fed and fetched as one, by name of its parts or as a tuple."""
    value = tf.SparseTensorValue(PLACES, VALUES.astype(np.float32), np.array([2, 3]))
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.sparse_placeholder(tf.float32, name="x")
        assert [part.name for part in (x.indices, x.values, x.dense_shape)] == [
            "x/indices:0",
            "x/values:0",
            "x/shape:0",
        ]
        for fed in (value, tuple(value)):
            found = session.run({"x": [x]}, {x: fed})["x"][0]
            assert isinstance(found, tf.SparseTensorValue)
            for part, wanted in zip(found, value, strict=True):
                np.testing.assert_array_equal(part, wanted)
        constant = tf.SparseTensor.from_value(value)
        np.testing.assert_array_equal(constant.eval().values, VALUES)


def test_properties() -> None:
    with tf.Graph().as_default() as graph:
        x = tf.SparseTensor([[0, 1]], [3.0], [2, 3])
        assert (x.shape.as_list(), x.get_shape().as_list(), x.dtype, x.graph) == ([2, 3], [2, 3], tf.float32, graph)
        assert str(x).startswith('SparseTensor(indices=Tensor("SparseTensor/indices:0", shape=(1, 2), dtype=int64)')
        assert tf.sparse_placeholder(tf.int32, [4, None]).shape.as_list() == [4, None]
        assert tf.sparse_placeholder(tf.int32, [4, 2]).shape.as_list() == [4, 2]
        assert tf.convert_to_tensor_or_sparse_tensor(x) is x
        assert isinstance(tf.convert_to_tensor_or_sparse_tensor([1, 2]), tf.Tensor)


REFUSED = {
    "as a tensor": (lambda x: tf.convert_to_tensor(x), TypeError, "to Tensor"),
    "not sparse": (lambda x: tf.sparse_tensor_to_dense([1, 2]), TypeError, "Input must be a SparseTensor"),
    "not a value": (lambda x: tf.SparseTensor.from_value([1]), TypeError, "Neither a SparseTensor nor SparseTensorValue"),
    "counts": (lambda x: tf.SparseTensor([[0, 1]], [1, 2], [2, 2]), ValueError, "2"),
    "ranks": (lambda x: tf.SparseTensor([[0, 1]], [1], [2]), ValueError, "2"),
    "flat": (lambda x: tf.SparseTensor([0, 1], [1, 2], [2]), ValueError, "rank 2"),
    "another dtype": (lambda x: tf.convert_to_tensor_or_sparse_tensor(x, tf.int32), RuntimeError, "Sparse dtype mismatch"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case: str) -> None:
    build, kind, words = REFUSED[case]
    with tf.Graph().as_default(), pytest.raises(kind, match=words):
        build(tf.SparseTensor([[0, 1]], [3.0], [2, 3]))
