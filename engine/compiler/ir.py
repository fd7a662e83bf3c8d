"""The plan between graph and program: steps that compute values, in blocks.

A `Value` is one array (or variable cell) at one place; a `Step` computes values by a kernel, a copy or control flow. Unlike
the Graph, steps know their device and may be fused, folded and reordered; they exist in one plan only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ...devices.device import Device
from ...ops.core.node import Operation
from ...ops.core.registry import Kernel, KernelEntry
from ...ops.core.shapes import Shape

CONSTANT, FEED, LOCAL, CELL, READ = "constant", "feed", "local", "cell", "read"


@dataclass(eq=False)
class Value:
    """One array at one place.

    `kind`: CONSTANT (`content` is the resident array), FEED, LOCAL (computed by a step), CELL (`content` is a variable's
    cell) or READ (what the cell `content` holds at the moment of use). `shared` tells that the array may be a variable's, a
    constant's or a feed's, or a view of one, so that it is copied before a caller gets it.
    """

    name: str
    kind: str
    device: Device
    dims: Shape = None
    dtype: Any = None
    content: Any = None
    shared: bool = False
    label: str = ""


@dataclass(eq=False)
class Step:
    """One thing to do: `kind` is 'kernel', 'copy', 'start', 'wait', 'check', 'fused', 'folded', 'prepare', 'update',
    'flag', 'nest', 'if' or 'while'.

    `args` are Values, or lists of them for list arguments. `blocks` are the bodies of control flow; `extra` holds what one
    kind of step needs besides: loop variables, branch results, the group of a fused step, what works a flag out. `direct`
    lets the emitted line call NumPy without the kernel, by what is known of shapes. `looks` has the
    plan look, before the step, whether it is to end.
    """

    kind: str
    op: Operation
    device: Device
    args: list[Any] = field(default_factory=list)
    outputs: list[Value | None] = field(default_factory=list)
    entry: KernelEntry | None = None
    attrs: dict[str, Any] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    extra: Any = None
    writes: tuple[Any, ...] = ()
    direct: bool = False
    looks: bool = False

    def flat_args(self) -> list[Value]:
        """Return the values that the step reads, lists opened."""
        # Passes ask some twenty times for every step, and few steps have lists.
        for arg in self.args:
            if arg.__class__ is list:
                return [v for arg in self.args for v in (arg if isinstance(arg, list) else (arg,))]
        return self.args[:]


@dataclass(eq=False)
class Folded:
    """What one call does in place of several steps: the `extra` of a folded step.

    `kernel(xp, empty, *arguments, **attrs)` takes the memory of its result from `empty`, as an op's `into` form does; where
    the step has several outputs, `empty` is a tuple with one for each. Without `allocates` there is no `empty`. `over` are the
    arguments that results may be written over, so that they live as long as those. `calls` are kernels that it calls, with the
    steps that fail where these do.
    """

    steps: list[Step]
    kernel: Kernel
    attrs: dict[str, Any] = field(default_factory=dict)
    allocates: bool = True
    over: tuple[Value, ...] = ()
    calls: dict[Kernel, Step] = field(default_factory=dict)


def parts_of(step: Step) -> list[Step]:
    """Return the steps that a step stands for, in order: those of a fused or folded one, else itself."""
    if step.kind == "fused":
        return step.extra  # type: ignore[no-any-return]
    return step.extra.steps if step.kind == "folded" else [step]


@dataclass(eq=False)
class Block:
    """Steps in order, and the values that the block hands back; a plan's may look at its end whether it is to fail."""

    steps: list[Step] = field(default_factory=list)
    results: list[Value] = field(default_factory=list)
    looks_last: bool = False
