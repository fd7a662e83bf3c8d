"""Which nodes a fetch needs, and which loop variables and branch results are alive.

Demand flows backwards from the fetches, through inputs and control inputs, and through regions: an output of a loop
demands its variable's initial value, the body's result and the loop's condition; a variable that only feeds itself is
never demanded, which is how the stacks for a gradient cost nothing when the gradient is not fetched.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ...ops.core.node import Operation, Tensor
from ...ops.core.regions import Region


@dataclass
class Needed:
    """What a plan needs: `ops` (of all regions), and the demanded `tensors`, which tell live outputs of regions."""

    ops: set[Operation] = field(default_factory=set)
    tensors: set[Tensor] = field(default_factory=set)

    def in_order(self) -> list[Operation]:
        """Return the needed operations, oldest first."""
        return sorted(self.ops, key=lambda op: op.id)


def prune(targets: Iterable[Tensor | Operation], feeds: Iterable[Tensor]) -> Needed:
    """Return what computing `targets` needs when the tensors of `feeds` are given."""
    fed = set(feeds)
    needed = Needed()
    work: list[Tensor | Operation] = list(targets)
    while work:
        item = work.pop()
        if isinstance(item, Tensor):
            if item in needed.tensors or item in fed:
                continue
            needed.tensors.add(item)
            work.extend(_behind(item))
        elif item not in needed.ops:
            needed.ops.add(item)
            work.extend(item.control_inputs)
            if not item.regions or not item.outputs or item.type in ("If", "StatelessIf", "Case"):
                work.extend(item.inputs)
            if item.regions and item.outputs and not any(t in needed.tensors for t in item.outputs):
                work.extend(item.outputs)
    return needed


def _behind(tensor: Tensor) -> list[Tensor | Operation]:
    """Return what a demanded tensor demands in turn."""
    op = tensor.op
    if op.type == "_Arg" and op.region is not None and op.region.owner is not None:
        return [op, *_loop_variable(op.region.owner, op.region.params.index(tensor))]
    if not op.regions:
        return [op]
    if is_loop(op):
        return [op, *_loop_variable(op, tensor.index)]
    return [op, *(region.results[tensor.index] for region in op.regions)]


def is_loop(op: Operation) -> bool:
    """Tell whether `op` is a While."""
    return op.type in ("While", "StatelessWhile")


def _loop_variable(op: Operation, index: int) -> list[Tensor | Operation]:
    condition, body = op.regions
    return [op, op.inputs[index], body.params[index], body.results[index], condition.results[0]]


def live_variables(op: Operation, needed: Needed) -> list[int]:
    """Return the indices of a loop's variables that the plan carries."""
    condition, body = op.regions
    return [
        i
        for i in range(len(op.inputs))
        if body.params[i] in needed.tensors or condition.params[i] in needed.tensors or op.outputs[i] in needed.tensors
    ]


def live_outputs(op: Operation, needed: Needed) -> list[int]:
    """Return the indices of a conditional's outputs that the plan computes."""
    return [i for i, tensor in enumerate(op.outputs) if tensor in needed.tensors]


def level_of(op: Operation, region: Region | None) -> Operation:
    """Return the op at the level of `region` that contains `op` (the op itself, or an owner of regions around it)."""
    while op.region is not region:
        assert op.region is not None and op.region.owner is not None
        op = op.region.owner
    return op
