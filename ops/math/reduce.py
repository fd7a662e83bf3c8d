"""The public reductions with TensorFlow 1's signatures, and what composes them.

`reduction_indices` and `keep_dims` are the old names of `axis` and `keepdims`; giving both is a ValueError.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..array.fills import zeros
from ..array.identity import stop_gradient
from ..array.reshape import reshape
from ..array.shape_ops import shape
from ..core import dtypes
from ..core.convert import convert_to_tensor
from ..core.graph import get_default_graph
from ..core.node import Tensor
from ..core.registry import OpDecl
from . import reductions as r
from .binary import add_v2, multiply, not_equal, subtract
from .complex import cast, conj, is_complex, real
from .select import where_v2
from .special import lgamma
from .unary import exp, is_finite, log, sqrt, square

Reduction = Callable[..., Tensor]


def one_of(new: Any, old: Any, new_name: str, old_name: str) -> Any:
    """Return whichever of an argument and its old name was given; ValueError when both were."""
    if old is not None:
        if new is not None:
            raise ValueError(f"Cannot specify both '{old_name}' and '{new_name}'.")
        return old
    return new


def _reduction(name: str, decl: OpDecl, what: str) -> Reduction:
    def reduce(
        input_tensor: Any, axis: Any = None, keepdims: bool | None = None, name: str | None = None,
        reduction_indices: Any = None, keep_dims: bool | None = None,
    ) -> Tensor:  # fmt: skip
        axis = one_of(axis, reduction_indices, "axis", "reduction_indices")
        keep = bool(one_of(keepdims, keep_dims, "keepdims", "keep_dims"))
        return r.reduce_with(decl, input_tensor, axis, keep, name)

    reduce.__name__ = reduce.__qualname__ = name
    reduce.__doc__ = f"""Return {what} along `axis`, along all axes where it is None.

    Args:
      input_tensor: the tensor to reduce.
      axis: an axis, several, or a tensor of them; negative ones count from the end.
      keepdims: whether the reduced axes stay, with length 1.
    """
    return reduce


reduce_sum = _reduction("reduce_sum", r.sum_op, "the sum")
reduce_mean = _reduction("reduce_mean", r.mean_op, "the mean")
reduce_prod = _reduction("reduce_prod", r.prod_op, "the product")
reduce_max = _reduction("reduce_max", r.max_op, "the greatest element")
reduce_min = _reduction("reduce_min", r.min_op, "the least element")
reduce_all = _reduction("reduce_all", r.all_op, "the logical AND")
reduce_any = _reduction("reduce_any", r.any_op, "the logical OR")
reduce_euclidean_norm = _reduction("reduce_euclidean_norm", r.euclidean_norm_op, "the Euclidean norm")


def reduce_logsumexp(
    input_tensor: Any, axis: Any = None, keepdims: bool | None = None, name: str | None = None,
    reduction_indices: Any = None, keep_dims: bool | None = None,
) -> Tensor:  # fmt: skip
    """Return `log(sum(exp(x)))` along `axis`, computed so that it neither overflows nor vanishes."""
    axis = one_of(axis, reduction_indices, "axis", "reduction_indices")
    keep = bool(one_of(keepdims, keep_dims, "keepdims", "keep_dims"))
    with get_default_graph().name_scope(name or "ReduceLogSumExp") as scope:
        tensor = convert_to_tensor(input_tensor)
        greatest = reduce_max(tensor, axis, True)
        greatest = stop_gradient(where_v2(is_finite(greatest), greatest, 0))
        result = log(reduce_sum(exp(subtract(tensor, greatest)), axis, keep))
        if not keep:
            greatest = reshape(greatest, shape(result))
        return add_v2(result, greatest, scope)


def reduce_variance(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """Return the variance along `axis`; TypeError for integers."""
    with get_default_graph().name_scope(name or "reduce_variance"):
        tensor = convert_to_tensor(input_tensor)
        if tensor.dtype.is_integer:
            raise TypeError("Input must be either real or complex")
        distance = subtract(tensor, reduce_mean(tensor, axis, True))
        squares = real(multiply(conj(distance), distance)) if is_complex(distance) else square(distance)
        return reduce_mean(squares, axis, keepdims)


def reduce_std(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """Return the standard deviation along `axis`; TypeError for integers."""
    with get_default_graph().name_scope(name or "reduce_std"):
        return sqrt(reduce_variance(input_tensor, axis, keepdims))


def count_nonzero(
    input_tensor: Any = None, axis: Any = None, keepdims: bool | None = None, dtype: Any = dtypes.int64,
    name: str | None = None, reduction_indices: Any = None, keep_dims: bool | None = None, input: Any = None,
) -> Tensor:  # fmt: skip
    """Return how many elements along `axis` are not zero (not empty, for strings)."""
    axis = one_of(axis, reduction_indices, "axis", "reduction_indices")
    keep = bool(one_of(keepdims, keep_dims, "keepdims", "keep_dims"))
    with get_default_graph().name_scope(name or "count_nonzero"):
        tensor = convert_to_tensor(one_of(input_tensor, input, "input_tensor", "input"), name="input")
        flags = cast(not_equal(tensor, zeros([], tensor.dtype.base_dtype)), dtypes.int64)
        return cast(reduce_sum(flags, axis, keep), dtype)


def _axis_of(axis: Any, dimension: Any) -> Any:
    axis = one_of(axis, dimension, "axis", "dimension")
    return 0 if axis is None else axis


def argmax(
    input: Any, axis: Any = None, name: str | None = None, dimension: Any = None, output_type: Any = dtypes.int64
) -> Tensor:
    """Return the position of the greatest element along `axis` (0 by default), the first of several."""
    return r.arg_max_op(input, _axis_of(axis, dimension), output_type=output_type, name=name)  # type: ignore[no-any-return]


def argmin(
    input: Any, axis: Any = None, name: str | None = None, dimension: Any = None, output_type: Any = dtypes.int64
) -> Tensor:
    """Return the position of the least element along `axis` (0 by default), the first of several."""
    return r.arg_min_op(input, _axis_of(axis, dimension), output_type=output_type, name=name)  # type: ignore[no-any-return]


def arg_max(input: Any, dimension: Any, output_type: Any = dtypes.int64, name: str | None = None) -> Tensor:
    """Return the position of the greatest element along `dimension`."""
    return argmax(input, dimension, name, output_type=output_type)


def arg_min(input: Any, dimension: Any, output_type: Any = dtypes.int64, name: str | None = None) -> Tensor:
    """Return the position of the least element along `dimension`."""
    return argmin(input, dimension, name, output_type=output_type)


def lbeta(x: Any, name: str | None = None) -> Tensor:
    """Return the logarithm of the absolute value of Beta over the last axis of `x`, of shape `x.shape[:-1]`."""
    with get_default_graph().name_scope(name or "lbeta") as scope:
        x = convert_to_tensor(x, name="x")
        return subtract(reduce_sum(lgamma(x), [-1]), lgamma(reduce_sum(x, [-1])), name=scope)
