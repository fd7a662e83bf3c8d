"""`tf.estimator.train_and_evaluate`: training with an evaluation, and an export, at every checkpoint."""

from __future__ import annotations

import os
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


class FinalExporter:
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
    """Exports a SavedModel after every evaluation."""

    _ONLY_AT_THE_END = False


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
