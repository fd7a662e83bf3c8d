"""What the placer hands on: which device each node got and why, and which values have to be copied.

Everything here describes and decides nothing. Invariant: every node that was placed has exactly one Row, and the row's
`reason` is never empty.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..devices.device import Device
from ..ops.core.node import Operation, Tensor
from ..ops.core.registry import KernelEntry
from .memory import Homes

HOST_TO_DEVICE = "host to device"
DEVICE_TO_HOST = "device to host"
DEVICE_TO_DEVICE = "device to device"
HOST_TO_HOST = "host to host"
_DIRECTIONS = {
    ("CPU", "CPU"): HOST_TO_HOST, ("CPU", "GPU"): HOST_TO_DEVICE,
    ("GPU", "CPU"): DEVICE_TO_HOST, ("GPU", "GPU"): DEVICE_TO_DEVICE,
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """How one node was placed.

    `requested` is the node's own request ('' for none) and `requested_at` the line of its device scope; `kernel` names
    what will run; `memory` is 'host' where a node of a GPU computes a value that is only read on the host;
    `fallback` says why a request was not met ('' where it was, or where there was none).
    """

    node: str
    op_type: str
    requested: str
    assigned: str
    kernel: str
    reason: str
    created_at: str
    requested_at: str = ""
    memory: str = "device"
    fallback: str = ""


@dataclass(frozen=True)
class Copy:
    """One value that moves to another device, once, for all its consumers there.

    `nbytes` is None where the static shape does not tell. `implied` is False for copies that the user asked for: a
    feed of a placeholder that is pinned to its device, or an identity that is. `value` and `target` are for the compiler.
    """

    tensor: str
    source: str
    destination: str
    consumers: tuple[str, ...]
    nbytes: int | None
    cause: str
    implied: bool = True
    direction: str = HOST_TO_HOST
    value: Tensor | None = field(default=None, repr=False, compare=False)
    target: Device | None = field(default=None, repr=False, compare=False)


def direction_of(source: Device, destination: Device) -> str:
    """Return the direction of a copy in words."""
    return _DIRECTIONS.get((source.kind, destination.kind), f"{source.kind} to {destination.kind}")


@dataclass
class Assignment:
    """The outcome of placing: where each node computes, with which kernel (None: nothing runs), and the copies.

    `device_of` is where a node's kernel computes. It differs from its row's `assigned` only for rows in host memory.
    """

    device_of: dict[Operation, Device]
    kernel_of: dict[Operation, KernelEntry | None]
    rows: list[Row]
    homes: Homes
    devices: tuple[Device, ...]
    copies: list[Copy] = field(default_factory=list)

    @property
    def fallbacks(self) -> list[Row]:
        """The rows whose request was not met."""
        return [row for row in self.rows if row.fallback]

    def home(self, tensor: Tensor) -> Device:
        """Return the device in whose memory the value of `tensor` is."""
        device = self.homes.home(tensor)
        assert device is not None, tensor
        return device

    def wanted(self, op: Operation, index: int) -> Device | None:
        """Return the device on which `op` reads its input `index`, or None where it does not read it itself."""
        return self.homes.wanted(op, index)
