"""Conditionals and loops as functions in a GraphDef: complete, resolvable, and what TensorFlow computes from them."""

import pathlib

import numpy as np
import pytest

import millstream as tf


def build():
    """x -> cond(x > 0, x * k, cond(...)) -> while z = z * k + x -> out"""
    x = tf.placeholder(tf.float32, [2], name="x")
    k = tf.constant(3.0, name="k")
    y = tf.cond(
        tf.reduce_sum(x) > 0.0,
        lambda: x * k,
        lambda: tf.cond(tf.reduce_sum(x) < -5.0, lambda: x - k, lambda: x + k),
    )
    _, z = tf.while_loop(lambda i, z: i < 4, lambda i, z: (i + 1, z * k + x), [0, y])
    return x, tf.identity(z, name="out")


@pytest.fixture
def definition():
    with tf.Graph().as_default() as graph:
        build()
        return graph.as_graph_def(add_shapes=True)


def called(nodes):
    return [attr.func.name for node in nodes for attr in node.attr.values() if attr.WhichOneof("value") == "func"]


def test_regions_are_functions_of_the_library(definition):
    functions = {function.signature.name: function for function in definition.library.function}
    names = called(definition.node) + [name for f in functions.values() for name in called(f.node_def)]
    assert sorted(names) == sorted(functions) and len(names) == 6
    assert not [node.name for node in definition.node if node.op == "_Arg"]


def test_every_input_inside_a_function_is_a_parameter_or_an_output(definition):
    for function in definition.library.function:
        known = {arg.name for arg in function.signature.input_arg}
        nodes = {node.name for node in function.node_def}
        for text in [t for node in function.node_def for t in node.input] + list(function.ret.values()):
            assert text in known or text.split(":")[0].lstrip("^") in nodes, text


def test_callers_pass_what_the_functions_take(definition):
    takes = {f.signature.name: len(f.signature.input_arg) for f in definition.library.function}
    for node in definition.node:
        for name in called([node]):
            data = [text for text in node.input if not text.startswith("^")]
            assert takes[name] == len(data) - (node.op == "If")


def test_references_in_a_region_cannot_be_written():
    with tf.Graph().as_default() as graph:
        v = tf.Variable(1.0)
        tf.cond(tf.constant(True), lambda: tf.assign_add(v, 1.0), lambda: tf.identity(v))
        with pytest.raises(ValueError, match="use_resource=True"):
            graph.as_graph_def()


def test_tensorflow_computes_the_same(definition):
    tensorflow = pytest.importorskip("tensorflow.compat.v1")
    values = np.array([[1.0, 2.0], [-1.0, -2.0], [-4.0, -5.0]], "f4")
    with tf.Graph().as_default(), tf.Session() as session:
        x, out = build()
        ours = [session.run(out, {x: value}) for value in values]
    with tensorflow.Graph().as_default(), tensorflow.Session() as session:
        tensorflow.import_graph_def(tensorflow.GraphDef.FromString(definition.SerializeToString()), name="")
        theirs = [session.run("out:0", {"x:0": value}) for value in values]
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


GOLDEN = pathlib.Path(__file__).parents[2] / "golden" / "control_flow.pb"


def loop(x):
    z = x
    for _ in range(4):
        z = z * x + (x * x if z > 5 else x)
    return z


def test_functions_of_tensorflow_become_regions():
    with tf.Graph().as_default() as graph, tf.Session() as session:
        tf.import_graph_def(tf.GraphDef.FromString(GOLDEN.read_bytes()), name="")
        for value in (0.5, 1.5, 2.0):
            assert session.run("out:0", {"x:0": value}) == pytest.approx(loop(value), rel=1e-6)
        assert any(op.regions for op in graph.get_operations())


def test_what_was_written_is_read_back():
    values = np.array([[1.0, 2.0], [-1.0, -2.0], [-4.0, -5.0]], "f4")
    with tf.Graph().as_default() as graph, tf.Session() as session:
        x, out = build()
        (grad,) = tf.gradients(out, x)
        expected = [session.run([out, grad], {x: value}) for value in values]
        definition = graph.as_graph_def()
    with tf.Graph().as_default(), tf.Session() as session:
        found = tf.import_graph_def(definition, name="again", return_elements=["x:0", "out:0", grad.name])
        for value, (first, second) in zip(values, expected, strict=True):
            got = session.run(found[1:], {found[0]: value})
            np.testing.assert_array_equal(got[0], first)
            np.testing.assert_array_equal(got[1], second)


def test_a_function_that_is_missing_is_named(definition):
    del definition.library.function[:]
    with tf.Graph().as_default(), pytest.raises(ValueError, match="not in the library"):
        tf.import_graph_def(definition, name="")


def add_function(library, name, calls=None):
    """Adds a function that negates its argument; `calls` is a function that a node inside it names."""
    function = library.function.add()
    function.signature.name = name
    function.signature.input_arg.add(name="x", type=tf.float32.as_datatype_enum)
    function.signature.output_arg.add(name="y", type=tf.float32.as_datatype_enum)
    node = function.node_def.add(name="neg", op="Neg", input=["x"])
    node.attr["T"].type = tf.float32.as_datatype_enum
    if calls:
        node.attr["_wants"].func.name = calls
    function.ret["y"] = "neg:y:0"


def library_after_a_round_trip(definition):
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(definition, name="")
        return [function.signature.name for function in graph.as_graph_def().library.function]


def test_functions_that_nobody_calls_are_written_back(definition):
    own = len(definition.library.function)
    for name in ("unused", "helper"):
        add_function(definition.library, name)
    found = library_after_a_round_trip(definition)
    assert found[-2:] == ["unused", "helper"] and len(found) == own + 2


def test_a_function_that_became_a_region_is_written_once_unless_another_function_calls_it(definition):
    for function, callee in zip(definition.library.function, ["first", "second"], strict=False):
        function.signature.name, old = callee, function.signature.name
        for node in definition.node:
            for attr in node.attr.values():
                if attr.func.name == old:
                    attr.func.name = callee
    found = library_after_a_round_trip(definition)
    assert "first" not in found and len(found) == 6
    add_function(definition.library, "caller", calls="first")
    found = library_after_a_round_trip(definition)
    assert "first" in found and "caller" in found and len(found) == len(set(found)) == 8
