"""`tf.contrib.training`."""

from ...contrib.evaluation import StopAfterNEvalsHook, SummaryAtEndHook, get_or_create_eval_step
from ...contrib.hparams import HParams, parse_values
from ...contrib.optimizing import (
    add_gradients_summaries,
    clip_gradient_norms,
    clip_gradient_norms_fn,
    create_train_op,
    multiply_gradients,
)
from ...contrib.training import evaluate_once, evaluate_repeatedly, train, wait_for_new_checkpoint
from ...train.warm_start import checkpoints_iterator

__all__ = [
    "HParams", "StopAfterNEvalsHook", "SummaryAtEndHook", "add_gradients_summaries", "checkpoints_iterator",
    "clip_gradient_norms", "clip_gradient_norms_fn", "create_train_op", "evaluate_once", "evaluate_repeatedly",
    "get_or_create_eval_step", "multiply_gradients", "parse_values", "train", "wait_for_new_checkpoint",
]  # fmt: skip
