"""tf.graph_util: frozen graphs give what the session gave, and cut ones hold what is needed."""

import numpy as np
import pytest

import millstream as tf


@pytest.fixture(params=[False, True], ids=["ref", "resource"])
def model(request):
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [None, 2], name="x")
        w = tf.get_variable("w", [2, 3], use_resource=request.param)
        b = tf.get_variable("b", [3], use_resource=request.param, initializer=tf.ones_initializer())
        y = tf.add(tf.matmul(x, w), b, name="y")
        tf.square(y, name="unused")
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            yield graph, session, session.run(y, {x: [[1.0, 2.0]]})


def run(graph_def, feeds, fetch="y:0"):
    with tf.Graph().as_default(), tf.Session() as session:
        tf.import_graph_def(graph_def, name="")
        return session.run(fetch, feeds)


def test_freezing(model):
    graph, session, expected = model
    frozen = tf.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), ["y"])
    kinds = {node.op for node in frozen.node}
    assert kinds & {"VariableV2", "VarHandleOp", "ReadVariableOp", "Assign"} == set()
    np.testing.assert_array_equal(run(frozen, {"x:0": [[1.0, 2.0]]}), expected)


def embedded_in_regions(x):
    """Returns a value that reads resource variables inside of branches and loops, some of them by rows."""
    w = tf.get_variable("w", initializer=[[1.0, 2.0], [3.0, 4.0]], use_resource=True)
    k = tf.get_variable("k", initializer=0.5, use_resource=True)

    def body(i, y):
        row = tf.nn.embedding_lookup(w, [i % 2])[0]
        return i + 1, tf.cond(tf.reduce_sum(y) > 3.0, lambda: y * k, lambda: y + row * k)

    y = tf.while_loop(lambda i, y: tf.cast(i, tf.float32) < 8.0 * k, body, [0, x])[1]
    return tf.identity(y, name="y")


def test_freezing_what_references_lead_to():
    with tf.Graph().as_default() as graph, tf.Session() as session:
        tf.get_variable("v", initializer=3.0)
        p = tf.placeholder(tf.bool, [], name="p")
        tf.cond(p, lambda: tf.identity(graph.get_tensor_by_name("v:0")) * 2.0, lambda: tf.constant(1.0), name="c")
        session.run(tf.global_variables_initializer())
        whole = graph.as_graph_def()
        frozen = tf.graph_util.convert_variables_to_constants(session, whole, ["c/Merge"])
    assert "RefSwitch" in {node.op for node in whole.node}
    assert not {node.op for node in frozen.node} & {"RefSwitch", "VariableV2"}
    assert [run(frozen, {"p:0": value}, "c/Merge:0") for value in (True, False)] == [6.0, 1.0]


def test_freezing_what_regions_read():
    with tf.Graph().as_default() as graph, tf.Session() as session:
        x = tf.placeholder(tf.float32, [2], name="x")
        y = embedded_in_regions(x)
        session.run(tf.global_variables_initializer())
        wanted = session.run(y, {x: [0.5, 1.0]})
        frozen = tf.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), ["y"])
        some = tf.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), ["y"], ["w"])
    nodes = [*frozen.node, *(node for function in frozen.library.function for node in function.node_def)]
    assert not {node.op for node in nodes} & {"VarHandleOp", "ReadVariableOp", "ResourceGather"}
    np.testing.assert_array_equal(run(frozen, {"x:0": [0.5, 1.0]}), wanted)
    assert {node.name: node.op for node in some.node}["k"] == "VarHandleOp"


@pytest.mark.parametrize("which", [{"variable_names_whitelist": ["w"]}, {"variable_names_blacklist": ["b"]}])
def test_freezing_some(model, which):
    graph, session, _ = model
    frozen = tf.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), ["y"], **which)
    ops = {node.name: node.op for node in frozen.node}
    assert ops["w"] == "Const" and ops["b"] != "Const"


def test_cutting(model):
    graph, _, _ = model
    cut = tf.graph_util.extract_sub_graph(graph.as_graph_def(), ["y"])
    names = {node.name for node in cut.node}
    assert {"x", "w", "b", "y"} <= names and "unused" not in names and "w/Assign" not in names
    with pytest.raises(AssertionError, match="no is not in graph"):
        tf.graph_util.extract_sub_graph(graph.as_graph_def(), ["no"])
    with pytest.raises(TypeError, match="dest_nodes must be a list"):
        tf.graph_util.extract_sub_graph(graph.as_graph_def(), "y")
    with pytest.raises(TypeError, match="must be a graph_pb2"):
        tf.graph_util.extract_sub_graph(graph, ["y"])


def test_nodes_of_training_are_removed():
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [], name="x")
        checked = tf.check_numerics(tf.identity(x, name="i"), "bad", name="c")
        tf.identity(checked * 2.0, name="y")
    smaller = tf.graph_util.remove_training_nodes(graph.as_graph_def())
    names = [node.name for node in smaller.node]
    assert "i" not in names and "c" not in names and "y" in names
    assert run(smaller, {"x:0": 3.0}) == 6
    assert "i" in {n.name for n in tf.graph_util.remove_training_nodes(graph.as_graph_def(), ["i"]).node}


def test_questions():
    with tf.Graph().as_default() as graph:
        text, number = tf.constant("a"), tf.constant([1.0, 2.0], name="n")
        assert tf.graph_util.must_run_on_cpu(text.op) and not tf.graph_util.must_run_on_cpu(number.op.node_def)
        assert tf.graph_util.tensor_shape_from_node_def_name(graph, "n").as_list() == [2]
