"""Handing results to the caller: arrays that are the caller's own, 0-d ones as NumPy scalars, as TensorFlow gives them.

Whether an array is anybody else's (a variable's, a constant's, a feed's, a view of one) is known while compiling for most, and
told by its reference count for the rest: a kernel may return its input as it is.
"""

import sys
from typing import Any

import numpy as np


def _references(value: Any) -> int:
    return sys.getrefcount(value)


def _measure() -> int:
    """Return what `_references` sees of an array that one local variable of a calling function holds."""
    local = np.empty(1)
    return _references(local)


_ONE_HOLDER = _measure()


def give(value: Any) -> Any:
    """Return a result for the caller, copied where something else refers to it; 0-d arrays become scalars."""
    if value.__class__ is np.ndarray and value.ndim:
        return value if value.flags.owndata and sys.getrefcount(value) <= _ONE_HOLDER else value.copy()
    return value[()] if isinstance(value, np.ndarray) else value


def give_copy(value: Any) -> Any:
    """Return a copy of a result that the session, the plan or another caller still holds."""
    if isinstance(value, np.ndarray):
        return value.copy() if value.ndim else value[()]
    return value
