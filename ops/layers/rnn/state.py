"""States of recurrent networks: nested structures of tensors, their sizes, and the zeros to begin with.

Sizes are ints or shapes without the batch's dimension, in the structure of the state.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ...array import concat, zeros
from ...core import shapes
from ...core.convert import constant, convert_to_tensor
from ...core.dtypes import DType
from ...core.node import Tensor
from ...core.shape_rules import constant_value
from ...core.shapes import Dimension, Shape, TensorShape


class LSTMStateTuple(NamedTuple):
    """The state of an LSTM: `c`, the cell's own state, and `h`, its last output."""

    c: Any
    h: Any

    @property
    def dtype(self) -> DType:
        """The type of both tensors; TypeError when they differ."""
        if self.c.dtype != self.h.dtype:
            raise TypeError(f"Inconsistent internal state: {self.c.dtype} vs {self.h.dtype}")
        return self.c.dtype  # type: ignore[no-any-return]


def is_size(value: Any) -> bool:
    """Tell whether a value is one size: a number or a shape."""
    return isinstance(value, int | Dimension | TensorShape) or hasattr(value, "__index__")


def sizes_of(structure: Any) -> list[Any]:
    """Return the sizes in a structure, in order; a TensorShape is one size."""
    if is_size(structure) or structure is None:
        return [structure]
    if isinstance(structure, dict):
        return [size for key in sorted(structure) for size in sizes_of(structure[key])]
    return [size for part in structure for size in sizes_of(part)]


def map_sizes(function: Any, structure: Any) -> Any:
    """Return the structure with `function(size)` in the place of each size."""
    if is_size(structure):
        return function(structure)
    if isinstance(structure, dict):
        return type(structure)((key, map_sizes(function, structure[key])) for key in structure)
    parts = [map_sizes(function, part) for part in structure]
    return type(structure)(*parts) if hasattr(structure, "_fields") else type(structure)(parts)


def size_dims(size: Any) -> tuple[int | None, ...]:
    """Return a size as dimensions: an int n is [n]."""
    if isinstance(size, TensorShape):
        dims: Shape = shapes.as_shape_tuple(size)
        return () if dims is None else dims
    return (size.value if isinstance(size, Dimension) else int(size),)


def zeros_of_size(size: Any, batch: Any, dtype: Any) -> Tensor:
    """Return zeros of shape [batch, *size]; `batch` is an int or a scalar tensor."""
    dims = size_dims(size)
    known = constant_value(batch) if isinstance(batch, Tensor) else batch
    if known is not None:
        return zeros([int(known), *dims], dtype)
    made: Tensor = zeros(concat([convert_to_tensor([batch]), constant(list(dims), batch.dtype)], 0), dtype)
    made.set_shape([None, *dims])
    return made


def zeros_of(state_size: Any, batch: Any, dtype: Any) -> Any:
    """Return zeros in the structure of `state_size`."""
    if isinstance(batch, Dimension):
        batch = batch.value
    return map_sizes(lambda size: zeros_of_size(size, batch, dtype), state_size)
