"""Cutting boxes out of tensors: Slice and StridedSlice, with its gradient and its masks.

`indexer` turns begin, end, strides and the five masks into the key that NumPy takes; forward, gradient, static shapes
and assignment to slices all go through it, so they cannot disagree. Keys end in an Ellipsis: results are arrays, views of
the input, never bare scalars.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...devices.types import Array, Namespace
from ..core import dtypes, shapes
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.shape_rules import constant_value, constant_value_as_shape
from ..core.shapes import Shape
from .fills import ones_like
from .shape_ops import shape

MASKS = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
FULL = slice(None)
_INDEX = (dtypes.int16, dtypes.int32, dtypes.int64)
_GRADIENT_INDEX = dtypes.INDEX


def _slice_shape(node: Operation) -> Shape:
    x, begin, size = node.inputs
    count = shapes.merge_dim(shapes.with_rank(begin.dims, 1)[0], shapes.with_rank(size.dims, 1)[0])
    starts, sizes = constant_value(begin), constant_value(size)
    if x.dims is None:
        if sizes is not None:
            return tuple(None if s < 0 else int(s) for s in sizes)
        return None if count is None else (None,) * count
    if count is not None:
        shapes.with_rank(x.dims, count)
    if sizes is None:
        return constant_value_as_shape(size) if starts is not None and not starts.any() else (None,) * len(x.dims)
    found: list[int | None] = []
    for axis, (length, wanted) in enumerate(zip(x.dims, sizes.tolist(), strict=True)):
        start = None if starts is None else int(starts[axis])
        # As in TensorFlow a box that is too large is found out by the run.
        found.append(wanted if wanted != -1 else _box_length(axis, length, start, wanted, ValueError))
    return tuple(found)


def _box_length(axis: int, length: int | None, start: int | None, wanted: int, error: Any) -> int | None:
    if length is None or start is None:
        return None if wanted < 0 else wanted
    if not 0 <= start <= length:
        raise error(f"Expected begin[{axis}] in [0, {length}], but got {start}")
    if wanted == -1:
        return length - start
    if not 0 <= wanted <= length - start:
        raise error(f"Expected size[{axis}] in [0, {length - start}], but got {wanted}")
    return wanted


def _invalid(message: str) -> InvalidArgumentError:
    return InvalidArgumentError(None, None, message)


@op(
    "Slice",
    types="input: T, begin: Index, size: Index -> output: T",
    Index=dtypes.INDEX,
    shape=_slice_shape,
    host="begin size",
    aliases="output=input",
)
def slice_op(xp: Namespace, x: Array, begin: Array, size: Array) -> Array:
    """Return the box of the input that begins at `begin`, of `size`; -1 stands for all that is left."""
    starts, sizes = begin.tolist(), size.tolist()
    if len(starts) != x.ndim or len(sizes) != x.ndim:
        raise _invalid(
            f"Expected begin and size arguments to be 1-D tensors of size {x.ndim}, "
            f"but got shapes [{len(starts)}] and [{len(sizes)}] instead."
        )
    key: list[Any] = []
    for axis, (start, wanted) in enumerate(zip(starts, sizes, strict=True)):
        length = _box_length(axis, x.shape[axis], start, wanted, _invalid)
        assert length is not None
        key.append(slice(start, start + length))
    return x[(*key, ...)]


def _bits(mask: int, count: int) -> list[bool]:
    return [bool(mask >> i & 1) for i in range(count)]


def specs(count: int, rank: int | None, masks: Sequence[int]) -> list[tuple[int | None, str]]:
    """Return what each step of a strided slice does, as (place in begin, kind).

    Kinds are "range", "shrink", "new" and "rest"; the ellipsis is spread out to the rank ("rest"), which also stands at the
    end where none was written. With an unknown rank it stays one "rest".
    """
    begins, ends, ellipsis, new, shrink = (_bits(mask, count) for mask in masks)
    del begins, ends
    if masks[2] & (masks[2] - 1):
        raise ValueError("Multiple ellipses in slice spec not allowed")
    place = ellipsis.index(True) if any(ellipsis) else count
    used = sum(1 for i in range(count) if i != place and not new[i])
    if rank is not None and used > rank:
        raise ValueError(f"Index out of range using input dim {rank}; input has only {rank} dims")
    spread: list[tuple[int | None, str]] = [(None, "rest")] * (1 if rank is None else rank - used)
    found: list[tuple[int | None, str]] = []
    for i in range(count):
        if i == place:
            found.extend(spread)
        else:
            found.append((i, "new" if new[i] else "shrink" if shrink[i] else "range"))
    return found if any(ellipsis) else found + spread


def indexer(
    dims: Sequence[int], begin: Sequence[int], end: Sequence[int], strides: Sequence[int], masks: Sequence[int]
) -> tuple[Any, ...]:
    """Return the NumPy key of a strided slice of an array of shape `dims`.

    Raises:
      InvalidArgumentError: for a stride of 0, an index that is out of bounds, or more indices than dimensions.
    """
    try:
        steps = specs(len(begin), len(dims), masks)
    except ValueError as error:
        raise _invalid(str(error)) from None
    key: list[Any] = []
    axis = 0
    for i, kind in steps:
        if kind == "new":
            key.append(None)
            continue
        key.append(FULL if i is None else _part(i, kind, dims[axis], begin, end, strides, masks, _invalid))
        axis += 1
    return (*key, ...)


def _part(
    i: int,
    kind: str,
    length: int | None,
    begin: Sequence[Any],
    end: Sequence[Any],
    strides: Sequence[Any],
    masks: Sequence[int],
    error: Any,
) -> Any:
    stride = strides[i]
    if stride == 0:
        raise error(f"strides[{i}] must be non-zero")
    if kind == "shrink":
        if stride <= 0:
            raise error("only stride 1 allowed on non-range indexing.")
        if length is not None and not -length <= begin[i] < length:
            raise error(f"slice index {begin[i]} of dimension {i} out of bounds.")
        return begin[i]
    first = None if masks[0] >> i & 1 else begin[i]
    last = None if masks[1] >> i & 1 else end[i]
    return slice(first, last, stride)


def known_elements(tensor: Tensor) -> list[int | None] | None:
    """Return what is known of the elements of a 1-D tensor, or None when not even their number is."""
    value = constant_value(tensor)
    if value is not None:
        return [int(v) for v in value.ravel()]
    if tensor.op.type == "Pack":
        parts = [constant_value(t) for t in tensor.op.inputs]
        return [None if part is None or part.ndim else int(part) for part in parts]
    if tensor.dims is not None and len(tensor.dims) == 1 and tensor.dims[0] is not None:
        return [None] * tensor.dims[0]
    return None


def _strided_shape(node: Operation) -> Shape:
    x, begin, end, strides = node.inputs
    for vector in (begin, end, strides):
        shapes.with_rank(vector.dims, 1)
    starts, ends, steps = (known_elements(t) for t in (begin, end, strides))
    count = next((len(v) for v in (starts, ends, steps) if v is not None), None)
    if count is None:
        return None
    masks = [node.attrs[name] for name in MASKS]
    blank = [None] * count
    rank = shapes.rank(x.dims)
    found: list[int | None] = []
    axis = 0
    for i, kind in specs(count, rank, masks):
        if kind == "new":
            found.append(1)
            continue
        if x.dims is None and kind == "rest":
            return None
        length = None if x.dims is None else x.dims[axis]
        axis += 1
        if i is None:
            found.append(length)
        elif kind == "range":
            found.append(_range_length(i, length, starts or blank, ends or blank, steps or blank, masks))
        elif (starts or blank)[i] is not None and (steps or blank)[i] is not None:
            _part(i, kind, length, starts or blank, blank, steps or blank, masks, ValueError)
    return tuple(found)


def _range_length(
    i: int, length: int | None, begin: Sequence[Any], end: Sequence[Any], strides: Sequence[Any], masks: Sequence[int]
) -> int | None:
    known_begin = masks[0] >> i & 1 or begin[i] is not None
    known_end = masks[1] >> i & 1 or end[i] is not None
    if strides[i] is None:
        return None
    if length is None or not known_begin or not known_end:
        if strides[i] == 0:
            raise ValueError(f"strides[{i}] must be non-zero")
        return None
    part = _part(i, "range", length, begin, end, strides, masks, ValueError)
    return len(range(*part.indices(length)))


@op(
    "StridedSlice",
    types="input: T, begin: Index, end: Index, strides: Index -> output: T",
    Index=_INDEX,
    shape=_strided_shape,
    host="begin end strides",
    aliases="output=input",
)
def strided_slice_op(
    xp: Namespace,
    x: Array,
    begin: Array,
    end: Array,
    strides: Array,
    *,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
) -> Array:
    """Return a strided box of the input, a view."""
    masks = (begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)
    return x[indexer(x.shape, begin.tolist(), end.tolist(), strides.tolist(), masks)]


@op(
    "StridedSliceGrad",
    types="shape: Index, begin: Index, end: Index, strides: Index, dy: T -> output: T",
    Index=_GRADIENT_INDEX,
    shape=lambda node: constant_value_as_shape(node.inputs[0]),
    host="shape begin end strides",
)
def strided_slice_grad_op(
    xp: Namespace,
    dims: Array,
    begin: Array,
    end: Array,
    strides: Array,
    dy: Array,
    *,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
) -> Array:
    """Return zeros of shape `dims` with `dy` where the strided slice was."""
    masks = (begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)
    whole = tuple(dims.tolist())
    dx = xp.full(whole, b"", object) if dy.dtype.kind == "O" else xp.zeros(whole, dy.dtype)
    dx[indexer(whole, begin.tolist(), end.tolist(), strides.tolist(), masks)] = dy
    return dx


def _masks_of(op: Operation) -> dict[str, Any]:
    return {name: op.attrs[name] for name in MASKS}


@strided_slice_op.gradient
def strided_slice_grad(op: Operation, dy: Tensor) -> list[Any]:
    x, begin, end, strides = op.inputs
    dx = strided_slice_grad_op(shape(x, out_type=begin.dtype), begin, end, strides, dy, **_masks_of(op))
    return [dx, None, None, None]


@strided_slice_grad_op.gradient
def strided_slice_grad_grad(op: Operation, dy: Tensor) -> list[Any]:
    _, begin, end, strides, _ = op.inputs
    return [None, None, None, None, strided_slice_op(dy, begin, end, strides, **_masks_of(op))]


def slice_(input_: Any, begin: Any, size: Any, name: str | None = None) -> Tensor:
    """Return the box of a tensor that begins at `begin` and has `size`; -1 in `size` stands for all that is left."""
    return slice_op(input_, begin, size, name=name)  # type: ignore[no-any-return]


slice_.__name__ = slice_.__qualname__ = "slice"


def strided_slice(
    input_: Any,
    begin: Any,
    end: Any,
    strides: Any = None,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
    name: str | None = None,
) -> Tensor:
    """Return `input_[begin:end:strides]`, several dimensions at once; bit i of a mask changes what index i means.

    Args:
      input_: a tensor.
      begin, end, strides: 1-D integer tensors of one length; strides are 1 when None.
      begin_mask, end_mask: ignore the begin or end given, and take all there is.
      ellipsis_mask: the index stands for as many dimensions as are left over.
      new_axis_mask: insert a dimension of 1.
      shrink_axis_mask: take the one element at begin and drop the dimension.
      name: the node's name.
    """
    if strides is None:
        strides = ones_like(begin)
    masks = (begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)
    return strided_slice_op(input_, begin, end, strides, **dict(zip(MASKS, masks, strict=True)), name=name)  # type: ignore[no-any-return]
