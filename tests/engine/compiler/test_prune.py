"""What a plan computes of conditionals with several results: what is asked for, by whatever name, and no more."""

import numpy as np
import pytest

import millstream as tf

# What is asked for -> which of the two variables the branch's effects reach.
ASKED = {
    "both": (lambda u: u, (True, True)),
    "both operations": (lambda u: [u[0].op, u[1].op], (True, True)),
    "the first and the second's operation": (lambda u: [u[0], u[1].op], (True, True)),
    "the second": (lambda u: u[1:], (False, True)),
}


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default():
        yield


@pytest.mark.parametrize("by", ["fetched", "waited for"])
@pytest.mark.parametrize("asked", ASKED)
def test_effects_of_branches_happen_for_what_is_asked(asked, by):
    choose, reached = ASKED[asked]
    v, w = (tf.get_variable(name, [2], initializer=tf.zeros_initializer()) for name in "vw")
    taken = tf.placeholder(tf.bool)
    results = tf.cond(taken, lambda: (tf.assign(v, [1.0, 2.0]), tf.assign(w, [1.0, 2.0])), lambda: (v, w))
    wanted = list(choose(results))
    if by == "waited for":
        with tf.control_dependencies(wanted):
            wanted = [tf.no_op()]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(wanted, {taken: False})
        np.testing.assert_array_equal(session.run([v, w]), np.zeros((2, 2)))
        session.run(wanted, {taken: True})
        np.testing.assert_array_equal(session.run([v, w]), [[1.0, 2.0] if hit else [0.0, 0.0] for hit in reached])


def test_a_loop_that_is_waited_for_runs_its_first_variable_too():
    total = tf.get_variable("total", [], initializer=tf.zeros_initializer())

    def body(x, i):
        return tf.assign_add(total, x), i + 1

    x, i = tf.while_loop(lambda x, i: i < 3, body, [1.0, 0], parallel_iterations=1)
    with tf.control_dependencies([x, i]):
        after = tf.no_op()
    with tf.Session() as session:
        session.run(total.initializer)
        session.run(after)
        assert session.run(total) == 4.0
