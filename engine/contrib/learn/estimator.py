"""`tf.contrib.learn.Estimator`: the older estimator, whose input is arrays or a function, and whose model returns ModelFnOps.

It is `tf.estimator.Estimator` with another face: `fit`, `evaluate` and `predict` make an input function of what they are given,
and a model function of either kind is called as the older one was. Invariant: no loop of its own.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ....ops.layers import metrics as metrics_
from ...estimator.estimator import Estimator
from ...estimator.export import PredictOutput, ServingInputReceiver
from ...estimator.spec import EstimatorSpec
from ...train.monitored import SessionRunContext, SessionRunHook, SessionRunValues
from .inputs import InputFn, as_tensors, input_function, like, never_ends
from .monitors import replace_monitors_with_hooks
from .specs import InputFnOps, MetricSpec, ModeKeys, ModelFnOps

_OPTIONAL = ("mode", "params", "config", "model_dir")


class NotFittedError(ValueError, AttributeError):
    """Raised when a model is used before it was trained."""


class _OnceIfConstant(SessionRunHook):
    """Ends a loop after its first run where the input is the same in every run."""

    def __init__(self, estimator: LearnEstimator) -> None:
        self._estimator = estimator

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """End the loop."""
        if self._estimator._same_input:
            run_context.request_stop()


class LearnEstimator(Estimator):
    """Trains and asks a model function.

    Args:
      model_fn: a function of features and labels, and of any of `mode`, `params`, `config`, `model_dir`; it returns ModelFnOps,
        an EstimatorSpec, or (predictions, loss, train_op).
      model_dir, config, params: see `tf.estimator.Estimator`.
      feature_engineering_fn: a function of features and labels that is called before the model function, and returns both.
    """

    def __init__(
        self, model_fn: Callable[..., Any] | None = None, model_dir: Any = None, config: Any = None,
        params: dict[str, Any] | None = None, feature_engineering_fn: Callable[..., Any] | None = None,
    ) -> None:  # fmt: skip
        if model_fn is None:
            raise ValueError("model_fn must be provided to Estimator.")
        self._older, self._engineer = model_fn, feature_engineering_fn
        self._takes = [name for name in _OPTIONAL if name in inspect.signature(model_fn).parameters]
        if params is not None and "params" not in self._takes:
            raise ValueError(
                f"Estimator's model_fn ({model_fn}) does not have a params argument, but params ({params}) were passed"
            )
        self._asked: dict[str, MetricSpec] = {}
        self._same_input, self._labels = False, None
        super().__init__(self._modern, model_dir, config, params if params is not None else {})

    def _modern(self, features: Any, labels: Any, mode: Any, params: Any, config: Any) -> EstimatorSpec:
        """Call the older function, and return what it gave as an EstimatorSpec."""
        if mode == ModeKeys.INFER:
            # Older model functions compute a loss whatever the mode: they get placeholders, which nothing reads.
            labels = like(self._labels)
        else:
            self._labels = labels
        if self._engineer is not None:
            features, labels = self._engineer(features, labels)
        given = {"mode": mode, "params": params, "config": config, "model_dir": self.model_dir}
        made = self._older(features, labels, **{name: given[name] for name in self._takes})
        if isinstance(made, tuple) and len(made) == 3:
            made = ModelFnOps(mode, *made)
        if not isinstance(made, EstimatorSpec):
            made = _as_spec(made, mode)
        if mode != ModeKeys.EVAL or not self._asked:
            return made
        measured = dict(made.eval_metric_ops or {})
        for name, spec in self._asked.items():
            found = spec.create_metric_ops(features, labels, self._measurable(made.predictions))
            # What is no (value, update) pair is averaged over the batches.
            measured[name] = found if isinstance(found, tuple) else metrics_.mean(found)
        return EstimatorSpec(mode, made.predictions, made.loss, eval_metric_ops=measured, scaffold=made.scaffold)

    def _measurable(self, predictions: Any) -> Any:
        """Return the predictions that metrics may ask for."""
        return predictions

    def _call_input_fn(self, input_fn: Callable[..., Any], mode: str) -> Any:
        result = super()._call_input_fn(input_fn, mode)
        if isinstance(result, tuple | list) and len(result) == 2:
            result = tuple(as_tensors(part) for part in result)
        elif isinstance(result, dict | np.ndarray | list):
            result = as_tensors(result)
        self._same_input = never_ends(result[0] if isinstance(result, tuple) else result)
        return result

    # -- the three verbs ---------------------------------------------------------------------------------------------

    def fit(
        self, x: Any = None, y: Any = None, input_fn: InputFn | None = None, steps: int | None = None,
        batch_size: int | None = None, monitors: Any = None, max_steps: int | None = None,
    ) -> LearnEstimator:  # fmt: skip
        """Train, and return the estimator.

        Args:
          x, y: arrays of features and labels, shuffled and repeated for as long as steps are wanted; or `input_fn`.
          batch_size: how many rows of `x` are a batch, all when None.
          steps: how many further steps. max_steps: the global step to stop at. monitors: monitors or hooks.
        """
        if x is not None and steps is None and max_steps is None:
            raise ValueError("Either max_steps or steps must be provided when training from arrays, which never end.")
        source = input_function(x, y, input_fn, batch_size, None, True)
        self.train(source, hooks=replace_monitors_with_hooks(monitors, self), steps=steps, max_steps=max_steps)
        return self

    def partial_fit(
        self, x: Any = None, y: Any = None, input_fn: InputFn | None = None, steps: int | None = 1,
        batch_size: int | None = None, monitors: Any = None,
    ) -> LearnEstimator:  # fmt: skip
        """Train a little further; see `fit`."""
        return self.fit(x, y, input_fn, steps, batch_size, monitors)

    def evaluate(  # type: ignore[override]
        self, x: Any = None, y: Any = None, input_fn: InputFn | None = None, feed_fn: Any = None,
        batch_size: int | None = None, steps: int | None = None, metrics: Any = None, name: str | None = None,
        checkpoint_path: Any = None, hooks: Any = None, log_progress: bool = True,
    ) -> dict[str, Any]:  # fmt: skip
        """Return the metrics by name.

        Args:
          x, y: arrays, gone through once; or `input_fn`, to its end or for `steps` batches.
          metrics: MetricSpecs by name; functions of predictions and labels by name, or by (name, prediction's key).
          checkpoint_path: the latest when None. name, hooks: see `tf.estimator.Estimator.evaluate`.
          feed_fn, log_progress: accepted; nothing is fed, progress is not logged.
        """
        if callable(x) and input_fn is None:
            # Those who know the newer estimator give its first argument.
            x, input_fn = None, x
        source = input_function(x, y, input_fn, batch_size, 1, False)
        if checkpoint_path is None and self.latest_checkpoint() is None:
            raise NotFittedError(f"Couldn't find trained model at {self.model_dir}.")
        self._asked = dict(_asked(key, value) for key, value in (metrics or {}).items())
        try:
            every = [*(hooks or ()), *([] if steps else [_OnceIfConstant(self)])]
            return super().evaluate(source, steps, every, checkpoint_path, name)
        finally:
            self._asked = {}

    def predict(  # type: ignore[override]
        self, x: Any = None, input_fn: InputFn | None = None, batch_size: int | None = None,
        outputs: Sequence[str] | None = None, as_iterable: bool = True, iterate_batches: bool = False,
    ) -> Any:  # fmt: skip
        """Return an iterator over the predictions of each example, or arrays of all when `as_iterable` is False.

        Args:
          x: an array, or `input_fn`, of features. outputs: the names of the predictions to give, all when None.
          iterate_batches: give batches instead of examples.
        """
        if callable(x) and input_fn is None:
            x, input_fn = None, x
        source = input_function(x, None, input_fn, batch_size, 1, False)
        if self.latest_checkpoint() is None:
            raise NotFittedError(f"Couldn't find trained model at {self.model_dir}.")
        found = super().predict(
            source, outputs, [_OnceIfConstant(self)], None, not (iterate_batches or not as_iterable)
        )
        return found if as_iterable else _together(found)

    def export_savedmodel(  # type: ignore[override]
        self, export_dir_base: Any, serving_input_fn: Callable[[], Any], default_output_alternative_key: str | None = None,
        assets_extra: Any = None, as_text: bool = False, checkpoint_path: Any = None, graph_rewrite_specs: Any = None,
        strip_default_attrs: bool = False,
    ) -> bytes:  # fmt: skip
        """Write a SavedModel and return its folder; `serving_input_fn` returns InputFnOps or a ServingInputReceiver."""

        def receiver() -> Any:
            made = serving_input_fn()
            if isinstance(made, InputFnOps):
                return ServingInputReceiver(made.features, made.default_inputs)
            return made

        return self.export_saved_model(export_dir_base, receiver, assets_extra, as_text, checkpoint_path)


class SKCompat:
    """A model with scikit-learn's verbs: arrays in, arrays out."""

    def __init__(self, estimator: LearnEstimator) -> None:
        self._estimator = estimator

    def fit(
        self, x: Any, y: Any, batch_size: int = 128, steps: int | None = None, max_steps: int | None = None,
        monitors: Any = None,
    ) -> SKCompat:  # fmt: skip
        """Train on arrays; see `LearnEstimator.fit`."""
        self._estimator.fit(x, y, None, steps, batch_size, monitors, max_steps)
        return self

    def score(
        self, x: Any, y: Any, batch_size: int = 128, steps: int | None = None, metrics: Any = None,
        name: str | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Return the metrics of arrays by name; see `LearnEstimator.evaluate`."""
        return self._estimator.evaluate(x, y, batch_size=batch_size, steps=steps, metrics=metrics, name=name)

    def predict(self, x: Any, batch_size: int = 128, outputs: Sequence[str] | None = None) -> Any:
        """Return the predictions of all rows, arrays by name."""
        return LearnEstimator.predict(self._estimator, x, batch_size=batch_size, outputs=outputs, as_iterable=False)


def _as_spec(made: Any, mode: Any) -> EstimatorSpec:
    """Return ModelFnOps as an EstimatorSpec."""
    if not isinstance(made, ModelFnOps):
        raise ValueError(
            f"model_fn should return ModelFnOps, an EstimatorSpec or three values; got {type(made).__name__}"
        )
    named = made.predictions if isinstance(made.predictions, dict) else {"output": made.predictions}
    exports = {"serving_default": PredictOutput(named)} if mode == ModeKeys.INFER else None
    return EstimatorSpec(
        mode, made.predictions, made.loss if mode != ModeKeys.INFER else None, made.train_op,
        made.eval_metric_ops if mode == ModeKeys.EVAL else None, exports, made.training_chief_hooks, made.training_hooks,
        made.scaffold,
    )  # fmt: skip


def _asked(key: Any, spec: Any) -> tuple[str, MetricSpec]:
    """Return the name and the MetricSpec of an entry of `metrics`."""
    name, prediction = key if isinstance(key, tuple) else (key, None)
    if isinstance(spec, MetricSpec):
        return name, spec
    # A function without a spec takes predictions and labels in that order, whatever it calls them.
    return name, MetricSpec(lambda predictions, labels: spec(predictions, labels), prediction)


def _together(batches: Iterator[Any]) -> Any:
    """Return batches of arrays, or of dicts of them, one after another in one."""
    every = list(batches)
    if every and isinstance(every[0], dict):
        return {key: np.concatenate([batch[key] for batch in every]) for key in every[0]}
    return np.concatenate(every)
