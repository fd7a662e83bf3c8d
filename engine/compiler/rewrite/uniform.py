"""Constants whose elements are all the same, read as scalars where broadcasting spreads them anyway.

The gradient of a mean spreads one number over the batch before it multiplies; with the batch's size known that is a
constant array, and the product with its one element is the same, without reading the array.
"""

from __future__ import annotations

import numpy as np

from ..ir import CONSTANT, Block, Step, Value


def shrink_uniform(block: Block) -> None:
    """Replace uniform constant arguments of element-wise steps by scalars, where another argument has the output's shape."""
    for step in block.steps:
        for inner in step.blocks:
            shrink_uniform(inner)
        if (
            step.kind == "kernel"
            and step.op.decl.fuse is not None
            and len(step.args) == 2
            and step.device.kind == "CPU"
        ):
            _shrink(step)


def _shrink(step: Step) -> None:
    (made,) = step.outputs
    for i, value in enumerate(step.args):
        other: Value = step.args[1 - i]
        if made is not None and made.dims and None not in made.dims and other.dims == made.dims and _uniform(value):
            content = np.asarray(value.content).flat[0]
            step.args[i] = Value(
                f"{value.name}u", CONSTANT, value.device, (), value.dtype, np.asarray(content), True, value.label
            )


def _uniform(value: Value) -> bool:
    if value.kind != CONSTANT or value.dtype.name == "string":
        return False
    content = np.asarray(value.content)
    if content.ndim == 0 or not content.size or content.dtype.kind not in "fiu":
        return False
    first = content.flat[0]
    # -0.0 equals 0.0 and is another number.
    return bool(np.all(content == first) and (first != 0 or np.all(np.signbit(content) == np.signbit(first))))
