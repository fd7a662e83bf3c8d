"""Products of matrices that are added to what stands there: one pass over memory less than NumPy, whose products write over it.

OpenBLAS's own function does that, and NumPy's wheels hold it. Where no such library is loaded, NumPy multiplies and adds.
Invariant: a library's function is used only after it has computed a small product rightly.

State: `_function` keeps what was found in the libraries.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np

from . import blas
from .types import Array

# What CBLAS calls an array in rows, a matrix as it is, and its transpose.
_IN_ROWS, _AS_IT_IS, _TURNED = 101, 111, 112
# Names of the function, by prefix and suffix, and how wide its sizes are.
_PREFIXES = ("scipy_cblas_", "cblas_")
_SUFFIXES = (("gemm64_", ctypes.c_int64), ("gemm", ctypes.c_int))
_KINDS = {"f": ("s", ctypes.c_float), "d": ("d", ctypes.c_double)}


def add_products(a: Sequence[Array], b: Array, out: Array) -> None:
    """Add the products of matrices to `out`: that of each of `a` and `b[i]`, or `b`, to `out[i]`, or all of them to `out`.

    All are of one dtype, those of `a` of one shape and order in memory, and `out`, which is in rows, shares no memory with them.
    """
    stacked, apart = b.ndim == 3, out.ndim == 3
    second, target = (b[0] if stacked else b), (out[0] if apart else out)
    function, layouts = _function(out.dtype.char), (_layout(a[0]), _layout(second), _layout(target))
    if function is None or None in layouts or layouts[2][0] != _AS_IT_IS:  # type: ignore[index]
        for i, first in enumerate(a):
            sums = out[i] if apart else out
            sums += np.matmul(first, b[i] if stacked else b)
        return
    (rows, columns), inner = target.shape, a[0].shape[1]
    if not (rows and columns and inner):
        return
    (turned, wide), (turned_b, wide_b), (_, wide_out) = layouts  # type: ignore[misc]
    from_b, to = _address(b), _address(out)
    step_b, step = (b.strides[0] if stacked else 0), (out.strides[0] if apart else 0)
    for i, first in enumerate(a):
        function(
            _IN_ROWS, turned, turned_b, rows, columns, inner, 1.0, _address(first), wide, from_b + i * step_b, wide_b, 1.0,
            to + i * step, wide_out,
        )  # fmt: skip


def _address(x: Array) -> int:
    return x.ctypes.data  # type: ignore[no-any-return]


def _layout(x: Array) -> tuple[int, int] | None:
    """Return how CBLAS calls the order of a matrix's elements, and how many lie from a row (or column) to the next."""
    (rows, columns), (down, right), size = x.shape, x.strides, x.itemsize
    if right == size and (down >= columns * size or rows == 1) and not down % size:
        return _AS_IT_IS, max(down // size, columns)
    if down == size and (right >= rows * size or columns == 1) and not right % size:
        return _TURNED, max(right // size, rows)
    return None


@lru_cache(maxsize=8)
def _function(kind: str) -> Callable[..., Any] | None:
    """Return OpenBLAS's function for a dtype's character, or None."""
    if kind not in _KINDS:
        return None
    letter, number = _KINDS[kind]
    for library, prefix, (suffix, size) in product(blas.openblas(), _PREFIXES, _SUFFIXES):
        sizes, place, flag = [size] * 3, [ctypes.c_void_p, size], ctypes.c_int
        takes = ctypes.CFUNCTYPE(None, flag, flag, flag, *sizes, number, *place, *place, number, *place)
        try:
            found = takes((f"{prefix}{letter}{suffix}", library))
        except AttributeError:
            continue
        if _is_right(found, np.dtype(kind)):
            return found
    return None


def _is_right(function: Callable[..., Any], dtype: np.dtype[Any]) -> bool:
    a, b, out = (
        np.arange(6, dtype=dtype).reshape(2, 3),
        np.arange(12, dtype=dtype).reshape(3, 4),
        np.ones((2, 4), dtype),
    )
    function(_IN_ROWS, _AS_IT_IS, _AS_IT_IS, 2, 4, 3, 1.0, _address(a), 3, _address(b), 4, 1.0, _address(out), 4)
    return bool(np.array_equal(out, np.matmul(a, b) + 1))
