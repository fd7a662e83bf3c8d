"""Nodes that must share a device: colocation groups and reference or resource edges, as a union-find.

Every union keeps its edge, so that a conflict can be told as the shortest chain of constraints between two nodes
instead of the dump of a whole group. Invariant: `members(root)` lists a group in creation order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from ..ops.core.node import Operation
from .memory import is_handle

COLOCATION = "colocation"
REFERENCE = "reference"
_PREFIX = "loc:@"


@dataclass(frozen=True)
class Edge:
    """Why two nodes share a device: `kind` is colocation, or a reference from `owner`'s output to `follower`."""

    owner: Operation
    follower: Operation
    kind: str


class Groups:
    """The partition of the nodes; nodes that nothing ties to others are not stored."""

    def __init__(self, ops: Iterable[Operation]) -> None:
        self._parent: dict[Operation, Operation] = {}
        self._edges: dict[Operation, list[Edge]] = {}
        self._members: dict[Operation, list[Operation]] = {}
        placed = dict.fromkeys(ops)
        self._join_colocated(placed)
        self._join_references(placed)
        for op in placed:
            if op in self._parent:
                self._members.setdefault(self.root(op), []).append(op)

    def _join_colocated(self, ops: dict[Operation, None]) -> None:
        leaders: dict[str, Operation] = {}
        for op in ops:
            for group in () if op.regions else op.colocation:
                name = group.removeprefix(_PREFIX)
                if name == op.name:
                    continue
                leader = leaders.get(name)
                if leader is None:
                    leader = leaders[name] = _anchor(op, name, ops) or op
                if leader is not op:
                    self._join(Edge(leader, op, COLOCATION))

    def _join_references(self, ops: dict[Operation, None]) -> None:
        for op in ops:
            if op.regions:
                self._join_loop_handles(op, ops)
                continue
            args = None
            for index, tensor in enumerate(op.inputs):
                if not is_handle(tensor) or tensor.op not in ops:
                    continue
                if tensor.dtype._is_ref_dtype:
                    args = args or op.decl.input_args(op)
                    if not args[index].is_ref:
                        continue
                self._join(Edge(tensor.op, op, REFERENCE))

    def _join_loop_handles(self, op: Operation, ops: dict[Operation, None]) -> None:
        """Tie the handles among a loop's variables to what they are handles of."""
        for region in op.regions:
            for tensor, param in zip(op.inputs, region.params, strict=False):
                if is_handle(tensor) and tensor.op in ops and param.op in ops:
                    self._join(Edge(tensor.op, param.op, REFERENCE))

    def _join(self, edge: Edge) -> None:
        for op in (edge.owner, edge.follower):
            self._parent.setdefault(op, op)
            self._edges.setdefault(op, []).append(edge)
        first, second = self.root(edge.owner), self.root(edge.follower)
        if first is not second:
            old, young = (first, second) if first.id < second.id else (second, first)
            self._parent[young] = old

    def root(self, op: Operation) -> Operation:
        """Return the node that stands for the group of `op`: its oldest."""
        parent = self._parent
        found = parent.get(op)
        if found is None:
            return op
        while parent[found] is not found:
            parent[found] = parent[parent[found]]
            found = parent[found]
        return found

    def members(self, root: Operation) -> list[Operation]:
        """Return the nodes of a group, in creation order."""
        return self._members.get(root) or [root]

    def owner_of(self, op: Operation) -> Operation | None:
        """Return the node whose reference or resource `op` uses, or None."""
        edges = self._edges.get(op, ())
        return next((edge.owner for edge in edges if edge.kind == REFERENCE and edge.follower is op), None)

    def chain(self, start: Operation, end: Operation) -> list[Edge]:
        """Return a shortest chain of constraints from `start` to `end`; empty where nothing ties them."""
        came_by: dict[Operation, Edge | None] = {start: None}
        waiting = deque([start])
        while waiting and end not in came_by:
            op = waiting.popleft()
            for edge in self._edges.get(op, ()):
                other = edge.follower if edge.owner is op else edge.owner
                if other not in came_by:
                    came_by[other] = edge
                    waiting.append(other)
        found: list[Edge] = []
        op = end
        while (step := came_by.get(op)) is not None:
            found.append(step)
            op = step.owner if step.follower is op else step.follower
        return found[::-1]


def _anchor(op: Operation, name: str, ops: dict[Operation, None]) -> Operation | None:
    """Return the node that a group is named after where it is among `ops`."""
    anchor = op.graph._by_name.get(name)
    return anchor if anchor in ops and not anchor.regions else None
