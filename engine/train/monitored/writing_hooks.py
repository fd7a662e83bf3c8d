"""Hooks that write: checkpoints, summaries, how fast steps go, traces.

A global step that is fetched beside a training operation may be from before or from after its update, so what a hook goes by is
read once more when the run is over.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ....ops.core import protos
from ....ops.core.graph import GraphKeys, get_default_graph
from ...program import log
from ...runtime.tracing import chrome_trace
from ...summary import FileWriterCache, write_graph
from .hook import SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues
from .timer import SecondOrStepTimer
from .watching_hooks import needed_global_step


class CheckpointSaverListener:
    """Base class of what a CheckpointSaverHook calls around each checkpoint."""

    def begin(self) -> None:
        """Add nodes."""

    def before_save(self, session: Any, global_step_value: int) -> None:
        """Act before a checkpoint is written."""

    def after_save(self, session: Any, global_step_value: int) -> bool | None:
        """Act after a checkpoint was written; True ends the loop."""
        return None

    def end(self, session: Any, global_step_value: int) -> None:
        """Act when the session ends."""


class CheckpointSaverHook(SessionRunHook):
    """Saves a checkpoint at the start, every so many seconds or steps, and at the end.

    Args:
      checkpoint_dir: the folder. checkpoint_basename: the files' prefix.
      save_secs, save_steps: how often; one of them.
      saver, scaffold: the Saver, or a Scaffold that has it; else the only one of the collection SAVERS.
      listeners: CheckpointSaverListeners. save_graph_def: whether to write graph.pbtxt, and MetaGraphs beside checkpoints.
    """

    def __init__(
        self, checkpoint_dir: Any, save_secs: float | None = None, save_steps: int | None = None, saver: Any = None,
        checkpoint_basename: str = "model.ckpt", scaffold: Any = None,
        listeners: Sequence[CheckpointSaverListener] | None = None, save_graph_def: bool = True,
    ) -> None:  # fmt: skip
        if saver is not None and scaffold is not None:
            raise ValueError("You cannot provide both saver and scaffold.")
        self._saver, self._scaffold = saver, scaffold
        self._folder = os.fspath(checkpoint_dir)
        self._save_path = os.path.join(self._folder, checkpoint_basename)
        self._timer = SecondOrStepTimer(save_secs, save_steps)
        self._listeners = list(listeners or ())
        self._save_graph_def = save_graph_def
        self._steps_per_run = 1

    def _set_steps_per_run(self, steps_per_run: int) -> None:
        self._steps_per_run = steps_per_run

    def begin(self) -> None:
        """Find the global step, and let the listeners begin."""
        self._writer = FileWriterCache.get(self._folder)
        self._global_step = needed_global_step("CheckpointSaverHook")
        for listener in self._listeners:
            listener.begin()

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Write the graph, and the checkpoint that the session begins with."""
        step = int(session.run(self._global_step))
        graph = get_default_graph()
        if self._save_graph_def:
            write_graph(graph, self._folder, "graph.pbtxt")
        self._writer.add_graph(graph)
        self._save(session, step)
        self._timer.update_last_triggered_step(step)

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        """Ask for the global step."""
        return SessionRunArgs(self._global_step)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Save when it is due; the step that came with the run may be from before its update."""
        if not self._timer.should_trigger_for_step(int(run_values.results) + self._steps_per_run):
            return
        step = int(run_context.session.run(self._global_step))
        if self._timer.should_trigger_for_step(step):
            self._timer.update_last_triggered_step(step)
            if self._save(run_context.session, step):
                run_context.request_stop()

    def end(self, session: Any) -> None:
        """Save the last step, unless that was done."""
        step = int(session.run(self._global_step))
        if step != self._timer.last_triggered_step():
            self._save(session, step)
        for listener in self._listeners:
            listener.end(session, step)
        self._writer.flush()

    def _save(self, session: Any, step: int) -> bool:
        """Write a checkpoint; tell whether a listener wants the loop to end."""
        log.info("Saving checkpoints for %d into %s.", step, self._save_path)
        for listener in self._listeners:
            listener.before_save(session, step)
        self._the_saver().save(session, self._save_path, global_step=step, write_meta_graph=self._save_graph_def)
        status = protos.SessionLog(status=protos.SessionLog.CHECKPOINT, checkpoint_path=self._save_path)
        self._writer.add_session_log(status, step)
        wishes = [listener.after_save(session, step) for listener in self._listeners]
        return any(wishes)

    def _the_saver(self) -> Any:
        if self._saver is not None:
            return self._saver
        if self._scaffold is not None:
            return self._scaffold.saver
        savers = get_default_graph().get_collection(GraphKeys.SAVERS)
        if len(savers) != 1:
            what = "No items" if not savers else "More than one item"
            raise RuntimeError(f"{what} in collection {GraphKeys.SAVERS}. Please pass a saver or scaffold to the hook.")
        self._saver = savers[0]
        return self._saver


class StepCounterHook(SessionRunHook):
    """Logs how many global steps pass in a second, and writes it as a summary `global_step/sec`."""

    def __init__(
        self, every_n_steps: int | None = 100, every_n_secs: float | None = None, output_dir: Any = None,
        summary_writer: Any = None,
    ) -> None:  # fmt: skip
        if (every_n_steps is None) == (every_n_secs is None):
            raise ValueError("exactly one of every_n_steps and every_n_secs should be provided.")
        self._timer = SecondOrStepTimer(every_n_secs, every_n_steps)
        self._writer, self._output_dir = summary_writer, output_dir
        self._steps_per_run = 1

    def _set_steps_per_run(self, steps_per_run: int) -> None:
        self._steps_per_run = steps_per_run

    def begin(self) -> None:
        """Find the global step and the writer."""
        if self._writer is None and self._output_dir:
            self._writer = FileWriterCache.get(os.fspath(self._output_dir))
        self._global_step = needed_global_step("StepCounterHook")
        self._tag = f"{self._global_step.op.name}/sec"

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        """Ask for the global step."""
        return SessionRunArgs(self._global_step)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Log the pace when it is due."""
        if not self._timer.should_trigger_for_step(int(run_values.results) + self._steps_per_run):
            return
        step = int(run_context.session.run(self._global_step))
        if self._timer.should_trigger_for_step(step):
            seconds, steps = self._timer.update_last_triggered_step(step)
            if seconds is not None and steps is not None:
                self._log_and_record(steps, seconds, step)

    def _log_and_record(self, elapsed_steps: int, elapsed_time: float, global_step: int) -> None:
        pace = elapsed_steps / elapsed_time
        if self._writer is not None:
            value = protos.Summary.Value(tag=self._tag, simple_value=pace)
            self._writer.add_summary(protos.Summary(value=[value]), global_step)
        log.info("%s: %g", self._tag, pace)


class SummarySaverHook(SessionRunHook):
    """Writes summaries every so many steps or seconds, the first run included.

    Args:
      save_steps, save_secs: how often; one of them.
      output_dir: the folder, or summary_writer: a FileWriter.
      summary_op: the summary or a list of them; or scaffold: a Scaffold that has it.
    """

    def __init__(
        self, save_steps: int | None = None, save_secs: float | None = None, output_dir: Any = None,
        summary_writer: Any = None, scaffold: Any = None, summary_op: Any = None,
    ) -> None:  # fmt: skip
        if (scaffold is None) == (summary_op is None):
            raise ValueError("Exactly one of scaffold or summary_op must be provided.")
        self._summary_op, self._scaffold = summary_op, scaffold
        self._writer, self._output_dir = summary_writer, output_dir
        self._timer = SecondOrStepTimer(save_secs, save_steps)

    def begin(self) -> None:
        """Find the global step and the writer."""
        if self._writer is None and self._output_dir:
            self._writer = FileWriterCache.get(os.fspath(self._output_dir))
        self._next_step: int | None = None
        self._global_step = needed_global_step("SummarySaverHook")

    def _summaries(self) -> list[Any]:
        found = self._summary_op if self._summary_op is not None else self._scaffold.summary_op
        if found is None:
            return []
        return list(found) if isinstance(found, list | tuple) else [found]

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs | None:
        """Ask for the summaries when they are due."""
        self._due = self._next_step is None or self._timer.should_trigger_for_step(self._next_step)
        return SessionRunArgs(self._summaries()) if self._due else None

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Write them."""
        if self._writer is None:
            return
        step = int(run_context.session.run(self._global_step))
        if self._next_step is None:
            self._writer.add_session_log(protos.SessionLog(status=protos.SessionLog.START), step)
        if self._due:
            self._timer.update_last_triggered_step(step)
            for summary in run_values.results:
                self._writer.add_summary(summary, step)
        self._next_step = step + 1

    def end(self, session: Any) -> None:
        """Flush the writer."""
        if self._writer is not None:
            self._writer.flush()


class ProfilerHook(SessionRunHook):
    """Traces a run every so many steps or seconds: a Chrome trace `timeline-STEP.json`, and run metadata for TensorBoard.

    Args:
      save_steps, save_secs: how often; one of them. output_dir: the folder of the traces.
      show_dataflow, show_memory: accepted; the trace shows times.
    """

    def __init__(
        self, save_steps: int | None = None, save_secs: float | None = None, output_dir: Any = "", show_dataflow: bool = True,
        show_memory: bool = False,
    ) -> None:  # fmt: skip
        self._folder = Path(os.fspath(output_dir))
        self._timer = SecondOrStepTimer(save_secs, save_steps)

    def begin(self) -> None:
        """Find the global step."""
        self._next_step: int | None = None
        self._writer = FileWriterCache.get(str(self._folder))
        self._global_step = needed_global_step("ProfilerHook")

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs:
        """Trace the run when it is due; the first one never is."""
        self._due = self._next_step is not None and self._timer.should_trigger_for_step(self._next_step)
        options = protos.RunOptions(trace_level=protos.RunOptions.FULL_TRACE) if self._due else None
        return SessionRunArgs(None, options=options)

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """Write the trace."""
        step = int(run_context.session.run(self._global_step))
        if self._next_step is None:
            self._timer.update_last_triggered_step(step - 1)
        if self._due:
            self._timer.update_last_triggered_step(step)
            self._folder.mkdir(parents=True, exist_ok=True)
            trace = chrome_trace(run_values.run_metadata.step_stats)
            (self._folder / f"timeline-{step}.json").write_text(trace, encoding="utf-8")
            self._writer.add_run_metadata(run_values.run_metadata, f"step_{step}")
        self._next_step = step + 1
