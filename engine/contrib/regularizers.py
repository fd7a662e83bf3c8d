"""`tf.contrib.layers`' regularisers: functions from weights to a loss, or to None where the scale is 0."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from typing import Any

from ...ops.core.convert import constant, convert_to_tensor
from ...ops.core.graph import GraphKeys, get_default_graph
from ...ops.core.node import Tensor
from ...ops.core.scopes import name_scope
from ...ops.math import abs as absolute
from ...ops.math import add_n, multiply, reduce_sum
from ...ops.nn import l2_loss
from ...ops.variables.scope import no_regularizer

Regularizer = Callable[..., Tensor | None]


def _checked(scale: Any) -> None:
    if isinstance(scale, numbers.Integral):
        raise ValueError(f"scale cannot be an integer: {scale}")
    if isinstance(scale, numbers.Real) and scale < 0.0:
        raise ValueError(f"Setting a scale less than 0 on a regularizer: {scale:g}")


def _scaled(scale: Any, scope: str | None, default: str, measure: Callable[[Any], Any]) -> Regularizer:
    _checked(scale)
    if isinstance(scale, numbers.Real) and scale == 0.0:
        return no_regularizer

    def regularizer(weights: Any, name: str | None = None) -> Tensor:
        with name_scope(scope, default, [weights]) as given:
            factor = convert_to_tensor(scale, dtype=weights.dtype.base_dtype, name="scale")
            return multiply(factor, measure(weights), name=given if name is None else name)

    return regularizer


def l1_regularizer(scale: Any, scope: str | None = None) -> Regularizer:
    """Return a regulariser to `scale` times the sum of absolute weights.

    Raises:
      ValueError: when the scale is negative or an int.
    """
    return _scaled(scale, scope, "l1_regularizer", lambda w: reduce_sum(absolute(w)))


def l2_regularizer(scale: Any, scope: str | None = None) -> Regularizer:
    """Return a regulariser to `scale` times half the sum of squared weights.

    Raises:
      ValueError: when the scale is negative or an int.
    """
    return _scaled(scale, scope, "l2_regularizer", l2_loss)


def l1_l2_regularizer(scale_l1: Any = 1.0, scale_l2: Any = 1.0, scope: str | None = None) -> Regularizer:
    """Return the sum of an L1 and an L2 regulariser; ValueError when a scale is negative or an int."""
    for scale in (scale_l1, scale_l2):
        if isinstance(scale, numbers.Integral):
            raise ValueError(f"scale cannot be an integer: {scale}")
    scope = scope or "l1_l2_regularizer"
    if scale_l1 == 0.0:
        return l2_regularizer(scale_l2, scope)
    if scale_l2 == 0.0:
        return l1_regularizer(scale_l1, scope)
    return sum_regularizer([l1_regularizer(scale_l1), l2_regularizer(scale_l2)], scope=scope)


def sum_regularizer(regularizer_list: Any, scope: str | None = None) -> Regularizer:
    """Return the sum of several regularisers, of which some may be None."""
    parts = [part for part in regularizer_list if part is not None]

    def regularizer(weights: Any) -> Tensor | None:
        with name_scope(scope, "sum_regularizer", [weights]):
            losses = [loss for loss in (part(weights) for part in parts) if loss is not None]
            return add_n(losses) if losses else None

    return regularizer


def apply_regularization(regularizer: Regularizer, weights_list: Any = None) -> Tensor:
    """Return the regulariser's loss over a list of weights, and put it into the losses' collection.

    The weights are those of the collection WEIGHTS by default.

    Raises:
      ValueError: when it gives no scalar for some weights.
    """
    graph = get_default_graph()
    weights = weights_list or graph.get_collection(GraphKeys.WEIGHTS)
    if not weights:
        raise ValueError("No weights to regularize.")
    with graph.name_scope("get_regularization_penalty"):
        penalties = [loss if loss is not None else constant(0.0) for loss in map(regularizer, weights)]
        for loss in penalties:
            if loss.dims != ():
                raise ValueError(
                    f"regularizer must return a scalar Tensor instead of a Tensor with rank {len(loss.dims or ())}."
                )
        total = add_n(penalties)
    graph.add_to_collection(GraphKeys.REGULARIZATION_LOSSES, total)
    return total
