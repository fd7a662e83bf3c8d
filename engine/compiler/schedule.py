"""The order of a plan: topological, creation order breaking ties, waits as late as they can be.

Each level (the outer graph, and each region) is ordered on its own. Among the nodes that are ready, launches come first,
then nodes at which the host waits for a GPU, then nodes that may block: so no wait stands between two launches that do
not need it. Several GPUs take turns, so that each is given work while the others compute. On one device, and between the
host and the GPU whose turn it is, creation order decides: the order depends on the graph and the placement only.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Mapping

from ...devices.device import Device
from ...ops.core.node import Operation, Tensor
from ...ops.core.regions import Region
from .prune import Needed, is_loop, level_of

Levels = dict[Region | None, list[Operation]]


def schedule(
    needed: Needed, feeds: set[Tensor], rank: Callable[[Operation], int], device_of: Mapping[Operation, Device]
) -> Levels:
    """Return the nodes of each level in the order in which they run.

    Raises:
      ValueError: when the nodes depend on each other in a circle.
    """
    members: Levels = defaultdict(list)
    for op in needed.in_order():
        members[op.region].append(op)
    before = _dependencies(needed, feeds)
    gpus = {device for op, device in device_of.items() if device.kind == "GPU" and op in needed.ops}
    lanes = device_of if len(gpus) > 1 else {}
    return {region: _order(ops, before, Ready(rank, lanes)) for region, ops in members.items()}


class Ready:
    """The nodes that are ready, in the order in which they are taken.

    State: `_lanes`, by rank and GPU (None for the host), a heap of nodes by age; `_turns`, when each GPU was last given work.
    """

    def __init__(self, rank: Callable[[Operation], int], device_of: Mapping[Operation, Device]) -> None:
        self._rank, self._device_of = rank, device_of
        self._lanes: dict[int, dict[Device | None, list[tuple[int, Operation]]]] = {}
        self._turns: dict[Device | None, int] = {}
        self._taken = 0

    def add(self, op: Operation) -> None:
        """Take note of a node that is ready."""
        device = self._device_of.get(op)
        lane = device if device is not None and device.kind == "GPU" else None
        heapq.heappush(self._lanes.setdefault(self._rank(op), {}).setdefault(lane, []), (op.id, op))

    def __bool__(self) -> bool:
        return bool(self._lanes)

    def take(self) -> Operation:
        """Remove and return the node that comes next."""
        rank = min(self._lanes)
        lanes = self._lanes[rank]
        lane = next(iter(lanes)) if len(lanes) == 1 else self._whose_turn(lanes)
        _, op = heapq.heappop(lanes[lane])
        if not lanes[lane]:
            del lanes[lane]
            if not lanes:
                del self._lanes[rank]
        self._taken += 1
        self._turns[lane] = self._taken
        return op

    def _whose_turn(self, lanes: dict[Device | None, list[tuple[int, Operation]]]) -> Device | None:
        if None in lanes and lanes[None][0] == min(heap[0] for heap in lanes.values()):
            return None
        return min((lane for lane in lanes if lane), key=lambda lane: (self._turns.get(lane, 0), lanes[lane][0][0]))


def _dependencies(needed: Needed, feeds: set[Tensor]) -> dict[Operation, set[Operation]]:
    before: dict[Operation, set[Operation]] = defaultdict(set)

    def depend(op: Operation, source: Operation) -> None:
        if source not in needed.ops or not _encloses(source.region, op.region):
            return
        later = level_of(op, source.region)
        if later is not source:
            before[later].add(source)

    for op in needed.ops:
        for tensor in op.inputs:
            if tensor not in feeds and (not op.regions or not is_loop(op) or tensor in needed.tensors):
                depend(op, tensor.op)
        for control in op.control_inputs:
            depend(op, control)
        for region in op.regions:
            for tensor in region.results:
                if tensor in needed.tensors and tensor not in feeds and tensor.op.region is not region:
                    depend(op, tensor.op)
    return before


def _encloses(outer: Region | None, inner: Region | None) -> bool:
    return outer is None or outer.encloses(inner)


def _order(ops: list[Operation], before: dict[Operation, set[Operation]], ready: Ready) -> list[Operation]:
    missing = {op: len(before[op]) for op in ops}
    after: dict[Operation, list[Operation]] = defaultdict(list)
    for op in ops:
        for source in before[op]:
            after[source].append(op)
    for op in ops:
        if not missing[op]:
            ready.add(op)
    ordered: list[Operation] = []
    while ready:
        op = ready.take()
        ordered.append(op)
        for later in after[op]:
            missing[later] -= 1
            if not missing[later]:
                ready.add(later)
    if len(ordered) != len(ops):
        stuck = sorted((op for op in ops if missing[op]), key=lambda op: op.id)
        raise ValueError(
            f"The graph has a circle through node {stuck[0].name!r} ({stuck[0].type}), created at {stuck[0].created_at}"
        )
    return ordered
