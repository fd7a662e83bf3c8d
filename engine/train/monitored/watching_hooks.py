"""Hooks that watch a loop and end it: logging, stopping, NaN, final values, waiting, feeding."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ....ops.core.graph import get_default_graph
from ...program import log
from ..training_util import get_global_step
from .hook import SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues
from .timer import SecondOrStepTimer, Timer


def graph_element(wanted: Any) -> Any:
    """Return the tensor or operation that a name or a node stands for."""
    return get_default_graph().as_graph_element(wanted, allow_tensor=True, allow_operation=True)


def needed_global_step(hook: str) -> Any:
    """Return the global step of the default graph; RuntimeError naming the hook when there is none."""
    step = get_global_step()
    if step is None:
        raise RuntimeError(f"Global step should be created to use {hook}.")
    return step


class LoggingTensorHook(SessionRunHook):
    """Logs tensors every so many steps or seconds, and at the end.

    Args:
      tensors: tensors or their names, or a dict of them by the words to print.
      every_n_iter, every_n_secs: how often; at most one of them. at_end: whether to log when the session closes.
      formatter: a function from the dict of values to the line; `name = value, ...` by default.

    Raises:
      ValueError: when nothing tells how often, or both do.
    """

    def __init__(
        self, tensors: Any, every_n_iter: int | None = None, every_n_secs: float | None = None, at_end: bool = False,
        formatter: Callable[[dict[str, Any]], str] | None = None,
    ) -> None:  # fmt: skip
        if (every_n_iter is not None and every_n_secs is not None) or (
            every_n_iter is None and every_n_secs is None and not at_end
        ):
            raise ValueError(
                "either at_end and/or exactly one of every_n_iter and every_n_secs must be provided."
            )  # fmt: skip
        if every_n_iter is not None and every_n_iter <= 0:
            raise ValueError(f"invalid every_n_iter={every_n_iter}.")
        if not isinstance(tensors, dict):
            self._order = [getattr(item, "name", item) for item in tensors]
            tensors = dict(zip(self._order, tensors, strict=True))
        else:
            self._order = list(tensors)
        self._tensors, self._at_end, self._formatter = tensors, at_end, formatter
        self._timer = (
            Timer() if every_n_iter is None and every_n_secs is None else SecondOrStepTimer(every_n_secs, every_n_iter)
        )

    def begin(self) -> None:
        """Find the tensors."""
        self._timer.reset()
        self._step = 0
        self._wanted = {tag: graph_element(tensor) for tag, tensor in self._tensors.items()}

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs | None:
        """Ask for the tensors when they are due."""
        self._due = self._timer.should_trigger_for_step(self._step)
        return SessionRunArgs(self._wanted) if self._due else None

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Log them."""
        if self._due:
            self._log(run_values.results)
        self._step += 1

    def end(self, session: Any) -> None:
        """Log them a last time, where that was asked for."""
        if self._at_end:
            self._log(session.run(self._wanted))

    def _log(self, values: dict[str, Any]) -> None:
        elapsed, _ = self._timer.update_last_triggered_step(self._step)
        if self._formatter is not None:
            log.info(self._formatter(values))
            return
        line = ", ".join(f"{tag} = {values[tag]}" for tag in self._order)
        log.info("%s" if elapsed is None else f"%s ({elapsed:.3f} sec)", line)


class StopAtStepHook(SessionRunHook):
    """Ends the loop after `num_steps` further steps, or when the global step reaches `last_step`; one of them is given."""

    def __init__(self, num_steps: int | None = None, last_step: int | None = None) -> None:
        if num_steps is None and last_step is None:
            raise ValueError("One of num_steps or last_step must be specified.")
        if num_steps is not None and last_step is not None:
            raise ValueError("Only one of num_steps or last_step can be specified.")
        self._num_steps, self._last_step = num_steps, last_step

    def begin(self) -> None:
        """Find the global step."""
        self._global_step = needed_global_step("StopAtStepHook")

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Count from the step that the session begins at."""
        if self._last_step is None:
            self._last_step = int(session.run(self._global_step)) + int(self._num_steps or 0)

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        """Ask for the global step."""
        return SessionRunArgs(self._global_step)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """End the loop when the step is reached; the step that came with the run may be from before its update."""
        last = int(self._last_step or 0)
        if run_values.results + 1 >= last and run_context.session.run(self._global_step) >= last:
            run_context.request_stop()


class NanLossDuringTrainingError(RuntimeError):
    """The loss became NaN."""

    def __str__(self) -> str:
        return "NaN loss during training."


class NanTensorHook(SessionRunHook):
    """Ends the loop when a loss is NaN: by NanLossDuringTrainingError, or quietly when `fail_on_nan_loss` is False."""

    def __init__(self, loss_tensor: Any, fail_on_nan_loss: bool = True) -> None:
        self._loss, self._fail = loss_tensor, fail_on_nan_loss

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        """Ask for the loss."""
        return SessionRunArgs(self._loss)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Look at it."""
        if not np.isnan(run_values.results).any():
            return
        words = "Model diverged with loss = NaN."
        if self._fail:
            log.error(words)
            raise NanLossDuringTrainingError
        log.warning(words)
        run_context.request_stop()


class FinalOpsHook(SessionRunHook):
    """Runs operations at the end, and keeps their values in `final_ops_values`."""

    def __init__(self, final_ops: Any, final_ops_feed_dict: Any = None) -> None:
        self._final_ops, self._feed_dict, self._values = final_ops, final_ops_feed_dict, None

    @property
    def final_ops_values(self) -> Any:
        """The values, None before the end."""
        return self._values

    def end(self, session: Any) -> None:
        """Run them."""
        if self._final_ops is not None:
            self._values = session.run(self._final_ops, feed_dict=self._feed_dict)


class FeedFnHook(SessionRunHook):
    """Feeds what a function without arguments returns, in every run."""

    def __init__(self, feed_fn: Callable[[], Any]) -> None:
        self.feed_fn = feed_fn

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        """Ask for nothing, and feed."""
        return SessionRunArgs(None, feed_dict=self.feed_fn())


class GlobalStepWaiterHook(SessionRunHook):
    """Holds the first run back until the global step reaches `wait_until_step`, which other workers count."""

    _PAUSE = 0.5

    def __init__(self, wait_until_step: int) -> None:
        self._wait_until_step = wait_until_step

    def begin(self) -> None:
        """Find the global step."""
        self._waited = False
        self._global_step = needed_global_step("_GlobalStepWaiterHook")

    def before_run(self, run_context: SessionRunContext) -> None:
        """Wait."""
        while not self._waited and self._wait_until_step > 0:
            step = int(run_context.session.run(self._global_step))
            if step >= self._wait_until_step:
                break
            log.info(
                "Waiting for global step %d before starting training. Current step is %d.", self._wait_until_step, step
            )
            time.sleep(self._PAUSE)
        self._waited = True
