"""Gradients of array ops that need sums, differences or segments, which the array floor does not have."""

from __future__ import annotations

import warnings
from typing import Any

from ..array.blocks import roll, roll_op
from ..array.broadcast import broadcast_to_op, tile_op
from ..array.concat import concat
from ..array.fills import fill_op
from ..array.gather import gather_nd_op, gather_op, gather_v2_op
from ..array.pack import stack
from ..array.padding import pad, pad_op, pad_v2_op
from ..array.partition import dynamic_partition, dynamic_partition_op, dynamic_stitch
from ..array.reshape import reshape, squeeze
from ..array.scatter import scatter_nd_op, tensor_scatter_max_op, tensor_scatter_min_op
from ..array.shape_ops import rank, shape, size
from ..array.slicing import slice_, slice_op
from ..array.transpose import transpose
from ..core import dtypes, shapes
from ..core.convert import convert_to_tensor, register_tensor_conversion_function
from ..core.indexed_slices import IndexedSlices
from ..core.node import Operation, Tensor
from ..core.shape_rules import constant_value, constant_value_as_shape
from .binary import add_v2, equal, floormod, multiply, realdiv
from .broadcasting import unbroadcast_to
from .casts import cast
from .ranges import range as tensor_range
from .reduce import reduce_prod, reduce_sum
from .segments import unsorted_segment_sum


def _rows(params: Tensor, indices: Tensor, dy: Tensor) -> IndexedSlices:
    """Return the gradient of a gather of rows: the rows of `dy` with their indices."""
    dims = params.dims
    if dims is not None and shapes.is_static(dims[1:]) and 0 not in dims[1:]:
        values = reshape(dy, [-1, *dims[1:]])
    else:
        values = reshape(dy, concat([reshape(size(indices), [1]), shape(params)[1:]], 0))
    return IndexedSlices(values, reshape(indices, [-1]), shape(params))


@gather_op.gradient
def gather_grad(op: Operation, dy: Tensor) -> list[Any]:
    params, indices = op.inputs
    return [_rows(params, indices, dy), None]


@gather_v2_op.gradient
def gather_v2_grad(op: Operation, dy: Tensor) -> list[Any]:
    params, indices, axis = op.inputs
    where = constant_value(axis)
    batch = op.attrs["batch_dims"]
    if where is not None and int(where) == 0 and batch == 0:
        return [_rows(params, indices, dy), None, None]
    if where is None or params.dims is None or indices.dims is None:
        return [_anywhere(params, indices, dy, axis, batch), None, None]
    batch += len(indices.dims) * (batch < 0)
    return [_along(params, indices, dy, int(where) % len(params.dims), batch), None, None]


def _along(params: Tensor, indices: Tensor, dy: Tensor, axis: int, batch: int) -> Tensor:
    """Return the gradient of a gather along `axis`: the axis goes first, batch positions become offsets of indices."""
    assert params.dims is not None and indices.dims is not None
    axes, inner = len(params.dims), len(indices.dims) - batch
    whole = shape(params)
    count = reduce_prod(whole[:batch])
    offsets = reshape(tensor_range(count), concat([whole[:batch], [1] * inner], 0)) * whole[axis]
    ids = reshape(indices + cast(offsets, indices.dtype), [-1])
    first = [*range(batch), *range(axis, axis + inner)]
    values = transpose(dy, [*first, *range(batch, axis), *range(axis + inner, axes - 1 + inner)])
    rest = concat([whole[batch:axis], whole[axis + 1 :]], 0)
    summed = unsorted_segment_sum(reshape(values, concat([shape(ids), rest], 0)), ids, count * whole[axis])
    unfolded = reshape(summed, concat([whole[:batch], whole[axis : axis + 1], rest], 0))
    back = [*range(batch), *range(batch + 1, axis + 1), batch, *range(axis + 1, axes)]
    return transpose(unfolded, back)


def _anywhere(params: Tensor, indices: Tensor, dy: Tensor, axis: Tensor, batch: int) -> Tensor:
    """Return the gradient of a gather where the axis or a rank is known when it runs: of [batch, before, axis, after] always."""
    whole = shape(params)
    first = batch if batch >= 0 else rank(indices) + batch
    place = floormod(cast(axis, dtypes.int32), rank(params))
    sizes = [
        reduce_prod(part) for part in (whole[:first], whole[first:place], whole[place : place + 1], whole[place + 1 :])
    ]
    outer, before, length, after = sizes
    each = reduce_prod(shape(indices)[first:])
    offsets = reshape(tensor_range(outer), [-1, 1]) * length
    ids = reshape(reshape(indices, stack([outer, each])) + cast(offsets, indices.dtype), [-1])
    values = transpose(reshape(dy, stack([outer, before, each, after])), [0, 2, 1, 3])
    summed = unsorted_segment_sum(reshape(values, stack([outer * each, before, after])), ids, outer * length)
    return reshape(transpose(reshape(summed, stack([outer, length, before, after])), [0, 2, 1, 3]), whole)


@gather_nd_op.gradient
def gather_nd_grad(op: Operation, dy: Tensor) -> list[Any]:
    params, indices = op.inputs
    whole = shape(params, out_type=indices.dtype)
    policy = op.attrs["bad_indices_policy"]
    if policy != "IGNORE" and indices.dims is not None and len(indices.dims) == 2 and indices.dims[-1] == 1:
        return [IndexedSlices(dy, squeeze(indices, -1), whole), None]
    return [scatter_nd_op(indices, dy, whole, bad_indices_policy=policy), None]


@slice_op.gradient
def slice_grad(op: Operation, dy: Tensor) -> list[Any]:
    x, begin, _ = op.inputs
    column = [-1, 1]
    after = shape(x, out_type=begin.dtype) - shape(op.outputs[0], out_type=begin.dtype) - begin
    return [pad(dy, concat([reshape(begin, column), reshape(after, column)], 1)), None, None]


def _pad_grad(op: Operation, dy: Tensor) -> list[Any]:
    x, paddings = op.inputs[:2]
    before = reshape(paddings[:, 0], [-1])
    inner = slice_(dy, before, shape(x, out_type=before.dtype))
    return [inner, *[None] * (len(op.inputs) - 1)]


pad_op.gradient(_pad_grad)
pad_v2_op.gradient(_pad_grad)


@tile_op.gradient
def tile_grad(op: Operation, dy: Tensor) -> list[Any]:
    x, multiples = op.inputs
    column = [-1, 1]
    sizes = shape(x, out_type=multiples.dtype)
    pairs = reshape(concat([reshape(multiples, column), reshape(sizes, column)], 1), [-1])
    axes = tensor_range(0, size(pairs), 2)
    dx = reduce_sum(reshape(dy, pairs), axes)
    dx.set_shape(x.dims)
    return [dx, None]


@broadcast_to_op.gradient
def broadcast_to_grad(op: Operation, dy: Tensor) -> list[Any]:
    return [unbroadcast_to(dy, op.inputs[0]), None]


@fill_op.gradient
def fill_grad(op: Operation, dy: Tensor) -> list[Any]:
    return [None, reduce_sum(dy)]


@roll_op.gradient
def roll_grad(op: Operation, dy: Tensor) -> list[Any]:
    return [roll(dy, -op.inputs[1], op.inputs[2]), None, None]


@dynamic_partition_op.gradient
def dynamic_partition_grad(op: Operation, *dys: Any) -> list[Any]:
    data, partitions = op.inputs
    lead = shape(partitions)
    positions = reshape(tensor_range(reduce_prod(lead)), lead)
    parts = dynamic_partition(positions, partitions, op.attrs["num_partitions"])
    rows = dynamic_stitch(parts, [convert_to_tensor(dy) for dy in dys])
    return [reshape(rows, shape(data)), None]


_LARGE = 100_000_000


def _warn_if_large(dense_shape: Tensor) -> None:
    count = shapes.num_elements(constant_value_as_shape(dense_shape))
    if count is None or count >= _LARGE:
        what = "of unknown shape" if count is None else f"with {count} elements"
        warnings.warn(
            f"Converting sparse IndexedSlices to a dense Tensor {what}. This may consume a large amount of memory.",
            stacklevel=2,
        )


def _to_dense(value: IndexedSlices, dtype: Any = None, name: str | None = None, as_ref: bool = False) -> Any:
    if dtype is not None and not dtype.is_compatible_with(value.dtype):
        raise ValueError(
            f"Tensor conversion requested dtype {dtype.name} for IndexedSlices with dtype {value.dtype.name}"
        )
    if value.dense_shape is None:
        raise ValueError(f"Tensor conversion requested for IndexedSlices without dense_shape: {value}")
    _warn_if_large(value.dense_shape)
    dense = unsorted_segment_sum(value.values, value.indices, value.dense_shape[0], name=name)
    dense.set_shape(constant_value_as_shape(value.dense_shape))
    return dense


register_tensor_conversion_function(IndexedSlices, _to_dense)


def _tensor_scatter_extreme_gradient(op: Operation, dy: Tensor) -> list[Any]:
    """The old element and the updates that equal the extreme share its gradient equally."""
    (tensor, indices, updates), (result,) = op.inputs, op.outputs
    policy = {"bad_indices_policy": op.attrs["bad_indices_policy"]}
    old = cast(equal(tensor, result), dy.dtype)
    new = cast(equal(updates, gather_nd_op(result, indices, **policy)), dy.dtype)
    whole = shape(tensor, out_type=indices.dtype)
    shared = realdiv(dy, add_v2(old, scatter_nd_op(indices, new, whole, **policy)))
    return [multiply(shared, old), None, multiply(gather_nd_op(shared, indices, **policy), new)]


tensor_scatter_max_op.gradient(_tensor_scatter_extreme_gradient)
tensor_scatter_min_op.gradient(_tensor_scatter_extreme_gradient)
