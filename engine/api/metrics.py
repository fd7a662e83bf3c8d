"""`tf.metrics`."""

from ...ops.layers.metrics import *  # noqa: F403
