"""Ops on strings, as TensorFlow computes them."""

import numpy as np
import pytest

from millstream.ops import strings as s
from millstream.ops.core.convert import constant
from millstream.ops.core.errors import InvalidArgumentError
from millstream.ops.core.graph import Graph
from support.opcheck import Row, check_row, evaluate, table


def b(value):
    """Return nested lists of text as a string tensor's value."""
    array = np.array(value, object)
    result = np.empty(array.shape, object)
    result.reshape(-1)[:] = [v if isinstance(v, bytes) else v.encode() for v in array.reshape(-1).tolist()]
    return result


def row(op, build, inputs, expected, label=""):
    expected = b(expected) if np.asarray(expected).dtype.kind in "SUO" else np.asarray(expected)
    return Row(
        op,
        build,
        [b(i) if np.asarray(i).dtype.kind in "SUO" else np.asarray(i) for i in inputs],
        lambda *_: expected,
        label=label,
    )


GRID = [["a", "b"], ["c", "d"]]

ROWS = table(
    row("StringJoin", lambda *x: s.string_join(x, "-"), ["a", ["b", "c"]], ["a-b", "a-c"]),
    row("StringJoin", lambda *x: s.string_join(x), [b"\0", b"\xff"], b"\0\xff", "bytes"),
    row("StringJoin", lambda *x: s.string_join(x, "→"), ["a", "b"], "a→b", "unicode"),
    row("StringJoin", lambda *x: s.string_join(x, b"\xff"), ["a", "b"], b"a\xffb", "no unicode"),
    row("StringJoin", lambda x: s.string_join([x]), [GRID], GRID, "one"),
    row("ReduceJoin", lambda x: s.reduce_join(x, 0), [GRID], ["ac", "bd"]),
    row("ReduceJoin", lambda x: s.reduce_join(x, -1, True, "-"), [GRID], [["a-b"], ["c-d"]], "keep"),
    row("ReduceJoin", lambda x: s.reduce_join(x, [1, 0], separator=","), [GRID], "a,b,c,d", "both"),
    row("ReduceJoin", lambda x: s.reduce_join(x, [0, 1]), [GRID], "acbd", "order"),
    row("ReduceJoin", lambda x: s.reduce_join(x, []), [GRID], GRID, "none"),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_forward(row: Row) -> None:
    check_row(row)


def test_all_axes_join_in_order() -> None:
    with Graph().as_default():
        assert evaluate([s.reduce_join(constant(GRID))])[0].item() == b"abcd"


def unshaped(value):
    tensor = constant(value)
    tensor.dims = None
    return tensor


def test_shapes_that_do_not_match() -> None:
    with Graph().as_default():
        with pytest.raises(ValueError, match="Dimension 0 in both shapes must be equal"):
            s.string_join([["x"], ["b", "c"]])
        with pytest.raises(InvalidArgumentError, match=r"Input shapes do not match: \[1\] vs. \[2\]"):
            evaluate([s.string_join([unshaped(["x"]), ["b", "c"]])])
        with pytest.raises(ValueError, match="Invalid reduction dimension 2 for input with 2 dimensions"):
            s.reduce_join(GRID, 2)
