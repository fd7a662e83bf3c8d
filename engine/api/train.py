"""`tf.train`."""

from types import SimpleNamespace as _Namespace

from ...ops.core import protos as _protos
from ...ops.io import example_messages as _examples
from ...placement.replica import replica_device_setter
from ..checkpoint import *  # noqa: F403
from ..checkpoint import __all__ as _checkpoint
from ..queues import *  # noqa: F403
from ..queues import QueueRunner, add_queue_runner, start_queue_runners
from ..queues import __all__ as _queues
from ..summary import summary_iterator, write_graph
from ..train import *  # noqa: F403
from ..train import __all__ as _train
from ..train.coordinator import Coordinator, LooperThread
from ..train.monitored import *  # noqa: F403
from ..train.monitored import __all__ as _monitored
from ..train.monitored.cluster import server_def_class as _server_def_class
from ..train.warm_start import checkpoints_iterator, warm_start

# The module of that name, which programs reach through `tf.train`.
queue_runner = _Namespace(
    QueueRunner=QueueRunner, add_queue_runner=add_queue_runner, start_queue_runners=start_queue_runners
)

_MESSAGES = ("ClusterDef", "JobDef", "SaverDef")

__all__ = [
    "Coordinator", "LooperThread", "checkpoints_iterator", "queue_runner", "replica_device_setter", "summary_iterator",
    "warm_start", "write_graph", *_checkpoint, *_monitored, *_queues, *_train,
]  # fmt: skip


def __getattr__(name: str) -> object:
    if name in _MESSAGES:
        return getattr(_protos, name)
    if name == "ServerDef":
        return _server_def_class()
    if name in _examples.NAMES:
        return getattr(_examples.messages(), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
