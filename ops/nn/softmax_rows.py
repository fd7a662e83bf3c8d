"""Softmax and the sparse cross entropy on the host: the same formulas as `softmax.py`, by NumPy's ufuncs at once.

NumPy's `max` and `sum` go through Python before they reach the ufunc's `reduce`, which costs as much as a small batch itself.
CuPy has no such ufuncs, so these are kernels of the CPU alone; 16-bit floats are left to the common kernels.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..core.node import Operation
from .softmax import softmax_op, sparse_softmax_cross_entropy_op

_SUM: Any = np.add.reduce
_MAX: Any = np.maximum.reduce


def _wide(op: Operation) -> bool:
    return op.inputs[0].dtype.base_dtype.name in ("float32", "float64")


def _powers(logits: Array) -> tuple[Array, Array]:
    """Return the logits minus their row's greatest, and the exponentials of that."""
    shifted = logits - _MAX(logits, -1, None, None, True) if logits.shape[-1] else logits
    return shifted, np.exp(shifted)


@softmax_op.kernel("CPU", supports=_wide)
def softmax_rows(xp: Namespace, logits: Array) -> Array:
    """Softmax along the last axis."""
    _, powers = _powers(logits)
    powers /= _SUM(powers, -1, None, None, True)
    return powers


_common = sparse_softmax_cross_entropy_op.kernels_for("CPU")[0].function


@sparse_softmax_cross_entropy_op.kernel("CPU", supports=_wide)
def sparse_cross_entropy_rows(xp: Namespace, features: Array, labels: Array) -> tuple[Array, Array]:
    """The cross entropy of each row with its one true class, and its gradient by the logits."""
    rows, classes = features.shape
    # As unsigned numbers, negative labels are too large ones.
    if not rows or not classes or int(_MAX(labels.view(_UNSIGNED[labels.dtype]))) >= classes:
        return _common(xp, features, labels)  # type: ignore[no-any-return]
    shifted, backprop = _powers(features)
    total = _SUM(backprop, -1, None, None, True)
    backprop /= total
    where = np.arange(0, rows * classes, classes)
    where += labels
    loss = np.log(total).reshape(rows)
    loss -= shifted.reshape(-1)[where]
    flat = backprop.reshape(-1)
    flat[where] -= 1
    return loss, backprop


_UNSIGNED = {np.dtype("i4"): np.dtype("u4"), np.dtype("i8"): np.dtype("u8")}
