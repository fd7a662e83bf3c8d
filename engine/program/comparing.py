"""Comparisons of arrays for tests: what is wrong, in words, or None."""

from __future__ import annotations

from typing import Any

import numpy as np

_SHOWN = 5


def is_nested(value: Any) -> bool:
    """Tell whether a value is a list or tuple that is no array: with a mapping in it, or of several shapes."""
    if not isinstance(value, list | tuple) or not value:
        return False
    if any(isinstance(item, dict) or is_nested(item) for item in value):
        return True
    return len({np.shape(item) for item in value}) > 1


def _shapes(a: Any, b: Any) -> str | None:
    if a.shape != b.shape:
        return f"Shape mismatch: expected {a.shape}, got {b.shape}."
    return None


def _places(wrong: Any, a: Any, b: Any) -> str:
    where = np.argwhere(np.atleast_1d(wrong))[:_SHOWN]
    lines = [
        f"  at {tuple(map(int, index))}: {np.atleast_1d(a)[tuple(index)]!r} and {np.atleast_1d(b)[tuple(index)]!r}"
        for index in where
    ]
    return f"{int(np.sum(wrong))} of {wrong.size} elements differ:\n" + "\n".join(lines)


def not_close(a: Any, b: Any, rtol: float, atol: float) -> str | None:
    """Return what keeps two arrays from being close; NaN is close to NaN."""
    wrong_shape = _shapes(a, b)
    if wrong_shape is not None:
        return wrong_shape
    if a.dtype == object or b.dtype == object or a.dtype.kind in "SU" or b.dtype.kind in "SU":
        return not_equal(a, b)
    wide = np.complex128 if "c" in (a.dtype.kind, b.dtype.kind) else np.float64
    one, other = a.astype(wide), b.astype(wide)
    wrong = ~np.isclose(one, other, rtol=rtol, atol=atol, equal_nan=True)
    return f"not close, with rtol {rtol:g} and atol {atol:g}: {_places(wrong, a, b)}" if wrong.any() else None


def not_equal(a: Any, b: Any) -> str | None:
    """Return what keeps two arrays from being equal; NaN equals NaN, and text the bytes of its UTF-8."""
    wrong_shape = _shapes(a, b)
    if wrong_shape is not None:
        return wrong_shape
    one, other = _comparable(a), _comparable(b)
    wrong = np.asarray(one != other)
    if one.dtype.kind in "fc" and other.dtype.kind in "fc":
        wrong &= ~(np.isnan(one) & np.isnan(other))
    return _places(wrong, a, b) if wrong.any() else None


def _comparable(a: Any) -> Any:
    if a.dtype.kind == "U" or a.dtype == object:
        flat = [item.encode() if isinstance(item, str) else item for item in a.ravel().tolist()]
        result = np.empty(len(flat), object)
        result[:] = flat
        return result.reshape(a.shape)
    return a.astype(object) if a.dtype.kind == "S" else a
