"""`tf.losses`."""

from ...ops.layers.losses import *  # noqa: F403
