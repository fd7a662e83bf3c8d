"""`tf.contrib.learn.Experiment` and `learn_runner`: a model with its data, and the schedules that train and evaluate it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from ...checkpoint import latest_checkpoint
from ...estimator.training import Evaluating
from ...program import log
from .estimator import LearnEstimator
from .monitors import replace_monitors_with_hooks


class Experiment:
    """An estimator, how to train it, and how to evaluate it.

    Args:
      estimator: one of `tf.contrib.learn` or of `tf.estimator`. train_input_fn, eval_input_fn: their input functions.
      eval_metrics: MetricSpecs by name, for estimators of `tf.contrib.learn`.
      train_steps: the global step to stop at. eval_steps: how many batches are evaluated, all when None.
      train_monitors: monitors or hooks. eval_hooks: hooks. saving_listeners: CheckpointSaverListeners.
      min_eval_frequency: 0 to evaluate at the end only, else at every checkpoint too; `local_eval_frequency` likewise.
      train_steps_per_iteration: the steps between two evaluations of `continuous_train_and_eval`.
      export_strategies: accepted where there are none.
      eval_delay_secs, continuous_eval_throttle_secs, delay_workers_by_global_step, checkpoint_and_export,
      check_interval_secs: accepted; there is one process, which evaluates when it has trained.
    """

    def __init__(
        self, estimator: Any, train_input_fn: Callable[[], Any], eval_input_fn: Callable[[], Any],
        eval_metrics: Any = None, train_steps: int | None = None, eval_steps: int | None = 100, train_monitors: Any = None,
        eval_hooks: Any = None, local_eval_frequency: int | None = None, eval_delay_secs: float = 120,
        continuous_eval_throttle_secs: float = 60, min_eval_frequency: int | None = None,
        delay_workers_by_global_step: bool = False, export_strategies: Any = None,
        train_steps_per_iteration: int | None = None, checkpoint_and_export: bool = False, saving_listeners: Any = None,
        check_interval_secs: float = 5,
    ) -> None:  # fmt: skip
        if export_strategies:
            raise ValueError("export_strategies are not there: export with estimator.export_savedmodel")
        if eval_metrics and not isinstance(estimator, LearnEstimator):
            raise ValueError("`eval_metrics` must be `None` when `estimator` is a tf.estimator.Estimator")
        self.estimator, self.eval_metrics = estimator, eval_metrics
        self.train_steps, self.eval_steps = train_steps, eval_steps
        self._train_input_fn, self._eval_input_fn = train_input_fn, eval_input_fn
        self._hooks, self._eval_hooks = list(train_monitors or ()), list(eval_hooks or ())
        self._listeners = list(saving_listeners or ())
        frequency = min_eval_frequency if min_eval_frequency is not None else local_eval_frequency
        self._at_checkpoints = frequency is None or frequency > 0
        self._per_iteration = train_steps_per_iteration

    def extend_train_hooks(self, additional_hooks: Any) -> None:
        """Add hooks to the training."""
        self._hooks.extend(additional_hooks)

    def train(self, delay_secs: float | None = None) -> Any:
        """Train to `train_steps`, and return the estimator."""
        return self._train(self.train_steps, [])

    def _train(self, max_steps: int | None, listeners: list[Any]) -> Any:
        hooks = replace_monitors_with_hooks(self._hooks, self.estimator)
        return self.estimator.train(
            self._train_input_fn, hooks=hooks, max_steps=max_steps, saving_listeners=[*self._listeners, *listeners]
        )

    def evaluate(self, delay_secs: float | None = None, name: str | None = None) -> dict[str, Any]:
        """Return the metrics of the latest checkpoint."""
        return self._evaluate(self._eval_input_fn, self.eval_steps, name)

    def _evaluate(self, input_fn: Callable[[], Any], steps: int | None, name: str | None) -> dict[str, Any]:
        asked = {"metrics": self.eval_metrics} if isinstance(self.estimator, LearnEstimator) else {}
        found: dict[str, Any] = self.estimator.evaluate(
            input_fn=input_fn, steps=steps, name=name, hooks=self._eval_hooks, **asked
        )
        return found

    def train_and_evaluate(self) -> tuple[dict[str, Any], list[Any]]:
        """Train, evaluating on the way; return the last metrics and a list of exports, which is empty."""
        listeners = [Evaluating(lambda final: self.evaluate(name="local"))] if self._at_checkpoints else []
        self._train(self.train_steps, listeners)
        return self.evaluate(name="local" if self._at_checkpoints else None), []

    def local_run(self) -> tuple[dict[str, Any], list[Any]]:
        """Train and evaluate."""
        return self.train_and_evaluate()

    def continuous_train_and_eval(
        self, continuous_eval_predicate_fn: Callable[[Any], bool] | None = None
    ) -> tuple[dict[str, Any] | None, list[Any]]:
        """Train and evaluate in turns, to `train_steps` or until the function of the last metrics returns False."""
        if self._per_iteration is None and self.train_steps is None and continuous_eval_predicate_fn is None:
            raise ValueError(
                "train_steps, train_steps_per_iteration or continuous_eval_predicate_fn must say when to end"
            )
        turn = self._per_iteration or (self.train_steps or 0) // 10 or 1000
        found: dict[str, Any] | None = None
        done = 0 if found is None else found["global_step"]
        while (self.train_steps is None or done < self.train_steps) and (
            continuous_eval_predicate_fn is None or continuous_eval_predicate_fn(found)
        ):
            self._train(min(done + turn, self.train_steps or done + turn), [])
            found = self.evaluate(name="one_pass")
            if int(found["global_step"]) <= done:
                break
            done = int(found["global_step"])
        return found, []

    def continuous_eval(
        self, delay_secs: float | None = None, throttle_delay_secs: float | None = None,
        evaluate_checkpoint_only_once: bool = True, continuous_eval_predicate_fn: Callable[[Any], bool] | None = None,
        name: str = "continuous",
    ) -> dict[str, Any] | None:  # fmt: skip
        """Evaluate each new checkpoint until `train_steps` is reached or the function of the last metrics returns False.

        There is one process, so no checkpoint is waited for: when the latest one is evaluated, this ends.
        """
        found: dict[str, Any] | None = None
        seen = None
        while continuous_eval_predicate_fn is None or continuous_eval_predicate_fn(found):
            path = latest_checkpoint(self.estimator.model_dir)
            if path is None or path == seen:
                break
            seen, found = path, self.evaluate(name=name)
        return found

    def continuous_eval_on_train_data(
        self, delay_secs: float | None = None, throttle_delay_secs: float | None = None,
        continuous_eval_predicate_fn: Callable[[Any], bool] | None = None, name: str = "continuous_on_train_data",
    ) -> dict[str, Any]:  # fmt: skip
        """Return the metrics of the latest checkpoint on the data of the training."""
        return self._evaluate(self._train_input_fn, self.eval_steps, name)

    def run_std_server(self) -> None:
        """Raise: there is no cluster."""
        raise ValueError("run_std_server needs a cluster, and there is one process only")

    def test(self) -> tuple[dict[str, Any], list[Any]]:
        """Train one step and evaluate one batch."""
        self._train(1, [])
        return self._evaluate(self._eval_input_fn, 1, "one_pass"), []


def run(
    experiment_fn: Callable[..., Experiment], output_dir: str | None = None, schedule: str | None = None,
    run_config: Any = None, hparams: Any = None,
) -> Any:  # fmt: skip
    """Make an Experiment and run the schedule, `train_and_evaluate` when None; return what the schedule does.

    Args:
      experiment_fn: a function of `output_dir`, or of `run_config` and perhaps `hparams`.
      output_dir: the model's folder. run_config: a RunConfig with a `model_dir`; one of both.

    Raises:
      ValueError: when both are given or neither, or there is no such schedule.
    """
    if output_dir is not None and run_config is not None:
        raise ValueError("Cannot provide both `output_dir` and `run_config`")
    if output_dir is None and run_config is None:
        raise ValueError("Must set value for `output_dir` or `run_config`")
    if run_config is not None:
        takes = inspect.signature(experiment_fn).parameters
        experiment = experiment_fn(run_config, hparams) if len(takes) > 1 else experiment_fn(run_config)
    else:
        experiment = experiment_fn(output_dir)
    if not isinstance(experiment, Experiment):
        raise TypeError(f"Experiment builder did not return an Experiment instance, got {type(experiment)} instead.")
    chosen = schedule or "train_and_evaluate"
    task = getattr(experiment, chosen, None)
    if chosen.startswith("_") or not callable(task):
        schedules = sorted(name for name, value in vars(Experiment).items() if callable(value) and name[0] != "_")
        raise ValueError(f"Schedule references non-existent task {chosen!r}; there are {', '.join(schedules)}")
    log.info("Running the schedule %s.", chosen)
    return task()


def tune(experiment_fn: Callable[..., Experiment], tuner: Any) -> None:
    """Train and evaluate an Experiment for each trial that a tuner gives, and report its metrics."""
    while tuner.next_trial():
        config, hparams = tuner.run_config, tuner.hparams
        experiment = experiment_fn(config, hparams)
        metrics, _ = experiment.train_and_evaluate()
        tuner.report_measure(metrics, metrics.get("global_step"))
