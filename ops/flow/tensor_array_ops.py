"""The op types of TensorArrays: arrays of tensors that loops write and read element by element.

A handle is the ArrayStore of one run; it stays where it is while the flow, a scalar whose value says nothing, goes from
op to op and orders reads after writes. Elements stay on the handle's device; indices and lengths are read on the host.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..core.dtypes import DType
from ..core.node import Operation
from ..core.registry import op
from ..core.shape_rules import constant_value, no_outputs, scalar
from ..core.shapes import Shape, with_rank, with_rank_at_least
from .array_store import ArrayStore


def _handle_and_flow(node: Operation) -> list[Shape]:
    """Return what TensorFlow says: a handle is two strings, whatever it is here."""
    return [(2,), ()]


def _made(node: Operation) -> list[Shape]:
    with_rank(node.inputs[0].dims, 0)
    return _handle_and_flow(node)


def _at_index(node: Operation) -> Shape:
    with_rank(node.inputs[1].dims, 0)
    return ()


def _at_indices(node: Operation) -> Shape:
    (count,) = with_rank(node.inputs[1].dims, 1)
    value = with_rank_at_least(node.inputs[2].dims, 1)
    if value is not None and None not in (value[0], count) and value[0] != count:
        raise ValueError(f"Dimensions must be equal, but are {value[0]} and {count}")
    return ()


def _element(node: Operation) -> Shape:
    with_rank(node.inputs[1].dims, 0)
    return None


def _rows_of(node: Operation, dims: Shape) -> Shape:
    """Return the shape of so many elements of shape `dims` as there are indices."""
    indices = node.inputs[1].dims
    if dims is None:
        return None
    value = constant_value(node.inputs[1])
    count = len(value) if value is not None else indices[0] if indices else None
    return (count, *dims)


@op("TensorArrayV3", types="size: int32 -> handle: resource, flow: float32", shape=_made, stateful=True,
    host="size", differentiable=False)  # fmt: skip
def tensor_array_op(
    xp: Namespace, size: Array, *, dtype: DType, element_shape: Shape = None, dynamic_size: bool = False,
    clear_after_read: bool = True, identical_element_shapes: bool = False, tensor_array_name: str = "",
) -> Any:  # fmt: skip
    """Make an array of `size` elements that are yet to be written."""
    name = tensor_array_name or "TensorArray"
    kind = dtype.as_numpy_dtype
    store = ArrayStore(name, int(size), kind, element_shape, dynamic_size, clear_after_read, identical_element_shapes)
    return store, xp.zeros((), np.float32)


@op("TensorArrayGradV3", types="handle: resource, flow_in: float32 -> grad_handle: resource, flow_out: float32",
    shape=_handle_and_flow, stateful=True, aliases="flow_out=flow_in", differentiable=False)  # fmt: skip
def tensor_array_grad(xp: Namespace, handle: ArrayStore, flow_in: Array, *, source: str) -> Any:
    """Return the array that sums the gradients of another one's elements."""
    return handle.gradient(source), flow_in


@op("TensorArrayWriteV3", types="handle: resource, index: int32, value: T, flow_in: float32 -> flow_out: float32",
    shape=_at_index, stateful=True, host="index", aliases="flow_out=flow_in")  # fmt: skip
def tensor_array_write(xp: Namespace, handle: ArrayStore, index: Array, value: Array, flow_in: Array) -> Array:
    """Write an element."""
    handle.write(xp, index, value)
    return flow_in


@op("TensorArrayReadV3", types="handle: resource, index: int32, flow_in: float32 -> value: dtype", shape=_element,
    stateful=True, host="index")  # fmt: skip
def tensor_array_read(xp: Namespace, handle: ArrayStore, index: Array, flow_in: Array, *, dtype: DType) -> Array:
    """Read an element."""
    return handle.read(xp, index)


@op("TensorArrayGatherV3", types="handle: resource, indices: int32, flow_in: float32 -> value: dtype",
    shape=lambda node: _rows_of(node, node.attrs["element_shape"]), stateful=True, host="indices")  # fmt: skip
def tensor_array_gather(
    xp: Namespace, handle: ArrayStore, indices: Array, flow_in: Array, *, dtype: DType, element_shape: Shape = None
) -> Array:
    """Stack the elements at `indices`."""
    return handle.gather(xp, indices.tolist(), element_shape)


@op("TensorArrayScatterV3",
    types="handle: resource, indices: int32, value: T, flow_in: float32 -> flow_out: float32",
    shape=_at_indices, stateful=True, host="indices", aliases="flow_out=flow_in")  # fmt: skip
def tensor_array_scatter(xp: Namespace, handle: ArrayStore, indices: Array, value: Array, flow_in: Array) -> Array:
    """Write the rows of a tensor as the elements at `indices`."""
    handle.scatter(xp, indices.tolist(), value)
    return flow_in


def _concatenated(node: Operation) -> list[Shape]:
    dims = node.attrs["element_shape_except0"]
    return [None if dims is None else (None, *dims), (None,)]


@op("TensorArrayConcatV3", types="handle: resource, flow_in: float32 -> value: dtype, lengths: int64", shape=_concatenated,
    stateful=True, host="lengths")  # fmt: skip
def tensor_array_concat(
    xp: Namespace, handle: ArrayStore, flow_in: Array, *, dtype: DType, element_shape_except0: Shape = None
) -> Any:
    """Concatenate all elements."""
    value, lengths = handle.concat(xp, element_shape_except0)
    return value, np.array(lengths, np.int64)


@op("TensorArraySplitV3", types="handle: resource, value: T, lengths: int64, flow_in: float32 -> flow_out: float32",
    shape=scalar, stateful=True, host="lengths", aliases="flow_out=flow_in")  # fmt: skip
def tensor_array_split(xp: Namespace, handle: ArrayStore, value: Array, lengths: Array, flow_in: Array) -> Array:
    """Write pieces of a tensor, of the lengths given, as the elements."""
    handle.split(xp, value, lengths.tolist())
    return flow_in


@op("TensorArraySizeV3", types="handle: resource, flow_in: float32 -> size: int32", shape=scalar, stateful=True,
    host="size", differentiable=False)  # fmt: skip
def tensor_array_size(xp: Namespace, handle: ArrayStore, flow_in: Array) -> Any:
    """Return the number of elements."""
    return np.int32(len(handle))


@op("TensorArrayCloseV3", types="handle: resource ->", shape=no_outputs, stateful=True, differentiable=False)
def tensor_array_close(xp: Namespace, handle: ArrayStore) -> None:
    """Let go of the elements."""
    handle.values.clear()
    handle.states.clear()
