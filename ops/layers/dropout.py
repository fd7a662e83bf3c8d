"""Dropout: a random part of a tensor set to 0."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..array import shape, stack
from ..core.convert import convert_to_tensor
from ..core.node import Tensor
from ..core.scopes import name_scope
from ..core.shapes import as_shape_tuple, with_rank
from ..math import cast, greater_equal
from ..random import random_uniform


def dropout(
    x: Any, keep_prob: Any = None, noise_shape: Any = None, seed: int | None = None, name: str | None = None, rate: Any = None
) -> Tensor:
    """Set elements of `x` to 0 with probability `rate`, and scale the others by `1 / (1 - rate)`.

    Args:
      x: a floating tensor.
      keep_prob: `1 - rate`; one of the two is needed.
      noise_shape: the shape of the random choices, which broadcasts to that of `x`; None for that of `x`, and in a list for
        one of its dimensions.
      seed: for the random choices.
      rate: a number in [0, 1) or a scalar tensor.

    Raises:
      ValueError: when `x` is not floating, when both or none of `keep_prob` and `rate` are given, or out of range.
    """
    fraction = _rate(keep_prob, rate)
    with name_scope(name, "dropout", [x] if isinstance(x, Tensor) else []):
        tensor = convert_to_tensor(x, name="x")
        if not tensor.dtype.is_floating:
            raise ValueError(
                f"x has to be a floating point tensor since it's going to be scaled. Got a {tensor.dtype.name} tensor instead."
            )
        if isinstance(fraction, int | float | np.number) and fraction == 0:
            return tensor
        chance = convert_to_tensor(fraction, tensor.dtype.base_dtype, name="rate")
        with_rank(chance.dims, 0)
        drawn = random_uniform(_noise_shape(tensor, noise_shape), dtype=tensor.dtype.base_dtype, seed=seed)
        kept = cast(greater_equal(drawn, chance), tensor.dtype.base_dtype)
        outputs: Tensor = tensor * (1.0 / (1.0 - chance)) * kept
        outputs.set_shape(tensor.dims)
        return outputs


def _noise_shape(tensor: Tensor, given: Any) -> Any:
    """Return the shape of the random choices; None in a list of dimensions stands for the tensor's own."""
    if given is None:
        return shape(tensor)
    if isinstance(given, Tensor):
        return given
    dims = as_shape_tuple(given)
    if dims is None or None not in dims or tensor.dims is None or len(dims) != len(tensor.dims):
        return given
    dims = tuple(own if dim is None else dim for dim, own in zip(dims, tensor.dims, strict=True))
    if None not in dims:
        return dims
    actual = shape(tensor)
    return stack([actual[i] if dim is None else dim for i, dim in enumerate(dims)])


def _rate(keep_prob: Any, rate: Any) -> Any:
    if (keep_prob is None) == (rate is None):
        raise ValueError(
            "You must provide a rate to dropout." if rate is None else "rate and keep_prob are both given: choose one of them"
        )
    number = rate if rate is not None else keep_prob
    fits = not isinstance(number, int | float | np.number) or (0 <= number < 1 if rate is not None else 0 < number <= 1)
    if not fits:
        what, interval = ("keep_prob", "(0, 1]") if rate is None else ("rate", "[0, 1)")
        raise ValueError(f"{what} must be a scalar tensor or a float in the range {interval}, got {number:g}")
    if rate is not None:
        return rate
    try:
        return 1 - keep_prob
    except TypeError:
        raise ValueError(f"keep_prob must be a floating point number or Tensor (got {keep_prob!r})") from None
