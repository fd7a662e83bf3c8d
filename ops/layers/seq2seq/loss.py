"""`sequence_loss`: the cross-entropy of sequences, averaged over time, over examples, over both or not at all."""

from __future__ import annotations

from typing import Any

from ...array import reshape, shape
from ...core.convert import convert_to_tensor
from ...core.node import Tensor
from ...core.scopes import name_scope
from ...math import cast, reduce_sum
from ...nn import sparse_softmax_cross_entropy_with_logits


def sequence_loss(
    logits: Any, targets: Any, weights: Any, average_across_timesteps: bool = True, average_across_batch: bool = True,
    softmax_loss_function: Any = None, name: str | None = None, sum_over_timesteps: bool = False, sum_over_batch: bool = False,
) -> Tensor:  # fmt: skip
    """Return the weighted cross-entropy of logits for a sequence of classes.

    Args:
      logits: [batch, time, classes]. targets: ints [batch, time]. weights: floats [batch, time], 0 for padding.
      average_across_timesteps, average_across_batch: whether to divide the sum by the weights' sum.
      sum_over_timesteps, sum_over_batch: whether to sum and not divide by weights.
      softmax_loss_function: from `labels=` and `logits=` to losses, instead of the cross-entropy.

    Raises:
      ValueError: for other ranks, or where both an average and a sum are asked for.
    """
    given, classes, factors = convert_to_tensor(logits), convert_to_tensor(targets), convert_to_tensor(weights)
    for tensor, rank, what in ((given, 3, "Logits must be a [batch_size x sequence_length x logits] tensor"),
                               (classes, 2, "Targets must be a [batch_size x sequence_length] tensor"),
                               (factors, 2, "Weights must be a [batch_size x sequence_length] tensor")):  # fmt: skip
        if tensor.dims is not None and len(tensor.dims) != rank:
            raise ValueError(what)
    if average_across_timesteps and sum_over_timesteps:
        raise ValueError("average_across_timesteps and sum_over_timesteps cannot be set to True at same time.")
    if average_across_batch and sum_over_batch:
        raise ValueError("average_across_batch and sum_over_batch cannot be set to True at same time.")
    with name_scope(name, "sequence_loss", [given, classes, factors]):
        flat = reshape(given, [-1, shape(given)[2]])
        labels = reshape(classes, [-1])
        function = softmax_loss_function or sparse_softmax_cross_entropy_with_logits
        losses = function(labels=labels, logits=flat) * reshape(factors, [-1])
        if average_across_timesteps and average_across_batch:
            return reduce_sum(losses) / (reduce_sum(factors) + 1e-12)
        if sum_over_timesteps and sum_over_batch:
            count = reduce_sum(cast(factors > 0, losses.dtype))
            return reduce_sum(losses) / (count + 1e-12)
        losses = reshape(losses, shape(given)[0:2])
        if average_across_timesteps or average_across_batch:
            return _over(losses, factors, 0 if average_across_batch else 1, True)
        if sum_over_timesteps or sum_over_batch:
            return _over(losses, factors, 0 if sum_over_batch else 1, False)
        return losses


def _over(losses: Any, factors: Tensor, axis: int, average: bool) -> Tensor:
    total = reduce_sum(losses, axis=[axis])
    weight = reduce_sum(factors if average else cast(factors > 0, losses.dtype), axis=[axis])
    return total / (weight + 1e-12)
