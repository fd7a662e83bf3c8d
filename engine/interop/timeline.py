"""`tensorflow.python.client`: the Timeline of a traced run, and the list of local devices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...devices import local_devices
from ..runtime.tracing import chrome_trace


class Timeline:
    """Turns a RunMetadata's step_stats into Chrome's trace format."""

    def __init__(self, step_stats: Any, graph: Any = None) -> None:
        self._step_stats = step_stats

    def generate_chrome_trace_format(
        self, show_dataflow: bool = True, show_memory: bool = False, op_time: str = "schedule"
    ) -> str:
        """Return the trace as JSON; the flow of data and memory are not drawn."""
        return chrome_trace(self._step_stats)


@dataclass(frozen=True)
class LocalDevice:
    """What `list_local_devices` tells of a device; `name` is short, as in TensorFlow: '/device:GPU:0'."""

    name: str
    device_type: str
    memory_limit: int
    incarnation: int
    physical_device_desc: str


def list_local_devices(session_config: Any = None) -> list[LocalDevice]:
    """Return the devices that a session here would have."""
    found = []
    for device in local_devices():
        facts = device.attributes()
        short = facts.name[facts.name.index("/device:") :]
        limit = facts.memory_limit_bytes or 0
        found.append(LocalDevice(short, facts.device_type, limit, facts.incarnation, device.description))
    return found
