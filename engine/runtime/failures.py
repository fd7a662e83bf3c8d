"""From whatever a kernel raised to the error that the user sees: TensorFlow's class, with node, device and line.

The emitted program maps each of its lines to a step, so tracing costs nothing until something fails.
"""

from __future__ import annotations

import re
from types import TracebackType
from typing import Any

from ...devices.errors import DeviceError, OutOfMemory
from ...devices.fusion.blocks import owner_of
from ...ops.core import errors
from ...ops.core.shapes import format_brackets
from ..compiler.ir import Step


def failed_step(traceback: TracebackType | None, filename: str, step_at: dict[int, Step]) -> Step | None:
    """Return the step whose line raised, or None when the exception did not pass through the program."""
    found: Step | None = None
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == filename:
            found = step_at.get(traceback.tb_lineno)
        elif found is not None and found.kind == "fused":
            owner = owner_of(traceback.tb_frame, traceback.tb_lineno)
            found = found if owner is None else found.extra[owner]
        elif found is not None and found.kind == "folded":
            called = {getattr(kernel, "__code__", None): step for kernel, step in found.extra.calls.items()}
            found = called.get(traceback.tb_frame.f_code, found)
        traceback = traceback.tb_next
    return found


def translate(error: Exception, step: Step | None) -> errors.OpError | None:
    """Return the error to raise in place of `error`, or None to let it pass as it is."""
    if isinstance(error, errors.OpError):
        return _attach(error, step)
    if step is None:
        return None
    kind = next((k for types, k in _KINDS if isinstance(error, types)), None)
    return None if kind is None else _attach(kind(None, None, _words(error, step)), step)


_NOT_BROADCAST = re.compile(r"operands could not be broadcast together with shapes ((?:\([\d, ]*\)\s*)+)$")
_KINDS: tuple[tuple[Any, type[errors.OpError]], ...] = (
    ((OutOfMemory, MemoryError), errors.ResourceExhaustedError),
    (DeviceError, errors.InternalError),
    ((ValueError, IndexError, TypeError, ZeroDivisionError, OverflowError), errors.InvalidArgumentError),
    (NotImplementedError, errors.UnimplementedError),
    (ArithmeticError, errors.InvalidArgumentError),
    (Exception, errors.UnknownError),
)


def _words(error: Exception, step: Step) -> str:
    text = str(error) or type(error).__name__
    shapes = _NOT_BROADCAST.match(text)
    if shapes is not None:
        # NumPy and CuPy write shapes as tuples.
        tuples = [part.replace(" ", "").rstrip(",") for part in re.findall(r"\(([^)]*)\)", shapes[1])]
        return "Incompatible shapes: " + " vs. ".join(f"[{part}]" for part in tuples)
    if isinstance(error, MemoryError) and getattr(error, "shape", None) is None:
        # Who ran out of memory knew a size in bytes at most.
        made = ", ".join(f"shape{format_brackets(t.dims)} and type {t.dtype.name}" for t in step.op.outputs)
        detail = getattr(error, "detail", text)
        return f"OOM when allocating tensor with {made} on {step.device.name} by allocator {step.device.kind}: {detail}"
    return text


def _attach(error: errors.OpError, step: Step | None) -> errors.OpError:
    if step is None or error.op is not None:
        return error
    return type(error)(None, step.op, error.message, device=step.device.name, user_frame=step.op.created_at)
