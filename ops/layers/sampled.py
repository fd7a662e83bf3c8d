"""Losses over very many classes, estimated from the true ones and a few that are drawn: NCE and sampled softmax.

Only the rows of the weights that belong to these classes are read, so the gradients of the weights are IndexedSlices of as
many rows.
"""

from __future__ import annotations

from typing import Any

from ..array import concat, expand_dims, ones_like, reshape, shape, stop_gradient, zeros_like
from ..core import dtypes
from ..core.convert import convert_to_tensor
from ..core.node import Tensor
from ..core.scopes import name_scope
from ..math import add, cast, log, matmul, multiply, reduce_sum, subtract
from ..nn import (
    sigmoid_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits_v2,
    sparse_softmax_cross_entropy_with_logits,
)
from ..random.candidates import compute_accidental_hits, log_uniform_candidate_sampler
from ..sparse import sparse_to_dense
from .embedding import embedding_lookup


def _sampled_logits(
    weights: Any, biases: Any, labels: Any, inputs: Any, num_sampled: Any, num_classes: int, num_true: int,
    sampled_values: Any, remove_accidental_hits: bool, strategy: str, seed: int | None, subtract_log_q: bool = True,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Return the logits of the true classes (batch, num_true) and of the drawn ones (batch, num_sampled)."""
    features = convert_to_tensor(inputs)
    true = cast(convert_to_tensor(labels), dtypes.int64)
    if sampled_values is None:
        sampled_values = log_uniform_candidate_sampler(true, num_true, num_sampled, True, num_classes, seed)
    sampled, true_count, sampled_count = (stop_gradient(convert_to_tensor(value)) for value in sampled_values)
    sampled = cast(sampled, dtypes.int64)
    true_logits = _true_logits(weights, biases, true, features, num_true, strategy)
    rows = cast(embedding_lookup(weights, sampled, strategy), features.dtype.base_dtype)
    sampled_biases = cast(embedding_lookup(biases, sampled, strategy), features.dtype.base_dtype)
    sampled_logits = add(matmul(features, rows, transpose_b=True), sampled_biases)
    if remove_accidental_hits:
        sampled_logits = _without_hits(sampled_logits, true, sampled, num_true)
    if subtract_log_q:
        true_logits = subtract(true_logits, cast(log(true_count), true_logits.dtype.base_dtype))
        sampled_logits = subtract(sampled_logits, cast(log(sampled_count), sampled_logits.dtype.base_dtype))
    return true_logits, sampled_logits


def _true_logits(weights: Any, biases: Any, true: Tensor, features: Tensor, num_true: int, strategy: str) -> Tensor:
    """Return for each row of `features` its products with the weights of its true classes, plus their biases."""
    flat = reshape(true, [-1])
    rows = cast(embedding_lookup(weights, flat, strategy), features.dtype.base_dtype)
    shifts = cast(embedding_lookup(biases, flat, strategy), features.dtype.base_dtype)
    if num_true == 1:
        return add(reduce_sum(multiply(features, rows), 1, keepdims=True), expand_dims(shifts, 1))
    width = shape(features)[1] if rows.dims is None or rows.dims[1] is None else rows.dims[1]
    products = multiply(expand_dims(features, 1), reshape(rows, [-1, num_true, width]))
    return add(reduce_sum(products, 2), reshape(shifts, [-1, num_true]))


def _without_hits(logits: Tensor, true: Tensor, sampled: Tensor, num_true: int) -> Tensor:
    """Return logits that are as low as can be where a drawn class is a true one of the row."""
    rows, places, lowest = compute_accidental_hits(true, sampled, num_true)
    pairs = concat([expand_dims(cast(rows, dtypes.int64), 1), expand_dims(places, 1)], 1)
    size = cast(shape(logits), dtypes.int64)
    lowering = sparse_to_dense(pairs, size, cast(lowest, logits.dtype.base_dtype), 0.0, validate_indices=False)
    return add(logits, lowering)


def nce_loss(
    weights: Any, biases: Any, labels: Any, inputs: Any, num_sampled: Any, num_classes: int, num_true: int = 1,
    sampled_values: Any = None, remove_accidental_hits: bool = False, partition_strategy: str = "mod", name: str = "nce_loss",
) -> Tensor:  # fmt: skip
    """Return the noise-contrastive estimation loss: true classes against drawn ones, each on its own.

    Args:
      weights: (num_classes, dim), or a list of shards of it (see `embedding_lookup`). biases: (num_classes,).
      labels: int64 (batch, num_true). inputs: (batch, dim).
      num_sampled: how many classes to draw for the whole batch. num_classes: how many there are.
      num_true: true classes per row.
      sampled_values: what a candidate sampler returned; by Zipf's law, each class once, when None.
      remove_accidental_hits: whether drawn classes that are true in a row do not count there.
      partition_strategy: "mod" or "div", how shards divide the classes.

    Returns:
      Losses, (batch,).
    """
    with name_scope(name, "nce_loss"):
        true, sampled = _sampled_logits(
            weights, biases, labels, inputs, num_sampled, num_classes, num_true, sampled_values, remove_accidental_hits,
            partition_strategy, None,
        )  # fmt: skip
        logits = concat([true, sampled], 1, name="concat")
        wanted = concat([ones_like(true) / num_true, zeros_like(sampled)], 1, name="concat_1")
        losses = sigmoid_cross_entropy_with_logits(labels=wanted, logits=logits, name="sampled_losses")
        total: Tensor = reduce_sum(losses, 1)
        return total


def sampled_softmax_loss(
    weights: Any, biases: Any, labels: Any, inputs: Any, num_sampled: Any, num_classes: int, num_true: int = 1,
    sampled_values: Any = None, remove_accidental_hits: bool = True, partition_strategy: str = "mod",
    name: str = "sampled_softmax_loss", seed: int | None = None,
) -> Tensor:  # fmt: skip
    """Return the softmax cross entropy over the true classes and the drawn ones, (batch,); see `nce_loss`.

    It underestimates the full loss, so it is for training only. `seed` is for the sampler.
    """
    with name_scope(name, "sampled_softmax_loss"):
        true, sampled = _sampled_logits(
            weights, biases, labels, inputs, num_sampled, num_classes, num_true, sampled_values, remove_accidental_hits,
            partition_strategy, seed,
        )  # fmt: skip
        logits = concat([true, sampled], 1)
        wanted = stop_gradient(concat([ones_like(true) / num_true, zeros_like(sampled)], 1), name="labels_stop_gradient")
        return softmax_cross_entropy_with_logits_v2(labels=wanted, logits=logits)


def sampled_sparse_softmax_loss(
    weights: Any, biases: Any, labels: Any, inputs: Any, num_sampled: Any, num_classes: int, sampled_values: Any = None,
    remove_accidental_hits: bool = True, partition_strategy: str = "mod", name: str = "sampled_sparse_softmax_loss",
) -> Tensor:  # fmt: skip
    """Return the softmax cross entropy over one true class (`labels` is (batch, 1)) and the drawn ones, (batch,)."""
    with name_scope(name, "sampled_sparse_softmax_loss"):
        true, sampled = _sampled_logits(
            weights, biases, labels, inputs, num_sampled, num_classes, 1, sampled_values, remove_accidental_hits,
            partition_strategy, None,
        )  # fmt: skip
        logits = concat([true, sampled], 1)
        first = zeros_like(reshape(cast(convert_to_tensor(labels), dtypes.int64), [-1]))
        return sparse_softmax_cross_entropy_with_logits(labels=first, logits=logits)
