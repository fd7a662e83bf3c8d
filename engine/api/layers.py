"""`tf.layers`."""

from ...ops.layers.core_layers import *  # noqa: F403
from ...ops.layers.images import *  # noqa: F403
