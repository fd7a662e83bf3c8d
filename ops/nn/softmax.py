"""Softmax and the cross entropies, which are computed from logits so that neither overflows."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..array.reshape import expand_dims
from ..array.shape_ops import rank
from ..array.transpose import transpose
from ..core import dtypes, shapes
from ..core.convert import convert_to_tensor
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import OpDecl, op
from ..core.shape_rules import constant_value
from ..core.shapes import Shape
from ..math.binary import add_v2 as add
from ..math.binary import equal, floormod
from ..math.binary import multiply as mul
from ..math.binary import subtract as sub
from ..math.declare import FLOATING
from ..math.ranges import range as range_of
from ..math.reduce import one_of, reduce_sum
from ..math.select import where_v2
from ..math.unary import exp, negative

LOSS = "features: T, labels: T -> loss: T, backprop: T"
SPARSE_LOSS = "features: T, labels: Tlabels -> loss: T, backprop: T"


def _rows(node: Operation) -> Shape:
    return shapes.with_rank_at_least(node.inputs[0].dims, 1)


def _wide(x: Array) -> Array:
    """Return 16-bit floats as 32-bit ones: sums over rows need the digits."""
    return x.astype("f4") if x.dtype.itemsize == 2 else x


def _shifted(xp: Namespace, logits: Array) -> Array:
    return logits - xp.max(logits, axis=-1, keepdims=True) if logits.shape[-1] else logits


def _log_softmax(xp: Namespace, logits: Array) -> Array:
    shifted = _shifted(xp, _wide(logits))
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=-1, keepdims=True))


@op("Softmax", types="logits: T -> softmax: T", T=FLOATING, shape=_rows)
def softmax_op(xp: Namespace, logits: Array) -> Array:
    """Returns `exp(logits) / sum(exp(logits))` along the last axis."""
    powers = xp.exp(_shifted(xp, _wide(logits)))
    return (powers / xp.sum(powers, axis=-1, keepdims=True)).astype(logits.dtype, copy=False)


@softmax_op.gradient
def _softmax_gradient(op: Operation, dy: Tensor) -> Tensor:
    (y,) = op.outputs
    return mul(sub(dy, reduce_sum(mul(dy, y), -1, True)), y)


@op("LogSoftmax", types="logits: T -> logsoftmax: T", T=FLOATING, shape=_rows)
def log_softmax_op(xp: Namespace, logits: Array) -> Array:
    """Returns `logits - log(sum(exp(logits)))` along the last axis."""
    return _log_softmax(xp, logits).astype(logits.dtype, copy=False)


@log_softmax_op.gradient
def _log_softmax_gradient(op: Operation, dy: Tensor) -> Tensor:
    return sub(dy, mul(reduce_sum(dy, -1, True), exp(op.outputs[0])))


def _loss_shapes(node: Operation) -> list[Shape]:
    features, labels = (shapes.with_rank(tensor.dims, 2) for tensor in node.inputs)
    both = shapes.with_rank(shapes.broadcast(features, labels), 2)
    return [(both[0],), both]


@op("SoftmaxCrossEntropyWithLogits", types=LOSS, T=FLOATING, shape=_loss_shapes)
def softmax_cross_entropy_op(xp: Namespace, features: Array, labels: Array) -> tuple[Array, Array]:
    """Returns the cross entropy of each row, and its gradient by the logits."""
    if features.shape[-1] != labels.shape[-1] and 1 not in (features.shape[-1], labels.shape[-1]):
        raise InvalidArgumentError(
            None, None, f"logits and labels must be broadcastable: logits_size={list(features.shape)} "
            f"labels_size={list(labels.shape)}",
        )  # fmt: skip
    logarithms, wanted = _log_softmax(xp, features), _wide(labels)
    loss = -xp.sum(wanted * logarithms, axis=-1)
    return loss.astype(features.dtype, copy=False), (xp.exp(logarithms) - wanted).astype(features.dtype, copy=False)


def _weighted(weights: Tensor, rows: Tensor) -> Tensor:
    return mul(expand_dims(weights, -1), rows)


def _used(grad: Tensor | None) -> bool:
    """Tell whether a gradient is there: zeros stand for that of an output that nobody used."""
    if grad is None or grad.op.type == "ZerosLike":
        return False
    value = constant_value(grad.op.inputs[1] if grad.op.type == "Fill" else grad)
    return value is None or bool(np.any(value))


def _through_backprop(logits: Tensor, dbackprop: Tensor) -> Tensor:
    """Return what the second output passes to the logits: the derivative of softmax."""
    y = softmax_op(logits)
    return mul(sub(dbackprop, reduce_sum(mul(dbackprop, y), -1, True)), y)


@softmax_cross_entropy_op.gradient
def _softmax_cross_entropy_gradient(
    op: Operation, dloss: Tensor | None, dbackprop: Tensor | None = None
) -> list[Tensor | None]:
    logits = op.inputs[0]
    found = None if dloss is None else _weighted(dloss, op.outputs[1])
    labels = None if dloss is None else _weighted(dloss, negative(log_softmax_op(logits)))
    if dbackprop is not None and _used(dbackprop):
        second = _through_backprop(logits, dbackprop)
        found = second if found is None else add(found, second)
        labels = negative(dbackprop) if labels is None else sub(labels, dbackprop)
    return [found, labels]


def _sparse_shapes(node: Operation) -> list[Shape]:
    features, labels = shapes.with_rank(node.inputs[0].dims, 2), shapes.with_rank(node.inputs[1].dims, 1)
    rows = shapes.merge_dim(features[0], labels[0])
    return [(rows,), (rows, features[1])]


@op(
    "SparseSoftmaxCrossEntropyWithLogits", types=SPARSE_LOSS, T=FLOATING, Tlabels=dtypes.INDEX, shape=_sparse_shapes,
    defaults={"Tlabels": dtypes.int64},
)  # fmt: skip
def sparse_softmax_cross_entropy_op(xp: Namespace, features: Array, labels: Array) -> tuple[Array, Array]:
    """Returns the cross entropy of each row with its one true class, and its gradient by the logits."""
    classes = features.shape[1]
    chosen = xp.arange(classes) == labels[:, None]
    outside = (labels < 0) | (labels >= classes)
    if bool(xp.any(outside)):
        bad = int(labels[xp.nonzero(outside)[0][0]])
        raise InvalidArgumentError(
            None, None, f"Received a label value of {bad} which is outside the valid range of [0, {classes}). Label values: "
            + " ".join(map(str, labels.tolist())),
        )  # fmt: skip
    logarithms = _log_softmax(xp, features)
    loss = -xp.sum(xp.where(chosen, logarithms, logarithms.dtype.type(0)), axis=-1)
    return loss.astype(features.dtype, copy=False), (xp.exp(logarithms) - chosen).astype(features.dtype, copy=False)


@sparse_softmax_cross_entropy_op.gradient
def _sparse_softmax_cross_entropy_gradient(
    op: Operation, dloss: Tensor | None, dbackprop: Tensor | None = None
) -> list[Tensor | None]:
    found = None if dloss is None else _weighted(dloss, op.outputs[1])
    if dbackprop is not None and _used(dbackprop):
        second = _through_backprop(op.inputs[0], dbackprop)
        found = second if found is None else add(found, second)
    return [found, None]


def _along(decl: OpDecl, logits: Any, axis: Any, name: str | None) -> Tensor:
    """Build an op of the last axis along another one, by exchanging the two."""
    tensor = convert_to_tensor(logits)
    if isinstance(axis, Tensor):
        known = constant_value(axis)
        if known is None:
            return _along_tensor(decl, tensor, axis, name)
        axis = int(known)
    if tensor.dims is None and axis != -1:
        return _along_tensor(decl, tensor, convert_to_tensor(axis), name)
    last = -1 if tensor.dims is None else len(tensor.dims) - 1
    if axis in (-1, last):
        return decl(tensor, name=name)  # type: ignore[no-any-return]
    if not -last - 1 <= axis <= last:
        raise InvalidArgumentError(
            None, None, f"Dimension ({axis}) must be in the range [{-last - 1}, {last + 1}) where {last + 1} is the number of "
            "dimensions in the input.",
        )  # fmt: skip
    order = list(range(last + 1))
    order[axis], order[last] = order[last], order[axis % (last + 1)]
    return transpose(decl(transpose(tensor, order)), order, name=name or "transpose")


def _along_tensor(decl: OpDecl, tensor: Tensor, axis: Tensor, name: str | None) -> Tensor:
    """Build an op of the last axis along one that only a run knows, or of as many axes as only a run knows."""
    count = rank(tensor)
    places = range_of(count)
    chosen, last = floormod(axis, count), sub(count, 1)
    order = where_v2(equal(places, chosen), last, where_v2(equal(places, last), chosen, places))
    found: Tensor = transpose(decl(transpose(tensor, order)), order, name=name or "transpose")
    found.set_shape(tensor.dims)
    return found


def softmax(logits: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> Tensor:
    """Return `exp(logits) / sum(exp(logits))` along `axis`, the last one by default."""
    axis = one_of(axis, dim, "axis", "dim")
    return _along(softmax_op, logits, -1 if axis is None else axis, name)


def log_softmax(logits: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> Tensor:
    """Return `logits - log(sum(exp(logits)))` along `axis`, the last one by default."""
    axis = one_of(axis, dim, "axis", "dim")
    return _along(log_softmax_op, logits, -1 if axis is None else axis, name)
