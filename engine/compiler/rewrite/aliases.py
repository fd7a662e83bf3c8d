"""Dropping steps that hand on what they were given.

An Identity, a Reshape to the shape that is there already, a sum over no axes or a product with one computes nothing: whoever
reads its result reads its input instead. Needs static shapes, which concrete plans have. Invariant: a value that is read in
another's place is the same array element for element, and never what a variable holds (that may change in between).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ....ops.core import shapes
from ..fold import latest, pure, rename
from ..ir import CONSTANT, FEED, LOCAL, Block, Step, Value

# Ops whose output is their first input where its shape is that of the output.
_SAME = frozenset(
    {
        "BroadcastTo", "ExpandDims", "Identity", "PreventGradient", "Reshape", "Snapshot", "Squeeze", "StopGradient", "Tile",
    }
)  # fmt: skip
_REDUCTIONS = frozenset({"Sum", "Prod", "Max", "Min", "Mean"})


def drop_aliases(block: Block, around: dict[Value, Value] | None = None) -> None:
    """Drop the steps of a block, and of the blocks inside, that hand on one of their arguments."""
    replaced = dict(around or {})
    kept: list[Step] = []
    for step in block.steps:
        rename(step, replaced)
        for inner in step.blocks:
            drop_aliases(inner, replaced)
        source = _source(step)
        if source is None:
            kept.append(step)
        else:
            (made,) = step.outputs
            assert made is not None
            replaced[made] = source
    block.steps[:] = kept
    block.results[:] = [latest(value, replaced) for value in block.results]


def _source(step: Step) -> Value | None:
    """Return the argument that a step hands on unchanged, or None."""
    if step.device.kind != "CPU" or len(step.outputs) != 1 or not pure(step):
        return None
    rule = _RULES.get(step.op.type)
    found = None if rule is None else rule(step)
    (made,) = step.outputs
    if found is None or made is None or found.kind not in (LOCAL, FEED, CONSTANT) or found.device is not made.device:
        return None
    return found if shapes.is_static(made.dims) and found.dims == made.dims and found.dtype is made.dtype else None


def _first(step: Step) -> Value | None:
    return step.flat_args()[0]


def _only(step: Step) -> Value | None:
    values = step.flat_args()
    return values[0] if len(values) == 1 else None


def _over_no_axes(step: Step) -> Value | None:
    value, axes = step.flat_args()
    return value if axes.kind == CONSTANT and np.size(axes.content) == 0 else None


def _times_one(step: Step) -> Value | None:
    first, second = step.flat_args()
    if _is_one(second):
        return first
    return second if _is_one(first) else None


def _by_one(step: Step) -> Value | None:
    first, second = step.flat_args()
    return first if _is_one(second) else None


def _is_one(value: Value) -> bool:
    return value.kind == CONSTANT and value.dtype.name != "string" and bool(np.all(np.equal(value.content, 1)))


_RULES: dict[str, Callable[[Step], Any]] = {
    **dict.fromkeys(_SAME, _first),
    **dict.fromkeys(_REDUCTIONS, _over_no_axes),
    "AddN": _only,
    "Cast": _first,
    "Mul": _times_one,
    "RealDiv": _by_one,
    "Div": _by_one,
}
