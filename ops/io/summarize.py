"""Tensors as text, the way Print and Assert show them: `[[2 3][4...]...]`.

TensorFlow's own format, because people compare logs. Elements are shown up to a limit; `...` stands for the rest.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...devices.types import Array

_ESCAPES = {ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t", ord('"'): '\\"', ord("'"): "\\'", ord("\\"): "\\\\"}


def summarize(array: Array, limit: int) -> str:
    """Return the first `limit` elements of an array as text (all of them when it is negative), without outer brackets."""
    array = np.asarray(array)
    shown = array.size if limit < 0 else min(limit, array.size)
    texts = [_element(item) for item in array.reshape(-1)[:shown].tolist()] if _plain(array) else _short_floats(array, shown)
    text = _nested(texts, array.shape, 0)[0] if array.ndim else "".join(texts)
    return text + ("..." if array.size > shown else "")


def _plain(array: Array) -> bool:
    return array.dtype.kind in "biuO"


def _nested(texts: list[str], shape: tuple[int, ...], start: int, depth: int = 0) -> tuple[str, int]:
    """Return the text of the block of `shape` that begins with element `start`, and where the next block begins."""
    if len(shape) == 1:
        shown = texts[start : start + shape[0]]
        cut = "..." if depth and len(shown) < shape[0] else ""
        return " ".join(shown) + cut, start + len(shown)
    parts = []
    for _ in range(shape[0]):
        if start >= len(texts):
            break
        inner, start = _nested(texts, shape[1:], start, depth + 1)
        parts.append(f"[{inner}]")
    return "".join(parts), start


def _element(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return escape(value) if isinstance(value, bytes) else str(value)


def escape(value: bytes) -> str:
    """Return bytes as printable ASCII, with C's escapes for everything else."""
    return "".join(_ESCAPES.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}") for byte in value)


def _short_floats(array: Array, shown: int) -> list[str]:
    flat = array.reshape(-1)[:shown]
    if array.dtype.kind == "c":
        part = np.float32 if array.dtype == np.complex64 else np.float64
        return [f"({number_text(part(z.real))},{number_text(part(z.imag))})" for z in flat.tolist()]
    if array.dtype != np.float64:
        flat = flat.astype(np.float32)
    return [number_text(value) for value in flat]


def number_text(value: Any) -> str:
    """Return the shorter of two usual texts of a float32 or float64 that reads back as the same number."""
    short, long = (6, 9) if isinstance(value, np.float32) else (15, 17)
    text = f"{float(value):.{short}g}"
    return text if type(value)(text) == value or np.isnan(value) else f"{float(value):.{long}g}"
