"""All elements of a tensor list as one tensor, and back: what a loop pushed step by step becomes the rows of one matrix."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..core import dtypes
from ..core.dtypes import DType
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.shape_rules import constant_value, scalar
from ..core.shapes import Shape
from .lists import EMPTY, Cell, TensorList, as_list

_SHAPES = (dtypes.int32, dtypes.int64)


def elements_of(xp: Namespace, handle: Any) -> list[Array]:
    """Return the elements of a list, first to last."""
    rest, found = as_list(handle), []
    while not rest.is_empty():
        rest, value = rest.pop(xp)
        found.append(value)
    return found[::-1]


def _concatenated(node: Operation) -> list[Shape]:
    dims = constant_value(node.inputs[1])
    known = dims is not None and dims.ndim == 1
    return [(None, *(None if d < 0 else int(d) for d in dims[1:])) if known else None, (None,)]


@op("TensorListConcatV2",
    types="input_handle: variant, element_shape: shape_type, leading_dims: int64 -> tensor: element_dtype, lengths: int64",
    shape=_concatenated, shape_type=_SHAPES, host="input_handle element_shape leading_dims lengths")  # fmt: skip
def list_concat(
    xp: Namespace, input_handle: Any, element_shape: Array, leading_dims: Array, *, element_dtype: DType
) -> Any:
    """Return the elements of a list one after the other, along their first dimension, and their lengths there."""
    found = elements_of(xp, input_handle)
    if not found:
        dims = [0, *element_shape.reshape(-1).tolist()[1:]]
        if min(dims) < 0:
            raise InvalidArgumentError(
                None, None, "All except the first dimension must be fully defined when concating an empty tensor list. "
                f"element_shape: {dims}",
            )  # fmt: skip
        return xp.zeros(dims, element_dtype.as_numpy_dtype), np.zeros(0, np.int64)
    return xp.concatenate(found), np.array([value.shape[0] for value in found], np.int64)


@op("TensorListSplit",
    types="tensor: element_dtype, element_shape: shape_type, lengths: int64 -> output_handle: variant", shape=scalar,
    shape_type=_SHAPES, host="element_shape lengths output_handle")  # fmt: skip
def list_split(xp: Namespace, tensor: Array, element_shape: Array, lengths: Array) -> Any:
    """Return a list of consecutive pieces of a tensor, of the lengths given."""
    if int(lengths.sum()) != tensor.shape[0]:
        raise InvalidArgumentError(
            None,
            None,
            f"Invalid TensorListSplit: lengths sum to {int(lengths.sum())}, the tensor has {tensor.shape[0]} rows",
        )
    made: TensorList = EMPTY
    start = 0
    for length in lengths.tolist():
        made = Cell(made, tensor[start : start + length])
        start += length
    return made


@list_concat.gradient
def list_concat_grad(op: Operation, dy: Tensor, _: Any = None) -> list[Any]:
    return [list_split(dy, op.inputs[1], op.outputs[1]), None, None]


@list_split.gradient
def list_split_grad(op: Operation, dy: Tensor) -> list[Any]:
    kind = op.attrs["element_dtype"]
    return [list_concat(dy, op.inputs[1], np.zeros(0, np.int64), element_dtype=kind)[0], None, None]
