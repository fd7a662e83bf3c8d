"""Which value a read of a variable sees, by a table that TensorFlow 2.21's v1 session filled in.

Each case is a small program, run twice in one session; the table holds the values of its fetches. Set TF_IMPL to
tensorflow.compat.v1 to hold the table itself against TensorFlow. `RACES` are programs whose answer TensorFlow leaves to
chance: there the table holds what our order (creation order among ready nodes) gives.
"""

import importlib
import os

import numpy as np
import pytest

IMPLEMENTATION = os.environ.get("TF_IMPL", "millstream")
tf = importlib.import_module(IMPLEMENTATION)
if IMPLEMENTATION != "millstream":
    tf.disable_v2_behavior()

BOTH, REF, RESOURCE, RACES = {}, {}, {}, {}


def case(table, *runs):
    """Record a program with what its fetches hold in the first and second run."""

    def record(program):
        table[program.__name__] = (program, runs)
        return program

    return record


def after(*ops):
    return tf.control_dependencies(ops)


@case(BOTH, [5.0], [5.0])
def read_after_assign(var):
    v = var()
    a = tf.assign(v, 5.0)
    with after(a):
        return [tf.identity(v)]


@case(BOTH, [1.0, 5.0], [5.0, 5.0])
def read_before_assign(var):
    v = var()
    r = v + 0.0
    with after(r):
        a = tf.assign(v, 5.0)
    with after(a):
        return [r, tf.identity(v)]


@case(BOTH, [6.0], [6.0])
def add_after_assign(var):
    v = var()
    a = tf.assign(v, 5.0)
    with after(a):
        return [v + 1.0]


@case(BOTH, [3.0], [5.0])
def read_value_after_assign_add(var):
    v = var()
    a = tf.assign_add(v, 2.0)
    with after(a):
        return [v.read_value()]


@case(BOTH, [60.0], [110.0])
def chain_of_adds(var):
    v = var()
    a = tf.assign_add(v, 2.0)
    with after(a):
        b = tf.assign_add(v, 3.0)
    with after(b):
        return [v.read_value() * 10.0]


@case(BOTH, [7.0], [7.0])
def value_of_assign(var):
    v = var()
    return [tf.assign(v, 7.0)]


@case(BOTH, [16.0], [30.0])
def value_of_assign_used(var):
    v = var()
    return [tf.assign_add(v, 7.0) * 2.0]


@case(BOTH, [3.0, None], [5.0, None])
def fetch_with_update(var):
    v = var()
    a = tf.assign_add(v, 2.0)
    return [a, a.op]


@case(BOTH, [[3.0, 2.0, 8.0]], [[5.0, 2.0, 13.0]])
def scatter_then_read(var):
    v = var([1.0, 2.0, 3.0])
    a = tf.scatter_add(v, [0, 0, 2], [1.0, 1.0, 5.0])
    with after(a):
        return [v.read_value()]


@case(BOTH, [[9.0, 3.0]], [[9.0, 3.0]])
def scatter_update_then_gather(var):
    v = var([1.0, 2.0, 3.0])
    a = tf.scatter_update(v, [1], [9.0])
    with after(a):
        return [tf.gather(v, [1, 2])]


@case(BOTH, [[1.0, 2.0, 3.0], [-3.0, 2.0, 3.0]], [[-3.0, 2.0, 3.0], [-7.0, 2.0, 3.0]])
def read_scatter_read(var):
    v = var([1.0, 2.0, 3.0])
    r = v * 1.0
    with after(r):
        a = tf.scatter_sub(v, [0], [4.0])
    with after(a):
        return [r, v.read_value()]


@case(BOTH, [1.0, 2.0], [2.0, 3.0])
def snapshot_before_write(var):
    v = var()
    r = v.read_value() + 0.0
    with after(r):
        a = tf.assign_add(v, 1.0)
    with after(a):
        return [r, v.read_value()]


@case(BOTH, [6.0], [6.0])
def cond_reads_after_assign(var):
    v = var()
    a = tf.assign(v, 5.0)
    with after(a):
        return [tf.cond(v > 3.0, lambda: v + 1.0, lambda: v - 1.0)]


@case(BOTH, [8.0, 8.0], [8.0, 8.0])
def assign_in_branch(var):
    v = var()

    def then():
        with after(tf.assign(v, 8.0)):
            return v.read_value()

    c = tf.cond(tf.constant(True), then, lambda: tf.constant(0.0))
    with after(c):
        return [c, v.read_value()]


@case(BOTH, [0.0, 1.0], [0.0, 1.0])
def assign_in_branch_not_taken(var):
    v = var()

    def then():
        with after(tf.assign(v, 8.0)):
            return v.read_value()

    c = tf.cond(tf.constant(False), then, lambda: tf.constant(0.0))
    with after(c):
        return [c, v.read_value()]


@case(BOTH, [5, 11.0], [5, 21.0])
def assign_add_in_loop(var):
    v = var()

    def body(i):
        with after(tf.assign_add(v, 2.0)):
            return i + 1

    i = tf.while_loop(lambda i: i < 5, body, [tf.constant(0)])
    with after(i):
        return [i, v.read_value()]


@case(RACES, [3, 9.0], [3, 18.0])
def loop_reads_what_it_wrote(var):
    v = var()

    def body(i, s):
        with after(tf.assign_add(v, 1.0)):
            return i + 1, s + v.read_value()

    i, s = tf.while_loop(lambda i, s: i < 3, body, [tf.constant(0), tf.constant(0.0)])
    return [i, s]


@case(BOTH, [4, 4.0], [4, 4.0])
def loop_condition_reads_variable(var):
    v = var()

    def body(i):
        with after(tf.assign_add(v, 1.0)):
            return i + 1

    with after(tf.assign(v, 0.0)):
        i = tf.while_loop(lambda i: v.read_value() < 4.0, body, [tf.constant(0)])
    with after(i):
        return [i, v.read_value()]


@case(BOTH, [2.0, 1.0], [1.0, 2.0])
def swap(var):
    v = var(1.0)
    w = var(2.0, "w")
    a, b = v + 0.0, w + 0.0
    with after(a, b):
        s = tf.group(tf.assign(v, b), tf.assign(w, a))
    with after(s):
        return [v.read_value(), w.read_value()]


@case(BOTH, [12.0], [48.0])
def assign_own_value_twice(var):
    v = var(3.0)
    a = tf.assign(v, v * 2.0)
    with after(a):
        b = tf.assign(v, v.read_value() * 2.0)
    with after(b):
        return [v.read_value()]


@case(BOTH, [[3.0, 4.0], [4.0, 5.0]], [[4.0, 5.0], [5.0, 6.0]])
def assign_other_variable(var):
    v = var([1.0, 2.0])
    w = var([3.0, 4.0], "w")
    a = tf.assign(v, w)
    with after(a):
        b = tf.assign_add(w, [1.0, 1.0])
    with after(b):
        return [v.read_value(), w.read_value()]


@case(BOTH, [True], [True])
def is_initialized_after_assign(var):
    v = var()
    with after(tf.assign(v, 1.0)):
        return [tf.is_variable_initialized(v)]


@case(BOTH, [9.0, 0.0], [0.0, 0.0])
def gradient_step_reads_old_value(var):
    v = var(3.0)
    loss = v * v
    g = tf.gradients(loss, v)[0]
    with after(loss, g):
        a = tf.assign_sub(v, 0.5 * g)
    with after(a):
        return [loss, v.read_value()]


@case(BOTH, [0], [1])
def count_up(var):
    v = var(0)
    return [v.count_up_to(3)]


@case(REF, [[11.0, 12.0]], [[21.0, 22.0]])
def alias_read_made_before_the_assign(var):
    v = var([1.0, 2.0])
    r = tf.identity(v)
    with after(r):
        a = tf.assign_add(v, [10.0, 10.0])
    with after(a):
        return [tf.add(r, 0.0)]


@case(REF, [3.0], [5.0])
def ref_output_chain(var):
    v = var()
    return [tf.assign_add(tf.assign_add(v, 1.0), 1.0)]


@case(REF, [[10.0, 12.0]], [[10.0, 12.0]])
def consumer_after_assign_of_early_read(var):
    v = var([1.0, 2.0])
    r = v.value()
    a = tf.assign(v, [5.0, 6.0])
    with after(a):
        return [tf.multiply(r, 2.0)]


@case(RESOURCE, [[1.0, 2.0], [11.0, 12.0]], [[11.0, 12.0], [21.0, 22.0]])
def early_read_keeps_its_value(var):
    v = var([1.0, 2.0])
    r = v.read_value()
    with after(r):
        a = tf.assign_add(v, [10.0, 10.0])
    with after(a):
        return [tf.add(r, 0.0), v.read_value()]


@case(RESOURCE, [3.0], [5.0])
def assign_read_value_false(var):
    v = var()
    a = v.assign_add(2.0, read_value=False)
    with after(a):
        return [v.read_value()]


@case(RESOURCE, [[1.0, 3.0], [6.0, 2.0, 3.0]], [[6.0, 3.0], [11.0, 2.0, 3.0]])
def batch_then_scatter(var):
    v = var([1.0, 2.0, 3.0])
    r = v.sparse_read([0, 2])
    with after(r):
        a = v.scatter_nd_add([[0]], [5.0])
    with after(a):
        return [r, v.read_value()]


CASES = [
    pytest.param(*entry, use_resource, id=f"{name}-{'resource' if use_resource else 'ref'}")
    for table, kinds in ((BOTH, (False, True)), (RACES, (False, True)), (REF, (False,)), (RESOURCE, (True,)))
    for name, entry in table.items()
    for use_resource in kinds
    if table is not RACES or IMPLEMENTATION == "millstream"
]


@pytest.mark.parametrize(("program", "runs", "use_resource"), CASES)
def test_reads_see_what_tensorflow_sees(program, runs, use_resource):
    def var(value=1.0, name="v"):
        return tf.get_variable(name, initializer=tf.constant(value), use_resource=use_resource)

    with tf.Graph().as_default():
        fetches = program(var)
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            for expected in runs:
                found = sess.run(fetches)
                assert [None if value is None else np.asarray(value).tolist() for value in found] == expected
