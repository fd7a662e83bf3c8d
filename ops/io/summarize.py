"""Values as TensorFlow's run-time messages show them: the first few elements, nested brackets, `...` for the rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...devices.types import Array

_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "'": "\\'", "\\": "\\\\"}


def element_text(value: Any) -> str:
    """Return one element as TensorFlow writes it: shortest digits that tell it, bools as 0 and 1, bytes escaped."""
    if isinstance(value, bytes | str):
        data = value if isinstance(value, bytes) else value.encode()
        return "".join(_ESCAPES.get(chr(b)) or (chr(b) if 32 <= b < 127 else f"\\{b:03o}") for b in data)
    if isinstance(value, bool | np.bool_):
        return str(int(value))
    if isinstance(value, np.integer | int):
        return str(int(value))
    if isinstance(value, complex | np.complexfloating):
        return f"({element_text(value.real)},{element_text(value.imag)})"
    return _float_text(value)


def _float_text(value: Any) -> str:
    """Try few digits first, as `%g` shows them, then enough to tell the value from its neighbours."""
    few, many = (15, 17) if isinstance(value, np.float64) else (6, 9)
    number = float(value)
    text = f"{number:.{few}g}"
    kind = np.float64 if isinstance(value, np.float64) else np.float32
    return text if kind(float(text)) == kind(number) or number != number else f"{number:.{many}g}"


def summarize(value: Array, limit: int) -> str:
    """Return the first `limit` elements of an array (all when negative) in nested brackets, without the outermost."""
    array = np.asarray(value)
    shown = array.size if limit < 0 else min(limit, array.size)
    if array.ndim == 0:
        return element_text(array.item() if array.dtype == object else array[()]) if shown else "..."
    texts = [element_text(item) for item in array.reshape(-1)[:shown]]
    if array.ndim == 1:
        inner = " ".join(texts)
    else:
        inner = "".join(_rows(iter(texts), _Left(shown), array.shape, 0))
    return inner + ("..." if shown < array.size else "")


class _Left:
    """How many elements are still to be shown."""

    def __init__(self, count: int) -> None:
        self.count = count


def _rows(texts: Iterator[str], left: _Left, dims: tuple[int, ...], axis: int) -> Iterator[str]:
    for i in range(dims[axis]):
        if axis == len(dims) - 1:
            if not left.count:
                yield "..."
                return
            left.count -= 1
            yield (" " if i else "") + next(texts)
        elif left.count:
            yield "["
            yield from _rows(texts, left, dims, axis + 1)
            yield "]"
