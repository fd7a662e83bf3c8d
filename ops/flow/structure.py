"""Nested structures of tensors: what branches return and loops carry.

Lists, tuples, named tuples and dicts nest; dicts are taken in the order of their keys. IndexedSlices and SparseTensors
count as structures, too. Invariant: `pack(like, flatten(like))` equals `like`.
"""

from __future__ import annotations

from typing import Any

from ..core.sparse_tensor import SparseTensor


def _is_slices(value: Any) -> bool:
    return hasattr(value, "indices") and hasattr(value, "values") and hasattr(value, "dense_shape")


def _parts(value: Any) -> list[Any] | None:
    """Return what a structure holds one level down, or None for a leaf."""
    if isinstance(value, dict):
        return [value[key] for key in sorted(value)]
    if isinstance(value, list | tuple):
        return list(value)
    if isinstance(value, SparseTensor):
        return [value.indices, value.values, value.dense_shape]
    if _is_slices(value):
        return [value.values, value.indices, *([] if value.dense_shape is None else [value.dense_shape])]
    if hasattr(value, "_with_flow"):
        return [value.flow]
    return None


def _rebuild(value: Any, parts: list[Any]) -> Any:
    if isinstance(value, dict):
        packed = dict(zip(sorted(value), parts, strict=True))
        return type(value)((key, packed[key]) for key in value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*parts)
    if isinstance(value, list | tuple):
        return type(value)(parts)
    return value._with_flow(parts[0]) if hasattr(value, "_with_flow") else type(value)(*parts)


def flatten(value: Any) -> list[Any]:
    """Return the leaves of a structure, in order."""
    parts = _parts(value)
    return [value] if parts is None else [leaf for part in parts for leaf in flatten(part)]


def pack(like: Any, leaves: list[Any]) -> Any:
    """Return a structure like `like` with other leaves."""
    queue = iter(leaves)

    def build(value: Any) -> Any:
        parts = _parts(value)
        return next(queue) if parts is None else _rebuild(value, [build(part) for part in parts])

    return build(like)


def same(a: Any, b: Any) -> bool:
    """Tell whether two structures nest alike; lists and tuples of one length count as alike."""
    left, right = _parts(a), _parts(b)
    if left is None or right is None:
        return left is None and right is None
    if isinstance(a, dict) != isinstance(b, dict) or (isinstance(a, dict) and sorted(a) != sorted(b)):
        return False
    return len(left) == len(right) and all(same(x, y) for x, y in zip(left, right, strict=True))


def _same_kinds(a: Any, b: Any) -> bool:
    """Tell whether structures that nest alike do so in lists where the other does, and in the same named tuples."""
    left, right = _parts(a), _parts(b)
    if left is None or right is None:
        return True
    if isinstance(a, list | tuple) or isinstance(b, list | tuple):
        names = [(type(x).__name__, getattr(x, "_fields", None)) for x in (a, b)]
        if type(a) is not type(b) and (names[0] != names[1] or names[0][1] is None):
            return False
    return all(_same_kinds(x, y) for x, y in zip(left, right, strict=True))


def _difference(a: Any, b: Any) -> str:
    """Return where two structures that differ do so first."""
    left, right = _parts(a), _parts(b)
    if left is None or right is None:
        nested, flat = (a, b) if right is None else (b, a)
        return f'Substructure "{_shown(nested)}" is a sequence, while substructure "{_shown(flat)}" is not'
    if isinstance(a, dict) and isinstance(b, dict) and sorted(a) != sorted(b):
        keys = f"First structure has keys {list(a)}, while second structure has keys {list(b)}"
        return f"The two dictionaries don't have the same set of keys. {keys}"
    if len(left) != len(right):
        return f"The two structures don't have the same number of elements. First: {_shown(a)}. Second: {_shown(b)}"
    for x, y in zip(left, right, strict=True):
        if not same(x, y) or not _same_kinds(x, y):
            return _difference(x, y)
    first, second = (f"structure {_shown(value)} has type {type(value).__name__}" for value in (a, b))
    return f"The two namedtuples don't have the same sequence type. First {first}, while second {second}"


def _shown(value: Any) -> str:
    return f"type={type(value).__name__} str={value}"


def check_same(a: Any, b: Any) -> None:
    """Raise ValueError with TensorFlow's words unless two structures nest alike, TypeError where a list meets a tuple."""
    alike = same(a, b)
    if not alike or not _same_kinds(a, b):
        raise (TypeError if alike else ValueError)(
            f"The two structures don't have the same nested structure.\n\nFirst structure: {_shown(a)}\n\n"
            f"Second structure: {_shown(b)}\n\nMore specifically: {_difference(a, b)}"
        )
