"""What ops make of dtypes that few programs have: whole numbers that run over, quantised ones, strings in messages."""

import numpy as np
import pytest

import millstream as tf
from millstream.ops.core import protos
from millstream.ops.core.registry import lookup
from millstream.ops.core.tensor_proto import joined_strings, make_ndarray, split_strings


def value(tensor, feeds=None):
    with tf.Session() as session:
        return session.run(tensor, feeds)


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default():
        yield


def test_a_norm_of_small_whole_numbers_runs_over_as_their_sums_do():
    assert value(lookup("EuclideanNorm")(np.array([10, 10, 10, 4], np.int8), [0])) == 7


def test_means_of_whole_numbers_are_cut_off_towards_zero():
    pooled = lookup("FractionalAvgPool")(
        np.array([-1, 2, -2, -5], np.int32).reshape(1, 2, 2, 1), pooling_ratio=[1.0, 2.0, 2.0, 1.0], deterministic=True, seed=1
    )[0]
    assert value(pooled).ravel().tolist() == [-1]


def test_quantised_numbers_are_equal_as_whole_ones_are():
    x = lookup("QuantizeV2")(tf.constant([0.0, 1.0, 2.0]), 0.0, 2.0, T=tf.quint8)[0]
    fed = tf.placeholder(tf.quint8, [3])
    assert value([tf.equal(x, fed), tf.not_equal(x, fed)], {fed: value(x)})[0].tolist() == [True] * 3


def test_a_gradient_of_strings_is_empty_where_nothing_was_taken():
    spread = lookup("StridedSliceGrad")([3], [1], [2], [1], tf.constant([b"a"]))
    assert value(spread).tolist() == [b"", b"a", b""]


def test_pieces_are_as_many_as_the_node_says_and_eigenvalues_as_precise_as_their_matrix():
    with pytest.raises(tf.errors.InvalidArgumentError, match="same elements as outputs"):
        value(lookup("SplitV")(tf.zeros([3]), tf.placeholder_with_default([1, 2], None), 0, num_split=3)[0])
    with pytest.raises(tf.errors.InvalidArgumentError, match="do not have the type"):
        value(lookup("Eig")(tf.eye(2), Tout=tf.complex128)[0])


def test_strings_as_the_content_of_a_message():
    items = [b"", b"a", b"x" * 300]
    data = joined_strings(items)
    assert data[:4] == b"\0\1\xac\2" and split_strings(data, 3).tolist() == items
    for wrong in (data + b"!", data[:3], b"\xff"):
        with pytest.raises(ValueError, match="strings has"):
            split_strings(wrong, 3)
    sparse = tf.SparseTensor([[0, 1], [2, 0]], [b"p", b"qr"], [3, 2])
    message = protos.TensorProto.FromString(value(tf.serialize_sparse(sparse))[1])
    assert message.tensor_content == b"\1\2pqr" and make_ndarray(message).tolist() == [b"p", b"qr"]
    back = value(tf.deserialize_many_sparse([value(tf.serialize_sparse(sparse))], tf.string))
    assert back.values.tolist() == [b"p", b"qr"]


def test_a_summary_without_a_tag_has_its_nodes_name():
    made = [lookup("TensorSummary")(tf.constant(2.5), name=name) for name in ("one", "two")]
    assert [tf.Summary.FromString(data).value[0].node_name for data in value(made)] == ["one", "two"]


def test_files_say_the_density_as_it_was_given():
    image = np.zeros((2, 2, 3), np.uint8)
    for unit, number in (("in", 1), ("cm", 2)):
        data = value(tf.image.encode_jpeg(image, density_unit=unit, x_density=300, y_density=7))
        assert data[13:18] == bytes([number, 1, 44, 0, 7])
