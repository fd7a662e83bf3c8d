"""Sparse tensors added to each other or to dense ones, reduced along axes, and their rows' softmax. On the CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..array import gather, gather_nd, reshape, shape
from ..core import dtypes
from ..core.convert import convert_to_tensor
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import OpDecl, op
from ..core.scopes import name_scope
from ..core.shape_rules import constant_value, constant_value_as_shape
from ..core.shapes import Shape, with_rank
from ..core.sparse_tensor import SparseTensor, as_sparse, is_sparse
from ..math import cast, cumprod, equal, range, reduce_any, reduce_sum, segment_sum

_A = "a_indices: int64, a_values: T, a_shape: int64"
_B = "b_indices: int64, b_values: T, b_shape: int64"
_INPUT = "input_indices: int64, input_values: T, input_shape: int64, reduction_axes: int32"
_REAL = (*dtypes.FLOATING, *dtypes.INTEGERS)
_NUMBERS = (*_REAL, *dtypes.COMPLEX)


def _ranks(node: Operation) -> list[Shape]:
    rank = with_rank(node.inputs[0].dims, 2)[1]
    return [(None, rank), (None,), (rank,)]


def _flat(places: Array, whole: Array) -> Array:
    """Return places as single numbers that order as they do."""
    if not len(places):
        return np.zeros(0, np.int64)
    return np.ravel_multi_index(tuple(places.T), tuple(whole))


def _union(a: Array, b: Array, whole: Array) -> tuple[Array, Array, Array]:
    """Return the sorted places of either, and where those of each went."""
    first, second = _flat(a, whole), _flat(b, whole)
    keys = np.union1d(first, second).astype(np.int64)
    places = np.stack(np.unravel_index(keys, tuple(whole)), axis=1).astype(np.int64) if keys.size else a[:0]
    return places, np.searchsorted(keys, first), np.searchsorted(keys, second)


def _check_shapes(a: Array, b: Array) -> None:
    if a.tolist() != b.tolist():
        raise InvalidArgumentError(None, None, f"Operands' shapes do not match: got {a.tolist()} and {b.tolist()}")


@op("SparseAdd", types=f"{_A}, {_B}, thresh: Treal -> sum_indices: int64, sum_values: T, sum_shape: int64", T=_NUMBERS,
    Treal=_REAL, shape=_ranks, devices="CPU")  # fmt: skip
def add_op(
    xp: Namespace, a_indices: Array, a_values: Array, a_shape: Array, b_indices: Array, b_values: Array, b_shape: Array,
    thresh: Array,
) -> list[Array]:  # fmt: skip
    """Returns the sum of two sparse tensors, without sums smaller than a threshold; what only one has stays as it is."""
    _check_shapes(a_shape, b_shape)
    places, first, second = _union(a_indices, b_indices, a_shape)
    total = np.zeros(len(places), a_values.dtype)
    np.add.at(total, first, a_values)
    np.add.at(total, second, b_values)
    added = np.isin(np.arange(len(places)), first) & np.isin(np.arange(len(places)), second)
    kept = ~added | (np.abs(total) >= thresh)
    return [places[kept], total[kept], a_shape]


@op("SparseAddGrad", T=_NUMBERS, devices="CPU", differentiable=False,
    types="backprop_val_grad: T, a_indices: int64, b_indices: int64, sum_indices: int64 -> a_val_grad: T, b_val_grad: T",
    shape=lambda node: [(with_rank(node.inputs[i].dims, 2)[0],) for i in (1, 2)])  # fmt: skip
def add_grad_op(
    xp: Namespace, backprop_val_grad: Array, a_indices: Array, b_indices: Array, sum_indices: Array
) -> list[Array]:
    """Returns the gradients of a sum by the elements of both sides."""
    at = {tuple(place): i for i, place in enumerate(sum_indices.tolist())}
    made = []
    for places in (a_indices, b_indices):
        found = [at.get(tuple(place), -1) for place in places.tolist()]
        padded = np.append(backprop_val_grad, backprop_val_grad.dtype.type(0))
        made.append(padded[np.array(found, np.int64)])
    return made


@add_op.gradient
def _add_gradient(op: Operation, _: Any, dy: Tensor, *others: Any) -> list[Tensor | None]:
    first, second = add_grad_op(dy, op.inputs[0], op.inputs[3], op.outputs[0])
    return [None, first, None, None, second, None, None]


@op("SparseTensorDenseAdd", types="a_indices: Tindices, a_values: T, a_shape: Tindices, b: T -> output: T", T=_NUMBERS,
    Tindices=dtypes.INDEX, shape=lambda node: node.inputs[3].dims, devices="CPU")  # fmt: skip
def dense_add_op(xp: Namespace, a_indices: Array, a_values: Array, a_shape: Array, b: Array) -> Array:
    """Returns a dense tensor with a sparse one of its shape added."""
    if tuple(a_shape.tolist()) != b.shape:
        raise InvalidArgumentError(None, None, f"Dimensions do not match: {a_shape.tolist()} vs. {list(b.shape)}")
    made = b.copy()
    np.add.at(made, tuple(a_indices.T), a_values)
    return made


@dense_add_op.gradient
def _dense_add_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
    return [None, gather_nd(dy, op.inputs[0]), None, dy]


def sparse_add(a: Any, b: Any, threshold: Any = None, thresh: Any = None) -> Any:
    """Return the sum of two tensors of which one at least is sparse: sparse if both are, else dense.

    Args:
      threshold: elements of a sparse sum that are smaller vanish; 0 (`thresh` is an old name).
    """
    if not is_sparse(a) and not is_sparse(b):
        raise TypeError("At least one input should be SparseTensor; do you mean to use tf.add()?")
    if is_sparse(a) and is_sparse(b):
        first, second = as_sparse(a), as_sparse(b)
        limit = threshold if threshold is not None else 0 if thresh is None else thresh
        kind = {"complex64": dtypes.float32, "complex128": dtypes.float64}
        real = kind.get(first.dtype.base_dtype.name, first.dtype.base_dtype)
        return SparseTensor(
            *add_op(
                first.indices,
                first.values,
                first.dense_shape,
                second.indices,
                second.values,
                second.dense_shape,
                convert_to_tensor(limit, real),
            )
        )
    sparse, dense = (as_sparse(a), b) if is_sparse(a) else (as_sparse(b), a)
    return dense_add_op(sparse.indices, sparse.values, sparse.dense_shape, dense)


def _extreme(name: str, function: Callable[[Array, Array], Array], doc: str) -> OpDecl:
    @op(name, types=f"{_A}, {_B} -> output_indices: int64, output_values: T", T=_REAL, devices="CPU",
        shape=lambda node: _ranks(node)[:2])  # fmt: skip
    def extreme(
        xp: Namespace, a_indices: Array, a_values: Array, a_shape: Array, b_indices: Array, b_values: Array,
        b_shape: Array,
    ) -> list[Array]:  # fmt: skip
        _check_shapes(a_shape, b_shape)
        places, first, second = _union(a_indices, b_indices, a_shape)
        sides = np.zeros((2, len(places)), a_values.dtype)
        sides[0, first], sides[1, second] = a_values, b_values
        return [places, function(sides[0], sides[1])]

    extreme.doc = doc
    return extreme


maximum_op = _extreme("SparseSparseMaximum", np.maximum, "Returns the greater of two sparse tensors' elements.")
minimum_op = _extreme("SparseSparseMinimum", np.minimum, "Returns the smaller of two sparse tensors' elements.")


def _of_two(decl: OpDecl, default: str, doc: str) -> Callable[..., SparseTensor]:
    def combined(sp_a: Any, sp_b: Any, name: str | None = None) -> SparseTensor:
        first, second = as_sparse(sp_a), as_sparse(sp_b)
        places, values = decl(
            first.indices, first.values, first.dense_shape, second.indices, second.values, second.dense_shape,
            name=name or default,
        )  # fmt: skip
        return SparseTensor(places, values, first.dense_shape)

    combined.__doc__ = doc
    combined.__name__ = combined.__qualname__ = f"sparse_{default.removeprefix('SparseSparse').lower()}"
    return combined


sparse_maximum = _of_two(
    maximum_op,
    "SparseSparseMaximum",
    "Return the greater of two sparse tensors' elements; where one has none, it has 0.",
)
sparse_minimum = _of_two(
    minimum_op,
    "SparseSparseMinimum",
    "Return the smaller of two sparse tensors' elements; where one has none, it has 0.",
)


def _axes(reduction_axes: Array, rank: int) -> list[int]:
    wrong = [int(axis) for axis in reduction_axes.reshape(-1) if not -rank <= axis < rank]
    if wrong:
        raise InvalidArgumentError(
            None, None, f"Invalid reduction dimension {wrong[0]}, for input with {rank} dimensions."
        )
    return sorted({int(axis) % rank for axis in reduction_axes.reshape(-1)}) or list(np.arange(rank))


def _reduced(
    function: Any, indices: Array, values: Array, whole: Array, reduction_axes: Array, keep: bool
) -> tuple[Array, Array, Array]:
    """Return the places, values and shape of what remains; only groups that have an element do."""
    axes = _axes(reduction_axes, len(whole))
    kept = [i for i in np.arange(len(whole)).tolist() if i not in axes]
    groups, inverse = np.unique(indices[:, kept], axis=0, return_inverse=True)
    order = np.argsort(inverse.reshape(-1), kind="stable")
    starts = np.searchsorted(inverse.reshape(-1)[order], np.arange(len(groups)))
    made = function.reduceat(values[order], starts) if len(groups) else values[:0]
    if not keep:
        return groups, made.astype(values.dtype), whole[kept]
    places, dims = np.zeros((len(groups), len(whole)), np.int64), np.ones(len(whole), np.int64)
    places[:, kept], dims[kept] = groups, whole[kept]
    return places, made.astype(values.dtype), dims


def _reduced_shape(node: Operation) -> Shape:
    whole, axes = constant_value_as_shape(node.inputs[2]), constant_value(node.inputs[3])
    if whole is None or axes is None:
        return None
    found = _axes(axes, len(whole))
    if node.attrs["keep_dims"]:
        return tuple(1 if i in found else d for i, d in enumerate(whole))
    return tuple(d for i, d in enumerate(whole) if i not in found)


def _reduction(name: str, function: Any, types: tuple[dtypes.DType, ...], doc: str) -> tuple[OpDecl, OpDecl]:
    @op(name, types=f"{_INPUT} -> output: T", T=types, shape=_reduced_shape, devices="CPU")
    def dense(
        xp: Namespace, input_indices: Array, input_values: Array, input_shape: Array, reduction_axes: Array, *,
        keep_dims: bool = False,
    ) -> Array:  # fmt: skip
        places, values, dims = _reduced(function, input_indices, input_values, input_shape, reduction_axes, keep_dims)
        made = np.zeros(tuple(dims), values.dtype)
        made[tuple(places.T)] = values if places.shape[1] else values[0] if len(values) else 0
        return made

    @op(f"{name}Sparse", types=f"{_INPUT} -> output_indices: int64, output_values: T, output_shape: int64", T=types,
        shape=lambda node: [None, (None,), (None,)], devices="CPU")  # fmt: skip
    def sparse(
        xp: Namespace, input_indices: Array, input_values: Array, input_shape: Array, reduction_axes: Array, *,
        keep_dims: bool = False,
    ) -> list[Array]:  # fmt: skip
        return [*_reduced(function, input_indices, input_values, input_shape, reduction_axes, keep_dims)]

    dense.doc, sparse.doc = f"Returns {doc}.", f"Returns {doc}, as a sparse tensor."
    return dense, sparse


reduce_sum_op, reduce_sum_sparse_op = _reduction(
    "SparseReduceSum", np.add, _NUMBERS, "the sums of a sparse tensor along axes"
)
reduce_max_op, reduce_max_sparse_op = _reduction(
    "SparseReduceMax", np.maximum, _REAL, "the greatest elements of a sparse tensor along axes; 0 where there is none"
)


@reduce_sum_op.gradient
def _reduce_sum_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
    places, _, whole, axes = op.inputs
    kept = _kept_dims(whole, axes)
    return [None, gather_nd(reshape(dy, kept), places % cast(kept, dtypes.int64)), None, None]


def _kept_dims(whole: Tensor, axes: Tensor) -> Tensor:
    """Return the shape with ones in place of the axes that are reduced."""
    rank = shape(whole)[0]
    numbers = range(rank)
    hit = cast(_any_equal(numbers, (axes + rank) % rank), dtypes.int64)
    return whole * (1 - hit) + hit


def _any_equal(numbers: Tensor, axes: Tensor) -> Tensor:
    return reduce_any(equal(reshape(numbers, [-1, 1]), reshape(axes, [1, -1])), axis=1)


@op("SparseSoftmax", types="sp_indices: int64, sp_values: T, sp_shape: int64 -> output: T",
    T=(dtypes.half, dtypes.float32, dtypes.float64), shape=lambda node: with_rank(node.inputs[1].dims, 1),
    devices="CPU")  # fmt: skip
def softmax_op(xp: Namespace, sp_indices: Array, sp_values: Array, sp_shape: Array) -> Array:
    """Returns the softmax of the elements of each innermost row, as if the others were minus infinity."""
    _, row = np.unique(sp_indices[:, :-1], axis=0, return_inverse=True)
    row = row.reshape(-1)
    count = int(row.max(initial=-1)) + 1
    top = np.full(count, -np.inf, sp_values.dtype)
    np.maximum.at(top, row, sp_values)
    grown = np.exp(sp_values - top[row])
    total = np.zeros(count, sp_values.dtype)
    np.add.at(total, row, grown)
    return (grown / total[row]).astype(sp_values.dtype)


@softmax_op.gradient
def _softmax_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
    places, _, whole = op.inputs
    y = op.outputs[0]
    rows = _row_numbers(places, whole)
    sums = segment_sum(dy * y, rows)
    return [None, (dy - gather(sums, rows)) * y, None]


def _row_numbers(places: Tensor, whole: Tensor) -> Tensor:
    """Return the number of each sorted element's innermost row."""
    steps = cumprod(whole[:-1], exclusive=True, reverse=True)
    return reduce_sum(places[:, :-1] * steps, axis=1)


def sparse_reduce_sum(
    sp_input: Any, axis: Any = None, keepdims: bool | None = None, reduction_axes: Any = None,
    keep_dims: bool | None = None,
) -> Tensor:  # fmt: skip
    """Return the sums of a sparse tensor along axes, or of all of it, dense."""
    return _reduce(reduce_sum_op, sp_input, axis, keepdims, reduction_axes, keep_dims)  # type: ignore[no-any-return]


def sparse_reduce_max(
    sp_input: Any, axis: Any = None, keepdims: bool | None = None, reduction_axes: Any = None,
    keep_dims: bool | None = None,
) -> Tensor:  # fmt: skip
    """Return the greatest elements of a sparse tensor along axes, dense, 0 where there is none."""
    return _reduce(reduce_max_op, sp_input, axis, keepdims, reduction_axes, keep_dims)  # type: ignore[no-any-return]


def sparse_reduce_sum_sparse(
    sp_input: Any, axis: Any = None, keepdims: bool | None = None, reduction_axes: Any = None,
    keep_dims: bool | None = None,
) -> SparseTensor:  # fmt: skip
    """Return the sums of a sparse tensor along axes, sparse."""
    return SparseTensor(*_reduce(reduce_sum_sparse_op, sp_input, axis, keepdims, reduction_axes, keep_dims))


def sparse_reduce_max_sparse(
    sp_input: Any, axis: Any = None, keepdims: bool | None = None, reduction_axes: Any = None,
    keep_dims: bool | None = None,
) -> SparseTensor:  # fmt: skip
    """Return the greatest elements of a sparse tensor along axes, sparse."""
    return SparseTensor(*_reduce(reduce_max_sparse_op, sp_input, axis, keepdims, reduction_axes, keep_dims))


def _reduce(decl: OpDecl, sp_input: Any, axis: Any, keepdims: Any, reduction_axes: Any, keep_dims: Any) -> Any:
    sparse = as_sparse(sp_input)
    along = axis if reduction_axes is None else reduction_axes
    if along is None:
        along = range(shape(sparse.dense_shape)[0])
    axes = reshape(convert_to_tensor(along, dtypes.int32), [-1])
    keep = bool(keep_dims if keepdims is None else keepdims)
    return decl(sparse.indices, sparse.values, sparse.dense_shape, axes, keep_dims=keep)


def sparse_softmax(sp_input: Any, name: str | None = None) -> SparseTensor:
    """Return the softmax of each innermost row's elements, as if those that it has not were minus infinity."""
    sparse = as_sparse(sp_input)
    with name_scope(name, "SparseSoftmax"):
        made = softmax_op(sparse.indices, sparse.values, sparse.dense_shape)
        return SparseTensor(sparse.indices, made, sparse.dense_shape)
