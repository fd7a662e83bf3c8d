"""Whose arrays are whose: whatever is done to an array that was fed or fetched changes nothing in later runs."""

import numpy as np
import pytest

import millstream as tf

ROWS = np.arange(6, dtype="f4").reshape(2, 3)

PASSING = {
    "identity": tf.identity,
    "reshape": lambda x: tf.reshape(x, [6]),
    "slice": lambda x: x[:, 1:],
    "transpose": tf.transpose,
    "expand_dims": lambda x: tf.expand_dims(x, 0),
    "squeeze": tf.squeeze,
    "cast to its own type": lambda x: tf.cast(x, tf.float32),
    "stop_gradient": tf.stop_gradient,
    "sum over no axes": lambda x: tf.reduce_sum(x, axis=[]),
    "tile once": lambda x: tf.tile(x, [1, 1]),
    "concat of one": lambda x: tf.concat([x], 0),
    "split in one": lambda x: tf.split(x, 1)[0],
    "unstack": lambda x: tf.unstack(x)[1],
    "pad by nothing": lambda x: tf.pad(x, [[0, 0], [0, 0]]),
    "broadcast": lambda x: tf.broadcast_to(x, [2, 2, 3]),
    "branch": lambda x: tf.cond(tf.constant(True), lambda: x, lambda: x + 1.0),
    "loop": lambda x: tf.while_loop(lambda i, y: i < 2, lambda i, y: (i + 1, y), [0, x])[1],
    "gather": lambda x: tf.gather(x, [0, 1]),
    "reverse": lambda x: tf.reverse(x, [0]),
    "add_n of one": lambda x: tf.add_n([x]),
}


def spoil(value):
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, np.ndarray):
            item[...] = -99


@pytest.mark.parametrize("passing", PASSING.values(), ids=PASSING.keys())
@pytest.mark.parametrize("kind", ["constant", "ref", "resource"])
def test_spoiling_a_fetch_spoils_no_source(passing, kind):
    with tf.Graph().as_default(), tf.Session() as sess:
        if kind == "constant":
            source = tf.constant(ROWS)
        else:
            source = tf.get_variable("v", initializer=tf.constant(ROWS), use_resource=kind == "resource")
        through = passing(source)
        sess.run(tf.global_variables_initializer())
        expected = np.array(sess.run(through))
        for fetches in (through, [through, source], [source, through, through]):
            spoil(sess.run(fetches))
            np.testing.assert_array_equal(sess.run(through), expected)
            np.testing.assert_array_equal(sess.run(source), ROWS)


@pytest.mark.parametrize("passing", PASSING.values(), ids=PASSING.keys())
def test_a_feed_stays_the_callers(passing):
    with tf.Graph().as_default(), tf.Session() as sess:
        source = tf.placeholder(tf.float32, [2, 3])
        through = passing(source)
        fed = ROWS.copy()
        expected = np.array(sess.run(through, {source: fed}))
        spoil(sess.run([through, source], {source: fed}))
        np.testing.assert_array_equal(fed, ROWS)
        found = sess.run(through, {source: fed})
        fed[...] = 7
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("use_resource", [False, True])
@pytest.mark.parametrize("size", [3, 1 << 15], ids=["small", "large"])
def test_a_variable_copies_what_it_is_assigned(size, use_resource):
    with tf.Graph().as_default(), tf.Session() as sess:
        fed = np.arange(size, dtype="f4")
        source = tf.placeholder(tf.float32, [size])
        v = tf.get_variable("v", initializer=tf.zeros([size]), use_resource=use_resource)
        assign = tf.assign(v, source)
        sess.run(tf.global_variables_initializer())
        spoil(sess.run(assign, {source: fed}))
        fed[...] = -1
        np.testing.assert_array_equal(sess.run(v), np.arange(size))


@pytest.mark.parametrize("use_resource", [False, True])
@pytest.mark.parametrize("size", [3, 1 << 15], ids=["small", "large"])
def test_fetched_values_stay_while_the_variable_moves_on(size, use_resource):
    with tf.Graph().as_default(), tf.Session() as sess:
        v = tf.get_variable("v", initializer=tf.zeros([size]), use_resource=use_resource)
        step = tf.assign_add(v, tf.ones([size]))
        sess.run(tf.global_variables_initializer())
        fetched = []
        for _ in range(4):
            fetched.append(sess.run(v))
            sess.run(step)
        for turn, value in enumerate(fetched):
            np.testing.assert_array_equal(value, np.full(size, turn))


def test_one_variable_assigned_to_another_shares_nothing():
    with tf.Graph().as_default(), tf.Session() as sess:
        v, w = tf.Variable(ROWS), tf.Variable(np.zeros_like(ROWS))
        copy = tf.assign(w, v)
        add = tf.assign_add(v, np.ones_like(ROWS))
        sess.run(tf.global_variables_initializer())
        sess.run(copy)
        sess.run(add)
        np.testing.assert_array_equal(sess.run(w), ROWS)
        np.testing.assert_array_equal(sess.run(v), ROWS + 1)


def test_results_of_py_func_are_not_kept():
    kept = ROWS.copy()
    with tf.Graph().as_default(), tf.Session() as sess:
        y = tf.py_func(lambda: kept, [], tf.float32)
        spoil(sess.run(y))
        np.testing.assert_array_equal(kept, ROWS)
