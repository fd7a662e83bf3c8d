"""`tf.errors`."""

from ...ops.core.errors import *  # noqa: F403
