"""Kernels of MatMul for large products on the CPU: by oneDNN where the extra is installed, else in parts on our threads.

Products that are not large, and that BLAS would divide among its threads all the same, stay on one core: waiting for BLAS's
other threads costs more than they do, and milliseconds where another program has their cores.

A node whose sizes are not all known is served where it may turn out to be large; at run time what is small after all goes
straight to NumPy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...devices import onednn
from ...devices.blas import one_thread
from ...devices.product import LARGE, MEDIUM, product
from ...devices.types import Array, Empty, Namespace
from ..core import dtypes
from ..core.node import Operation
from . import matmul

# Rows that a dimension of unknown length is taken to have, such as a batch's.
_ASSUMED = 64
# Rows that are copied at a time when a matrix is laid out by columns: one by one, each would touch all of the copy's memory.
_ROWS = 32


def _may_reach(node: Operation, least: int) -> bool:
    """Tell whether a product of floats that BLAS computes takes so many products of numbers, as far as static shapes tell."""
    if node.attrs["T"] not in (dtypes.float32, dtypes.float64):
        return False
    a, b = (tensor.dims or (None, None) for tensor in node.inputs)
    rows, inner = a[::-1] if node.attrs["transpose_a"] else a
    inner_b, columns = b[::-1] if node.attrs["transpose_b"] else b
    work = 1
    for length in (rows, inner_b if inner is None else inner, columns):
        work *= _ASSUMED if length is None else length
    return work >= least


def may_be_medium(node: Operation) -> bool:
    """Tell whether BLAS would divide a product, as far as static shapes tell."""
    return _may_reach(node, MEDIUM)


def may_be_large(node: Operation) -> bool:
    """Tell whether a product is large, as far as static shapes tell."""
    return _may_reach(node, LARGE)


def is_for_onednn(node: Operation) -> bool:
    """Tell whether a product is large, in float32, and oneDNN is there."""
    return node.attrs["T"] is dtypes.float32 and may_be_large(node) and onednn.available()


def is_large(a: Array, b: Array) -> bool:
    """Tell whether two matrices make a product, and a large one."""
    return bool(a.ndim == b.ndim == 2 and a.shape[1] == b.shape[0] and a.size * b.shape[1] >= LARGE)


def turned(x: Array) -> Array:
    """Return the transpose of a matrix, laid out row by row."""
    made = np.empty(x.shape[::-1], x.dtype)
    for start in range(0, len(x), _ROWS):
        made[:, start : start + _ROWS] = x[start : start + _ROWS].T
    return made


def _on_one_core_into(
    xp: Namespace, empty: Empty, a: Array, b: Array, *, transpose_a: bool, transpose_b: bool, **attrs: Any
) -> Array:
    x, y = a.T if transpose_a else a, b.T if transpose_b else b
    return on_one_core(xp, empty, x, y)


def on_one_core(xp: Namespace, empty: Empty, x: Array, y: Array) -> Array:
    """Multiply without BLAS's threads; InvalidArgumentError where the shapes do not fit."""
    with one_thread():
        if x.ndim == y.ndim == 2 and x.shape[1] == y.shape[0]:
            return xp.matmul(x, y, out=empty((x.shape[0], y.shape[1]), x.dtype))
        return matmul.multiply(xp, x, y)


@matmul.matmul_op.kernel("CPU", supports=may_be_medium, label="matmul on one core", into=_on_one_core_into)
def matmul_on_one_core(xp: Namespace, a: Array, b: Array, **attrs: Any) -> Array:
    """Multiply without BLAS's threads."""
    return _on_one_core_into(xp, np.empty, a, b, **attrs)


def _in_parts_into(
    xp: Namespace, empty: Empty, a: Array, b: Array, *, transpose_a: bool, transpose_b: bool, **attrs: Any
) -> Array:
    x, y = a.T if transpose_a else a, b.T if transpose_b else b
    return product(x, y, empty((x.shape[0], y.shape[1]), x.dtype)) if is_large(x, y) else on_one_core(xp, empty, x, y)


@matmul.matmul_op.kernel("CPU", supports=may_be_large, label="matmul on all cores", into=_in_parts_into)
def matmul_in_parts(xp: Namespace, a: Array, b: Array, **attrs: Any) -> Array:
    """Multiply on our own threads where that pays."""
    return _in_parts_into(xp, np.empty, a, b, **attrs)


def onednn_into(
    xp: Namespace, empty: Empty, a: Array, b: Array, *, transpose_a: bool, transpose_b: bool, **attrs: Any
) -> Array:
    """Multiply by oneDNN where that pays, into memory that `empty` gives."""
    x, y = a.T if transpose_a else a, b.T if transpose_b else b
    return (
        onednn.product(x, y, empty((x.shape[0], y.shape[1]), x.dtype))
        if is_large(x, y)
        else on_one_core(xp, empty, x, y)
    )


@matmul.matmul_op.kernel("CPU", supports=is_for_onednn, label="matmul by oneDNN", into=onednn_into)
def matmul_onednn(xp: Namespace, a: Array, b: Array, **attrs: Any) -> Array:
    """Multiply by oneDNN where that pays."""
    return onednn_into(xp, np.empty, a, b, **attrs)
