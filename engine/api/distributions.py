"""`tf.distributions`."""

from ...ops.layers.distributions import *  # noqa: F403
