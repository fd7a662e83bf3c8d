"""What `tf.contrib.learn`'s models say: modes, what a model function returns, and which metrics to measure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ....ops.core import protos
from ...estimator.spec import DEFAULT, RunConfig


class ModeKeys:
    """The modes of a model function."""

    TRAIN = "train"
    EVAL = "eval"
    INFER = "infer"


class PredictionKey:
    """The names of a model's predictions."""

    CLASSES = "classes"
    PROBABILITIES = "probabilities"
    LOGITS = "logits"
    LOGISTIC = "logistic"
    SCORES = "scores"


class ProblemType:
    """What a model answers."""

    UNSPECIFIED = 0
    CLASSIFICATION = 1
    LINEAR_REGRESSION = 2
    LOGISTIC_REGRESSION = 3
    REGRESSION = 2


class ModelFnOps(NamedTuple):
    """What a model function returns: its mode, predictions, loss, training step and metrics.

    `output_alternatives` is for serving; hooks and the scaffold are those of training.
    """

    mode: Any
    predictions: Any = None
    loss: Any = None
    train_op: Any = None
    eval_metric_ops: Any = None
    output_alternatives: Any = None
    training_chief_hooks: Any = None
    training_hooks: Any = None
    scaffold: Any = None


class InputFnOps(NamedTuple):
    """What a function for serving returns: features, labels, and the placeholders that are fed."""

    features: Any
    labels: Any
    default_inputs: Any


class MetricSpec:
    """A metric of some predictions against some labels.

    Args:
      metric_fn: a function of predictions, labels and perhaps weights, as in `tf.contrib.metrics` or `tf.metrics`.
      prediction_key, label_key, weight_key: which prediction, label and feature; None where there is one only.
    """

    def __init__(
        self, metric_fn: Callable[..., Any], prediction_key: str | None = None, label_key: str | None = None,
        weight_key: str | None = None,
    ) -> None:  # fmt: skip
        self.metric_fn = metric_fn
        self.prediction_key, self.label_key, self.weight_key = prediction_key, label_key, weight_key

    def create_metric_ops(self, inputs: Any, labels: Any, predictions: Any) -> Any:
        """Return the metric's value and update."""
        given = {
            "predictions": self._one(predictions, self.prediction_key, "prediction"),
            "labels": self._one(labels, self.label_key, "label"),
        }
        if self.weight_key is not None:
            given["weights"] = inputs[self.weight_key]
        return self.metric_fn(**given)

    def _one(self, values: Any, key: str | None, kind: str) -> Any:
        if not isinstance(values, dict):
            return values
        if key is None and len(values) == 1:
            return next(iter(values.values()))
        if key not in values:
            raise ValueError(f"MetricSpec needs a {kind}_key among {sorted(values)}; got {key!r} for {self.metric_fn}")
        return values[key]


class LearnRunConfig(RunConfig):
    """How a model of `tf.contrib.learn` runs: a RunConfig with the older arguments.

    Args:
      master, num_cores, evaluation_master: accepted; there is one process.
      log_device_placement, gpu_memory_fraction: for sessions, where `session_config` is None.
      The other arguments are those of `tf.estimator.RunConfig`.
    """

    def __init__(
        self, master: str | None = None, num_cores: int = 0, log_device_placement: bool = False,
        gpu_memory_fraction: float = 1, tf_random_seed: int | None = None, save_summary_steps: int | None = 100,
        save_checkpoints_secs: Any = DEFAULT, save_checkpoints_steps: Any = None, keep_checkpoint_max: int | None = 5,
        keep_checkpoint_every_n_hours: float = 10000, log_step_count_steps: int | None = 100, protocol: Any = None,
        evaluation_master: str = "", model_dir: Any = None, session_config: Any = None,
        session_creation_timeout_secs: float = 7200,
    ) -> None:  # fmt: skip
        if session_config is None and (log_device_placement or gpu_memory_fraction != 1):
            session_config = protos.ConfigProto(
                log_device_placement=log_device_placement,
                gpu_options=protos.GPUOptions(per_process_gpu_memory_fraction=gpu_memory_fraction),
            )
        super().__init__(
            model_dir=model_dir, tf_random_seed=tf_random_seed, save_summary_steps=save_summary_steps,
            save_checkpoints_steps=save_checkpoints_steps or DEFAULT, save_checkpoints_secs=save_checkpoints_secs,
            session_config=session_config, keep_checkpoint_max=keep_checkpoint_max,
            keep_checkpoint_every_n_hours=keep_checkpoint_every_n_hours, log_step_count_steps=log_step_count_steps,
            protocol=protocol, session_creation_timeout_secs=session_creation_timeout_secs,
        )  # fmt: skip
        self.evaluation_master = evaluation_master

    def uid(self, whitelist: Any = None) -> str:
        """Return a string that tells configurations apart."""
        left_out = set(whitelist or ())
        return ", ".join(f"{name}={value!r}" for name, value in sorted(self._values.items()) if name not in left_out)


class TaskType:
    """What a process of a cluster does."""

    MASTER = "master"
    PS = "ps"
    WORKER = "worker"
