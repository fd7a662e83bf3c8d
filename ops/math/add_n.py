"""Sums of several tensors of one shape: AddN and AccumulateNV2."""

from __future__ import annotations

from typing import Any

from ...devices.types import Array, Namespace
from ..core import dtypes, shapes
from ..core.convert import convert_n_to_tensor
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.shape_rules import merged
from ..core.shapes import Shape
from .declare import NUMBERS

_SAME = "inputs must be a list of at least one Tensor with the same dtype and shape"


def _total(xp: Namespace, inputs: list[Array]) -> Array:
    total = inputs[0]
    for item in inputs[1:]:
        total = xp.add(total, item)
    return total


@op(
    "AddN", types="inputs: N*T -> sum: T", T=(*NUMBERS, dtypes.variant), shape=merged, commutative=True, aggregate=True,
    aliases="sum=inputs", elementwise=True,
)  # fmt: skip
def add_n_op(xp: Namespace, inputs: list[Array]) -> Array:
    """Returns the sum of tensors of one shape and type."""
    return _total(xp, inputs)


@op(
    "AccumulateNV2", types="inputs: N*T -> sum: T", T=NUMBERS,
    shape=lambda node: shapes.merge(merged(node), node.attrs["shape"]), commutative=True, aggregate=True,
    aliases="sum=inputs",
)  # fmt: skip
def accumulate_n_op(xp: Namespace, inputs: list[Array], *, shape: Shape) -> Array:
    """Returns the sum of tensors of one shape and type."""
    return _total(xp, inputs)


@add_n_op.gradient
def _add_n_gradient(op: Operation, dy: Tensor) -> list[Tensor]:
    return [dy] * len(op.inputs)


@accumulate_n_op.gradient
def _accumulate_n_gradient(op: Operation, dy: Tensor) -> list[Tensor]:
    return [dy] * len(op.inputs)


def _checked(inputs: Any, words: str) -> list[Tensor]:
    if not isinstance(inputs, list | tuple) or not inputs:
        raise ValueError(words)
    return convert_n_to_tensor(inputs)


def add_n(inputs: Any, name: str | None = None) -> Tensor:
    """Return the sum of a list of tensors of one shape and type; ValueError for an empty list."""
    tensors = _checked(
        inputs, "inputs must be an iterable of at least one Tensor/IndexedSlices with the same dtype and shape"
    )
    if len(tensors) == 1 and name is None:
        return tensors[0]
    return add_n_op(tensors, name=name)  # type: ignore[no-any-return]


def accumulate_n(inputs: Any, shape: Any = None, tensor_dtype: Any = None, name: str | None = None) -> Tensor:
    """Return the sum of a list of tensors of one shape and type.

    Raises:
      ValueError: for an empty list. TypeError: when `tensor_dtype` is not the tensors' type.
    """
    tensors = _checked(inputs, _SAME)
    if any(tensor.dtype.base_dtype is not tensors[0].dtype.base_dtype for tensor in tensors):
        raise ValueError(_SAME)
    if tensor_dtype is not None and dtypes.as_dtype(tensor_dtype) != tensors[0].dtype.base_dtype:
        raise TypeError(f"tensor_dtype is {tensor_dtype}, but input is of type {tensors[0].dtype}")
    for tensor in tensors:
        if shape is not None:
            tensor.set_shape(shape)
    return tensors[0] if len(tensors) == 1 and name is None else add_n_op(tensors, name=name)
