"""`tf.losses`: losses with weights and a reduction, which go into the collection LOSSES.

A loss is computed for each element, multiplied by weights that broadcast, and reduced. The usual reduction,
SUM_BY_NONZERO_WEIGHTS, divides the sum by the number of elements whose weight is not 0, so that masked ones do not count.
"""

from __future__ import annotations

from typing import Any

from ..array import identity, ones_like, rank, shape, size, squeeze, stop_gradient, zeros_like
from ..core import shapes
from ..core.convert import constant, convert_to_tensor
from ..core.graph import GraphKeys, get_default_graph
from ..core.node import Tensor
from ..core.scopes import control_dependencies, name_scope
from ..flow import cond
from ..math import abs as absolute
from ..math import (
    add,
    add_n,
    cast,
    div_no_nan,
    equal,
    log,
    minimum,
    multiply,
    reduce_sum,
    square,
    squared_difference,
    subtract,
    where,
)  # fmt: skip
from ..math import range as span
from ..math.reduce import one_of
from ..nn import (
    relu,
    sigmoid_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits_v2,
    sparse_softmax_cross_entropy_with_logits,
)
from .broadcast_weights import assert_broadcastable

__all__ = [
    "Reduction", "absolute_difference", "add_loss", "compute_weighted_loss", "cosine_distance", "get_losses",
    "get_regularization_loss", "get_regularization_losses", "get_total_loss", "hinge_loss", "huber_loss", "log_loss",
    "mean_pairwise_squared_error", "mean_squared_error", "sigmoid_cross_entropy", "softmax_cross_entropy",
    "sparse_softmax_cross_entropy",
]  # fmt: skip


class Reduction:
    """How the losses of elements become one number, or stay as they are."""

    NONE = "none"
    SUM = "weighted_sum"
    SUM_OVER_BATCH_SIZE = "weighted_sum_over_batch_size"
    MEAN = "weighted_mean"
    SUM_OVER_NONZERO_WEIGHTS = "weighted_sum_by_nonzero_weights"
    SUM_BY_NONZERO_WEIGHTS = "weighted_sum_by_nonzero_weights"

    @classmethod
    def all(cls) -> tuple[str, ...]:
        """Return every way of reducing."""
        return cls.NONE, cls.SUM, cls.MEAN, cls.SUM_OVER_BATCH_SIZE, cls.SUM_BY_NONZERO_WEIGHTS

    @classmethod
    def validate(cls, key: str) -> None:
        """Raise ValueError unless `key` is a reduction."""
        if key not in cls.all():
            raise ValueError(f"Invalid Reduction Key: {key}. It should be one of {cls.all()}.")


def compute_weighted_loss(
    losses: Any, weights: Any = 1.0, scope: str | None = None, loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:  # fmt: skip
    """Return losses multiplied by weights and reduced, and add the result to a collection.

    Args:
      losses: a floating tensor, one loss an element.
      weights: a scalar, or a tensor of the same rank whose dimensions are 1 or those of `losses`.
      scope: the name scope.
      loss_collection: the collection for the result; None for none.
      reduction: one of `Reduction`.

    Raises:
      ValueError: when the weights do not broadcast, or the reduction is unknown.
    """
    Reduction.validate(reduction)
    with name_scope(scope, "weighted_loss", [t for t in (losses, weights) if isinstance(t, Tensor)]):
        values = convert_to_tensor(losses)
        dtype = values.dtype.base_dtype
        precise = cast(values, "float32")
        factors = cast(convert_to_tensor(weights), "float32")
        with control_dependencies(assert_broadcastable(factors, values)):
            weighted = multiply(precise, factors)
            loss = cast(_reduced(weighted, factors, precise, reduction), dtype)
        add_loss(loss, loss_collection)
        return loss


def _reduced(weighted: Any, weights: Any, losses: Any, reduction: str) -> Any:
    if reduction == Reduction.NONE:
        return weighted
    total = reduce_sum(weighted)
    if reduction == Reduction.MEAN:
        return div_no_nan(total, reduce_sum(ones_like(losses) * weights), name="value")
    if reduction == Reduction.SUM_BY_NONZERO_WEIGHTS:
        return div_no_nan(total, _present(losses, weights), name="value")
    if reduction == Reduction.SUM_OVER_BATCH_SIZE:
        return div_no_nan(total, cast(size(losses), "float32"), name="value")
    return total


def _present(losses: Any, weights: Any, per_batch: bool = False) -> Any:
    """Return how many elements have a weight that is not 0, in all or for each entry of the batch."""
    with name_scope("num_present"):
        counted = where(equal(weights, 0.0), zeros_like(weights), ones_like(weights)) * ones_like(losses)
        if per_batch:
            return reduce_sum(counted, _inner_axes(losses), keepdims=True)
        return reduce_sum(counted)


def _inner_axes(tensor: Tensor) -> Any:
    """Return all axes but that of the batch."""
    return span(1, rank(tensor)) if tensor.dims is None else list(range(1, len(tensor.dims)))


def add_loss(loss: Any, loss_collection: str | None = GraphKeys.LOSSES) -> None:
    """Add a loss to a collection; None for none."""
    if loss_collection:
        get_default_graph().add_to_collection(loss_collection, loss)


def get_losses(scope: str | None = None, loss_collection: str = GraphKeys.LOSSES) -> list[Any]:
    """Return the losses of a collection, those whose names begin with `scope`."""
    return get_default_graph().get_collection(loss_collection, scope)


def get_regularization_losses(scope: str | None = None) -> list[Any]:
    """Return the losses that regularizers have made."""
    return get_default_graph().get_collection(GraphKeys.REGULARIZATION_LOSSES, scope)


def get_regularization_loss(scope: str | None = None, name: str = "total_regularization_loss") -> Tensor:
    """Return the sum of the losses that regularizers have made; 0 when there are none."""
    losses = get_regularization_losses(scope)
    return add_n(losses, name=name) if losses else constant(0.0)


def get_total_loss(add_regularization_losses: bool = True, name: str = "total_loss", scope: str | None = None) -> Tensor:
    """Return the sum of all losses of the collection LOSSES, and of regularizers.

    Raises:
      ValueError: when there are none.
    """
    losses = get_losses(scope) + (get_regularization_losses(scope) if add_regularization_losses else [])
    return add_n(losses, name=name)


def _given(values: Any, name: str) -> Tensor:
    if values is None:
        raise ValueError(f"{name} must not be None.")
    tensor: Tensor = convert_to_tensor(values)
    return tensor


def _pair(labels: Any, predictions: Any, name: str) -> tuple[Any, Any]:
    wanted, found = _given(labels, "labels"), _given(predictions, name)
    found, wanted = cast(found, "float32"), cast(wanted, "float32")
    _check_same_shape(found, wanted)
    return wanted, found


def _check_same_shape(found: Tensor, wanted: Tensor) -> None:
    if not shapes.compatible(found.dims, wanted.dims):
        raise ValueError(f"Shapes {shapes.format_shape(found.dims)} and {shapes.format_shape(wanted.dims)} are incompatible")


def _of_rank_below(tensor: Tensor, like: Tensor, less: int) -> Tensor:
    """Return a tensor without its last dimension where that is one more than `less` below the rank of `like`."""
    if tensor.dims == ():
        return tensor
    if tensor.dims is None or like.dims is None:
        return cond(  # type: ignore[no-any-return]
            equal(rank(tensor), rank(like) - less + 1), lambda: squeeze(tensor, [-1]), lambda: identity(tensor)
        )
    one_more = len(tensor.dims) == len(like.dims) - less + 1
    return squeeze(tensor, [-1]) if one_more and tensor.dims[-1] in (1, None) else tensor


def absolute_difference(
    labels: Any, predictions: Any, weights: Any = 1.0, scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES, reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:  # fmt: skip
    """Return the weighted loss `|predictions - labels|`; see `compute_weighted_loss`."""
    with name_scope(scope, "absolute_difference", [t for t in (labels, predictions) if isinstance(t, Tensor)]) as name:
        wanted, found = _pair(labels, predictions, "predictions")
        return compute_weighted_loss(absolute(subtract(found, wanted)), weights, name, loss_collection, reduction)


def mean_squared_error(
    labels: Any, predictions: Any, weights: Any = 1.0, scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES, reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:  # fmt: skip
    """Return the weighted loss `(predictions - labels)²`; see `compute_weighted_loss`."""
    with name_scope(scope, "mean_squared_error", [t for t in (labels, predictions) if isinstance(t, Tensor)]) as name:
        wanted, found = _pair(labels, predictions, "predictions")
        return compute_weighted_loss(squared_difference(found, wanted), weights, name, loss_collection, reduction)


def cosine_distance(
    labels: Any, predictions: Any, axis: int | None = None, weights: Any = 1.0, scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES, reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
    dim: int | None = None,
) -> Tensor:  # fmt: skip
    """Return the weighted loss `1 - sum(predictions * labels)` along an axis of tensors that are normalised already."""
    along = one_of(axis, dim, "axis", "dim")
    if along is None:
        raise ValueError("You must specify 'axis'.")
    with name_scope(scope, "cosine_distance_loss", [t for t in (labels, predictions) if isinstance(t, Tensor)]) as name:
        wanted, found = _pair(labels, predictions, "predictions")
        losses = 1 - reduce_sum(multiply(found, wanted), [along], keepdims=True)
        return compute_weighted_loss(losses, weights, name, loss_collection, reduction)


def hinge_loss(
    labels: Any, logits: Any, weights: Any = 1.0, scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES, reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:  # fmt: skip
    """Return the weighted loss `max(0, 1 - (2 labels - 1) logits)` for labels 0 and 1."""
    with name_scope(scope, "hinge_loss", [t for t in (labels, logits) if isinstance(t, Tensor)]) as name:
        wanted, found = _pair(labels, logits, "logits")
        signs = subtract(2 * wanted, ones_like(wanted))
        losses = relu(subtract(ones_like(wanted), multiply(signs, found)))
        return compute_weighted_loss(losses, weights, name, loss_collection, reduction)


def huber_loss(
    labels: Any, predictions: Any, weights: Any = 1.0, delta: float = 1.0, scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES, reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:  # fmt: skip
    """Return the weighted loss that is quadratic for errors up to `delta`, linear beyond."""
    with name_scope(scope, "huber_loss", [t for t in (labels, predictions) if isinstance(t, Tensor)]) as name:
        wanted, found = _pair(labels, predictions, "predictions")
        error = absolute(subtract(found, wanted))
        quadratic = minimum(error, delta)
        half = convert_to_tensor(0.5, quadratic.dtype)
        losses = add(multiply(half, multiply(quadratic, quadratic)), multiply(delta, subtract(error, quadratic)))
        return compute_weighted_loss(losses, weights, name, loss_collection, reduction)


def log_loss(
    labels: Any, predictions: Any, weights: Any = 1.0, epsilon: float = 1e-7, scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES, reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:  # fmt: skip
    """Return the weighted cross entropy of probabilities, `epsilon` away from log(0)."""
    with name_scope(scope, "log_loss", [t for t in (labels, predictions) if isinstance(t, Tensor)]) as name:
        wanted, found = _pair(labels, predictions, "predictions")
        hit = multiply(wanted, log(found + epsilon))
        losses = -hit - multiply(1 - wanted, log(1 - found + epsilon))
        return compute_weighted_loss(losses, weights, name, loss_collection, reduction)


def mean_pairwise_squared_error(
    labels: Any, predictions: Any, weights: Any = 1.0, scope: str | None = None, loss_collection: str | None = GraphKeys.LOSSES
) -> Tensor:
    """Return the mean square of differences between pairs of errors within each entry of the batch."""
    with name_scope(scope, "mean_pairwise_squared_error", [t for t in (labels, predictions) if isinstance(t, Tensor)]):
        wanted, found = _pair(labels, predictions, "predictions")
        factors = cast(convert_to_tensor(weights), "float32")
        with control_dependencies(assert_broadcastable(factors, wanted)):
            errors = subtract(found, wanted)
            axes = _inner_axes(errors)
            present = _present(errors, factors, per_batch=True)
            sums = reduce_sum(square(errors), axes, keepdims=True), square(reduce_sum(errors, axes, keepdims=True))
            squares = 2.0 * div_no_nan(sums[0], present - 1, name="value")
            products = 2.0 * div_no_nan(sums[1], multiply(present, present - 1), name="value")
            weighted = multiply(squares - products, factors)
            loss: Tensor = where(reduce_sum(present) > 0, reduce_sum(weighted), constant(0.0), name="value")
        add_loss(loss, loss_collection)
        return loss


def sigmoid_cross_entropy(
    multi_class_labels: Any, logits: Any, weights: Any = 1.0, label_smoothing: float = 0, scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES, reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:  # fmt: skip
    """Return the weighted cross entropy of independent classes; smoothing moves labels towards one half."""
    given = [t for t in (multi_class_labels, logits) if isinstance(t, Tensor)]
    with name_scope(scope, "sigmoid_cross_entropy_loss", given) as name:
        wanted, scores = _given(multi_class_labels, "multi_class_labels"), _given(logits, "logits")
        labels = cast(wanted, scores.dtype.base_dtype)
        _check_same_shape(scores, labels)
        if label_smoothing > 0:
            labels = labels * (1 - label_smoothing) + 0.5 * label_smoothing
        losses = sigmoid_cross_entropy_with_logits(labels=labels, logits=scores, name="xentropy")
        return compute_weighted_loss(losses, weights, name, loss_collection, reduction)


def softmax_cross_entropy(
    onehot_labels: Any, logits: Any, weights: Any = 1.0, label_smoothing: float = 0, scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES, reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:  # fmt: skip
    """Return the weighted cross entropy of one distribution a row; smoothing moves labels towards the uniform one."""
    given = [t for t in (onehot_labels, logits) if isinstance(t, Tensor)]
    with name_scope(scope, "softmax_cross_entropy_loss", given) as name:
        wanted, scores = _given(onehot_labels, "onehot_labels"), _given(logits, "logits")
        labels = cast(wanted, scores.dtype.base_dtype)
        _check_same_shape(scores, labels)
        if label_smoothing > 0:
            classes = cast(shape(labels)[-1], scores.dtype.base_dtype)
            labels = labels * (1 - label_smoothing) + label_smoothing / classes
        losses = softmax_cross_entropy_with_logits_v2(labels=stop_gradient(labels), logits=scores, name="xentropy")
        return compute_weighted_loss(losses, weights, name, loss_collection, reduction)


def sparse_softmax_cross_entropy(
    labels: Any, logits: Any, weights: Any = 1.0, scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES, reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:  # fmt: skip
    """Return the weighted cross entropy of rows of logits with class indices `labels`; a last dimension of 1 is dropped."""
    given = [t for t in (labels, logits, weights) if isinstance(t, Tensor)]
    with name_scope(scope, "sparse_softmax_cross_entropy_loss", given) as name:
        classes, scores = _given(labels, "labels"), _given(logits, "logits")
        classes = _of_rank_below(classes, scores, 1)
        factors = _of_rank_below(convert_to_tensor(weights), classes, 0)
        losses = sparse_softmax_cross_entropy_with_logits(labels=classes, logits=scores, name="xentropy")
        return compute_weighted_loss(losses, factors, name, loss_collection, reduction)
