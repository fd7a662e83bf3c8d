"""Handing results to the caller: arrays that are the caller's own, 0-d ones as NumPy scalars, as TensorFlow gives them."""

from typing import Any

import numpy as np


def give(value: Any) -> Any:
    """Return a fresh result for the caller; 0-d arrays become scalars."""
    if value.__class__ is np.ndarray and value.ndim:
        return value if value.flags.owndata else value.copy()
    return value[()] if isinstance(value, np.ndarray) else value


def give_copy(value: Any) -> Any:
    """Return a copy of a result that the session, the plan or another caller still holds."""
    if isinstance(value, np.ndarray):
        return value.copy() if value.ndim else value[()]
    return value
