"""Buffers of simulated GPUs: whose they are, who touched them last, and whether they are still alive.

A Buffer is one allocation; arrays are views of it. Bytes count against the device's limit from allocation until the
last view is gone or the buffer is freed. Freed and fresh memory holds a pattern that shows (0xCD bytes, which floats
print as huge numbers), so that what reads it illegally does not look right by luck.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from .device import MemoryStats
from .errors import OutOfMemory, StreamOrderError, UseAfterFree
from .simulated_clock import Machine, Moment, SimulatedStream

POISON = 0xCD
# In __del__: the buffer's attribute and getrefcount's own argument.
_OWN_REFERENCES = 2


def poison(array: np.ndarray[Any, Any]) -> None:
    """Fill an array's bytes with the pattern of memory that nobody has written."""
    if array.flags.writeable and array.flags.c_contiguous:
        array.reshape(-1).view(np.uint8)[:] = POISON


class Memory:
    """The books of one device's memory: bytes in use, their peak, the limit (0: none), and how often it allocated."""

    def __init__(self, machine: Machine, device: str, limit: int) -> None:
        self.machine = machine
        self.device = device
        self.limit = limit
        self.allocator = f"{'_'.join(device.rsplit(':', 2)[-2:])}_simulated"
        self.in_use = 0
        self.peak = 0
        self.allocations = 0
        self.late_errors: list[StreamOrderError] = []

    def take(self, shape: tuple[int, ...], dtype: Any, nbytes: int) -> None:
        """Count an allocation in; OutOfMemory where it goes over the limit."""
        with self.machine.lock:
            if self.limit and self.in_use + nbytes > self.limit:
                detail = f"{nbytes} bytes asked for, {self.in_use} of {self.limit} in use"
                raise OutOfMemory(shape, dtype, self.device, self.allocator, detail)
            self.in_use += nbytes
            self.peak = max(self.peak, self.in_use)
            self.allocations += 1

    def give_back(self, nbytes: int) -> None:
        """Count an allocation out."""
        with self.machine.lock:
            self.in_use -= nbytes

    def raise_late_errors(self) -> None:
        """Raise what a finaliser found, where nothing could be raised."""
        if self.late_errors:
            raise self.late_errors.pop(0)

    def stats(self) -> MemoryStats:
        """Return the books."""
        return MemoryStats(self.in_use, self.peak, self.limit, self.allocations)


class Buffer:
    """One allocation. `written` is its last write, `reads` the last read of each stream since."""

    __slots__ = ("__weakref__", "home", "memory", "nbytes", "reads", "root", "written")

    def __init__(self, memory: Memory, root: np.ndarray[Any, Any], home: SimulatedStream) -> None:
        self.root: np.ndarray[Any, Any] | None = None
        memory.take(root.shape, root.dtype, root.nbytes)
        self.memory = memory
        self.root = root
        self.nbytes = root.nbytes
        self.home = home
        self.written: Moment | None = None
        self.reads: dict[SimulatedStream, Moment] = {}

    def check_alive(self) -> None:
        """Raise UseAfterFree where the buffer was given back."""
        if self.root is None:
            raise UseAfterFree(f"A buffer of {self.nbytes} bytes on {self.memory.device} was used after it was freed")

    def check_read(self, stream: SimulatedStream) -> None:
        """Raise StreamOrderError unless a read on `stream` comes after the last write."""
        self.check_alive()
        if self.written is not None and not stream.follows(self.written):
            raise self._race("read", stream, "written", self.written)

    def check_write(self, stream: SimulatedStream, action: str = "written") -> None:
        """Raise StreamOrderError unless a write (or the end) on `stream` comes after every earlier use."""
        self.check_read(stream)
        for moment in self.reads.values():
            if not stream.follows(moment):
                raise self._race(action, stream, "read", moment)

    def note_read(self, moment: Moment) -> None:
        """Remember that `moment` read the buffer."""
        self.reads[moment.stream] = moment

    def note_write(self, moment: Moment) -> None:
        """Remember that `moment` wrote the buffer."""
        self.written = moment
        self.reads.clear()

    def free(self) -> None:
        """Give the memory back now: every use after this is an error, also by views."""
        self.check_write(self.home, "freed")
        assert self.root is not None
        poison(self.root)
        self._release()

    def _release(self) -> None:
        self.root = None
        self.memory.give_back(self.nbytes)

    def _race(self, action: str, stream: SimulatedStream, earlier: str, moment: Moment) -> StreamOrderError:
        return StreamOrderError(
            f"A buffer of {self.nbytes} bytes on {self.memory.device} is {action} on {stream} without waiting for "
            f"{moment.stream}, where it was {earlier}: record an event there and wait for it here"
        )

    def __del__(self) -> None:
        if self.root is None or sys.is_finalizing():
            return
        try:
            self.check_write(self.home, "freed")
        except StreamOrderError as error:
            self.memory.late_errors.append(error)
        if sys.getrefcount(self.root) > _OWN_REFERENCES:
            poison(self.root)
        self._release()
