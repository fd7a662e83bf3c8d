"""`tf.train.SessionManager`: sessions whose model is initialised, from a checkpoint where there is one."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ....ops.core.errors import DeadlineExceededError, FailedPreconditionError
from ....ops.core.graph import Graph, get_default_graph
from ...checkpoint import checkpoint_exists, get_checkpoint_state
from ...program import log
from ...session import Session


class SessionManager:
    """Makes sessions and readies them.

    Args:
      local_init_op, local_init_feed_dict: run in every new session once `ready_for_local_init_op` is satisfied.
      ready_op, ready_for_local_init_op: tensors that name what is not initialised; satisfied when empty.
      graph: the graph of the sessions, the default one when None.
      recovery_wait_secs: how long to wait between two looks for a checkpoint or a ready model.
      local_init_run_options: RunOptions for `local_init_op`.
    """

    def __init__(
        self, local_init_op: Any = None, ready_op: Any = None, ready_for_local_init_op: Any = None, graph: Graph | None = None,
        recovery_wait_secs: float = 30, local_init_run_options: Any = None, local_init_feed_dict: Any = None,
    ) -> None:  # fmt: skip
        if ready_for_local_init_op is not None and local_init_op is None:
            raise ValueError("If you pass a ready_for_local_init_op you must also pass a local_init_op")
        self._graph = graph or get_default_graph()
        self._local_init_op, self._ready_op = local_init_op, ready_op
        self._ready_for_local_init_op = ready_for_local_init_op
        self._wait = recovery_wait_secs
        self._local_options, self._local_feeds = local_init_run_options, local_init_feed_dict

    def prepare_session(
        self, master: str = "", init_op: Any = None, saver: Any = None, checkpoint_dir: Any = None,
        checkpoint_filename_with_path: Any = None, wait_for_checkpoint: bool = False, max_wait_secs: float = 7200,
        config: Any = None, init_feed_dict: Any = None, init_fn: Callable[[Any], Any] | None = None,
    ) -> Any:  # fmt: skip
        """Return a session whose model comes from a checkpoint, or else from `init_op` and `init_fn`.

        Raises:
          RuntimeError: when nothing initialises the model, or it is not ready afterwards.
          ValueError: when both a folder and a checkpoint are named.
        """
        sess, loaded = self._restore(
            master, saver, checkpoint_dir, checkpoint_filename_with_path, wait_for_checkpoint, max_wait_secs, config
        )
        if not loaded:
            if init_op is None and not init_fn and self._local_init_op is None:
                raise RuntimeError("Model is not initialized and no init_op or init_fn or local_init_op was given")
            if init_op is not None:
                sess.run(init_op, feed_dict=init_feed_dict)
            if init_fn:
                init_fn(sess)
        local_ok, words = self._run_local_init(sess)
        if not local_ok:
            raise RuntimeError(
                f"Init operations did not make model ready for local_init.  Init op: {_name(init_op)}, init fn: {init_fn}, "
                f"error: {words}"
            )
        ready, words = _ready(self._ready_op, sess)
        if not ready:
            raise RuntimeError(
                f"Init operations did not make model ready.  Init op: {_name(init_op)}, init fn: {init_fn}, "
                f"local_init_op: {_name(self._local_init_op)}, error: {words}"
            )
        return sess

    def recover_session(
        self, master: str = "", saver: Any = None, checkpoint_dir: Any = None, checkpoint_filename_with_path: Any = None,
        wait_for_checkpoint: bool = False, max_wait_secs: float = 7200, config: Any = None,
    ) -> tuple[Any, bool]:  # fmt: skip
        """Return a session, and whether its model was restored from a checkpoint and is ready."""
        sess, loaded = self._restore(
            master, saver, checkpoint_dir, checkpoint_filename_with_path, wait_for_checkpoint, max_wait_secs, config
        )
        local_ok, words = self._run_local_init(sess)
        ready, more = _ready(self._ready_op, sess) if local_ok else (False, words)
        if not ready:
            log.info("Restoring model from checkpoint did not make model ready: %s", more)
            return sess, False
        return sess, loaded

    def wait_for_session(self, master: str, config: Any = None, max_wait_secs: float = float("inf")) -> Any:
        """Return a session once its model is ready, which others initialise.

        Raises:
          DeadlineExceededError: when it is not ready in `max_wait_secs`.
        """
        until = time.monotonic() + max_wait_secs
        while True:
            sess = Session(master, graph=self._graph, config=config)
            ready_for_local, words = _ready(self._ready_for_local_init_op, sess)
            if ready_for_local:
                self._run_local_init(sess)
                ready, words = _ready(self._ready_op, sess)
                if ready:
                    return sess
            sess.close()
            if time.monotonic() + self._wait > until:
                raise DeadlineExceededError(
                    None, None, f"Session was not ready after waiting {max_wait_secs} secs: {words}"
                )
            log.info("Waiting for model to be ready: %s", words)
            time.sleep(self._wait)

    def _restore(
        self, master: str, saver: Any, folder: Any, prefix: Any, wait: bool, max_wait_secs: float, config: Any
    ) -> tuple[Any, bool]:
        """Return a session, and whether a checkpoint was restored into it."""
        if folder and prefix:
            raise ValueError("Can not provide both checkpoint_dir and checkpoint_filename_with_path.")
        sess = Session(master, graph=self._graph, config=config)
        if saver is None or not (folder or prefix):
            return sess, False
        if prefix:
            saver.restore(sess, prefix)
            return sess, True
        until = time.monotonic() + max_wait_secs
        state = get_checkpoint_state(folder)
        while not state or not checkpoint_exists(state.model_checkpoint_path):
            if not wait or time.monotonic() + self._wait > until:
                return sess, False
            log.info("Waiting for checkpoint to be available in %s.", folder)
            time.sleep(self._wait)
            state = get_checkpoint_state(folder)
        saver.restore(sess, state.model_checkpoint_path)
        saver.recover_last_checkpoints(state.all_model_checkpoint_paths)
        return sess, True

    def _run_local_init(self, sess: Any) -> tuple[bool, str | None]:
        """Run the local initialiser if the model is ready for it; return that, and what is missing."""
        if self._local_init_op is None:
            return True, None
        ready, words = _ready(self._ready_for_local_init_op, sess)
        if ready:
            sess.run(self._local_init_op, feed_dict=self._local_feeds, options=self._local_options)
        return ready, words


def _name(op: Any) -> Any:
    return getattr(op, "name", op)


def _ready(ready_op: Any, sess: Any) -> tuple[bool, str | None]:
    """Tell whether nothing is uninitialised, and what is."""
    if ready_op is None:
        return True, None
    try:
        missing = sess.run(ready_op)
    except FailedPreconditionError as error:
        if "uninitialized" not in str(error):
            raise
        return False, str(error)
    if missing is None or missing.size == 0:
        return True, None
    names = ", ".join(bytes(name).decode() for name in missing.ravel())
    return False, f"Variables not initialized: {names}"
