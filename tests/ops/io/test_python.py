"""py_func: what functions get and give, what their exceptions become, and that nothing is shared with a graph."""

import gc
import weakref

import numpy as np
import pytest

from millstream.engine.session import Session
from millstream.ops.core import errors
from millstream.ops.core.convert import constant
from millstream.ops.core.graph import Graph
from millstream.ops.core.registry import lookup
from millstream.ops.core.shape_rules import constant_value
from millstream.ops.gradients import gradients
from millstream.ops.io import numpy_function, py_func


@pytest.fixture
def session():
    with Graph().as_default(), Session() as opened:
        yield opened


@pytest.mark.parametrize(
    ("function", "inputs", "types", "expected"),
    [
        (lambda x, y: x @ y, [np.eye(2, dtype=np.float32), np.ones((2, 2), np.float32)], "float32", np.ones((2, 2))),
        (lambda x: x + 1, [np.int64(1)], "int64", 2),
        (lambda: 3, [], "int64", 3),
        (lambda: "hi", [], "string", b"hi"),
        (lambda x: x + b"z", ["abc"], "string", b"abcz"),
        (lambda: np.array(["é", "b"]), [], "string", np.array(["é".encode(), b"b"], object)),
        (lambda x: [x, x > 2], [np.arange(4)], ["int64", "bool"], [np.arange(4), np.arange(4) > 2]),
        (lambda x: (x,), [1.5], ["float32"], [np.float32(1.5)]),
        (lambda x: x.T, [np.arange(6).reshape(2, 3)], "int64", np.arange(6).reshape(2, 3).T),
    ],
)
def test_functions_compute(session, function, inputs, types, expected) -> None:
    found = session.run(py_func(function, inputs, types))
    if isinstance(types, list):
        for value, wanted in zip(found, expected, strict=True):
            np.testing.assert_array_equal(value, wanted)
    else:
        np.testing.assert_array_equal(found, expected)


def test_a_function_that_returns_nothing_is_an_operation(session) -> None:
    seen = []
    node = py_func(seen.append, [7], [])
    assert node.type == "PyFunc"
    assert session.run(node) is None
    assert seen == [7]


@pytest.mark.parametrize(
    ("function", "types", "message"),
    [
        (lambda: 1.5, "float32", r"0-th value returned by pyfunc_\d+ is double, but expects float"),
        (lambda: np.float16(1), "float64", r"0-th value returned by pyfunc_\d+ is half, but expects double"),
        (lambda: [1, 2.0], ["int64", "int32"], r"1-th value returned by pyfunc_\d+ is double, but expects int32"),
        (lambda: [1, 2], "int64", r"pyfunc_\d+ returns 2 values, but expects to see 1 values"),
        (lambda: None, "int64", r"pyfunc_\d+ returns 0 values, but expects to see 1 values"),
        (lambda: [[[1], [2, 3]]], ["int64"], r"0-th value returned by pyfunc_\d+ is no tensor"),
        (lambda: {"a": 1}, "int64", r"Unsupported object type dict"),
    ],
)
def test_results_that_are_not_what_was_promised_are_refused(session, function, types, message) -> None:
    kind = errors.InternalError if "Unsupported" in message else errors.InvalidArgumentError
    with pytest.raises(kind, match=message):
        session.run(py_func(function, [], types))


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (ValueError, errors.InvalidArgumentError),
        (TypeError, errors.InvalidArgumentError),
        (StopIteration, errors.OutOfRangeError),
        (MemoryError, errors.ResourceExhaustedError),
        (NotImplementedError, errors.UnimplementedError),
        (RuntimeError, errors.UnknownError),
        (KeyError, errors.UnknownError),
        (ZeroDivisionError, errors.UnknownError),
        (lambda text: errors.DataLossError(None, None, text), errors.DataLossError),
    ],
)
def test_exceptions_become_tensorflows_and_keep_the_users_traceback(session, raised, expected) -> None:
    def breaks(x):
        raise raised("boom")

    node = py_func(breaks, [1.0], "float32")
    with pytest.raises(expected) as caught:
        session.run(node)
    assert type(caught.value) is expected
    assert caught.value.op is node.op
    assert "boom" in caught.value.message
    assert "Traceback (most recent call last):" in caught.value.message
    assert f'File "{__file__}"' in caught.value.message
    assert "ops/io/python.py" not in caught.value.message


def test_interrupts_pass(session) -> None:
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        session.run(py_func(interrupted, [], "float32"))


def test_writing_to_an_argument_changes_nothing_else(session) -> None:
    x = constant([1.0, 2.0])

    def writes(array):
        array[:] = 9
        return array

    y = py_func(writes, [x], "float32")
    for _ in range(2):
        before, changed = session.run([x, y])
        np.testing.assert_array_equal(before, [1, 2])
        np.testing.assert_array_equal(changed, [9, 9])


def test_results_are_never_the_functions_own_arrays(session) -> None:
    kept = np.zeros(3)
    y = py_func(lambda: kept, [], "float64")
    first = session.run(y)
    kept += 1
    np.testing.assert_array_equal(first, [0, 0, 0])
    assert not np.shares_memory(session.run(y), kept)


def test_scalars_come_as_numpy_scalars_and_strings_as_bytes(session) -> None:
    kinds = []
    session.run(py_func(lambda *values: kinds.extend(map(type, values)), [1.0, "a", ["b"]], []))
    assert kinds == [np.float32, bytes, np.ndarray]


def test_a_stateless_function_is_not_called_while_building(session) -> None:
    calls = []
    y = py_func(lambda x: calls.append(x) or x, [1.0], "float32", stateful=False)
    y.set_shape([])
    assert y.op.type == "PyFuncStateless"
    assert constant_value(y) is None
    assert calls == []
    assert session.run(y) == 1.0


def test_there_is_no_gradient(session) -> None:
    x = constant(1.0)
    assert gradients(py_func(lambda v: v, [x], "float32"), [x]) == [None]


def test_nodes_are_as_tensorflow_makes_them(session) -> None:
    y = numpy_function(lambda a, b: a, [1.0, 2], "float32", name="f")
    assert [op.name for op in session.graph.get_operations()] == ["f/input_0", "f/input_1", "f"]
    assert y.op.type == "PyFunc"
    assert y.shape.ndims is None
    assert y.op.get_attr("token").startswith(b"pyfunc_")


def test_functions_live_as_long_as_their_graph() -> None:
    class Function:
        def __call__(self):
            return 1.0

    function = Function()
    gone = weakref.ref(function)
    with Graph().as_default() as graph:
        token = py_func(function, [], "float64").op.get_attr("token").decode()
    del function
    gc.collect()
    assert gone() is not None
    del graph
    gc.collect()
    assert gone() is None
    with Graph().as_default(), Session() as session:
        orphan = lookup("PyFunc").node([], token=token, Tout=["float64"])
        with pytest.raises(errors.InvalidArgumentError, match=f"callback {token} is not found"):
            session.run(orphan)
