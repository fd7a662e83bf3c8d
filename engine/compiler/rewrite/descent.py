"""Optimisers' updates by a gradient that is a large product, which take its factors: the gradient itself is never stored.

`var -= rate * (a · b)` is what BLAS calls a product with a scale and with what was there before; other updates make the product
piece by piece. The step stands where the update stood. Invariant: the gradient is read by nobody else, its factors are no
variables (the update might change them), and the variables are written over wholly or not at all.
"""

from __future__ import annotations

from collections import Counter

from ....devices.fusion import compiled, team
from ....ops.core import shapes
from ....ops.state.apply import DENSE, GRADIENT_NAMES
from ....ops.state.descent import descend
from ....ops.state.products import update_by_product
from ..buffers import into_form
from ..ir import CELL, CONSTANT, FEED, LOCAL, Block, Folded, Step, Value
from .updates import MOST_ELEMENTS
from .uses import count_uses, replace_steps

_DESCENTS = frozenset({"ApplyGradientDescent", "ResourceApplyGradientDescent"})
_LABEL = "matmul by oneDNN"


def fold_descents(block: Block) -> None:
    """Fold products into the updates by gradient descent of a block, and of the blocks inside."""
    _fold(block, count_uses(block))


def _fold(block: Block, uses: Counter[Value]) -> None:
    made = {value: i for i, step in enumerate(block.steps) for value in step.outputs if value is not None}
    replaced: dict[int, Step | None] = {}
    for i, step in enumerate(block.steps):
        for inner in step.blocks:
            _fold(inner, uses)
        at = _product_of(step, block.steps, made, uses)
        if at is not None:
            replaced[at], replaced[i] = None, _folded(block.steps[at], step)
    block.steps[:] = replace_steps(block.steps, replaced)


def _product_of(step: Step, steps: list[Step], made: dict[Value, int], uses: Counter[Value]) -> int | None:
    """Return the place of the product that a step updates variables by, or None."""
    if step.kind != "kernel" or step.device.kind != "CPU" or not _serves(step):
        return None
    delta = step.args[_gradient_of(step)]
    at = made.get(delta)
    if at is None or uses[delta] != 1 or any(c.kind != CELL or c.content.shape != delta.dims for c in _cells(step)):
        return None
    product = steps[at]
    size = shapes.num_elements(delta.dims)
    if product.kind != "kernel" or product.op.type != "MatMul" or product.device is not step.device:
        return None
    if product.entry is None or product.entry.label != _LABEL or size is None or size <= MOST_ELEMENTS:
        return None
    return at if all(value.kind in (LOCAL, FEED, CONSTANT) for value in product.flat_args()) else None


def _serves(step: Step) -> bool:
    """Tell whether a step is an update that need not have its gradient as a whole."""
    return step.op.type in _DESCENTS or (step.op.type in DENSE and compiled.available() and team.available())


def _gradient_of(step: Step) -> int:
    return next(i for i, arg in enumerate(step.op.decl.inputs) if arg.name in GRADIENT_NAMES)


def _cells(step: Step) -> list[Value]:
    named = zip((arg.name for arg in step.op.decl.inputs), step.args, strict=True)
    return [value for name, value in named if name in step.op.decl.writes]


def _folded(product: Step, update: Step) -> Step:
    gradient = _gradient_of(update)
    given = [value for i, value in enumerate(update.args) if i != gradient]
    kernel = into_form(product)
    assert update.entry is not None and kernel is not None
    attrs = {
        "product": kernel, "update": update.entry.function,
        "transpose_a": product.attrs["transpose_a"], "transpose_b": product.attrs["transpose_b"],
    }  # fmt: skip
    if update.op.type not in _DESCENTS:
        options = {name: update.attrs[name] for name in update.op.decl.kernel_attrs}
        attrs |= {"options": options, "gradient": gradient}
    folded = Folded(
        [product, update], descend if update.op.type in _DESCENTS else update_by_product, attrs, allocates=False,
        calls={kernel: product},
    )  # fmt: skip
    return Step(
        "folded", update.op, update.device, [*given, *product.args], list(update.outputs), update.entry, extra=folded,
        writes=update.writes,
    )  # fmt: skip
