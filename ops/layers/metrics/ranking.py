"""Metrics of the k best predictions against one or several true classes: precision, recall and average precision at k.

Labels and the classes predicted are compared pair by pair, as sets: k and the number of labels are small. Negative class
numbers stand for no class; so sparse labels become dense ones, filled up with -1.
"""

from __future__ import annotations

from typing import Any

from ...array import expand_dims, identity, matrix_band_part, ones_like, shape, zeros_like
from ...core import dtypes
from ...core.convert import convert_to_tensor
from ...core.node import Tensor
from ...core.scopes import name_scope
from ...core.sparse_tensor import is_sparse
from ...math import (
    add,
    cast,
    cumsum,
    equal,
    greater_equal,
    logical_and,
    logical_not,
    minimum,
    multiply,
    not_equal,
    reduce_any,
    reduce_max,
    reduce_sum,
    truediv,
    where,
)
from ...math import range as range_
from ...nn import top_k
from ...sparse import sparse_tensor_to_dense
from .means import weighted_ratio
from .streams import Metric, collected, metric_variable, safe_divide, sum_up

_NONE = -1


def _dense_labels(labels: Any, predictions: Tensor) -> Tensor:
    """Return int64 labels with a last axis for those of one prediction."""
    if is_sparse(labels):
        return cast(sparse_tensor_to_dense(labels, default_value=_NONE), dtypes.int64)
    dense = cast(convert_to_tensor(labels), dtypes.int64)
    if dense.dims is not None and predictions.dims is not None and len(dense.dims) == len(predictions.dims) - 1:
        return expand_dims(dense, -1)
    return dense


def _only(classes: Tensor, class_id: int | None) -> Tensor:
    """Return class numbers with all but `class_id` made none."""
    if class_id is None:
        return classes
    return where(equal(classes, class_id), classes, add(zeros_like(classes), _NONE))


def _pairs(first: Tensor, second: Tensor) -> Tensor:
    """Tell for each element of the one and each of the other, along the last axes, whether they are the same class."""
    same = equal(expand_dims(first, -1), expand_dims(second, -2))
    return logical_and(same, expand_dims(greater_equal(first, 0), -1))


def _firsts(classes: Tensor) -> Tensor:
    """Tell which elements along the last axis are classes that did not occur before in it."""
    same = cast(_pairs(classes, classes), dtypes.float32)
    earlier = reduce_any(not_equal(_below_diagonal(same), 0.0), -1)
    return logical_and(greater_equal(classes, 0), logical_not(earlier))


def _below_diagonal(matrices: Tensor) -> Tensor:
    return matrices - matrix_band_part(matrices, 0, -1)


def _count(hits: Tensor, weights: Any) -> Tensor:
    """Return the weighted number of hits, float64; weights have no last axis."""
    counted = reduce_sum(cast(hits, dtypes.float64), -1)
    if weights is None:
        return reduce_sum(counted)
    factors = cast(convert_to_tensor(weights), dtypes.float64)
    if factors.dims is not None and counted.dims is not None and len(factors.dims) == len(counted.dims) + 1:
        factors = reduce_max(factors, -1)
    return reduce_sum(multiply(counted, factors))


def _name(name: str, k: int | None, class_id: int | None) -> str:
    shown = f"{name}_at_{k}" if k is not None else f"{name}_at_k"
    return shown if class_id is None else f"{shown}_class{class_id}"


def _stream(kind: str, batch: Tensor, k: int | None, class_id: int | None) -> Metric:
    with name_scope(_name(kind, k, class_id)) as scope:
        variable = metric_variable([], dtypes.float64, scope)
        return identity(variable), sum_up(variable, batch)


def _part(
    kind: str, labels: Any, found: Tensor, k: int | None, class_id: int | None, weights: Any, collections: tuple[Any, Any],
    name: str | None,
) -> Metric:  # fmt: skip
    """Return hits over hits and misses ("recall") or over hits and false alarms ("precision"), for class numbers `found`."""
    with name_scope(name, _name(kind, k, class_id)) as scope:
        wanted = _only(_dense_labels(labels, found), class_id)
        chosen = _only(cast(found, dtypes.int64), class_id)
        once = _firsts(chosen)
        hits = logical_and(once, reduce_any(_pairs(chosen, wanted), -1))
        if kind == "precision":
            rest = logical_and(once, logical_not(hits))
            other = "false_positive"
        else:
            rest = logical_and(_firsts(wanted), logical_not(reduce_any(_pairs(wanted, chosen), -1)))
            other = "false_negative"
        good, good_update = _stream("true_positive", _count(hits, weights), k, class_id)
        bad, bad_update = _stream(other, _count(rest, weights), k, class_id)
        value = truediv(good, add(good, bad), name=scope)
        update = truediv(good_update, add(good_update, bad_update), name="update")
        return collected(value, update, *collections)


def _best(predictions: Any, k: int) -> Tensor:
    return top_k(convert_to_tensor(predictions), k).indices


def precision_at_top_k(
    labels: Any, predictions_idx: Any, k: int | None = None, class_id: int | None = None, weights: Any = None,
    metrics_collections: Any = None, updates_collections: Any = None, name: str | None = None,
) -> Metric:  # fmt: skip
    """Return which part of the classes predicted is true; see `precision_at_k`.

    `predictions_idx` are class numbers (..., k).
    """
    found = convert_to_tensor(predictions_idx)
    collections = metrics_collections, updates_collections
    return _part("precision", labels, found, k, class_id, weights, collections, name)


def precision_at_k(
    labels: Any, predictions: Any, k: int, class_id: int | None = None, weights: Any = None,
    metrics_collections: Any = None, updates_collections: Any = None, name: str | None = None,
) -> Metric:  # fmt: skip
    """Return which part of the k best predictions is true, and an operation that counts a batch.

    Args:
      labels: int64 (..., labels of one prediction), (...,) or a SparseTensor of them.
      predictions: scores (..., classes).
      k: how many predictions count.
      class_id: the only class that counts; None for all.
      weights: None, a scalar or (...,).
      The others are as in `mean`.

    Returns:
      The metric, float64, and the update; NaN while nothing was counted.
    """
    collections = metrics_collections, updates_collections
    return _part("precision", labels, _best(predictions, k), k, class_id, weights, collections, name)


def recall_at_top_k(
    labels: Any, predictions_idx: Any, k: int | None = None, class_id: int | None = None, weights: Any = None,
    metrics_collections: Any = None, updates_collections: Any = None, name: str | None = None,
) -> Metric:  # fmt: skip
    """Return which part of the true classes is predicted; see `precision_at_k`. `predictions_idx` are classes (..., k)."""
    found = convert_to_tensor(predictions_idx)
    return _part("recall", labels, found, k, class_id, weights, (metrics_collections, updates_collections), name)


def recall_at_k(
    labels: Any, predictions: Any, k: int, class_id: int | None = None, weights: Any = None,
    metrics_collections: Any = None, updates_collections: Any = None, name: str | None = None,
) -> Metric:  # fmt: skip
    """Return which part of the true classes is among the k best predictions; see `precision_at_k`."""
    collections = metrics_collections, updates_collections
    return _part("recall", labels, _best(predictions, k), k, class_id, weights, collections, name)


def _average_precision(labels: Tensor, found: Tensor) -> Tensor:
    """Return for each prediction the mean over its hits of the precision up to them, float64 (...,)."""
    hits = cast(reduce_any(_pairs(cast(found, dtypes.int64), labels), -1), dtypes.float64)
    places = cast(range_(1, shape(found)[-1] + 1), dtypes.float64)
    precisions = truediv(cumsum(hits, -1), places)
    total = reduce_sum(multiply(precisions, hits), -1)
    relevant = reduce_sum(cast(_firsts(labels), dtypes.float64), -1)
    most = minimum(relevant, cast(shape(found)[-1], dtypes.float64))
    return safe_divide(total, most)


def average_precision_at_k(
    labels: Any, predictions: Any, k: int, weights: Any = None, metrics_collections: Any = None,
    updates_collections: Any = None, name: str | None = None,
) -> Metric:  # fmt: skip
    """Return the mean of the average precision of the k best predictions; see `precision_at_k`.

    Raises:
      ValueError: when k is not positive.
    """
    if k < 1:
        raise ValueError(f"Invalid k={k}.")
    scores = convert_to_tensor(predictions)
    with name_scope(name, _name("average_precision", k, None)):
        found = _best(scores, k)
        averages = _average_precision(_dense_labels(labels, scores), found)
        factors = ones_like(averages) if weights is None else _spread(weights, averages)
        value, update = weighted_ratio(reduce_sum(multiply(averages, factors)), reduce_sum(factors), "update")
        return collected(value, update, metrics_collections, updates_collections)


def _spread(weights: Any, like: Tensor) -> Tensor:
    return multiply(cast(convert_to_tensor(weights), dtypes.float64), ones_like(like))


sparse_precision_at_k, sparse_average_precision_at_k = precision_at_k, average_precision_at_k
