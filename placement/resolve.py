"""What a group of nodes that share a device asks for, all requests taken together.

Nodes that own a variable or lead a group are heard first. A node whose request contradicts the variable that it uses
follows the variable, as in TensorFlow, and is told as a fallback. Other contradictions are violations, or under soft
placement fallbacks to the oldest request.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..devices.device import Device
from ..devices.spec import DeviceSpec, parse
from ..ops.core.node import Operation
from .groups import Groups
from .requests import clash
from .rows import scope_line
from .violations import Violation, conflicting_requests

NOTHING = DeviceSpec()


@dataclass
class Request:
    """The merged request of a group: `askers` made it, `asker` named the kind of device.

    `fallbacks` says why nodes did not get theirs; `is_feed` tells that the only one is fed and needs no kernel.
    `settled` is the variable whose home in this session decides, where there is one.
    """

    spec: DeviceSpec = NOTHING
    asker: Operation | None = None
    askers: list[Operation] = field(default_factory=list)
    fallbacks: dict[Operation, str] = field(default_factory=dict)
    is_feed: bool = False
    settled: Operation | None = None
    violations: list[Violation] = field(default_factory=list)

    @property
    def is_typed(self) -> bool:
        """Whether somebody asked for a kind of device."""
        return self.spec.device_type is not None

    def reason(self, op: Operation) -> str:
        """Return the reason of a node that got what it asked for, or what soft placement gave it instead."""
        if op in self.fallbacks:
            return f"soft placement: {self.fallbacks[op]}"
        if self.settled is not None and op not in self.askers:
            return f"{self.settled.name} has lived there since this session first used it"
        if self.is_feed:
            return f"fed: its value arrives on the host, and {op.device} cannot hold it or is not there"
        line = scope_line(op)
        return f"requested by the device scope at {line}" if line else f"requested: {op.device}"

    def fall_back(self, asker: Operation, device: Device, problem: str) -> None:
        """Note that the askers get `device` instead, and why."""
        for op in self.askers:
            self.fallbacks[op] = told(
                op, device.name, problem if op is asker else f"it shares a device with {asker.name}"
            )

    def settle(self, owner: Operation, device: Device) -> None:
        """Note that the group is where its variable lives already, whatever its other members ask for."""
        self.settled = owner
        full = parse(device.name)
        for op in self.askers:
            if clash(parse(op.device_string), full) is not None:
                self.fallbacks[op] = told(
                    op, device.name, f"{owner.name} has lived there since this session first used it"
                )


def told(op: Operation, where: str, why: str) -> str:
    """Return the warning for a node that is not where it was requested."""
    request = f"{op.name} ({op.type}) was requested on {op.device}"
    return f"{request} and is placed on {where}: {why} (created at {op.created_at})"


class Resolver:
    """Merges requests."""

    def __init__(self, groups: Groups, soft: bool) -> None:
        self._groups = groups
        self._soft = soft

    def resolve(self, members: Sequence[Operation]) -> Request:
        """Return what `members`, a whole group in creation order, ask for."""
        request = Request()
        if len(members) == 1:
            if members[0].device_string:
                self._accept(request, members[0], parse(members[0].device_string))
            return request
        followers = [op for op in members if self._groups.owner_of(op) is not None]
        following = frozenset(followers)
        for op in (*(op for op in members if op not in following), *followers):
            if op.device_string:
                self._hear(request, op, op in following)
        return request

    def _accept(self, request: Request, op: Operation, spec: DeviceSpec) -> None:
        request.spec = request.spec.make_merged_spec(spec) if request.askers else spec
        if request.asker is None and spec.device_type is not None:
            request.asker = op
        request.askers.append(op)

    def _hear(self, request: Request, op: Operation, follows: bool) -> None:
        spec = parse(op.device_string)
        what = clash(request.spec, spec)
        if what is None:
            self._accept(request, op, spec)
            return
        rival = next(other for other in request.askers if clash(parse(other.device_string), spec) is not None)
        chain = self._groups.chain(rival, op)
        if follows:
            owner = self._groups.owner_of(op)
            assert owner is not None
            why = f"it uses the reference or resource {owner.name}, whose place is there"
            request.fallbacks[op] = told(op, request.spec.to_string(), why)
        elif self._soft:
            why = f"it must share a device with {rival.name}, which was requested there first"
            request.fallbacks[op] = told(op, request.spec.to_string(), why)
        else:
            request.violations.append(conflicting_requests(rival, op, what, chain))
