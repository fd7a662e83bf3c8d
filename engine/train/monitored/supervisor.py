"""`tf.train.Supervisor`: the older way to a training program that restores, saves and summarises by itself.

Threads of its coordinator write summaries, the pace and checkpoints every few seconds; `stop` ends them, saves nothing more, and
raises what one of them met. The graph is finalised when the Supervisor is made.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ....ops.core import protos
from ....ops.core.graph import Graph, GraphKeys, get_default_graph
from ....ops.io.summaries import merge_all
from ....ops.variables import global_variables, global_variables_initializer, report_uninitialized_variables
from ...checkpoint import Saver
from ...program import log
from ...summary import FileWriter, write_graph
from ..coordinator import Coordinator, LooperThread
from ..training_util import get_global_step
from .scaffold import default_local_init_op, only_of
from .session_manager import SessionManager

_DEFAULT: Any = 0


def _or_default(given: Any, key: str, make: Callable[[], Any]) -> Any:
    """Return what was given, None included; else the only element of a collection, or a new one."""
    return only_of(key, make) if isinstance(given, int) and given == _DEFAULT else given


class Supervisor:
    """Readies sessions, and runs services beside the training loop.

    Args:
      graph: the graph, the default one when None; it is finalised.
      ready_op, ready_for_local_init_op, init_op, init_feed_dict, local_init_op, init_fn: as for a Scaffold and a
        SessionManager; None for none of them.
      is_chief: whether this program initialises and saves; others wait.
      logdir: the folder of checkpoints and summaries; no services when None.
      summary_op: the merged summaries. summary_writer: the FileWriter; None for none of them.
      saver: the Saver. global_step: its tensor or variable. save_summaries_secs, save_model_secs: how often; 0 for never.
      recovery_wait_secs: how long to wait between looks for the chief. stop_grace_secs: how long threads may take to end.
      checkpoint_basename: the checkpoints' prefix. session_manager: a SessionManager of your own.
    """

    USE_DEFAULT = _DEFAULT

    def __init__(
        self, graph: Graph | None = None, ready_op: Any = _DEFAULT, ready_for_local_init_op: Any = _DEFAULT,
        is_chief: bool = True, init_op: Any = _DEFAULT, init_feed_dict: Any = None, local_init_op: Any = _DEFAULT,
        logdir: Any = None, summary_op: Any = _DEFAULT, saver: Any = _DEFAULT, global_step: Any = _DEFAULT,
        save_summaries_secs: float = 120, save_model_secs: float = 600, recovery_wait_secs: float = 30,
        stop_grace_secs: float = 120, checkpoint_basename: str = "model.ckpt", session_manager: SessionManager | None = None,
        summary_writer: Any = _DEFAULT, init_fn: Callable[[Any], Any] | None = None, local_init_run_options: Any = None,
    ) -> None:  # fmt: skip
        self._graph = graph or get_default_graph()
        self._is_chief, self._init_feed_dict, self._init_fn = is_chief, init_feed_dict, init_fn
        self._logdir = None if logdir is None or not is_chief else os.fspath(logdir)
        self._summary_secs, self._model_secs = save_summaries_secs, save_model_secs
        self._wait, self._grace = recovery_wait_secs, stop_grace_secs
        self._save_path = os.path.join(self._logdir, checkpoint_basename) if self._logdir else None
        self._coord = Coordinator()
        self._started = False
        with self._graph.as_default():
            self._ready_op = _or_default(ready_op, GraphKeys.READY_OP, report_uninitialized_variables)
            self._ready_for_local_init_op = _or_default(
                ready_for_local_init_op, GraphKeys.READY_FOR_LOCAL_INIT_OP,
                lambda: report_uninitialized_variables(global_variables()),
            )  # fmt: skip
            self._init_op = _or_default(init_op, GraphKeys.INIT_OP, global_variables_initializer)
            self._local_init_op = _or_default(local_init_op, GraphKeys.LOCAL_INIT_OP, default_local_init_op)
            self._saver = _or_default(saver, GraphKeys.SAVERS, lambda: Saver() if global_variables() else None)
            self._summary_op = _or_default(summary_op, GraphKeys.SUMMARY_OP, merge_all)
            self._global_step = get_global_step() if _is_default(global_step) else global_step
        self._summary_writer = self._writer_for(summary_writer)
        self._session_manager = session_manager or SessionManager(
            local_init_op=self._local_init_op, ready_op=self._ready_op, graph=self._graph,
            ready_for_local_init_op=self._ready_for_local_init_op if self._local_init_op is not None else None,
            recovery_wait_secs=recovery_wait_secs, local_init_run_options=local_init_run_options,
        )  # fmt: skip
        self._check_devices()
        self._graph.finalize()

    def _check_devices(self) -> None:
        """Raise ValueError where a worker that is not the chief has variables that were given no device."""
        for op in () if self._is_chief else self._graph.get_operations():
            if op.type in ("Variable", "VariableV2") and not op.device:
                raise ValueError(f"When using replicas, all Variables must have their device set: {op}")

    def _writer_for(self, given: Any) -> Any:
        if not _is_default(given):
            return given
        return FileWriter(self._logdir) if self._logdir else None

    # -- facts -----------------------------------------------------------------------------------------------------

    @property
    def is_chief(self) -> bool:
        """Whether this program initialises and saves."""
        return self._is_chief

    @property
    def session_manager(self) -> SessionManager:
        """What readies sessions."""
        return self._session_manager

    @property
    def coord(self) -> Coordinator:
        """The Coordinator of the threads."""
        return self._coord

    @property
    def init_op(self) -> Any:
        """The operation that initialises the model."""
        return self._init_op

    @property
    def init_feed_dict(self) -> Any:
        """What is fed to `init_op`."""
        return self._init_feed_dict

    @property
    def ready_op(self) -> Any:
        """The tensor that names what is not initialised."""
        return self._ready_op

    @property
    def ready_for_local_init_op(self) -> Any:
        """The tensor that names what has to be initialised before the local initialiser."""
        return self._ready_for_local_init_op

    @property
    def summary_writer(self) -> Any:
        """The FileWriter, None without a folder."""
        return self._summary_writer

    @property
    def summary_op(self) -> Any:
        """The merged summaries, None when there are none."""
        return self._summary_op

    @property
    def save_summaries_secs(self) -> float:
        """How often summaries are written, in seconds."""
        return self._summary_secs

    @property
    def save_model_secs(self) -> float:
        """How often checkpoints are written, in seconds."""
        return self._model_secs

    @property
    def global_step(self) -> Any:
        """The global step, None when there is none."""
        return self._global_step

    @property
    def saver(self) -> Any:
        """The Saver, None when there is nothing to save."""
        return self._saver

    @property
    def save_path(self) -> str | None:
        """The prefix of the checkpoints, None without a folder."""
        return self._save_path

    # -- sessions --------------------------------------------------------------------------------------------------

    def prepare_or_wait_for_session(
        self, master: str = "", config: Any = None, wait_for_checkpoint: bool = False, max_wait_secs: float = 7200,
        start_standard_services: bool = True,
    ) -> Any:  # fmt: skip
        """Return a session whose model is ready, with the services and queue runners started."""
        self._coord.clear_stop()
        if self._summary_writer is not None:
            self._summary_writer.reopen()
        if self._is_chief:
            sess = self._session_manager.prepare_session(
                master, init_op=self._init_op, saver=self._saver, checkpoint_dir=self._logdir,
                wait_for_checkpoint=wait_for_checkpoint, max_wait_secs=max_wait_secs, config=config,
                init_feed_dict=self._init_feed_dict, init_fn=self._init_fn,
            )  # fmt: skip
            self._write_graph()
            if start_standard_services:
                self.start_standard_services(sess)
        else:
            sess = self._session_manager.wait_for_session(master, config=config, max_wait_secs=max_wait_secs)
        if start_standard_services:
            self.start_queue_runners(sess)
        return sess

    @contextmanager
    def managed_session(
        self,
        master: str = "",
        config: Any = None,
        start_standard_services: bool = True,
        close_summary_writer: bool = True,
    ) -> Iterator[Any]:
        """Give a session for the training loop; at the end, or on an error, all threads are stopped and it is closed."""
        sess = None
        try:
            sess = self.prepare_or_wait_for_session(
                master, config=config, start_standard_services=start_standard_services
            )
            yield sess
        except Exception as error:
            self.request_stop(error)
        finally:
            try:
                self.stop(close_summary_writer=close_summary_writer)
            finally:
                if sess is not None:
                    sess.close()

    def _write_graph(self) -> None:
        if self._logdir:
            write_graph(self._graph, self._logdir, "graph.pbtxt")
        if self._summary_writer is not None:
            self._summary_writer.add_graph(self._graph)

    def start_queue_runners(self, sess: Any, queue_runners: Sequence[Any] | None = None) -> list[Any]:
        """Start the threads of queue runners, all those of the graph when None; return the threads."""
        runners = self._graph.get_collection(GraphKeys.QUEUE_RUNNERS) if queue_runners is None else queue_runners
        return [
            thread
            for runner in runners
            for thread in runner.create_threads(sess, coord=self._coord, daemon=True, start=True)
        ]

    # -- services --------------------------------------------------------------------------------------------------

    def start_standard_services(self, sess: Any) -> list[LooperThread]:
        """Start the threads that write summaries, the pace and checkpoints; return them.

        Raises:
          RuntimeError: when this is not the chief. ValueError: without a folder.
        """
        if not self._is_chief:
            raise RuntimeError(
                "Only chief supervisor can start standard services. Because only chief supervisors can write events."
            )
        if not self._logdir:
            log.warning("Standard services need a 'logdir' passed to the SessionManager")
            return []
        if self._global_step is not None and self._summary_writer is not None:
            status = protos.SessionLog(status=protos.SessionLog.START)
            self._summary_writer.add_session_log(status, int(sess.run(self._global_step)))
        services: list[tuple[float, Callable[[], None]]] = []
        if self._summary_op is not None and self._summary_writer is not None and self._summary_secs > 0:
            services.append((self._summary_secs, lambda: self.summary_computed(sess, sess.run(self._summary_op))))
        if self._global_step is not None and self._summary_writer is not None and self._summary_secs > 0:
            services.append((self._summary_secs, _Pace(self, sess)))
        if self._saver is not None and self._model_secs > 0:
            services.append((self._model_secs, lambda: self._save(sess)))
        threads = [LooperThread(self._coord, seconds, target=service) for seconds, service in services]
        for thread in threads:
            thread.start()
        return threads

    def _save(self, sess: Any) -> None:
        self._saver.save(sess, self._save_path, global_step=self._global_step)
        if self._summary_writer is not None and self._global_step is not None:
            status = protos.SessionLog(status=protos.SessionLog.CHECKPOINT, checkpoint_path=self._save_path)
            self._summary_writer.add_session_log(status, int(sess.run(self._global_step)))

    def summary_computed(self, sess: Any, summary: Any, global_step: int | None = None) -> None:
        """Write a summary; RuntimeError when there is no writer."""
        if self._summary_writer is None:
            raise RuntimeError("Writing a summary requires a summary writer.")
        if global_step is None and self._global_step is not None:
            global_step = int(sess.run(self._global_step))
        self._summary_writer.add_summary(summary, global_step)

    def loop(
        self, timer_interval_secs: float | None, target: Callable[..., Any], args: Any = None, kwargs: Any = None
    ) -> LooperThread:
        """Start a thread that calls a function every so many seconds until the end, and return it."""
        return LooperThread.loop(self._coord, timer_interval_secs, target, args=args, kwargs=kwargs)

    # -- the end ---------------------------------------------------------------------------------------------------

    def stop(self, threads: Any = None, close_summary_writer: bool = True, ignore_live_threads: bool = False) -> None:
        """Stop the services and wait for their threads; raise the first error that one of them met."""
        self._coord.request_stop()
        try:
            self._coord.join(threads, stop_grace_period_secs=self._grace, ignore_live_threads=ignore_live_threads)
        finally:
            if close_summary_writer and self._summary_writer is not None:
                status = protos.SessionLog(status=protos.SessionLog.STOP)
                self._summary_writer.add_session_log(status)
                self._summary_writer.close()

    def request_stop(self, ex: Any = None) -> None:
        """Ask the services and the loop to stop; `ex` is raised by `stop`."""
        self._coord.request_stop(ex)

    def should_stop(self) -> bool:
        """Tell whether the loop has to end."""
        return self._coord.should_stop()

    def stop_on_exception(self) -> Any:
        """Return a context that asks all to stop when the code inside raises."""
        return self._coord.stop_on_exception()

    def wait_for_stop(self) -> None:
        """Wait until a stop is asked for."""
        self._coord.wait_for_stop()

    PrepareSession, ManagedSession, StartQueueRunners = (
        prepare_or_wait_for_session,
        managed_session,
        start_queue_runners,
    )
    StartStandardServices, SummaryComputed, Loop, Stop = start_standard_services, summary_computed, loop, stop
    RequestStop, ShouldStop, StopOnException, WaitForStop = request_stop, should_stop, stop_on_exception, wait_for_stop


def _is_default(given: Any) -> bool:
    return isinstance(given, int) and given == _DEFAULT


class _Pace:
    """Writes how many global steps passed in a second since the call before."""

    def __init__(self, supervisor: Supervisor, sess: Any) -> None:
        self._supervisor, self._sess = supervisor, sess
        self._time, self._step = time.time(), int(sess.run(supervisor.global_step))

    def __call__(self) -> None:
        step, now = int(self._sess.run(self._supervisor.global_step)), time.time()
        pace = (step - self._step) / (now - self._time) if now > self._time else float("inf")
        self._time, self._step = now, step
        value = protos.Summary.Value(tag=f"{self._supervisor.global_step.op.name}/sec", simple_value=pace)
        self._supervisor.summary_computed(self._sess, protos.Summary(value=[value]), step)


def basic_train_loop(
    supervisor: Supervisor, train_step_fn: Callable[..., Any], args: Any = None, kwargs: Any = None, master: str = ""
) -> None:
    """Call `train_step_fn(session, *args, **kwargs)` in a managed session until the supervisor stops."""
    with supervisor.managed_session(master) as sess:
        while not supervisor.should_stop():
            train_step_fn(sess, *(args or ()), **(kwargs or {}))
