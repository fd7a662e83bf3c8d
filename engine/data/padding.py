"""What `padded_batch` is asked for: the shape and the value to which each component is filled up."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ops.core import dtypes
from ...ops.core.convert import convert_to_tensor
from ...ops.core.node import Tensor
from ...ops.core.shape_rules import constant_value
from ...ops.core.shapes import Shape, TensorShape
from ...ops.data.component import SPARSE, Component
from ...ops.data.structure import flatten, match, pack


def resolved(
    components: Any, padded_shapes: Any, padding_values: Any, batch: int | None
) -> tuple[list[Tensor], list[Tensor], Any]:
    """Return the shapes and values as tensors, and what is known of the batches.

    Raises:
      ValueError: when a shape has another rank than its component, or is smaller. TypeError: when a value has another type,
        or a component is sparse.
    """
    leaves = flatten(components)
    if any(c.kind == SPARSE for c in leaves):
        raise TypeError("Batching of padded sparse tensors is not currently supported")
    shapes = [_dims(given, c) for given, c in zip(match(components, padded_shapes), leaves, strict=True)]
    given_values = [None] * len(leaves) if padding_values is None else match(components, padding_values)
    values = [_value(given, c) for given, c in zip(given_values, leaves, strict=True)]
    tensors = [_tensor(dims) for dims in shapes]
    known = [_static(dims) for dims in shapes]
    made = [c.with_dims(None if dims is None else (batch, *dims)) for c, dims in zip(leaves, known, strict=True)]
    return tensors, values, pack(components, made)


def _dims(given: Any, component: Component) -> Any:
    """Return a padded shape: a tuple with -1 for the longest, or a tensor."""
    if isinstance(given, Tensor):
        return given
    items = TensorShape(given).as_list() if isinstance(given, TensorShape) else _items(given)
    dims = tuple(-1 if d is None or d < 0 else int(d) for d in items)
    wanted = component.dims
    if wanted is not None and len(wanted) != len(dims):
        raise ValueError(
            f"The padded shape {dims} is not compatible with the corresponding input component shape "
            f"{TensorShape(wanted)}."
        )
    if wanted is not None and any(a is not None and 0 <= b < a for a, b in zip(wanted, dims, strict=True)):
        raise ValueError(
            f"The padded shape {dims} is not compatible with the corresponding input component shape "
            f"{TensorShape(wanted)}."
        )
    return dims


def _items(given: Any) -> list[Any]:
    if isinstance(given, int | np.integer):
        return [given]
    return [getattr(d, "value", d) for d in given]


def _tensor(dims: Any) -> Tensor:
    if isinstance(dims, Tensor):
        return dims
    return convert_to_tensor(np.array(dims, np.int64), dtypes.int64, "padded_shape")


def _static(dims: Any) -> Shape:
    if isinstance(dims, Tensor):
        value = constant_value(dims)
        if value is None:
            return None
        dims = tuple(value.tolist())
    return tuple(None if d < 0 else d for d in dims)


def _value(given: Any, component: Component) -> Tensor:
    if given is None:
        given = "" if component.dtype is dtypes.string else np.zeros((), component.dtype.np_dtype)
    value = convert_to_tensor(given, name="padding_value") if isinstance(given, Tensor) else given
    if not isinstance(value, Tensor):
        value = convert_to_tensor(value, component.dtype, "padding_value")
    if value.dims != ():
        raise ValueError(f"Padding value should be a scalar, but is not: {value}.")
    if value.dtype is not component.dtype:
        raise TypeError(f"Padding value tensor ({value}) does not match output type: {component.dtype}.")
    return value
