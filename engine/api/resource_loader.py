"""`tf.resource_loader`."""

from ..program.places import *  # noqa: F403
