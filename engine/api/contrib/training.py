"""`tf.contrib.training`."""

from ...contrib.hparams import HParams, parse_values
from ...contrib.optimizing import (
    add_gradients_summaries,
    clip_gradient_norms,
    clip_gradient_norms_fn,
    create_train_op,
    multiply_gradients,
)

__all__ = [
    "HParams", "add_gradients_summaries", "clip_gradient_norms", "clip_gradient_norms_fn", "create_train_op",
    "multiply_gradients", "parse_values",
]  # fmt: skip
