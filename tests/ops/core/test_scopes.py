"""The functional forms of scopes: they act on the default graph, or on the graph of the values given."""

import pytest

import millstream as tf
from millstream.ops.core import scopes


def test_names_defaults_and_reentry():
    with tf.Graph().as_default():
        with scopes.name_scope(None, "default") as first, scopes.name_scope("inner") as inner:
            assert (first, inner) == ("default/", "default/inner/")
            assert tf.zeros([], name="x").op.name == "default/inner/x"
        with scopes.name_scope("default") as second:
            assert second == "default_1/"
        with scopes.name_scope(first):
            assert tf.zeros([], name="y").op.name == "default/y"
        with scopes.name_scope("a"), scopes.name_scope(None) as root:
            assert root == "" and tf.zeros([], name="z").op.name == "z"


def test_the_graph_is_that_of_the_values():
    other = tf.Graph()
    with other.as_default():
        value = tf.zeros([])
    with tf.Graph().as_default() as graph:
        with scopes.name_scope("of_other", values=[value, 3]), scopes.op_scope([value], None, "nested") as scope:
            assert tf.zeros([]).graph is other
            assert scope == "of_other/nested/"
        assert tf.zeros([]).graph is graph
        with (
            pytest.raises(ValueError, match="must be from the same graph"),
            scopes.name_scope("x", values=[value, tf.zeros([])]),
        ):
            pass


def test_a_scope_ends_when_its_block_raises():
    with tf.Graph().as_default() as graph:
        with pytest.raises(KeyError), scopes.name_scope("a"):
            raise KeyError
        assert scopes.get_name_scope() == "" and tf.get_default_graph() is graph


@pytest.mark.parametrize(
    ("arguments", "error"), [((None, None, []), ValueError), ((3,), TypeError), ((None, 3), TypeError)]
)
def test_wrong_names(arguments, error):
    with tf.Graph().as_default(), pytest.raises(error), scopes.name_scope(*arguments):
        pass


@pytest.mark.parametrize("make", [lambda name: tf.constant(1, name=name), lambda name: tf.no_op(name=name)])
def test_names_that_no_node_may_have(make):
    with tf.Graph().as_default():
        for name in ("two words", "_first", "ü"):
            with pytest.raises(ValueError, match=r"not a valid (node|scope) name"):
                make(name)
        with tf.name_scope("a"):
            assert make("_first").name.startswith("a/_first")


def test_devices_controls_and_colocation():
    with tf.Graph().as_default():
        with scopes.device("/gpu:1"):
            x = tf.zeros([], name="x")
        with scopes.control_dependencies([x]), scopes.colocate_with(x.op):
            y = tf.ones([], name="y")
        assert y.op.control_inputs == (x.op,)
        assert (y.device, y.op.colocation_groups()) == (x.device, [b"loc:@x"])


def test_colocation_scopes_add_up_and_the_innermost_device_counts():
    """As in TensorFlow: the node is in both groups."""
    with tf.Graph().as_default() as graph:
        with scopes.device("/gpu:0"):
            x, y = tf.constant(1.0, name="x"), tf.constant(1.0, name="y")
        with scopes.device("/cpu:0"):
            z = tf.constant(1.0, name="z")
        bare = tf.constant(1.0, name="bare")
        for outer, inner, device in ((x, z, z.device), (z, x, x.device), (y, bare, y.device)):
            with scopes.colocate_with(outer.op), scopes.colocate_with(inner.op):
                both = tf.constant(2.0)
            assert both.op.colocation_groups() == sorted([f"loc:@{t.op.name}".encode() for t in (outer, inner)])
            assert both.device == device
        with scopes.colocate_with(x.op), graph.colocate_with(z.op, ignore_existing=True):
            assert tf.constant(3.0).op.colocation_groups() == [b"loc:@z"]


def test_collections():
    with tf.Graph().as_default():
        x, y = tf.zeros([], name="a/x"), tf.zeros([], name="y")
        scopes.add_to_collection("one", x)
        scopes.add_to_collections(["one", "two"], y)
        assert scopes.get_collection("one") == [x, y]
        assert scopes.get_collection("one", "a/") == [x]
        scopes.get_collection_ref("two").clear()
        assert scopes.get_collection("two") == []
        assert sorted(scopes.get_all_collection_keys()) == ["one", "two"]


def test_colocation_decides_over_device_scopes_and_groups_keep_theirs():
    def device(node):
        return node.op.device

    with tf.Graph().as_default():
        free = tf.constant(1.0)
        with tf.device("/gpu:1"):
            first = tf.constant(1.0)
        with tf.device("/gpu:2"):
            second = tf.constant(1.0)
        with tf.colocate_with(first):
            with tf.colocate_with(second):
                assert device(tf.constant(1.0)) == "/device:GPU:2"
            with tf.device("/job:ps"):
                assert device(tf.constant(1.0)) == "/device:GPU:1"
        with tf.colocate_with(free), tf.device("/job:ps"):
            assert device(tf.constant(1.0)) == "/job:ps"
        with tf.device("/job:ps"):
            assert tf.group(free).device == "/job:ps"
            assert tf.group(first).device == "/job:ps/device:GPU:1"
            assert tf.group(first, second).device == "/job:ps"


def test_an_inner_scope_does_not_repeat_what_an_outer_one_waits_for():
    with tf.Graph().as_default():
        root = tf.constant(1.0)
        with tf.control_dependencies([root]):
            inside = tf.constant(2.0)
            with tf.control_dependencies([root, inside, inside]):
                assert set(tf.constant(3.0).op.control_inputs) == {root.op, inside.op}
                # What `seen` was made of waits for `root` already.
                seen = tf.identity(inside)
                assert not seen.op.control_inputs
            with tf.control_dependencies([root]):
                assert not tf.identity(inside).op.control_inputs
            with tf.control_dependencies(None), tf.control_dependencies([root]):
                assert list(tf.identity(inside).op.control_inputs) == [root.op]
