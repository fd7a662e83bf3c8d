"""`tf.train`."""

from ...placement.replica import replica_device_setter
from ..checkpoint import *  # noqa: F403
from ..checkpoint import __all__ as _checkpoint
from ..summary import summary_iterator, write_graph
from ..train import *  # noqa: F403
from ..train import __all__ as _train

__all__ = ["replica_device_setter", "summary_iterator", "write_graph", *_checkpoint, *_train]
