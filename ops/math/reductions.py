"""Reductions along axes: sum, mean, product, extremes, logic, and the position of extremes.

Axes are a tensor in host memory. Invariant: the public functions build the nodes that TensorFlow builds, a constant
of all axes included, so that names and exported graphs agree.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..array.shape_ops import rank
from ..core import dtypes
from ..core.convert import constant, convert_to_tensor
from ..core.dtypes import DType
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import OpDecl, op
from ..core.shape_rules import constant_value
from ..core.shapes import Shape
from .declare import NUMBERS, QUANTIZED, REAL
from .ranges import range

TYPES = "input: T, reduction_indices: Tidx -> output: T"
LOGICAL = "input: bool, reduction_indices: Tidx -> output: bool"
TIDX = {"Tidx": dtypes.int32}
ORDERED = REAL + QUANTIZED


def normal_axes(axes: Any, ndim: int) -> tuple[int, ...]:
    """Return axes as sorted non-negative ints without repetition.

    Raises:
      InvalidArgumentError: when one of them is not an axis of `ndim` dimensions.
    """
    found = set()
    for axis in np.reshape(axes, -1).tolist():
        if not -ndim <= axis < ndim:
            raise InvalidArgumentError(
                None, None, f"Invalid reduction dimension {axis} for input with {ndim} dimensions."
            )
        found.add(axis % ndim)
    return tuple(sorted(found))


def reduction_shape(node: Operation) -> Shape:
    """The reduced axes vanish, or become 1 with keep_dims."""
    dims, axes, keep = node.inputs[0].dims, constant_value(node.inputs[1]), node.attrs["keep_dims"]
    if dims is None:
        return None
    if axes is None:
        return (None,) * len(dims) if keep else None
    try:
        reduced = normal_axes(axes, len(dims))
    except InvalidArgumentError as error:
        raise ValueError(error.message) from None
    if keep:
        return tuple(1 if i in reduced else dim for i, dim in enumerate(dims))
    return tuple(dim for i, dim in enumerate(dims) if i not in reduced)


def _exact(result: Array, dtype: Any) -> Array:
    return result if result.dtype == dtype else result.astype(dtype)


def _narrow(dtype: Any) -> bool:
    """Sums of 16-bit floats are accumulated in 32 bits."""
    return dtype.itemsize == 2 and dtype.kind in "fV"


@op(
    "Sum", types=TYPES, T=NUMBERS, Tidx=dtypes.INDEX, shape=reduction_shape, host="reduction_indices", defaults=TIDX,
    aliases="output=input",
)  # fmt: skip
def sum_op(xp: Namespace, input: Array, reduction_indices: Array, *, keep_dims: bool = False) -> Array:
    """Returns the sum along axes."""
    axes = normal_axes(reduction_indices, input.ndim)
    if not axes:
        return input
    if _narrow(input.dtype):
        return xp.sum(input.astype("f4"), axis=axes, keepdims=keep_dims).astype(input.dtype)
    return xp.sum(input, axis=axes, dtype=input.dtype, keepdims=keep_dims)


@op("Mean", types=TYPES, T=NUMBERS, Tidx=dtypes.INDEX, shape=reduction_shape, host="reduction_indices", defaults=TIDX)
def mean_op(xp: Namespace, input: Array, reduction_indices: Array, *, keep_dims: bool = False) -> Array:
    """Returns the mean along axes; that of integers is rounded towards zero."""
    axes = normal_axes(reduction_indices, input.ndim)
    whole = input.dtype.kind in "iu"
    # The sum of integers may not fit into their own type although their mean does.
    wide = input.astype("u8" if input.dtype.kind == "u" else "i8") if whole else input
    total = sum_op.kernels[0].function(xp, wide, reduction_indices, keep_dims=keep_dims)
    count = 1
    for axis in axes:
        count *= input.shape[axis]
    if whole:
        return _exact(xp.trunc(xp.true_divide(total, max(count, 1))), input.dtype)
    return _exact(xp.true_divide(total, total.dtype.type(count)), input.dtype)


@op("Prod", types=TYPES, T=NUMBERS, Tidx=dtypes.INDEX, shape=reduction_shape, host="reduction_indices", defaults=TIDX)
def prod_op(xp: Namespace, input: Array, reduction_indices: Array, *, keep_dims: bool = False) -> Array:
    """Returns the product along axes."""
    axes = normal_axes(reduction_indices, input.ndim)
    return _exact(xp.prod(input, axis=axes, dtype=input.dtype, keepdims=keep_dims), input.dtype)


def _extreme(xp: Namespace, name: str, input: Array, axes: tuple[int, ...], keep: bool) -> Array:
    if any(input.shape[axis] == 0 for axis in axes):
        shape = [1 if i in axes else dim for i, dim in enumerate(input.shape) if keep or i not in axes]
        return xp.full(shape, lowest(input.dtype) if name == "max" else highest(input.dtype), input.dtype)
    return getattr(xp, name)(input, axis=axes, keepdims=keep)


def lowest(dtype: Any) -> Any:
    """Return what no element of the dtype is less than."""
    return -np.inf if dtype.kind in "fV" else dtypes.as_dtype(dtype).min


def highest(dtype: Any) -> Any:
    """Return what no element of the dtype is greater than."""
    return np.inf if dtype.kind in "fV" else dtypes.as_dtype(dtype).max


@op("Max", types=TYPES, T=ORDERED, Tidx=dtypes.INDEX, shape=reduction_shape, host="reduction_indices", defaults=TIDX)
def max_op(xp: Namespace, input: Array, reduction_indices: Array, *, keep_dims: bool = False) -> Array:
    """Returns the greatest element along axes; of no elements, the least that the dtype has."""
    return _extreme(xp, "max", input, normal_axes(reduction_indices, input.ndim), keep_dims)


@op("Min", types=TYPES, T=ORDERED, Tidx=dtypes.INDEX, shape=reduction_shape, host="reduction_indices", defaults=TIDX)
def min_op(xp: Namespace, input: Array, reduction_indices: Array, *, keep_dims: bool = False) -> Array:
    """Returns the least element along axes; of no elements, the greatest that the dtype has."""
    return _extreme(xp, "min", input, normal_axes(reduction_indices, input.ndim), keep_dims)


@op(
    "All", types=LOGICAL, Tidx=dtypes.INDEX, shape=reduction_shape, host="reduction_indices", defaults=TIDX,
    differentiable=False,
)  # fmt: skip
def all_op(xp: Namespace, input: Array, reduction_indices: Array, *, keep_dims: bool = False) -> Array:
    """Tells whether every element along axes is true."""
    return xp.all(input, axis=normal_axes(reduction_indices, input.ndim), keepdims=keep_dims)


@op(
    "Any", types=LOGICAL, Tidx=dtypes.INDEX, shape=reduction_shape, host="reduction_indices", defaults=TIDX,
    differentiable=False,
)  # fmt: skip
def any_op(xp: Namespace, input: Array, reduction_indices: Array, *, keep_dims: bool = False) -> Array:
    """Tells whether some element along axes is true."""
    return xp.any(input, axis=normal_axes(reduction_indices, input.ndim), keepdims=keep_dims)


@op(
    "EuclideanNorm", types=TYPES, T=NUMBERS, Tidx=dtypes.INDEX, shape=reduction_shape, host="reduction_indices",
    defaults=TIDX,
)  # fmt: skip
def euclidean_norm_op(xp: Namespace, input: Array, reduction_indices: Array, *, keep_dims: bool = False) -> Array:
    """Returns the square root of the sum of squares along axes."""
    axes = normal_axes(reduction_indices, input.ndim)
    squares = xp.square(xp.absolute(input))
    whole = input.dtype if input.dtype.kind in "iu" else None
    return xp.sqrt(xp.sum(squares, axis=axes, dtype=whole, keepdims=keep_dims)).astype(input.dtype)


def _arg_shape(node: Operation) -> Shape:
    dims, axis = node.inputs[0].dims, constant_value(node.inputs[1])
    if dims is None:
        return None
    if axis is None:
        return (None,) * (len(dims) - 1)
    if not -len(dims) <= int(axis) < len(dims):
        raise ValueError(
            f"Dimension ({int(axis)}) must be in the range [{-len(dims)}, {len(dims)}), where {len(dims)} is the number of "
            "dimensions in the input."
        )
    position = int(axis) % len(dims)
    return dims[:position] + dims[position + 1 :]


def _arg_extreme(xp: Namespace, name: str, input: Array, dimension: Array, output_type: DType) -> Array:
    axis = int(dimension)
    if not -input.ndim <= axis < input.ndim:
        raise InvalidArgumentError(
            None, None, f"Expected dimension in the range [{-input.ndim}, {input.ndim}), but got {axis}"
        )
    if input.shape[axis] == 0:
        raise InvalidArgumentError(None, None, f"Reduction axis {axis} is empty in shape {list(input.shape)}")
    return getattr(xp, name)(input, axis=axis).astype(output_type.np_dtype)


@op(
    "ArgMax", types="input: T, dimension: Tidx -> output: output_type", T=(*ORDERED, dtypes.bool), shape=_arg_shape,
    Tidx=(dtypes.int16, *dtypes.INDEX), output_type=(dtypes.int16, dtypes.uint16, *dtypes.INDEX), host="dimension",
    defaults={"Tidx": dtypes.int32, "output_type": dtypes.int64}, differentiable=False,
)  # fmt: skip
def arg_max_op(xp: Namespace, input: Array, dimension: Array, *, output_type: DType = dtypes.int64) -> Array:
    """Returns the position of the greatest element along an axis, the first of several."""
    return _arg_extreme(xp, "argmax", input, dimension, output_type)


@op(
    "ArgMin", types="input: T, dimension: Tidx -> output: output_type", T=(*ORDERED, dtypes.bool), shape=_arg_shape,
    Tidx=dtypes.INDEX, output_type=dtypes.INDEX, host="dimension",
    defaults={"Tidx": dtypes.int32, "output_type": dtypes.int64}, differentiable=False,
)  # fmt: skip
def arg_min_op(xp: Namespace, input: Array, dimension: Array, *, output_type: DType = dtypes.int64) -> Array:
    """Returns the position of the least element along an axis, the first of several."""
    return _arg_extreme(xp, "argmin", input, dimension, output_type)


def all_axes(tensor: Tensor, axis: Any) -> Any:
    """Return `axis`, or for None a tensor of every axis of `tensor`."""
    if axis is not None:
        return axis
    if tensor.dims is not None:
        return constant(np.arange(len(tensor.dims), dtype=np.int32))
    return range(0, rank(tensor))


def reduce_with(decl: OpDecl, tensor: Any, axis: Any, keep_dims: bool, name: str | None) -> Tensor:
    """Build a reduction along `axis`, along all axes where it is None."""
    tensor = convert_to_tensor(tensor, name="input_tensor")
    reduced: Tensor = decl(tensor, all_axes(tensor, axis), keep_dims=keep_dims, name=name)
    if axis is None and tensor.dims is None and not keep_dims:
        # The shape rule cannot tell how many axes a tensor of unknown rank has, but here it was all of them.
        reduced.set_shape([])
    return reduced
