"""Where a monitored session's session comes from: a chief initialises or restores, a worker waits for the chief."""

from __future__ import annotations

from typing import Any

from ....ops.core.graph import get_default_graph
from .scaffold import Scaffold
from .session_manager import SessionManager


class SessionCreator:
    """Base class of what makes sessions."""

    def create_session(self) -> Any:
        """Return a new session, ready to run."""
        raise NotImplementedError(f"create_session is not implemented for {self!r}")


class ChiefSessionCreator(SessionCreator):
    """Makes sessions whose model is restored from a checkpoint, or initialised.

    Args:
      scaffold: what initialises and saves. master: the session's target. config: its ConfigProto.
      checkpoint_dir: the folder to look for checkpoints in; or checkpoint_filename_with_path: one checkpoint.
    """

    def __init__(
        self, scaffold: Scaffold | None = None, master: str = "", config: Any = None, checkpoint_dir: Any = None,
        checkpoint_filename_with_path: Any = None,
    ) -> None:  # fmt: skip
        self._scaffold = scaffold or Scaffold()
        self._master, self._config = master, config
        self._folder, self._prefix = checkpoint_dir, checkpoint_filename_with_path
        self._manager: SessionManager | None = None

    def create_session(self) -> Any:
        """Return a new session, ready to run; the graph is finalised."""
        self._scaffold.finalize()
        if self._manager is None:
            self._manager = _manager(self._scaffold)
        return self._manager.prepare_session(
            self._master, saver=self._scaffold.saver, checkpoint_dir=self._folder,
            checkpoint_filename_with_path=self._prefix, config=self._config, init_op=self._scaffold.init_op,
            init_feed_dict=self._scaffold.init_feed_dict, init_fn=self._scaffold.init_fn,
        )  # fmt: skip


class WorkerSessionCreator(SessionCreator):
    """Makes sessions once the chief has initialised the model; waits at most `max_wait_secs`."""

    def __init__(
        self, scaffold: Scaffold | None = None, master: str = "", config: Any = None, max_wait_secs: float = 30 * 60
    ) -> None:
        self._scaffold = scaffold or Scaffold()
        self._master, self._config, self._most = master, config, max_wait_secs

    def create_session(self) -> Any:
        """Return a new session, ready to run; the graph is finalised."""
        self._scaffold.finalize()
        return _manager(self._scaffold).wait_for_session(self._master, config=self._config, max_wait_secs=self._most)


def _manager(scaffold: Scaffold) -> SessionManager:
    return SessionManager(
        local_init_op=scaffold.local_init_op, local_init_feed_dict=scaffold.local_init_feed_dict, ready_op=scaffold.ready_op,
        ready_for_local_init_op=scaffold.ready_for_local_init_op, graph=get_default_graph(),
    )  # fmt: skip
