"""Metrics that are means: of values, of errors, of hits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...array import ones_like, size, zeros_like
from ...core import dtypes
from ...core.convert import convert_to_tensor
from ...core.node import Tensor
from ...core.scopes import control_dependencies
from ...math import abs as absolute
from ...math import cast, equal, less, multiply, reduce_sum, sqrt, squared_difference, subtract, truediv, where
from ...variables.scope import variable_scope
from .streams import Metric, aligned, collected, metric_variable, ratio, safe_divide, sum_up, weighted


def mean(
    values: Any, weights: Any = None, metrics_collections: Any = None, updates_collections: Any = None,
    name: str | None = None,
) -> Metric:  # fmt: skip
    """Return the (weighted) mean of all values so far, and an operation that counts a batch.

    Args:
      values: a tensor of any shape.
      weights: None, or a tensor whose rank is 0 or that of `values`, each dimension 1 or the same.
      metrics_collections, updates_collections: where to add the first and the second result.
      name: the variable scope.

    Returns:
      The mean, float32, 0 while nothing was counted; and the update, which gives the mean after it.

    Raises:
      ValueError: when the weights do not broadcast.
    """
    with variable_scope(name, "mean", (values, weights)):
        total = metric_variable([], dtypes.float32, "total")
        count = metric_variable([], dtypes.float32, "count")
        numbers, factors = weighted(values, weights)
        share = cast(size(numbers), dtypes.float32) if factors is None else reduce_sum(factors)
        value, update = ratio(total, count, reduce_sum(numbers), share, [numbers])
        return collected(value, update, metrics_collections, updates_collections)


def mean_tensor(
    values: Any, weights: Any = None, metrics_collections: Any = None, updates_collections: Any = None,
    name: str | None = None,
) -> Metric:  # fmt: skip
    """Return the element-wise mean of all tensors so far, in their shape; see `mean`."""
    with variable_scope(name, "mean", (values, weights)):
        tensor = convert_to_tensor(values)
        total = metric_variable(tensor.shape, dtypes.float32, "total_tensor")
        count = metric_variable(tensor.shape, dtypes.float32, "count_tensor")
        numbers, factors = weighted(tensor, weights)
        share = ones_like(numbers) if factors is None else factors
        value, update = ratio(total, count, numbers, share, [numbers])
        return collected(value, update, metrics_collections, updates_collections)


def accuracy(
    labels: Any, predictions: Any, weights: Any = None, metrics_collections: Any = None, updates_collections: Any = None,
    name: str | None = None,
) -> Metric:  # fmt: skip
    """Return how often predictions equal labels; see `mean` for weights and results."""
    wanted, found, factors = aligned(labels, predictions, weights)
    hits = cast(equal(cast(found, wanted.dtype.base_dtype), wanted), dtypes.float32)
    return mean(hits, factors, metrics_collections, updates_collections, name or "accuracy")


def percentage_below(
    values: Any, threshold: Any, weights: Any = None, metrics_collections: Any = None, updates_collections: Any = None,
    name: str | None = None,
) -> Metric:  # fmt: skip
    """Return which part of all values lies below a threshold; see `mean`."""
    below = cast(less(values, threshold), dtypes.float32)
    return mean(below, weights, metrics_collections, updates_collections, name or "percentage_below_threshold")


def _error(name: str, of: Callable[[Tensor, Tensor], Tensor], what: str) -> Callable[..., Metric]:
    def metric(
        labels: Any, predictions: Any, weights: Any = None, metrics_collections: Any = None, updates_collections: Any = None,
        name: str | None = None,
    ) -> Metric:  # fmt: skip
        wanted, found, factors = aligned(labels, predictions, weights)
        errors = of(cast(found, dtypes.float32), cast(wanted, dtypes.float32))
        return mean(errors, factors, metrics_collections, updates_collections, name or metric.__name__)

    metric.__name__ = metric.__qualname__ = name
    metric.__doc__ = f"Return the mean of {what}; see `mean` for weights and results."
    return metric


mean_absolute_error = _error("mean_absolute_error", lambda x, y: absolute(subtract(x, y)), "`|predictions - labels|`")
mean_squared_error = _error("mean_squared_error", squared_difference, "`(predictions - labels)²`")


def root_mean_squared_error(
    labels: Any, predictions: Any, weights: Any = None, metrics_collections: Any = None, updates_collections: Any = None,
    name: str | None = None,
) -> Metric:  # fmt: skip
    """Return the root of the mean of `(predictions - labels)²`; see `mean` for weights and results."""
    value, update = mean_squared_error(labels, predictions, weights, name=name or "root_mean_squared_error")
    return collected(sqrt(value), sqrt(update), metrics_collections, updates_collections)


def mean_relative_error(
    labels: Any, predictions: Any, normalizer: Any, weights: Any = None, metrics_collections: Any = None,
    updates_collections: Any = None, name: str | None = None,
) -> Metric:  # fmt: skip
    """Return the mean of `|predictions - labels| / normalizer`, 0 where the normaliser is 0; see `mean`."""
    wanted, found, factors = aligned(labels, predictions, weights)
    wanted, scale = cast(wanted, found.dtype.base_dtype), cast(normalizer, found.dtype.base_dtype)
    quotients = truediv(absolute(subtract(wanted, found)), scale)
    errors = where(equal(scale, zeros_like(scale)), zeros_like(wanted), quotients)
    return mean(errors, factors, metrics_collections, updates_collections, name or "mean_relative_error")


def mean_cosine_distance(
    labels: Any, predictions: Any, dim: int, weights: Any = None, metrics_collections: Any = None,
    updates_collections: Any = None, name: str | None = None,
) -> Metric:  # fmt: skip
    """Return `1 - mean(sum(predictions * labels))` along `dim`, for tensors that are normalised already; see `mean`."""
    wanted, found, factors = aligned(labels, predictions, weights)
    products = reduce_sum(multiply(cast(found, dtypes.float32), cast(wanted, dtypes.float32)), [dim], keepdims=True)
    value, update = mean(products, factors, name=name or "mean_cosine_distance")
    return collected(subtract(1.0, value), subtract(1.0, update), metrics_collections, updates_collections)


def weighted_ratio(batch_total: Any, batch_count: Any, name: str) -> Metric:
    """Return the quotient of two float64 sums over runs, in variables `total` and `max`."""
    largest = metric_variable([], dtypes.float64, "max")
    total = metric_variable([], dtypes.float64, "total")
    with control_dependencies([batch_total]):
        counted = sum_up(largest, batch_count)
    summed = sum_up(total, batch_total)
    return safe_divide(total, largest, "mean"), safe_divide(summed, counted, name)
