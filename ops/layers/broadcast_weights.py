"""Whether weights fit what they weigh: they are scalars, or of its rank, each dimension 1 or its own.

Broadcasting would accept more (a row of weights for a matrix), and mean something else than was meant. What static shapes do
not tell is asserted in each run. Losses and metrics ask here before they multiply.
"""

from __future__ import annotations

from typing import Any

from ..array import rank, shape
from ..core import shapes
from ..core.convert import constant
from ..core.node import Operation, Tensor
from ..core.scopes import name_scope
from ..flow import cond
from ..math import equal, logical_or, reduce_all
from .assertions import Assert

WORDS = "weights can not be broadcast to values."


def assert_broadcastable(weights: Tensor, values: Tensor) -> list[Operation]:
    """Return the assertion that weights fit values, in a list; an empty list where static shapes tell that they do.

    Raises:
      ValueError: when static shapes tell that they do not.
    """
    wrong = _mismatch(weights.dims, values.dims)
    if wrong:
        raise ValueError(f"{WORDS} {wrong}")
    if wrong is not None:
        return []
    with name_scope(None, "assert_broadcastable", [weights, values]):
        dims, wanted = shape(weights), shape(values)
        scalar = equal(rank(weights), 0)
        fits = logical_or(scalar, _same_or_one(weights, values, dims, wanted))
        data = [WORDS, "weights.shape=", weights.name, dims, "values.shape=", values.name, wanted, "is_scalar=", scalar]
        return [Assert(fits, data, name="is_valid_shape")]


def _mismatch(weights: shapes.Shape, values: shapes.Shape) -> str | None:
    """Return in which way static shapes do not fit, "" where they do, None where they do not tell."""
    if weights == ():
        return ""
    if weights is None or values is None:
        return None
    told = f"values.shape={shapes.format_shape(values)}"
    if len(weights) != len(values):
        return (
            f"values.rank={len(values)}. weights.rank={len(weights)}. {told}. "
            f"weights.shape={shapes.format_shape(weights)}."
        )
    pairs = list(zip(weights, values, strict=True))
    for i, (one, other) in enumerate(pairs):
        if one not in (1, None, other) and other is not None:
            return f"Mismatch at dim {i}. {told} weights.shape={shapes.format_shape(weights)}."
    return "" if all(one == 1 or one == other is not None for one, other in pairs) else None


def _same_or_one(weights: Tensor, values: Tensor, dims: Tensor, wanted: Tensor) -> Tensor:
    """Return whether the ranks are equal, and each of the weights' dimensions 1 or that of the values."""

    def each() -> Any:
        return reduce_all(logical_or(equal(dims, 1), equal(dims, wanted)))

    if weights.dims is not None and values.dims is not None:
        return each()  # type: ignore[no-any-return]
    fits: Tensor = cond(equal(rank(weights), rank(values)), each, lambda: constant(False))
    return fits
