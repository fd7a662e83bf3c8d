"""`tf.contrib.training`'s loops: training in a MonitoredSession, and evaluating checkpoints, one or all that come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...ops.core.convert import convert_to_tensor
from ...ops.state import assign_add
from ..train.monitored import ChiefSessionCreator, FinalOpsHook, MonitoredSession, MonitoredTrainingSession, Scaffold
from ..train.warm_start import checkpoints_iterator, next_checkpoint
from .evaluation import get_or_create_eval_step

__all__ = ["evaluate_once", "evaluate_repeatedly", "train", "wait_for_new_checkpoint"]


def train(
    train_op: Any, logdir: Any, master: str = "", is_chief: bool = True, scaffold: Any = None, hooks: Any = None,
    chief_only_hooks: Any = None, save_checkpoint_secs: float | None = 600, save_summaries_steps: int | None = 100,
    config: Any = None, max_wait_secs: float = 7200, run_metadata: Any = None,
) -> Any:  # fmt: skip
    """Run `train_op` until a hook, or the end of the inputs, stops it.

    Args:
      train_op: a tensor that makes a step and gives the loss, as `create_train_op` returns it.
      logdir: the folder for checkpoints and summaries; None for neither.
      scaffold, hooks, chief_only_hooks, save_checkpoint_secs, save_summaries_steps, config, max_wait_secs: as for a
        MonitoredTrainingSession.
      run_metadata: filled in by every step.

    Returns:
      The loss of the last step, None when there was none.

    Raises:
      ValueError: when checkpoints or summaries are wanted without a folder.
    """
    if logdir is None and is_chief:
        if save_summaries_steps:
            raise ValueError("logdir cannot be None when save_summaries_steps is not None")
        if save_checkpoint_secs:
            raise ValueError("logdir cannot be None when save_checkpoint_secs is not None")
    loss = None
    with MonitoredTrainingSession(
        master=master, is_chief=is_chief, checkpoint_dir=logdir, scaffold=scaffold, hooks=hooks,
        chief_only_hooks=chief_only_hooks, save_checkpoint_secs=save_checkpoint_secs,
        save_summaries_steps=save_summaries_steps, config=config, max_wait_secs=max_wait_secs,
    ) as session:  # fmt: skip
        while not session.should_stop():
            loss = session.run(train_op, run_metadata=run_metadata)
    return loss


class _Evaluation:
    """What the evaluations of one graph share, made before the first of them finalises the graph."""

    def __init__(
        self,
        ops: Any,
        feeds: Any,
        final_ops: Any,
        final_feeds: Any,
        hooks: Any,
        scaffold: Any,
        master: str,
        config: Any,
    ) -> None:
        step = get_or_create_eval_step()
        counted = assign_add(step, convert_to_tensor(1, step.dtype.base_dtype))
        self._ops = None if ops is None else [ops, counted]
        self._feeds = feeds
        self._final = FinalOpsHook(final_ops, final_feeds)
        self._hooks = [*(hooks or ()), self._final]
        self._session = scaffold or Scaffold(), master, config

    def of(self, path: Any) -> Any:
        """Evaluate a checkpoint until a hook or the inputs' end stops it, and return the value of the final operations."""
        creator = ChiefSessionCreator(*self._session, checkpoint_filename_with_path=path)
        with MonitoredSession(creator, hooks=self._hooks) as session:
            while self._ops is not None and not session.should_stop():
                session.run(self._ops, self._feeds)
        return self._final.final_ops_values


def evaluate_once(
    checkpoint_path: Any, master: str = "", scaffold: Any = None, eval_ops: Any = None, feed_dict: Any = None,
    final_ops: Any = None, final_ops_feed_dict: Any = None, hooks: Any = None, config: Any = None,
) -> Any:  # fmt: skip
    """Evaluate a checkpoint: run `eval_ops` until a hook or the inputs' end stops it, then `final_ops`.

    Args:
      checkpoint_path: the checkpoint's prefix.
      eval_ops, final_ops: anything that a session fetches, each with its feed dict.
      scaffold, config: as for a MonitoredSession. hooks: SessionRunHooks, such as StopAfterNEvalsHook.

    Returns:
      The value of `final_ops`, None without them.
    """
    once = _Evaluation(eval_ops, feed_dict, final_ops, final_ops_feed_dict, hooks, scaffold, master, config)
    return once.of(checkpoint_path)


def evaluate_repeatedly(
    checkpoint_dir: Any, master: str = "", scaffold: Any = None, eval_ops: Any = None, feed_dict: Any = None,
    final_ops: Any = None, final_ops_feed_dict: Any = None, eval_interval_secs: float = 60, hooks: Any = None,
    config: Any = None, max_number_of_evaluations: int | None = None, timeout: float | None = None,
    timeout_fn: Callable[[], bool] | None = None,
) -> Any:  # fmt: skip
    """Evaluate each new checkpoint of a folder; see `evaluate_once`.

    Args:
      eval_interval_secs: the least time between two evaluations. max_number_of_evaluations: after how many to end.
      timeout: how long to wait for a new checkpoint, for ever when None. timeout_fn: asked then whether to end.

    Returns:
      The value of `final_ops` in the last evaluation.
    """
    every = _Evaluation(eval_ops, feed_dict, final_ops, final_ops_feed_dict, hooks, scaffold, master, config)
    result, done = None, 0
    for path in checkpoints_iterator(checkpoint_dir, eval_interval_secs, timeout, timeout_fn):
        result, done = every.of(path), done + 1
        if max_number_of_evaluations is not None and done >= max_number_of_evaluations:
            break
    return result


def wait_for_new_checkpoint(
    checkpoint_dir: Any, last_checkpoint: str | None = None, seconds_to_sleep: float = 1, timeout: float | None = None
) -> str | None:
    """Wait for a checkpoint of a folder other than `last_checkpoint`.

    Args:
      seconds_to_sleep: the time between two looks. timeout: how long to wait, for ever when None.

    Returns:
      The checkpoint's prefix, None when there was none in time.
    """
    return next_checkpoint(checkpoint_dir, last_checkpoint, timeout, seconds_to_sleep)
