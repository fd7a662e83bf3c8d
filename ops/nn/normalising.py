"""Moments in parts, and losses and normalisations of `tf.nn` that are compositions."""

from __future__ import annotations

import math
from typing import Any

from ..array.fills import ones_like, zeros_like
from ..array.gather import gather
from ..array.identity import identity
from ..array.shape_ops import shape
from ..core import shapes
from ..core.convert import constant, convert_to_tensor
from ..core.graph import get_default_graph
from ..core.node import Tensor
from ..math.binary import add_v2 as add
from ..math.binary import greater_equal, less_equal, logical_and
from ..math.binary import multiply as mul
from ..math.binary import subtract as sub
from ..math.complex import cast
from ..math.reduce import one_of, reduce_prod, reduce_sum
from ..math.select import where
from ..math.unary import exp, log, reciprocal, square
from .moments import batch_normalization


def sufficient_statistics(
    x: Any, axes: Any, shift: Any = None, keep_dims: bool | None = None, name: str | None = None,
    keepdims: bool | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:  # fmt: skip
    """Return what mean and variance of `x` along `axes` can be computed from, by `normalize_moments`.

    Args:
      x: a tensor. axes: a list of axes. shift: a value near the mean, for exactness; None for none.

    Returns:
      The number of elements, their (shifted) sum, the sum of their (shifted) squares, and the shift or None.
    """
    keep = bool(one_of(keepdims, keep_dims, "keepdims", "keep_dims"))
    along = sorted(set(axes))
    with get_default_graph().name_scope(name or "sufficient_statistics"):
        tensor = convert_to_tensor(x, name="x")
        count = _count(tensor, along)
        moved = tensor
        if shift is not None:
            shift = convert_to_tensor(shift, tensor.dtype.base_dtype, name="shift")
            moved = sub(tensor, shift)
        total = reduce_sum(moved, along, keep, name="mean_ss")
        squares = reduce_sum(square(moved), along, keep, name="var_ss")
        return count, total, squares, shift


def _count(tensor: Tensor, axes: list[int]) -> Tensor:
    dims = tensor.dims
    sizes = [None] if dims is None else [dims[axis] for axis in axes]
    if None not in sizes:
        return constant(math.prod(size or 0 for size in sizes), tensor.dtype.base_dtype, name="count")
    count: Tensor = identity(reduce_prod(cast(gather(shape(tensor), axes), tensor.dtype.base_dtype)), name="count")
    return count


def normalize_moments(
    counts: Any, mean_ss: Any, variance_ss: Any, shift: Any, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """Return the mean and the variance from what `sufficient_statistics` returned."""
    with get_default_graph().name_scope(name or "normalize"):
        divisor = reciprocal(convert_to_tensor(counts), name="divisor")
        moved = mul(mean_ss, divisor, name="shifted_mean" if shift is not None else "mean")
        mean = moved if shift is None else add(moved, shift, name="mean")
        variance = sub(mul(variance_ss, divisor), square(moved), name="variance")
        return mean, variance


def log_poisson_loss(targets: Any, log_input: Any, compute_full_loss: bool = False, name: str | None = None) -> Tensor:
    """Return `exp(log_input) - targets * log_input`, element-wise: the negative log-likelihood of counts.

    Args:
      targets: counts. log_input: the logarithm of their expectation, in the same shape.
      compute_full_loss: whether to add Stirling's approximation of `log(targets!)`.
    """
    with get_default_graph().name_scope(name or "log_poisson_loss"):
        expected = convert_to_tensor(log_input, name="log_input")
        counts = convert_to_tensor(targets, expected.dtype.base_dtype, name="targets")
        if not shapes.compatible(expected.dims, counts.dims):
            raise ValueError(f"log_input and targets must have the same shape ({expected.shape} vs {counts.shape})")
        result = sub(exp(expected), mul(expected, counts, "mul"), "sub")
        if not compute_full_loss:
            return result
        stirling = add(sub(mul(counts, log(counts)), counts), mul(0.5, log(mul(2 * math.pi, counts))))
        small = logical_and(greater_equal(counts, zeros_like(counts)), less_equal(counts, ones_like(counts)))
        return add(result, where(small, zeros_like(counts), stirling))


def batch_norm_with_global_normalization(
    t: Any = None, m: Any = None, v: Any = None, beta: Any = None, gamma: Any = None, variance_epsilon: Any = None,
    scale_after_normalization: bool | None = None, name: str | None = None, input: Any = None, mean: Any = None,
    variance: Any = None,
) -> Tensor:  # fmt: skip
    """Return `batch_normalization` of `t`, scaled by `gamma` only where `scale_after_normalization`."""
    t, m, v = one_of(t, input, "t", "input"), one_of(m, mean, "m", "mean"), one_of(v, variance, "v", "variance")
    return batch_normalization(t, m, v, beta, gamma if scale_after_normalization else None, variance_epsilon, name)
