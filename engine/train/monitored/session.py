"""Monitored sessions: sessions that initialise, restore, save and end by themselves, and call hooks around each run.

`with` such a session, a loop over `should_stop()` is the whole training program. It ends when a hook says so, or cleanly when the
input ends (OutOfRangeError) or by StopIteration; what other errors end it, leaves it as it is.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Sequence
from typing import Any

from ....ops.core.errors import AbortedError, OutOfRangeError, UnavailableError
from ....ops.core.graph import Graph, get_default_graph
from ...program import log
from .creators import ChiefSessionCreator, SessionCreator, WorkerSessionCreator
from .hook import SessionRunHook
from .hooked import HookedSession
from .scaffold import Scaffold
from .writing_hooks import CheckpointSaverHook, StepCounterHook, SummarySaverHook

USE_DEFAULT: Any = object()
_RECOVERED = (AbortedError, UnavailableError)


class StepContext:
    """What a function given to `run_step_fn` gets: the bare session, runs with hooks, and an end."""

    def __init__(self, session: Any, run_with_hooks_fn: Callable[..., Any]) -> None:
        self._session, self._run = session, run_with_hooks_fn

    @property
    def session(self) -> Any:
        """The session; its runs call no hooks."""
        return self._session

    def run_with_hooks(self, *args: Any, **kwargs: Any) -> Any:
        """Run as `MonitoredSession.run` does."""
        return self._run(*args, **kwargs)

    def request_stop(self) -> None:
        """End the loop."""
        raise StopIteration("step_fn has requested the iterations to stop.")


class _MonitoredSession:
    """What the monitored sessions have in common."""

    StepContext = StepContext

    def __init__(
        self,
        session_creator: SessionCreator | None,
        hooks: Sequence[SessionRunHook] | None,
        recovers: bool,
        grace: float,
    ) -> None:
        self._graph = get_default_graph()
        self._was_finalized = self._graph.finalized
        self._hooks, self._recovers, self._grace = list(hooks or ()), recovers, grace
        self._creator = session_creator or ChiefSessionCreator()
        self._step_fn_stop = False
        for hook in self._hooks:
            hook.begin()
        self._hooked: HookedSession | None = self._create()

    def _create(self) -> HookedSession:
        while True:
            try:
                with self._graph.as_default():
                    return HookedSession(self._creator.create_session(), self._hooks, self._grace)
            except _RECOVERED as error:
                if not self._recovers:
                    raise
                log.info("An error was raised while a session was being created; it is created again. Error: %s", error)

    def _open(self) -> HookedSession:
        if self._hooked is None:
            raise RuntimeError("Attempted to use a closed session: the monitored session has ended.")
        return self._hooked

    @property
    def graph(self) -> Graph | None:
        """The graph, None once the session is closed."""
        return None if self._hooked is None else self._hooked.session.graph

    def run(self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None) -> Any:
        """Run `fetches` and what the hooks ask for; see Session.run.

        Raises:
          RuntimeError: after the end.
        """
        while True:
            hooked = self._open()
            try:
                return hooked.run(fetches, feed_dict, options, run_metadata)
            except _RECOVERED as error:
                if not self._recovers:
                    raise
                log.info("An error was raised; the session is created again from the last checkpoint. Error: %s", error)
                self._hooked = None
                hooked.close()
                self._hooked = self._create()

    def run_step_fn(self, step_fn: Callable[[Any], Any]) -> Any:
        """Call a function of `step_context` once, which makes runs with or without hooks.

        Raises:
          ValueError: when the function takes anything but `step_context`.
        """
        names = list(inspect.signature(step_fn).parameters)
        if names != ["step_context"] and names != ["self", "step_context"]:
            raise ValueError(
                f"`step_fn` may either have one `step_context` argument, or `self` and `step_context` arguments if it's an "
                f"instance method. Got {names} instead."
            )
        try:
            return step_fn(StepContext(self._open().session, self.run))
        except StopIteration:
            self._open().request_stop()
            raise

    def should_stop(self) -> bool:
        """Tell whether the loop has to end."""
        return self._hooked is None or self._hooked.should_stop()

    def close(self) -> None:
        """Let the hooks finish, and close the session."""
        self._close(None)

    def __enter__(self) -> Any:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> bool:
        clean = kind is not None and issubclass(kind, OutOfRangeError | StopIteration)
        self._close(None if clean else error)
        return clean

    def _close(self, error: BaseException | None) -> None:
        hooked, self._hooked = self._open(), None
        try:
            if error is None:
                hooked.end()
        finally:
            try:
                hooked.close()
            except Exception:
                # What ended the loop is told, not what followed from it.
                if error is None:
                    raise
            finally:
                if not self._was_finalized:
                    self._graph._unsafe_unfinalize()


class MonitoredSession(_MonitoredSession):
    """A session with hooks that is made again, from the last checkpoint, when a device or worker went away.

    Args:
      session_creator: what makes the session, a ChiefSessionCreator when None.
      hooks: SessionRunHooks. stop_grace_period_secs: how long threads may take to end.
    """

    def __init__(
        self, session_creator: SessionCreator | None = None, hooks: Sequence[SessionRunHook] | None = None,
        stop_grace_period_secs: float = 120,
    ) -> None:  # fmt: skip
        super().__init__(session_creator, hooks, True, stop_grace_period_secs)


class SingularMonitoredSession(_MonitoredSession):
    """A session with hooks that recovers from nothing; its bare session may be had."""

    def __init__(
        self, hooks: Sequence[SessionRunHook] | None = None, scaffold: Scaffold | None = None, master: str = "",
        config: Any = None, checkpoint_dir: Any = None, stop_grace_period_secs: float = 120,
        checkpoint_filename_with_path: Any = None,
    ) -> None:  # fmt: skip
        creator = ChiefSessionCreator(scaffold, master, config, checkpoint_dir, checkpoint_filename_with_path)
        super().__init__(creator, hooks, False, stop_grace_period_secs)

    def raw_session(self) -> Any:
        """Return the session; its runs call no hooks."""
        return self._open().session


def MonitoredTrainingSession(
    master: str = "", is_chief: bool = True, checkpoint_dir: Any = None, scaffold: Scaffold | None = None,
    hooks: Sequence[SessionRunHook] | None = None, chief_only_hooks: Sequence[SessionRunHook] | None = None,
    save_checkpoint_secs: Any = USE_DEFAULT, save_summaries_steps: Any = USE_DEFAULT, save_summaries_secs: Any = USE_DEFAULT,
    config: Any = None, stop_grace_period_secs: float = 120, log_step_count_steps: int | None = 100,
    max_wait_secs: float = 7200, save_checkpoint_steps: Any = USE_DEFAULT, summary_dir: Any = None,
    save_graph_def: bool = True,
) -> MonitoredSession:  # fmt: skip
    """Return a MonitoredSession that saves and restores checkpoints, writes summaries and logs its pace.

    Args:
      master, config: of the session. is_chief: whether this program initialises and saves; others wait `max_wait_secs` for it.
      checkpoint_dir: the folder of the checkpoints; nothing is saved when None. summary_dir: of the summaries.
      scaffold: what initialises, summarises, saves. hooks, chief_only_hooks: further hooks.
      save_checkpoint_secs, save_checkpoint_steps: how often, every 600 seconds by default; None or 0 for never.
      save_summaries_steps, save_summaries_secs: how often, every 100 steps by default.
      log_step_count_steps: how often the pace is logged. save_graph_def: whether to write graph.pbtxt and MetaGraphs.
    """
    checkpoint_secs, checkpoint_steps = _choice(save_checkpoint_secs, save_checkpoint_steps, 600)
    summary_steps, summary_secs = _choice(save_summaries_steps, save_summaries_secs, 100)
    scaffold = scaffold or Scaffold()
    if not is_chief:
        worker = WorkerSessionCreator(scaffold, master, config, max_wait_secs)
        return MonitoredSession(worker, hooks, stop_grace_period_secs)
    every: list[SessionRunHook] = list(chief_only_hooks or ())
    summaries = summary_dir or checkpoint_dir
    if summaries:
        if log_step_count_steps and log_step_count_steps > 0:
            every.append(StepCounterHook(every_n_steps=log_step_count_steps, output_dir=summaries))
        if (summary_steps or 0) > 0 or (summary_secs or 0) > 0:
            every.append(
                SummarySaverHook(
                    scaffold=scaffold, save_steps=summary_steps, save_secs=summary_secs, output_dir=summaries
                )
            )
    if checkpoint_dir and ((checkpoint_secs or 0) > 0 or (checkpoint_steps or 0) > 0):
        every.append(
            CheckpointSaverHook(
                os.fspath(checkpoint_dir), save_secs=checkpoint_secs, save_steps=checkpoint_steps, scaffold=scaffold,
                save_graph_def=save_graph_def,
            )
        )  # fmt: skip
    creator = ChiefSessionCreator(scaffold, master, config, checkpoint_dir)
    return MonitoredSession(creator, [*every, *(hooks or ())], stop_grace_period_secs)


def _choice(first: Any, second: Any, default: int) -> tuple[Any, Any]:
    """Return two ways to say how often, the first being `default` when neither is given."""
    if first is USE_DEFAULT and second is USE_DEFAULT:
        return default, None
    return (None if first is USE_DEFAULT else first), (None if second is USE_DEFAULT else second)
