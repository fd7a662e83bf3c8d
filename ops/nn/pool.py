"""Pools of images: the greatest or the mean of each window, with TensorFlow's op types for their gradients.

A mean counts only what lies inside the image. Of equal greatest elements the first in the window gets the gradient.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..array.concat import concat
from ..array.fills import zeros_like
from ..array.reshape import reshape
from ..array.shape_ops import shape
from ..core import dtypes
from ..core.convert import convert_to_tensor
from ..core.errors import InvalidArgumentError, UnimplementedError
from ..core.graph import get_default_graph
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.shape_rules import constant_value_as_shape, same_shape
from ..core.shapes import Shape
from ..math.declare import FLOATING, REAL
from ..math.reduce import reduce_max
from ..math.reductions import lowest
from . import pool_cpu
from .axes import one_of
from .conv import last_sizes, padding_attrs, per_axis
from .windows import Window, from_last, output_dims, padded, spatial, taps, to_last, unpadded, window_of

MAX_TYPES = (*FLOATING, *dtypes.SIGNED, dtypes.uint8, dtypes.uint16, dtypes.qint8)
BACK = "orig_input: T, orig_output: T, grad: T -> output: T"


def _pool_shape(node: Operation) -> Shape:
    dims, data_format = node.inputs[0].dims, node.attrs["data_format"]
    channels = None if dims is None else dims[1] if data_format == "NCHW" else dims[-1]
    return output_dims(node, dims, spatial(node.attrs["ksize"], data_format), channels)


def _window(images: Array, ksize: Any, strides: Any, padding: str, explicit: Any, data_format: str) -> Window:
    if images.ndim != 4:
        raise InvalidArgumentError(None, None, f"tensor_in must be 4-dimensional, got shape {list(images.shape)}")
    attrs = {"strides": strides, "padding": padding, "explicit_paddings": explicit, "data_format": data_format}
    return window_of(images.shape[1:3], spatial(ksize, data_format), attrs)


def _greatest(xp: Namespace, images: Array, window: Window) -> Array:
    rows, columns = window.outputs(*images.shape[1:3])
    around = padded(xp, images, window, lowest(images.dtype))
    found = None
    for _, index in taps(window, rows, columns):
        found = around[index] if found is None else xp.maximum(found, around[index])
    return found


@op("MaxPool", types="input: T -> output: T", T=MAX_TYPES, shape=_pool_shape,
    defaults={"T": dtypes.float32, "explicit_paddings": []})  # fmt: skip
def max_pool_op(
    xp: Namespace, input: Array, *, ksize: list[int], strides: list[int], padding: str, explicit_paddings: list[int],
    data_format: str = "NHWC",
) -> Array:  # fmt: skip
    """Returns the greatest element of each window."""
    images = to_last(xp, input, data_format)
    window = _window(images, ksize, strides, padding, explicit_paddings, data_format)
    found = _greatest(xp, images, window)
    return from_last(xp, found if window.size != (1, 1) else xp.array(found), data_format)


@max_pool_op.kernel("CPU", label="max_pool in blocks")
def max_pool_cpu(
    xp: Namespace, input: Array, *, ksize: list[int], strides: list[int], padding: str, explicit_paddings: list[int],
    data_format: str,
) -> Array:  # fmt: skip
    """Return the greatest element of each window, block by block."""
    images = to_last(xp, input, data_format)
    window = _window(images, ksize, strides, padding, explicit_paddings, data_format)
    return from_last(xp, pool_cpu.greatest(images, window), data_format)


def _first_greatest(xp: Namespace, images: Array, window: Window, greatest: Array) -> Any:
    """Yield (index, mask) for each element of the window: where it is the first that equals the greatest."""
    around = padded(xp, images, window, lowest(images.dtype))
    open_places = xp.ones(greatest.shape, "bool")
    for _, index in taps(window, greatest.shape[1], greatest.shape[2]):
        mask = (around[index] == greatest) & open_places
        open_places = open_places & ~mask
        yield index, mask


@op("MaxPoolGrad", types=BACK, T=REAL, shape=same_shape, defaults={"T": dtypes.float32, "explicit_paddings": []})
def max_pool_grad_op(
    xp: Namespace, orig_input: Array, orig_output: Array, grad: Array, *, ksize: list[int], strides: list[int],
    padding: str, explicit_paddings: list[int], data_format: str = "NHWC",
) -> Array:  # fmt: skip
    """Returns the gradient of the greatest elements by the images."""
    images, greatest, dy = (to_last(xp, array, data_format) for array in (orig_input, orig_output, grad))
    window = _window(images, ksize, strides, padding, explicit_paddings, data_format)
    batch, height, width, depth = images.shape
    made = xp.zeros((batch, height + sum(window.pads[0]), width + sum(window.pads[1]), depth), dy.dtype)
    for index, mask in _first_greatest(xp, images, window, greatest):
        made[index] += dy * mask
    return from_last(xp, xp.ascontiguousarray(unpadded(made, window, height, width)), data_format)


@max_pool_grad_op.kernel("CPU", label="max_pool's gradient in blocks")
def max_pool_grad_cpu(
    xp: Namespace, orig_input: Array, orig_output: Array, grad: Array, *, ksize: list[int], strides: list[int],
    padding: str, explicit_paddings: list[int], data_format: str,
) -> Array:  # fmt: skip
    """Return the gradient of the greatest elements by the images, block by block."""
    images, greatest, dy = (to_last(xp, array, data_format) for array in (orig_input, orig_output, grad))
    window = _window(images, ksize, strides, padding, explicit_paddings, data_format)
    return from_last(xp, pool_cpu.greatest_gradient(images, greatest, dy, window), data_format)


@op("MaxPoolGradGrad", types=BACK, T=REAL, shape=lambda node: node.inputs[1].dims)
def max_pool_grad_grad_op(
    xp: Namespace, orig_input: Array, orig_output: Array, grad: Array, *, ksize: list[int], strides: list[int],
    padding: str, data_format: str = "NHWC",
) -> Array:  # fmt: skip
    """Returns, of a gradient by the images, what belongs to the greatest element of each window."""
    images, greatest, dx = (to_last(xp, array, data_format) for array in (orig_input, orig_output, grad))
    window = _window(images, ksize, strides, padding, (), data_format)
    around, found = padded(xp, dx, window), xp.zeros(greatest.shape, dx.dtype)
    for index, mask in _first_greatest(xp, images, window, greatest):
        found += around[index] * mask
    return from_last(xp, found, data_format)


def _attrs(op: Operation, *names: str) -> dict[str, Any]:
    return {name: op.attrs[name] for name in ("ksize", "strides", "padding", "data_format", *names)}


@max_pool_op.gradient
def _max_pool_gradient(op: Operation, dy: Tensor) -> Tensor:
    return max_pool_grad_op(op.inputs[0], op.outputs[0], dy, **_attrs(op, "explicit_paddings"))  # type: ignore[no-any-return]


@max_pool_grad_op.gradient
def _max_pool_grad_gradient(op: Operation, dx: Tensor) -> list[Tensor]:
    images, greatest, _ = op.inputs
    return [zeros_like(images), zeros_like(greatest), max_pool_grad_grad_op(images, greatest, dx, **_attrs(op))]


@max_pool_grad_grad_op.gradient
def _max_pool_grad_grad_gradient(op: Operation, dy: Tensor) -> list[Tensor]:
    images, greatest, _ = op.inputs
    return [zeros_like(images), zeros_like(greatest), max_pool_grad_op(images, greatest, dy, **_attrs(op))]


def _counts(xp: Namespace, window: Window, height: int, width: int, dtype: Any) -> Array:
    """Return how many elements of each place lie inside the image."""
    rows, columns = window.outputs(height, width)
    inside = padded(xp, xp.ones((1, height, width, 1), dtype), window)
    total = xp.zeros((1, rows, columns, 1), dtype)
    for _, index in taps(window, rows, columns):
        total += inside[index]
    return total


def _narrow(x: Array) -> Any:
    return "f4" if x.dtype.itemsize == 2 else x.dtype


@op("AvgPool", types="value: T -> output: T", T=FLOATING, shape=_pool_shape)
def avg_pool_op(
    xp: Namespace, value: Array, *, ksize: list[int], strides: list[int], padding: str, data_format: str = "NHWC"
) -> Array:
    """Returns the mean of each window."""
    images = to_last(xp, value, data_format).astype(_narrow(value), copy=False)
    window = _window(images, ksize, strides, padding, (), data_format)
    counts = _counts(xp, window, images.shape[1], images.shape[2], images.dtype)
    around = padded(xp, images, window)
    total = xp.zeros((images.shape[0], *counts.shape[1:3], images.shape[3]), images.dtype)
    for _, index in taps(window, counts.shape[1], counts.shape[2]):
        total += around[index]
    return from_last(xp, (total / counts).astype(value.dtype, copy=False), data_format)


@avg_pool_op.kernel("CPU", label="avg_pool in blocks")
def avg_pool_cpu(
    xp: Namespace, value: Array, *, ksize: list[int], strides: list[int], padding: str, data_format: str
) -> Array:
    """Return the mean of each window, block by block."""
    images = to_last(xp, value, data_format).astype(_narrow(value), copy=False)
    window = _window(images, ksize, strides, padding, (), data_format)
    total = pool_cpu.total(images, window)
    total /= _counts(xp, window, images.shape[1], images.shape[2], images.dtype)
    return from_last(xp, total.astype(value.dtype, copy=False), data_format)


@op(
    "AvgPoolGrad", types="orig_input_shape: int32, grad: T -> output: T", T=FLOATING, host="orig_input_shape",
    shape=lambda node: constant_value_as_shape(node.inputs[0]),
)  # fmt: skip
def avg_pool_grad_op(
    xp: Namespace, orig_input_shape: Array, grad: Array, *, ksize: list[int], strides: list[int], padding: str,
    data_format: str = "NHWC",
) -> Array:  # fmt: skip
    """Returns the gradient of the means by the images."""
    dy = to_last(xp, grad, data_format).astype(_narrow(grad), copy=False)
    batch, height, width, depth = last_sizes(orig_input_shape, data_format)
    made_from = xp.zeros((batch, height, width, depth), dy.dtype)
    window = _window(made_from, ksize, strides, padding, (), data_format)
    shares = dy / _counts(xp, window, height, width, dy.dtype)
    made = padded(xp, made_from, window)
    for _, index in taps(window, dy.shape[1], dy.shape[2]):
        made[index] += shares
    inside = xp.ascontiguousarray(unpadded(made, window, height, width))
    return from_last(xp, inside, data_format).astype(grad.dtype, copy=False)


@avg_pool_grad_op.kernel("CPU", label="avg_pool's gradient in blocks")
def avg_pool_grad_cpu(
    xp: Namespace, orig_input_shape: Array, grad: Array, *, ksize: list[int], strides: list[int], padding: str,
    data_format: str,
) -> Array:  # fmt: skip
    """Return the gradient of the means by the images, block by block."""
    dy = to_last(xp, grad, data_format).astype(_narrow(grad), copy=False)
    dims = last_sizes(orig_input_shape, data_format)
    window = _window(np.broadcast_to(dy.dtype.type(0), dims), ksize, strides, padding, (), data_format)
    shares = dy / _counts(xp, window, dims[1], dims[2], dy.dtype)
    made = pool_cpu.mean_gradient(dims, shares, window)
    return from_last(xp, made, data_format).astype(grad.dtype, copy=False)


@avg_pool_op.gradient
def _avg_pool_gradient(op: Operation, dy: Tensor) -> Tensor:
    return avg_pool_grad_op(shape(op.inputs[0]), dy, **_attrs(op))  # type: ignore[no-any-return]


@avg_pool_grad_op.gradient
def _avg_pool_grad_gradient(op: Operation, dx: Tensor) -> list[Tensor | None]:
    return [None, avg_pool_op(dx, **_attrs(op))]


def max_pool(
    value: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NHWC",
    name: str | None = None,
    input: Any = None,
) -> Tensor:
    """Return the greatest element of each window of images.

    Args:
      value: images, (batch, height, width, channels) or for 'NCHW' (batch, channels, height, width).
      ksize, strides: a number, two, or four of them. padding: 'SAME', 'VALID', or pairs of numbers for each axis.
    """
    with get_default_graph().name_scope(name or "MaxPool") as scope:
        images = convert_to_tensor(one_of(value, input, "value", "input"), name="input")
        size, steps = per_axis(ksize, data_format, "ksize"), per_axis(strides, data_format)
        if data_format == "NHWC" and size[3] > 1:
            return _over_depth(images, size, steps, scope)
        return max_pool_op(  # type: ignore[no-any-return]
            images, ksize=size, strides=steps, data_format=data_format, name=scope, **padding_attrs(padding),
        )  # fmt: skip


def _over_depth(images: Tensor, size: list[int], strides: list[int], name: str) -> Tensor:
    """Return the greatest element of each window of channels, which stand beside each other."""
    depth = None if images.dims is None else images.dims[-1]
    if max(size[:3]) > 1:
        words = "MaxPooling supports exactly one of pooling across depth or pooling across width/height."
    elif strides != [1, 1, 1, size[3]]:
        words = "Depthwise max pooling requires the depth window to equal the depth stride"
    elif depth is not None and depth % size[3]:
        words = "Depthwise max pooling requires the depth window to evenly divide the input depth"
    else:
        lengths = shape(images)
        return reduce_max(
            reshape(images, concat([lengths[:3], [lengths[3] // size[3], size[3]]], 0)), axis=4, name=name
        )
    raise UnimplementedError(None, None, words)


def avg_pool(
    value: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str = "NHWC",
    name: str | None = None,
    input: Any = None,
) -> Tensor:
    """Return the mean of each window of images; see `max_pool`."""
    with get_default_graph().name_scope(name or "AvgPool") as scope:
        images = convert_to_tensor(one_of(value, input, "value", "input"), name="value")
        return avg_pool_op(  # type: ignore[no-any-return]
            images, ksize=per_axis(ksize, data_format, "ksize"), strides=per_axis(strides, data_format), padding=padding,
            data_format=data_format, name=scope,
        )  # fmt: skip
