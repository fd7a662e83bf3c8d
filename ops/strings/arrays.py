"""Element-wise work on string tensors, which are object arrays of bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...devices.types import Array
from ..core.dtypes import DType
from ..core.errors import InvalidArgumentError


def strings(value: Any) -> Array:
    """Return a string tensor's value as an object array, whatever its rank."""
    return np.asarray(value, object)


def each(function: Callable[..., Any], *arrays: Any, dtype: DType | None = None) -> Array:
    """Return `function` of every element of arrays of one shape, as strings or as `dtype`."""
    shaped = [np.asarray(array) if not isinstance(array, bytes) else strings(array) for array in arrays]
    result = np.empty(shaped[0].shape, object if dtype is None else dtype.np_dtype)
    columns = [array.reshape(-1).tolist() for array in shaped]
    result.reshape(-1)[:] = [function(*items) for items in zip(*columns, strict=True)]
    return result


def text(value: bytes) -> str:
    """Return bytes as the characters they spell in UTF-8; those that spell none survive a round trip."""
    return value.decode("utf-8", "surrogateescape")


def coded(value: str) -> bytes:
    """Return text as the bytes that string tensors hold."""
    return value.encode("utf-8", "surrogateescape")


def invalid(message: str) -> InvalidArgumentError:
    """Return the error of an argument with a wrong value."""
    return InvalidArgumentError(None, None, message)
