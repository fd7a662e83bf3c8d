"""The copies that a placement needs: one for each tensor and destination, never two.

A value is copied where a node, or the result of a region, wants it on a device that is not its home. Handles never
move: what uses one sits with it. Constants stay resident where they are read, so they are no copies either. The order
is that of the producers, then of the destinations as they are first wanted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from ..devices.device import Device
from ..devices.spec import parse
from ..ops.core.node import Operation, Tensor
from .assignment import Assignment, Copy, direction_of
from .memory import is_handle
from .sizes import static_bytes


def plan_copies(
    ops: Sequence[Operation], assignment: Assignment, feeds: Collection[Tensor] = (),
    fetches: Sequence[Tensor | Operation] = (),
) -> list[Copy]:  # fmt: skip
    """Return the copies between the nodes of a placement. What is fetched from a device is not among them."""
    wanted: dict[tuple[Tensor, Device], list[Operation]] = {}
    for consumer, tensor, target in _uses(ops, assignment):
        home = assignment.homes.home(tensor)
        # Results and loop variables that the plan does not need were not placed: they have no home.
        if tensor.op.type != "Const" and home is not None and target is not home:
            consumers = wanted.setdefault((tensor, target), [])
            if consumer not in consumers[-1:]:
                consumers.append(consumer)
    order = sorted(wanted, key=lambda key: (key[0].op.id, key[0].index))
    return [_copy(tensor, target, wanted[tensor, target], assignment) for tensor, target in order]


def _uses(ops: Sequence[Operation], assignment: Assignment) -> Iterator[tuple[Operation, Tensor, Device]]:
    """Yield (consumer, tensor, where it wants it) for everything that is read."""
    homes = assignment.homes
    for op in ops:
        if op.outputs and all(tensor in homes.fed for tensor in op.outputs):
            continue
        args = None
        for index, tensor in enumerate(op.inputs):
            if is_handle(tensor):
                args = args or op.decl.input_args(op)
                if tensor.dtype.name == "resource" or args[index].is_ref:
                    continue
            target = homes.wanted(op, index)
            if target is not None:
                yield op, tensor, target
        if op.regions:
            for tensor, wanted in homes.results_wanted(op):
                if wanted is not None and tensor.dtype.name != "resource":
                    yield op, tensor, wanted


def _copy(tensor: Tensor, target: Device, consumers: Sequence[Operation], assignment: Assignment) -> Copy:
    source = assignment.home(tensor)
    cause, implied = _cause(tensor, target, consumers, assignment)
    return Copy(
        tensor.name, source.name, target.name, tuple(dict.fromkeys(op.name for op in consumers)), static_bytes(tensor),
        cause, implied, direction_of(source, target), tensor, target,
    )  # fmt: skip


def _cause(tensor: Tensor, target: Device, consumers: Sequence[Operation], assignment: Assignment) -> tuple[str, bool]:
    """Return why a copy is made, and whether nobody asked for it."""
    if tensor in assignment.homes.fed:
        pinned = assignment.device_of.get(tensor.op) is target and is_pinned(tensor.op)
        return ("fed to a placeholder that is pinned there" if pinned else "fed on the host"), not pinned
    if all(op.type == "Identity" and is_pinned(op) for op in consumers):
        return "moved by an identity that is pinned there", False
    first = consumers[0]
    if first.regions:
        return f"{first.type} hands it on there", True
    if target.kind == "CPU" and assignment.device_of[first].kind != "CPU":
        return f"{first.name} reads it in host memory", True
    return f"{first.name} runs there", True


def is_pinned(op: Operation) -> bool:
    """Tell whether the user asked for a kind of device for this very node."""
    return bool(op.device) and parse(op.device).device_type is not None
