"""Input pipelines of queues: producers and batches, and the threads that fill them."""

from .input import *  # noqa: F403
from .input import __all__ as _input
from .queue_runner import QueueRunner, add_queue_runner, start_queue_runners

__all__ = ["QueueRunner", "add_queue_runner", "start_queue_runners", *_input]
