"""Joining and cutting along an existing dimension: ConcatV2, Concat, ConcatOffset, Split and SplitV."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..core import dtypes, shapes
from ..core.convert import convert_to_tensor
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.scopes import name_scope
from ..core.shape_rules import constant_value
from ..core.shapes import Shape
from .identity import identity
from .shape_ops import shape_n
from .slicing import slice_op


def _joined(values: list[Shape], axis: int | None) -> Shape:
    rank = next((len(dims) for dims in values if dims is not None), None)
    if rank is None:
        return None
    if axis is None:
        return (None,) * rank
    if not -max(rank, 1) <= axis < max(rank, 1) or rank == 0:
        raise ValueError(f"Shape must be at least rank {axis + 1 if axis >= 0 else -axis} but is rank {rank}")
    axis %= rank
    total: int | None = 0
    merged: Shape = None
    for dims in values:
        length = None if dims is None else shapes.with_rank(dims, rank)[axis]
        total = None if total is None or length is None else total + length
        if dims is not None:
            merged = shapes.merge(merged, (*dims[:axis], *dims[axis + 1 :]))
    assert merged is not None
    return (*merged[:axis], total, *merged[axis:])


def _static_axis(tensor: Tensor) -> int | None:
    value = constant_value(tensor)
    return None if value is None else int(value)


def _concat_shape(node: Operation) -> Shape:
    return _joined([t.dims for t in node.inputs[:-1]], _static_axis(node.inputs[-1]))


def join(xp: Namespace, values: list[Array], axis: int) -> Array:
    """Return the parts joined along an axis that may count from the end."""
    rank = values[0].ndim
    if not -rank <= axis < rank:
        raise InvalidArgumentError(
            None, None, f"ConcatOp : Expected concatenating dimensions in the range [{-rank}, {rank}), but got {axis}"
        )
    axis %= rank
    first = values[0].shape
    for i, value in enumerate(values[1:], 1):
        if value.ndim != rank or any(
            a != b for d, (a, b) in enumerate(zip(first, value.shape, strict=True)) if d != axis
        ):
            raise InvalidArgumentError(
                None,
                None,
                "ConcatOp : Dimensions of inputs should match: "
                f"shape[0] = {shapes.format_brackets(first)} vs. shape[{i}] = {shapes.format_brackets(value.shape)}",
            )
    return xp.concatenate(values, axis)


@op(
    "ConcatV2",
    types="values: N*T, axis: Tidx -> output: T",
    Tidx=dtypes.INDEX,
    defaults={"Tidx": dtypes.int32},
    shape=_concat_shape,
    host="axis",
)
def concat_op(xp: Namespace, values: list[Array], axis: Array) -> Array:
    """Return the values joined along `axis`."""
    return join(xp, values, int(axis))


@op(
    "Concat",
    types="concat_dim: int32, values: N*T -> output: T",
    host="concat_dim",
    shape=lambda node: _joined([t.dims for t in node.inputs[1:]], _static_axis(node.inputs[0])),
)
def concat_first_op(xp: Namespace, concat_dim: Array, values: list[Array]) -> Array:
    """Return the values joined along `concat_dim`."""
    return join(xp, values, int(concat_dim))


@op(
    "ConcatOffset",
    types="concat_dim: int32, shape: N*shape_type -> offset: N*shape_type",
    shape_type=dtypes.INDEX,
    defaults={"shape_type": dtypes.int32},
    shape=lambda node: [t.dims for t in node.inputs[1:]],
    host="concat_dim shape offset",
    differentiable=False,
)
def concat_offset_op(xp: Namespace, concat_dim: Array, dims: list[Array]) -> Any:
    """Return where each of the arrays of these shapes begins in their concatenation."""
    axis = int(concat_dim) % max(len(dims[0]), 1)
    offsets, start = [], 0
    for shape_vector in dims:
        offset = np.zeros_like(shape_vector)
        offset[axis] = start
        start += int(shape_vector[axis])
        offsets.append(offset)
    return offsets


def concat_gradients(axis: Tensor, values: list[Tensor], dy: Tensor) -> list[Tensor]:
    """Return the piece of `dy` that belongs to each of the concatenated values."""
    where = _static_axis(axis)
    static = where is not None and all(t.dims is not None and t.dims[where] is not None for t in values)
    if static:
        sizes = [t.dims[where] for t in values]  # type: ignore[index]
        return split(dy, sizes, where)
    dims = shape_n(values)
    rank = next((len(t.dims) for t in values if t.dims is not None), None)
    if where is not None and rank is not None:
        axis = convert_to_tensor(where % rank, dtypes.int32)
    offsets = concat_offset_op(axis, dims)
    return [slice_op(dy, begin, size) for begin, size in zip(offsets, dims, strict=True)]


@concat_op.gradient
def concat_grad(op: Operation, dy: Any) -> list[Any]:
    return [*concat_gradients(op.inputs[-1], list(op.inputs[:-1]), dy), None]


@concat_first_op.gradient
def concat_first_grad(op: Operation, dy: Any) -> list[Any]:
    return [None, *concat_gradients(op.inputs[0], list(op.inputs[1:]), dy)]


def _split_shape(node: Operation) -> list[Shape]:
    axis, value = node.inputs
    count = node.attrs["num_split"]
    where, dims = _static_axis(axis), value.dims
    if count < 1:
        raise ValueError(f"num_split must be at least 1, is {count}")
    if dims is None:
        return [None] * count
    if where is None:
        return [(None,) * len(dims)] * count
    where = _axis_within(where, len(dims))
    length = dims[where]
    if length is not None and length % count:
        raise ValueError(
            f"Dimension size must be evenly divisible by {count} but is {length}\n"
            "\tNumber of ways to split should evenly divide the split dimension"
        )
    piece = None if length is None else length // count
    return [(*dims[:where], piece, *dims[where + 1 :])] * count


def _axis_within(axis: int, rank: int) -> int:
    if not -rank <= axis < rank:
        raise ValueError(f"split_dim {axis} is out of the range [{-rank}, {rank})")
    return axis % rank


def pieces(value: Array, sizes: list[int], axis: int) -> Any:
    """Return the views of `x` that sizes along an axis cut."""
    found, start = [], 0
    before = (slice(None),) * axis
    for size in sizes:
        found.append(value[(*before, slice(start, start + size))])
        start += size
    return found if len(found) > 1 else found[0]


def _run_axis(axis: Array, rank: int) -> int:
    where = int(axis)
    if not -rank <= where < rank:
        raise InvalidArgumentError(
            None, None, f"-input rank(-{rank}) <= split_dim < input rank ({rank}), but got {where}"
        )
    return where % rank


@op(
    "Split",
    types="split_dim: int32, value: T -> output: num_split*T",
    shape=_split_shape,
    host="split_dim",
    aliases="output=value",
)
def split_op(xp: Namespace, split_dim: Array, value: Array, *, num_split: int) -> Any:
    """Return `num_split` equal pieces of the value."""
    axis = _run_axis(split_dim, value.ndim)
    length = value.shape[axis]
    if length % num_split:
        raise InvalidArgumentError(
            None,
            None,
            "Number of ways to split should evenly divide the split dimension, but got "
            f"split_dim {axis} (size = {length}) and num_split {num_split}",
        )
    return pieces(value, [length // num_split] * num_split, axis)


def _split_v_shape(node: Operation) -> list[Shape]:
    value, sizes, axis = node.inputs
    count = node.attrs["num_split"]
    where, known, dims = _static_axis(axis), constant_value(sizes), value.dims
    if dims is None:
        return [None] * count
    if where is None:
        return [(None,) * len(dims)] * count
    where = _axis_within(where, len(dims))
    lengths = [None] * count if known is None else _resolved(known.tolist(), dims[where])
    return [(*dims[:where], length, *dims[where + 1 :]) for length in lengths]


def _resolved(sizes: list[int], total: int | None) -> list[int | None]:
    """Return the sizes with -1 computed from the total; ValueError when they cannot add up."""
    missing = sizes.count(-1)
    given = sum(s for s in sizes if s != -1)
    if missing > 1 or any(s < -1 for s in sizes):
        raise ValueError(f"There can only be one -1 in size_splits, got {sizes}")
    if total is not None and (given > total if missing else given != total):
        raise ValueError(
            f"Sum of output sizes must match the size of the original Tensor along the split dimension: {sizes} for {total}"
        )
    rest = None if total is None else total - given
    return [rest if s == -1 else s for s in sizes]


@op(
    "SplitV",
    types="value: T, size_splits: Tlen, split_dim: int32 -> output: num_split*T",
    Tlen=(dtypes.int8, *dtypes.INDEX),
    defaults={"Tlen": dtypes.int64},
    shape=_split_v_shape,
    host="size_splits split_dim",
    aliases="output=value",
)
def split_v_op(xp: Namespace, value: Array, size_splits: Array, split_dim: Array, *, num_split: int) -> Any:
    """Return pieces of the value with the sizes given."""
    axis = _run_axis(split_dim, value.ndim)
    sizes = size_splits.tolist()
    if len(sizes) != num_split:
        raise InvalidArgumentError(
            None, None, f"size of the split_tensor must be 1-D and have the same elements as outputs got {len(sizes)}"
        )
    try:
        lengths = _resolved(sizes, value.shape[axis])
    except ValueError:
        raise InvalidArgumentError(
            None,
            None,
            "Determined shape must either match input shape along split_dim exactly if fully specified, or be "
            f"less than the size of the input along split_dim if not fully specified.  Got: {sum(s for s in sizes if s != -1)}",
        ) from None
    return pieces(value, [int(n) for n in lengths if n is not None], axis)


@split_op.gradient
def split_grad(op: Operation, *dys: Any) -> list[Any]:
    return [None, concat(list(dys), op.inputs[0])]


@split_v_op.gradient
def split_v_grad(op: Operation, *dys: Any) -> list[Any]:
    return [concat(list(dys), op.inputs[2]), None, None]


def concat(values: Any, axis: Any, name: str = "concat") -> Tensor:
    """Return tensors joined along the dimension `axis`.

    Args:
      values: a list of tensors of one type, which agree in all dimensions but `axis`.
      axis: the dimension, counted from the end when negative.
      name: the node's name.
    """
    if not isinstance(values, list | tuple):
        values = [values]
    if len(values) == 1:
        with name_scope(name):
            shapes.with_rank(convert_to_tensor(axis, dtypes.int32, name="concat_dim").dims, 0)
            return identity(values[0], name=name)  # type: ignore[no-any-return]
    return concat_op(list(values), axis, name=name)  # type: ignore[no-any-return]


def split(value: Any, num_or_size_splits: Any, axis: Any = 0, num: Any = None, name: str = "split") -> list[Tensor]:
    """Return pieces of a tensor along `axis`.

    Args:
      value: the tensor.
      num_or_size_splits: how many equal pieces, or the sizes of the pieces (one may be -1).
      axis: the dimension to cut.
      num: how many sizes there are, when that is not known while building.
      name: the node's name.

    Raises:
      ValueError: when the pieces do not add up to the dimension.
    """
    if isinstance(num_or_size_splits, int | np.integer | shapes.Dimension) and not isinstance(num_or_size_splits, bool):
        return list(split_op(axis, value, num_split=int(num_or_size_splits), name=name))
    sizes = convert_to_tensor(num_or_size_splits)
    if sizes.dims == ():
        raise ValueError("Rank-0 tensors are not supported as the num_or_size_splits argument to split.")
    if num is None:
        num = None if sizes.dims is None else sizes.dims[0]
        if num is None:
            raise ValueError(f"Cannot infer argument `num` from shape {num_or_size_splits}")
    return list(split_v_op(value, sizes, axis, num_split=num, name=name))
