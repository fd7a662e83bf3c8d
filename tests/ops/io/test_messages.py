"""Print and Assert: TensorFlow's text for tensors, how often, where it goes, and what an assertion says."""

import numpy as np
import pytest

from millstream.devices import simulated_gpus
from millstream.engine.session import Session
from millstream.ops.core import errors
from millstream.ops.core.convert import constant
from millstream.ops.core.graph import Graph
from millstream.ops.core.registry import lookup
from millstream.ops.gradients import gradients
from millstream.ops.io import Print
from millstream.ops.io.summarize import summarize
from millstream.ops.layers import Assert

# What TensorFlow prints, between its outer brackets.
TEXTS = [
    (np.array([[2, 3], [4, 5]]), 3, "[2 3][4...]..."),
    (np.arange(10), 3, "0 1 2..."),
    (np.arange(12).reshape(3, 4), 3, "[0 1 2...]..."),
    (np.arange(12).reshape(3, 4), 5, "[0 1 2 3][4...]..."),
    (np.arange(24).reshape(2, 3, 4), 13, "[[0 1 2 3][4 5 6 7][8 9 10 11]][[12...]]..."),
    (np.arange(24).reshape(2, 3, 4)[:, :, :2], -1, "[[0 1][4 5][8 9]][[12 13][16 17][20 21]]"),
    (np.arange(3), 0, "..."),
    (np.zeros((0, 3)), 3, ""),
    (np.array([True, False]), 3, "1 0"),
    (np.float32(3.5), 3, "3.5"),
    (np.float32(1 / 3), 3, "0.333333343"),
    (np.float64(1 / 3), 3, "0.33333333333333331"),
    (np.float32(0.1), 3, "0.1"),
    (np.float32(1e20), 3, "1e+20"),
    (np.float32(123456789), 3, "123456792"),
    (np.float32(1e-5), 3, "1e-05"),
    (np.float32(1234567), 3, "1234567"),
    (np.array([np.nan, -np.inf], np.float32), 3, "nan -inf"),
    (np.array([1.5], np.float16), 3, "1.5"),
    (np.uint8(200), 3, "200"),
    (np.array([b"a", b"b c"], object), 3, "a b c"),
    (np.array([b"a\xff\n\"q'\\"], object), 3, "a\\377\\n\\\"q\\'\\\\"),
    (np.complex64(1 + 2j), 3, "(1,2)"),
]


@pytest.mark.parametrize(("value", "limit", "expected"), TEXTS, ids=[text for _, _, text in TEXTS])
def test_tensors_read_as_tensorflow_prints_them(value, limit, expected) -> None:
    assert summarize(value, limit) == expected


def test_print_goes_to_standard_error_and_hands_its_input_on(capfd) -> None:
    with Graph().as_default(), Session() as session:
        shown = Print(constant([1.0, 2.0]), [np.array([[2, 3], [4, 5]]), 3.5, "words"], message="seen: ")
        np.testing.assert_array_equal(session.run(shown), [1.0, 2.0])
    captured = capfd.readouterr()
    assert captured.err == "seen: [[2 3][4...]...][3.5][words]\n"
    assert captured.out == ""


def test_first_n_counts_by_session_and_node(capfd) -> None:
    with Graph().as_default():
        shown = Print(1.0, ["once"], first_n=1)
        for _ in range(2):
            with Session() as session:
                session.run(shown)
                session.run(shown)
    assert capfd.readouterr().err == "[once]\n" * 2


def test_the_gradient_passes_print(capfd) -> None:
    with Graph().as_default(), Session() as session:
        x = constant(3.0)
        (dx,) = gradients(Print(x, [x]), [x])
        assert session.run(dx) == 1.0


def test_print_keeps_its_input_on_a_gpu(capfd) -> None:
    with simulated_gpus(1), Graph().as_default() as graph, Session() as session:
        with graph.device("/gpu:0"):
            shown = Print(constant([1.0, 2.0]), ["there"])
        np.testing.assert_array_equal(session.run(shown), [1.0, 2.0])
    assert capfd.readouterr().err == "[there]\n"


def test_an_assertion_says_what_it_saw() -> None:
    with Graph().as_default(), Session() as session:
        node = Assert(constant(False), ["hello: ", np.array([[1, 2], [3, 4]]), 2.5])
        with pytest.raises(errors.InvalidArgumentError) as caught:
            session.run(node)
    assert caught.value.message == "assertion failed: [hello: ] [[1 2][3...]...] [2.5]"
    assert caught.value.op.name == "Assert/AssertGuard/Assert" and node.name == "Assert/AssertGuard/Merge"
    assert __file__ in str(caught.value)


def test_an_assertion_guards_what_depends_on_it() -> None:
    with Graph().as_default() as graph, Session() as session:
        x = lookup("Placeholder")(dtype="bool", shape=())
        with graph.control_dependencies([Assert(x, [x])]):
            y = lookup("Identity")(constant(7))
        assert session.run(y, {x: True}) == 7
        with pytest.raises(errors.InvalidArgumentError, match=r"assertion failed: \[0\]"):
            session.run(y, {x: False})


def test_assertions_are_named_as_in_tensorflow() -> None:
    with Graph().as_default() as graph:
        Assert(True, [1], summarize=5, name="check")
        assert [op.name for op in graph.get_operations()] == [
            "check/Assert/condition",
            "check/Assert/data_0",
            "check/Assert",
        ]
        assert graph.get_operation_by_name("check/Assert").get_attr("summarize") == 5


def test_an_assertion_that_passes_leaves_its_data_where_it_is() -> None:
    """x(GPU:0) -> x > 0 -> a guard on the host, which asks for x only when it fails"""
    with simulated_gpus(1) as gpus, Graph().as_default() as graph, Session() as session:
        with graph.device("/gpu:0"):
            x = lookup("Placeholder")(dtype="float32", shape=(1000,))
            y = x * 2.0
        small = lookup("All")(lookup("Less")(y, 10.0), [0])
        node = Assert(small, [y])
        session.run(node, {x: np.ones(1000)})
        gpus[0].machine.reset()
        session.run(node, {x: np.ones(1000)})
        back = [record for record in gpus[0].machine.timeline if record.kind == "device to host"]
        assert [record.nbytes for record in back] == [1]
        with pytest.raises(errors.InvalidArgumentError, match=r"assertion failed: \[20 20 20...\]"):
            session.run(node, {x: np.full(1000, 10.0)})
