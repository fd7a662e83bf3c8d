"""`tf.contrib.learn.monitors`: the hooks of the older estimator, called around each step with the step's number.

`MonitorHook` calls a monitor as a SessionRunHook. Invariant: a monitor asks for tensors by name in `step_begin`, and is given
their values in `step_end`; what returns True there ends the training.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....ops.core.node import Tensor
from ....ops.variables import trainable_variables
from ...program import log
from ...train.monitored import (
    CheckpointSaverHook,
    NanTensorHook,
    SessionRunArgs,
    SessionRunContext,
    SessionRunHook,
    SessionRunValues,
    StepCounterHook,
    StopAtStepHook,
    SummarySaverHook,
)
from ...train.training_util import get_global_step


class BaseMonitor:
    """A monitor that does nothing."""

    def __init__(self) -> None:
        self._estimator: Any = None

    @property
    def run_on_all_workers(self) -> bool:
        """Whether every worker has it."""
        return False

    def set_estimator(self, estimator: Any) -> None:
        """Take the estimator that trains."""
        self._estimator = estimator

    def begin(self, max_steps: int | None = None) -> None:
        """Begin, while the graph may still grow."""

    def end(self, session: Any = None) -> None:
        """End."""

    def epoch_begin(self, epoch: int) -> None:
        """Begin an epoch."""

    def epoch_end(self, epoch: int) -> None:
        """End an epoch."""

    def step_begin(self, step: int) -> Sequence[Any]:
        """Return the tensors, or their names, whose values `step_end` is to have."""
        return []

    def step_end(self, step: int, output: dict[Any, Any]) -> bool:
        """Take the values by name; return True to end the training."""
        return False

    def post_step(self, step: int, session: Any) -> None:
        """Act behind a step, with the session."""


class EveryN(BaseMonitor):
    """A monitor that acts in the first steps and in every n-th behind them."""

    def __init__(self, every_n_steps: int = 100, first_n_steps: int = 1) -> None:
        super().__init__()
        self._every, self._first = every_n_steps, first_n_steps
        self._last_active, self._active = 0, False

    def every_n_step_begin(self, step: int) -> Sequence[Any]:
        """Return the tensors that `every_n_step_end` is to have."""
        return []

    def every_n_step_end(self, step: int, outputs: dict[Any, Any]) -> bool:
        """Act; return True to end the training."""
        return False

    def every_n_post_step(self, step: int, session: Any) -> None:
        """Act behind the step."""

    def step_begin(self, step: int) -> Sequence[Any]:
        """Return what is needed where this step is one to act in."""
        self._active = step <= self._first or step >= self._last_active + self._every
        return self.every_n_step_begin(step) if self._active else []

    def step_end(self, step: int, output: dict[Any, Any]) -> bool:
        """Act where this step is one to act in."""
        return self.every_n_step_end(step, output) if self._active else False

    def post_step(self, step: int, session: Any) -> None:
        """Act behind the step, and remember it."""
        if self._active:
            self.every_n_post_step(step, session)
            self._last_active = step


class PrintTensor(EveryN):
    """Logs tensors by name, or by (shown name, name)."""

    def __init__(self, tensor_names: Any, every_n: int = 100, first_n: int = 1) -> None:
        super().__init__(every_n, first_n)
        self._names = tensor_names if isinstance(tensor_names, dict) else {name: name for name in tensor_names}

    def every_n_step_begin(self, step: int) -> Sequence[Any]:
        """Ask for them."""
        return list(self._names.values())

    def every_n_step_end(self, step: int, outputs: dict[Any, Any]) -> bool:
        """Log them."""
        told = ", ".join(f"{shown} = {outputs[_name(name)]}" for shown, name in self._names.items())
        log.info("Step %d: %s", step, told)
        return False


class LoggingTrainable(EveryN):
    """Logs the trainable variables of a scope."""

    def __init__(self, scope: str | None = None, every_n: int = 100, first_n: int = 1) -> None:
        super().__init__(every_n, first_n)
        self._scope = scope

    def every_n_step_begin(self, step: int) -> Sequence[Any]:
        """Ask for them."""
        return [variable.name for variable in trainable_variables(self._scope)]

    def every_n_step_end(self, step: int, outputs: dict[Any, Any]) -> bool:
        """Log them."""
        log.info("Logging Trainable for Step %d: %s", step, outputs)
        return False


class ValidationMonitor(EveryN):
    """Evaluates the model while it trains, and may end the training when it gets no better.

    Args:
      x, y, input_fn, batch_size, eval_steps, metrics, hooks, name: for the estimator's `evaluate`.
      every_n_steps: how often; only new checkpoints are evaluated.
      early_stopping_rounds: end when the metric was at its best so many steps ago. early_stopping_metric: its name.
      early_stopping_metric_minimize: whether less is better. check_interval_secs: accepted; steps are counted.
    """

    def __init__(
        self, x: Any = None, y: Any = None, input_fn: Any = None, batch_size: int | None = None,
        eval_steps: int | None = None, every_n_steps: int = 100, metrics: Any = None, hooks: Any = None,
        early_stopping_rounds: int | None = None, early_stopping_metric: str = "loss",
        early_stopping_metric_minimize: bool = True, name: str | None = None, check_interval_secs: float | None = 5,
    ) -> None:  # fmt: skip
        super().__init__(every_n_steps, first_n_steps=-1)
        if x is None and input_fn is None:
            raise ValueError("Either x or input_fn should be provided.")
        self._given = {
            "x": x, "y": y, "input_fn": input_fn, "batch_size": batch_size, "steps": eval_steps, "metrics": metrics,
            "hooks": hooks, "name": name,
        }  # fmt: skip
        self._rounds, self._metric, self._less = (
            early_stopping_rounds,
            early_stopping_metric,
            early_stopping_metric_minimize,
        )
        self._evaluated: str | None = None
        self.best_step: int | None = None
        self.best_value: float | None = None
        self.best_metrics: dict[str, Any] | None = None
        self.early_stopped = False

    def every_n_step_end(self, step: int, outputs: dict[Any, Any]) -> bool:
        """Evaluate the latest checkpoint unless it was; tell whether to stop."""
        path = self._estimator.latest_checkpoint()
        if path is None or path == self._evaluated:
            return False
        self._evaluated = path
        found = self._estimator.evaluate(**self._given, checkpoint_path=path)
        log.info(
            "Validation (step %d): %s", step, ", ".join(f"{key} = {value}" for key, value in sorted(found.items()))
        )
        if self._rounds is None:
            return False
        if self._metric not in found:
            raise ValueError(f"Metric {self._metric} missing from outputs {sorted(found)}.")
        value = found[self._metric]
        better = self.best_value is None or (value < self.best_value if self._less else value > self.best_value)
        if better:
            self.best_value, self.best_step, self.best_metrics = value, step, found
        stop = self.best_step is not None and step - self.best_step >= self._rounds
        if stop:
            log.info("Stopping. Best step: %d with %s = %s.", self.best_step, self._metric, self.best_value)
            self.early_stopped = True
        return stop


class MonitorHook(SessionRunHook):
    """Calls monitors around each run of a session."""

    def __init__(self, monitors: Sequence[BaseMonitor]) -> None:
        self._monitors = list(monitors)
        self._step = 0
        self._asked: list[list[Any]] = []

    def begin(self) -> None:
        """Begin."""
        self._global_step = get_global_step()
        for monitor in self._monitors:
            monitor.begin(None)

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Read the step that training goes on from."""
        self._step = int(session.run(self._global_step))

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        """Ask for what the monitors ask for."""
        self._step += 1
        graph = run_context.session.graph
        self._asked = [[_name(item) for item in monitor.step_begin(self._step)] for monitor in self._monitors]
        wanted = {name: graph.as_graph_element(name) for names in self._asked for name in names}
        return SessionRunArgs(wanted)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Hand out the values, and stop where a monitor says so."""
        for monitor, names in zip(self._monitors, self._asked, strict=True):
            if monitor.step_end(self._step, {name: run_values.results[name] for name in names}):
                run_context.request_stop()
        for monitor in self._monitors:
            monitor.post_step(self._step, run_context.session)

    def end(self, session: Any) -> None:
        """End."""
        for monitor in self._monitors:
            monitor.end(session)


def _name(item: Any) -> str:
    return item.name if isinstance(item, Tensor) else str(item)


def replace_monitors_with_hooks(monitors_or_hooks: Any, estimator: Any) -> list[SessionRunHook]:
    """Return hooks: those given, and one that calls the monitors given."""
    given = monitors_or_hooks or []
    every = list(given) if isinstance(given, list | tuple) else [given]
    monitors = [item for item in every if isinstance(item, BaseMonitor)]
    for monitor in monitors:
        monitor.set_estimator(estimator)
    hooks = [item for item in every if not isinstance(item, BaseMonitor)]
    return [*hooks, MonitorHook(monitors)] if monitors else hooks


def stop_at_step(num_steps: int | None = None, last_step: int | None = None) -> SessionRunHook:
    """Return a hook that ends the training after so many steps, or at a step."""
    return StopAtStepHook(num_steps, last_step)


def summary_saver(
    summary_op: Any, save_steps: int = 100, output_dir: str | None = None, summary_writer: Any = None,
    scaffold: Any = None,
) -> SessionRunHook:  # fmt: skip
    """Return a hook that writes summaries."""
    return SummarySaverHook(save_steps, None, output_dir, summary_writer, scaffold, summary_op)


def checkpoint_saver(
    checkpoint_dir: str, save_secs: float | None = None, save_steps: int | None = None, saver: Any = None,
    checkpoint_basename: str = "model.ckpt", scaffold: Any = None,
) -> SessionRunHook:  # fmt: skip
    """Return a hook that writes checkpoints."""
    return CheckpointSaverHook(checkpoint_dir, save_secs, save_steps, saver, checkpoint_basename, scaffold)


def step_counter(every_n_steps: int = 100, output_dir: str | None = None, summary_writer: Any = None) -> SessionRunHook:
    """Return a hook that measures steps per second."""
    return StepCounterHook(every_n_steps, None, output_dir, summary_writer)


def nan_loss(loss_tensor: Tensor, every_n_steps: int = 100, fail_on_nan_loss: bool = True) -> SessionRunHook:
    """Return a hook that ends, or fails, where the loss is no number; `every_n_steps` is accepted, each step is looked at."""
    return NanTensorHook(loss_tensor, fail_on_nan_loss)
