"""`tf.nn`."""

from ...ops.layers.dropout import dropout as dropout
from ...ops.nn import *  # noqa: F403
