"""Heads: from logits to predictions, loss, metrics and exports; one for classes, one for numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ...ops.array import concat, expand_dims, gather, reshape, shape, tile, zeros_like
from ...ops.core import dtypes
from ...ops.core.convert import constant, convert_to_tensor
from ...ops.core.node import Tensor
from ...ops.io.summaries import scalar_
from ...ops.layers import losses, metrics
from ...ops.math import argmax, cast, equal, maximum, reduce_mean, sigmoid
from ...ops.nn import softmax
from ..feature_column.columns import of_features
from .export import DEFAULT_KEY, ClassificationOutput, PredictOutput, RegressionOutput
from .spec import EstimatorSpec, ModeKeys

Trainer = Callable[[Tensor], Any]


def _weights(features: Any, weight_column: Any) -> Any:
    """Return the weight of each example, (batch, 1), or 1."""
    if weight_column is None:
        return 1.0
    key = weight_column if isinstance(weight_column, str) else weight_column.key
    return cast(of_features(features, key), dtypes.float32)


def _column(labels: Any, width: int) -> Tensor:
    """Return labels as (batch, width); ValueError when there are none or they have another width."""
    if labels is None:
        raise ValueError("You must provide a labels Tensor. Given: None.")
    tensor = convert_to_tensor(labels)
    tensor = expand_dims(tensor, -1) if tensor.shape.ndims == 1 else tensor
    if tensor.shape.ndims is not None and tensor.shape.ndims >= 2 and tensor.shape.as_list()[-1] not in (None, width):
        raise ValueError(
            f"Mismatched label shape. Expected labels dimension={width}. Received {tensor.shape.as_list()[-1]}."
        )
    return tensor


def _mean(values: Tensor, weights: Any) -> tuple[Tensor, Any]:
    pair: tuple[Tensor, Any] = metrics.mean(values, weights=None if isinstance(weights, float) else weights)
    return pair


@dataclass(frozen=True)
class ClassifierHead:
    """Two classes have one logit, more have one each; `label_vocabulary` names them."""

    n_classes: int = 2
    weight_column: Any = None
    label_vocabulary: Sequence[Any] | None = None
    loss_reduction: str = "weighted_sum"
    loss_fn: Callable[..., Any] | None = None

    @property
    def logits_dimension(self) -> int:
        """How many logits an example has."""
        return 1 if self.n_classes == 2 else self.n_classes

    def spec(self, features: Any, mode: str, logits: Tensor, labels: Any, train: Trainer) -> EstimatorSpec:
        """Return the EstimatorSpec for these logits, (batch, logits_dimension)."""
        predictions = self._predictions(logits)
        if mode == ModeKeys.PREDICT:
            return EstimatorSpec(mode, predictions, export_outputs=self._exports(predictions))
        ids, weights = self._ids(labels), _weights(features, self.weight_column)
        unreduced = self._losses(ids, logits)
        loss = losses.compute_weighted_loss(unreduced, weights, reduction=self.loss_reduction)
        if mode == ModeKeys.EVAL:
            measured = self._metrics(ids, predictions, unreduced, weights)
            return EstimatorSpec(mode, predictions, loss, eval_metric_ops=measured)
        scalar_("loss", loss)
        scalar_("average_loss", reduce_mean(unreduced))
        return EstimatorSpec(mode, predictions, loss, train(loss))

    def _names(self, ids: Tensor) -> Tensor:
        names = self.label_vocabulary or [str(i) for i in range(self.n_classes)]
        return gather(constant([str(name) for name in names]), ids)

    def _predictions(self, logits: Tensor) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {"logits": logits}
        scores = logits
        if self.n_classes == 2:
            found["logistic"] = sigmoid(logits, name="logistic")
            scores = concat([zeros_like(logits), logits], -1, name="two_class_logits")
        found["probabilities"] = softmax(scores, name="probabilities")
        ids = expand_dims(argmax(scores, axis=-1), -1, name="class_ids")
        found.update(class_ids=ids, classes=self._names(ids))
        every = expand_dims(constant(range(self.n_classes), dtypes.int64), 0)
        repeated = tile(every, concat([shape(logits)[:1], constant([1])], 0))
        found.update(all_class_ids=cast(repeated, dtypes.int32), all_classes=self._names(repeated))
        return found

    def _exports(self, predictions: dict[str, Tensor]) -> dict[str, Any]:
        classified = ClassificationOutput(predictions["probabilities"], predictions["all_classes"])
        exports: dict[str, Any] = {
            DEFAULT_KEY: classified,
            "classification": classified,
            "predict": PredictOutput(predictions),
        }
        if self.n_classes == 2:
            exports["regression"] = RegressionOutput(predictions["logistic"])
        return exports

    def _ids(self, labels: Any) -> Tensor:
        column = _column(labels, 1)
        if self.label_vocabulary is not None:
            if column.dtype is not dtypes.string:
                raise ValueError(
                    f"Labels dtype should be string when there is a vocabulary. Instead got {column.dtype}."
                )
            found = equal(expand_dims(column, -1), constant([str(name) for name in self.label_vocabulary]))
            return argmax(cast(found, dtypes.int32), axis=-1)
        if not (column.dtype.is_integer or column.dtype.is_floating):
            raise ValueError(f"Labels dtype should be integer. Instead got {column.dtype}.")
        return cast(column, dtypes.int64)

    def _losses(self, ids: Tensor, logits: Tensor) -> Tensor:
        if self.loss_fn is not None:
            made: Tensor = self.loss_fn(labels=ids, logits=logits)
            return made
        if self.n_classes == 2:
            return losses.sigmoid_cross_entropy(cast(ids, dtypes.float32), logits, reduction="none")
        one = losses.sparse_softmax_cross_entropy(reshape(ids, [-1]), logits, reduction="none")
        return expand_dims(one, -1)

    def _metrics(self, ids: Tensor, predictions: dict[str, Tensor], unreduced: Tensor, weights: Any) -> dict[str, Any]:
        given = None if isinstance(weights, float) else weights
        found = {
            "average_loss": _mean(unreduced, weights),
            "accuracy": metrics.accuracy(ids, predictions["class_ids"], weights=given),
        }
        if self.n_classes != 2:
            return found
        labels, chance = cast(ids, dtypes.float32), predictions["logistic"]
        mean, update = _mean(labels, weights)
        found.update({
            "label/mean": (mean, update), "prediction/mean": _mean(chance, weights),
            "accuracy_baseline": (maximum(mean, 1.0 - mean), maximum(update, 1.0 - update)),
            "precision": metrics.precision(ids, predictions["class_ids"], weights=given),
            "recall": metrics.recall(ids, predictions["class_ids"], weights=given),
            "auc": metrics.auc(ids, chance, weights=given),
            "auc_precision_recall": metrics.auc(ids, chance, weights=given, curve="PR", summation_method="careful_interpolation"),
        })  # fmt: skip
        return found


@dataclass(frozen=True)
class RegressionHead:
    """Numbers, `label_dimension` for each example, by squared error."""

    label_dimension: int = 1
    weight_column: Any = None
    loss_reduction: str = "weighted_sum"
    loss_fn: Callable[..., Any] | None = None

    @property
    def logits_dimension(self) -> int:
        """How many numbers an example has."""
        return self.label_dimension

    def spec(self, features: Any, mode: str, logits: Tensor, labels: Any, train: Trainer) -> EstimatorSpec:
        """Return the EstimatorSpec for these numbers, (batch, label_dimension)."""
        predictions = {"predictions": logits}
        if mode == ModeKeys.PREDICT:
            value = RegressionOutput(logits)
            exports = {DEFAULT_KEY: value, "regression": value, "predict": PredictOutput(predictions)}
            return EstimatorSpec(mode, predictions, export_outputs=exports)
        wanted = cast(_column(labels, self.label_dimension), dtypes.float32)
        weights = _weights(features, self.weight_column)
        if self.loss_fn is not None:
            unreduced = self.loss_fn(labels=wanted, logits=logits)
        else:
            unreduced = losses.mean_squared_error(wanted, logits, reduction="none")
        loss = losses.compute_weighted_loss(unreduced, weights, reduction=self.loss_reduction)
        if mode == ModeKeys.EVAL:
            measured = {
                "average_loss": _mean(unreduced, weights), "label/mean": _mean(wanted, weights),
                "prediction/mean": _mean(logits, weights),
            }  # fmt: skip
            return EstimatorSpec(mode, predictions, loss, eval_metric_ops=measured)
        scalar_("loss", loss)
        scalar_("average_loss", reduce_mean(unreduced))
        return EstimatorSpec(mode, predictions, loss, train(loss))


Head = ClassifierHead | RegressionHead
