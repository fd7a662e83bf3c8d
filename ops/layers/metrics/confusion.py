"""Which class was taken for which: the confusion matrix, and the metrics that are computed from it."""

from __future__ import annotations

from typing import Any

from ...array import diag_part, identity, ones, ones_like, reshape, scatter_nd, size, stack
from ...core import dtypes, shapes
from ...core.convert import convert_to_tensor
from ...core.dtypes import as_dtype
from ...core.node import Tensor
from ...core.scopes import control_dependencies, name_scope
from ...math import (
    add,
    cast,
    div_no_nan,
    equal,
    greater,
    maximum,
    multiply,
    not_equal,
    reduce_max,
    reduce_mean,
    reduce_sum,
    subtract,
    truediv,
    where,
)
from ...state import scatter_add
from ...variables.scope import variable_scope
from ..checks import assert_less, assert_non_negative
from .streams import Metric, aligned, collected, metric_variable, same_rank, sum_up, weights_like


def confusion_matrix(
    labels: Any, predictions: Any, num_classes: Any = None, dtype: Any = dtypes.int32, name: str | None = None,
    weights: Any = None,
) -> Tensor:  # fmt: skip
    """Return how often each class (row) was taken for each class (column).

    Args:
      labels, predictions: vectors of class numbers.
      num_classes: how many classes there are; one more than the greatest number when None.
      dtype: the type of the result. weights: a vector of weights, which are summed instead of ones.

    Returns:
      (num_classes, num_classes).

    Raises:
      InvalidArgumentError, in a run: when a number is negative or not below `num_classes`.
    """
    with name_scope(name, "confusion_matrix"):
        wanted, found = same_rank(
            convert_to_tensor(labels, name="labels"), convert_to_tensor(predictions, name="predictions")
        )
        wanted, found = _checked(wanted, num_classes, "labels"), _checked(found, num_classes, "predictions")
        if num_classes is None:
            count = add(maximum(reduce_max(found), reduce_max(wanted)), 1)
        else:
            count = cast(convert_to_tensor(num_classes), dtypes.int64)
        places = stack([wanted, found], axis=1)
        kind = as_dtype(dtype)
        values = ones_like(found, kind) if weights is None else cast(weights, kind)
        matrix = scatter_nd(places, values, stack([count, count]))
        if isinstance(num_classes, int):
            matrix.set_shape([num_classes, num_classes])
        return matrix


def _checked(numbers: Tensor, num_classes: Any, what: str) -> Tensor:
    classes = cast(numbers, dtypes.int64)
    checks = [assert_non_negative(classes, message=f"`{what}` contains negative values")]
    if num_classes is not None:
        limit = cast(convert_to_tensor(num_classes), dtypes.int64)
        checks.append(assert_less(classes, limit, message=f"`{what}` out of bound"))
    with control_dependencies(checks):
        checked: Tensor = identity(classes)
        return checked


def streaming_confusion_matrix(labels: Any, predictions: Any, num_classes: int, weights: Any = None) -> tuple[Any, Any]:
    """Return a float64 variable with the confusion matrix so far, and the node that counts a batch."""
    total = metric_variable([num_classes, num_classes], dtypes.float64, "total_confusion_matrix")
    found, wanted = cast(predictions, dtypes.int64), cast(labels, dtypes.int64)
    factors = None if weights is None else reshape(weights, [-1])
    batch = confusion_matrix(reshape(wanted, [-1]), reshape(found, [-1]), num_classes, dtypes.float64, weights=factors)
    return total, sum_up(total, batch)


def mean_iou(
    labels: Any, predictions: Any, num_classes: int, weights: Any = None, metrics_collections: Any = None,
    updates_collections: Any = None, name: str | None = None,
) -> tuple[Tensor, Any]:  # fmt: skip
    """Return the mean over classes of intersection over union, `hits / (hits + misses + false alarms)`.

    Args:
      labels, predictions: class numbers of any shape. num_classes: how many classes there are.
      weights: None, or weights in the same shape. The others are as in `mean`.

    Returns:
      The metric, float32, over the classes that occurred; and an operation that counts a batch, whose value is the
      confusion matrix.
    """
    with variable_scope(name, "mean_iou", (predictions, labels, weights)):
        wanted, found, factors = aligned(labels, predictions, weights)
        total, update = streaming_confusion_matrix(wanted, found, num_classes, factors)
        rows, columns = (cast(reduce_sum(total, axis), dtypes.float32) for axis in (0, 1))
        hits = cast(diag_part(total), dtypes.float32)
        union = subtract(add(rows, columns), hits)
        occurred = reduce_sum(cast(not_equal(union, 0), dtypes.float32))
        ratios = truediv(hits, where(greater(union, 0), union, ones_like(union)))
        value = where(greater(occurred, 0), truediv(reduce_sum(ratios, name="mean_iou"), occurred), 0.0)
        return collected(value, update, metrics_collections, updates_collections)


def mean_per_class_accuracy(
    labels: Any, predictions: Any, num_classes: int, weights: Any = None, metrics_collections: Any = None,
    updates_collections: Any = None, name: str | None = None,
) -> Metric:  # fmt: skip
    """Return the mean over classes of how often a class was recognised; the update's value has an entry for each class.

    Args:
      labels, predictions: class numbers of any shape. num_classes: how many classes there are.
      weights: None, or weights in the same shape. The others are as in `mean`.
    """
    with variable_scope(name, "mean_accuracy", (predictions, labels, weights)):
        total = metric_variable([num_classes], dtypes.float32, "total")
        count = metric_variable([num_classes], dtypes.float32, "count")
        wanted = cast(convert_to_tensor(labels), dtypes.int64)
        found = convert_to_tensor(predictions)
        if not shapes.compatible(wanted.dims, found.dims):
            raise ValueError(f"Shapes {found.shape} and {wanted.shape} are incompatible")
        flat_labels, flat = reshape(wanted, [-1]), reshape(found, [-1])
        share = ones([size(flat_labels)], dtypes.float32)
        hits = cast(equal(cast(flat, dtypes.int64), flat_labels), dtypes.float32)
        if weights is not None:
            factors = reshape(cast(weights_like(weights, found), dtypes.float32), [-1])
            hits, share = multiply(hits, factors), multiply(share, factors)
        counted, recognised = scatter_add(total, flat_labels, share), scatter_add(count, flat_labels, hits)
        value = reduce_mean(div_no_nan(count, total), name="mean_accuracy")
        update = div_no_nan(recognised, counted, name="update_op")
        return collected(value, update, metrics_collections, updates_collections)
