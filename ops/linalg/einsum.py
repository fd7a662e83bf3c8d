"""Einsum: products of tensors summed over named axes, and its gradient, which is again an einsum.

The equation that a user writes may leave out its right side, name axes by any letter and stand an ellipsis for axes that
broadcast; the node keeps it as written. Beyond NumPy, a letter may be repeated on the right: it then names a diagonal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..array.broadcast import broadcast_to
from ..array.pack import stack
from ..array.reshape import reshape
from ..array.shape_ops import shape
from ..core import shapes
from ..core.convert import convert_to_tensor
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.scopes import name_scope
from ..core.shapes import Shape
from ..math.broadcasting import unbroadcast_to
from ..math.complex import conj
from ..math.reduce import reduce_sum
from .contraction import contracted

# Stand for the axes of an ellipsis, from the last one backwards; no user's label is a digit.
_DOTS = "0123456789"


def parts_of(equation: str, operands: int) -> tuple[list[str], str]:
    """Return the labels of each operand and of the result; the result's are worked out where the equation ends early."""
    text = equation.replace(" ", "")
    left, arrow, right = text.partition("->")
    inputs = left.split(",")
    if len(inputs) != operands:
        raise ValueError(f"Einsum equation {equation!r} has {len(inputs)} operands, got {operands} tensors")
    for part in (*inputs, right):
        letters = part.replace("...", "", 1)
        if not all(letter.isalpha() for letter in letters):
            raise ValueError(
                f"Einsum equation {equation!r} may hold letters, commas, one arrow and ellipses, got {part!r}"
            )
    if not arrow:
        once = sorted(label for label in set(left) - set(",.") if left.count(label) == 1)
        right = ("..." if "..." in left else "") + "".join(once)
    return inputs, right


def spelled_out(labels: str, rank: int, equation: str) -> str:
    """Return the labels with a digit for each axis of the ellipsis."""
    before, dots, after = labels.partition("...")
    missing = rank - len(before) - len(after)
    if missing < 0 or (missing and not dots) or missing > len(_DOTS):
        raise ValueError(f"Einsum equation {equation!r} names axes {labels!r} of a tensor of rank {rank}")
    return before + _DOTS[:missing][::-1] + after


def _einsum_shape(node: Operation) -> Shape:
    equation = node.attrs["equation"]
    inputs, right = parts_of(equation, len(node.inputs))
    if "..." in equation and any(tensor.dims is None for tensor in node.inputs):
        return None
    sizes: dict[str, int | None] = {}
    longest = 0
    for labels, tensor in zip(inputs, node.inputs, strict=True):
        dims = shapes.with_rank(None, len(labels)) if tensor.dims is None else tensor.dims
        spelled = spelled_out(labels, len(dims), equation)
        longest = max(longest, len(spelled) - len(labels.replace("...", "")))
        for label, dim in zip(spelled, dims, strict=True):
            meet = shapes.broadcast_dim if label in _DOTS else shapes.merge_dim
            sizes[label] = meet(sizes[label], dim) if label in sizes else dim
    result = spelled_out(right, len(right.replace("...", "")) + ("..." in right) * longest, equation)
    unknown = [label for label in result if label not in sizes]
    if unknown:
        raise ValueError(f"Einsum equation {equation!r} has {unknown} in its result, but in no operand")
    return tuple(sizes[label] for label in result)


@op("Einsum", types="inputs: N*T -> output: T", shape=_einsum_shape)
def einsum_op(xp: Namespace, inputs: list[Array], *, equation: str) -> Array:
    """Returns the products of the inputs' elements, summed over the labels that the result lacks."""
    lefts, right = parts_of(equation, len(inputs))
    spelled = [spelled_out(labels, x.ndim, equation) for labels, x in zip(lefts, inputs, strict=True)]
    dots = max(len(s) - len(labels.replace("...", "")) for s, labels in zip(spelled, lefts, strict=True))
    result = right.replace("...", _DOTS[:dots][::-1])
    _check_sizes(spelled, inputs, equation)
    distinct = "".join(dict.fromkeys(result))
    found = _summed(xp, [_computable(x) for x in inputs], spelled, distinct).astype(inputs[0].dtype, copy=False)
    return found if distinct == result else _on_diagonals(xp, found, distinct, result)


def _summed(xp: Namespace, inputs: list[Array], spelled: list[str], result: str) -> Array:
    if xp is np and len(inputs) == 2:
        found = contracted(inputs[0], spelled[0], inputs[1], spelled[1], result)
        if found is not None:
            return found
    numbers = {label: i for i, label in enumerate(dict.fromkeys("".join((*spelled, result))))}
    arguments: list[Any] = []
    for labels, x in zip(spelled, inputs, strict=True):
        arguments += [x, [numbers[label] for label in labels]]
    return xp.asarray(xp.einsum(*arguments, [numbers[label] for label in result], optimize=len(inputs) > 2))


def _computable(x: Array) -> Array:
    """Return an array of a type that products of many axes are computed in: single precision for bfloat16."""
    return x.astype("f4") if x.dtype.name == "bfloat16" else x


def _check_sizes(spelled: Sequence[str], inputs: Sequence[Array], equation: str) -> None:
    sizes: dict[str, int] = {}
    for labels, x in zip(spelled, inputs, strict=True):
        for label, size in zip(labels, x.shape, strict=True):
            known = sizes.setdefault(label, size)
            if label in _DOTS and 1 in (known, size):
                sizes[label] = max(known, size)
            elif known != size:
                raise InvalidArgumentError(
                    None, None, f"Expected dimension {known} at axis {label!r} of {equation!r} but got dimension {size}"
                )


def _on_diagonals(xp: Namespace, x: Array, labels: str, result: str) -> Array:
    """Return zeros with `x` where all axes that share a label have one index."""
    sizes = dict(zip(labels, x.shape, strict=True))
    made = xp.zeros(tuple(sizes[label] for label in result), x.dtype)
    axes = {label: i for i, label in enumerate(labels)}
    index = tuple(
        xp.arange(sizes[label]).reshape([-1 if i == axes[label] else 1 for i in range(len(labels))]) for label in result
    )
    made[index] = x
    return made


@einsum_op.gradient
def _einsum_gradient(op: Operation, dy: Tensor) -> list[Tensor]:
    lefts, right = parts_of(op.attrs["equation"], len(op.inputs))
    return [_operand_gradient(op.inputs, lefts, i, dy, right) for i in range(len(lefts))]


def _tokens(labels: str) -> list[str]:
    """Return the labels one by one; an ellipsis is one of them."""
    before, dots, after = labels.partition("...")
    return [*before, *([dots] if dots else []), *after]


def _operand_gradient(inputs: Sequence[Tensor], lefts: Sequence[str], i: int, dy: Tensor, right: str) -> Tensor:
    """Sum the product of `dy` and the other operands to the labels of operand `i`."""
    x, labels = inputs[i], lefts[i]
    others = [j for j in range(len(lefts)) if j != i]
    known = set(_tokens(right)).union(*(_tokens(lefts[j]) for j in others))
    distinct = list(dict.fromkeys(_tokens(labels)))
    kept = "".join(label for label in distinct if label in known)
    dots = "..." if "..." in known and "..." not in distinct else ""
    equation = f"{','.join([right, *(lefts[j] for j in others)])}->{dots}{kept}"
    found: Tensor = einsum_op([dy, *(conj(inputs[j]) for j in others)], equation=equation)
    if dots:
        found = _without_dots(found, dy, right)
    if kept != "".join(distinct):
        found = _spread(found, x, labels, "".join(distinct), kept)
    if len(distinct) != len(_tokens(labels)):
        found = einsum_op([found], equation=f"{''.join(distinct)}->{labels}")
    return unbroadcast_to(found, x)


def _without_dots(found: Tensor, dy: Tensor, right: str) -> Tensor:
    """Sum over the axes of the result's ellipsis, which come first."""
    if dy.dims is None:
        raise ValueError(f"The gradient of an Einsum with an ellipsis needs tensors of known rank, got {dy}")
    return reduce_sum(found, list(range(len(dy.dims) - len(right.replace("...", "")))))


def _spread(found: Tensor, x: Tensor, labels: str, distinct: str, kept: str) -> Tensor:
    """Repeat along the axes that were summed within the operand alone."""
    if "..." in labels:
        raise ValueError(f"The gradient of an Einsum that sums {labels!r} within one operand takes no ellipsis there")
    dims = shape(x)
    sizes = {label: dims[labels.index(label)] for label in distinct}
    narrow = stack([sizes[label] if label in kept else 1 for label in distinct])
    return broadcast_to(reshape(found, narrow), stack([sizes[label] for label in distinct]))


def einsum(equation: str, *inputs: Any, name: str | None = None, optimize: Any = None) -> Tensor:
    """Return the products of tensors summed over the labels that the equation's result lacks.

    Args:
      equation: labels of each input's axes, and after `->` those of the result: `"ij,jk->ik"` is the matrix product.
      inputs: tensors of one type, or one list of them. More than two are multiplied from the left.
      optimize: a hint how to order products, which needs no action.

    Raises:
      ValueError: when the equation does not fit the inputs.
    """
    operands = list(inputs[0]) if len(inputs) == 1 and isinstance(inputs[0], list | tuple) else list(inputs)
    lefts, right = parts_of(equation, len(operands))
    if any("..." in left for left in lefts) and "..." not in right:
        raise ValueError(f"Einsum equation {equation!r} has an ellipsis in an operand, but none in its result")
    with name_scope(name, "einsum", operands) as scope:
        tensors: list[Tensor] = []
        for operand in operands:
            tensors.append(convert_to_tensor(operand, tensors[0].dtype.base_dtype if tensors else None))
        while len(tensors) > 2:
            met = _tokens(lefts[0]) + _tokens(lefts[1])
            needed = set(_tokens(right)).union(*(_tokens(left) for left in lefts[2:]))
            between = "".join(label for label in dict.fromkeys(met) if label in needed)
            product: Tensor = einsum_op(tensors[:2], equation=f"{lefts[0]},{lefts[1]}->{between}")
            tensors, lefts = [product, *tensors[2:]], [between, *lefts[2:]]
        return einsum_op(tensors, equation=f"{','.join(lefts)}->{right}", name=scope)  # type: ignore[no-any-return]
