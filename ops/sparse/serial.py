"""Sparse tensors as strings: three TensorProtos each, and minibatches of those read back. On the CPU."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..array import concat, pad
from ..core import dtypes, protos
from ..core.dtypes import DType
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.shapes import Shape, with_rank
from ..core.sparse_tensor import SparseTensor, as_sparse
from ..core.tensor_proto import content_proto, joined_strings, make_ndarray

_INPUTS = "sparse_indices: int64, sparse_values: T, sparse_shape: int64"
_OUTPUTS = "sparse_indices: int64, sparse_values: dtype, sparse_shape: int64"


def _proto(value: Array, dtype: DType) -> bytes:
    message = content_proto(value, dtype)
    if dtype is dtypes.string:
        message.ClearField("string_val")
        message.tensor_content = joined_strings(value.ravel().tolist())
    data: bytes = message.SerializeToString()
    return data


def packed(indices: Array, values: Array, whole: Array, dtype: DType) -> Array:
    """Return a sparse tensor as three strings, (3,)."""
    made = np.empty(3, object)
    made[:] = [_proto(indices, dtypes.int64), _proto(values, dtype), _proto(whole, dtypes.int64)]
    return made


@op("SerializeManySparse", types=f"{_INPUTS} -> serialized_sparse: out_type", out_type=(dtypes.string, dtypes.variant),
    defaults={"out_type": dtypes.string}, shape=lambda node: (None, 3), devices="CPU", differentiable=False)  # fmt: skip
def serialize_many_op(
    xp: Namespace, sparse_indices: Array, sparse_values: Array, sparse_shape: Array, *, T: DType, out_type: DType
) -> Array:
    """Returns each row of a sparse tensor as three strings, or as three arrays of type variant."""
    made = np.empty((int(sparse_shape[0]), 3), object)
    for row in range(len(made)):
        own = sparse_indices[:, 0] == row
        parts = sparse_indices[own, 1:], sparse_values[own], sparse_shape[1:]
        made[row] = parts if out_type is dtypes.variant else packed(*parts, T)
    return made


def _unpacked_shapes(node: Operation) -> list[Shape]:
    with_rank(node.inputs[0].dims, 2)
    return [(None, None), (None,), (None,)]


def _unpacked(item: bytes, dtype: DType) -> Array:
    try:
        proto = protos.TensorProto.FromString(item)
    except Exception:
        raise InvalidArgumentError(None, None, "Could not parse serialized_sparse as TensorProtos") from None
    if dtypes.as_dtype(proto.dtype) is not dtype:
        found = dtypes.as_dtype(proto.dtype).name
        raise InvalidArgumentError(
            None, None, f"Requested SparseTensor of type {dtype.name} but values are of type {found}"
        )
    return make_ndarray(proto)


def joined(rows: Array, dtype: DType) -> list[Array]:
    """Return sparse tensors, strings (n, 3), stacked in a new first dimension of size n."""
    places, values, wholes = [], [], []
    for number, row in enumerate(rows.tolist()):
        own = _unpacked(row[0], dtypes.int64)
        places.append(np.concatenate([np.full((len(own), 1), number, np.int64), own], axis=1))
        values.append(_unpacked(row[1], dtype))
        wholes.append(_unpacked(row[2], dtypes.int64))
    if len({whole.size for whole in wholes}) != 1:
        raise InvalidArgumentError(None, None, "Must have at least 1 serialized SparseTensor, and all of one rank")
    whole = np.concatenate([[len(rows)], np.max(wholes, axis=0)]).astype(np.int64)
    return [np.concatenate(places), np.concatenate(values), whole]


@op("DeserializeManySparse", types=f"serialized_sparse: string -> {_OUTPUTS}", shape=_unpacked_shapes, devices="CPU",
    differentiable=False)  # fmt: skip
def deserialize_many_op(xp: Namespace, serialized_sparse: Array, *, dtype: DType) -> list[Array]:
    """Returns the sparse tensors that rows of three strings hold, stacked."""
    if serialized_sparse.ndim != 2 or serialized_sparse.shape[1] != 3:
        raise InvalidArgumentError(
            None, None, f"serialized_sparse must be (n, 3), has shape {list(serialized_sparse.shape)}"
        )
    return joined(serialized_sparse, dtype)


def serialize_sparse(sp_input: Any, name: str | None = None, out_type: Any = dtypes.string) -> Tensor:
    """Return a sparse tensor as three strings, (3,): its places, values and shape."""
    sparse = as_sparse(sp_input)
    places = pad(sparse.indices, [[0, 0], [1, 0]])
    batch = SparseTensor(places, sparse.values, concat([[1], sparse.dense_shape], 0))
    return serialize_many_sparse(batch, name, out_type)[0]


def serialize_many_sparse(sp_input: Any, name: str | None = None, out_type: Any = dtypes.string) -> Tensor:
    """Return each row of a sparse tensor, of a minibatch, as three strings, (rows, 3)."""
    sparse = as_sparse(sp_input)
    return serialize_many_op(  # type: ignore[no-any-return]
        sparse.indices, sparse.values, sparse.dense_shape, out_type=out_type, name=name
    )


def deserialize_many_sparse(
    serialized_sparse: Any, dtype: Any, rank: int | None = None, name: str | None = None
) -> SparseTensor:
    """Return a minibatch of serialised sparse tensors, strings (n, 3), as one; `rank` is that of each of them."""
    places, values, whole = deserialize_many_op(serialized_sparse, dtype=dtype, name=name)
    if rank is not None:
        places.set_shape([None, rank + 1])
        whole.set_shape([rank + 1])
    return SparseTensor(places, values, whole)
