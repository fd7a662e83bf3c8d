"""`tf.nest` and `tf.contrib.framework.nest`: lists, tuples, named tuples and dicts that hold anything, as trees.

Dicts are taken in the order of their sorted keys. Strings, arrays and tensors are leaves. Invariant:
`pack_sequence_as(s, flatten(s))` equals `s`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

__all__ = [
    "assert_same_structure", "assert_shallow_structure", "flatten", "flatten_dict_items", "flatten_up_to", "is_nested",
    "is_sequence", "map_structure", "map_structure_up_to", "pack_sequence_as", "yield_flattened",
]  # fmt: skip


def is_nested(seq: Any) -> bool:
    """Tell whether a value is a list, tuple or dict."""
    return isinstance(seq, list | tuple | Mapping)


is_sequence = is_nested


def _parts(value: Any) -> list[Any]:
    return [value[key] for key in _keys(value)] if isinstance(value, Mapping) else list(value)


def _keys(value: Mapping[Any, Any]) -> list[Any]:
    try:
        return sorted(value)
    except TypeError:
        raise TypeError("nest only supports dicts with sortable keys.") from None


def _rebuilt(like: Any, parts: list[Any]) -> Any:
    if isinstance(like, Mapping):
        made = dict(zip(_keys(like), parts, strict=True))
        kind: Any = type(like)
        if hasattr(like, "default_factory"):
            return kind(like.default_factory, [(key, made[key]) for key in like])
        return kind((key, made[key]) for key in like)
    if hasattr(like, "_fields"):
        return type(like)(*parts)
    return type(like)(parts)


def yield_flattened(structure: Any) -> Any:
    """Yield the leaves of a structure in order."""
    if not is_nested(structure):
        yield structure
        return
    for part in _parts(structure):
        yield from yield_flattened(part)


def flatten(structure: Any, expand_composites: bool = False) -> list[Any]:
    """Return the leaves of a structure in order; a leaf alone gives a list of itself."""
    return list(yield_flattened(structure))


def pack_sequence_as(structure: Any, flat_sequence: Any, expand_composites: bool = False) -> Any:
    """Return a structure like `structure` with other leaves.

    Raises:
      TypeError: when `flat_sequence` is no sequence. ValueError: when it has not as many items as there are leaves.
    """
    if not is_nested(flat_sequence):
        raise TypeError(f"flat_sequence must be a sequence, got {flat_sequence!r}")
    leaves = flatten(structure)
    if not is_nested(structure) and len(flat_sequence) != 1:
        raise ValueError(f"Structure is a scalar but len(flat_sequence) == {len(flat_sequence)} > 1")
    if len(leaves) != len(flat_sequence):
        raise ValueError(
            f"Could not pack sequence. Structure had {len(leaves)} elements, but flat_sequence had {len(flat_sequence)} "
            f"elements.  Structure: {structure}, flat_sequence: {flat_sequence}."
        )
    rest = iter(flat_sequence)

    def build(value: Any) -> Any:
        return _rebuilt(value, [build(part) for part in _parts(value)]) if is_nested(value) else next(rest)

    return build(structure)


def assert_same_structure(nest1: Any, nest2: Any, check_types: bool = True, expand_composites: bool = False) -> None:
    """Raise unless two structures nest alike: ValueError for different lengths or depths, TypeError for different types."""
    problem = _difference(nest1, nest2, check_types)
    if problem is not None:
        kind, words = problem
        raise kind(
            f"The two structures don't have the same nested structure.\n\nFirst structure: {nest1}\n\nSecond structure: "
            f"{nest2}\n\nMore specifically: {words}"
        )


def _difference(one: Any, other: Any, check_types: bool) -> tuple[type[Exception], str] | None:
    if is_nested(one) != is_nested(other):
        nested, leaf = (one, other) if is_nested(one) else (other, one)
        return ValueError, (
            f'Substructure "type={type(nested).__name__} str={nested}" is a sequence, while substructure '
            f'"type={type(leaf).__name__} str={leaf}" is not'
        )
    if not is_nested(one):
        return None
    if check_types and _kind(one) is not _kind(other):
        return TypeError, (
            "The two structures don't have the same sequence type. First structure has type "
            f"{type(one)}, while second structure has type {type(other)}."
        )
    if isinstance(one, Mapping) and isinstance(other, Mapping) and set(one) != set(other):
        return ValueError, (
            f"The two dictionaries don't have the same set of keys. First structure has keys {list(one)}, while second "
            f"structure has keys {list(other)}"
        )
    if len(one) != len(other):
        return ValueError, (
            "The two structures don't have the same number of elements. First structure has "
            f"{len(one)}, second has {len(other)}"
        )
    for left, right in zip(_parts(one), _parts(other), strict=True):
        found = _difference(left, right, check_types)
        if found is not None:
            return found
    return None


def _kind(value: Any) -> type:
    return dict if isinstance(value, Mapping) else type(value)


def map_structure(func: Callable[..., Any], *structure: Any, **kwargs: Any) -> Any:
    """Return a structure of `func`'s results for the leaves of structures that nest alike."""
    check_types = kwargs.pop("check_types", True)
    kwargs.pop("expand_composites", False)
    if kwargs:
        raise ValueError(
            f"Only valid keyword arguments are `check_types` and `expand_composites`, not: `{sorted(kwargs)}`"
        )
    if not callable(func):
        raise TypeError(f"func must be callable, got: {func}")
    if not structure:
        raise ValueError("Must provide at least one structure")
    for other in structure[1:]:
        assert_same_structure(structure[0], other, check_types)
    return pack_sequence_as(structure[0], [func(*leaves) for leaves in zip(*map(flatten, structure), strict=True)])


def assert_shallow_structure(shallow_tree: Any, input_tree: Any, check_types: bool = True) -> None:
    """Raise unless `input_tree` nests as `shallow_tree` does, down to the leaves of the latter."""
    if not is_nested(shallow_tree):
        return
    if not is_nested(input_tree):
        raise TypeError(
            f"If shallow structure is a sequence, input must also be a sequence. Input has type: {type(input_tree)}."
        )
    if check_types and _kind(shallow_tree) is not _kind(input_tree):
        raise TypeError(
            "The two structures don't have the same sequence type. Input structure has type "
            f"{type(input_tree)}, while shallow structure has type {type(shallow_tree)}."
        )
    if len(input_tree) != len(shallow_tree):
        raise ValueError(
            "The two structures don't have the same sequence length. Input structure has length "
            f"{len(input_tree)}, while shallow structure has length {len(shallow_tree)}."
        )
    for one, other in zip(_parts(shallow_tree), _parts(input_tree), strict=True):
        assert_shallow_structure(one, other, check_types)


def flatten_up_to(shallow_tree: Any, input_tree: Any, check_types: bool = True) -> list[Any]:
    """Return the parts of `input_tree` that stand where `shallow_tree` has its leaves."""
    assert_shallow_structure(shallow_tree, input_tree, check_types)

    def collect(shallow: Any, deep: Any) -> list[Any]:
        if not is_nested(shallow):
            return [deep]
        pairs = zip(_parts(shallow), _parts(deep), strict=True)
        return [item for one, other in pairs for item in collect(one, other)]

    return collect(shallow_tree, input_tree)


def map_structure_up_to(shallow_tree: Any, func: Callable[..., Any], *inputs: Any, **kwargs: Any) -> Any:
    """Return a structure like `shallow_tree` of `func`'s results for the parts of the inputs at its leaves."""
    if not inputs:
        raise ValueError("Cannot map over no sequences")
    flat = [flatten_up_to(shallow_tree, tree, kwargs.get("check_types", True)) for tree in inputs]
    return pack_sequence_as(shallow_tree, [func(*items) for items in zip(*flat, strict=True)])


def flatten_dict_items(dictionary: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return a dict whose keys and values, structures that nest alike, are taken apart into leaves.

    Raises:
      ValueError: when a key and its value have different numbers of leaves, or a leaf is a key twice.
    """
    found: dict[Any, Any] = {}
    for keys, values in dictionary.items():
        pairs = list(zip(flatten(keys), flatten(values), strict=False))
        if len(flatten(keys)) != len(flatten(values)):
            raise ValueError(
                f"Could not flatten dictionary. Key had {len(flatten(keys))} elements, but value had "
                f"{len(flatten(values))} elements. Key: {flatten(keys)}, value: {flatten(values)}."
            )
        for key, value in pairs:
            if key in found:
                raise ValueError(f"Could not flatten dictionary: key {key} is not unique.")
            found[key] = value
    return found
