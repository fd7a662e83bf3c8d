"""What all metrics share: local variables that add up over runs, weights that broadcast, and the collections of results.

A metric returns two tensors: its value from what was counted so far, and an operation that counts one more batch and gives
the value then. Invariant: only running the second one changes the counts.
"""

from __future__ import annotations

from typing import Any

from ...array import expand_dims, identity, ones_like, rank, squeeze, zeros
from ...core import dtypes, shapes
from ...core.convert import convert_to_tensor
from ...core.graph import GraphKeys
from ...core.node import Tensor
from ...core.scopes import add_to_collections, control_dependencies
from ...flow import cond
from ...math import cast, div_no_nan, equal, maximum, multiply, reduce_sum
from ...state import assign_add
from ...variables import Variable
from ...variables.distribution import VariableAggregation, VariableSynchronization
from ..broadcast_weights import assert_broadcastable

Metric = tuple[Tensor, Any]


def metric_variable(dims: Any, dtype: Any, name: str, validate_shape: bool = True) -> Any:
    """Return a variable of zeros in the collections LOCAL_VARIABLES and METRIC_VARIABLES."""
    return Variable(
        lambda: zeros(dims, dtype), trainable=False, name=name, validate_shape=validate_shape,
        collections=[GraphKeys.LOCAL_VARIABLES, GraphKeys.METRIC_VARIABLES],
        synchronization=VariableSynchronization.ON_READ, aggregation=VariableAggregation.SUM,
    )  # fmt: skip


def collected(value: Tensor, update: Any, metrics_collections: Any, updates_collections: Any) -> Metric:
    """Return a metric, its two parts added to the collections given."""
    if metrics_collections:
        add_to_collections(metrics_collections, value)
    if updates_collections:
        add_to_collections(updates_collections, update)
    return value, update


def safe_divide(numerator: Any, denominator: Any, name: str | None = None) -> Tensor:
    """Return a quotient that is 0 where the denominator is not positive."""
    return div_no_nan(numerator, maximum(denominator, 0), name=name)


def _rank(tensor: Any) -> int | None:
    return None if tensor.dims is None else len(tensor.dims)


def same_rank(labels: Tensor, predictions: Tensor) -> tuple[Tensor, Tensor]:
    """Return both with the last dimension of the one dropped that has one too many, of size 1."""
    ranks = _rank(labels), _rank(predictions)
    if ranks[0] is not None and ranks[1] is not None and predictions.dims and labels.dims is not None:
        if ranks[1] == ranks[0] + 1 and predictions.dims[-1] in (1, None):
            predictions = squeeze(predictions, [-1])
        elif ranks[0] == ranks[1] + 1 and labels.dims[-1] in (1, None):
            labels = squeeze(labels, [-1])
    elif ranks[0] == 1 and ranks[1] == 0 and labels.dims == (1,):
        labels = squeeze(labels, [-1])
    return labels, predictions


def aligned(labels: Any, predictions: Any, weights: Any) -> tuple[Tensor, Tensor, Any]:
    """Return labels, predictions and weights (or None) as tensors of one rank.

    Raises:
      ValueError: when the static shapes of labels and predictions differ.
    """
    wanted, found = same_rank(convert_to_tensor(labels), convert_to_tensor(predictions))
    if not shapes.compatible(wanted.dims, found.dims):
        raise ValueError(
            f"Shapes {shapes.format_shape(found.dims)} and {shapes.format_shape(wanted.dims)} are incompatible"
        )
    return wanted, found, None if weights is None else weights_like(weights, found)


def weights_like(weights: Any, values: Tensor) -> Tensor:
    """Return weights with a last dimension more or less, so that their rank is that of `values` where it is near."""
    factors = convert_to_tensor(weights)
    ranks = _rank(factors), _rank(values)
    if ranks[0] == 0:
        return factors
    if ranks[0] is None or ranks[1] is None:
        return _weights_like_fed(factors, values)
    if ranks[0] == ranks[1] + 1:
        return squeeze(factors, [-1])
    return expand_dims(factors, [-1]) if ranks[1] == ranks[0] + 1 else factors


def _weights_like_fed(factors: Tensor, values: Tensor) -> Tensor:
    """Do what `weights_like` does where only a run knows the ranks."""
    own, surplus = rank(factors), rank(factors) - rank(values)
    may_drop = not factors.dims or factors.dims[-1] in (1, None)

    def adjusted() -> Tensor:
        return cond(  # type: ignore[no-any-return]
            equal(surplus, 1),
            lambda: squeeze(factors, [-1]) if may_drop else factors,
            lambda: cond(equal(surplus, -1), lambda: expand_dims(factors, [-1]), lambda: factors),
        )

    made: Tensor = cond(equal(own, 0), lambda: factors, adjusted)
    return made


def spread(weights: Any, values: Tensor) -> Tensor:
    """Return float32 weights in the shape of `values`, held to broadcast to it; see `assert_broadcastable`."""
    factors = cast(weights, dtypes.float32)
    if factors.dims is not None and factors.dims == values.dims and shapes.is_static(values.dims):
        return factors
    with control_dependencies(assert_broadcastable(factors, values)):
        return multiply(factors, ones_like(cast(values, dtypes.float32)))


def weighted(values: Any, weights: Any) -> tuple[Tensor, Tensor | None]:
    """Return float32 values multiplied by weights, and the weights in their shape; None for no weights."""
    numbers = cast(convert_to_tensor(values), dtypes.float32)
    if weights is None:
        return numbers, None
    factors = spread(weights_like(weights, numbers), numbers)
    return multiply(numbers, factors), factors


def sum_up(variable: Any, batch: Any) -> Any:
    """Return a node that adds a batch's share to a variable."""
    return assign_add(variable, batch)


def ratio(total: Any, count: Any, batch_total: Any, batch_count: Any, after: list[Any]) -> Metric:
    """Return the mean of what two variables count, and the node that adds a batch to both; `after` must have run before."""
    updated_total = sum_up(total, batch_total)
    with control_dependencies(after):
        updated_count = sum_up(count, batch_count)
    return safe_divide(total, count, "value"), safe_divide(updated_total, updated_count, "update_op")


def count_where(condition: Tensor, weights: Any, name: str = "count") -> Metric:
    """Return how often (or with what weight) a condition held so far, and the node that counts a batch."""
    count = metric_variable([], dtypes.float32, name)
    hits, _ = weighted(condition, weights)
    return identity(count), sum_up(count, reduce_sum(hits))
