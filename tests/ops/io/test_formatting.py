"""Tensors in templates and on standard error: TensorFlow's texts, written down as a table."""

import sys

import numpy as np
import pytest

import millstream as tf
from millstream.ops.core.errors import InvalidArgumentError
from millstream.ops.core.registry import lookup
from support.opcheck import Row, check_row, table


def text(value: str) -> np.ndarray:
    made = np.empty((), object)
    made[()] = value.encode()
    return made


def row(array, expected, label, summarize=3, dtypes=("float32",)):
    def build(x):
        return lookup("StringFormat")([x], template="%s", summarize=summarize)

    return Row("StringFormat", build, [array], lambda *_: text(expected), label=label, devices="CPU", dtypes=dtypes)


STRINGS = np.array([b"a\n", b'q"x', "é\0'".encode()], object)
CUBE = np.arange(27).reshape(3, 3, 3)

ROWS = table(
    row(np.arange(10), "[0 1 2 ... 7 8 9]", "vector"),
    row(np.arange(6), "[0 1 2 3 4 5]", "short"),
    row(np.arange(4).reshape(2, 2), "[[0 1]\n [2 3]]", "matrix"),
    row(CUBE, "[[[0 ... 2]\n  ...\n  [6 ... 8]]\n\n ...\n\n [[18 ... 20]\n  ...\n  [24 ... 26]]]", "cube", 1),
    row(CUBE[:1], "[[[0 1 2]\n  [3 4 5]\n  [6 7 8]]]", "all", -1),
    row(np.float32(1.5), "1.5", "scalar"),
    row(np.array([1e10, 1e-10, np.inf, 1 / 3]), "[1e+10 1e-10 inf 0.333333343]", "floats", -1),
    row(np.array([1e10, 1 / 3, 1e100]), "[10000000000 0.33333333333333331 1e+100]", "doubles", dtypes=("float64",)),
    row(np.array([0.1, 65504.0]), "[0.0999755859 65504]", "halves", dtypes=("float16",)),
    row(np.array([True, False]), "[1 0]", "bools"),
    row(STRINGS, '["a\\n" "q\\"x" "é\\000\\\'"]', "strings"),
    row(np.array([1 + 2j]), "[?]", "complex"),
    row(np.zeros((0, 3)), "[]", "no rows"),
    row(np.zeros((3, 0)), "[\n ...]", "empty rows"),
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_forward(row: Row) -> None:
    check_row(row)


def test_format() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        made = tf.strings.format("x: {}, y: {}", [tf.constant([1, 2]), tf.constant("z")])
        assert session.run(made) == b'x: [1 2], y: "z"'
        assert session.run(tf.strings.format("<*>", 7, placeholder="*")) == b"<7>"
        with pytest.raises(ValueError, match="expects 2 tensors, but the inputs only has 1"):
            tf.strings.format("{} {}", [tf.constant(1)])
        wrong = lookup("StringFormat")([tf.constant(1)], template="no place")
        with pytest.raises(InvalidArgumentError, match="num placeholders in template and num inputs must match"):
            session.run(wrong)


PRINTS = (
    (lambda x: tf.print("a", x, {"k": x, "l": [x, 3]}, sep=", "), "a, [1 2], {'k': [1 2], 'l': [[1 2], 3]}\n"),
    (lambda x: tf.print("only"), "only\n"),
    (lambda x: tf.print({"l": 1, "k": x, 3: 4}), "{3: 4, 'k': [1 2], 'l': 1}\n"),
    (
        lambda x: tf.print(tf.SparseTensor([[0, 1]], [7], [1, 2])),
        "'SparseTensor(indices=[[0 1]], values=[7], shape=[1 2])'\n",
    ),
    (lambda x: tf.print(x, "b", end=""), "[1 2] b"),
    (lambda x: tf.print("{}", (x,)), "{} ([1 2],)\n"),
    (lambda x: tf.print(tf.range(9), summarize=1), "[0 ... 8]\n"),
)


@pytest.mark.parametrize(("build", "expected"), PRINTS)
def test_print(build, expected, capsys) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        node = build(tf.constant([1, 2]))
        assert node.type == "PrintV2"
        session.run(node)
    assert capsys.readouterr().err == expected


def test_print_to_other_places(tmp_path, capsys) -> None:
    path = tmp_path / "log"
    with tf.Graph().as_default(), tf.Session() as session:
        session.run(tf.print("out", output_stream=sys.stdout))
        node = tf.print("line", output_stream=f"file://{path}")
        session.run(node)
        session.run(node)
        with pytest.raises(ValueError, match="Unsupported output stream"):
            tf.print("x", output_stream="nowhere")
        with pytest.raises(ValueError, match="Unrecognized keyword arguments"):
            tf.print("x", file=sys.stdout)
    assert capsys.readouterr().out == "out\n"
    assert path.read_text() == "line\nline\n"
