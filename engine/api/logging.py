"""`tf.logging`."""

from ..program.log import *  # noqa: F403
