"""`tf.profiler`."""

from ..program.profiler import ProfileOptionBuilder, profile

__all__ = ["ProfileOptionBuilder", "profile"]
