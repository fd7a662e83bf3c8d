"""The one place that moves arrays between devices.

Every copy goes through `transfer` or `transfer_async` and is counted here, so "how much was copied" has one answer. The
order between streams is kept by the devices' `put`, `get_async` and `receive`: a copy starts after the work that makes
the array, and what is launched on the destination afterwards waits for the copy.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np

from .device import Device, Pending
from .types import Array


@dataclass(frozen=True)
class Traffic:
    """How many copies went one way, and their bytes."""

    count: int = 0
    nbytes: int = 0


@dataclass
class TransferCounter:
    """Copies by (source, destination), by the devices' full names. `traffic` is the state; a lock guards it."""

    traffic: dict[tuple[str, str], Traffic] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, source: Device, destination: Device, nbytes: int) -> None:
        """Count one copy."""
        way = (source.name, destination.name)
        with self._lock:
            before = self.traffic.get(way, Traffic())
            self.traffic[way] = Traffic(before.count + 1, before.nbytes + nbytes)

    def reset(self) -> None:
        """Start again from nothing."""
        with self._lock:
            self.traffic = {}

    @property
    def count(self) -> int:
        """All copies together."""
        return sum(traffic.count for traffic in self.traffic.values())

    @property
    def nbytes(self) -> int:
        """The bytes of all copies together."""
        return sum(traffic.nbytes for traffic in self.traffic.values())


transfers = TransferCounter()


def transfer(array: Array, source: Device, destination: Device) -> Array:
    """Copy `array` from one device to another; the result is a new array of the destination.

    The host waits only where the destination is a CPU. OutOfMemory where it does not fit.
    """
    if destination.kind == "CPU" and source.kind != "CPU":
        return transfer_async(array, source, destination).wait()
    transfers.add(source, destination, array.nbytes)
    if source.kind == "CPU" and destination.kind != "CPU":
        return destination.put(np.asarray(array))
    return destination.receive(array, source)


def transfer_async(array: Array, source: Device, destination: Device) -> Pending:
    """Start copying `array` to a CPU; `wait()` of what is returned gives the NumPy array."""
    if destination.kind != "CPU":
        raise ValueError(f"transfer_async copies to the host, got {destination.name}")
    transfers.add(source, destination, array.nbytes)
    return source.get_async(array)
