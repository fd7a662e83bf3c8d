"""Nodes without inputs, and those that only stand or wait: row by row, in sessions."""

import numpy as np

import millstream as tf
from millstream.ops.core.registry import lookup
from support.opcheck_programs import Program, program_table, program_tests

X = np.array([[1.5, -2.0], [0.25, 4.0]])
NOT_FED = (tf.errors.InvalidArgumentError, "You must feed a value for placeholder tensor 'given' with dtype float")


def old_variable(x):
    """Returns what a variable of the first kind holds after an assignment, of a shape that it did not know."""
    ref = lookup("Variable")(shape=(), dtype=x.dtype)
    with tf.control_dependencies([tf.assign(ref, x, validate_shape=False)]):
        return tf.identity(ref) * 2.0


def passed_on(x):
    """Returns a variable that was updated through a reference that an op passed on."""
    ref = lookup("VariableV2")(shape=(2, 2), dtype=x.dtype)
    with tf.control_dependencies([tf.assign(ref, x)]):
        again = lookup("RefIdentity")(ref)
        assert again.dtype._is_ref_dtype
        updated = tf.assign_add(again, [[1.0, 2.0], [3.0, 4.0]])
    with tf.control_dependencies([updated]):
        return tf.identity(ref)


def waiting(x):
    with tf.control_dependencies([tf.no_op()]):
        return x * 2.0


PROGRAMS = program_table(
    Program("Const", lambda: tf.constant([[1, 2], [3, 4]], tf.float16) + 1, (), lambda: np.array([[2, 3], [4, 5]])),
    Program("Const", lambda: tf.constant(["a", "b"]), (), lambda: np.array([b"a", b"b"], object), label="strings"),
    Program("Const", lambda: tf.constant(7, shape=[2, 3]), (), lambda: np.full((2, 3), 7), label="filled"),
    Program("Placeholder", lambda: tf.placeholder(tf.float32, [2], name="given") + 1.0, raises=NOT_FED),
    Program("PlaceholderV2", lambda: lookup("PlaceholderV2")(dtype=tf.float32, shape=(2,), name="given") + 1.0, raises=NOT_FED),
    Program("NoOp", waiting, [X], lambda x: 2 * x, gradient=True),
    Program("Variable", old_variable, [X], lambda x: 2 * x),
    Program("RefIdentity", passed_on, [X], lambda x: np.add(x, [[1, 2], [3, 4]])),
)  # fmt: skip

test_program, test_program_gradient = program_tests(PROGRAMS)


def test_false_is_no_type_of_zeros_and_ones() -> None:
    """Programs say it where they meant another function's argument; TensorFlow takes it for None."""
    with tf.Graph().as_default():
        known = tf.constant(np.arange(3.0))
        assert [make(known, False).dtype.name for make in (tf.zeros_like, tf.ones_like)] == ["float64", "float64"]
