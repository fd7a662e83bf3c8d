"""Joining and cutting along a new dimension: Pack, Unpack, and the conversion of lists that hold tensors."""

from __future__ import annotations

from typing import Any

from ...devices.types import Array, Namespace
from ..core import shapes
from ..core.convert import constant, contains_tensor, convert_to_tensor, register_tensor_conversion_function
from ..core.dtypes import DType
from ..core.errors import InvalidArgumentError
from ..core.graph import get_default_graph
from ..core.node import Operation, Tensor
from ..core.registry import lookup, op
from ..core.scopes import name_scope
from ..core.shapes import Shape


def _pack_shape(node: Operation) -> Shape:
    merged: Shape = None
    for index in range(len(node.inputs) - 1, -1, -1):
        try:
            merged = shapes.merge(node.inputs[index].dims, merged)
        except ValueError as error:
            raise ValueError(f"{error} From merging shape {index} with other shapes.") from None
    if merged is None:
        return None
    axis = _within(node.attrs["axis"], len(merged) + 1, "axis")
    return (*merged[:axis], len(node.inputs), *merged[axis:])


def _within(axis: int, rank: int, word: str) -> int:
    if not -rank <= axis < rank:
        raise ValueError(f"Invalid {word} = {axis} not in [{-rank}, {rank})")
    return axis % rank


@op("Pack", types="values: N*T -> output: T", shape=_pack_shape)
def pack_op(xp: Namespace, values: list[Array], *, axis: int = 0) -> Array:
    """Return the values joined along a new dimension."""
    first = values[0].shape
    for i, value in enumerate(values):
        if value.shape != first:
            raise InvalidArgumentError(
                None,
                None,
                "Shapes of all inputs must match: "
                f"values[0].shape = {shapes.format_brackets(first)} != values[{i}].shape = {shapes.format_brackets(value.shape)}",
            )
    return xp.stack(values, axis)


@pack_op.gradient
def pack_grad(op: Operation, dy: Tensor) -> list[Any]:
    return unstack(dy, num=len(op.inputs), axis=op.attrs["axis"])


def _unpack_shape(node: Operation) -> list[Shape]:
    dims, count = node.inputs[0].dims, node.attrs["num"]
    if dims is None:
        return [None] * count
    axis = _within(node.attrs["axis"], len(dims), "axis")
    shapes.merge_dim(dims[axis], count)
    return [(*dims[:axis], *dims[axis + 1 :])] * count


@op("Unpack", types="value: T -> output: num*T", shape=_unpack_shape, aliases="output=value")
def unpack_op(xp: Namespace, value: Array, *, num: int, axis: int = 0) -> Any:
    """Return the slices of the value along a dimension."""
    axis %= max(value.ndim, 1)
    if value.shape[axis] != num:
        raise InvalidArgumentError(
            None, None, f"Input shape axis {axis} must equal {num}, got shape {shapes.format_brackets(value.shape)}"
        )
    before = (slice(None),) * axis
    found = [value[(*before, i, ...)] for i in range(num)]
    return found if num != 1 else found[0]


@unpack_op.gradient
def unpack_grad(op: Operation, *dys: Any) -> Tensor:
    return stack(list(dys), axis=op.attrs["axis"])


def stack(values: Any, axis: int = 0, name: str = "stack") -> Tensor:
    """Return tensors of one shape joined along a new dimension `axis`.

    Raises:
      ValueError: when the shapes differ, or the axis is outside [-(R+1), R+1).
    """
    if axis == 0:
        try:
            return convert_to_tensor(values, name=name)
        except (TypeError, ValueError):
            pass  # The list holds tensors that must be converted one by one.
    dims = convert_to_tensor(values[0], name=name).dims
    if dims is not None and not -(len(dims) + 1) <= axis <= len(dims):
        raise ValueError(f"axis = {axis} not in [{-(len(dims) + 1)}, {len(dims) + 1})")
    return pack_op(list(values), axis=axis, name=name)  # type: ignore[no-any-return]


def unstack(value: Any, num: int | None = None, axis: int = 0, name: str = "unstack") -> list[Tensor]:
    """Return the slices of a tensor along a dimension.

    Args:
      value: the tensor.
      num: how many there are; found from the static shape when None.
      axis: the dimension, counted from the end when negative.
      name: the node's name.

    Raises:
      ValueError: when `num` is not given and not known.
    """
    if num is None:
        value = convert_to_tensor(value)
        if value.dims is not None:
            rank = len(value.dims)
            if not -rank <= axis < rank:
                raise ValueError(f"axis = {axis} not in [{-rank}, {rank})")
            num = value.dims[axis]
        if num is None:
            raise ValueError(f"Cannot infer num from shape {value.shape}")
    return list(unpack_op(value, num=num, axis=axis, name=name))


def parallel_stack(values: Any, name: str = "parallel_stack") -> Tensor:
    """Return tensors of one known shape joined along a new first dimension."""
    with name_scope(name) as scope:
        return pack_op(list(values), name=scope)  # type: ignore[no-any-return]


def _is_tensor_like(item: Any) -> bool:
    return not isinstance(item, list | tuple) and contains_tensor(item)


def _first_dtype(items: Any) -> DType | None:
    if _is_tensor_like(items):
        return items.dtype.base_dtype  # type: ignore[no-any-return]
    if isinstance(items, list | tuple):
        return next((found for found in map(_first_dtype, items) if found is not None), None)
    return None


def _cast_tensors(items: Any, dtype: DType) -> Any:
    if isinstance(items, list | tuple):
        return [_cast_tensors(item, dtype) for item in items]
    if _is_tensor_like(items) and items.dtype.base_dtype is not dtype:
        # Cast is declared above this floor; it is there whenever a graph is built.
        return lookup("Cast")(items, DstT=dtype)
    return items


def _pack_list(items: Any, dtype: DType, name: str) -> Tensor:
    with name_scope(name) as scope:
        parts: list[Tensor] = []
        for i, item in enumerate(items):
            if isinstance(item, list | tuple) and contains_tensor(item):
                parts.append(_pack_list(item, dtype, str(i)))
            elif _is_tensor_like(item):
                parts.append(convert_to_tensor(item))
            else:
                if isinstance(item, list | tuple):
                    # TensorFlow opens a scope for every nested list, which takes the name.
                    get_default_graph().unique_name(str(i))
                parts.append(constant(item, dtype, name=str(i)))
        return pack_op(parts, name=scope)  # type: ignore[no-any-return]


def _from_list(value: Any, dtype: Any = None, name: str | None = None, as_ref: bool = False) -> Any:
    if not contains_tensor(value):
        return NotImplemented
    found = _first_dtype(value)
    if found is None:
        return NotImplemented
    if dtype is not None and dtype is not found:
        value = _cast_tensors(value, dtype)
    return _pack_list(value, dtype or found, name or "packed")


register_tensor_conversion_function((list, tuple), _from_list, 99)
