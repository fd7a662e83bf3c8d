"""`tf.layers`."""

from ...ops.layers.core_layers import *  # noqa: F403
