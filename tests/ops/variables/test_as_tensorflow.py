"""Corner cases of scopes and shared variables, with TensorFlow's words: partitions, regularisers, default initialisers."""

import numpy as np
import pytest

import millstream as tf


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def parts(count):
    return tf.fixed_size_partitioner(count)


def given(value, **options):
    return lambda: tf.create_partitioned_variables([4, 3], [2, 1], value, **options)


REFUSED = {
    "no partitioner where parts share the name": (
        lambda: [tf.get_variable("p", [4], partitioner=parts(2)), tf.get_variable("p", [4])],
        "No partitioner was provided, but a partitioned version of the variable was found: p/part_0"),
    "parts of an axis without rows": (
        lambda: tf.get_variable("p", [0, 2], partitioner=parts(2)),
        r"Partitioner returned zero partitions for some axes: \[0, 1\]"),
    "more parts than rows": (
        lambda: tf.get_variable("p", [4, 3], partitioner=lambda **unused: [1, 7]),
        r"Expected 0 <= offset < shape but found offset=3, shape=3 for var_offset=\[0, 3\], full_shape=\[4, 3\]"),
    "more parts than rows, by slicing": (
        lambda: tf.create_partitioned_variables([4], [5], tf.zeros_initializer()), "found offset=4, shape=4"),
    "a tensor of another shape": (lambda: given(tf.zeros([4, 2]))(), r"\(4, 3\) and \(4, 2\)"),
    "a scalar in parts": (
        lambda: tf.get_variable("p", [4, 2], initializer=1.0, partitioner=parts(2)), "Shape must be rank 2 but is rank 0"),
    "fewer parts than there are": (
        lambda: [tf.get_variable("p/part_0", [2]), tf.get_variable("p", [4], partitioner=parts(2))],
        "Partitioner returned 2 shards, and shard p/part_0 was found, but p/part_1 was not"),
    "more parts than there are": (
        lambda: [[tf.get_variable(f"p/part_{i}", [2]) for i in range(3)], tf.get_variable("p", [4], partitioner=parts(2))],
        "shard p/part_0 was found, but so was the extra shard p/part_2"),
    "an array, but no shape": (
        lambda: tf.get_variable("p", initializer=np.ones([4, 2]), partitioner=parts(2)),
        "Shape of a new partitioned variable must be fully defined, but instead was <unknown>"),
    "complex": (
        lambda: tf.get_variable("c", [2], tf.complex64), "An initializer for variable c of <dtype: 'complex64'> is required"),
    "resources": (lambda: tf.get_variable("c", [2], tf.qint8), "An initializer for variable c of <dtype: 'qint8'> is required"),
    "a name for the root": (lambda: tf.get_variable("a b", [1]), "'a b' is not a valid root scope name"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case):
    make, words = REFUSED[case]
    with pytest.raises(ValueError, match=words):
        make()


def test_partitions_take_what_tensorflow_takes():
    assert len(tf.get_variable("short", [1, 2], partitioner=parts(4))) == 1
    array = tf.get_variable("array", [4, 2], initializer=np.ones([4, 2]), partitioner=parts(2))
    assert [part.dtype.base_dtype for part in array] == [tf.float32] * 2
    assert tf.variable_axis_size_partitioner(8, max_shards=0)(shape=tf.TensorShape([4]), dtype=tf.float32) == [2]
    with tf.variable_scope("", reuse=True):
        assert tf.get_variable("array", [4, 2]) is array
    with tf.variable_scope("", reuse=tf.AUTO_REUSE), pytest.raises(ValueError, match="No partitioner was provided"):
        tf.get_variable("array", [4, 2])


@pytest.mark.parametrize("use_resource", [False, True])
def test_losses_of_variables_made_in_loops_and_branches_can_be_fetched(use_resource):
    def grown(x):
        return x * tf.get_variable("w", [], initializer=tf.constant_initializer(2.0), regularizer=tf.nn.l2_loss)

    with tf.variable_scope("s", use_resource=use_resource):
        looped = tf.while_loop(lambda x: x < 5.0, grown, [1.0])
    with tf.variable_scope("t", use_resource=use_resource):
        chosen = tf.cond(tf.constant(True), lambda: grown(3.0), lambda: 0.0)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run([looped, chosen, tf.losses.get_regularization_loss()]) == [8.0, 6.0, 4.0]


def test_creators_are_told_which_kind_is_wanted():
    told = []

    def creator(make, **options):
        told.append(options["use_resource"])
        return make(**options)

    with tf.variable_creator_scope(creator):
        tf.get_variable("a", [1])
        tf.get_variable("b", [1], use_resource=True)
        tf.Variable(1.0)
    assert told == [False, True, None]


def test_cached_reads_have_a_scope(graph):
    variable = tf.get_variable("v", [1], caching_device="/cpu:0", use_resource=True)
    assert variable.value().name == "v/Read/Identity:0" and variable.value().device == "/device:CPU:0"


@pytest.mark.parametrize("use_resource", [False, True])
def test_batches_of_rows_are_replaced(use_resource):
    variable = tf.Variable([[1.0, 2.0], [3.0, 4.0]], use_resource=use_resource)
    rows = tf.IndexedSlices(tf.constant([[7.0], [8.0]]), tf.constant([[0], [1]]))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run(variable.batch_scatter_update(rows)).tolist() == [[7.0, 2.0], [3.0, 8.0]]
    with pytest.raises(TypeError, match="not IndexedSlices"):
        variable.batch_scatter_update([1.0])


def test_what_a_node_reads_it_does_not_wait_for(graph):
    variable = tf.Variable(1.0)
    written = variable.assign(2.0)
    slices = tf.IndexedSlices(tf.constant([1.0]), tf.constant([0]))
    with tf.control_dependencies([written, slices]):
        assert list(tf.identity(written).op.control_inputs) == [slices.op]
        assert set(tf.no_op().control_inputs) == {written.op, slices.op}
