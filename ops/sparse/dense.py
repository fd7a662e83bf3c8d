"""From sparse to dense: SparseToDense and its public functions, and placeholders for sparse tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..array import gather_nd, placeholder, placeholder_with_default, reshape, size, stack
from ..core import dtypes, shapes
from ..core.convert import convert_to_tensor
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.shape_rules import constant_value_as_shape
from ..core.shapes import Shape
from ..core.sparse_tensor import SparseTensor, as_sparse
from ..math import reduce_sum

_UNORDERED = (
    "Many sparse ops require sorted indices.\n    Use `tf.sparse.reorder` to create a correctly ordered copy.\n\n"
)


def check_order(places: Array, dims: tuple[int, ...]) -> None:
    """Raise InvalidArgumentError unless places (n, rank) lie within `dims`, in row-major order, each once."""
    outside = ((places < 0) | (places >= np.array(dims, np.int64))).any(axis=1)
    backward, equal = _steps(places)
    wrong = np.flatnonzero(outside | backward | equal)
    if not wrong.size:
        return
    first = int(wrong[0])
    shown = f"indices[{first}] = {shapes.format_brackets(tuple(places[first].tolist()))}"
    if outside[first]:
        words = f"{shown} is out of bounds: need 0 <= index < {shapes.format_brackets(dims)}"
    else:
        words = f"{shown} is {'repeated' if equal[first] else 'out of order'}. {_UNORDERED}"
    raise InvalidArgumentError(None, None, words)


def _steps(places: Array) -> tuple[Array, Array]:
    """Tell for each place whether it lies before the one in front of it, and whether it is the same."""
    backward, equal = np.zeros(len(places), bool), np.zeros(len(places), bool)
    if len(places) > 1:
        change = np.diff(places, axis=0)
        moved = change != 0
        equal[1:] = ~moved.any(axis=1)
        if change.shape[1]:
            backward[1:] = np.take_along_axis(change, moved.argmax(axis=1)[:, None], axis=1)[:, 0] < 0
    return backward, equal


def _dense_shape(node: Operation) -> Shape:
    places = node.inputs[0].dims
    if places is not None and len(places) > 2:
        raise ValueError(f"Shape must be at most rank 2 but is rank {len(places)}")
    return constant_value_as_shape(node.inputs[1])


@op(
    "SparseToDense", shape=_dense_shape, Tindices=dtypes.INDEX, host="output_shape sparse_indices",
    types="sparse_indices: Tindices, output_shape: Tindices, sparse_values: T, default_value: T -> dense: T",
)  # fmt: skip
def sparse_to_dense_op(
    xp: Namespace, sparse_indices: Array, output_shape: Array, sparse_values: Array, default_value: Array, *,
    validate_indices: bool = True,
) -> Array:  # fmt: skip
    """Returns a dense tensor with values at some places, and a default elsewhere."""
    dims = tuple(int(size) for size in output_shape)
    places = np.asarray(sparse_indices, np.int64)
    places = places.reshape(-1, 1) if places.ndim < 2 else places
    if places.shape[1] != len(dims):
        raise InvalidArgumentError(
            None, None, f"output_shape has incorrect number of elements: {len(dims)} should be: {places.shape[1]}"
        )
    if sparse_values.ndim and sparse_values.shape != (len(places),):
        raise InvalidArgumentError(
            None, None, f"sparse_values has incorrect shape {shapes.format_brackets(sparse_values.shape)}, "
            f"should be [] or [{len(places)}]",
        )  # fmt: skip
    if validate_indices:
        check_order(places, dims)
    elif ((places < 0) | (places >= np.array(dims, np.int64))).any():
        raise InvalidArgumentError(None, None, f"Indices are not valid (out of bounds).  Shape: {list(dims)}")
    return _filled(xp, places, dims, sparse_values, default_value)


def _filled(xp: Namespace, places: Array, dims: tuple[int, ...], values: Array, default: Array) -> Array:
    dense = xp.empty(dims, values.dtype)
    dense[...] = default
    if len(places):
        dense[tuple(xp.asarray(column) for column in places.T)] = values
    return dense


@sparse_to_dense_op.gradient
def _sparse_to_dense_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
    places, dims, values, _ = op.inputs
    found = gather_nd(dy, reshape(places, stack([-1, size(dims)])))
    return [None, None, reduce_sum(found) if values.dims == () else found, reduce_sum(dy) - reduce_sum(found)]


def sparse_to_dense(
    sparse_indices: Any, output_shape: Any, sparse_values: Any, default_value: Any = 0, validate_indices: bool = True,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return a dense tensor with values at some places.

    Args:
      sparse_indices: (n, rank), (n,) for a vector or a scalar for one place, int32 or int64; sorted and each once, unless
        `validate_indices` is False.
      output_shape: (rank,) of the same type.
      sparse_values: (n,), or a scalar for all places.
      default_value: what stands elsewhere.
    """
    values = convert_to_tensor(sparse_values, name="sparse_values")
    default = convert_to_tensor(default_value, values.dtype.base_dtype, name="default_value")
    dense: Tensor = sparse_to_dense_op(
        sparse_indices, output_shape, values, default, validate_indices=validate_indices, name=name
    )
    return dense


def sparse_tensor_to_dense(
    sp_input: Any, default_value: Any = None, validate_indices: bool = True, name: str | None = None
) -> Tensor:
    """Return a SparseTensor as a dense one, `default_value` (0 or the empty string) where it has no element."""
    sparse = as_sparse(sp_input)
    default = _NOTHING.get(sparse.dtype.base_dtype, 0) if default_value is None else default_value
    return sparse_to_dense(sparse.indices, sparse.dense_shape, sparse.values, default, validate_indices, name)


_NOTHING: dict[Any, Any] = {dtypes.string: "", dtypes.bool: False}


def sparse_placeholder(dtype: Any, shape: Any = None, name: str | None = None) -> SparseTensor:
    """Return a SparseTensor that is fed at each run: a SparseTensorValue, or a tuple (indices, values, dense_shape).

    Args:
      dtype: of the values.
      shape: what is known of the dense shape: dimensions, None or -1 for those that are not, or a tensor of int64.
      name: the scope of the three placeholders.
    """
    prefix = None if name is None else f"{name}/"

    def label(part: str) -> str | None:
        return None if prefix is None else prefix + part

    dims, default = _known_shape(shape, label("shape_default"))
    if default is None:
        dense_shape = placeholder(dtypes.int64, [None], label("shape"))
    else:
        dense_shape = placeholder_with_default(default, default.shape, label("shape"))
    values = placeholder(dtype, [None], label("values"))
    places = placeholder(dtypes.int64, [None, dense_shape.dims[0] if dense_shape.dims else None], label("indices"))
    made = SparseTensor(places, values, dense_shape)
    made.static_dims = dims
    return made


def _known_shape(shape: Any, name: str | None) -> tuple[shapes.Shape, Tensor | None]:
    """Return the dimensions that are known, and the dense shape that stands where none is fed, -1 for those that are not."""
    if shape is None or isinstance(shape, Tensor):
        return (None if shape is None else constant_value_as_shape(shape)), shape
    sizes = shapes.as_shape_tuple([None if size == -1 else size for size in shape])
    if sizes is None:
        return None, None
    default = np.array([-1 if size is None else size for size in sizes], np.int64)
    return sizes, convert_to_tensor(default, name=name)
