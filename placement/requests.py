"""Matching requested device names with the devices at hand, and saying which two requests disagree."""

from __future__ import annotations

from collections.abc import Sequence

from ..devices.device import Device
from ..devices.spec import DeviceSpec, parse

_FIELDS = (
    ("job", "jobs"),
    ("replica", "replicas"),
    ("task", "tasks"),
    ("device_type", "types"),
    ("device_index", "ids"),
)


def clash(first: DeviceSpec, second: DeviceSpec) -> str | None:
    """Return what two requests disagree on ('types', 'ids', …), or None where some device can meet both."""
    for field, plural in _FIELDS:
        a, b = getattr(first, field), getattr(second, field)
        if a is not None and b is not None and a != b:
            return plural
    return None


class Matcher:
    """The devices at hand, and which of them each request means."""

    def __init__(self, devices: Sequence[Device]) -> None:
        self.devices = tuple(devices)
        self._specs = [(device, parse(device.name)) for device in self.devices]
        self._found: dict[DeviceSpec, tuple[Device, ...]] = {}

    def match(self, spec: DeviceSpec) -> tuple[Device, ...]:
        """Return the devices that a request means, in the session's order."""
        found = self._found.get(spec)
        if found is None:
            found = tuple(device for device, full in self._specs if clash(spec, full) is None)
            self._found[spec] = found
        return found

    def soften(self, spec: DeviceSpec) -> tuple[Device, ...]:
        """Return the devices that soft placement may use instead: same job and task, the same type first."""
        rescued = self.match(spec.replace(device_type=None, device_index=None))
        return tuple(sorted(rescued, key=lambda device: device.kind != spec.device_type))
