"""Folding constants and merging common subexpressions, on steps.

Never across state, and never a node that was explicitly pinned: what the program put on a device runs there, so that the
placement log tells the truth. Folded results stay small.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...ops.core import shapes
from .ir import CONSTANT, FEED, LOCAL, Block, Step, Value

_LARGEST_FOLD = 1 << 18
_KEY_BYTES = 64


def pure(step: Step) -> bool:
    """Tell whether a step may be computed once instead of each time, or not at all."""
    op = step.op
    return step.kind == "kernel" and not op.decl.stateful and not op.decl.blocking and not op.device_string


def fold(block: Block, evaluate: Callable[[Step, list[Any]], list[Any]]) -> None:
    """Compute the pure steps whose arguments are all constants, once, and turn their outputs into constants.

    `evaluate(step, contents)` runs the step's kernel on its device; a step whose kernel fails is left for the run to report.
    """
    kept: list[Step] = []
    for step in block.steps:
        for inner in step.blocks:
            fold(inner, evaluate)
        if not (pure(step) and fold_step(step, evaluate)):
            kept.append(step)
    block.steps[:] = kept


def fold_step(step: Step, evaluate: Callable[[Step, list[Any]], list[Any]]) -> bool:
    """Turn the outputs of a pure step into constants where all of its arguments are; tell whether it was done."""
    return _foldable(step) and _replace(step, evaluate)


def _foldable(step: Step) -> bool:
    values = step.flat_args()
    return (
        bool(values)
        and step.device.kind == "CPU"
        and not step.op.control_inputs
        and all(v.kind == CONSTANT for v in values)
        and all(out is not None and not _large(out) for out in step.outputs)
    )


def _large(value: Value) -> bool:
    size = shapes.num_elements(value.dims)
    return size is not None and size > _LARGEST_FOLD


def _replace(step: Step, evaluate: Callable[[Step, list[Any]], list[Any]]) -> bool:
    try:
        results = evaluate(step, [v.content for v in step.flat_args()])
    except Exception:
        return False
    if any(np.size(result) > _LARGEST_FOLD for result in results):
        return False
    for value, result in zip(step.outputs, results, strict=True):
        assert value is not None
        value.kind, value.content, value.shared = CONSTANT, np.asarray(result), True
        value.dims = value.content.shape
    return True


def merge(
    block: Block, seen: dict[Any, Step] | None = None, around: dict[Value, Value] | None = None
) -> dict[Value, Value]:
    """Drop pure steps that repeat an earlier one, and return what their outputs are replaced by.

    `seen` and `around` are the steps and the replacements of the blocks around this one.
    """
    seen = dict(seen or {})
    replaced: dict[Value, Value] = dict(around or {})
    kept: list[Step] = []
    for step in block.steps:
        rename(step, replaced)
        for inner in step.blocks:
            replaced.update(merge(inner, seen, replaced))
        key = _key(step) if pure(step) and not step.op.control_inputs else _copy_key(step)
        first = seen.get(key) if key is not None else None
        if first is None:
            kept.append(step)
            if key is not None:
                seen[key] = step
            continue
        for old, new in zip(step.outputs, first.outputs, strict=True):
            assert old is not None and new is not None
            replaced[old] = new
            new.shared = True
    block.steps[:] = kept
    block.results[:] = [latest(v, replaced) for v in block.results]
    return replaced


def latest(value: Value, replaced: dict[Value, Value]) -> Value:
    """Return what stands for a value after all replacements."""
    while value in replaced:
        value = replaced[value]
    return value


def rename(step: Step, replaced: dict[Value, Value]) -> None:
    """Let a step read what its arguments are replaced by."""
    if replaced:
        step.args = [
            [latest(v, replaced) for v in arg] if isinstance(arg, list) else latest(arg, replaced) for arg in step.args
        ]


def _key(step: Step) -> Any:
    parts: list[Any] = [step.op.type, step.device, step.entry.function if step.entry else None]
    for value in step.flat_args():
        if value.kind == LOCAL or value.kind == FEED:
            parts.append(id(value))
        elif value.kind == CONSTANT and value.content.nbytes <= _KEY_BYTES and value.content.dtype != object:
            parts.append((value.content.dtype.str, value.content.shape, value.content.tobytes()))
        else:
            return None
    parts.extend(len(arg) if isinstance(arg, list) else -1 for arg in step.args)
    parts.append(repr(sorted((name, attr_key(value)) for name, value in step.op.attrs.items() if name[0] != "_")))
    return tuple(parts)


def _copy_key(step: Step) -> Any:
    """Return what tells copies apart: after merging, two nodes' copies to one place may be of the same value."""
    if step.kind not in ("copy", "start", "wait"):
        return None
    (value,) = step.args
    return (step.kind, step.device, id(value)) if value.kind in (LOCAL, FEED) else None


def attr_key(value: Any) -> Any:
    """Return an attribute in a form whose repr tells different values apart."""
    return (value.dtype.str, value.shape, value.tobytes()) if isinstance(value, np.ndarray) else value
