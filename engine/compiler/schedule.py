"""The order of a plan: topological, creation order breaking ties, waits as late as they can be.

Each level (the outer graph, and each region) is ordered on its own. Among the nodes that are ready, launches come first,
then nodes at which the host waits for a GPU, then nodes that may block: so no wait stands between two launches that do
not need it.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable

from ...ops.core.node import Operation, Tensor
from ...ops.core.regions import Region
from .prune import Needed, is_loop, level_of

Levels = dict[Region | None, list[Operation]]


def schedule(needed: Needed, feeds: set[Tensor], rank: Callable[[Operation], int]) -> Levels:
    """Return the nodes of each level in the order in which they run.

    Raises:
      ValueError: when the nodes depend on each other in a circle.
    """
    members: Levels = defaultdict(list)
    for op in needed.in_order():
        members[op.region].append(op)
    before = _dependencies(needed, feeds)
    return {region: _order(ops, before, rank) for region, ops in members.items()}


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


def _order(
    ops: list[Operation], before: dict[Operation, set[Operation]], rank: Callable[[Operation], int]
) -> list[Operation]:
    missing = {op: len(before[op]) for op in ops}
    after: dict[Operation, list[Operation]] = defaultdict(list)
    for op in ops:
        for source in before[op]:
            after[source].append(op)
    ready = [(rank(op), op.id, op) for op in ops if not missing[op]]
    heapq.heapify(ready)
    ordered: list[Operation] = []
    while ready:
        _, _, op = heapq.heappop(ready)
        ordered.append(op)
        for later in after[op]:
            missing[later] -= 1
            if not missing[later]:
                heapq.heappush(ready, (rank(later), later.id, later))
    if len(ordered) != len(ops):
        stuck = sorted((op for op in ops if missing[op]), key=lambda op: op.id)
        raise ValueError(
            f"The graph has a circle through node {stuck[0].name!r} ({stuck[0].type}), created at {stuck[0].created_at}"
        )
    return ordered
