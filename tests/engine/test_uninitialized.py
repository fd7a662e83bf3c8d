"""What a variable without a value does to those who read it, wait for a read, or only touch its node.

The table is what TensorFlow 2.21's v1 session does, for both kinds of variable; set TF_IMPL to tensorflow.compat.v1 to hold
the table itself against TensorFlow.
"""

import importlib
import os

import pytest

IMPLEMENTATION = os.environ.get("TF_IMPL", "millstream")
tf = importlib.import_module(IMPLEMENTATION)
if IMPLEMENTATION != "millstream":
    tf.disable_v2_behavior()


def after(op, make):
    with tf.control_dependencies([op]):
        return make()


def one():
    return tf.constant(1.0)


FAILS = {
    "fetch": lambda v: v,
    "fetch_of_a_read": tf.identity,
    "target_read": lambda v: tf.identity(v).op,
    "target_value": lambda v: v.value().op,
    "target_read_value": lambda v: v.read_value().op,
    "target_read_of_a_read": lambda v: tf.identity(tf.identity(v)).op,
    "target_stop_gradient": lambda v: tf.stop_gradient(v).op,
    "target_sum": lambda v: (v + 1.0).op,
    "group_of_a_read": lambda v: tf.group(tf.identity(v)),
    "no_op_after_a_read": lambda v: after(tf.identity(v), tf.no_op),
    "constant_after_a_read": lambda v: after(tf.identity(v), one),
    "assign_after_a_read": lambda v: after(tf.identity(v), lambda: tf.assign(v, [3.0, 4.0])),
    "branch_waits_for_a_read": lambda v: tf.cond(tf.constant(True), lambda: after(tf.identity(v), one), one),
    "cond_waits_for_a_read": lambda v: after(tf.identity(v), lambda: tf.cond(tf.constant(True), one, one)),
}

PASSES = {
    "target_node": lambda v: v.op,
    "group_of_a_node": lambda v: tf.group(v.op),
    "constant_after_a_node": lambda v: after(v.op, one),
    "assign_after_a_node": lambda v: after(v.op, lambda: tf.assign(v, [3.0, 4.0])),
    "shape": tf.shape,
    "zeros_like": tf.zeros_like,
    "is_initialized_after_a_node": lambda v: after(v.op, lambda: tf.is_variable_initialized(v)),
}


def run(program, use_resource):
    with tf.Graph().as_default(), tf.Session() as sess:
        sess.run(program(tf.get_variable("v", initializer=tf.constant([1.0, 2.0]), use_resource=use_resource)))


@pytest.mark.parametrize("use_resource", [False, True], ids=["ref", "resource"])
@pytest.mark.parametrize("program", FAILS.values(), ids=FAILS.keys())
def test_reads_fail(program, use_resource):
    with pytest.raises(tf.errors.FailedPreconditionError, match="uninitialized"):
        run(program, use_resource)


@pytest.mark.parametrize("use_resource", [False, True], ids=["ref", "resource"])
@pytest.mark.parametrize("program", PASSES.values(), ids=PASSES.keys())
def test_what_reads_nothing_passes(program, use_resource):
    run(program, use_resource)


def test_who_waits_for_what_reads_a_ref_variable_is_told():
    """TensorFlow drops such a sum where the variable is a resource, but reads a ref variable."""
    with pytest.raises(tf.errors.FailedPreconditionError, match="uninitialized"):
        run(lambda v: after(v + 1.0, one), use_resource=False)
