"""Dimension and TensorShape: static shapes as TensorFlow 1 programs see them.

They wrap the core's plain tuples (`Shape`), so that the core pays nothing for them. Comparing with an unknown Dimension
gives None, neither true nor false. Invariant: both are immutable.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from . import protos

Shape = tuple[int | None, ...] | None
# Programs halve sizes with `/`: TensorFlow 1 takes 32.0 for 32.
_FLOATS = (float, np.floating)


def _as_dim(value: Any) -> int | None:
    if value is None or (value.__class__ is int and value >= 0):
        return value
    if isinstance(value, Dimension):
        return value.value
    try:
        whole = isinstance(value, _FLOATS) and float(value).is_integer()
        dim = int(value) if whole else operator.index(value)
    except (TypeError, AttributeError):
        raise TypeError(
            f"Dimension value must be integer or None or have an __index__ method, got value '{value!r}' "
            f"with type '{type(value)!r}'"
        ) from None
    if dim < 0:
        raise ValueError(f"Dimension {dim} must be >= 0")
    return dim


def _from_proto(proto: Any) -> Shape:
    if proto.unknown_rank:
        return None
    return tuple(None if dim.size < 0 else int(dim.size) for dim in proto.dim)


def _from_iterable(value: Any) -> Shape:
    try:
        items = iter(value)
    except TypeError:
        return (_as_dim(value),)
    if isinstance(value, str | bytes | dict):
        raise TypeError(
            f"Failed to convert '{value!r}' to a shape. A shape should either be single dimension (e.g. 10), "
            "or an iterable of dimensions (e.g. [1, 10, None])."
        )
    return tuple(_as_dim(item) for item in items)


def as_shape_tuple(value: Any) -> Shape:
    """Return a core shape from a TensorShape, a proto, an iterable of dimensions, one dimension, or None (no rank).

    Raises:
      TypeError: when something is not a dimension.
      ValueError: when a dimension is negative (only protos say -1 for unknown).
    """
    if value is None:
        return None
    if isinstance(value, TensorShape):
        return value._dims
    if value.__class__ is tuple or value.__class__ is list:
        return tuple(_as_dim(item) for item in value)
    if hasattr(value, "unknown_rank"):
        return _from_proto(value)
    return _from_iterable(value)


def format_shape(shape: Shape) -> str:
    """Return a shape as TensorFlow prints it: `(2, ?)`, `(3,)`, `()`, or `<unknown>`."""
    if shape is None:
        return "<unknown>"
    dims = ["?" if dim is None else str(dim) for dim in shape]
    return f"({dims[0]},)" if len(dims) == 1 else f"({', '.join(dims)})"


class Dimension:
    """One dimension of a TensorShape: a number, or unknown (`value` is None).

    Arithmetic with an unknown dimension is unknown; comparison with one is None.
    """

    __slots__ = ("_value",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, value: Any) -> None:
        self._value = _as_dim(value)

    @property
    def value(self) -> int | None:
        """The dimension as an int, or None when it is unknown."""
        return self._value

    def __repr__(self) -> str:
        return f"Dimension({self._value})"

    def __str__(self) -> str:
        return "?" if self._value is None else str(self._value)

    def __int__(self) -> int:
        return self._value  # type: ignore[return-value]

    def __index__(self) -> int:
        return self._value  # type: ignore[return-value]

    def __bool__(self) -> bool:
        return bool(self._value)

    def is_compatible_with(self, other: Any) -> bool:
        """Tell whether the two may be equal."""
        other = _as_dim(other)
        return self._value is None or other is None or self._value == other

    def assert_is_compatible_with(self, other: Any) -> None:
        """Raise ValueError unless the two may be equal."""
        if not self.is_compatible_with(other):
            raise ValueError(f"Dimensions {self} and {other} are not compatible")

    def merge_with(self, other: Any) -> Dimension:
        """Return what is known of a dimension equal to both; ValueError when they differ."""
        self.assert_is_compatible_with(other)
        return Dimension(other if self._value is None else self._value)

    def _compare(self, other: Any, compare: Callable[[Any, Any], bool]) -> Any:
        try:
            other = _as_dim(other)
        except (TypeError, ValueError):
            return NotImplemented
        return None if self._value is None or other is None else compare(self._value, other)

    def __eq__(self, other: object) -> Any:
        return self._compare(other, operator.eq)

    def __ne__(self, other: object) -> Any:
        return self._compare(other, operator.ne)

    def __lt__(self, other: Any) -> Any:
        return self._compare(other, operator.lt)

    def __le__(self, other: Any) -> Any:
        return self._compare(other, operator.le)

    def __gt__(self, other: Any) -> Any:
        return self._compare(other, operator.gt)

    def __ge__(self, other: Any) -> Any:
        return self._compare(other, operator.ge)

    def _combine(self, other: Any, combine: Callable[[int, int], int], reflected: bool = False) -> Any:
        """Combine with a dimension or a number, which may be negative; only the result must be a dimension."""
        try:
            other = other._value if isinstance(other, Dimension) else other if other is None else operator.index(other)
        except TypeError:
            return NotImplemented
        if self._value is None or other is None:
            return Dimension(None)
        return Dimension(combine(other, self._value) if reflected else combine(self._value, other))

    def __add__(self, other: Any) -> Dimension:
        return self._combine(other, operator.add)  # type: ignore[no-any-return]

    __radd__ = __add__

    def __sub__(self, other: Any) -> Dimension:
        return self._combine(other, operator.sub)  # type: ignore[no-any-return]

    def __rsub__(self, other: Any) -> Dimension:
        return self._combine(other, operator.sub, True)  # type: ignore[no-any-return]

    def __mul__(self, other: Any) -> Dimension:
        return self._combine(other, operator.mul)  # type: ignore[no-any-return]

    __rmul__ = __mul__

    def __floordiv__(self, other: Any) -> Dimension:
        return self._combine(other, operator.floordiv)  # type: ignore[no-any-return]

    def __rfloordiv__(self, other: Any) -> Dimension:
        return self._combine(other, operator.floordiv, True)  # type: ignore[no-any-return]

    def __mod__(self, other: Any) -> Dimension:
        return self._combine(other, operator.mod)  # type: ignore[no-any-return]

    def __rmod__(self, other: Any) -> Dimension:
        return self._combine(other, operator.mod, True)  # type: ignore[no-any-return]

    def __truediv__(self, other: Any) -> Dimension:
        name = type(other).__name__
        raise TypeError(f"unsupported operand type(s) for /: 'Dimension' and '{name}', please use // instead")

    def __rtruediv__(self, other: Any) -> Dimension:
        name = type(other).__name__
        raise TypeError(f"unsupported operand type(s) for /: '{name}' and 'Dimension', please use // instead")

    def __reduce__(self) -> tuple[Any, tuple[int | None]]:
        return Dimension, (self._value,)


class TensorShape:
    """The static shape of a tensor: a list of Dimensions, or nothing known but that it is a shape.

    Takes an iterable of dimensions, one dimension, a TensorShapeProto, a TensorShape, or None for an unknown rank.
    """

    __slots__ = ("_dims",)

    def __init__(self, dims: Any) -> None:
        self._dims: Shape = as_shape_tuple(dims)

    @property
    def dims(self) -> list[Dimension] | None:
        """The Dimensions, or None when the rank is unknown."""
        return None if self._dims is None else [Dimension(dim) for dim in self._dims]

    @property
    def rank(self) -> int | None:
        """The number of dimensions, or None when it is unknown."""
        return None if self._dims is None else len(self._dims)

    ndims = rank

    def __repr__(self) -> str:
        return f"TensorShape({self.dims})"

    def __str__(self) -> str:
        return format_shape(self._dims)

    def __len__(self) -> int:
        if self._dims is None:
            raise ValueError("Cannot take the length of shape with unknown rank.")
        return len(self._dims)

    def __bool__(self) -> bool:
        return self._dims is not None

    def __iter__(self) -> Iterator[Dimension]:
        if self._dims is None:
            raise ValueError("Cannot iterate over a shape with unknown rank.")
        return iter([Dimension(dim) for dim in self._dims])

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return TensorShape(_slice_unknown(key) if self._dims is None else self._dims[key])
        return Dimension(None if self._dims is None else self._dims[key])

    def __eq__(self, other: object) -> bool:
        try:
            return self._dims == as_shape_tuple(other)
        except (TypeError, ValueError):
            return NotImplemented

    def __hash__(self) -> int:
        return hash(self._dims)

    def __add__(self, other: Any) -> TensorShape:
        return self.concatenate(other)

    def __radd__(self, other: Any) -> TensorShape:
        return TensorShape(other).concatenate(self)

    def __reduce__(self) -> tuple[Any, tuple[Shape]]:
        return TensorShape, (self._dims,)

    def num_elements(self) -> int | None:
        """Return how many elements a tensor of this shape has, or None when that is unknown."""
        if self._dims is None or None in self._dims:
            return None
        total = 1
        for dim in self._dims:
            total *= dim or 0
        return total

    def concatenate(self, other: Any) -> TensorShape:
        """Return the dimensions of this shape followed by those of `other`; unknown when either rank is."""
        dims = as_shape_tuple(other)
        return TensorShape(None if self._dims is None or dims is None else self._dims + dims)

    def is_compatible_with(self, other: Any) -> bool:
        """Tell whether one tensor could have both shapes."""
        a, b = self._dims, as_shape_tuple(other)
        if a is None or b is None:
            return True
        return len(a) == len(b) and all(x == y or x is None or y is None for x, y in zip(a, b, strict=True))

    def assert_is_compatible_with(self, other: Any) -> None:
        """Raise ValueError unless one tensor could have both shapes."""
        if not self.is_compatible_with(other):
            raise ValueError(f"Shapes {self} and {TensorShape(other)} are incompatible")

    def merge_with(self, other: Any) -> TensorShape:
        """Return what is known of a tensor that has both shapes; ValueError when none can."""
        other = TensorShape(other)
        if not self.is_compatible_with(other):
            raise ValueError(f"Shapes {self} and {other} are not compatible")
        if self._dims is None or other._dims is None:
            return other if self._dims is None else self
        return TensorShape(y if x is None else x for x, y in zip(self._dims, other._dims, strict=True))

    def most_specific_compatible_shape(self, other: Any) -> TensorShape:
        """Return the narrowest shape that both this and `other` fit."""
        a, b = self._dims, as_shape_tuple(other)
        if a is None or b is None or len(a) != len(b):
            return TensorShape(None)
        return TensorShape(x if x == y else None for x, y in zip(a, b, strict=True))

    def assert_same_rank(self, other: Any) -> None:
        """Raise ValueError when both ranks are known and differ."""
        other = TensorShape(other)
        if self._dims is not None and other._dims is not None and len(self._dims) != len(other._dims):
            raise ValueError(f"Shapes {self} and {other} must have the same rank")

    def assert_has_rank(self, rank: int) -> None:
        """Raise ValueError when the rank is known and is not `rank`."""
        if self.rank not in (None, rank):
            raise ValueError(f"Shape {self} must have rank {rank}")

    def with_rank(self, rank: int) -> TensorShape:
        """Return this shape with rank `rank`, its dimensions unknown if its rank was; ValueError for another rank."""
        self.assert_has_rank(rank)
        return TensorShape((None,) * rank) if self._dims is None else self

    def with_rank_at_least(self, rank: int) -> TensorShape:
        """Return this shape; ValueError when its rank is known and less than `rank`."""
        if self._dims is not None and len(self._dims) < rank:
            raise ValueError(f"Shape {self} must have rank at least {rank}")
        return self

    def with_rank_at_most(self, rank: int) -> TensorShape:
        """Return this shape; ValueError when its rank is known and more than `rank`."""
        if self._dims is not None and len(self._dims) > rank:
            raise ValueError(f"Shape {self} must have rank at most {rank}")
        return self

    def is_fully_defined(self) -> bool:
        """Tell whether every dimension is known."""
        return self._dims is not None and None not in self._dims

    def assert_is_fully_defined(self) -> None:
        """Raise ValueError unless every dimension is known."""
        if not self.is_fully_defined():
            raise ValueError(f"Shape {self} is not fully defined")

    def as_list(self) -> list[int | None]:
        """Return the dimensions as ints and Nones; ValueError when the rank is unknown."""
        if self._dims is None:
            raise ValueError("as_list() is not defined on an unknown TensorShape.")
        return list(self._dims)

    def as_proto(self) -> Any:
        """Return the TensorShapeProto, which says -1 for an unknown dimension."""
        proto = protos.TensorShapeProto(unknown_rank=self._dims is None)
        for dim in self._dims or ():
            proto.dim.add(size=-1 if dim is None else dim)
        return proto


def _slice_unknown(key: slice) -> Shape:
    """Slice a shape of unknown rank: as many unknown dimensions as the slice's bounds promise."""
    start: int = key.start or 0
    stop: int | None = key.stop
    if key.step not in (None, 1):
        raise ValueError("Steps are not yet handled")
    if stop is None or start < 0 or stop < 0:
        return None
    return (None,) * max(0, stop - start)


def dimension_value(dimension: Any) -> Any:
    """Return a Dimension's value; anything else as it is."""
    return dimension.value if isinstance(dimension, Dimension) else dimension


def dimension_at_index(shape: TensorShape, index: int) -> Dimension:
    """Return the Dimension at `index`, unknown when the rank is."""
    found: Dimension = shape[index]
    return found
