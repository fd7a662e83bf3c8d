"""Reading Example messages straight from their bytes: where each feature's values are, and what they are.

A generic parser makes an object of every number; here a list of floats is a view of the message. Examples of one writer mostly
look alike, so what was found in one is tried on the next one of the same length: the bytes around the values have to be the same.
Invariant: what is no message raises Malformed, whatever it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...devices.types import Array

BYTES, FLOATS, INTS = 1, 2, 3
Place = tuple[int, int, int]  # kind, start and end of a list's contents
_FIXED = {1: 8, 5: 4}
_LENGTHS, _LAYOUTS, _PIECES = 256, 4, 64


class Malformed(ValueError):
    """Bytes that are no message of the kind expected."""


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number at a place, and the place after it."""
    result = shift = 0
    while shift < 70:
        byte = data[at]
        at += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, at
        shift += 7
    raise Malformed("a number has too many bytes")


def fields(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield (number, wire type, start, end) of the fields of a message; of a number start is its value."""
    try:
        while start < end:
            tag, start = _varint(data, start)
            wire = tag & 7
            if wire == 0:
                value, start = _varint(data, start)
                yield tag >> 3, 0, value, start
                continue
            if wire == 2:
                size, start = _varint(data, start)
            elif wire in _FIXED:
                size = _FIXED[wire]
            else:
                raise Malformed(f"a field has the wire type {wire}")
            if size > end - start:
                raise Malformed("a field goes beyond its message")
            yield tag >> 3, wire, start, start + size
            start += size
    except IndexError:
        raise Malformed("a message ends too soon") from None
    if start != end:
        raise Malformed("a field goes beyond its message")


def entries(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield (key, start, end) of the entries of a map whose values are messages."""
    for number, wire, first, last in fields(data, start, end):
        if number != 1 or wire != 2:
            continue
        key, value = b"", (first, first)
        for inner, kind, a, b in fields(data, first, last):
            if kind == 2 and inner == 1:
                key = data[a:b]
            elif kind == 2 and inner == 2:
                value = (a, b)
        yield key, *value


def feature(data: bytes, start: int, end: int) -> Place:
    """Return where a Feature has its values; kind 0 when it has none."""
    found = (0, start, start)
    for number, wire, a, b in fields(data, start, end):
        if wire == 2 and number in (BYTES, FLOATS, INTS):
            found = (number, a, b)
    return found


def _features(data: bytes, start: int, end: int) -> dict[bytes, Place]:
    return {key: feature(data, a, b) for key, a, b in entries(data, start, end)}


def _scan(data: bytes) -> dict[bytes, Place]:
    found: dict[bytes, Place] = {}
    for number, wire, a, b in fields(data, 0, len(data)):
        if number == 1 and wire == 2:
            found.update(_features(data, a, b))
    return found


class Layout:
    """Where the features of an Example are: `found` by key, `around` the pieces (start, end, bytes) beside the values."""

    __slots__ = ("around", "found")

    def __init__(self, data: bytes) -> None:
        self.found = _scan(data)
        self.around: list[tuple[int, int, bytes]] = []
        at = 0
        for _, start, end in sorted(self.found.values(), key=lambda place: place[1:]):
            if start > at:
                self.around.append((at, start, data[at:start]))
            at = max(at, end)
        if at < len(data):
            self.around.append((at, len(data), data[at:]))

    def fits(self, data: bytes) -> bool:
        """Tell whether another Example of the same length has its features in the same places."""
        return all(data[start:end] == piece for start, end, piece in self.around)


class Layouts:
    """What was found in earlier Examples. State: `_known` layouts by the length of the message, few of each, few in all."""

    def __init__(self) -> None:
        self._known: dict[int, list[Layout]] = {}

    def of(self, data: bytes) -> Layout:
        """Return where the features of a serialized Example are; Malformed when it is none."""
        known = self._known.get(len(data))
        if known is not None:
            for layout in known:
                if layout.fits(data):
                    return layout
        layout = Layout(data)
        if len(layout.around) <= _PIECES:
            if len(self._known) >= _LENGTHS and known is None:
                self._known.clear()
            self._known[len(data)] = [layout, *(known or ())][:_LAYOUTS]
        return layout


layout_of = Layouts().of


def sequence_of(data: bytes) -> tuple[dict[bytes, Place], dict[bytes, list[Place]]]:
    """Return where a serialized SequenceExample has its context's features, and the features of its lists."""
    context: dict[bytes, Place] = {}
    lists: dict[bytes, list[Place]] = {}
    for number, wire, start, end in fields(data, 0, len(data)):
        if wire == 2 and number == 1:
            context.update(_features(data, start, end))
        elif wire == 2 and number == 2:
            for key, a, b in entries(data, start, end):
                lists[key] = [feature(data, c, d) for n, w, c, d in fields(data, a, b) if n == 1 and w == 2]
    return context, lists


def values(data: bytes, place: Place) -> Any:
    """Return the values of a feature: a list of bytes, a float32 or an int64 array."""
    kind, start, end = place
    return _READ[kind](data, start, end)


def packed(data: bytes, start: int, end: int) -> int | None:
    """Return where the only packed or length-delimited value of a list begins, None when there is not exactly one."""
    if start < end and data[start] == 0x0A:
        try:
            size, first = _varint(data, start + 1)
        except IndexError:
            return None
        if first + size == end:
            return first
    return None


def _bytes(data: bytes, start: int, end: int) -> list[bytes]:
    first = packed(data, start, end)
    if first is not None:
        return [data[first:end]]
    return [data[a:b] for number, wire, a, b in fields(data, start, end) if number == 1 and wire == 2]


def _floats(data: bytes, start: int, end: int) -> Array:
    first = packed(data, start, end)
    if first is not None and (end - first) % 4 == 0:
        return np.frombuffer(data, "<f4", (end - first) // 4, first)
    found: list[Any] = [np.empty(0, np.float32)]
    for number, wire, a, b in fields(data, start, end):
        if number == 1 and wire in (2, 5):
            if (b - a) % 4:
                raise Malformed("a list of floats has a part of one")
            found.append(np.frombuffer(data, "<f4", (b - a) // 4, a))
    return np.concatenate(found)


def _ints(data: bytes, start: int, end: int) -> Array:
    first = packed(data, start, end)
    if first is not None:
        return _varints(data, first, end)
    found: list[Any] = [np.empty(0, np.int64)]
    for number, wire, a, b in fields(data, start, end):
        if number == 1 and wire == 2:
            found.append(_varints(data, a, b))
        elif number == 1 and wire == 0:
            found.append(np.array([a & (2**64 - 1)], np.uint64).view(np.int64))
    return np.concatenate(found)


def _varints(data: bytes, start: int, end: int) -> Array:
    """Return the packed numbers of a list."""
    if end - start == 1 and data[start] < 0x80:
        return np.array([data[start]], np.int64)
    raw = np.frombuffer(data, np.uint8, end - start, start)
    last = raw < 0x80
    if last.all():
        return raw.astype(np.int64)
    if not last[-1]:
        raise Malformed("a list of numbers ends in the middle of one")
    ends = np.flatnonzero(last)
    starts = np.concatenate([[0], ends[:-1] + 1])
    if (ends - starts).max() > 9:
        raise Malformed("a number has too many bytes")
    place = np.arange(len(raw)) - np.repeat(starts, ends - starts + 1)
    parts = (raw & 0x7F).astype(np.uint64) << (7 * place).astype(np.uint64)
    return np.bitwise_or.reduceat(parts, starts).view(np.int64)


def _none(data: bytes, start: int, end: int) -> list[Any]:
    return []


_READ = {0: _none, BYTES: _bytes, FLOATS: _floats, INTS: _ints}
