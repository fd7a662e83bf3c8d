"""Input pipelines of queues: producers and batches, and the threads that fill them."""

from .input import *  # noqa: F403
from .input import __all__ as _input
from .queue_runner import QueueRunner, add_queue_runner, start_queue_runners
from .sync_replicas import SyncReplicasOptimizer

__all__ = ["QueueRunner", "SyncReplicasOptimizer", "add_queue_runner", "start_queue_runners", *_input]
