"""Two products with constants made one, where that changes no bit.

The gradient of a mean of squares multiplies by 2 and by one over the batch. A product with a power of two is exact, so
`a * (2 * x)` is `(2 * a) * x`, unless `2 * x` overflows; there the one product is the better answer.
"""

from __future__ import annotations

from math import frexp

import numpy as np

from ..fold import pure
from ..ir import CONSTANT, Block, Step, Value

_TYPES = ("float32", "float64")
_GREATEST = 1024.0


def join_scales(block: Block) -> None:
    """Let a product of a constant and a product with a power of two be one product; the inner one stays for its other readers."""
    made: dict[Value, Step] = {}
    for step in block.steps:
        for inner in step.blocks:
            join_scales(inner)
        if step.op.type != "Mul" or step.kind != "kernel" or step.device.kind != "CPU":
            continue
        found = _scaled(step)
        if found is None:
            continue
        scale, value = found
        before = made.get(value)
        parts = None if before is None else _scaled(before)
        if parts is not None and pure(step) and before is not None and pure(before) and _is_power(parts[0]):
            _join(step, scale, *parts)
        (output,) = step.outputs
        if output is not None:
            made[output] = step


def _scaled(step: Step) -> tuple[Value, Value] | None:
    """Return the constant scalar and the value that a step multiplies, or None."""
    first, second = step.args
    if first.dtype.name not in _TYPES:
        return None
    if _is_scalar(first):
        return first, second
    return (second, first) if _is_scalar(second) else None


def _is_scalar(value: Value) -> bool:
    return value.kind == CONSTANT and np.ndim(value.content) == 0


def _is_power(value: Value) -> bool:
    number = float(np.asarray(value.content))
    return 1 < number <= _GREATEST and frexp(number)[0] == 0.5


def _join(step: Step, scale: Value, inner: Value, value: Value) -> None:
    product = np.asarray(scale.content) * np.asarray(inner.content)
    if np.isfinite(product):
        name = f"{scale.name}x{inner.name}"
        joined = Value(name, CONSTANT, step.device, (), scale.dtype, np.asarray(product), True, scale.label)
        step.args = [joined, value]
