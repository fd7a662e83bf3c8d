"""The structure of elements: tuples, named tuples and dicts nest, everything else is a component.

Unlike structures elsewhere a list is no structure: `from_tensor_slices([1, 2, 3])` has one component. Dicts are taken in
the order of their sorted keys. Invariant: `pack(like, flatten(like))` equals `like`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def is_nested(value: Any) -> bool:
    """Tell whether a value is a structure of components."""
    return isinstance(value, tuple | Mapping) and not hasattr(value, "_fetch_parts") and not _is_sparse_value(value)


def _is_sparse_value(value: Any) -> bool:
    return getattr(value, "_fields", None) == ("indices", "values", "dense_shape")


def flatten(value: Any) -> list[Any]:
    """Return the components of a structure, in order."""
    if not is_nested(value):
        return [value]
    parts = [value[key] for key in sorted(value)] if isinstance(value, Mapping) else value
    return [leaf for part in parts for leaf in flatten(part)]


def pack(like: Any, leaves: Any) -> Any:
    """Return a structure like `like` with other components."""
    return _packed(like, iter(leaves))


def _packed(like: Any, leaves: Any) -> Any:
    if not is_nested(like):
        return next(leaves)
    if isinstance(like, Mapping):
        made = {key: _packed(like[key], leaves) for key in sorted(like)}
        if hasattr(like, "default_factory"):
            return type(like)(like.default_factory, [(key, made[key]) for key in like])  # type: ignore[call-arg]
        return type(like)((key, made[key]) for key in like)  # type: ignore[call-arg]
    parts = [_packed(part, leaves) for part in like]
    return type(like)(*parts) if hasattr(like, "_fields") else tuple(parts)


def map_structure(function: Callable[..., Any], *structures: Any) -> Any:
    """Return a structure like the first with `function` of the corresponding components of all."""
    return pack(structures[0], map(function, *map(flatten, structures)))


def check_same(a: Any, b: Any, what: str = "The two structures don't have the same nested structure.") -> None:
    """Raise ValueError (TypeError for other types of structure) unless two structures nest alike."""
    if is_nested(a) != is_nested(b):
        raise ValueError(f"{what} First structure: {a}; second structure: {b}.")
    if not is_nested(a):
        return
    if isinstance(a, Mapping) != isinstance(b, Mapping):
        raise TypeError(f"{what} First structure has type {type(a).__name__}, second structure {type(b).__name__}.")
    left, right = (sorted(s) if isinstance(s, Mapping) else list(range(len(s))) for s in (a, b))
    if left != right:
        raise ValueError(f"{what} First structure: {a}; second structure: {b}.")
    for key_a, key_b in zip(left, right, strict=True):
        check_same(a[key_a], b[key_b], what)


def match(shallow: Any, deep: Any) -> list[Any]:
    """Return the part of `deep` at the place of each component of `shallow`; lists there may stand for shapes."""
    if not is_nested(shallow):
        return [deep]
    if isinstance(shallow, Mapping):
        if not isinstance(deep, Mapping) or sorted(shallow) != sorted(deep):
            raise ValueError(f"The two structures don't have the same keys: {shallow} and {deep}.")
        return [leaf for key in sorted(shallow) for leaf in match(shallow[key], deep[key])]
    if not isinstance(deep, tuple | list) or len(shallow) != len(deep):
        raise ValueError(f"The two structures don't have the same number of elements: {shallow} and {deep}.")
    return [leaf for a, b in zip(shallow, deep, strict=True) for leaf in match(a, b)]
