"""Which nodes a fetch needs, and which loop variables and branch results are alive.

Demand flows backwards from the fetches, through inputs and control inputs, and through regions: an output of a loop
demands its variable's initial value, the body's result and the loop's condition; a variable that only feeds itself is
never demanded, which is how the stacks for a gradient cost nothing when the gradient is not fetched.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    asked: set[Operation] = set()
    waiting: list[Operation] = []
    work: list[Tensor | Operation] = list(targets)
    while work or waiting:
        if not work:
            work.extend(_stood_for(waiting.pop(), needed))
            continue
        item = work.pop()
        if isinstance(item, Tensor):
            if item not in needed.tensors and item not in fed:
                needed.tensors.add(item)
                owners, behind = _behind(item)
                work.extend(behind)
                for op in owners:
                    _enter(op, needed, work)
        elif item not in asked:
            asked.add(item)
            _enter(item, needed, work)
            if item.regions:
                waiting.append(item)
    return needed


def _enter(op: Operation, needed: Needed, work: list[Tensor | Operation]) -> None:
    """Add an operation, and what it reads whichever of its results are alive."""
    if op not in needed.ops:
        needed.ops.add(op)
        work.extend(op.control_inputs)
        if not op.outputs or not is_loop(op):
            work.extend(op.inputs)


def _stood_for(op: Operation, needed: Needed) -> Sequence[Tensor]:
    """Return the results of a conditional or loop that stand for it where it is asked for itself.

    That is the first one, whose Merge or Exit it is to the program, whoever reads the others; all, where nobody reads any.
    """
    return op.outputs[:1] if any(t in needed.tensors for t in op.outputs) else op.outputs


def _behind(tensor: Tensor) -> tuple[list[Operation], Sequence[Tensor]]:
    """Return the operations that a demanded tensor is made by, and the tensors that those make it of."""
    op = tensor.op
    if op.type == "_Arg" and op.region is not None and op.region.owner is not None:
        owner = op.region.owner
        return [op, owner], _loop_variable(owner, op.region.params.index(tensor))
    if not op.regions:
        return [op], ()
    if is_loop(op):
        return [op], _loop_variable(op, tensor.index)
    return [op], [region.results[tensor.index] for region in op.regions]


def is_loop(op: Operation) -> bool:
    """Tell whether `op` is a While."""
    return op.type in ("While", "StatelessWhile")


def _loop_variable(op: Operation, index: int) -> list[Tensor]:
    condition, body = op.regions
    return [op.inputs[index], body.params[index], body.results[index], condition.results[0]]


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
