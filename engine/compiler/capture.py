"""Cutting a plan in three, so that its middle can be captured as one graph of a GPU: before, on the GPU, after.

    before   what needs nothing of the GPU's kernels: the host's work on feeds, random numbers with their host-side counters
    middle   kernels of one GPU whose arguments stay there; host values among them are constants
    after    copies to the host, whoever waits for them, and everything that needs their results

Copies from the host to the GPU lie between the first two: they fill arrays that stay where they are (`Cut.fed`). A plan with
control flow, several GPUs or too little in the middle is left as it is, for the reason that `cut` raises.

Invariant: each part keeps its order, and a step comes before another in the cut plan if it did in the whole one and they
touch the same variable, wait for each other by control dependencies, or both have effects.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ...devices.device import Device
from ...ops.core.node import Operation
from .ir import CELL, CONSTANT, FEED, LOCAL, READ, Block, Step, Value

BEFORE, FED, MIDDLE, AFTER = range(4)
FEWEST = 4


class NotCut(Exception):
    """The plan cannot be captured, for this reason."""


@dataclass
class Cut:
    """The three parts of a plan for `device`.

    `fed` are the pairs (value on the host, value on the GPU) of copies; `kept` the values of the GPU that `before` makes for
    the middle; `handed` what `before` hands on to `after`; `made` what the middle hands to `after`; `cells` the variables
    that the middle touches, `written` those that it changes.
    """

    device: Device
    before: Block = field(default_factory=Block)
    middle: Block = field(default_factory=Block)
    after: Block = field(default_factory=Block)
    fed: list[tuple[Value, Value]] = field(default_factory=list)
    kept: list[Value] = field(default_factory=list)
    handed: list[Value] = field(default_factory=list)
    made: list[Value] = field(default_factory=list)
    cells: list[Any] = field(default_factory=list)
    written: list[Any] = field(default_factory=list)


def cut(block: Block) -> Cut:
    """Cut a block.

    Raises:
      NotCut: when there is nothing to gain, or no way to.
    """
    device = _device_of(block)
    zones = _Zones(device)
    for step in block.steps:
        zones.place(step)
    found = Cut(device)
    parts = {BEFORE: found.before, MIDDLE: found.middle, AFTER: found.after}
    for step in block.steps:
        zone = zones.of[step]
        if zone == FED:
            (copied,) = step.outputs
            assert copied is not None
            found.fed.append((step.args[0], copied))
        else:
            parts[zone].steps.append(step)
    if len(found.middle.steps) < FEWEST:
        raise NotCut(f"only {len(found.middle.steps)} of its steps can be captured")
    _connect(found, block.results)
    return found


def _device_of(block: Block) -> Device:
    gpus = {step.device for step in block.steps if step.device.kind == "GPU"}
    if len(gpus) != 1:
        raise NotCut(f"it uses {len(gpus)} GPUs")
    (device,) = gpus
    if not device.captures:
        raise NotCut(f"{device.short_name} captures no graphs")
    if any(step.blocks for step in block.steps):
        raise NotCut("it branches or loops")
    return device


class _Zones:
    """Finds the part of each step. State: `of` by step, `_made` by value, `_ops` by node, and who touched which variable."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.of: dict[Step, int] = {}
        self._made: dict[Value, int] = {}
        self._ops: dict[Operation, int] = {}
        self._touched: dict[Any, int] = {}
        self._written: dict[Any, int] = {}
        self._effects = BEFORE

    def place(self, step: Step) -> None:
        """Choose the part of a step, after those of the steps before it."""
        earliest = max(self._by_values(step), self._by_nodes(step.op), self._by_cells(step))
        zone = self._choose(step, earliest)
        self.of[step] = zone
        self._made.update((value, zone) for value in step.outputs if value is not None)
        self._ops[step.op] = max(zone, self._ops.get(step.op, BEFORE))
        for cell in _cells(step):
            self._touched[cell] = max(zone, self._touched.get(cell, BEFORE))
        for cell in step.writes:
            self._written[cell] = max(zone, self._written.get(cell, BEFORE))
        if has_effects(step):
            self._effects = max(zone, self._effects)

    def _choose(self, step: Step, earliest: int) -> int:
        if earliest <= FED and self._fills(step):
            return FED
        if earliest <= MIDDLE and captured(step, self.device):
            return MIDDLE
        return BEFORE if earliest == BEFORE else AFTER

    def _fills(self, step: Step) -> bool:
        """Tell whether a step copies a host value to the GPU: the value of a feed, or of what is known before the middle."""
        return step.kind == "copy" and step.device is self.device and step.args[0].device.kind == "CPU"

    def _by_values(self, step: Step) -> int:
        return max((self._made.get(value, BEFORE) for value in step.flat_args()), default=BEFORE)

    def _by_nodes(self, op: Operation) -> int:
        """Return the part after which the nodes that `op` waits for have run; nodes without steps pass their own waits on."""
        latest, work, seen = BEFORE, list(op.control_inputs), set(op.control_inputs)
        while work:
            source = work.pop()
            zone = self._ops.get(source)
            if zone is not None:
                latest = max(latest, zone)
                continue
            more = [o for o in (*source.control_inputs, *(t.op for t in source.inputs)) if o not in seen]
            seen.update(more)
            work += more
        return latest

    def _by_cells(self, step: Step) -> int:
        latest = max((self._written.get(cell, BEFORE) for cell in _cells(step)), default=BEFORE)
        latest = max((latest, *(self._touched.get(cell, BEFORE) for cell in step.writes)))
        # In the middle, what has effects only writes variables, which have been looked at.
        return max(latest, self._effects) if has_effects(step) and not step.writes else latest


def captured(step: Step, device: Device) -> bool:
    """Tell whether a step's kernel may be captured: it launches, it looks at nothing of its run, its host values are fixed."""
    decl = step.op.decl
    if step.kind not in ("kernel", "fused") or step.device is not device:
        return False
    if step.kind == "kernel" and (decl.takes_context or decl.blocking or (has_effects(step) and not step.writes)):
        return False
    fixed = all(value.device is device or value.kind in (CONSTANT, CELL) for value in step.flat_args())
    return fixed and all(value is None or value.device is device for value in step.outputs)


def has_effects(step: Step) -> bool:
    """Tell whether a step does more than to compute its outputs."""
    return step.kind == "kernel" and step.op.decl.stateful and step.op.type != "ReadVariableOp"


def _cells(step: Step) -> list[Any]:
    return [value.content for value in step.flat_args() if value.kind in (READ, CELL)]


def _connect(found: Cut, results: list[Value]) -> None:
    """Find what each part needs of the parts before it."""
    made = {
        zone: {value for step in block.steps for value in step.outputs if value is not None}
        for zone, block in ((BEFORE, found.before), (MIDDLE, found.middle))
    }
    used_in_middle = _used(found.middle)
    used_after = dict.fromkeys([*_used(found.after), *results])
    found.kept = [value for value in used_in_middle if value in made[BEFORE]]
    found.handed = [value for value in used_after if value in made[BEFORE]]
    found.made = [value for value in used_after if value in made[MIDDLE]]
    found.before.results = [*(value for value, _ in found.fed), *found.kept, *found.handed]
    found.middle.results = list(found.made)
    found.after.results = results
    found.cells = list(dict.fromkeys(cell for step in found.middle.steps for cell in _cells(step)))
    found.written = list(dict.fromkeys(cell for step in found.middle.steps for cell in step.writes))


def _used(block: Block) -> dict[Value, None]:
    return dict.fromkeys(v for step in block.steps for v in step.flat_args() if v.kind in (LOCAL, FEED))
