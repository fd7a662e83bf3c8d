"""Estimators that bring their model: linear, deep, both together, and baselines; each for classes and for numbers.

A model is a list of parts, whose logits add up; each part has an optimiser of its own for the variables in its scope.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ...ops.array import fill, shape
from ...ops.core import dtypes
from ...ops.core.graph import GraphKeys
from ...ops.core.node import Tensor
from ...ops.core.scopes import get_collection
from ...ops.layers.core_layers import dense, dropout
from ...ops.layers.normalization import batch_normalization
from ...ops.math import add_n
from ...ops.nn import relu
from ...ops.state.group import group
from ...ops.variables import get_variable, get_variable_scope, variable_scope
from ...ops.variables.initializers import GlorotUniform, Zeros
from ..feature_column import input_layer, linear_model
from ..train import AdagradOptimizer, AdamOptimizer, FtrlOptimizer, GradientDescentOptimizer, RMSPropOptimizer
from ..train.training_util import get_global_step
from .estimator import Estimator
from .heads import ClassifierHead, Head, RegressionHead
from .spec import EstimatorSpec, ModeKeys, RunConfig

Columns = Sequence[Any]
_OPTIMIZERS: dict[str, Callable[[float], Any]] = {
    "Adagrad": AdagradOptimizer, "Adam": AdamOptimizer, "Ftrl": FtrlOptimizer, "RMSProp": RMSPropOptimizer,
    "SGD": GradientDescentOptimizer,
}  # fmt: skip
_DEEP_RATE, _LINEAR_RATE, _BASELINE_RATE = 0.05, 0.2, 0.3


def optimizer_of(given: Any, rate: float) -> Any:
    """Return the optimiser that a name, a function without arguments, or an optimiser stands for."""
    if isinstance(given, str):
        if given not in _OPTIMIZERS:
            raise ValueError(f"Unsupported optimizer name: {given}. Supported names are: {sorted(_OPTIMIZERS)}")
        return _OPTIMIZERS[given](rate)
    return given if hasattr(given, "minimize") else given()


@dataclass(frozen=True)
class Part:
    """One model: its scope, a function (features, mode, units) to logits, its optimiser, and the default learning rate."""

    scope: str
    logits: Callable[[Any, str, int], Tensor]
    optimizer: Any
    rate: float


def deep_part(
    columns: Columns, hidden: Sequence[int], optimizer: Any, activation: Any, drop: float | None, batch_norm: bool,
    partitioner: Any = None,
) -> Part:  # fmt: skip
    """Return layers of `hidden` units over the columns side by side, whose variables `partitioner` divides."""
    if not hidden:
        raise ValueError("hidden_units should be a list of positive integers. Given: an empty one")

    def logits(features: Any, mode: str, units: int) -> Tensor:
        with variable_scope("input_from_feature_columns", partitioner=partitioner):
            net = input_layer(features, list(columns))
        for i, size in enumerate(hidden):
            with variable_scope(f"hiddenlayer_{i}") as scope:
                net = dense(net, size, activation=activation, kernel_initializer=GlorotUniform(), name=scope)  # type: ignore[arg-type]
                if drop is not None and mode == ModeKeys.TRAIN:
                    net = dropout(net, rate=drop, training=True)
                if batch_norm:
                    net = batch_normalization(
                        net, momentum=0.999, training=mode == ModeKeys.TRAIN, name=f"batchnorm_{i}"
                    )
        with variable_scope("logits") as scope:
            return dense(net, units, kernel_initializer=GlorotUniform(), name=scope)  # type: ignore[arg-type]

    return Part("dnn", logits, optimizer, _DEEP_RATE)


def linear_part(
    columns: Columns, optimizer: Any, sparse_combiner: str, rate: float | None = None, partitioner: Any = None
) -> Part:
    """Return a weighted sum of the columns, whose weights `partitioner` divides."""

    def logits(features: Any, mode: str, units: int) -> Tensor:
        if partitioner is not None:
            get_variable_scope().set_partitioner(partitioner)
        return linear_model(features, list(columns), units=units, sparse_combiner=sparse_combiner)

    return Part("linear", logits, optimizer, rate or min(_LINEAR_RATE, 1 / math.sqrt(max(len(list(columns)), 1))))


def baseline_part(optimizer: Any) -> Part:
    """Return a bias alone, the same for every example."""

    def logits(features: Any, mode: str, units: int) -> Tensor:
        bias = get_variable("bias", [units], dtypes.float32, Zeros())
        rows = next(iter(features.values())) if isinstance(features, dict) else features
        made: Tensor = bias + fill([shape(rows)[0], units], 0.0)
        return made

    return Part("baseline", logits, optimizer, _BASELINE_RATE)


def model_of(head: Head, parts: Sequence[Part]) -> Callable[..., EstimatorSpec]:
    def model_fn(features: Any, labels: Any, mode: str, config: Any) -> EstimatorSpec:
        found = []
        for part in parts:
            with variable_scope(part.scope, values=tuple(v for v in features.values() if isinstance(v, Tensor))):
                found.append(part.logits(features, mode, head.logits_dimension))
        logits = found[0] if len(found) == 1 else add_n(found)

        def train(loss: Tensor) -> Any:
            return _train(loss, parts)

        return head.spec(features, mode, logits, labels, train)

    return model_fn


def _train(loss: Tensor, parts: Sequence[Part]) -> Any:
    """Return the step of all parts; the last of them counts the global step."""
    steps: list[Any] = list(get_collection(GraphKeys.UPDATE_OPS))
    for i, part in enumerate(parts):
        trained = get_collection(GraphKeys.TRAINABLE_VARIABLES, f"{part.scope}/")
        counted = get_global_step() if i == len(parts) - 1 else None
        optimizer = optimizer_of(part.optimizer, part.rate)
        steps.append(optimizer.minimize(loss, var_list=trained, global_step=counted))
    return group(*steps)


class _Canned(Estimator):
    def __init__(
        self, head: Head, parts: Sequence[Part], model_dir: Any, config: RunConfig | None, warm_start_from: Any
    ) -> None:
        super().__init__(model_of(head, parts), model_dir, config, warm_start_from=warm_start_from)


class DNNClassifier(_Canned):
    """Classes by layers of `hidden_units` over dense feature columns.

    Args:
      hidden_units: the layers' sizes. feature_columns: dense columns. model_dir, config, warm_start_from: see Estimator.
      n_classes: how many classes. label_vocabulary: their names, when labels are strings. weight_column: the key of weights.
      optimizer: an optimiser, its name, or a function that makes it; Adagrad at 0.05.
      activation_fn: of the layers. dropout: the chance to drop a unit. batch_norm: whether to normalise batches.
      input_layer_partitioner: divides the variables of the columns. loss_reduction: how the losses of a batch become one.
    """

    def __init__(
        self, hidden_units: Sequence[int], feature_columns: Columns, model_dir: Any = None, n_classes: int = 2,
        weight_column: Any = None, label_vocabulary: Sequence[Any] | None = None, optimizer: Any = "Adagrad",
        activation_fn: Any = relu, dropout: float | None = None, input_layer_partitioner: Any = None,
        config: RunConfig | None = None, warm_start_from: Any = None, loss_reduction: str = "weighted_sum",
        batch_norm: bool = False,
    ) -> None:  # fmt: skip
        head = ClassifierHead(_classes(n_classes), weight_column, label_vocabulary, loss_reduction)
        deep = deep_part(
            feature_columns, hidden_units, optimizer, activation_fn, dropout, batch_norm, input_layer_partitioner
        )
        super().__init__(head, [deep], model_dir, config, warm_start_from)


class DNNRegressor(_Canned):
    """Numbers by layers of `hidden_units` over dense feature columns; see DNNClassifier. `label_dimension` numbers each."""

    def __init__(
        self, hidden_units: Sequence[int], feature_columns: Columns, model_dir: Any = None, label_dimension: int = 1,
        weight_column: Any = None, optimizer: Any = "Adagrad", activation_fn: Any = relu, dropout: float | None = None,
        input_layer_partitioner: Any = None, config: RunConfig | None = None, warm_start_from: Any = None,
        loss_reduction: str = "weighted_sum", batch_norm: bool = False,
    ) -> None:  # fmt: skip
        deep = deep_part(
            feature_columns, hidden_units, optimizer, activation_fn, dropout, batch_norm, input_layer_partitioner
        )
        head = RegressionHead(label_dimension, weight_column, loss_reduction)
        super().__init__(head, [deep], model_dir, config, warm_start_from)


class LinearClassifier(_Canned):
    """Classes by weighted sums of feature columns, dense or categorical; see DNNClassifier. Ftrl by default."""

    def __init__(
        self, feature_columns: Columns, model_dir: Any = None, n_classes: int = 2, weight_column: Any = None,
        label_vocabulary: Sequence[Any] | None = None, optimizer: Any = "Ftrl", config: RunConfig | None = None,
        partitioner: Any = None, warm_start_from: Any = None, loss_reduction: str = "weighted_sum",
        sparse_combiner: str = "sum",
    ) -> None:  # fmt: skip
        head = ClassifierHead(_classes(n_classes), weight_column, label_vocabulary, loss_reduction)
        linear = linear_part(feature_columns, optimizer, sparse_combiner, partitioner=partitioner)
        super().__init__(head, [linear], model_dir, config, warm_start_from)


class LinearRegressor(_Canned):
    """Numbers by weighted sums of feature columns, dense or categorical; see DNNClassifier. Ftrl by default."""

    def __init__(
        self, feature_columns: Columns, model_dir: Any = None, label_dimension: int = 1, weight_column: Any = None,
        optimizer: Any = "Ftrl", config: RunConfig | None = None, partitioner: Any = None, warm_start_from: Any = None,
        loss_reduction: str = "weighted_sum", sparse_combiner: str = "sum",
    ) -> None:  # fmt: skip
        head = RegressionHead(label_dimension, weight_column, loss_reduction)
        linear = linear_part(feature_columns, optimizer, sparse_combiner, partitioner=partitioner)
        super().__init__(head, [linear], model_dir, config, warm_start_from)


class DNNLinearCombinedClassifier(_Canned):
    """Classes by a linear and a deep model together; see DNNClassifier and LinearClassifier."""

    def __init__(
        self, model_dir: Any = None, linear_feature_columns: Columns | None = None, linear_optimizer: Any = "Ftrl",
        dnn_feature_columns: Columns | None = None, dnn_optimizer: Any = "Adagrad", dnn_hidden_units: Sequence[int] | None = None,
        dnn_activation_fn: Any = relu, dnn_dropout: float | None = None, n_classes: int = 2, weight_column: Any = None,
        label_vocabulary: Sequence[Any] | None = None, input_layer_partitioner: Any = None, config: RunConfig | None = None,
        warm_start_from: Any = None, loss_reduction: str = "weighted_sum", batch_norm: bool = False,
        linear_sparse_combiner: str = "sum",
    ) -> None:  # fmt: skip
        head = ClassifierHead(_classes(n_classes), weight_column, label_vocabulary, loss_reduction)
        deep = (dnn_feature_columns, dnn_hidden_units or (), dnn_optimizer, dnn_activation_fn, dnn_dropout, batch_norm,
                input_layer_partitioner)  # fmt: skip
        linear = (linear_feature_columns, linear_optimizer, linear_sparse_combiner, None, input_layer_partitioner)
        super().__init__(head, _combined(deep, linear), model_dir, config, warm_start_from)


class DNNLinearCombinedRegressor(_Canned):
    """Numbers by a linear and a deep model together; see DNNRegressor and LinearRegressor."""

    def __init__(
        self, model_dir: Any = None, linear_feature_columns: Columns | None = None, linear_optimizer: Any = "Ftrl",
        dnn_feature_columns: Columns | None = None, dnn_optimizer: Any = "Adagrad", dnn_hidden_units: Sequence[int] | None = None,
        dnn_activation_fn: Any = relu, dnn_dropout: float | None = None, label_dimension: int = 1, weight_column: Any = None,
        input_layer_partitioner: Any = None, config: RunConfig | None = None, warm_start_from: Any = None,
        loss_reduction: str = "weighted_sum", batch_norm: bool = False, linear_sparse_combiner: str = "sum",
    ) -> None:  # fmt: skip
        head = RegressionHead(label_dimension, weight_column, loss_reduction)
        deep = (dnn_feature_columns, dnn_hidden_units or (), dnn_optimizer, dnn_activation_fn, dnn_dropout, batch_norm,
                input_layer_partitioner)  # fmt: skip
        linear = (linear_feature_columns, linear_optimizer, linear_sparse_combiner, None, input_layer_partitioner)
        super().__init__(head, _combined(deep, linear), model_dir, config, warm_start_from)


class BaselineClassifier(_Canned):
    """Classes by how frequent they are, whatever the features."""

    def __init__(
        self, model_dir: Any = None, n_classes: int = 2, weight_column: Any = None,
        label_vocabulary: Sequence[Any] | None = None, optimizer: Any = "Ftrl", config: RunConfig | None = None,
        loss_reduction: str = "weighted_sum",
    ) -> None:  # fmt: skip
        head = ClassifierHead(_classes(n_classes), weight_column, label_vocabulary, loss_reduction)
        super().__init__(head, [baseline_part(optimizer)], model_dir, config, None)


class BaselineRegressor(_Canned):
    """The labels' mean, whatever the features."""

    def __init__(
        self, model_dir: Any = None, label_dimension: int = 1, weight_column: Any = None, optimizer: Any = "Ftrl",
        config: RunConfig | None = None, loss_reduction: str = "weighted_sum",
    ) -> None:  # fmt: skip
        head = RegressionHead(label_dimension, weight_column, loss_reduction)
        super().__init__(head, [baseline_part(optimizer)], model_dir, config, None)


def _classes(n_classes: int) -> int:
    if n_classes < 2:
        raise ValueError(f"n_classes must be > 1 for classification: {n_classes}.")
    return n_classes


def _combined(deep: tuple[Any, ...], linear: tuple[Any, ...]) -> list[Part]:
    """Return the parts whose columns, the first arguments of each, are given."""
    parts = [make(*given) for make, given in ((deep_part, deep), (linear_part, linear)) if given[0]]
    if not parts:
        raise ValueError("Either linear_feature_columns or dnn_feature_columns must be defined.")
    return parts
