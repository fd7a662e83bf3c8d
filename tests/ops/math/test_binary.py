"""Element-wise ops of two inputs: NumPy references, broadcasting, gradients, and division by zero."""

# A table reads best with a row on each line.

import numpy as np
import pytest

from millstream.ops import math as m
from millstream.ops.core.convert import constant
from millstream.ops.core.errors import InvalidArgumentError
from millstream.ops.core.registry import lookup
from millstream.ops.math.broadcasting import copied_axes
from support.opcheck import Row, evaluate, row_tests, table

RNG = np.random.default_rng(6)
X = RNG.uniform(-2, 2, (2, 3))
Y = RNG.uniform(0.5, 2, (2, 3))
ROW = RNG.uniform(0.5, 2, (3,))
COLUMN = RNG.uniform(0.5, 2, (2, 1))
POSITIVE = RNG.uniform(0.3, 2, (2, 3))
WHOLE = np.array([[-7, 7, -6], [6, 0, 5]], np.int32)
OTHER = np.array([[2, -2, 4], [-4, 3, 3]], np.int32)
COUNTS = np.array([[1, 40, 2], [0, 3, 31]], np.int32)
TRUTH = np.array([[True, True, False]]), np.array([[True], [False]])
ALL = ("float16", "bfloat16", "float32", "float64")
WITH_ZERO = np.array([[0.0, 1.0, 0.0], [2.0, 0.0, 0.5]])


def two(op, function, reference, x=X, y=Y, **more):
    return Row(op, function, [x, y], reference, **{"gradient": x.dtype.kind == "f", "dtypes": ALL, **more})


def plain(op, function, reference, x=X, y=Y, **more):
    return two(op, function, reference, x, y, gradient=False, **more)


def guarded(value):
    return lambda x, y: np.where(x == 0, 0, value(x, y))


ROWS = table(
    two("AddV2", m.add, np.add),
    two("AddV2", m.add, np.add, X, ROW, label="row"),
    two("AddV2", m.add, np.add, COLUMN, ROW, label="outer"),
    two("AddV2", lambda x, y: x + y, np.add, WHOLE, OTHER, label="int32"),
    two("Add", lookup("Add"), np.add),
    two("Sub", m.subtract, np.subtract, X, COLUMN),
    two("Mul", m.multiply, np.multiply, COLUMN, X),
    two("RealDiv", m.truediv, np.true_divide, X, ROW),
    two("Div", lookup("Div"), np.true_divide),
    two("Div", lookup("Div"), lambda x, y: np.trunc(x / y), WHOLE, OTHER, label="int32"),
    plain("FloorDiv", m.floordiv, lambda x, y: np.floor(x / y), dtypes=("float64",)),
    plain("FloorDiv", m.floordiv, np.floor_divide, WHOLE, OTHER, label="int32"),
    two("FloorMod", m.mod, np.mod, dtypes=("float64",)),
    plain("FloorMod", m.mod, np.mod, WHOLE, OTHER, label="int32"),
    plain("Mod", lookup("Mod"), np.fmod, WHOLE, OTHER),
    two("TruncateMod", m.truncatemod, np.fmod, dtypes=("float64",)),
    plain("TruncateMod", m.truncatemod, np.fmod, WHOLE, OTHER, label="int32"),
    plain("TruncateDiv", m.truncatediv, lambda x, y: np.trunc(x / y), WHOLE, OTHER),
    two("DivNoNan", m.div_no_nan, np.divide),
    plain("DivNoNan", m.div_no_nan, lambda x, y: np.where(y == 0, 0, x / y), X, WITH_ZERO, label="zero"),
    two("MulNoNan", m.mul_no_nan, np.multiply),
    two("Xdivy", m.xdivy, np.divide),
    plain("Xdivy", m.xdivy, guarded(np.divide), WITH_ZERO, Y, label="zero"),
    two("Xlogy", m.xlogy, lambda x, y: x * np.log(y)),
    plain("Xlogy", m.xlogy, guarded(lambda x, y: x * np.log(y)), WITH_ZERO, Y, label="zero"),
    two("Xlog1py", m.xlog1py, lambda x, y: x * np.log1p(y)),
    two("Pow", m.pow, np.power, POSITIVE, X, error=4),
    two("Pow", lambda x, y: m.pow(x, 3.0) + 0 * y, lambda x, y: x**3, label="cube", error=4),
    plain("Pow", m.pow, np.power, WHOLE, np.abs(OTHER), label="int32"),
    two("Maximum", m.maximum, np.maximum),
    two("Minimum", m.minimum, np.minimum),
    two("SquaredDifference", m.squared_difference, lambda x, y: (x - y) ** 2, X, ROW),
    two("Atan2", m.atan2, np.arctan2),
    plain("NextAfter", m.nextafter, None, dtypes=("float32", "float64")),
    plain("Equal", m.equal, np.equal, WHOLE, np.abs(WHOLE)),
    plain("NotEqual", m.not_equal, np.not_equal, WHOLE, np.abs(WHOLE)),
    plain("Less", m.less, np.less, X, ROW, dtypes=("float64",)),
    plain("LessEqual", m.less_equal, np.less_equal, WHOLE, OTHER),
    plain("Greater", m.greater, np.greater, X, ROW, dtypes=("float64",)),
    plain("GreaterEqual", m.greater_equal, np.greater_equal, WHOLE, OTHER),
    plain("ApproximateEqual", m.approximate_equal, lambda x, y: np.abs(x - y) < 1e-5, X, X + 1e-6, dtypes=("float64",)),
    plain("LogicalAnd", m.logical_and, np.logical_and, *TRUTH),
    plain("LogicalOr", m.logical_or, np.logical_or, *TRUTH),
    plain("LogicalAnd", m.logical_xor, np.logical_xor, *TRUTH, label="xor"),
    plain("BitwiseAnd", m.bitwise_and, np.bitwise_and, WHOLE, OTHER),
    plain("BitwiseOr", m.bitwise_or, np.bitwise_or, WHOLE, OTHER),
    plain("BitwiseXor", m.bitwise_xor, np.bitwise_xor, WHOLE, OTHER),
    plain("LeftShift", m.left_shift, lambda x, y: np.left_shift(x, np.minimum(y, 31)), WHOLE, COUNTS),
    plain("RightShift", m.right_shift, lambda x, y: np.right_shift(x, np.minimum(y, 31)), WHOLE, COUNTS),
    plain("Complex", m.complex, lambda x, y: x + 1j * y, X, ROW, dtypes=("float32", "float64")),
    Row("AddN", lambda x, y: m.add_n([x, y, x]), [X, Y], lambda x, y: 2 * x + y, gradient=True),
    Row("AccumulateNV2", lambda x, y: lookup("AccumulateNV2")([x, y], shape=(2, 3)), [X, Y], np.add, gradient=True),
)  # fmt: skip


test_forward, test_in_sessions, test_gradient = row_tests(ROWS)


@pytest.mark.parametrize("function", [m.floordiv, m.mod, m.truncatediv, m.truncatemod], ids=lambda f: f.__name__)
def test_integer_division_by_zero_is_an_error(function) -> None:
    with pytest.raises(InvalidArgumentError, match="Integer division by zero"):
        evaluate([function(constant([1, 2]), constant([1, 0]))])


def test_integers_take_no_negative_powers() -> None:
    with pytest.raises(InvalidArgumentError, match="Integers to negative integer powers"):
        evaluate([m.pow(constant([2]), constant([-1]))])


@pytest.mark.parametrize(
    ("mine", "other", "axes"),
    [
        ((2, 3), (2, 3), []),
        ((3,), (2, 3), [0]),
        ((2, 1), (2, 3), [1]),
        ((), (None, 3), [0, 1]),
        ((1,), (None,), [0]),
        ((10,), (None, 10), [0]),
        ((None, 10), (10,), []),
        ((None,), (None,), None),
        (None, (2,), None),
        ((2, 3), None, None),
    ],
)
def test_copied_axes(mine, other, axes) -> None:
    assert copied_axes(mine, other) == axes
