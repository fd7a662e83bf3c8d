"""What some keywords do in corners that the tables of calls do not reach."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import millstream as tf


@pytest.fixture(autouse=True)
def graph() -> Iterator[None]:
    with tf.Graph().as_default():
        yield


def run(found: Any) -> Any:
    with tf.Session() as session:
        session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        return session.run(found)


def test_one_column_of_csv() -> None:
    records = tf.constant([["1,2"], ["3,4"]])
    assert run(tf.decode_csv(records, [[0]], select_cols=[1]))[0].tolist() == [[2], [4]]
    assert run(tf.decode_csv("7", [[0]])) == [7]


def test_activity_is_punished_by_the_example() -> None:
    tf.layers.dense(
        np.ones([4, 2], "f"), 3, kernel_initializer=tf.ones_initializer(), activity_regularizer=tf.reduce_sum
    )
    (loss,) = tf.losses.get_regularization_losses()
    assert loss.name == "dense/ActivityRegularizer/truediv:0" and run(loss) == 6.0


def test_frozen_layers_update_nothing() -> None:
    layer = tf.layers.BatchNormalization(trainable=False)
    layer(np.ones([4, 2], "f"), training=True)
    assert layer.updates == [] == tf.get_collection(tf.GraphKeys.UPDATE_OPS)
    assert {v.synchronization for v in (layer.moving_mean, layer.moving_variance)} == {
        tf.VariableSynchronization.ON_READ
    }


def test_what_is_read_over_replicas_is_not_trained() -> None:
    v = tf.Variable(1.0, synchronization=tf.VariableSynchronization.ON_READ, aggregation=tf.VariableAggregation.SUM)
    assert not v.trainable and tf.trainable_variables() == []
    with pytest.raises(ValueError, match="only for non-trainable variables"):
        tf.Variable(1.0, trainable=True, synchronization=tf.VariableSynchronization.ON_READ)
    tf.metrics.mean([1.0])
    assert {v.aggregation for v in tf.local_variables()} == {tf.VariableAggregation.SUM}


def test_names_order_the_cases_of_a_dict() -> None:
    b, a = (tf.constant(True, name=name) for name in "ba")
    cases = {b: lambda: tf.constant("b"), a: lambda: tf.constant("a")}
    assert run([tf.case(cases), tf.case(OrderedDict(cases)), tf.case(list(cases.items()))]) == [b"a", b"b", b"b"]


def test_a_tensor_equals_itself() -> None:
    x = tf.placeholder(tf.float32, [])
    assert tf.assert_equal(x, x).type == "NoOp"
    assert tf.assert_equal(x, 1.0).name == "assert_equal_2/Assert/AssertGuard/Merge"


def test_batches_of_indices_may_be_unknown() -> None:
    params = np.arange(24.0).reshape(2, 3, 4)
    indices = np.array([[[0], [2]], [[1], [1]]])
    x, i = tf.placeholder_with_default(params, [None, 3, None]), tf.placeholder_with_default(indices, [None, None, 1])
    found = tf.gather_nd(x, i, batch_dims=1)
    value, slope = run([found, tf.gradients(found, x)[0]])
    assert (value == params[[[0], [1]], indices[..., 0]]).all() and slope.sum(-1).tolist() == [[4, 0, 4], [0, 8, 0]]
    for dims in (-1, 3):
        with pytest.raises(ValueError, match="batch_dims"):
            tf.gather_nd(params, indices, batch_dims=dims)


def test_sparse_products() -> None:
    a, b = np.eye(2, dtype="f") * 2, np.arange(4, dtype="f").reshape(2, 2)
    made = tf.matmul(a, b, transpose_b=True, b_is_sparse=True)
    assert made.op.type == "SparseMatMul" and run(made).tolist() == (2 * b.T).tolist()
    narrow = tf.matmul(tf.cast(a, tf.bfloat16), tf.cast(b, tf.bfloat16), a_is_sparse=True)
    assert narrow.dtype == tf.bfloat16 and tf.matmul(a.astype("d"), b.astype("d"), a_is_sparse=True).op.type == "MatMul"


def test_shapes_of_sparse_placeholders() -> None:
    known = tf.sparse_placeholder(tf.float32, [2, -1], name="x")
    assert known.shape.as_list() == [2, None] and run(known.dense_shape).tolist() == [2, -1]
    of_tensor = tf.sparse_placeholder(tf.float32, tf.constant([2, 3], tf.int64))
    assert of_tensor.shape.as_list() == [2, 3] and of_tensor.indices.shape.as_list() == [None, 2]
    with tf.Session() as session:
        value = tf.SparseTensorValue([[1, 0]], np.float32([5.0]), [2, 4])
        assert session.run(tf.sparse_tensor_to_dense(known), {known: value}).tolist() == [[0] * 4, [5, 0, 0, 0]]


def test_lengths_of_masks_may_be_wider() -> None:
    mask = tf.sequence_mask(np.int32([1, 2]), tf.constant(3, tf.int64), tf.int32)
    assert run(mask).tolist() == [[1, 0, 0], [1, 1, 0]]


def test_sizes_may_be_halves_of_sizes() -> None:
    x = tf.ones([1, 4, 4, 1])
    made = tf.nn.max_pool(x, [1, 4 / 2, 2.0, 1], [1, 2, np.float32(2), 1], "VALID")
    assert made.shape.as_list() == [1, 2, 2, 1] and tf.nn.lrn(x, 2.0).op.get_attr("depth_radius") == 2
    for wrong in ("2", float("nan")):
        with pytest.raises(TypeError, match="Expected int for argument 'depth_radius'"):
            tf.nn.lrn(x, wrong)


def test_shapes_that_cannot_fit_are_refused_while_building() -> None:
    sparse = tf.SparseTensor([[0, 1]], [1.0], [2, 2])
    for call in (
        lambda: tf.sparse_tensor_dense_matmul(sparse, np.ones([3, 3], "f")),
        lambda: tf.nn.bias_add(np.ones([4, 2], "f"), np.ones(2, "f"), "NC"),
        lambda: tf.multinomial(np.ones([2, 3], "f"), [1]),
        lambda: tf.split(np.ones(4), 2.0),
        lambda: tf.nn.softmax_cross_entropy_with_logits_v2(labels=np.eye(2), logits=np.eye(2), axis=2),
        lambda: tf.nn.softmax_cross_entropy_with_logits(labels=np.eye(2), logits=np.eye(2), axis=0),
        lambda: tf.estimator.RunConfig(train_distribute="any"),
        lambda: tf.feature_column.numeric_column("x", 2, [1.0]),
    ):
        with pytest.raises(ValueError):
            call()


def test_named_examples_are_named_in_errors() -> None:
    record = tf.train.Example()
    record.features.feature["a"].int64_list.value.extend([3, 4])
    features = {"a": tf.FixedLenFeature([2], tf.int64), "b": tf.VarLenFeature(tf.int64)}
    found = run(tf.parse_single_example(record.SerializeToString(), features, example_names="first"))
    assert found["a"].tolist() == [3, 4] and found["b"].dense_shape.tolist() == [0]
    with pytest.raises(tf.errors.InvalidArgumentError, match="first"):
        run(tf.parse_single_example(b"junk", features, example_names="first"))
