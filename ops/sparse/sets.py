"""Rows as sets: sizes, intersections, differences and unions of the rows of two tensors, sparse or not. On the CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..core import dtypes
from ..core.convert import convert_to_tensor
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.shapes import Shape, merge_dim, with_rank, with_rank_at_least
from ..core.sparse_tensor import SparseTensor, as_sparse, is_sparse
from .dense import check_order

_TYPES = (dtypes.int8, dtypes.int16, dtypes.int32, dtypes.int64, dtypes.uint8, dtypes.uint16, dtypes.string)
_RESULT = "result_indices: int64, result_values: T, result_shape: int64"
_SECOND = "set2_indices: int64, set2_values: T, set2_shape: int64"
Rows = dict[tuple[int, ...], set[Any]]

_OPERATIONS: dict[str, Callable[[set[Any], set[Any]], set[Any]]] = {
    "a-b": lambda a, b: a - b,
    "b-a": lambda a, b: b - a,
    "intersection": lambda a, b: a & b,
    "union": lambda a, b: a | b,
}


def _dense_rows(values: Array) -> tuple[Rows, list[int]]:
    groups = values.shape[:-1]
    return {place: set(values[place].tolist()) for place in np.ndindex(groups)}, list(groups)


def _sparse_rows(indices: Array, values: Array, shape: Array, validate: bool) -> tuple[Rows, list[int]]:
    if validate:
        check_order(indices, tuple(shape.tolist()))
    rows: Rows = {}
    for place, value in zip(indices[:, :-1].tolist(), values.tolist(), strict=True):
        rows.setdefault(tuple(place), set()).add(value)
    return rows, shape[:-1].tolist()


def _combined(first: tuple[Rows, list[int]], second: tuple[Rows, list[int]], operation: str, dtype: Any) -> list[Array]:
    """Return the sets of all groups as a sparse tensor, each sorted."""
    if operation not in _OPERATIONS:
        raise InvalidArgumentError(None, None, f"Invalid set_operation {operation}.")
    if first[1] != second[1]:
        raise InvalidArgumentError(None, None, f"Mismatched group shapes {first[1]} vs {second[1]}")
    places: list[tuple[int, ...]] = []
    values: list[Any] = []
    widest = 0
    for group in sorted(first[0].keys() | second[0].keys()):
        found = sorted(_OPERATIONS[operation](first[0].get(group, set()), second[0].get(group, set())))
        widest = max(widest, len(found))
        places += [(*group, i) for i in range(len(found))]
        values += found
    made = np.empty(len(values), dtype)
    made[:] = values
    rank = len(first[1]) + 1
    return [np.array(places, np.int64).reshape(-1, rank), made, np.array([*first[1], widest], np.int64)]


def _results(rank: int | None) -> list[Shape]:
    return [(None, rank), (None,), (rank,)]


def _dense_shapes(node: Operation) -> list[Shape]:
    """Return the results' shapes for two dense tensors of rank 2 at least, whose groups are the same."""
    first, second = (with_rank_at_least(tensor.dims, 2) for tensor in node.inputs)
    if first is None or second is None:
        known = first if second is None else second
        return _results(None if known is None else len(known))
    if len(first) != len(second):
        raise ValueError(f"Shape must be rank {len(first)} but is rank {len(second)}")
    for i, (one, other) in enumerate(zip(first[:-1], second[:-1], strict=True)):
        if None not in (one, other) and one != other:
            told = [str(list(dims[:-1])).replace(" ", "") for dims in (first, second)]
            raise ValueError(
                f"Dimension {i} in both shapes must be equal, but are {one} and {other}. Shapes are {' and '.join(told)}."
            )
    return _results(len(first))


def _mixed_shapes(node: Operation) -> list[Shape]:
    """Return the results' shapes for a dense tensor and a sparse one of its rank."""
    dims, rank = with_rank_at_least(node.inputs[0].dims, 2), _sparse_rank(node, 1)
    if dims is None:
        return _results(rank)
    if rank not in (None, len(dims)):
        raise ValueError(f"Shape must be rank {len(dims)} but is rank {rank}")
    return _results(len(dims))


def _sparse_shapes(node: Operation) -> list[Shape]:
    """Return the results' shapes for two sparse tensors of one rank, 2 at least."""
    ranks = _sparse_rank(node, 0), _sparse_rank(node, 3)
    if None not in ranks and ranks[0] != ranks[1]:
        raise ValueError(f"Shape must be rank {ranks[0]} but is rank {ranks[1]}")
    return _results(ranks[1] if ranks[0] is None else ranks[0])


def _sparse_rank(node: Operation, first: int) -> int | None:
    """Return the rank that indices and shape of the sparse tensor tell whose parts begin at input `first`."""
    indices, whole = with_rank(node.inputs[first].dims, 2), with_rank(node.inputs[first + 2].dims, 1)
    rank = merge_dim(indices[1], whole[0])
    if rank is not None and rank < 2:
        raise ValueError(f"Input {first} must have rank 2 at least, has {rank}")
    return rank


@op("DenseToDenseSetOperation", types=f"set1: T, set2: T -> {_RESULT}", T=_TYPES, shape=_dense_shapes, devices="CPU",
    differentiable=False)  # fmt: skip
def dense_to_dense_op(
    xp: Namespace, set1: Array, set2: Array, *, set_operation: str, validate_indices: bool = True
) -> list[Array]:
    """Returns an operation on the rows of two dense tensors, as a sparse one."""
    return _combined(_dense_rows(set1), _dense_rows(set2), set_operation.lower(), set1.dtype)


@op("DenseToSparseSetOperation", types=f"set1: T, {_SECOND} -> {_RESULT}", T=_TYPES, shape=_mixed_shapes, devices="CPU",
    differentiable=False)  # fmt: skip
def dense_to_sparse_op(
    xp: Namespace, set1: Array, set2_indices: Array, set2_values: Array, set2_shape: Array, *, set_operation: str,
    validate_indices: bool = True,
) -> list[Array]:  # fmt: skip
    """Returns an operation on the rows of a dense and of a sparse tensor, as a sparse one."""
    second = _sparse_rows(set2_indices, set2_values, set2_shape, validate_indices)
    return _combined(_dense_rows(set1), second, set_operation.lower(), set1.dtype)


@op("SparseToSparseSetOperation", types=f"set1_indices: int64, set1_values: T, set1_shape: int64, {_SECOND} -> {_RESULT}",
    T=_TYPES, shape=_sparse_shapes, devices="CPU", differentiable=False)  # fmt: skip
def sparse_to_sparse_op(
    xp: Namespace, set1_indices: Array, set1_values: Array, set1_shape: Array, set2_indices: Array, set2_values: Array,
    set2_shape: Array, *, set_operation: str, validate_indices: bool = True,
) -> list[Array]:  # fmt: skip
    """Returns an operation on the rows of two sparse tensors, as a sparse one."""
    first = _sparse_rows(set1_indices, set1_values, set1_shape, validate_indices)
    second = _sparse_rows(set2_indices, set2_values, set2_shape, validate_indices)
    return _combined(first, second, set_operation.lower(), set1_values.dtype)


def _size_shape(node: Operation) -> Shape:
    rank = with_rank(node.inputs[0].dims, 2)[1]
    return None if rank is None else (None,) * (rank - 1)


@op("SetSize", types="set_indices: int64, set_values: T, set_shape: int64 -> size: int32", T=_TYPES, shape=_size_shape,
    devices="CPU", differentiable=False)  # fmt: skip
def set_size_op(
    xp: Namespace, set_indices: Array, set_values: Array, set_shape: Array, *, validate_indices: bool = True
) -> Array:
    """Returns how many different elements each row has."""
    rows, groups = _sparse_rows(set_indices, set_values, set_shape, validate_indices)
    made = np.zeros(tuple(groups), np.int32)
    for place, found in rows.items():
        made[place] = len(found)
    return made


def set_size(a: Any, validate_indices: bool = True) -> Tensor:
    """Return how many different elements each innermost row of a sparse tensor has, int32; TypeError for a dense one."""
    if not is_sparse(a):
        raise TypeError(f"Expected `SparseTensor`, got {a}.")
    sparse = as_sparse(a)
    return set_size_op(  # type: ignore[no-any-return]
        sparse.indices, sparse.values, sparse.dense_shape, validate_indices=validate_indices
    )


def _set_operation(a: Any, b: Any, operation: str, validate: bool) -> SparseTensor:
    options: dict[str, Any] = {"set_operation": operation, "validate_indices": validate}
    if is_sparse(a) and is_sparse(b):
        one, other = as_sparse(a), as_sparse(b)
        if one.dtype.base_dtype != other.dtype.base_dtype:
            raise TypeError(f"Types don't match, {one.dtype!r} vs {other.dtype!r}.")
        parts = (one.indices, one.values, one.dense_shape, other.indices, other.values, other.dense_shape)
        return SparseTensor(*sparse_to_sparse_op(*parts, **options))
    if is_sparse(a):
        raise ValueError("sparse,dense is not supported, but dense,sparse is. Please flip the order of your inputs.")
    first = convert_to_tensor(a, name="a")
    second = b if is_sparse(b) or isinstance(b, Tensor) else convert_to_tensor(b, first.dtype.base_dtype, name="b")
    if second.dtype.base_dtype != first.dtype.base_dtype:
        raise TypeError(f"Types don't match, {first.dtype!r} vs {second.dtype!r}.")
    if is_sparse(b):
        other = as_sparse(b)
        return SparseTensor(*dense_to_sparse_op(first, other.indices, other.values, other.dense_shape, **options))
    return SparseTensor(*dense_to_dense_op(first, second, **options))


def _flipped(a: Any, b: Any) -> tuple[Any, Any, bool]:
    """Return the two so that a sparse one comes second, and whether they changed places."""
    return (b, a, True) if is_sparse(a) and not is_sparse(b) else (a, b, False)


def set_intersection(a: Any, b: Any, validate_indices: bool = True) -> SparseTensor:
    """Return what innermost rows of `a` and `b` have in common, sorted, as a sparse tensor."""
    a, b, _ = _flipped(a, b)
    return _set_operation(a, b, "intersection", validate_indices)


def set_union(a: Any, b: Any, validate_indices: bool = True) -> SparseTensor:
    """Return what innermost rows of `a` or `b` have, sorted, as a sparse tensor."""
    a, b, _ = _flipped(a, b)
    return _set_operation(a, b, "union", validate_indices)


def set_difference(a: Any, b: Any, aminusb: bool = True, validate_indices: bool = True) -> SparseTensor:
    """Return what innermost rows of `a` have and those of `b` have not (or the other way), as a sparse tensor."""
    a, b, flipped = _flipped(a, b)
    return _set_operation(a, b, "a-b" if aminusb != flipped else "b-a", validate_indices)
