"""Biases, the L2 loss, and whether a class is among the top k."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...devices.types import Array, Empty, Namespace
from ..core import dtypes, shapes
from ..core.convert import convert_to_tensor
from ..core.errors import InvalidArgumentError
from ..core.graph import get_default_graph
from ..core.node import Operation, Tensor
from ..core.registry import lookup, op
from ..core.shape_rules import scalar
from ..core.shapes import Shape
from ..math.binary import multiply as mul
from ..math.declare import FLOATING, NUMBERS
from ..math.matmul import matmul
from .activations import relu


def channel_axis(rank: int, data_format: str) -> int:
    """Return which axis holds the channels."""
    return 1 if data_format == "NCHW" and rank > 1 else rank - 1


def _bias_shape(node: Operation) -> Shape:
    value, bias = node.inputs[0].dims, shapes.with_rank(node.inputs[1].dims, 1)
    if value is None:
        return None
    layout = node.attrs.get("data_format", "NHWC")
    shapes.with_rank_at_least(value, 3 if layout == "NCHW" else 2)
    axis = channel_axis(len(value), layout)
    channels = shapes.merge_dim(value[axis], bias[0])
    return (*value[:axis], channels, *value[axis + 1 :])


def _add_bias(value: Array, bias: Array, axis: int, empty: Empty | None = None) -> Array:
    if value.ndim < 2 or bias.ndim != 1 or value.shape[axis] != bias.shape[0]:
        raise InvalidArgumentError(
            None, None, f"Must provide as many biases as the last dimension of the input tensor: {list(bias.shape)} vs. "
            f"{list(value.shape)}",
        )  # fmt: skip
    row = bias.reshape((-1,) + (1,) * (value.ndim - 1 - axis))
    return value + row if empty is None else np.add(value, row, out=empty(value.shape, value.dtype))


@op("BiasAdd", types="value: T, bias: T -> output: T", T=NUMBERS, shape=_bias_shape)
def bias_add_op(xp: Namespace, value: Array, bias: Array, *, data_format: str = "NHWC") -> Array:
    """Returns `value` with a bias for each channel added."""
    return _add_bias(value, bias, channel_axis(value.ndim, data_format))


@bias_add_op.writes_into
def _bias_add_into(xp: Namespace, empty: Empty, value: Array, bias: Array, *, data_format: str) -> Array:
    return _add_bias(value, bias, channel_axis(value.ndim, data_format), empty)


@op("BiasAddV1", types="value: T, bias: T -> output: T", T=NUMBERS, shape=_bias_shape)
def bias_add_v1_op(xp: Namespace, value: Array, bias: Array) -> Array:
    """Returns `value` with a bias for each element of the last axis added."""
    return _add_bias(value, bias, value.ndim - 1)


def _bias_grad_shape(node: Operation) -> Shape:
    dims = node.inputs[0].dims
    return (None if dims is None else dims[channel_axis(len(dims), node.attrs["data_format"])],)


@op("BiasAddGrad", types="out_backprop: T -> output: T", T=NUMBERS, shape=_bias_grad_shape)
def bias_add_grad_op(xp: Namespace, out_backprop: Array, *, data_format: str = "NHWC") -> Array:
    """Returns the sum over every axis but the channels'."""
    return _sum_but_channels(xp, out_backprop, data_format)


def _sum_but_channels(xp: Namespace, out_backprop: Array, data_format: str) -> Array:
    axis = channel_axis(out_backprop.ndim, data_format)
    others = tuple(i for i in range(out_backprop.ndim) if i != axis)
    kind = out_backprop.dtype
    wide = "f4" if kind.itemsize == 2 and kind.kind in "fV" else kind
    return xp.sum(out_backprop.astype(wide, copy=False), axis=others, dtype=wide).astype(kind, copy=False)


# Floats that make a row long enough for NumPy to add it at memory's speed.
_LONG_ROW = 1 << 10


def channel_sums(rows: Array) -> Array:
    """Return the sums of the columns of a contiguous matrix on the CPU, several short rows taken as a long one."""
    count, channels = rows.shape
    fold = 1
    while count % (2 * fold) == 0 and 2 * fold * channels <= _LONG_ROW:
        fold *= 2
    return rows.reshape(count // fold, fold * channels).sum(axis=0).reshape(fold, channels).sum(axis=0)


@bias_add_grad_op.kernel("CPU", label="bias_add's gradient in long rows")
def bias_add_grad_cpu(xp: Namespace, out_backprop: Array, *, data_format: str) -> Array:
    """Return the sum over every axis but the channels', which are the last ones of long rows."""
    last = channel_axis(out_backprop.ndim, data_format) == out_backprop.ndim - 1
    if last and out_backprop.dtype.char in "fd" and out_backprop.size and out_backprop.flags.c_contiguous:
        return channel_sums(out_backprop.reshape(-1, out_backprop.shape[-1]))
    return _sum_but_channels(xp, out_backprop, data_format)


@bias_add_op.gradient
def _bias_add_gradient(op: Operation, dy: Tensor) -> list[Tensor]:
    return [dy, bias_add_grad_op(dy, data_format=op.attrs["data_format"])]


@bias_add_v1_op.gradient
def _bias_add_v1_gradient(op: Operation, dy: Tensor) -> list[Tensor]:
    return [dy, bias_add_grad_op(dy)]


@bias_add_grad_op.gradient
def _bias_add_grad_gradient(op: Operation, dy: Tensor) -> Tensor:
    """Repeat the channels' gradients over all other axes, by adding them to zeros."""
    zeros = lookup("ZerosLike")(op.inputs[0])
    return bias_add_op(zeros, dy, data_format=op.attrs["data_format"])  # type: ignore[no-any-return]


@op("L2Loss", types="t: T -> output: T", T=FLOATING, shape=scalar)
def l2_loss_op(xp: Namespace, t: Array) -> Array:
    """Returns half the sum of squares."""
    flat = t.reshape(-1)
    if t.dtype.itemsize == 2:
        flat = flat.astype("f4")
    return (xp.vdot(flat, flat) * flat.dtype.type(0.5)).astype(t.dtype, copy=False)


@l2_loss_op.gradient
def _l2_loss_gradient(op: Operation, dy: Tensor) -> Tensor:
    return mul(op.inputs[0], dy)


def _in_top_shape(node: Operation) -> Shape:
    predictions, targets = shapes.with_rank(node.inputs[0].dims, 2), shapes.with_rank(node.inputs[1].dims, 1)
    return (shapes.merge_dim(predictions[0], targets[0]),)


def _in_top(xp: Namespace, predictions: Array, targets: Array, k: int) -> Array:
    """Tell whether fewer than k classes are predicted above the target; false where it is none, or a number is not finite."""
    classes = predictions.shape[1]
    valid = (targets >= 0) & (targets < classes)
    safe = xp.where(valid, targets, targets.dtype.type(0))
    chosen = xp.take_along_axis(predictions, safe[:, None].astype("int64"), axis=1)
    above = xp.sum(predictions > chosen, axis=1)
    return valid & xp.all(xp.isfinite(predictions), axis=1) & (above < k)


@op(
    "InTopK", types="predictions: float32, targets: T -> precision: bool", T=dtypes.INDEX, shape=_in_top_shape,
    defaults={"T": dtypes.int32}, differentiable=False,
)  # fmt: skip
def in_top_k_v1_op(xp: Namespace, predictions: Array, targets: Array, *, k: int) -> Array:
    """Tells for each row whether the target is among the k greatest predictions; ties count."""
    return _in_top(xp, predictions, targets, k)


@op(
    "InTopKV2", types="predictions: float32, targets: T, k: T -> precision: bool", T=dtypes.INDEX, shape=_in_top_shape,
    defaults={"T": dtypes.int32}, host="k", differentiable=False,
)  # fmt: skip
def in_top_k_op(xp: Namespace, predictions: Array, targets: Array, k: Array) -> Array:
    """Tells for each row whether the target is among the k greatest predictions; ties count."""
    return _in_top(xp, predictions, targets, int(k))


def in_top_k(predictions: Any, targets: Any, k: Any, name: str | None = None) -> Tensor:
    """Tell for each row of `predictions` whether the class in `targets` is among the k greatest."""
    with get_default_graph().name_scope(name or "in_top_k"):
        return in_top_k_op(predictions, targets, k, name=name)  # type: ignore[no-any-return]


def bias_add(value: Any, bias: Any, data_format: str | None = None, name: str | None = None) -> Tensor:
    """Return `value` with a bias for each channel added.

    Args:
      value: rank 2 at least. bias: a vector as long as there are channels.
      data_format: 'N...C' (channels last, the default) or 'NC...'.

    Raises:
      ValueError: for another data format.
    """
    wanted = _format_of(data_format)
    with get_default_graph().name_scope(name or "BiasAdd") as scope:
        value = convert_to_tensor(value, name="input")
        bias = convert_to_tensor(bias, value.dtype.base_dtype, name="bias")
        return bias_add_op(value, bias, data_format=wanted, name=scope)  # type: ignore[no-any-return]


def _format_of(data_format: str | None) -> str:
    if data_format is not None and data_format.startswith("NC"):
        return "NCHW"
    if data_format is None or (data_format.startswith("N") and data_format.endswith("C")):
        return "NHWC"
    raise ValueError(f"`data_format` must be of the form `N...C` or `NC...`. Received: data_format={data_format}")


def l2_loss(t: Any, name: str | None = None) -> Tensor:
    """Return half the sum of squares."""
    return l2_loss_op(t, name=name)  # type: ignore[no-any-return]


def xw_plus_b(x: Any, weights: Any, biases: Any, name: str | None = None) -> Tensor:
    """Return `matmul(x, weights) + biases`."""
    with get_default_graph().name_scope(name or "xw_plus_b") as scope:
        return bias_add(matmul(x, weights), biases, name=scope)


def relu_layer(x: Any, weights: Any, biases: Any, name: str | None = None) -> Tensor:
    """Return `relu(matmul(x, weights) + biases)`."""
    with get_default_graph().name_scope(name or "relu_layer") as scope:
        return relu(bias_add(matmul(x, weights), biases), scope)
