"""Sessions from outside: fetch structures, callables, partial runs, default sessions."""

import collections

import numpy as np
import pytest

import millstream as tf

Pair = collections.namedtuple("Pair", "left right")


@pytest.fixture
def sess():
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


STRUCTURES = {
    "tensor": lambda a, b: (a, 1),
    "name": lambda a, b: ("a:0", 1),
    "op": lambda a, b: (a.op, None),
    "op name": lambda a, b: ("a", None),
    "list": lambda a, b: ([a, b], [1, 2]),
    "tuple": lambda a, b: ((a, b), (1, 2)),
    "namedtuple": lambda a, b: (Pair(a, [b]), Pair(1, [2])),
    "dict": lambda a, b: ({"x": a, "y": {"z": b}}, {"x": 1, "y": {"z": 2}}),
    "ordered dict": lambda a, b: (collections.OrderedDict(q=b, p=a), collections.OrderedDict(q=2, p=1)),
    "repeated": lambda a, b: ([a, a, (a, b)], [1, 1, (1, 2)]),
    "empty": lambda a, b: ([], []),
    "empty inside": lambda a, b: ([a, {}, ()], [1, {}, ()]),
    "mixed": lambda a, b: ([a.op, "b:0", {"k": (a,)}], [None, 2, {"k": (1,)}]),
}


@pytest.mark.parametrize("structure", STRUCTURES.values(), ids=STRUCTURES.keys())
def test_values_come_in_the_form_of_the_fetches(sess, structure):
    fetches, expected = structure(tf.constant(1, name="a"), tf.constant(2, name="b"))
    for _ in range(2):
        found = sess.run(fetches)
        assert (found == expected and type(found) is type(expected)) or isinstance(found, np.generic)


def test_indexed_slices_are_fetched_and_fed(sess):
    table = tf.get_variable("table", initializer=tf.ones([4, 2]))
    sess.run(tf.global_variables_initializer())
    (gradient,) = tf.gradients(tf.gather(table, [1, 3]) * 2.0, table)
    value = sess.run(gradient)
    assert isinstance(value, tf.IndexedSlicesValue)
    np.testing.assert_array_equal(value.indices, [1, 3])
    np.testing.assert_array_equal(value.values, np.full((2, 2), 2.0))


@pytest.mark.parametrize("value", [3, 3.0, np.float64(3), np.array(3, "i8"), [3][0]])
def test_scalars_of_any_kind_feed(sess, value):
    x = tf.placeholder(tf.float32, [])
    found = sess.run(x * 2.0, {x: value})
    assert found == 6 and found.dtype == np.float32


def test_feeds_by_name_and_of_inner_tensors(sess):
    x = tf.placeholder(tf.float32, [], name="x")
    y = tf.square(x, name="y")
    assert sess.run(y + 1.0, {"x:0": 3}) == 10
    assert sess.run(y + 1.0, {y: 5}) == 6
    assert sess.run([y, y + 1.0], {"y:0": 5}) == [5, 6]


def test_callables_take_their_feeds_in_order(sess):
    x, y = tf.placeholder(tf.float32, []), tf.placeholder(tf.float32, [])
    call = sess.make_callable({"d": x - y}, feed_list=[y, x])
    assert call(1, 5) == {"d": 4}
    with pytest.raises(TypeError):
        call(1)
    metadata = tf.RunMetadata()
    options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
    traced = sess.make_callable(x - y, [x, y], accept_options=True)
    assert traced(3, 1, options=options, run_metadata=metadata) == 2
    assert any(device.node_stats for device in metadata.step_stats.dev_stats)


def test_partial_runs_run_each_node_once(sess):
    count = tf.Variable(0)
    a, b, c = (tf.placeholder(tf.float32, []) for _ in range(3))
    with tf.control_dependencies([tf.assign_add(count, 1)]):
        first = a + b
    second = first * c
    sess.run(tf.global_variables_initializer())
    handle = sess.partial_run_setup([first, second], [a, b, c])
    assert sess.partial_run(handle, first, {a: 1, b: 2}) == 3
    assert sess.partial_run(handle, second, {c: 17}) == 51
    assert sess.run(count) == 1
    with pytest.raises(tf.errors.InvalidArgumentError, match="setup"):
        sess.partial_run(handle, second, {c: 1})


def test_partial_runs_refuse_what_was_not_set_up(sess):
    a, b = tf.placeholder(tf.float32, []), tf.placeholder(tf.float32, [])
    y, other = a * 2.0, a + b
    handle = sess.partial_run_setup([y], [a])
    with pytest.raises(tf.errors.InvalidArgumentError):
        sess.partial_run(handle, other, {a: 1})
    with pytest.raises(tf.errors.InvalidArgumentError):
        sess.partial_run(handle, y, {b: 1})


def test_interactive_sessions_are_the_default():
    with tf.Graph().as_default():
        before = tf.get_default_session()
        session = tf.InteractiveSession()
        assert tf.get_default_session() is session
        assert tf.constant(3).eval() == 3
        tf.no_op().run()
        session.close()
        assert tf.get_default_session() is before


def test_default_sessions_nest(sess):
    with tf.Session() as inner:
        assert tf.get_default_session() is inner
        with sess.as_default():
            assert tf.get_default_session() is sess
        assert tf.get_default_session() is inner
    assert tf.get_default_session() is sess


def test_sessions_do_not_share_variables():
    with tf.Graph().as_default():
        v = tf.Variable(1)
        add = tf.assign_add(v, 5)
        with tf.Session() as one, tf.Session() as two:
            for session in (one, two):
                session.run(tf.global_variables_initializer())
            one.run(add)
            assert (one.run(v), two.run(v)) == (6, 1)


@pytest.mark.parametrize("use_resource", [False, True])
def test_containers_keep_variables_of_one_name_apart(use_resource):
    with tf.Graph().as_default() as graph, tf.Session() as sess:
        with tf.container("one"):
            v = tf.Variable(1.0, name="v", use_resource=use_resource)
            with graph.container("two"):
                w = tf.Variable(2.0, name="w", use_resource=use_resource)
        plain = tf.Variable(3.0, use_resource=use_resource)
        sess.run(tf.global_variables_initializer())
        handles = [(x.handle.op if use_resource else x.op) for x in (v, w, plain)]
        assert [op.get_attr("container") for op in handles] == [b"one", b"two", b""]
        assert sess.run([v, w, plain]) == [1.0, 2.0, 3.0]
