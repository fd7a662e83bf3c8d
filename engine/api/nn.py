"""`tf.nn`."""

from ...ops.nn import *  # noqa: F403
