"""`tf.train`."""

from ...placement.replica import replica_device_setter
from ..train import *  # noqa: F403
from ..train import __all__ as _train

__all__ = ["replica_device_setter", *_train]
