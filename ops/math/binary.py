"""Element-wise ops of two inputs that broadcast: a table of those that a ufunc computes, then the others.

Integers wrap silently, and dividing them by zero raises InvalidArgumentError; floats follow IEEE 754.
Gradients are attached in gradients_binary.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..core import dtypes, shapes
from ..core.errors import InvalidArgumentError
from ..core.node import Operation
from ..core.registry import Ufunc, lookup, op
from ..core.shape_rules import broadcast
from ..core.shapes import Shape
from .declare import FLOATING, INEXACT, INTEGERS, NUMERIC, QUANTIZED, REAL, SIGNED, Binary, binary, public_binary

TO_BOOL = "x: T, y: T -> z: bool"
POINT = "y: T, x: T -> z: T"
LOGICAL = "x: bool, y: bool -> z: bool"
# CUDA: unlike max and min, they pass NaN on.
GREATER, LESSER = "{0} >= {1} || {0} != {0} ? {0} : {1}", "{0} <= {1} || {0} != {0} ? {0} : {1}"
OLD_SUM = FLOATING + SIGNED + dtypes.COMPLEX + (dtypes.uint8, dtypes.string)

# fmt: off
add_v2 = binary("AddV2", "add", NUMERIC, "{0} + {1}", "Returns `x + y`.", operator="{0} + {1}", commutative=True, aggregate=True)
add_v1 = binary("Add", "add", OLD_SUM, "{0} + {1}", "Returns `x + y`, element-wise; joins strings.")


@lookup("Add").kernel("CPU", supports=lambda node: node.inputs[0].dtype.base_dtype is dtypes.string)
def _joined(xp: Namespace, x: Array, y: Array) -> Array:
    """Join strings; NumPy gives the object itself, not an array of it, where both are scalars."""
    return np.asarray(np.add(x, y), object)


subtract = binary("Sub", "subtract", NUMERIC, "{0} - {1}", "Returns `x - y`, element-wise.", operator="{0} - {1}")
multiply = binary("Mul", "multiply", NUMERIC, "{0} * {1}", "Returns `x * y`.", operator="{0} * {1}", commutative=True)
maximum = binary("Maximum", "maximum", REAL, GREATER, "Returns the greater of `x` and `y`, element-wise.")
minimum = binary("Minimum", "minimum", REAL, LESSER, "Returns the lesser of `x` and `y`, element-wise.")
atan2 = binary("Atan2", "arctan2", FLOATING, "atan2({0}, {1})", "Returns the angle of (x, y) in radians.", types=POINT)
# fmt: on


def _comparison(name: str, ufunc: str, symbol: str) -> Binary:
    """Declare a comparison of real numbers."""
    template = f"{{0}} {symbol} {{1}}"
    doc = f"Tells where `x {symbol} y`."
    return binary(name, ufunc, REAL, template, doc, operator=template, types=TO_BOOL, differentiable=False)


def _logical(name: str, ufunc: str, symbol: str) -> Binary:
    """Declare an op on truth values; Python has no operator that equals the ufunc."""
    template, doc = f"{{0}} {symbol} {{1}}", f"Returns `x {symbol} y` of truth values."
    return binary(name, ufunc, None, template, doc, types=LOGICAL, commutative=True, differentiable=False)


def _bitwise(name: str, ufunc: str, symbol: str) -> Binary:
    """Declare an op on the bits of integers."""
    template, doc = f"{{0}} {symbol} {{1}}", f"Returns `x {symbol} y`, bit by bit."
    return binary(name, ufunc, INTEGERS, template, doc, operator=template, commutative=True, differentiable=False)


less = _comparison("Less", "less", "<")
less_equal = _comparison("LessEqual", "less_equal", "<=")
greater = _comparison("Greater", "greater", ">")
greater_equal = _comparison("GreaterEqual", "greater_equal", ">=")
logical_and = _logical("LogicalAnd", "logical_and", "&&")
logical_or = _logical("LogicalOr", "logical_or", "||")
bitwise_and = _bitwise("BitwiseAnd", "bitwise_and", "&")
bitwise_or = _bitwise("BitwiseOr", "bitwise_or", "|")
bitwise_xor = _bitwise("BitwiseXor", "bitwise_xor", "^")


def _is_inexact(node: Operation) -> bool:
    return node.inputs[0].dtype.base_dtype in INEXACT


@op(
    "RealDiv",
    types="x: T, y: T -> z: T",
    T=NUMERIC,
    shape=broadcast,
    fuse=Ufunc("true_divide", "{0} / {1}", "{0} / {1}"),
)
def real_div_op(xp: Namespace, x: Array, y: Array) -> Array: ...


@real_div_op.kernel("CPU", "GPU", supports=_is_inexact)
def _real_div(xp: Namespace, x: Array, y: Array) -> Array:
    return xp.true_divide(x, y)


realdiv = public_binary(real_div_op)


def refuse_zero(xp: Namespace, divisor: Array) -> None:
    """Raise InvalidArgumentError when an integer divisor in host memory has a zero.

    Not on a GPU, as in TensorFlow: the host would have to wait for the card to know. There the result is 0.
    """
    if xp is np and not xp.all(divisor):
        raise InvalidArgumentError(None, None, "Integer division by zero")


def truncated_quotient(xp: Namespace, x: Array, y: Array) -> Array:
    """Return the quotients of integers, rounded towards zero."""
    quotient = xp.floor_divide(x, y)
    if x.dtype.kind == "u":
        return quotient
    inexact = (xp.remainder(x, y) != 0) & ((x < 0) != (y < 0))
    return quotient + inexact.astype(x.dtype)


def _divide(xp: Namespace, x: Array, y: Array) -> Array:
    if x.dtype.kind not in "iu":
        return xp.true_divide(x, y)
    refuse_zero(xp, y)
    return truncated_quotient(xp, x, y)


@public_binary
@op("Div", types="x: T, y: T -> z: T", T=NUMERIC, shape=broadcast)
def div_op(xp: Namespace, x: Array, y: Array) -> Array:
    """Returns `x / y`; integers are divided towards zero."""
    return _divide(xp, x, y)


@public_binary
@op("TruncateDiv", types="x: T, y: T -> z: T", T=NUMERIC, shape=broadcast, differentiable=True)
def truncatediv(xp: Namespace, x: Array, y: Array) -> Array:
    """Returns `x / y` of integers, rounded towards zero."""
    return _divide(xp, x, y) if x.dtype.kind in "iuc" else xp.trunc(xp.true_divide(x, y))


@public_binary
@op("FloorDiv", types="x: T, y: T -> z: T", T=NUMERIC, shape=broadcast)
def floor_div(xp: Namespace, x: Array, y: Array) -> Array:
    """Returns `x // y`, element-wise, rounded towards negative infinity."""
    if x.dtype.kind not in "iu":
        return xp.floor(xp.true_divide(x, y))
    refuse_zero(xp, y)
    return xp.floor_divide(x, y)


@public_binary
@op("FloorMod", types="x: T, y: T -> z: T", T=INTEGERS + FLOATING, shape=broadcast)
def floormod(xp: Namespace, x: Array, y: Array) -> Array:
    """Returns the remainder of `x // y`, which has the sign of `y`."""
    if x.dtype.kind in "iu":
        refuse_zero(xp, y)
    return xp.remainder(x, y)


def _truncated_remainder(xp: Namespace, x: Array, y: Array) -> Array:
    if x.dtype.kind in "iu":
        refuse_zero(xp, y)
    return xp.fmod(x, y)


@public_binary
@op("Mod", types="x: T, y: T -> z: T", T=(dtypes.int32, dtypes.int64, *FLOATING), shape=broadcast)
def mod_op(xp: Namespace, x: Array, y: Array) -> Array:
    """Returns the remainder of `x / y` rounded towards zero, which has the sign of `x`."""
    return _truncated_remainder(xp, x, y)


@public_binary
@op("TruncateMod", types="x: T, y: T -> z: T", T=(dtypes.int32, dtypes.int64, *FLOATING), shape=broadcast)
def truncatemod(xp: Namespace, x: Array, y: Array) -> Array:
    """Returns the remainder of `x / y` rounded towards zero, which has the sign of `x`."""
    return _truncated_remainder(xp, x, y)


def _unless_zero(xp: Namespace, guard: Array, value: Array) -> Array:
    return xp.where(guard == 0, value.dtype.type(0), value)


@public_binary
@op("DivNoNan", types="x: T, y: T -> z: T", T=INEXACT, shape=broadcast, elementwise=True)
def div_no_nan_op(xp: Namespace, x: Array, y: Array) -> Array:
    """Returns `x / y`, and 0 where `y` is 0."""
    return _unless_zero(xp, y, xp.true_divide(x, y))


@public_binary
@op("MulNoNan", types="x: T, y: T -> z: T", T=INEXACT, shape=broadcast, elementwise=True)
def mul_no_nan(xp: Namespace, x: Array, y: Array) -> Array:
    """Returns `x * y`, and 0 where `y` is 0, even if `x` is infinite or NaN."""
    return _unless_zero(xp, y, x * y)


@public_binary
@op("Xdivy", types="x: T, y: T -> z: T", T=INEXACT, shape=broadcast, elementwise=True)
def xdivy(xp: Namespace, x: Array, y: Array) -> Array:
    """Returns `x / y`, and 0 where `x` is 0."""
    return _unless_zero(xp, x, xp.true_divide(x, y))


@public_binary
@op("Xlogy", types="x: T, y: T -> z: T", T=INEXACT, shape=broadcast, elementwise=True)
def xlogy(xp: Namespace, x: Array, y: Array) -> Array:
    """Returns `x * log(y)`, and 0 where `x` is 0."""
    return _unless_zero(xp, x, x * xp.log(y))


@public_binary
@op("Xlog1py", types="x: T, y: T -> z: T", T=INEXACT, shape=broadcast, elementwise=True)
def xlog1py(xp: Namespace, x: Array, y: Array) -> Array:
    """Returns `x * log(1 + y)`, and 0 where `x` is 0."""
    return _unless_zero(xp, x, x * xp.log1p(y))


@public_binary
@op("Pow", types="x: T, y: T -> z: T", T=FLOATING + SIGNED + dtypes.COMPLEX, shape=broadcast)
def pow_op(xp: Namespace, x: Array, y: Array) -> Array:
    """Returns `x` to the power of `y`; integers wrap, and take no negative powers."""
    if x.dtype.kind == "i" and bool(xp.any(y < 0)):
        raise InvalidArgumentError(None, None, "Integers to negative integer powers are not allowed")
    return xp.power(x, y)


@public_binary
@op(
    "SquaredDifference", types="x: T, y: T -> z: T", T=FLOATING + dtypes.INDEX + dtypes.COMPLEX, shape=broadcast,
    commutative=True, elementwise=True,
)  # fmt: skip
def squared_difference(xp: Namespace, x: Array, y: Array) -> Array:
    """Returns `conj(x - y) * (x - y)`, element-wise."""
    difference = x - y
    return difference * xp.conj(difference) if x.dtype.kind == "c" else difference * difference


@public_binary
@op(
    "NextAfter", types="x1: T, x2: T -> output: T", T=(dtypes.float64, dtypes.float32), shape=broadcast,
    defaults={"T": dtypes.float32},
)  # fmt: skip
def nextafter(xp: Namespace, x1: Array, x2: Array) -> Array:
    """Returns the next number after `x1` towards `x2`."""
    return xp.nextafter(x1, x2)


def _whole(x: Array) -> Array:
    """Return the whole numbers that quantised ones are kept as; other arrays as they are."""
    return x[x.dtype.names[0]] if x.dtype.names else x


def _equality_shape(node: Operation) -> Shape:
    if node.attrs["incompatible_shape_error"]:
        return broadcast(node)
    x, y = (tensor.dims for tensor in node.inputs)
    return broadcast(node) if shapes.compatible(x, y) else None


@public_binary
@op(
    "Equal", types=TO_BOOL, shape=_equality_shape, fuse=Ufunc("equal", "{0} == {1}"), commutative=True, differentiable=False,
)  # fmt: skip
def equal(xp: Namespace, x: Array, y: Array, *, incompatible_shape_error: bool = True) -> Array:
    """Tells where `x == y`."""
    return xp.equal(_whole(x), _whole(y))


@public_binary
@op(
    "NotEqual", types=TO_BOOL, shape=_equality_shape, fuse=Ufunc("not_equal", "{0} != {1}"), commutative=True,
    differentiable=False,
)  # fmt: skip
def not_equal(xp: Namespace, x: Array, y: Array, *, incompatible_shape_error: bool = True) -> Array:
    """Tells where `x != y`."""
    return xp.not_equal(_whole(x), _whole(y))


def _clamped(xp: Namespace, counts: Array) -> Array:
    return xp.clip(counts, 0, counts.dtype.itemsize * 8 - 1)


@public_binary
@op("LeftShift", types="x: T, y: T -> z: T", T=INTEGERS, shape=broadcast, differentiable=False)
def left_shift(xp: Namespace, x: Array, y: Array) -> Array:
    """Returns `x << y`; the count is clamped to what the type has bits for."""
    return xp.left_shift(x, _clamped(xp, y))


@public_binary
@op("RightShift", types="x: T, y: T -> z: T", T=INTEGERS, shape=broadcast, differentiable=False)
def right_shift(xp: Namespace, x: Array, y: Array) -> Array:
    """Returns `x >> y`, keeping the sign; the count is clamped to what the type has bits for."""
    return xp.right_shift(x, _clamped(xp, y))


@op(
    "ApproximateEqual", types=TO_BOOL, T=NUMERIC + QUANTIZED, shape=broadcast, commutative=True, differentiable=False,
)  # fmt: skip
def approximate_equal_op(xp: Namespace, x: Array, y: Array, *, tolerance: float = 9.999999747378752e-06) -> Array:
    """Tells where `x` and `y` differ by less than `tolerance`."""
    return xp.absolute(x - y) < tolerance


def approximate_equal(x: Any, y: Any, tolerance: float = 1e-5, name: str | None = None) -> Any:
    """Tell where `x` and `y` differ by less than `tolerance`."""
    return approximate_equal_op(x, y, tolerance=tolerance, name=name)
