"""Special functions: the error function and its inverse, the logarithm of gamma, digamma, and the normal quantile.

NumPy has none of these. The host maps Python's own `math` functions over the elements, in double precision; GPUs have
the error and gamma functions in CUDA's maths library, which an element-wise kernel calls.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..core.node import Tensor
from ..core.registry import OpDecl, op
from ..core.shape_rules import same_shape
from .declare import FLOATING, Unary, public_unary
from .unary import exp, negative, square


def _elementwise(function: Callable[[float], float]) -> Callable[[Array], Array]:
    mapped = np.frompyfunc(function, 1, 1)

    def apply(x: Array) -> Array:
        wide = np.asarray(x, np.float64)
        return np.asarray(mapped(wide), np.float64).astype(x.dtype)

    return apply


def _lgamma(x: float) -> float:
    if x <= 0 and x == math.floor(x):
        return math.inf
    return math.lgamma(x)


def _digamma(x: float) -> float:
    """Reflect negative arguments, climb above 10, then sum the asymptotic series."""
    if math.isnan(x) or x == -math.inf:
        return math.nan
    if x <= 0:
        if x == math.floor(x):
            return math.nan if x else math.copysign(math.inf, -x)
        return _digamma(1 - x) - math.pi / math.tan(math.pi * x)
    total = 0.0
    while x < 10:
        total -= 1 / x
        x += 1
    inverse = 1 / (x * x)
    series = inverse * (1 / 12 - inverse * (1 / 120 - inverse * (1 / 252 - inverse * (1 / 240 - inverse * (5 / 660)))))
    return total + math.log(x) - 0.5 / x - series


def _erfinv(y: float) -> float:
    """Solve erf(x) = y: a start from the tails' shape, then Halley's steps on the side that loses no digits."""
    if math.isnan(y) or abs(y) > 1:
        return math.nan
    if abs(y) == 1:
        return math.copysign(math.inf, y)
    goal = 1 - abs(y)
    spread = math.log(goal * (1 + abs(y)))
    middle = 2 / (math.pi * 0.147) + spread / 2
    x = math.sqrt(max(math.sqrt(middle * middle - spread / 0.147) - middle, 0.0))
    for _ in range(4):
        error = abs(y) - math.erf(x) if abs(y) < 0.5 else math.erfc(x) - goal
        step = error * math.sqrt(math.pi) / 2 * math.exp(x * x)
        x += step / (1 - x * step) if abs(x * step) < 0.5 else step
    return math.copysign(x, y)


def _ndtri(p: float) -> float:
    """Return the normal quantile; its tail is solved through erfc, where 2p - 1 would lose the digits of p."""
    if not 0 < p < 1:
        return {0.0: -math.inf, 1.0: math.inf}.get(p, math.nan)
    if p > 0.1:
        return math.sqrt(2) * _erfinv(2 * p - 1)
    x = -math.sqrt(-2 * math.log(p))
    for _ in range(60):
        density = math.exp(-x * x / 2) / math.sqrt(2 * math.pi)
        step = (0.5 * math.erfc(-x / math.sqrt(2)) - p) / density
        moved = x - step / (1 + x * step / 2)
        if abs(moved - x) <= 1e-16 * abs(x):
            break
        x = moved
    return x


def _on_gpu(expression: str, name: str, stand_in: Callable[[Array], Array]) -> Callable[[Namespace, Array], Array]:
    def kernel(xp: Namespace, x: Array) -> Array:
        launch = xp.elementwise_kernel("T x", "T y", f"y = {expression}", f"millstream_{name}", stand_in)
        return launch(x)

    return kernel


def _declare(name: str, doc: str, function: Callable[[float], float], cuda: str) -> Unary:
    on_host = _elementwise(function)

    def block(xp: Namespace, x: Array) -> Array:
        return on_host(x)

    block.__doc__ = doc
    decl: OpDecl = op(name, types="x: T -> y: T", T=FLOATING, shape=same_shape, devices="CPU")(block)
    if cuda:
        wide = cuda.format("(double)x") if name in ("Erfinv", "Ndtri", "Lgamma") else cuda.format("x")
        decl.kernel("GPU", supports=_not_bfloat16)(_on_gpu(wide, name.lower(), on_host))
        decl.on_gpu = True
    return public_unary(decl)


def _not_bfloat16(node: Any) -> bool:
    return bool(node.inputs[0].dtype.base_dtype.name != "bfloat16")


erf = _declare("Erf", "Returns the error function of `x`.", math.erf, "erf({0})")
erfc = _declare("Erfc", "Returns `1 - erf(x)`, precise also where that is small.", math.erfc, "erfc({0})")
erfinv = _declare("Erfinv", "Returns the `x` whose error function is given; NaN outside [-1, 1].", _erfinv, "erfinv({0})")
ndtri = _declare("Ndtri", "Returns the quantile of the normal distribution; NaN outside [0, 1].", _ndtri, "normcdfinv({0})")
lgamma = _declare("Lgamma", "Returns the logarithm of the absolute value of gamma of `x`.", _lgamma, "lgamma({0})")
digamma = _declare("Digamma", "Returns the derivative of the logarithm of gamma.", _digamma, "")


def exp_minus_square(x: Tensor) -> Tensor:
    """Return `exp(-x * x)`, which the derivatives of the error functions have in common."""
    return exp(negative(square(x)))
