"""import_graph_def: a round trip keeps every graph, the options map and rename, and hostile messages get clear errors."""

import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import millstream as tf
from millstream.ops.core import protos

FLOAT = 'attr{key:"T" value{type:DT_FLOAT}}'
CONST = (
    'node{name:"a" op:"Const" attr{key:"dtype" value{type:DT_FLOAT}} '
    'attr{key:"value" value{tensor{dtype:DT_FLOAT tensor_shape{} float_val:1}}}}'
)


def parsed(text):
    text_format = pytest.importorskip("google.protobuf.text_format")
    return text_format.Parse(text, protos.GraphDef())


def neg(name, source):
    return f'node{{name:"{name}" op:"Neg" input:"{source}" {FLOAT}}}'


@st.composite
def graphs(draw):
    """Return a graph of random ops, devices, control inputs and colocations."""
    with tf.Graph().as_default() as graph:
        tensors = [tf.constant(np.float32(draw(st.integers(-3, 3)))), tf.placeholder(tf.float32, [], name="fed")]
        for index in range(draw(st.integers(0, 12))):
            x, y = draw(st.sampled_from(tensors)), draw(st.sampled_from(tensors))
            controls = draw(st.lists(st.sampled_from(tensors), max_size=2))
            device = draw(st.sampled_from([None, "/cpu:0", "/device:GPU:1", "/job:w/task:3"]))
            with (
                tf.name_scope(draw(st.sampled_from(["a", "b/c", None]))),
                tf.control_dependencies(controls),
                tf.device(device),
            ):
                build = draw(st.sampled_from(["add", "cast", "split", "colocate", "concat"]))
                if build == "add":
                    made = [x + y]
                elif build == "cast":
                    made = [tf.cast(tf.cast(x, tf.int32), tf.float32, name=f"c{index}")]
                elif build == "split":
                    made = [part[0] for part in tf.split(tf.stack([x, y]), 2)]
                elif build == "concat":
                    made = [tf.reduce_sum(tf.concat([tf.reshape(x, [1]), tf.constant([2.0, 3.0])], 0))]
                else:
                    with tf.colocate_with(x.op):
                        made = [tf.identity(y)]
            tensors += made
    return graph


def as_text(message):
    return sorted(str(node) for node in message.node)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(graphs(), st.integers(0, 1000))
def test_a_round_trip_keeps_the_graph(graph, seed) -> None:
    message = graph.as_graph_def()
    shuffled = protos.GraphDef()
    shuffled.node.extend(random.Random(seed).sample(list(message.node), len(message.node)))
    with tf.Graph().as_default() as again:
        tf.import_graph_def(message, name="")
    with tf.Graph().as_default() as reordered:
        tf.import_graph_def(shuffled, name="")
    assert as_text(again.as_graph_def()) == as_text(message) == as_text(reordered.as_graph_def())
    for op in graph.get_operations():
        found = reordered.get_operation_by_name(op.name)
        assert [t.shape.as_list() for t in found.outputs] == [t.shape.as_list() for t in op.outputs]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(graphs())
def test_an_imported_graph_computes_the_same(graph) -> None:
    with tf.Graph().as_default() as again:
        tf.import_graph_def(graph.as_graph_def(), name="there")
    fetch = next(t for op in reversed(graph.get_operations()) for t in op.outputs if t.dtype == tf.float32)
    config = tf.ConfigProto(allow_soft_placement=True)
    for op in (*graph.get_operations(), *again.get_operations()):
        op._set_device("")
    with tf.Session(graph=graph, config=config) as session:
        expected = session.run(fetch, {"fed:0": 2.0})
    with tf.Session(graph=again, config=config) as session:
        np.testing.assert_array_equal(session.run(f"there/{fetch.name}", {"there/fed:0": 2.0}), expected)


def test_names_get_a_prefix_that_is_unique() -> None:
    with tf.Graph().as_default() as graph:
        for name in (None, None, "x", ""):
            tf.import_graph_def(parsed(CONST + neg("b", "a")), name=name)
        with tf.name_scope("outer"):
            tf.import_graph_def(parsed(CONST), name="inner")
        assert [op.name for op in graph.get_operations()] == [
            "import/a", "import/b", "import_1/a", "import_1/b", "x/a", "x/b", "a", "b", "outer/inner/a",
        ]  # fmt: skip
        assert tf.constant(1, name="a").op.name == "a_1"


def test_inputs_are_mapped_and_elements_returned() -> None:
    message = parsed(CONST + neg("b", "a") + 'node{name:"d" op:"NoOp" input:"^a"}')
    with tf.Graph().as_default() as graph, tf.Session() as session:
        five, other = tf.constant(5.0), tf.no_op(name="other")
        found = tf.import_graph_def(message, {"a": five, "^a": other}, ["b:0", "b", "d"])
        assert found[0] is found[1].outputs[0]
        assert found[1].inputs == (five,)
        assert found[2].control_inputs == (other,)
        assert session.run(found[0]) == -5.0
        assert graph.get_operation_by_name("import/a").type == "Const"


def test_devices_merge_and_groups_follow_their_nodes() -> None:
    message = parsed(
        'node{name:"a" op:"NoOp" device:"/gpu:1"} node{name:"b" op:"NoOp" attr{key:"_class" value{list{s:"loc:@a"}}}}'
        'node{name:"c" op:"NoOp"}'
    )
    with tf.Graph().as_default() as graph:
        with tf.device("/job:w"):
            tf.import_graph_def(message)
        a, b, c = graph.get_operations()
    assert (a.device, c.device) == ("/job:w/device:GPU:1", "/job:w")
    assert b.colocation_groups() == [b"loc:@import/a"]


HOSTILE = [
    (CONST + 'node{name:"b" op:"Nope"}', {}, r"Op type not registered 'Nope' in node 'b'"),
    (CONST + neg("b", "zz"), {}, r"Node 'b': Unknown input node 'zz'"),
    (CONST + neg("b", ""), {}, r"Node 'b': Unknown input node ''"),
    (CONST + neg("b", "a:1"), {}, r"Node 'b': Connecting to invalid output 1 of source node a which has 1 outputs"),
    (CONST + neg("b", "a:-1"), {}, r"Connecting to invalid output -1"),
    (CONST + neg("b", "a:x"), {}, r"Connecting to invalid output x"),
    (CONST + neg("b", "^a"), {}, r"'b' \(Neg\) expects 1 inputs, but the GraphDef gives it 0"),
    (neg("b", "c") + neg("c", "b"), {}, "cycle"),
    (neg("b", "b"), {}, "cycle"),
    (CONST + CONST, {}, "two nodes of one name"),
    (CONST + neg("b c", "a"), {}, r"Node 'b c': Node name contains invalid characters"),
    ('node{op:"NoOp"}', {}, "Node name contains invalid characters"),
    (CONST + 'node{name:"b" op:"Neg" input:"a"}', {}, r"NodeDef missing attr 'T' from Op 'Neg' in node 'b'"),
    (CONST + neg("b", "a").replace("type:DT_FLOAT", "i:1"), {}, r"Node 'b' .*had value with type 'int' when 'type' expected"),
    (CONST + neg("b", "a").replace("DT_FLOAT", "DT_STRING"), {}, r"Node 'b' .*string not in list of allowed values"),
    (CONST + neg("b", "a").replace("DT_FLOAT", "DT_INT32"), {}, r"Input 0 of node 'b' was passed float32 .*expected int32"),
    (CONST.replace("type:DT_FLOAT", "type:DT_INT32", 1), {}, r"Node 'a' \(Const\): its value is float32, its dtype int32"),
    (CONST.replace("{} float_val:1", "{dim{size:3}} tensor_content:'abc'"),
     {}, "bytes of content"),
    (CONST.replace("tensor_shape{}", "tensor_shape{dim{size:-7}}"), {}, r"Node 'a' \(Const\): attr 'value' cannot be used"),
    ('node{name:"b" op:"NoOp" input:"^a" input:"a"}' + CONST, {}, "Control dependencies must come after regular dependencies"),
    ('node{name:"b" op:"NoOp" attr{key:"_class" value{list{s:"loc:@zz"}}}}', {},
     r"'b' expects to be colocated with unknown node 'zz'"),
    ('node{name:"b" op:"NoOp" device:"/bad"}', {}, "'/bad'"),
    (CONST + 'node{name:"m" op:"MatMul" input:"a" input:"a" ' + FLOAT + "}", {}, r"must be rank 2.*node 'import/m'"),
    ('node{name:"b" op:"AddN" attr{key:"N" value{i:-1}} ' + FLOAT + "}", {}, r"attr 'N' cannot be used: .*passed -1"),
    ('node{name:"b" op:"AddN" attr{key:"N" value{i:0}} ' + FLOAT + "}", {}, "Attr 'N' of 'AddN' Op passed 0 less than minimum 1"),
    (CONST, {"input_map": {"q:0": 1.0}}, r"not found in graph_def: \[q"),
    (CONST, {"return_elements": ["q"]}, "'q' not found"),
    (CONST, {"return_elements": ["a:1"]}, "'a:1' not found"),
    (CONST, {"name": "bad name"}, "not a valid root scope name"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "options", "words"), HOSTILE, ids=[words for *_, words in HOSTILE])
def test_messages_that_cannot_be_imported_say_why_and_leave_the_graph_as_it_was(text, options, words) -> None:
    with tf.Graph().as_default() as graph:
        before = tf.constant(1.0, name="before")
        with pytest.raises(ValueError, match=words):
            tf.import_graph_def(parsed(text), **options)
        assert graph.get_operations() == [before.op] and before.consumers() == []
        assert [graph.unique_name(name, mark_as_used=False) for name in ("import", "import/a")] == [
            "import",
            "import/a",
        ]


def test_an_import_that_fails_late_leaves_nothing_behind() -> None:
    """x -> (b, If with two functions) are added, then one more node fails, inside a scope of control dependencies."""
    with tf.Graph().as_default() as inner:
        a = tf.placeholder(tf.float32, [], name="a")
        tf.cond(a > 0.0, lambda: a * 2.0, lambda: a + 1.0)
    message = inner.as_graph_def()
    message.node.add(name="last", op="NoOp", device="/bad")
    with tf.Graph().as_default() as graph:
        x = tf.constant(1.0, name="x")
        with tf.control_dependencies([x]):
            for _ in range(2):
                with pytest.raises(ValueError, match="/bad"):
                    tf.import_graph_def(message, input_map={"a:0": x})
            after = tf.identity(x)
        assert graph.get_operations() == [x.op, after.op] and x.consumers() == [after.op]
        assert not graph.functions and not graph.as_graph_def().library.function
        del message.node[-1]
        (y,) = tf.import_graph_def(message, input_map={"a:0": x}, return_elements=["cond/Merge:0"])
        assert y.name == "import/cond/Merge:0"
        with tf.Session() as session:
            assert session.run(y) == 2.0


def test_a_graph_def_is_needed() -> None:
    with pytest.raises(TypeError, match="must be a GraphDef proto"):
        tf.import_graph_def("text")


def test_names_that_are_taken_get_a_number() -> None:
    """Without a prefix graphs may be imported again and again, at the root whatever scope is open, as in TensorFlow."""
    with tf.Graph().as_default() as source:
        x = tf.placeholder(tf.float32, [2], name="x")
        y = tf.tanh(x, name="s/y")
        with tf.colocate_with(y.op):
            tf.exp(y, name="w")
    message = source.as_graph_def()
    with tf.Graph().as_default() as graph, tf.name_scope("open"):
        for end in ("", "_1", "_2"):
            w, y = tf.import_graph_def(message, name="", return_elements=["w:0", "s/y"])
            assert (w.name, y.name, y.inputs[0].name) == (f"w{end}:0", f"s/y{end}", f"x{end}:0")
            assert w.op.colocation_groups() == [f"loc:@s/y{end}".encode()]
        assert len(graph.get_operations()) == 9 and graph.get_name_scope() == "open"


def test_control_inputs_are_those_of_outer_scopes_first() -> None:
    with tf.Graph().as_default():
        a, b = tf.no_op(name="a"), tf.no_op(name="b")
        with tf.control_dependencies([a]), tf.control_dependencies([b, a]):
            assert [op.name for op in tf.no_op().control_inputs] == ["a", "b"]


def test_long_chains_are_imported_in_any_order() -> None:
    message = protos.GraphDef()
    for i in range(5000):
        message.node.add(name=f"n{i}", op="NoOp", input=[f"^n{i + 1}"] if i < 4999 else [])
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(message, name="")
        assert len(graph.get_operations()) == 5000


def test_variables_and_attributes_of_all_kinds_survive() -> None:
    with tf.Graph().as_default() as graph:
        v = tf.Variable([1.0, 2.0], name="v")
        tf.assign_add(v, [1.0, 1.0], use_locking=True)
        tf.string_join(["é", b"\xff"], separator="→")
        tf.Print(v, [v], message=b"\xfe", first_n=3)
        tf.placeholder(tf.string, [None, 3])
        tf.placeholder(tf.resource)
        tf.strided_slice(v, [0], [1])
    message = graph.as_graph_def()
    with tf.Graph().as_default() as again:
        tf.import_graph_def(message, name="")
    assert as_text(again.as_graph_def()) == as_text(message)


def test_devices_are_mapped():
    with tf.Graph().as_default() as graph:
        with tf.device("/gpu:1"):
            a = tf.constant(1.0, name="a")
            tf.cond(a > 0.0, lambda: tf.exp(a, name="inside"), lambda: a)
        definition = graph.as_graph_def()
    for devices, wanted in (({"/gpu:1": "/gpu:0"}, "/device:GPU:0"), (lambda name: None, ""), (None, "/device:GPU:1")):
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(definition, name="", device_map=devices)
            requests = {op.name.rpartition("/")[2]: op.device for op in graph.get_operations()}
            assert requests["a"] == requests["inside"] == wanted
