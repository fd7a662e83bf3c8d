"""Arrays of one value: Fill, ZerosLike, OnesLike, and the functions zeros, ones and their likes.

Small constants of known shape become Const nodes, others Fill nodes, at TensorFlow's threshold, so that node names and
exported graphs agree.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..core import dtypes, shapes
from ..core.convert import constant, contains_tensor, convert_to_tensor
from ..core.dtypes import DType, as_dtype
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.scopes import name_scope
from ..core.shape_rules import constant_value, constant_value_as_shape, same_shape
from ..core.shapes import Shape
from .reshape import reshape
from .shape_ops import shape_internal

_LARGEST_CONST = 1000


def _fill_shape(node: Operation) -> Shape:
    dims, value = node.inputs
    shapes.with_rank(dims.dims, 1)
    shapes.with_rank(value.dims, 0)
    known = constant_value(dims)
    if known is not None and (known < 0).any():
        raise ValueError(f"Fill dimensions must be >= 0, got {known.tolist()}")
    return constant_value_as_shape(dims)


@op(
    "Fill",
    types="dims: index_type, value: T -> output: T",
    index_type=dtypes.INDEX,
    defaults={"index_type": dtypes.int32},
    shape=_fill_shape,
    host="dims",
)
def fill_op(xp: Namespace, dims: Array, value: Array) -> Array:
    """Return an array of shape `dims` filled with `value`."""
    if (dims < 0).any():
        raise InvalidArgumentError(None, None, f"Fill dimensions must be >= 0, got {dims.tolist()}")
    made = xp.empty(tuple(dims.tolist()), value.dtype)
    made[...] = value
    return made


@op("ZerosLike", types="x: T -> y: T", shape=same_shape)
def zeros_like_op(xp: Namespace, x: Array) -> Array:
    """Return zeros of the input's shape and type."""
    return _empty_strings(x) if x.dtype == object else xp.zeros(x.shape, x.dtype)


def _empty_strings(x: Array) -> Array:
    return np.full(x.shape, b"", object)


@op("OnesLike", types="x: T -> y: T", T=(*dtypes.NUMERIC, dtypes.bool), shape=same_shape)
def ones_like_op(xp: Namespace, x: Array) -> Array:
    """Return ones of the input's shape and type."""
    return xp.ones(x.shape, x.dtype)


zeros_like_op.differentiable = ones_like_op.differentiable = False


def fill(dims: Any, value: Any, name: str | None = None) -> Tensor:
    """Return a tensor of shape `dims` filled with the scalar `value`."""
    return fill_op(dims, value, name=name)  # type: ignore[no-any-return]


def _zero_of(dtype: DType) -> Any:
    return False if dtype is dtypes.bool else "" if dtype is dtypes.string else 0


def zeros(shape: Any, dtype: Any = dtypes.float32, name: str | None = None) -> Tensor:
    """Return a tensor of zeros (False, empty strings).

    Args:
      shape: a list of ints, a TensorShape or a 1-D integer tensor.
      dtype: the type of the elements.
      name: the node's name.
    """
    kind = as_dtype(dtype).base_dtype
    return _filled(shape, _zero_of(kind), kind, name, "zeros")


def ones(shape: Any, dtype: Any = dtypes.float32, name: str | None = None) -> Tensor:
    """Return a tensor of ones (True).

    Args:
      shape: a list of ints, a TensorShape or a 1-D integer tensor.
      dtype: the type of the elements.
      name: the node's name.
    """
    kind = as_dtype(dtype).base_dtype
    return _filled(shape, True if kind is dtypes.bool else 1, kind, name, "ones")


def _filled(shape: Any, value: Any, dtype: DType, name: str | None, default: str) -> Tensor:
    with name_scope(name, default, shape if isinstance(shape, list | tuple) else [shape]) as scope:
        dims = _static_dims(shape)
        if dims is not None:
            if int(np.prod(dims, dtype=np.int64)) < _LARGEST_CONST:
                return constant(value, dtype, shape=dims, name=scope)
            shape = constant(np.array(dims, np.int32 if max(dims) < 2**31 else np.int64), name="shape_as_tensor")
        elif not isinstance(shape, Tensor):
            shape = convert_to_tensor(shape, dtypes.int32)
        if shape.dims is not None and len(shape.dims) != 1:
            shape = reshape(shape, [-1])
        return fill(shape, constant(value, dtype), name=scope)


def _static_dims(shape: Any) -> tuple[int, ...] | None:
    """Return a shape given as Python values as a tuple, or None when it is a tensor, holds one, or is not fully known."""
    if isinstance(shape, Tensor) or contains_tensor(shape):
        return None
    dims = shapes.as_shape_tuple(np.asarray(shape).ravel().tolist() if isinstance(shape, np.ndarray) else shape)
    return dims if shapes.is_static(dims) else None  # type: ignore[return-value]


def _like(tensor: Any, dtype: Any, name: str | None, optimize: bool, one: bool) -> Tensor:
    word = "ones" if one else "zeros"
    with name_scope(name, f"{word}_like", [tensor]) as scope:
        tensor = convert_to_tensor(tensor, name="tensor")
        # False for None: as TensorFlow does, for programs that meant it for another argument.
        kind = tensor.dtype.base_dtype if dtype is None or dtype is False else as_dtype(dtype).base_dtype
        make = ones if one else zeros
        if not one:
            if optimize and shapes.is_static(tensor.dims) and tensor.dtype.name != "variant":
                return zeros(tensor.dims, kind, name=scope)
            if kind is tensor.dtype.base_dtype:
                return zeros_like_op(tensor, name=scope)  # type: ignore[no-any-return]
        made = make(shape_internal(tensor, optimize=optimize), kind, name=scope)
        made.set_shape(tensor.dims)
        return made


def zeros_like(tensor: Any, dtype: Any = None, name: str | None = None, optimize: bool = True) -> Tensor:
    """Return zeros of the shape of `tensor`, of its type or of `dtype`."""
    return _like(tensor, dtype, name, optimize, one=False)


def ones_like(tensor: Any, dtype: Any = None, name: str | None = None, optimize: bool = True) -> Tensor:
    """Return ones of the shape of `tensor`, of its type or of `dtype`."""
    return _like(tensor, dtype, name, optimize, one=True)
