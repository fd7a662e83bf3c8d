"""Taking a tensor apart by a vector of numbers and putting parts together: DynamicPartition and DynamicStitch."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..core import shapes
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import OpDecl, op
from ..core.shape_rules import constant_value
from ..core.shapes import Shape
from .gather import gather


def _partition_shape(node: Operation) -> list[Shape]:
    data, partitions = (t.dims for t in node.inputs)
    count = node.attrs["num_partitions"]
    if data is None or partitions is None:
        return [None] * count
    shapes.merge(data[: len(partitions)], partitions)
    return [(None, *data[len(partitions) :])] * count


@op(
    "DynamicPartition",
    types="data: T, partitions: int32 -> outputs: num_partitions*T",
    shape=_partition_shape,
    host="partitions",
)
def dynamic_partition_op(xp: Namespace, data: Array, partitions: Array, *, num_partitions: int) -> Any:
    """Return the slices of the data that belong to each partition, in order."""
    if data.shape[: partitions.ndim] != partitions.shape:
        found = f"data.shape = {list(data.shape)}, partitions.shape = {list(partitions.shape)}"
        raise InvalidArgumentError(None, None, f"data.shape must start with partitions.shape, got {found}")
    flat = partitions.reshape(-1)
    if flat.size and (flat.min() < 0 or flat.max() >= num_partitions):
        bad = int(np.argmax((flat < 0) | (flat >= num_partitions)))
        raise InvalidArgumentError(None, None, f"partitions[{bad}] = {int(flat[bad])} is not in [0, {num_partitions})")
    rows = data.reshape((flat.size, *data.shape[partitions.ndim :]))
    found_rows = [rows[xp.asarray(np.flatnonzero(flat == part))] for part in range(num_partitions)]
    return found_rows if num_partitions > 1 else found_rows[0]


def _stitch_shape(node: Operation) -> Shape:
    count = node.attrs["N"]
    indices, data = node.inputs[:count], node.inputs[count:]
    tail: Shape = None
    for where, part in zip(indices, data, strict=True):
        if where.dims is None or part.dims is None:
            continue
        shapes.merge(part.dims[: len(where.dims)], where.dims)
        tail = shapes.merge(tail, part.dims[len(where.dims) :])
    known = [constant_value(t) for t in indices]
    rows = None if any(v is None for v in known) else max((int(v.max()) + 1 for v in known if v.size), default=0)
    return None if tail is None else (rows, *tail)


def _stitch(name: str) -> OpDecl:
    def kernel(xp: Namespace, indices: list[Array], data: list[Array]) -> Array:
        flat = [where.reshape(-1) for where in indices]
        tail = data[0].shape[indices[0].ndim :]
        for i, (where, part) in enumerate(zip(indices, data, strict=True)):
            if part.shape != where.shape + tail:
                found = f"data[{i}].shape = {list(part.shape)}, indices[{i}].shape = {list(where.shape)}"
                raise InvalidArgumentError(
                    None, None, f"data[{i}].shape must start with indices[{i}].shape, got {found}"
                )
            if where.size and where.min() < 0:
                raise InvalidArgumentError(None, None, f"indices[{i}] is out of range")
        rows = max((int(where.max()) + 1 for where in flat if where.size), default=0)
        # Rows that no index names hold zeros here; TensorFlow leaves them undefined.
        merged = xp.zeros((rows, *tail), data[0].dtype)
        for where, part in zip(flat, data, strict=True):
            merged[xp.asarray(where)] = part.reshape((where.size, *tail))
        return merged

    kernel.__doc__ = "Return the slices of the data, each put in the row that its index names; later ones win."
    return op(name, types="indices: N*int32, data: N*T -> merged: T", shape=_stitch_shape, host="indices")(kernel)


dynamic_stitch_op = _stitch("DynamicStitch")
parallel_dynamic_stitch_op = _stitch("ParallelDynamicStitch")


@dynamic_stitch_op.gradient
def dynamic_stitch_grad(op: Operation, dy: Tensor) -> list[Any]:
    count = op.attrs["N"]
    return [None] * count + [gather(dy, where) for where in op.inputs[:count]]


parallel_dynamic_stitch_op.gradient(dynamic_stitch_grad)


def dynamic_partition(data: Any, partitions: Any, num_partitions: int, name: str | None = None) -> list[Tensor]:
    """Return `num_partitions` tensors: slice i of `data` goes to the one that `partitions[i]` names."""
    return list(dynamic_partition_op(data, partitions, num_partitions=num_partitions, name=name))


def dynamic_stitch(indices: Any, data: Any, name: str | None = None) -> Tensor:
    """Return one tensor out of slices: `merged[indices[m][i]] = data[m][i]`, later ones win."""
    return dynamic_stitch_op(indices, data, name=name)  # type: ignore[no-any-return]


def parallel_dynamic_stitch(indices: Any, data: Any, name: str | None = None) -> Tensor:
    """Return one tensor out of slices, as `dynamic_stitch`; which of several slices for one row wins is not defined."""
    return parallel_dynamic_stitch_op(indices, data, name=name)  # type: ignore[no-any-return]
