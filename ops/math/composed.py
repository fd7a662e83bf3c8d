"""Small functions composed of others: polynomials, divisions that give 0 where others give NaN."""

from __future__ import annotations

import math
from typing import Any

from ..array.fills import ones_like, zeros_like
from ..core.convert import convert_to_tensor
from ..core.graph import get_default_graph
from ..core.node import Tensor
from ..core.registry import lookup
from .binary import add_v2, mul_no_nan, multiply
from .operators import div_no_nan
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
