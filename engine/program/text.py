"""`tf.compat`: bytes and text, and the groups of Python and NumPy types that TensorFlow 1 names."""

from __future__ import annotations

import datetime
import numbers
import os
from typing import Any

import numpy as np

__all__ = [
    "as_bytes", "as_str", "as_str_any", "as_text", "bytes_or_text_types", "complex_types", "dimension_at_index",
    "dimension_value", "forward_compatibility_horizon", "forward_compatible", "integral_types", "path_to_str", "real_types",
]  # fmt: skip

bytes_or_text_types = (bytes, str)
integral_types = (numbers.Integral, np.integer)
real_types = (numbers.Real, np.integer, np.floating)
complex_types = (numbers.Complex, np.number)


def as_bytes(bytes_or_text: Any, encoding: str = "utf-8") -> bytes:
    """Return bytes, encoding text; TypeError for anything else."""
    if isinstance(bytes_or_text, bytearray):
        return bytes(bytes_or_text)
    if isinstance(bytes_or_text, str):
        return bytes_or_text.encode(encoding)
    if isinstance(bytes_or_text, bytes):
        return bytes_or_text
    raise TypeError(f"Expected binary or unicode string, got {bytes_or_text!r}")


def as_text(bytes_or_text: Any, encoding: str = "utf-8") -> str:
    """Return text, decoding bytes; TypeError for anything else."""
    if isinstance(bytes_or_text, str):
        return bytes_or_text
    if isinstance(bytes_or_text, bytes):
        return bytes_or_text.decode(encoding)
    raise TypeError(f"Expected binary or unicode string, got {bytes_or_text!r}")


as_str = as_text


def as_str_any(value: Any, encoding: str = "utf-8") -> str:
    """Return text, decoding bytes, and `str(value)` of anything else."""
    return as_str(value, encoding) if isinstance(value, bytes) else str(value)


def path_to_str(path: Any) -> Any:
    """Return the text of a path object; anything else as it is."""
    return as_str_any(os.fspath(path)) if hasattr(path, "__fspath__") else path


def dimension_value(dimension: Any) -> int | None:
    """Return the number of a Dimension; anything else as it is."""
    value: int | None = getattr(dimension, "value", dimension)
    return value


def dimension_at_index(shape: Any, index: int) -> Any:
    """Return the Dimension at an index of a TensorShape."""
    return shape[index]


def forward_compatible(year: int, month: int, day: int) -> bool:
    """Tell whether programs of this date may expect what TensorFlow had by then: True up to TensorFlow 1.15."""
    return datetime.date(2019, 10, 15) > datetime.date(year, month, day)


class forward_compatibility_horizon:
    """Accept a date and change nothing: there is one behaviour."""

    def __init__(self, year: int, month: int, day: int) -> None:
        self.date = datetime.date(year, month, day)

    def __enter__(self) -> None:
        return None

    def __exit__(self, *details: Any) -> None:
        return None
