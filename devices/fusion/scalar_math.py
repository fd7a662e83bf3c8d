"""`exp` and its family for one float32, written so that a compiler turns loops over them into vector instructions.

The C library's functions are called element by element, which loses to NumPy's own vector code. These have no branch, no table
and no call: the argument is reduced by powers of two and the rest is a short series. They agree with NumPy to a few units
in the last place, infinities and NaN included. Only for float32, and only to be compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

F, I = np.float32, np.int32  # noqa: E741
# Adding it rounds a small float to a whole number, which then stands in the low bits.
_ROUNDER = F(12582912.0)
_ROUNDER_BITS = I(0x4B400000)
_LOG2_E = F(1.4426950408889634)
# ln 2 in two parts: products of the first with small whole numbers are exact.
_LN2_HIGH, _LN2_LOW = F(0.693359375), F(-2.12194440054690583e-4)
_INFINITY, _ONE, _TWO = F(np.inf), F(1), F(2)
_SERIES = tuple(F(c) for c in (1 / 5040, 1 / 720, 1 / 120, 1 / 24, 1 / 6, 1 / 2))
_E7, _E6, _E5, _E4, _E3, _E2 = _SERIES
_L11, _L9, _L7, _L5, _L3 = (F(1 / c) for c in (11, 9, 7, 5, 3))
_SMALLEST, _SCALE, _SQRT_HALF = F(1.17549435e-38), F(8388608.0), F(0.70710678)
_MANTISSA, _ONE_BITS = I(0x007FFFFF), I(0x3F800000)
_BIAS, _SHIFT = I(127), I(23)


Jit: TypeAlias = Callable[[Any], Any]


def functions(jit: Jit) -> dict[str, Any]:
    """Return the functions by the names of the ufuncs that they stand for, each made callable by `jit`."""
    pieces = _pieces(jit)
    return _exponentials(jit, *pieces[1:]) | _logarithms(jit, pieces[0])


def _pieces(jit: Jit) -> tuple[Any, ...]:
    """Return what the functions are made of."""

    @jit
    def bits_of(x: Any) -> Any:
        return F(x).view(I)

    @jit
    def power_of_two(n: Any) -> Any:
        return I((n + _BIAS) << _SHIFT).view(F)

    @jit
    def whole(x: Any) -> Any:
        """Return x / ln 2 as a rounded int."""
        return I(bits_of(F(x * _LOG2_E + _ROUNDER)) - _ROUNDER_BITS)

    @jit
    def rest(x: Any, n: Any) -> Any:
        """Return e**r - 1 for what is left of `x` after `n` times ln 2."""
        k = F(n)
        r = F(F(x - k * _LN2_HIGH) - k * _LN2_LOW)
        tail = F(F(F(F(F(_E7 * r + _E6) * r + _E5) * r + _E4) * r + _E3) * r + _E2)
        return F(F(tail * r) * r + r)

    return bits_of, power_of_two, whole, rest


def _exponentials(jit: Jit, power_of_two: Any, whole: Any, rest: Any) -> dict[str, Any]:
    @jit
    def exp(x: Any) -> Any:
        c = F(89) if x > F(89) else (F(-104) if x < F(-104) else x)
        n = whole(c)
        half = I(n >> I(1))
        # In two factors, because the whole power may be more than a float can hold while the result is not.
        return F(F(F(rest(c, n) + _ONE) * power_of_two(half)) * power_of_two(I(n - half)))

    @jit
    def expm1(x: Any) -> Any:
        c = F(89) if x > F(89) else (F(-40) if x < F(-40) else x)
        n = whole(c)
        half = I(n >> I(1))
        first, second = power_of_two(half), power_of_two(I(n - half))
        fine = rest(c, n)
        value = F(F(fine * first) * second + F(F(first * second) - _ONE))
        value = F(F(F(fine + _ONE) * first) * second) if x > F(40) else value
        return x if (x != x) | (x == F(0)) else value

    @jit
    def tanh(x: Any) -> Any:
        size = abs(x)
        c = F(10) if size > F(10) else size
        y = F(c + c)
        n = whole(y)
        power = power_of_two(n)
        grown = F(rest(y, n) * power + F(power - _ONE))
        value = F(grown / F(grown + _TWO))
        value = F(-value) if x < F(0) else value
        return x if (x != x) | (x == F(0)) else value

    return {"exp": exp, "expm1": expm1, "tanh": tanh}


def _logarithms(jit: Jit, bits_of: Any) -> dict[str, Any]:
    @jit
    def log(x: Any) -> Any:
        tiny = x < _SMALLEST
        z = F(x * _SCALE) if tiny else x
        bits = bits_of(z)
        n = F(I(bits >> _SHIFT) - _BIAS) - (F(23) if tiny else F(0))
        m = I((bits & _MANTISSA) | _ONE_BITS).view(F)
        above = F(m * _SQRT_HALF) > _ONE
        m = F(m * F(0.5)) if above else m
        n = F(n + _ONE) if above else F(n)
        f = F(m - _ONE)
        s = F(f / F(f + _TWO))
        q = F(s * s)
        series = F(F(F(F(F(_L11 * q + _L9) * q + _L7) * q + _L5) * q + _L3) * q)
        # log(1 + f) = f - s * (f - 2 * series): the greatest part stays exact.
        value = F(F(n * _LN2_HIGH) + F(F(f - F(s * F(f - F(_TWO * series)))) + F(n * _LN2_LOW)))
        value = x if (x == _INFINITY) | (x != x) else value
        value = F(-_INFINITY) if x == F(0) else value
        return F(np.nan) if x < F(0) else value

    @jit
    def log1p(x: Any) -> Any:
        u = F(_ONE + x)
        value = F(log(u) + F(F(x - F(u - _ONE)) / u))
        value = log(u) if (u == F(0)) | (u == _INFINITY) else value
        return x if u == _ONE else value

    return {"log": log, "log1p": log1p}
