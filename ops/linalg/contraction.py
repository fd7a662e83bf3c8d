"""Einsums of two operands as products of matrices, which BLAS computes up to a hundred times faster than NumPy's loops.

Labels that both operands and the result have count matrices, those that only the operands share are summed over, and each
operand's own are rows or columns. Invariant: the result is einsum's, up to the order of sums.
"""

from __future__ import annotations

from math import prod

import numpy as np

from ...devices.types import Array
from ..math.matmul import product_of

# Products of one number with another from which on the way to matrices and back pays.
_LEAST = 1 << 12


def contracted(a: Array, of_a: str, b: Array, of_b: str, result: str) -> Array | None:
    """Return the einsum of arrays of the host whose axes have these labels, or None where it is no product of matrices.

    A label names one size, or 1, wherever it stands: an axis of 1 is repeated as often as the other operand has it.
    """
    if a.dtype != b.dtype or a.dtype.char not in "fdFD" or any(len(set(part)) < len(part) for part in (of_a, of_b)):
        return None
    (a, of_a), (b, of_b) = _without_ones(a, of_a, b, of_b), _without_ones(b, of_b, a, of_a)
    sizes = dict(zip(of_a + of_b, a.shape + b.shape, strict=True))
    shared = [label for label in of_a if label in of_b]
    summed, stacked = ([x for x in shared if x not in result], [x for x in result if x in shared])
    if not summed or any(x not in sizes for x in result) or prod(sizes.values()) < _LEAST:
        return None
    (a, of_a), (b, of_b) = _own_sums(a, of_a, result, shared), _own_sums(b, of_b, result, shared)
    rows, columns = (
        [x for x in result if x in of_a and x not in shared],
        [x for x in result if x in of_b and x not in shared],
    )
    first = _matrices(a, of_a, (stacked, rows, summed))
    second = _matrices(b, of_b, (stacked, summed, columns))
    labels = [*stacked, *rows, *columns]
    made = product_of(np, first, second).reshape([sizes[x] for x in labels])
    return np.asarray(made.transpose([labels.index(x) for x in result]), order="C")


def _without_ones(x: Array, labels: str, other: Array, theirs: str) -> tuple[Array, str]:
    """Drop the axes of 1 that the other operand has longer ones for."""
    gone = [
        i
        for i, label in enumerate(labels)
        if x.shape[i] == 1 and label in theirs and other.shape[theirs.index(label)] != 1
    ]
    return np.squeeze(x, tuple(gone)), "".join(label for i, label in enumerate(labels) if i not in gone)


def _own_sums(x: Array, labels: str, result: str, shared: list[str]) -> tuple[Array, str]:
    """Sum over the axes that nobody else has."""
    own = [i for i, label in enumerate(labels) if label not in result and label not in shared]
    summed = np.add.reduce(x, axis=tuple(own)) if own else x
    return summed, "".join(label for i, label in enumerate(labels) if i not in own)


def _matrices(x: Array, labels: str, groups: tuple[list[str], list[str], list[str]]) -> Array:
    """Return the array as (stack, rows, columns), by a view where its axes lie so, or with rows and columns exchanged."""
    stacked, rows, columns = groups
    turned = list(labels) == [*stacked, *columns, *rows] != [*stacked, *rows, *columns]
    count, high, wide = (prod(x.shape[labels.index(label)] for label in group) for group in groups)
    if turned:
        return x.reshape(count, wide, high).swapaxes(1, 2)
    return x.transpose([labels.index(label) for group in groups for label in group]).reshape(count, high, wide)
