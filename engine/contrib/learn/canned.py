"""The models of `tf.contrib.learn`: the newer estimators' parts and heads, with the older names of what they predict and measure.

What differs is on the outside: features may be one array, losses are means, classes come as numbers, and metrics have long names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ....ops.array import squeeze
from ....ops.core import dtypes
from ....ops.core.node import Tensor
from ....ops.layers.clip import clip_by_global_norm
from ....ops.math import cast
from ....ops.nn import relu
from ...estimator.canned import Part, deep_part, linear_part, model_of, optimizer_of
from ...estimator.heads import ClassifierHead, Head, RegressionHead
from ...estimator.spec import EstimatorSpec
from .estimator import LearnEstimator
from .specs import ModeKeys

_MEAN = "weighted_mean"
# What the newer heads call a metric, and what the older ones did.
_METRICS = {
    "label/mean": "labels/actual_label_mean",
    "prediction/mean": "labels/prediction_mean",
    "accuracy_baseline": "accuracy/baseline_label_mean",
    "precision": "precision/positive_threshold_0.500000_mean",
    "recall": "recall/positive_threshold_0.500000_mean",
}


class _Clipped:
    """An optimiser whose gradients are scaled down to a common norm."""

    def __init__(self, optimizer: Any, norm: float) -> None:
        self._optimizer, self._norm = optimizer, norm

    def minimize(self, loss: Tensor, var_list: Any = None, global_step: Any = None) -> Any:
        """Return the step that makes the loss smaller."""
        pairs = [pair for pair in self._optimizer.compute_gradients(loss, var_list) if pair[0] is not None]
        clipped, _ = clip_by_global_norm([gradient for gradient, _ in pairs], self._norm)
        return self._optimizer.apply_gradients(
            [(gradient, variable) for gradient, (_, variable) in zip(clipped, pairs, strict=True)], global_step
        )


def _clipping(part: Part, norm: float | None) -> Part:
    if norm is None:
        return part
    return replace(part, optimizer=lambda: _Clipped(optimizer_of(part.optimizer, part.rate), norm))


def _only_known(enable_centered_bias: bool, embedding_lr_multipliers: Any = None) -> None:
    """Refuse what would change the training and is not there."""
    if enable_centered_bias:
        raise ValueError("enable_centered_bias is not there: leave it False, the logits have a bias of their own")
    if embedding_lr_multipliers:
        raise ValueError(
            "embedding_lr_multipliers is not there: leave it None, embeddings learn at the optimizer's rate"
        )


class _Canned(LearnEstimator):
    """A head over parts."""

    def __init__(
        self, head: Head, parts: Sequence[Part], model_dir: Any, config: Any, engineer: Callable[..., Any] | None
    ) -> None:
        made = model_of(head, parts)

        def model_fn(features: Any, labels: Any, mode: Any, config: Any) -> EstimatorSpec:
            named = features if isinstance(features, dict) else {"": features}
            if isinstance(labels, dict) and len(labels) == 1:
                (labels,) = labels.values()
            if isinstance(labels, Tensor) and labels.dtype is dtypes.bool:
                labels = cast(labels, dtypes.int64)
            return self._older_names(made(named, labels, mode, config), mode)

        super().__init__(model_fn, model_dir, config, feature_engineering_fn=engineer)

    def _older_names(self, spec: EstimatorSpec, mode: Any) -> EstimatorSpec:
        raise NotImplementedError(type(self).__name__)

    def _values_of(self, key: str, x: Any, input_fn: Any, batch_size: int | None, as_iterable: bool) -> Any:
        """Return one of the predictions, for each example or all together."""
        found = LearnEstimator.predict(self, x, input_fn, batch_size, [key], as_iterable)
        return (example[key] for example in found) if as_iterable else found[key]


class _Classifier(_Canned):
    """Predicts classes."""

    def __init__(
        self,
        parts: Sequence[Part],
        n_classes: int,
        weight: Any,
        label_keys: Any,
        model_dir: Any,
        config: Any,
        engineer: Any,
    ) -> None:
        if n_classes < 2:
            raise ValueError(f"n_classes should be greater than 1. Given: {n_classes}")
        self._by_name = label_keys is not None
        super().__init__(ClassifierHead(n_classes, weight, label_keys, _MEAN), parts, model_dir, config, engineer)

    def _older_names(self, spec: EstimatorSpec, mode: Any) -> EstimatorSpec:
        given = spec.predictions
        names = ("probabilities", "logits", "logistic")
        predictions = {name: given[name] for name in names if name in given}
        predictions["classes"] = squeeze(given["classes" if self._by_name else "class_ids"], [1])
        measured = {_METRICS.get(key, key): pair for key, pair in spec.eval_metric_ops.items() if key != "average_loss"}
        if "logistic" in given and mode == ModeKeys.EVAL:
            measured["accuracy/threshold_0.500000_mean"] = measured["accuracy"]
        return spec._replace(predictions=predictions, eval_metric_ops=measured)

    def predict(  # type: ignore[override]
        self, x: Any = None, input_fn: Any = None, batch_size: int | None = None, outputs: Sequence[str] | None = None,
        as_iterable: bool = True,
    ) -> Any:  # fmt: skip
        """Return the class of each example, or the predictions named in `outputs`; see `LearnEstimator.predict`."""
        if not outputs:
            return self.predict_classes(x, input_fn, batch_size, as_iterable)
        return super().predict(x, input_fn, batch_size, outputs, as_iterable)

    def predict_classes(
        self, x: Any = None, input_fn: Any = None, batch_size: int | None = None, as_iterable: bool = True
    ) -> Any:
        """Return the class of each example: its number, or its name where there are `label_keys`."""
        return self._values_of("classes", x, input_fn, batch_size, as_iterable)

    def predict_proba(
        self, x: Any = None, input_fn: Any = None, batch_size: int | None = None, as_iterable: bool = True
    ) -> Any:
        """Return the probabilities of the classes for each example."""
        return self._values_of("probabilities", x, input_fn, batch_size, as_iterable)


class _Regressor(_Canned):
    """Predicts numbers."""

    def __init__(
        self, parts: Sequence[Part], width: int, weight: Any, model_dir: Any, config: Any, engineer: Any
    ) -> None:
        self._width = width
        super().__init__(RegressionHead(width, weight, _MEAN), parts, model_dir, config, engineer)

    def _older_names(self, spec: EstimatorSpec, mode: Any) -> EstimatorSpec:
        scores = spec.predictions["predictions"]
        return spec._replace(
            predictions={"scores": squeeze(scores, [1]) if self._width == 1 else scores}, eval_metric_ops={}
        )

    def predict(  # type: ignore[override]
        self, x: Any = None, input_fn: Any = None, batch_size: int | None = None, outputs: Sequence[str] | None = None,
        as_iterable: bool = True,
    ) -> Any:  # fmt: skip
        """Return the number of each example, or the predictions named in `outputs`; see `LearnEstimator.predict`."""
        if not outputs:
            return self.predict_scores(x, input_fn, batch_size, as_iterable)
        return super().predict(x, input_fn, batch_size, outputs, as_iterable)

    def predict_scores(
        self, x: Any = None, input_fn: Any = None, batch_size: int | None = None, as_iterable: bool = True
    ) -> Any:
        """Return the number, or numbers, of each example."""
        return self._values_of("scores", x, input_fn, batch_size, as_iterable)


class DNNClassifier(_Classifier):
    """Classes by layers of `hidden_units` over dense columns.

    Args:
      hidden_units: the layers' sizes. feature_columns: see `tf.contrib.layers`. model_dir, config: see Estimator.
      n_classes: how many classes. weight_column_name: the feature with weights. label_keys: the classes' names.
      optimizer: an optimiser or its name, Adagrad at 0.05 when None. activation_fn: of the layers.
      dropout: the chance to drop a unit. gradient_clip_norm: the norm that gradients are scaled down to.
      enable_centered_bias: False. feature_engineering_fn: see Estimator.
      embedding_lr_multipliers: None. input_layer_min_slice_size: a hint, which needs no action.
    """

    def __init__(
        self, hidden_units: Sequence[int], feature_columns: Any, model_dir: Any = None, n_classes: int = 2,
        weight_column_name: str | None = None, optimizer: Any = None, activation_fn: Any = relu,
        dropout: float | None = None, gradient_clip_norm: float | None = None, enable_centered_bias: bool = False,
        config: Any = None, feature_engineering_fn: Any = None, embedding_lr_multipliers: Any = None,
        input_layer_min_slice_size: int | None = None, label_keys: Sequence[str] | None = None,
    ) -> None:  # fmt: skip
        _only_known(enable_centered_bias, embedding_lr_multipliers)
        part = deep_part(feature_columns, hidden_units, optimizer or "Adagrad", activation_fn, dropout, False)
        parts = [_clipping(part, gradient_clip_norm)]
        super().__init__(parts, n_classes, weight_column_name, label_keys, model_dir, config, feature_engineering_fn)


class DNNRegressor(_Regressor):
    """Numbers by layers of `hidden_units`; see `DNNClassifier`. label_dimension: how many numbers an example has."""

    def __init__(
        self, hidden_units: Sequence[int], feature_columns: Any, model_dir: Any = None,
        weight_column_name: str | None = None, optimizer: Any = None, activation_fn: Any = relu,
        dropout: float | None = None, gradient_clip_norm: float | None = None, enable_centered_bias: bool = False,
        config: Any = None, feature_engineering_fn: Any = None, label_dimension: int = 1,
        embedding_lr_multipliers: Any = None, input_layer_min_slice_size: int | None = None,
    ) -> None:  # fmt: skip
        _only_known(enable_centered_bias, embedding_lr_multipliers)
        part = deep_part(feature_columns, hidden_units, optimizer or "Adagrad", activation_fn, dropout, False)
        parts = [_clipping(part, gradient_clip_norm)]
        super().__init__(parts, label_dimension, weight_column_name, model_dir, config, feature_engineering_fn)


class LinearClassifier(_Classifier):
    """Classes by a weighted sum of the columns; Ftrl when `optimizer` is None. See `DNNClassifier`."""

    def __init__(
        self, feature_columns: Any, model_dir: Any = None, n_classes: int = 2, weight_column_name: str | None = None,
        optimizer: Any = None, gradient_clip_norm: float | None = None, enable_centered_bias: bool = False,
        _joint_weight: bool = False, config: Any = None, feature_engineering_fn: Any = None,
        label_keys: Sequence[str] | None = None,
    ) -> None:  # fmt: skip
        _only_known(enable_centered_bias)
        parts = [_clipping(linear_part(feature_columns, optimizer or "Ftrl", "sum"), gradient_clip_norm)]
        super().__init__(parts, n_classes, weight_column_name, label_keys, model_dir, config, feature_engineering_fn)


class LinearRegressor(_Regressor):
    """Numbers by a weighted sum of the columns; Ftrl when `optimizer` is None. See `DNNRegressor`."""

    def __init__(
        self, feature_columns: Any, model_dir: Any = None, weight_column_name: str | None = None, optimizer: Any = None,
        gradient_clip_norm: float | None = None, enable_centered_bias: bool = False, label_dimension: int = 1,
        _joint_weights: bool = False, config: Any = None, feature_engineering_fn: Any = None,
    ) -> None:  # fmt: skip
        _only_known(enable_centered_bias)
        parts = [_clipping(linear_part(feature_columns, optimizer or "Ftrl", "sum"), gradient_clip_norm)]
        super().__init__(parts, label_dimension, weight_column_name, model_dir, config, feature_engineering_fn)


def _both(
    linear: Any,
    linear_optimizer: Any,
    deep: Any,
    deep_optimizer: Any,
    hidden: Any,
    activation: Any,
    drop: Any,
    norm: Any,
) -> list[Part]:
    """Return the linear part and the deep part, as far as there are columns for them."""
    parts = []
    if deep:
        if not hidden:
            raise ValueError("dnn_hidden_units must be defined when dnn_feature_columns is specified.")
        parts.append(deep_part(deep, hidden, deep_optimizer or "Adagrad", activation, drop, False))
    if linear:
        parts.append(linear_part(linear, linear_optimizer or "Ftrl", "sum"))
    if not parts:
        raise ValueError("Either linear_feature_columns or dnn_feature_columns must be defined.")
    return [_clipping(part, norm) for part in parts]


class DNNLinearCombinedClassifier(_Classifier):
    """Classes by a deep part and a wide one together; see `DNNClassifier` and `LinearClassifier`.

    fix_global_step_increment_bug: accepted; a step counts as one.
    """

    def __init__(
        self, model_dir: Any = None, n_classes: int = 2, weight_column_name: str | None = None,
        linear_feature_columns: Any = None, linear_optimizer: Any = None, _joint_linear_weights: bool = False,
        dnn_feature_columns: Any = None, dnn_optimizer: Any = None, dnn_hidden_units: Sequence[int] | None = None,
        dnn_activation_fn: Any = relu, dnn_dropout: float | None = None, gradient_clip_norm: float | None = None,
        enable_centered_bias: bool = False, config: Any = None, feature_engineering_fn: Any = None,
        embedding_lr_multipliers: Any = None, input_layer_min_slice_size: int | None = None,
        label_keys: Sequence[str] | None = None, fix_global_step_increment_bug: bool = False,
    ) -> None:  # fmt: skip
        _only_known(enable_centered_bias, embedding_lr_multipliers)
        parts = _both(
            linear_feature_columns, linear_optimizer, dnn_feature_columns, dnn_optimizer, dnn_hidden_units,
            dnn_activation_fn, dnn_dropout, gradient_clip_norm,
        )  # fmt: skip
        super().__init__(parts, n_classes, weight_column_name, label_keys, model_dir, config, feature_engineering_fn)


class DNNLinearCombinedRegressor(_Regressor):
    """Numbers by a deep part and a wide one together; see `DNNLinearCombinedClassifier` and `DNNRegressor`."""

    def __init__(
        self, model_dir: Any = None, weight_column_name: str | None = None, linear_feature_columns: Any = None,
        linear_optimizer: Any = None, _joint_linear_weights: bool = False, dnn_feature_columns: Any = None,
        dnn_optimizer: Any = None, dnn_hidden_units: Sequence[int] | None = None, dnn_activation_fn: Any = relu,
        dnn_dropout: float | None = None, gradient_clip_norm: float | None = None, enable_centered_bias: bool = False,
        label_dimension: int = 1, config: Any = None, feature_engineering_fn: Any = None,
        embedding_lr_multipliers: Any = None, input_layer_min_slice_size: int | None = None,
        fix_global_step_increment_bug: bool = False,
    ) -> None:  # fmt: skip
        _only_known(enable_centered_bias, embedding_lr_multipliers)
        parts = _both(
            linear_feature_columns, linear_optimizer, dnn_feature_columns, dnn_optimizer, dnn_hidden_units,
            dnn_activation_fn, dnn_dropout, gradient_clip_norm,
        )  # fmt: skip
        super().__init__(parts, label_dimension, weight_column_name, model_dir, config, feature_engineering_fn)
