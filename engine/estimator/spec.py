"""What a model function is told and returns: ModeKeys, EstimatorSpec; and how a program runs: RunConfig."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...ops.core.convert import convert_to_tensor
from ...ops.core.node import Tensor

DEFAULT: Any = object()


class ModeKeys:
    """What a model function is called for."""

    TRAIN = "train"
    EVAL = "eval"
    PREDICT = "infer"


class _Spec(NamedTuple):
    mode: str
    predictions: Any
    loss: Any
    train_op: Any
    eval_metric_ops: dict[str, Any]
    export_outputs: Any
    training_chief_hooks: tuple[Any, ...]
    training_hooks: tuple[Any, ...]
    scaffold: Any
    evaluation_hooks: tuple[Any, ...]
    prediction_hooks: tuple[Any, ...]


class EstimatorSpec(_Spec):
    """What a model function returns.

    Args:
      mode: a ModeKeys. predictions: a tensor or a dict of them, needed to predict.
      loss: a scalar, needed to train and evaluate. train_op: the step, needed to train.
      eval_metric_ops: (value, update) pairs by name. export_outputs: ExportOutputs by signature.
      training_chief_hooks, training_hooks, evaluation_hooks, prediction_hooks: SessionRunHooks. scaffold: a Scaffold.

    Raises:
      ValueError: when what the mode needs is missing, or the loss is no scalar. TypeError: for what is no tensor or pair.
    """

    __slots__ = ()

    def __new__(
        cls, mode: str, predictions: Any = None, loss: Any = None, train_op: Any = None, eval_metric_ops: Any = None,
        export_outputs: Any = None, training_chief_hooks: Any = None, training_hooks: Any = None, scaffold: Any = None,
        evaluation_hooks: Any = None, prediction_hooks: Any = None,
    ) -> EstimatorSpec:  # fmt: skip
        if train_op is None and mode == ModeKeys.TRAIN:
            raise ValueError("Missing train_op.")
        if loss is None and mode in (ModeKeys.TRAIN, ModeKeys.EVAL):
            raise ValueError("Missing loss.")
        if predictions is None and mode == ModeKeys.PREDICT:
            raise ValueError("Missing predictions.")
        for name, pair in (eval_metric_ops or {}).items():
            if not isinstance(pair, tuple) or len(pair) != 2:
                raise TypeError(
                    f"Values of eval_metric_ops must be (metric_value, update_op) tuples, given: {pair} for key: {name}"
                )
        return super().__new__(
            cls, mode, {} if predictions is None else predictions, _scalar(loss), train_op, dict(eval_metric_ops or {}),
            export_outputs, tuple(training_chief_hooks or ()), tuple(training_hooks or ()), scaffold,
            tuple(evaluation_hooks or ()), tuple(prediction_hooks or ()),
        )  # fmt: skip


def _scalar(loss: Any) -> Tensor | None:
    if loss is None:
        return None
    tensor = convert_to_tensor(loss)
    if tensor.shape.num_elements() not in (None, 1):
        raise ValueError(f"Loss must be scalar, given: {loss}")
    return tensor if tensor.shape.ndims in (None, 0) else _reshaped(tensor)


def _reshaped(tensor: Tensor) -> Tensor:
    from_one: Tensor = tensor[(0,) * int(tensor.shape.ndims or 0)]
    return from_one


_FIELDS = {
    "model_dir": None, "tf_random_seed": None, "save_summary_steps": 100, "save_checkpoints_steps": DEFAULT,
    "save_checkpoints_secs": DEFAULT, "session_config": None, "keep_checkpoint_max": 5,
    "keep_checkpoint_every_n_hours": 10000, "log_step_count_steps": 100, "train_distribute": None, "device_fn": None,
    "protocol": None, "eval_distribute": None, "experimental_distribute": None,
    "experimental_max_worker_delay_secs": None, "session_creation_timeout_secs": 7200,
}  # fmt: skip


def _check_alone(values: dict[str, Any]) -> None:
    for name in ("train_distribute", "eval_distribute", "experimental_distribute"):
        if values[name] is not None:
            raise ValueError(
                f"RunConfig's `{name}` must be None, got {values[name]!r}: an Estimator trains in one program here, which "
                "places the towers of a model_fn with tf.device('/gpu:N')"
            )


class RunConfig:
    """How an Estimator runs; each argument is an attribute.

    Args:
      model_dir: the folder of checkpoints and summaries. tf_random_seed: the graph's seed.
      save_summary_steps: how often summaries are written.
      save_checkpoints_steps, save_checkpoints_secs: how often checkpoints are; every 600 seconds by default, None for never.
      session_config: a ConfigProto. keep_checkpoint_max, keep_checkpoint_every_n_hours: as for a Saver.
      log_step_count_steps: how often the pace and the loss are logged.
      device_fn: a device function for all nodes.
      train_distribute, eval_distribute, experimental_distribute: None; one program trains, and places towers by devices.
      protocol, experimental_max_worker_delay_secs, session_creation_timeout_secs: for workers of clusters; attributes only.

    Raises:
      ValueError: when checkpoints are to be saved by steps and by seconds, or training is to be distributed.
    """

    def __init__(
        self, model_dir: Any = None, tf_random_seed: int | None = None, save_summary_steps: int | None = 100,
        save_checkpoints_steps: Any = DEFAULT, save_checkpoints_secs: Any = DEFAULT, session_config: Any = None,
        keep_checkpoint_max: int | None = 5, keep_checkpoint_every_n_hours: float = 10000,
        log_step_count_steps: int | None = 100, train_distribute: Any = None, device_fn: Any = None, protocol: Any = None,
        eval_distribute: Any = None, experimental_distribute: Any = None, experimental_max_worker_delay_secs: Any = None,
        session_creation_timeout_secs: float = 7200,
    ) -> None:  # fmt: skip
        given = locals()
        self._values = {name: given[name] for name in _FIELDS}
        _check_alone(self._values)
        steps, secs = save_checkpoints_steps, save_checkpoints_secs
        if steps is DEFAULT and secs is DEFAULT:
            steps, secs = None, 600
        elif steps is DEFAULT or secs is DEFAULT:
            steps, secs = (None if value is DEFAULT else value for value in (steps, secs))
        if steps is not None and secs is not None:
            raise ValueError("`save_checkpoints_steps` and `save_checkpoints_secs` cannot be both set.")
        self._values.update(save_checkpoints_steps=steps, save_checkpoints_secs=secs)

    def __getattr__(self, name: str) -> Any:
        if name in _FIELDS:
            return self._values[name]
        raise AttributeError(f"RunConfig has no attribute {name!r}")

    @property
    def is_chief(self) -> bool:
        """True: there is one worker."""
        return True

    @property
    def master(self) -> str:
        """The target of sessions: this process."""
        return ""

    @property
    def task_type(self) -> str:
        """The only task's type."""
        return "worker"

    @property
    def task_id(self) -> int:
        """The only task's number."""
        return 0

    @property
    def num_worker_replicas(self) -> int:
        """How many workers there are: 1."""
        return 1

    @property
    def num_ps_replicas(self) -> int:
        """How many parameter servers there are: 0."""
        return 0

    def replace(self, **kwargs: Any) -> RunConfig:
        """Return a copy with some arguments replaced; ValueError for one that cannot be."""
        unknown = sorted(set(kwargs) - set(_FIELDS))
        if unknown:
            raise ValueError(f"Replacing {unknown[0]} is not supported. Allowed properties are {sorted(_FIELDS)}")
        values = {**self._values, **kwargs}
        if "save_checkpoints_steps" in kwargs and "save_checkpoints_secs" not in kwargs:
            values["save_checkpoints_secs"] = DEFAULT
        if "save_checkpoints_secs" in kwargs and "save_checkpoints_steps" not in kwargs:
            values["save_checkpoints_steps"] = DEFAULT
        return RunConfig(**values)
