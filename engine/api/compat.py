"""`tf.compat`; the package's front adds `v1`, which is itself."""

from ..program.text import *  # noqa: F403
