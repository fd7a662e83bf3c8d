"""Small functions composed of others: polynomials, order of sequences, divisions that give 0 where others give NaN."""

from __future__ import annotations

import math
from typing import Any

from ..array.fills import ones_like, zeros_like
from ..array.reshape import reshape
from ..core.convert import convert_to_tensor
from ..core.graph import get_default_graph
from ..core.node import Tensor
from ..core.registry import lookup
from .binary import add_v2, less, less_equal, mul_no_nan, multiply, subtract
from .operators import div_no_nan
from .reduce import reduce_all
from .special import ndtri
from .unary import negative


def multiply_no_nan(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Return `x * y`, 0 where `y` is 0 even if `x` is infinite or NaN."""
    with get_default_graph().name_scope(name or "multiply_no_nan") as scope:
        left = convert_to_tensor(x, name="x")
        return mul_no_nan(left, convert_to_tensor(y, left.dtype.base_dtype, name="y"), name=scope)


def reciprocal_no_nan(x: Any, name: str | None = None) -> Tensor:
    """Return `1 / x`, 0 where `x` is 0."""
    with get_default_graph().name_scope(name or "reciprocal_no_nan") as scope:
        tensor = convert_to_tensor(x, name="x")
        return div_no_nan(ones_like(tensor), tensor, name=scope)


def polyval(coeffs: Any, x: Any, name: str | None = None) -> Tensor:
    """Return the polynomial of `x` with these coefficients, the highest power's first; 0 when there are none.

    Args:
      coeffs: a list of tensors that broadcast with `x`.
      x: a tensor of the same dtype.

    Raises:
      ValueError: when `coeffs` is no list.
    """
    if not isinstance(coeffs, list):
        raise ValueError(f"Argument coeffs must be list type found {type(coeffs)}.")
    with get_default_graph().name_scope(name or "polyval"):
        tensor = convert_to_tensor(x, name="x")
        if not coeffs:
            return zeros_like(tensor, name=name)
        found, *rest = [convert_to_tensor(c, name=f"coeff_{i}") for i, c in enumerate(coeffs)]
        for coefficient in rest:
            found = add_v2(coefficient, multiply(found, tensor))
        return found


def is_non_decreasing(x: Any, name: str | None = None) -> Tensor:
    """Tell whether no element, in row-major order, is less than the one before it: a 0-D bool."""
    with get_default_graph().name_scope(name or "is_non_decreasing"):
        rises = _rises(x)
        return reduce_all(less_equal(zeros_like(rises), rises))


def is_strictly_increasing(x: Any, name: str | None = None) -> Tensor:
    """Tell whether every element, in row-major order, exceeds the one before it: a 0-D bool."""
    with get_default_graph().name_scope(name or "is_strictly_increasing"):
        rises = _rises(x)
        return reduce_all(less(zeros_like(rises), rises))


def _rises(x: Any) -> Tensor:
    flat = reshape(convert_to_tensor(x, name="x"), [-1])
    return subtract(flat[1:], flat[:-1])


def log_sigmoid(x: Any, name: str | None = None) -> Tensor:
    """Return `log(1 / (1 + exp(-x)))`, without overflow."""
    with get_default_graph().name_scope(name or "LogSigmoid") as scope:
        tensor = convert_to_tensor(x, name="x")
        return negative(lookup("Softplus")(negative(tensor)), name=scope)


def erfcinv(x: Any, name: str | None = None) -> Tensor:
    """Return the inverse of the complementary error function."""
    with get_default_graph().name_scope(name or "erfcinv"):
        tensor = convert_to_tensor(x, name="start")
        return multiply(negative(ndtri(multiply(tensor, 0.5))), math.sqrt(0.5))
