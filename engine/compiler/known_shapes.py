"""What a plan's shapes alone decide, as constants: for the captured form of a plan, in which shapes never change.

Unlike folding this looks at pinned nodes too, for a captured plan runs none of them by itself: a Shape that the program
pinned to a GPU would otherwise hand a host value to every graph. Nothing of the original block is changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ...ops.core import shapes
from .ir import CONSTANT, Block, Step, Value

_LARGEST = 1 << 10


def with_known_shapes(block: Block) -> Block:
    """Return a block like `block` without the steps that its shapes decide, which became constants."""
    known: dict[Value, Value] = {}
    steps: list[Step] = []
    for step in block.steps:
        step = _renamed(step, known)
        contents = _decided(step)
        if contents is None:
            steps.append(step)
            continue
        for value, content in zip(step.outputs, contents, strict=True):
            if value is not None:
                known[value] = replace(value, kind=CONSTANT, content=content, shared=True)
    return Block(steps, [known.get(value, value) for value in block.results])


def _renamed(step: Step, known: dict[Value, Value]) -> Step:
    if not any(value in known for value in step.flat_args()):
        return step
    args = [[known.get(v, v) for v in arg] if isinstance(arg, list) else known.get(arg, arg) for arg in step.args]
    extra = [_renamed(inner, known) for inner in step.extra] if step.kind == "fused" else step.extra
    return replace(step, args=args, extra=extra)


def _decided(step: Step) -> list[Any] | None:
    """Return the contents of a step's outputs, or None where they depend on more than shapes."""
    values = step.flat_args()
    if step.kind == "copy" and values[0].kind == CONSTANT:
        return [values[0].content]
    if step.kind != "kernel":
        return None
    if step.op.type in _BY_SHAPE and all(shapes.is_static(value.dims) for value in values):
        of_shape = _BY_SHAPE[step.op.type]
        return [
            np.array(of_shape(value.dims), made.dtype.np_dtype)
            for value, made in zip(values, step.outputs, strict=True)
            if made is not None
        ]
    return _evaluated(step)


_BY_SHAPE: dict[str, Callable[[Any], Any]] = {
    "Shape": lambda dims: dims,
    "ShapeN": lambda dims: dims,
    "Size": lambda dims: int(np.prod(dims, dtype=np.int64)),
    "Rank": len,
}


def _evaluated(step: Step) -> list[Any] | None:
    """Return what a pure step makes of small constants; of a GPU's steps only integers, which are the same everywhere."""
    decl, values = step.op.decl, step.flat_args()
    if decl.stateful or decl.blocking or decl.takes_context or not values:
        return None
    if any(value.kind != CONSTANT or np.size(value.content) > _LARGEST for value in values):
        return None
    if step.device.kind != "CPU" and any(
        made is None or made.dtype.np_dtype.kind not in "iub" for made in step.outputs
    ):
        return None
    try:
        found = _on_host(step)
    except Exception:  # left for the run to report
        return None
    return found if all(content.size <= _LARGEST for content in found) else None


def _on_host(step: Step) -> list[Any]:
    entries = step.op.decl.kernels_for("CPU")
    kernel = next(e.function for e in entries if not e.label and (e.supports is None or e.supports(step.op)))
    args = [[v.content for v in arg] if isinstance(arg, list) else arg.content for arg in step.args]
    with np.errstate(all="ignore"):
        result = kernel(np, *args, **step.attrs)
    return [np.asarray(content) for content in (result if len(step.outputs) > 1 else [result])]
