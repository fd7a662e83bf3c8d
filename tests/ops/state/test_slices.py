"""Assigning to parts of variables: what NumPy gives, for both kinds of variable, on both kinds of device."""

import numpy as np
import pytest

import millstream as tf
from support.opcheck_programs import Program, program_table, program_tests

X = np.arange(24, dtype="f8").reshape(2, 3, 4)
KEYS = {
    "row": np.s_[1],
    "column": np.s_[..., 0],
    "steps": np.s_[:, ::2, 1:],
    "backwards": np.s_[::-1, :, ::-2],
    "new": np.s_[None, 0],
    "all": np.s_[...],
    "nothing": np.s_[:, 1:1],
    "element": np.s_[1, 2, -1],
}


def assigning(key, use_resource):
    """Returns a build of a variable, a part of which is negated."""

    def built(x):
        v = tf.get_variable(
            "v", shape=X.shape, dtype=x.dtype, use_resource=use_resource, initializer=tf.zeros_initializer()
        )
        with tf.control_dependencies([tf.assign(v, x)]):
            value = tf.negative(tf.identity(x)[key])
        written = v[key].assign(value)
        with tf.control_dependencies([written]):
            return v.read_value()

    return built


def assigned(key):
    def reference(x):
        made = x.copy()
        made[key] = -x[key]
        return made

    return reference


PROGRAMS = program_table(
    *(
        Program(op, assigning(key, use_resource), [X], assigned(key), label=name)
        for op, use_resource in (("StridedSliceAssign", False), ("ResourceStridedSliceAssign", True))
        for name, key in KEYS.items()
    )
)

(test_program,) = program_tests(PROGRAMS)


@pytest.fixture(params=[False, True], ids=["ref", "resource"])
def v(request):
    with tf.Graph().as_default():
        yield tf.get_variable(
            "v", initializer=tf.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), use_resource=request.param
        )


def run(v, *fetches):
    with tf.Session() as session:
        session.run(v.initializer)
        return [session.run(fetch) for fetch in fetches]


def test_nodes_are_named_as_in_tensorflow(v):
    written = v[1, ::2].assign([7.0, 8.0])
    assert written.op.name == "strided_slice/_assign"
    assert written.shape.as_list() == [2, 3]
    first, read = run(v, written, v)
    assert first.tolist() == read.tolist() == [[1, 2, 3], [7, 5, 8]]


def test_values_are_broadcast(v):
    assert run(v, v[:, 1].assign(9.0), v)[1].tolist() == [[1, 9, 3], [4, 9, 6]]


def test_parts_are_tensors(v):
    total, part = run(v, v[0] + v[1], v[0, 1:])
    assert total.tolist() == [5, 7, 9] and part.tolist() == [2, 3]
    assert isinstance(v[0], tf.Tensor) and tf.gradients(v[0] * 2.0, v) is not None


def test_what_does_not_fit_changes_nothing(v):
    with tf.Session() as session:
        session.run(v.initializer)
        with pytest.raises(
            tf.errors.InvalidArgumentError, match=r"Cannot broadcast input shape \[2\] into final shape \[3\]"
        ):
            session.run(v[0].assign([1.0, 2.0]))
        assert session.run(v).tolist() == [[1, 2, 3], [4, 5, 6]]


def test_an_uninitialized_variable_has_no_parts(v):
    with tf.Session() as session, pytest.raises(tf.errors.FailedPreconditionError, match="uninitialized"):
        session.run(v[0].assign([1.0, 2.0, 3.0]))


def test_an_earlier_fetch_keeps_its_values():
    with tf.Graph().as_default(), tf.Session() as session:
        v = tf.Variable(np.zeros(1 << 16, "f4"))
        change = v[::2].assign(1.0)
        session.run(v.initializer)
        before = session.run(v)
        session.run(change)
        assert not before.any() and session.run(v).sum() == 1 << 15


def test_scalars_have_one_part():
    with tf.Graph().as_default(), tf.Session() as session:
        v = tf.Variable(1.0)
        session.run(v.initializer)
        assert session.run(v[...].assign(5.0)) == 5.0
