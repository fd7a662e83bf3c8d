"""`tf.estimator.train_and_evaluate`: training with an evaluation, and an export, at every checkpoint."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ..train.monitored import CheckpointSaverListener
from .estimator import Estimator


class TrainSpec(NamedTuple):
    """What to train with: an input function, the global step to stop at, hooks and checkpoint listeners."""

    input_fn: Callable[..., Any]
    max_steps: int | None = None
    hooks: Sequence[Any] = ()
    saving_listeners: Sequence[Any] = ()


class EvalSpec(NamedTuple):
    """What to evaluate with: an input function, how many batches, a name, hooks, exporters.

    `start_delay_secs` and `throttle_secs` are accepted: every checkpoint is evaluated when it is written.
    """

    input_fn: Callable[..., Any]
    steps: int | None = 100
    name: str | None = None
    hooks: Sequence[Any] = ()
    exporters: Any = ()
    start_delay_secs: float = 120
    throttle_secs: float = 600


class Exporter:
    """Base class of what is made of a model after an evaluation: a `name`, which is its folder's, and `export`."""

    name: str

    def export(
        self, estimator: Estimator, export_path: str, checkpoint_path: Any, eval_result: Any, is_the_final_export: bool
    ) -> bytes | None:
        """Export into a new folder of `export_path`, and return its path; None when nothing was exported."""
        raise NotImplementedError(type(self).__name__)


class FinalExporter(Exporter):
    """Exports a SavedModel once, when the training is over."""

    _ONLY_AT_THE_END = True

    def __init__(
        self, name: str, serving_input_receiver_fn: Callable[[], Any], assets_extra: Any = None, as_text: bool = False
    ) -> None:
        self.name = name
        self._receiver, self._assets, self._as_text = serving_input_receiver_fn, assets_extra, as_text

    def export(
        self, estimator: Estimator, export_path: str, checkpoint_path: Any, eval_result: Any, is_the_final_export: bool
    ) -> bytes | None:
        """Export into a new folder of `export_path`, and return its path; None when it is not the time."""
        if self._ONLY_AT_THE_END and not is_the_final_export:
            return None
        return estimator.export_saved_model(export_path, self._receiver, self._assets, self._as_text, checkpoint_path)


class LatestExporter(FinalExporter):
    """Exports a SavedModel after every evaluation, and keeps the newest ones; all when `exports_to_keep` is None."""

    _ONLY_AT_THE_END = False

    def __init__(
        self, name: str, serving_input_receiver_fn: Callable[[], Any], assets_extra: Any = None, as_text: bool = False,
        exports_to_keep: int | None = 5,
    ) -> None:  # fmt: skip
        super().__init__(name, serving_input_receiver_fn, assets_extra, as_text)
        if exports_to_keep is not None and exports_to_keep <= 0:
            raise ValueError(f"`exports_to_keep`, if provided, must be a positive number. Got {exports_to_keep}")
        self._keep = exports_to_keep

    def export(
        self, estimator: Estimator, export_path: str, checkpoint_path: Any, eval_result: Any, is_the_final_export: bool
    ) -> bytes | None:
        """Export into a new folder of `export_path`, and return its path; remove the oldest ones beyond what is kept."""
        made = super().export(estimator, export_path, checkpoint_path, eval_result, is_the_final_export)
        old = sorted((name for name in os.listdir(export_path) if name.isdigit()), key=int)
        for name in old[: -self._keep] if self._keep else ():
            shutil.rmtree(os.path.join(export_path, name))
        return made


def _smaller_loss(best_eval_result: Any, current_eval_result: Any) -> bool:
    for result in (best_eval_result, current_eval_result):
        if not result or "loss" not in result:
            raise ValueError("best_eval_result cannot be empty or no loss is found in it: give a compare_fn.")
    return bool(best_eval_result["loss"] > current_eval_result["loss"])


class BestExporter(LatestExporter):
    """Exports a SavedModel where an evaluation gave better results than all before it.

    Args:
      compare_fn: takes the best results and the current ones, and tells whether these are better; by default, a smaller "loss".
      event_file_pattern: accepted; results of earlier processes are not read.
      exports_to_keep: how many of the newest stay; all when it is None.
    """

    def __init__(
        self, name: str = "best_exporter", serving_input_receiver_fn: Any = None, event_file_pattern: str | None = None,
        compare_fn: Callable[..., bool] = _smaller_loss, assets_extra: Any = None, as_text: bool = False,
        exports_to_keep: int | None = 5,
    ) -> None:  # fmt: skip
        if compare_fn is None:
            raise ValueError("`compare_fn` must not be None.")
        super().__init__(name, serving_input_receiver_fn, assets_extra, as_text, exports_to_keep)
        self._is_better = compare_fn
        self._best: Any = None

    def export(
        self, estimator: Estimator, export_path: str, checkpoint_path: Any, eval_result: Any, is_the_final_export: bool
    ) -> bytes | None:
        """Export when the results are the best so far, and return the folder's path; None otherwise."""
        if self._best is not None and not self._is_better(best_eval_result=self._best, current_eval_result=eval_result):
            return None
        self._best = eval_result
        return super().export(estimator, export_path, checkpoint_path, eval_result, is_the_final_export)


class Evaluating(CheckpointSaverListener):
    """Evaluates the checkpoints that training writes, the first one excepted."""

    def __init__(self, evaluate: Callable[[bool], Any]) -> None:
        self._evaluate, self._seen = evaluate, False

    def after_save(self, session: Any, global_step_value: int) -> None:
        """Evaluate."""
        if self._seen:
            self._evaluate(False)
        self._seen = True


def train_and_evaluate(estimator: Estimator, train_spec: TrainSpec, eval_spec: EvalSpec) -> tuple[Any, list[Any]]:
    """Train to `max_steps`, evaluate at every checkpoint and at the end; return the last metrics and exports' paths."""
    last: dict[str, Any] = {}

    def evaluate(final: bool) -> None:
        path = estimator.latest_checkpoint()
        last["metrics"] = estimator.evaluate(eval_spec.input_fn, eval_spec.steps, eval_spec.hooks, path, eval_spec.name)
        last["exports"] = [
            exporter.export(
                estimator, os.path.join(estimator.model_dir, "export", exporter.name), path, last["metrics"], final
            )
            for exporter in _listed(eval_spec.exporters)
        ]

    listeners = [*train_spec.saving_listeners, Evaluating(evaluate)]
    estimator.train(
        train_spec.input_fn, hooks=train_spec.hooks, max_steps=train_spec.max_steps, saving_listeners=listeners
    )
    evaluate(True)
    return last["metrics"], last["exports"]


def _listed(exporters: Any) -> list[Any]:
    return list(exporters) if isinstance(exporters, list | tuple) else [exporters]
