"""Sparse tensors on their way through a dataset: three arrays as one value of type variant.

A batch of them is a row of such values, which unpacks to one sparse tensor with a dimension more. The ops are TensorFlow's
(SerializeSparse, DeserializeSparse) with the type variant for what travels.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...devices.types import Array, Namespace
from ..core import dtypes
from ..core.dtypes import DType
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.shapes import Shape
from ..core.sparse_tensor import SparseTensor
from ..sparse.serial import joined, packed


class SparseElement(NamedTuple):
    """A sparse tensor as a value: places (n, rank), values (n,), the shape of the whole (rank,)."""

    indices: Array
    values: Array
    dense_shape: Array


def _unpacked_shapes(node: Operation) -> list[Shape]:
    return [(None, None), (None,), (None,)]


@op(
    "SerializeSparse", types="sparse_indices: int64, sparse_values: T, sparse_shape: int64 -> serialized_sparse: out_type",
    shape=lambda node: () if node.attrs["out_type"] is dtypes.variant else (3,), blocking=True, devices="CPU",
    differentiable=False, defaults={"out_type": dtypes.string}, out_type=(dtypes.string, dtypes.variant),
)  # fmt: skip
def serialize_sparse_op(
    xp: Namespace, sparse_indices: Array, sparse_values: Array, sparse_shape: Array, *, T: DType, out_type: DType
) -> Any:
    """Return a sparse tensor as one value, or as three strings."""
    if out_type is not dtypes.variant:
        return packed(sparse_indices, sparse_values, sparse_shape, T)
    return SparseElement(sparse_indices, sparse_values, sparse_shape)


@op(
    "DeserializeSparse",
    types="serialized_sparse: Tserialized -> sparse_indices: int64, sparse_values: dtype, sparse_shape: int64",
    shape=_unpacked_shapes, blocking=True, devices="CPU", differentiable=False, defaults={"Tserialized": dtypes.string},
    Tserialized=(dtypes.string, dtypes.variant),
)  # fmt: skip
def deserialize_sparse_op(xp: Namespace, serialized_sparse: Any, *, Tserialized: DType, dtype: DType) -> Any:
    """Return the sparse tensor that a value, or a row of values, stands for."""
    if isinstance(serialized_sparse, SparseElement):
        return serialized_sparse
    if Tserialized is not dtypes.variant:
        rows = serialized_sparse.reshape(-1, 3)
        places, values, whole = joined(rows, dtype)
        return (places, values, whole) if serialized_sparse.ndim > 1 else (places[:, 1:], values, whole[1:])
    return _joined(list(np.asarray(serialized_sparse, object).reshape(-1)), dtype)


def _joined(rows: list[SparseElement], dtype: DType) -> SparseElement:
    """Return sparse tensors of one rank as one, with a first dimension that says which."""
    sizes = [len(row.values) for row in rows]
    numbers = np.repeat(np.arange(len(rows), dtype=np.int64), sizes)
    indices = np.concatenate([np.asarray(row.indices).reshape(len(row.values), len(row.dense_shape)) for row in rows])
    whole = np.max([row.dense_shape for row in rows], axis=0)
    return SparseElement(
        np.concatenate([numbers[:, None], indices], axis=1).astype(np.int64),
        np.concatenate([row.values for row in rows]).astype(dtype.np_dtype),
        np.concatenate([[len(rows)], whole]).astype(np.int64),
    )


def pack_sparse(value: SparseTensor) -> Tensor:
    """Return a sparse tensor as one tensor of type variant."""
    made: Tensor = serialize_sparse_op(value.indices, value.values, value.dense_shape, out_type=dtypes.variant)
    return made


def unpack_sparse(tensor: Tensor, dtype: DType, dims: Shape) -> SparseTensor:
    """Return the sparse tensor of static shape `dims` that a tensor of type variant stands for."""
    places, values, dense_shape = deserialize_sparse_op(tensor, dtype=dtype)
    if dims is not None:
        places.set_shape((None, len(dims)))
        dense_shape.set_shape((len(dims),))
    made = SparseTensor(places, values, dense_shape)
    made.static_dims = dims
    return made
