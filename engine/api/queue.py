"""`tf.queue`."""

from ...ops.queue import FIFOQueue as FIFOQueue
from ...ops.queue import PaddingFIFOQueue as PaddingFIFOQueue
from ...ops.queue import PriorityQueue as PriorityQueue
from ...ops.queue import QueueBase as QueueBase
from ...ops.queue import RandomShuffleQueue as RandomShuffleQueue
