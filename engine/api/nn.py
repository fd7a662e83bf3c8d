"""`tf.nn`."""

from ...ops.layers.nn import *  # noqa: F403
from ...ops.nn import *  # noqa: F403
