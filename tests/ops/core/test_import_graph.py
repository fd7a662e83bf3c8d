"""Importing graphs: a round trip changes nothing; prefixes, mapped inputs, devices and colocation; what is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import millstream as tf
from millstream.ops.core.import_graph import import_graph_def


def sample():
    """A graph with devices, colocation, control inputs, lists, a variable and strings."""
    graph = tf.Graph()
    with graph.as_default():
        with graph.device("/gpu:0"):
            x = tf.placeholder(tf.float32, [None, 3], name="x")
        with graph.colocate_with(x.op):
            joined = tf.concat([x, x], 1, name="joined")
        weights = tf.Variable(tf.ones([6, 2]), name="w")
        pieces = tf.split(joined, 3, 1, name="pieces")
        with graph.control_dependencies([pieces[0].op]):
            tf.identity(pieces[1], name="second")
        tf.matmul(joined, weights, name="product")
        tf.identity(tf.constant(["a", "b"]), name="text")
    return graph


def test_round_trip():
    message = sample().as_graph_def()
    with tf.Graph().as_default() as graph:
        assert import_graph_def(message, name="") is None
    assert graph.as_graph_def() == message


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["add", "stack", "slice", "split", "tanh"]), st.integers(0, 9), st.integers(0, 9)),
        max_size=12,
    ),
    st.randoms(),
)
def test_random_graphs_in_any_order(steps, random):
    graph = tf.Graph()
    with graph.as_default():
        made = [tf.placeholder(tf.float32, [2, 2])]
        for kind, i, j in steps:
            x, y = made[i % len(made)], made[j % len(made)]
            build = {
                "add": lambda x=x, y=y: x + y,
                "stack": lambda x=x, y=y: tf.stack([x, y])[0],
                "slice": lambda x=x: tf.concat([x[1:], x[:1]], 0),
                "split": lambda x=x: tf.concat(tf.split(x, 2), 1)[:, :2] * tf.ones([2, 2]),
                "tanh": lambda x=x: tf.tanh(x),
            }
            made.append(build[kind]())
    message = graph.as_graph_def()
    shuffled = tf.GraphDef()
    nodes = list(message.node)
    random.shuffle(nodes)
    shuffled.node.extend(nodes)
    with tf.Graph().as_default() as again:
        import_graph_def(shuffled, name="")
    key = lambda node: node.name  # noqa: E731
    assert sorted(again.as_graph_def().node, key=key) == sorted(message.node, key=key)


def test_names_get_a_prefix_and_inputs_may_be_mapped():
    message = sample().as_graph_def()
    with tf.Graph().as_default() as graph:
        mine = tf.zeros([4, 3])
        pieces, second = import_graph_def(message, {"x": mine}, ["pieces:2", "second"], name="net")
        assert (pieces.name, second.name) == ("net/pieces:2", "net/second")
        assert pieces.shape.as_list() == [4, 2]
        assert graph.get_operation_by_name("net/joined").inputs[0] is mine
        assert graph.get_operation_by_name("net/second").control_inputs == (graph.get_operation_by_name("net/pieces"),)
        assert import_graph_def(message, return_elements=["x"])[0].name == "import/x"
        assert import_graph_def(message, return_elements=["x"])[0].name == "import_1/x"


def test_devices_merge_with_scopes_and_groups_follow_their_nodes():
    message = sample().as_graph_def()
    with tf.Graph().as_default() as graph, tf.device("/job:worker/cpu:1"):
        import_graph_def(message, name="net")
    x, joined, text = (graph.get_operation_by_name(f"net/{name}") for name in ("x", "joined", "text"))
    assert x.device == "/job:worker/device:GPU:0"
    assert text.device == "/job:worker/device:CPU:1"
    assert joined.colocation_groups() == [b"loc:@net/x"]


def changed(**fields):
    message = sample().as_graph_def()
    for name, value in fields.items():
        setattr(message.node[0], name, value)
    return message


@pytest.mark.parametrize(
    ("message", "options", "words"),
    [
        (changed(op="Nonsense"), {}, "Op type not registered 'Nonsense' in node 'x'"),
        (changed(name="y"), {}, "Node 'joined': Unknown input node 'x'"),
        (
            sample().as_graph_def(),
            {"input_map": {"nothing": 1.0}},
            "inputs that were not found in graph_def: \\[nothing\\]",
        ),
        (sample().as_graph_def(), {"return_elements": ["nothing"]}, "return_element 'nothing' not found"),
        (sample().as_graph_def(), {"return_elements": ["x:1"]}, "return_element 'x:1' not found"),
    ],
)
def test_refused(message, options, words):
    with tf.Graph().as_default(), pytest.raises(ValueError, match=words):
        import_graph_def(message, **options)


def test_nothing_is_added_of_a_graph_with_an_unknown_op():
    message = sample().as_graph_def()
    message.node[-1].op = "Nonsense"
    with tf.Graph().as_default() as graph:
        with pytest.raises(ValueError, match="Nonsense"):
            import_graph_def(message)
        assert graph.get_operations() == []


def test_names_that_are_taken_and_cycles():
    message = sample().as_graph_def()
    with tf.Graph().as_default():
        tf.zeros([], name="x")
        with pytest.raises(ValueError, match="Node name 'x' already exists in the Graph"):
            import_graph_def(message, name="")
    message.node[0].input.append("^second")
    with tf.Graph().as_default(), pytest.raises(ValueError, match="cycle"):
        import_graph_def(message)


def test_only_graph_defs():
    with pytest.raises(TypeError, match="graph_def must be a GraphDef proto"):
        import_graph_def("nothing")
