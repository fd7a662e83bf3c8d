"""Pools of volumes: the greatest or the mean of each window, with TensorFlow's op types for their gradients."""

from __future__ import annotations

from typing import Any

from ...devices.types import Array, Namespace
from ..array.fills import zeros_like
from ..array.shape_ops import shape
from ..core import dtypes
from ..core.convert import convert_to_tensor
from ..core.graph import get_default_graph
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.shape_rules import constant_value_as_shape, same_shape
from ..core.shapes import Shape
from ..math.declare import FLOATING, REAL
from ..math.reductions import lowest
from .conv3d import five, wide
from .volume_windows import Box, around, box_of, from_last, output_dims, padded, spatial, to_last, unpadded

MAX_TYPES = (dtypes.float16, dtypes.bfloat16, dtypes.float32)
BACK = "orig_input: TInput, orig_output: TInput, grad: T -> output: T"


def _pool_shape(node: Operation) -> Shape:
    dims, data_format = node.inputs[0].dims, node.attrs["data_format"]
    channels = None if dims is None else dims[1] if data_format == "NCDHW" else dims[-1]
    return output_dims(node, dims, spatial(node.attrs["ksize"], data_format), channels)


def _box(volumes: Array, ksize: Any, strides: Any, padding: str, data_format: str) -> Box:
    attrs = {"strides": strides, "padding": padding, "data_format": data_format}
    return box_of(volumes.shape[1:4], spatial(ksize, data_format), attrs)


@op("MaxPool3D", types="input: T -> output: T", T=MAX_TYPES, shape=_pool_shape)
def max_pool3d_op(
    xp: Namespace, input: Array, *, ksize: list[int], strides: list[int], padding: str, data_format: str = "NDHWC"
) -> Array:
    """Returns the greatest element of each window."""
    volumes = to_last(xp, input, data_format)
    box = _box(volumes, ksize, strides, padding, data_format)
    outside = padded(xp, volumes, box, lowest(volumes.dtype))
    places = box.places(volumes.shape[1:4])
    found = xp.full((volumes.shape[0], *places, volumes.shape[4]), lowest(volumes.dtype), volumes.dtype)
    for _, index in box.taps(places):
        found = xp.maximum(found, outside[index])
    return from_last(xp, found, data_format)


def _first_greatest(xp: Namespace, volumes: Array, box: Box, greatest: Array) -> Any:
    """Yield (index, mask) for each element of the window: where it is the first that equals the greatest."""
    outside = padded(xp, volumes, box, lowest(volumes.dtype))
    open_places = xp.ones(greatest.shape, "bool")
    for _, index in box.taps(greatest.shape[1:4]):
        mask = (outside[index] == greatest) & open_places
        open_places = open_places & ~mask
        yield index, mask


@op("MaxPool3DGrad", types=BACK, T=MAX_TYPES, TInput=MAX_TYPES, shape=same_shape,
    defaults={"T": dtypes.float32, "TInput": dtypes.float32})  # fmt: skip
def max_pool3d_grad_op(
    xp: Namespace, orig_input: Array, orig_output: Array, grad: Array, *, ksize: list[int], strides: list[int],
    padding: str, data_format: str = "NDHWC",
) -> Array:  # fmt: skip
    """Returns the gradient of the greatest elements by the volumes."""
    volumes, greatest, dy = (to_last(xp, array, data_format) for array in (orig_input, orig_output, grad))
    box = _box(volumes, ksize, strides, padding, data_format)
    lengths = volumes.shape[1:4]
    made = xp.zeros((volumes.shape[0], *around(box, lengths), volumes.shape[4]), dy.dtype)
    for index, mask in _first_greatest(xp, volumes, box, greatest):
        made[index] += dy * mask
    return from_last(xp, xp.ascontiguousarray(unpadded(made, box, lengths)), data_format)


@op("MaxPool3DGradGrad", types="orig_input: T, orig_output: T, grad: T -> output: T", T=REAL,
    shape=lambda node: node.inputs[1].dims)  # fmt: skip
def max_pool3d_grad_grad_op(
    xp: Namespace, orig_input: Array, orig_output: Array, grad: Array, *, ksize: list[int], strides: list[int],
    padding: str, data_format: str = "NDHWC",
) -> Array:  # fmt: skip
    """Returns, of a gradient by the volumes, what belongs to the greatest element of each window."""
    volumes, greatest, dx = (to_last(xp, array, data_format) for array in (orig_input, orig_output, grad))
    box = _box(volumes, ksize, strides, padding, data_format)
    outside = padded(xp, dx, box)
    found = xp.zeros(greatest.shape, dx.dtype)
    for index, mask in _first_greatest(xp, volumes, box, greatest):
        found += outside[index] * mask
    return from_last(xp, found, data_format)


def _attrs(op: Operation) -> dict[str, Any]:
    return {name: op.attrs[name] for name in ("ksize", "strides", "padding", "data_format")}


@max_pool3d_op.gradient
def _max_pool3d_gradient(op: Operation, dy: Tensor) -> Tensor:
    return max_pool3d_grad_op(op.inputs[0], op.outputs[0], dy, **_attrs(op))  # type: ignore[no-any-return]


@max_pool3d_grad_op.gradient
def _max_pool3d_grad_gradient(op: Operation, dx: Tensor) -> list[Tensor]:
    volumes, greatest, _ = op.inputs
    return [zeros_like(volumes), zeros_like(greatest), max_pool3d_grad_grad_op(volumes, greatest, dx, **_attrs(op))]


@max_pool3d_grad_grad_op.gradient
def _max_pool3d_grad_grad_gradient(op: Operation, dy: Tensor) -> list[Tensor]:
    volumes, greatest, _ = op.inputs
    return [zeros_like(volumes), zeros_like(greatest), max_pool3d_grad_op(volumes, greatest, dy, **_attrs(op))]


def _counts(xp: Namespace, box: Box, lengths: Any, dtype: Any) -> Array:
    """Return how many elements of each place lie inside the volume."""
    places = box.places(lengths)
    inside = padded(xp, xp.ones((1, *lengths, 1), dtype), box)
    total = xp.zeros((1, *places, 1), dtype)
    for _, index in box.taps(places):
        total += inside[index]
    return total


@op("AvgPool3D", types="input: T -> output: T", T=FLOATING, shape=_pool_shape)
def avg_pool3d_op(
    xp: Namespace, input: Array, *, ksize: list[int], strides: list[int], padding: str, data_format: str = "NDHWC"
) -> Array:
    """Returns the mean of each window."""
    volumes = to_last(xp, wide(input), data_format)
    box = _box(volumes, ksize, strides, padding, data_format)
    counts = _counts(xp, box, volumes.shape[1:4], volumes.dtype)
    outside = padded(xp, volumes, box)
    total = xp.zeros((volumes.shape[0], *counts.shape[1:4], volumes.shape[4]), volumes.dtype)
    for _, index in box.taps(counts.shape[1:4]):
        total += outside[index]
    return from_last(xp, (total / counts).astype(input.dtype, copy=False), data_format)


@op("AvgPool3DGrad", types="orig_input_shape: int32, grad: T -> output: T", T=FLOATING, host="orig_input_shape",
    shape=lambda node: constant_value_as_shape(node.inputs[0]))  # fmt: skip
def avg_pool3d_grad_op(
    xp: Namespace, orig_input_shape: Array, grad: Array, *, ksize: list[int], strides: list[int], padding: str,
    data_format: str = "NDHWC",
) -> Array:  # fmt: skip
    """Returns the gradient of the means by the volumes."""
    dy = to_last(xp, wide(grad), data_format)
    sizes = [int(size) for size in orig_input_shape]
    lengths = sizes[2:] if data_format == "NCDHW" else sizes[1:4]
    attrs = {"strides": strides, "padding": padding, "data_format": data_format}
    box = box_of(lengths, spatial(ksize, data_format), attrs)
    shares = dy / _counts(xp, box, lengths, dy.dtype)
    made = xp.zeros((sizes[0], *around(box, lengths), dy.shape[4]), dy.dtype)
    for _, index in box.taps(dy.shape[1:4]):
        made[index] += shares
    inside = xp.ascontiguousarray(unpadded(made, box, lengths))
    return from_last(xp, inside, data_format).astype(grad.dtype, copy=False)


@avg_pool3d_op.gradient
def _avg_pool3d_gradient(op: Operation, dy: Tensor) -> Tensor:
    return avg_pool3d_grad_op(shape(op.inputs[0]), dy, **_attrs(op))  # type: ignore[no-any-return]


@avg_pool3d_grad_op.gradient
def _avg_pool3d_grad_gradient(op: Operation, dx: Tensor) -> list[Tensor | None]:
    return [None, avg_pool3d_op(dx, **_attrs(op))]


def max_pool3d(
    input: Any, ksize: Any, strides: Any, padding: str, data_format: str = "NDHWC", name: str | None = None
) -> Tensor:
    """Return the greatest element of each window of volumes.

    Args:
      input: (batch, depth, height, width, channels), or for 'NCDHW' channels second.
      ksize, strides: a number, three, or five of them. padding: 'SAME' or 'VALID'.
    """
    with get_default_graph().name_scope(name or "MaxPool3D") as scope:
        return max_pool3d_op(  # type: ignore[no-any-return]
            convert_to_tensor(input, name="input"), ksize=five(ksize, data_format), strides=five(strides, data_format),
            padding=padding, data_format=data_format, name=scope,
        )  # fmt: skip


def avg_pool3d(
    input: Any, ksize: Any, strides: Any, padding: str, data_format: str = "NDHWC", name: str | None = None
) -> Tensor:
    """Return the mean of each window of volumes; see `max_pool3d`."""
    with get_default_graph().name_scope(name or "AvgPool3D") as scope:
        return avg_pool3d_op(  # type: ignore[no-any-return]
            convert_to_tensor(input, name="value"), ksize=five(ksize, data_format), strides=five(strides, data_format),
            padding=padding, data_format=data_format, name=scope,
        )  # fmt: skip
