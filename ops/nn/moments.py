"""Means and variances, what is normalised by them, and the k greatest elements by name."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..array.identity import stop_gradient
from ..array.reshape import squeeze
from ..core import dtypes
from ..core.convert import convert_to_tensor
from ..core.graph import get_default_graph
from ..core.node import Tensor
from ..math.binary import add_v2 as add
from ..math.binary import equal, maximum, squared_difference
from ..math.binary import multiply as mul
from ..math.binary import subtract as sub
from ..math.complex import cast
from ..math.operators import div_no_nan
from ..math.reduce import one_of, reduce_mean, reduce_sum
from ..math.sorting import top_k_op
from ..math.unary import negative, rsqrt, square


class TopKV2(NamedTuple):
    """What `top_k` returns."""

    values: Tensor
    indices: Tensor


def top_k(input: Any, k: Any = 1, sorted: bool = True, name: str | None = None) -> TopKV2:
    """Return the k greatest elements of each row and their positions, the greatest first."""
    return TopKV2(*top_k_op(input, k, sorted=sorted, name=name))


def moments(
    x: Any, axes: Any, shift: Any = None, name: str | None = None, keep_dims: bool | None = None,
    keepdims: bool | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Return the mean and the variance of `x` along `axes`; `shift` is not needed and ignored, as in TensorFlow."""
    keep = bool(one_of(keepdims, keep_dims, "keepdims", "keep_dims"))
    with get_default_graph().name_scope(name or "moments"):
        tensor = convert_to_tensor(x, name="x")
        narrow = tensor.dtype.base_dtype in (dtypes.float16, dtypes.bfloat16)
        wide = cast(tensor, dtypes.float32) if narrow else tensor
        mean = reduce_mean(wide, axes, True, name="mean")
        variance = reduce_mean(squared_difference(wide, stop_gradient(mean)), axes, True, name="variance")
        found = [mean, variance] if keep else [squeeze(mean, axes), squeeze(variance, axes)]
        if narrow:
            found = [cast(item, tensor.dtype.base_dtype) for item in found]
        return found[0], found[1]


def weighted_moments(
    x: Any, axes: Any, frequency_weights: Any, name: str | None = None, keep_dims: bool | None = None,
    keepdims: bool | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Return the mean and the variance of `x` along `axes`, each element counted by its weight."""
    keep = bool(one_of(keepdims, keep_dims, "keepdims", "keep_dims"))
    with get_default_graph().name_scope(name or "weighted_moments"):
        tensor = convert_to_tensor(x, name="x")
        weights = convert_to_tensor(frequency_weights, tensor.dtype.base_dtype, name="frequency_weights")
        every = add(weights, mul(tensor, 0))
        total = reduce_sum(every, axes, True, name="sum_of_weights")
        mean = div_no_nan(reduce_sum(mul(weights, tensor), axes, True, name="weighted_input_sum"), total)
        distances = mul(weights, squared_difference(tensor, mean))
        variance = div_no_nan(reduce_sum(distances, axes, True, name="weighted_distsq"), total)
        return (mean, variance) if keep else (squeeze(mean, axes), squeeze(variance, axes))


def l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12, name: str | None = None, dim: Any = None) -> Tensor:
    """Return `x` divided by its Euclidean norm along `axis` (by the root of `epsilon` where that is greater)."""
    axis = one_of(axis, dim, "axis", "dim")
    with get_default_graph().name_scope(name or "l2_normalize") as scope:
        tensor = convert_to_tensor(x, name="x")
        total = reduce_sum(square(tensor), axis, True)
        return mul(tensor, rsqrt(maximum(total, epsilon)), scope)


def batch_normalization(
    x: Any, mean: Any, variance: Any, offset: Any, scale: Any, variance_epsilon: float, name: str | None = None
) -> Tensor:
    """Return `(x - mean) / sqrt(variance + epsilon) * scale + offset`; `scale` and `offset` may be None."""
    with get_default_graph().name_scope(name or "batchnorm"):
        inverse = rsqrt(add(convert_to_tensor(variance), variance_epsilon, "add"))
        if scale is not None:
            inverse = mul(inverse, scale, "mul")
        tensor = convert_to_tensor(x)
        scaled = mul(tensor, inverse, "mul")
        shift = mul(mean, inverse, "mul")
        return add(scaled, negative(shift) if offset is None else sub(offset, shift, "sub"), "add")


def zero_fraction(value: Any, name: str | None = None) -> Tensor:
    """Return the fraction of zeros among the elements, as float32."""
    with get_default_graph().name_scope(name or "zero_fraction"):
        tensor = convert_to_tensor(value, name="value")
        return reduce_mean(cast(equal(tensor, 0), dtypes.float32), name="fraction")
