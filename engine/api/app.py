"""`tf.app`."""

from ..program.app import run
from . import flags

__all__ = ["flags", "run"]
