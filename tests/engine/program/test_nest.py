"""tf.nest and tf.contrib.framework.nest."""

import collections

import pytest

import millstream as tf
from millstream.engine.program import nest

Point = collections.namedtuple("Point", "x y")
TREES = [3, "text", [1, [2, (3,)]], {"b": 1, "a": [2, 3]}, Point(1, {"k": (2, 3)}), (), [[], 1]]


@pytest.mark.parametrize("tree", TREES, ids=str)
def test_packing_undoes_flattening(tree):
    assert tf.nest.pack_sequence_as(tree, tf.nest.flatten(tree)) == tree


def test_order_and_kinds():
    assert tf.nest.flatten({"b": 1, "a": [2, (3,)]}) == [2, 3, 1]
    packed = tf.nest.map_structure(lambda x, y: x + y, Point(1, [2]), Point(10, [20]))
    assert packed == Point(11, [22]) and isinstance(packed, Point)
    ordered = collections.OrderedDict([("b", 1), ("a", 2)])
    assert list(tf.nest.map_structure(str, ordered).items()) == [("b", "1"), ("a", "2")]


@pytest.mark.parametrize(
    "one, other, kind, words",
    [
        ([1, 2], [1], ValueError, "don't have the same nested structure(.|\n)*number of elements"),
        ([1, 2], [1, [2]], ValueError, "is a sequence, while substructure"),
        ([1], (1,), TypeError, "don't have the same sequence type"),
        ({"a": 1}, {"b": 1}, ValueError, "don't have the same set of keys"),
    ],
)
def test_differences(one, other, kind, words):
    with pytest.raises(kind, match=words):
        tf.nest.assert_same_structure(one, other)


def test_differences_of_type_may_be_let_pass():
    tf.nest.assert_same_structure([1, (2,)], (1, [2]), check_types=False)


def test_packing_counts():
    with pytest.raises(ValueError, match="Structure had 2 elements, but flat_sequence had 3"):
        tf.nest.pack_sequence_as([1, 2], [1, 2, 3])
    with pytest.raises(TypeError, match="flat_sequence must be a sequence"):
        tf.nest.pack_sequence_as([1], 1)


def test_up_to():
    assert nest.flatten_up_to([0, [0]], [(1, 2), [{"k": 3}]]) == [(1, 2), {"k": 3}]
    assert nest.map_structure_up_to([0, 0], lambda a: len(a), [[1, 2], [3]]) == [2, 1]
    with pytest.raises(ValueError, match="same sequence length"):
        nest.flatten_up_to([0, 0], [1])
    with pytest.raises(TypeError, match="input must also be a sequence"):
        nest.flatten_up_to([0], 1)
    assert nest.flatten_dict_items({(4, 5, (6, 8)): ("a", "b", ("c", "d"))}) == {4: "a", 5: "b", 6: "c", 8: "d"}
    with pytest.raises(ValueError, match="Key had 2 elements, but value had 1"):
        nest.flatten_dict_items({(1, 2): 3})
