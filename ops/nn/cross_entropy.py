"""The public cross entropies: any rank, any axis, sparse labels, and the losses of independent classes."""

from __future__ import annotations

from typing import Any

from ..array.fills import zeros_like
from ..array.identity import stop_gradient
from ..array.reshape import reshape
from ..array.shape_ops import shape
from ..array.transpose import transpose
from ..core import dtypes, shapes
from ..core.convert import convert_to_tensor
from ..core.graph import get_default_graph
from ..core.node import Tensor
from ..math.binary import add_v2 as add
from ..math.binary import greater_equal
from ..math.binary import multiply as mul
from ..math.binary import subtract as sub
from ..math.complex import abs as magnitude
from ..math.complex import cast
from ..math.reduce import one_of
from ..math.select import where
from ..math.unary import exp, log1p, negative
from .activations import relu
from .softmax import softmax_cross_entropy_op, sparse_softmax_cross_entropy_op


def ensure_named(name: str, sentinel: Any, labels: Any, logits: Any) -> None:
    """Raise ValueError unless labels and logits were given by name: their order is too easily mistaken."""
    if sentinel is not None:
        raise ValueError(
            f"Only call `{name}` with named arguments (labels=..., logits=..., ...). Received unnamed argument: {sentinel}"
        )
    if labels is None or logits is None:
        raise ValueError(f"Both `labels` and `logits` must be provided for {name}.")


def _rows(tensor: Tensor) -> Tensor:
    """Return a tensor with all its axes but the last one made into one."""
    classes = None if tensor.dims is None else tensor.dims[-1]
    return reshape(tensor, [-1, shape(tensor)[-1] if classes is None else classes])


def _outer_shape(tensor: Tensor) -> Any:
    dims = tensor.dims
    if dims is not None and len(dims) == 2:
        return [-1]
    outer = shapes.slice_dims(dims, 0, -1)
    return list(outer) if outer is not None and shapes.is_static(outer) else shape(tensor)[:-1]


def softmax_cross_entropy_with_logits_v2(
    labels: Any, logits: Any, axis: Any = None, name: str | None = None, dim: Any = None
) -> Tensor:
    """Return the cross entropy between softmax of the logits and the labels, along `axis` (the last one by default).

    Args:
      labels: probabilities, in the shape of the logits. Gradients flow to them, too.
      logits: unscaled log probabilities; float16 is computed in float32.
    """
    axis = one_of(axis, dim, "axis", "dim")
    axis = -1 if axis is None else axis
    with get_default_graph().name_scope(name or "softmax_cross_entropy_with_logits") as scope:
        logits = convert_to_tensor(logits, name="logits")
        labels = convert_to_tensor(labels, name="labels")
        wide = cast(logits, dtypes.float32) if logits.dtype.base_dtype in (dtypes.float16, dtypes.bfloat16) else logits
        wide_labels = cast(labels, wide.dtype.base_dtype)
        if axis != -1 and (wide.dims is None or axis != len(wide.dims) - 1):
            wide, wide_labels = _to_last(wide, axis), _to_last(wide_labels, axis)
        loss, _ = softmax_cross_entropy_op(_rows(wide), _rows(wide_labels), name=scope)
        result = reshape(loss, _outer_shape(wide))
        return cast(result, logits.dtype.base_dtype)


def _to_last(tensor: Tensor, axis: int) -> Tensor:
    if tensor.dims is None:
        raise ValueError(f"softmax_cross_entropy_with_logits along axis {axis} needs tensors of known rank")
    if not -len(tensor.dims) <= axis < len(tensor.dims):
        raise ValueError(
            f"softmax_cross_entropy_with_logits: axis {axis} is not one of a tensor of shape {tensor.shape}"
        )
    order = list(range(len(tensor.dims)))
    order.append(order.pop(axis))
    return transpose(tensor, order)


def softmax_cross_entropy_with_logits(
    _sentinel: Any = None,
    labels: Any = None,
    logits: Any = None,
    dim: int = -1,
    name: str | None = None,
    axis: Any = None,
) -> Tensor:
    """Return the cross entropy between softmax of the logits and the labels; no gradient flows to the labels."""
    ensure_named("softmax_cross_entropy_with_logits", _sentinel, labels, logits)
    axis = one_of(axis, dim, "axis", "dim")
    with get_default_graph().name_scope(name or "softmax_cross_entropy_with_logits_sg") as scope:
        stopped = stop_gradient(labels, name="labels_stop_gradient")
        return softmax_cross_entropy_with_logits_v2(stopped, logits, axis, name=scope)


def sparse_softmax_cross_entropy_with_logits(
    _sentinel: Any = None, labels: Any = None, logits: Any = None, name: str | None = None
) -> Tensor:
    """Return the cross entropy between softmax of the logits and one true class each.

    Args:
      labels: class numbers, int32 or int64, in the shape of the logits without their last axis.
      logits: unscaled log probabilities.

    Raises:
      ValueError: when the shapes do not fit. InvalidArgumentError, in a run: when a label is no class.
    """
    ensure_named("sparse_softmax_cross_entropy_with_logits", _sentinel, labels, logits)
    with get_default_graph().name_scope(name or "SparseSoftmaxCrossEntropyWithLogits"):
        labels, logits = convert_to_tensor(labels), convert_to_tensor(logits)
        if logits.dims == ():
            raise ValueError(f"`logits` cannot be a scalar. Received logits={logits}")
        _check_ranks(labels, logits)
        wide = cast(logits, dtypes.float32) if logits.dtype.base_dtype in (dtypes.float16, dtypes.bfloat16) else logits
        if logits.dims is not None and len(logits.dims) == 2:
            loss, _ = sparse_softmax_cross_entropy_op(wide, labels, name=name)
            return cast(loss, logits.dtype.base_dtype)
        loss, _ = sparse_softmax_cross_entropy_op(_rows(wide), reshape(labels, [-1]))
        result = reshape(loss, shape(labels))
        result.set_shape(shapes.merge(labels.dims, shapes.slice_dims(logits.dims, 0, -1)))
        return cast(result, logits.dtype.base_dtype)


def _check_ranks(labels: Tensor, logits: Tensor) -> None:
    if labels.dims is not None and logits.dims is not None and len(labels.dims) != len(logits.dims) - 1:
        raise ValueError(
            f"Rank mismatch: Rank of labels (received {len(labels.dims)}) should equal rank of logits minus 1 "
            f"(received {len(logits.dims)})."
        )


def _like(x: Any, logits: Tensor) -> Tensor:
    labels = convert_to_tensor(x, logits.dtype.base_dtype, name="labels")
    if not shapes.compatible(labels.dims, logits.dims):
        raise ValueError(
            f"`logits` and `labels` must have the same shape, received ({logits.shape} vs {labels.shape})."
        )
    return labels


def sigmoid_cross_entropy_with_logits(
    _sentinel: Any = None, labels: Any = None, logits: Any = None, name: str | None = None
) -> Tensor:
    """Return the cross entropy of independent classes: `max(x, 0) - x * z + log(1 + exp(-|x|))`, element-wise."""
    ensure_named("sigmoid_cross_entropy_with_logits", _sentinel, labels, logits)
    with get_default_graph().name_scope(name or "logistic_loss") as scope:
        x = convert_to_tensor(logits, name="logits")
        z = _like(labels, x)
        zeros = zeros_like(x)
        positive = greater_equal(x, zeros)
        rectified = where(positive, x, zeros)
        minus_size = where(positive, negative(x), x)
        return add(sub(rectified, mul(x, z)), log1p(exp(minus_size)), scope)


def weighted_cross_entropy_with_logits(
    labels: Any = None, logits: Any = None, pos_weight: Any = None, name: str | None = None, targets: Any = None
) -> Tensor:
    """Return the cross entropy of independent classes with the positive ones weighted by `pos_weight`."""
    labels = one_of(labels, targets, "labels", "targets")
    with get_default_graph().name_scope(name or "logistic_loss") as scope:
        x = convert_to_tensor(logits, name="logits")
        z = _like(labels, x)
        weight = add(mul(z, sub(convert_to_tensor(pos_weight, x.dtype.base_dtype), 1)), 1)
        decay = add(log1p(exp(negative(magnitude(x)))), relu(negative(x)))
        return add(mul(add(negative(z), 1), x), mul(weight, decay), scope)
