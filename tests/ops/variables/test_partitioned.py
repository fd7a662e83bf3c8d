"""Partitioned variables: parts, names, sharing, and TensorFlow's words for what is refused."""

import numpy as np
import pytest

import millstream as tf

pytestmark = pytest.mark.usefixtures("graph")


@pytest.fixture
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def two(axis=0):
    return tf.fixed_size_partitioner(2, axis)


def test_parts_and_their_nodes(graph):
    v = tf.get_variable("v", [5, 3], partitioner=two(), initializer=tf.ones_initializer(), regularizer=tf.reduce_sum)
    assert (v.name, v.shape.as_list(), v.dtype, len(v)) == ("v", [5, 3], tf.float32, 2)
    assert [part.name for part in v] == ["v/part_0:0", "v/part_1:0"] == [part.name for part in tf.global_variables()]
    assert [part._get_save_slice_info().spec for part in v] == ["5 3 0,3:0,3", "5 3 3,2:0,3"]
    assert len(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)) == 2
    tf.convert_to_tensor(v)
    nodes = [op.name for op in graph.get_operations()]
    assert nodes[-3:] == ["v/ConcatPartitions/concat/axis", "v/ConcatPartitions/concat", "v"]


@pytest.mark.parametrize("axis, shapes", [(0, [[2, 3], [2, 3]]), (1, [[4, 2], [4, 1]])])
def test_the_whole_is_the_parts_together(axis, shapes):
    value = np.arange(12, dtype="f4").reshape(4, 3)
    v = tf.get_variable("v", initializer=tf.constant(value), partitioner=two(axis))
    assert [part.shape.as_list() for part in v] == shapes
    added = v.assign_add(tf.ones([4, 3]))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        np.testing.assert_array_equal(session.run(v.as_tensor()), value)
        np.testing.assert_array_equal(session.run(v * 2.0), value * 2)
        session.run(added)
        np.testing.assert_array_equal(session.run(tf.identity(v)), value + 1)
        session.run(v.assign(np.zeros([4, 3], "f4")))
        np.testing.assert_array_equal(session.run(v + 0.0), 0 * value)


def test_initialisers_know_the_whole():
    eye = tf.get_variable("e", [4, 4], partitioner=two(1), initializer=tf.initializers.identity())
    scaled = tf.get_variable("s", [100, 100], partitioner=two(), initializer=tf.glorot_uniform_initializer(seed=1))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        np.testing.assert_array_equal(session.run(eye.as_tensor()), np.eye(4))
        assert 0.95 < np.abs(session.run(scaled.as_tensor())).max() / np.sqrt(6 / 200) <= 1


def test_training_and_embeddings_reach_the_parts():
    table = tf.get_variable("t", [5, 2], partitioner=two(), initializer=tf.ones_initializer())
    rows = tf.nn.embedding_lookup(table, [0, 4], partition_strategy="div")
    train = tf.train.GradientDescentOptimizer(1.0).minimize(tf.reduce_sum(rows) + tf.reduce_sum(table))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(train)
        assert session.run(table.as_tensor())[:, 0].tolist() == [-1, 0, 0, 0, -1]


def test_scalars_stay_whole():
    assert isinstance(tf.get_variable("v", [], partitioner=two()), tf.Variable)


def test_a_scopes_partitioner():
    with tf.variable_scope("a", partitioner=two()):
        assert [part.op.name for part in tf.get_variable("v", [2])] == ["a/v/part_0", "a/v/part_1"]


SHARED = {
    "same": ({}, None),
    "auto": ({"reuse": tf.AUTO_REUSE}, None),
    "without saying so": ({"partitioner": None}, None),
    "shape": (
        {"shape": [4, 3]}, r"Trying to reuse partitioned variable s/v, but specified shape \(4, 3\) and found shape \(4, 2\)\."),
    "dtype": ({"dtype": tf.int32}, "variable s/v, but specified dtype int32 and found dtype float32"),
    "parts": (
        {"partitioner": tf.fixed_size_partitioner(4)},
        r"variable s/v, but specified partitions \[4, 1\] and found partitions \[2, 1\]"),
    "not shared": (
        {"reuse": False},
        "Partitioned variable with name s/v already exists. Did you mean to set reuse=True or reuse=tf.AUTO_REUSE in VarScope"),
}  # fmt: skip


@pytest.mark.parametrize("case", SHARED)
def test_sharing(case):
    given, words = SHARED[case]
    with tf.variable_scope("s"):
        first = tf.get_variable("v", [4, 2], partitioner=two())
    arguments = {"shape": [4, 2], "partitioner": two(), **given}
    with tf.variable_scope("s", reuse=arguments.pop("reuse", True)):
        if words is None:
            assert tf.get_variable("v", **arguments) is first
        else:
            with pytest.raises(ValueError, match=words):
                tf.get_variable("v", **arguments)


REFUSED = {
    "missing": (
        {"name": "w", "reuse": True}, "PartitionedVariable w does not exist, or was not created with tf.get_variable"),
    "whole before": (
        {"name": "whole"}, "A partitioner was provided, but an unpartitioned version of the variable was found: whole"),
    "unknown shape": (
        {"shape": [None, 2]}, r"Shape of a new partitioned variable must be fully defined, but instead was \(\?, 2\)"),
    "no function": ({"partitioner": 3}, "Partitioner must be callable, but received: 3"),
    "rank": ({"partitioner": lambda shape, dtype: [2]}, r"does not match the Variable's rank: \[2\] vs. \(4, 2\)"),
    "two axes": (
        {"partitioner": lambda shape, dtype: [2, 2]},
        r"Can only slice a variable along one dimension: shape: \(4, 2\), partitioning: \[2, 2\]"),
    "zero": ({"partitioner": lambda shape, dtype: [0, 1]}, r"Partitioner returned zero partitions for some axes: \[0, 1\]"),
    "no list": ({"partitioner": lambda shape, dtype: 3}, "Partitioner must return a sequence, but saw: 3"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case):
    given, words = REFUSED[case]
    tf.get_variable("whole", [4, 2])
    arguments = {"name": "v", "shape": [4, 2], "partitioner": two(), **given}
    with tf.variable_scope("", reuse=arguments.pop("reuse", None)), pytest.raises(ValueError, match=words):
        tf.get_variable(**arguments)


BY_SIZE = {"max_shard_bytes": 64}
MIN_MAX = {"max_partitions": 4, "min_slice_size": 64}


@pytest.mark.parametrize(
    "make, options, found",
    [
        (tf.variable_axis_size_partitioner, BY_SIZE, ([8, 1], [1], [7, 1])),
        (tf.variable_axis_size_partitioner, {"max_shard_bytes": 10, "max_shards": 3}, ([3, 1], [3], [3, 1])),
        (tf.variable_axis_size_partitioner, {"max_shard_bytes": 1000}, ([1, 1], [1], [1, 1])),
        (tf.min_max_variable_partitioner, MIN_MAX, ([4, 1], [1], [4, 1])),
        (tf.min_max_variable_partitioner, {"max_partitions": 3}, ([1, 1], [1], [1, 1])),
    ],
)
def test_partitioners(make, options, found):
    partitioner = make(**options)
    shapes = ([16, 8], [5], [100, 1])
    assert tuple(partitioner(shape=tf.TensorShape(s), dtype=tf.float32) for s in shapes) == found


def test_partitioners_refuse():
    with pytest.raises(ValueError, match="Cannot partition variable along axis 1 when shape is only"):
        tf.min_max_variable_partitioner(4, axis=1)(shape=tf.TensorShape([5]), dtype=tf.float32)
    with pytest.raises(ValueError, match="Currently, max_shard_bytes is 0"):
        tf.variable_axis_size_partitioner(0)
    with pytest.raises(ValueError, match="max_shards must be positive"):
        tf.variable_axis_size_partitioner(8, max_shards=-1)


def test_parts_by_a_given_slicing():
    parts = tf.create_partitioned_variables([4, 2], [2, 1], tf.ones([4, 2]), name="cp")
    assert [part.name for part in parts] == ["cp/part_0:0", "cp/part_1:0"]
    with pytest.raises(ValueError, match="must have the length"):
        tf.create_partitioned_variables([4, 2], [2], tf.ones_initializer())
    with pytest.raises(ValueError, match="Can only slice a variable along one dimension"):
        tf.create_partitioned_variables([4, 2], [2, 2], tf.ones_initializer())


@pytest.mark.simulated_gpus(2)
def test_parts_may_sit_on_different_devices():
    devices = iter(["/gpu:0", "/gpu:1"])
    with tf.device(lambda op: next(devices) if op.type == "VariableV2" else None):
        v = tf.get_variable("v", [4], partitioner=two(), initializer=tf.ones_initializer())
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        total = tf.reduce_sum(v)
        assert session.run(total) == 4
        placed = session.placement(total)
        assert [placed[part.op.name].assigned[-5:] for part in v] == ["GPU:0", "GPU:1"]
