"""slim's losses: those of `tf.losses` with predictions first, and a weighted mean as their reduction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...ops.core.graph import GraphKeys, get_default_graph
from ...ops.core.node import Tensor
from ...ops.layers import losses


def _swapped(name: str, labels_name: str, predictions_name: str) -> Callable[..., Tensor]:
    loss: Callable[..., Tensor] = getattr(losses, name)

    def swapped(predictions: Any = None, labels: Any = None, weights: Any = 1.0, *args: Any, **kwargs: Any) -> Tensor:
        found = kwargs.pop(predictions_name, predictions), kwargs.pop(labels_name, labels)
        return loss(found[1], found[0], weights, *args, **kwargs)

    swapped.__name__ = swapped.__qualname__ = name
    swapped.__doc__ = f"Return `tf.losses.{name}` of predictions and labels, given in this order."
    return swapped


absolute_difference = _swapped("absolute_difference", "labels", "predictions")
mean_squared_error = _swapped("mean_squared_error", "labels", "predictions")
mean_pairwise_squared_error = _swapped("mean_pairwise_squared_error", "labels", "predictions")
log_loss = _swapped("log_loss", "labels", "predictions")
hinge_loss = _swapped("hinge_loss", "labels", "logits")
sigmoid_cross_entropy = _swapped("sigmoid_cross_entropy", "multi_class_labels", "logits")
softmax_cross_entropy = _swapped("softmax_cross_entropy", "onehot_labels", "logits")
sparse_softmax_cross_entropy = _swapped("sparse_softmax_cross_entropy", "labels", "logits")
compute_weighted_loss = losses.compute_weighted_loss
get_losses = losses.get_losses
get_regularization_losses = losses.get_regularization_losses
get_total_loss = losses.get_total_loss


def cosine_distance(
    predictions: Any, labels: Any = None, axis: int | None = None, weights: Any = 1.0, scope: str | None = None,
    dim: int | None = None,
) -> Tensor:  # fmt: skip
    """Return `tf.losses.cosine_distance` of predictions and labels, given in this order."""
    return losses.cosine_distance(labels, predictions, axis, weights, scope, dim=dim)


def add_loss(loss: Tensor, loss_collection: str | None = GraphKeys.LOSSES) -> None:
    """Put a loss into the collection of losses."""
    if loss_collection:
        get_default_graph().add_to_collection(loss_collection, loss)
