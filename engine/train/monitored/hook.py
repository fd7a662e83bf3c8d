"""What a hook is: an object that a monitored session calls around each run, and what it is told and may ask for."""

from __future__ import annotations

from typing import Any, NamedTuple


class SessionRunArgs(NamedTuple):
    """What a hook wants run besides: `fetches` in any structure, `feed_dict`, and RunOptions."""

    fetches: Any
    feed_dict: Any = None
    options: Any = None


class SessionRunValues(NamedTuple):
    """What a run gave: `results` in the structure of the hook's fetches, RunOptions and RunMetadata."""

    results: Any
    options: Any
    run_metadata: Any


class SessionRunContext:
    """What a hook sees of a run: the session, what the program asked for, and a way to end the loop."""

    def __init__(self, original_args: SessionRunArgs, session: Any) -> None:
        self._original_args, self._session, self._stop_requested = original_args, session, False

    @property
    def original_args(self) -> SessionRunArgs:
        """The fetches and feeds of the program's own `run`."""
        return self._original_args

    @property
    def session(self) -> Any:
        """The session that runs."""
        return self._session

    @property
    def stop_requested(self) -> bool:
        """Whether a hook asked for an end."""
        return self._stop_requested

    def request_stop(self) -> None:
        """Ask for an end: from now on the session's `should_stop` is true."""
        self._stop_requested = True


class SessionRunHook:
    """Base class of hooks: every method may be left as it is."""

    def begin(self) -> None:
        """Add nodes; called once, before the graph is finalised."""

    def after_create_session(self, session: Any, coord: Any) -> None:
        """See a new session, and the Coordinator of its threads; also called after a recovery."""

    def before_run(self, run_context: SessionRunContext) -> SessionRunArgs | None:
        """Return what to run besides, or None."""
        return None

    def after_run(self, run_context: SessionRunContext, run_values: SessionRunValues) -> None:
        """See what the run gave; not called when it raised."""

    def end(self, session: Any) -> None:
        """Finish with the session still open; not called when the loop ended by an error."""
