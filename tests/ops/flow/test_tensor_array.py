"""TensorArrays: every op row by row, then loops, errors with TensorFlow's words, shapes, devices and what is shared."""

from typing import Any

import numpy as np
import pytest

import millstream as tf
from support.opcheck_programs import Program, program_table, program_tests

X = np.array([[0.5, -1.25], [2.0, 0.75], [-0.5, 1.5]])
INVALID = tf.errors.InvalidArgumentError


def array(x: Any, **options: Any) -> tf.TensorArray:
    return tf.TensorArray(x.dtype, size=3, clear_after_read=False, **options)


def written(x: Any) -> Any:
    made = array(x)
    for i in range(3):
        made = made.write(i, x[i] * x[i])
    return made.stack() * x


def read_twice(x: Any) -> Any:
    made = array(x).unstack(x)
    return made.read(1) * made.read(1) + made.read(0)


def looped(x: Any) -> Any:
    rows, made = array(x).unstack(x), array(x)
    step = lambda i, h, made: (i + 1, h * h + rows.read(i), made.write(i, tf.sin(h)))  # noqa: E731
    _, h, made = tf.while_loop(lambda i, *_: i < 3, step, (tf.constant(0), tf.zeros_like(x[0]), made))
    return [made.stack(), h]


def looped_reference(x: Any) -> Any:
    h, found = np.zeros_like(x[0]), []
    for row in x:
        found.append(np.sin(h))
        h = h * h + row
    return [np.stack(found), h]


def inner_array(x: Any) -> Any:
    """Returns what a loop gives whose body has an array of its own."""

    def step(i: Any, h: Any) -> Any:
        made = tf.TensorArray(x.dtype, 2).write(0, h * h).write(1, h * x[i])
        return i + 1, tf.reduce_sum(made.stack(), 0)

    return tf.while_loop(lambda i, _: i < 3, step, (tf.constant(0), tf.ones_like(x[0])))[1]


def inner_reference(x: Any) -> Any:
    h = np.ones_like(x[0])
    for row in x:
        h = h * h + h * row
    return h


def summed_by(x: Any) -> Any:
    return tf.gradients(read_twice(x), x)[0]


def closed(x: Any) -> Any:
    made = array(x)
    with tf.control_dependencies([made.close()]):
        return x + 1.0


PROGRAMS = program_table(
    Program("TensorArrayV3", looped, [X / 2], looped_reference, gradient=True),
    Program("TensorArrayV3", inner_array, [X / 2], inner_reference, gradient=True, label="in_a_loop"),
    Program("TensorArrayWriteV3", written, [X], lambda x: x**3, gradient=True),
    Program("TensorArrayReadV3", read_twice, [X], lambda x: x[1] ** 2 + x[0], gradient=True),
    Program("TensorArrayGatherV3", lambda x: array(x).unstack(x).gather([2, 0]) ** 2.0, [X], lambda x: x[[2, 0]] ** 2,
            gradient=True),
    Program("TensorArrayScatterV3", lambda x: array(x).scatter([2, 0, 1], x * x).stack() * x, [X],
            lambda x: (x * x)[[1, 2, 0]] * x, gradient=True),
    Program("TensorArrayConcatV3", lambda x: array(x).unstack(x).concat() ** 3.0, [X], lambda x: x.reshape(-1) ** 3,
            gradient=True),
    Program("TensorArraySplitV3", lambda x: array(x, infer_shape=False).split(x * x, [1, 0, 2]).read(2), [X],
            lambda x: x[1:] ** 2, gradient=True),
    Program("TensorArraySizeV3", lambda x: array(x).size(), [X], lambda x: np.int32(3)),
    Program("TensorArrayGradV3", summed_by, [X], lambda x: np.stack([np.ones(2), 2 * x[1], np.zeros(2)])),
    Program("TensorArrayCloseV3", closed, [X], lambda x: x + 1),
)  # fmt: skip

test_program, test_program_gradient = program_tests(PROGRAMS)


def fails(build: Any, words: str, error: Any = INVALID) -> None:
    with tf.Graph().as_default(), tf.Session() as session, pytest.raises(error) as caught:
        session.run(build(tf.TensorArray(tf.float32, 3, tensor_array_name="rows")))
    assert words in str(caught.value)


def _after(first: Any, build: Any) -> Any:
    with tf.control_dependencies([first]):
        return build()


def _reread(a: Any) -> Any:
    made = a.write(0, 1.0)
    return _after(made.read(0), lambda: made.read(0))


def _rewritten(a: Any) -> Any:
    made = a.write(0, 1.0)
    return _after(made.read(0), lambda: made.write(0, 2.0).flow)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda a: a.read(0), "TensorArray rows: Could not read from TensorArray index 0.  Furthermore, the element shape is "
         "not fully defined: <unknown>."),
        (lambda a: a.read(7), "Tried to read from index 7 but array size is: 3"),
        (lambda a: a.write(5, 1.0).flow, "Tried to write to index 5 but array is not resizeable and size is: 3"),
        (lambda a: a.write(-1, 1.0).flow, "Tried to write to index -1 but array is not resizeable and size is: 3"),
        (lambda a: a.write(0, 1.0).write(0, 2.0).flow,
         "Could not write to TensorArray index 0 because it has already been written to."),
        (_reread, "Could not read index 0 twice because it was cleared after a previous read (perhaps try setting "
         "clear_after_read = false?)."),
        (_rewritten, "Could not write to TensorArray index 0 because it has already been read."),
        (lambda a: a.split([1.0, 2.0], [1, 2, 0]).flow,
         "Expected sum of lengths to be equal to values.shape[0], but sum of lengths is 3 and value's shape is: [2]"),
        (lambda a: a.split([1.0, 2.0], [1, 1]).flow, "TensorArray's size is not equal to the size of lengths (3 vs. 2)"),
        (lambda a: tf.TensorArray(tf.float32, 2, infer_shape=False).write(0, [1.0]).write(1, [1.0, 2.0]).stack(),
         "TensorArray has inconsistent shapes.  Index 0 has shape: [1] but index 1 has shape: [2]"),
        (lambda a: tf.TensorArray(tf.float32, 2, element_shape=[2])
         .write(0, tf.placeholder_with_default([1.0], [None])).flow,
         "the value shape is [1] which is incompatible with the TensorArray's inferred element shape: [2]"),
    ],
)  # fmt: skip
def test_errors_of_the_run(build: Any, words: str) -> None:
    fails(build, words)


def test_nothing_to_stack() -> None:
    fails(lambda _: tf.TensorArray(tf.float32, 0).stack(), "TensorArray has size zero", tf.errors.UnimplementedError)
    with tf.Graph().as_default(), tf.Session() as session:
        assert session.run(tf.TensorArray(tf.float32, 0, element_shape=[2]).stack()).shape == (0, 2)


def test_errors_of_building() -> None:
    with tf.Graph().as_default():
        made = tf.TensorArray(tf.float32, 3).write(0, [1.0])
        with pytest.raises(ValueError, match=r"Inconsistent shapes: saw \(2,\) but expected \(1,\)"):
            made.write(1, [1.0, 2.0])
        with pytest.raises(TypeError, match="TensorArray dtype is float32 but Op is trying to write dtype int64"):
            made.write(1, tf.constant([1], tf.int64))
        with pytest.raises(ValueError, match="Size must be provided"):
            tf.TensorArray(tf.float32)
        with pytest.raises(ValueError, match="both a handle and size"):
            tf.TensorArray(tf.float32, 3, handle=made.handle)
        with pytest.raises(TypeError, match="Handle must be a Tensor"):
            tf.TensorArray(tf.float32, handle=3)


def test_unwritten_elements_of_known_shape_are_zeros() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        np.testing.assert_array_equal(session.run(tf.TensorArray(tf.float32, 3, element_shape=[2]).read(1)), [0, 0])


def test_an_array_grows() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        made = tf.TensorArray(tf.float32, 0, dynamic_size=True, element_shape=[]).write(3, 2.0)
        size, rows = made.size(), made.stack()
        assert session.run(size) == 4
        np.testing.assert_array_equal(session.run(rows), [0, 0, 0, 2])


def test_nodes_are_called_as_in_tensorflow() -> None:
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [None, 2])
        made = tf.TensorArray(tf.float32, size=3).unstack(x)
        y = made.write(1, made.read(0)).stack()
        tf.gradients(y, x)
        names = [op.name for op in graph.get_operations() if op.type.startswith("TensorArray")]
    assert names[:6] == [
        "TensorArray", "TensorArrayUnstack/TensorArrayScatter/TensorArrayScatterV3", "TensorArrayReadV3",
        "TensorArrayWrite/TensorArrayWriteV3", "TensorArrayStack/TensorArraySizeV3", "TensorArrayStack/TensorArrayGatherV3",
    ]  # fmt: skip
    assert "gradients/TensorArrayReadV3_grad/TensorArrayGrad/TensorArrayGradV3" in names


@pytest.mark.simulated_gpus(2)
def test_elements_stay_where_the_first_one_was_made() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        with tf.device("/gpu:1"):
            x = tf.constant(X, tf.float32) * 2.0
        made = tf.TensorArray(tf.float32, 3).unstack(x)
        with tf.device("/gpu:0"):
            y = tf.reduce_sum(made.stack())
        placement = session.placement(y)
        rows = [row for row in placement.rows if row.op_type.startswith("TensorArray")]
        assert {row.assigned[-5:] for row in rows} == {"GPU:1"}
        np.testing.assert_allclose(session.run(y), 2 * X.sum(), rtol=1e-6)


def test_gradients_in_a_loop_do_not_mix_iterations() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.constant(X)
        made = tf.TensorArray(tf.float64, 3, clear_after_read=False).unstack(x)

        def step(i: Any, total: Any) -> Any:
            return i + 1, total + tf.gradients(made.read(1) ** 2.0, x)[0]

        found = session.run(tf.while_loop(lambda i, _: i < 4, step, (tf.constant(0), tf.zeros_like(x)))[1])
        np.testing.assert_allclose(found, 4 * np.stack([np.zeros(2), 2 * X[1], np.zeros(2)]))


def test_two_differentiations_do_not_mix() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.constant(X)
        y = read_twice(x)
        one, two = tf.gradients(y, x)[0], tf.gradients(2.0 * y, x, name="again")[0]
        a, b = session.run([one, two])
        np.testing.assert_allclose(2 * a, b)


def test_gradients_that_nobody_wrote_are_zeros_of_the_elements_shape() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float64, [3, None])
        made = tf.TensorArray(tf.float64, 3).unstack(x)
        _, total = tf.while_loop(lambda i, _: i < 2, lambda i, t: (i + 1, t + made.read(i)), (0, tf.zeros_like(x[0])))
        found = session.run(tf.gradients(total, x)[0], {x: X})
        np.testing.assert_array_equal(found, [[1, 1], [1, 1], [0, 0]])


def test_a_loop_whose_array_nobody_reads_has_no_gradient_for_it() -> None:
    with tf.Graph().as_default() as graph, tf.Session() as session:
        x = tf.placeholder(tf.float64, [None, 2])
        made = tf.TensorArray(tf.float64, 3)
        step = lambda i, h, made: (i + 1, h * x[i], made.write(i, h))  # noqa: E731
        _, h, _ = tf.while_loop(lambda i, *_: i < 3, step, (0, tf.ones([2], tf.float64), made))
        (found,) = tf.gradients(h, x)
        assert "TensorArrayGradV3" not in {op.type for op in graph.get_operations()}
        np.testing.assert_allclose(session.run(found, {x: X}), X.prod(0) / X)
