"""`tf.contrib.slim.learning`: training operations."""

from ...contrib.optimizing import add_gradients_summaries, clip_gradient_norms, create_train_op, multiply_gradients

__all__ = ["add_gradients_summaries", "clip_gradient_norms", "create_train_op", "multiply_gradients"]
