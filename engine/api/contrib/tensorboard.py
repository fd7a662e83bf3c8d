"""`tf.contrib.tensorboard`."""

from types import SimpleNamespace as _Namespace

from ...contrib import projector

plugins = _Namespace(projector=projector)

__all__ = ["plugins"]
