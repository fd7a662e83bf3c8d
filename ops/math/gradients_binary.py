"""Gradients of the element-wise ops of two inputs: the rule for equal shapes, then broadcasts undone in one helper."""

from __future__ import annotations

from collections.abc import Callable

from ..array.fills import zeros_like
from ..core.node import Operation, Tensor
from ..core.registry import lookup
from . import binary as b
from .broadcasting import unbroadcast, unbroadcast_to
from .complex import cast, conj, is_complex
from .select import where_v2
from .unary import log, negative, square

Pair = tuple["Tensor | None", "Tensor | None"]
Rule = Callable[[Tensor, Tensor, Tensor, Tensor], Pair]

add, sub, mul, div = b.add_v2, b.subtract, b.multiply, b.realdiv


def _real_div(x: Tensor, y: Tensor, z: Tensor, dz: Tensor) -> Pair:
    return div(dz, y), mul(dz, div(div(negative(x), y), y))


def _div_no_nan(x: Tensor, y: Tensor, z: Tensor, dz: Tensor) -> Pair:
    quotient = b.div_no_nan_op
    return quotient(dz, y), mul(dz, quotient(quotient(negative(x), y), y))


def _floor_mod(x: Tensor, y: Tensor, z: Tensor, dz: Tensor) -> Pair:
    return dz, mul(dz, negative(b.floor_div(x, y)))


def _truncate_mod(x: Tensor, y: Tensor, z: Tensor, dz: Tensor) -> Pair:
    return dz, mul(dz, negative(b.truncatediv(x, y)))


def _pow(x: Tensor, y: Tensor, z: Tensor, dz: Tensor) -> Pair:
    """Where `x` is not positive its logarithm has no part in the gradient of `y`, as in TensorFlow."""
    positive = b.not_equal(x, 0) if is_complex(x) else b.greater(x, 0)
    logarithm = where_v2(positive, log(where_v2(positive, x, 1)), 0)
    return mul(dz, mul(y, b.pow_op(x, sub(y, 1)))), mul(dz, mul(z, logarithm))


def _extreme(comparison: Callable[[Tensor, Tensor], Tensor]) -> Rule:
    """Equal elements send their gradient to `x`."""

    def rule(x: Tensor, y: Tensor, z: Tensor, dz: Tensor) -> Pair:
        chosen = comparison(x, y)
        return where_v2(chosen, dz, 0), where_v2(chosen, zeros_like(dz), dz)

    return rule


def _squared_difference(x: Tensor, y: Tensor, z: Tensor, dz: Tensor) -> Pair:
    gradient = mul(mul(dz, 2), sub(x, y))
    return gradient, negative(gradient)


def _atan2(y: Tensor, x: Tensor, z: Tensor, dz: Tensor) -> Pair:
    scaled = div(dz, add(square(x), square(y)))
    return mul(x, scaled), mul(negative(y), scaled)


def _not_zero(x: Tensor) -> Tensor:
    return cast(b.not_equal(x, 0), x.dtype)


def _xlogy(x: Tensor, y: Tensor, z: Tensor, dz: Tensor) -> Pair:
    return mul(dz, b.xlogy(_not_zero(x), y)), mul(dz, b.xdivy(x, y))


def _xlog1py(x: Tensor, y: Tensor, z: Tensor, dz: Tensor) -> Pair:
    return mul(dz, b.xlog1py(_not_zero(x), y)), mul(dz, b.xdivy(x, add(y, 1)))


def _xdivy(x: Tensor, y: Tensor, z: Tensor, dz: Tensor) -> Pair:
    return mul(dz, b.xdivy(_not_zero(x), y)), mul(dz, b.xdivy(negative(x), square(y)))


# Each rule takes both inputs and the output (conjugated), and the incoming gradient.
RULES: dict[str, Rule] = {
    "AddV2": lambda x, y, z, dz: (dz, dz),
    "Add": lambda x, y, z, dz: (dz, dz),
    "Sub": lambda x, y, z, dz: (dz, negative(dz)),
    "Mul": lambda x, y, z, dz: (mul(dz, y), mul(x, dz)),
    "MulNoNan": lambda x, y, z, dz: (b.mul_no_nan(dz, y), b.mul_no_nan(x, dz)),
    "RealDiv": _real_div,
    "Div": _real_div,
    "DivNoNan": _div_no_nan,
    "FloorDiv": lambda x, y, z, dz: (None, None),
    "TruncateDiv": lambda x, y, z, dz: (None, None),
    "FloorMod": _floor_mod,
    "TruncateMod": _truncate_mod,
    "Pow": _pow,
    "Maximum": _extreme(b.greater_equal),
    "Minimum": _extreme(b.less_equal),
    "SquaredDifference": _squared_difference,
    "Atan2": _atan2,
    "NextAfter": lambda x, y, z, dz: (dz, zeros_like(dz)),
    "Xlogy": _xlogy,
    "Xlog1py": _xlog1py,
    "Xdivy": _xdivy,
}


def _attach(name: str, rule: Rule) -> None:
    def gradient(op: Operation, dz: Tensor) -> list[Tensor | None]:
        x, y, z = (conj(tensor) for tensor in (*op.inputs, *op.outputs))
        return unbroadcast(op, *rule(x, y, z, dz))

    lookup(name).gradient(gradient)


for _name, _rule in RULES.items():
    _attach(_name, _rule)


@lookup("Select").gradient
def _select_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
    condition, zeros = op.inputs[0], zeros_like(dy)
    select = lookup("Select")
    return [None, select(condition, dy, zeros), select(condition, zeros, dy)]


@lookup("SelectV2").gradient
def _select_v2_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
    condition, x, y = op.inputs
    return [
        None,
        unbroadcast_to(where_v2(condition, dy, 0), x),
        unbroadcast_to(where_v2(condition, zeros_like(dy), dy), y),
    ]


@lookup("ClipByValue").gradient
def _clip_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
    x, low, high = op.inputs
    below, above = b.less(x, low), b.greater(x, high)
    inside = where_v2(b.logical_or(below, above), zeros_like(dy), dy)
    return [inside, unbroadcast_to(where_v2(below, dy, 0), low), unbroadcast_to(where_v2(above, dy, 0), high)]
