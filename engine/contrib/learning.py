"""`tf.contrib.slim.learning.train`: a training loop with a Supervisor around it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ...ops.core.convert import constant
from ...ops.core.errors import AbortedError, OutOfRangeError
from ...ops.core.graph import get_default_graph
from ...ops.core.scopes import name_scope
from ...ops.layers.tables import tables_initializer
from ...ops.math import equal, floormod, greater_equal
from ...ops.state import group
from ...ops.variables import global_variables_initializer, local_variables_initializer, report_uninitialized_variables
from ..checkpoint import Saver
from ..program import log
from ..train.monitored.supervisor import Supervisor
from ..train.training_util import get_or_create_global_step

_DEFAULT: Any = 0


def train_step(sess: Any, train_op: Any, global_step: Any, train_step_kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """Run one step, and say in the log how it went where that is due.

    Args:
      train_step_kwargs: may hold the tensors `should_log` and `should_stop`.

    Returns:
      (the loss that `train_op` gives, whether to stop).
    """
    start = time.time()
    loss, step = sess.run([train_op, global_step])
    elapsed = time.time() - start
    if "should_log" in train_step_kwargs and sess.run(train_step_kwargs["should_log"]):
        log.info("global step %d: loss = %.4f (%.3f sec/step)", step, loss, elapsed)
    stop = "should_stop" in train_step_kwargs and sess.run(train_step_kwargs["should_stop"])
    return loss, bool(stop)


def train(
    train_op: Any, logdir: Any, train_step_fn: Callable[..., Any] = train_step, train_step_kwargs: Any = _DEFAULT,
    log_every_n_steps: int = 1, graph: Any = None, master: str = "", is_chief: bool = True, global_step: Any = None,
    number_of_steps: int | None = None, init_op: Any = _DEFAULT, init_feed_dict: Any = None, local_init_op: Any = _DEFAULT,
    init_fn: Callable[[Any], Any] | None = None, ready_op: Any = _DEFAULT, summary_op: Any = _DEFAULT,
    save_summaries_secs: float | None = 600, summary_writer: Any = _DEFAULT, startup_delay_steps: int = 0, saver: Any = None,
    save_interval_secs: float | None = 600, sync_optimizer: Any = None, session_config: Any = None,
    session_wrapper: Callable[[Any], Any] | None = None, trace_every_n_steps: int | None = None,
    ignore_live_threads: bool = False,
) -> Any:  # fmt: skip
    """Train until a number of steps, or until the inputs end, with checkpoints and summaries in `logdir`.

    Args:
      train_op: a tensor that makes a step and gives the loss, as `create_train_op` returns it.
      logdir: the folder, restored from where it holds a checkpoint; None for no files.
      train_step_fn: a function of (session, train_op, global_step, train_step_kwargs) to (loss, whether to stop).
      log_every_n_steps: how often the loss is logged; 0 for never. number_of_steps: the global step to stop at.
      init_op, init_feed_dict, local_init_op, init_fn, ready_op, summary_op, summary_writer, saver: as for a Supervisor.
      save_summaries_secs, save_interval_secs: how often summaries and checkpoints are written; 0 or None for never.
      session_wrapper: a function from the session to another one, such as a debugger's.
      master, startup_delay_steps, sync_optimizer, trace_every_n_steps: for clusters and traces; hints without effect.

    Returns:
      The loss of the last step.

    Raises:
      ValueError: when there is no train_op, for a saver or summaries without a folder, and for a number of steps below 1.
    """
    if train_op is None:
        raise ValueError("train_op cannot be None.")
    if logdir is None and not _is_default(summary_op) and summary_op is not None:
        raise ValueError("Cannot provide summary_op because logdir=None")
    if logdir is None and saver is not None:
        raise ValueError("Cannot provide saver because logdir=None")
    if number_of_steps is not None and number_of_steps <= 0:
        raise ValueError("`number_of_steps` must be either None or a positive number.")
    with (graph or get_default_graph()).as_default() as current:
        step = get_or_create_global_step() if global_step is None else global_step
        with name_scope("init_ops"):
            given = {
                "init_op": _or(init_op, global_variables_initializer),
                "ready_op": _or(ready_op, report_uninitialized_variables),
                "local_init_op": _or(local_init_op, lambda: group(local_variables_initializer(), tables_initializer())),
            }
        if _is_default(train_step_kwargs):
            train_step_kwargs = _step_arguments(step, number_of_steps, log_every_n_steps)
        supervisor = Supervisor(
            graph=current, is_chief=is_chief, logdir=logdir, init_feed_dict=init_feed_dict, init_fn=init_fn,
            summary_op=None if logdir is None else summary_op, summary_writer=summary_writer, global_step=step,
            saver=saver or Saver(), save_summaries_secs=save_summaries_secs or 0,
            save_model_secs=save_interval_secs or 0, **given,
        )  # fmt: skip
    while True:
        try:
            return _run(
                supervisor, train_op, step, train_step_fn, train_step_kwargs, session_config, session_wrapper,
                ignore_live_threads,
            )  # fmt: skip
        except AbortedError:
            log.info("Retrying training!")


def _is_default(given: Any) -> bool:
    return isinstance(given, int) and given == _DEFAULT


def _or(given: Any, make: Callable[[], Any]) -> Any:
    return make() if _is_default(given) else given


def _step_arguments(step: Any, number_of_steps: int | None, log_every_n_steps: int) -> dict[str, Any]:
    with name_scope("train_step"):
        stop = constant(False) if number_of_steps is None else greater_equal(step, number_of_steps)
        found = {"should_stop": stop}
        if log_every_n_steps > 0:
            found["should_log"] = equal(floormod(step, log_every_n_steps), 0)
        return found


def _run(
    supervisor: Supervisor, train_op: Any, step: Any, train_step_fn: Any, arguments: dict[str, Any], config: Any,
    wrapper: Any, ignore_live_threads: bool,
) -> Any:  # fmt: skip
    """Train in one session, save at the end, and return the last loss."""
    loss = None
    with supervisor.managed_session(config=config, start_standard_services=False) as opened:
        log.info("Starting Session.")
        session = opened if wrapper is None else wrapper(opened)
        if supervisor.is_chief and supervisor.save_path is not None:
            supervisor.start_standard_services(session)
        threads = supervisor.start_queue_runners(session)
        try:
            while not supervisor.should_stop():
                loss, stop = train_step_fn(session, train_op, step, arguments)
                if stop:
                    log.info("Stopping Training.")
                    supervisor.request_stop()
        except OutOfRangeError as error:
            log.info("Caught OutOfRangeError. Stopping Training. %s", error)
        if supervisor.is_chief and supervisor.save_path is not None:
            log.info("Finished training! Saving model to disk.")
            supervisor.saver.save(session, supervisor.save_path, global_step=supervisor.global_step)
        supervisor.request_stop()
        supervisor.coord.join(threads, stop_grace_period_secs=120, ignore_live_threads=ignore_live_threads)
    return loss
