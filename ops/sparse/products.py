"""Sparse matrices times dense ones, and dense tensors combined with a sparse one's elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..array import concat, gather, gather_nd, matrix_transpose, ones, reshape, scatter_nd, shape, size, transpose
from ..core import dtypes
from ..core.convert import convert_to_tensor
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import OpDecl, op
from ..core.scopes import name_scope
from ..core.shape_rules import constant_value_as_shape
from ..core.shapes import Shape, merge_dim, with_rank
from ..core.sparse_tensor import SparseTensor, as_sparse
from ..math import cast, conj, reduce_sum, square

_SP = "sp_indices: int64, sp_values: T, sp_shape: int64"
NUMBERS = (*dtypes.FLOATING, *dtypes.INTEGERS, *dtypes.COMPLEX)


def _product_shape(node: Operation) -> Shape:
    whole, dense = constant_value_as_shape(node.inputs[2]), with_rank(node.inputs[3].dims, 2)
    flipped_a, flipped_b = bool(node.attrs["adjoint_a"]), bool(node.attrs["adjoint_b"])
    rows, inner = (None, None) if whole is None else (whole[flipped_a], whole[not flipped_a])
    merge_dim(inner, dense[flipped_b])
    return (rows, dense[not flipped_b])


@op(
    "SparseTensorDenseMatMul", types="a_indices: Tindices, a_values: T, a_shape: int64, b: T -> product: T",
    Tindices=dtypes.INDEX, T=NUMBERS, defaults={"Tindices": dtypes.int64}, shape=_product_shape, host="a_shape",
)  # fmt: skip
def matmul_op(
    xp: Namespace, a_indices: Array, a_values: Array, a_shape: Array, b: Array, *, adjoint_a: bool = False,
    adjoint_b: bool = False,
) -> Array:  # fmt: skip
    """Returns the product of a sparse matrix and a dense one."""
    if len(a_shape) != 2:
        raise InvalidArgumentError(None, None, f"Tensor 'a_shape' must have 2 elements, has {len(a_shape)}")
    rows, columns = a_indices[:, 0], a_indices[:, 1]
    values, (height, width) = a_values, (int(a_shape[0]), int(a_shape[1]))
    if adjoint_a:
        rows, columns, values, (height, width) = columns, rows, xp.conj(values), (width, height)
    dense = xp.conj(b).T if adjoint_b else b
    if width != dense.shape[0]:
        raise InvalidArgumentError(
            None, None, f"Cannot multiply A and B because inner dimension does not match: {width} vs. {dense.shape[0]}."
        )
    _check_places(xp, rows, columns, height, width)
    product = xp.zeros(
        (height, dense.shape[1]), np.float32 if b.dtype.itemsize == 2 and b.dtype.kind in "fV" else b.dtype
    )
    if len(values):
        xp.add.at(product, rows, (values[:, None] * dense[columns]).astype(product.dtype))
    return product.astype(b.dtype)


def _check_places(xp: Namespace, rows: Array, columns: Array, height: int, width: int) -> None:
    """Raise InvalidArgumentError for a place outside the matrix; a GPU is not waited for."""
    if xp is not np or not rows.size:
        return
    for places, limit, name in ((rows, height, "m"), (columns, width, "k")):
        wrong = np.flatnonzero((places < 0) | (places >= limit))
        if wrong.size:
            raise InvalidArgumentError(
                None, None, f"{name} ({int(places[wrong[0]])}) from index[{int(wrong[0])}] out of bounds (>={limit})"
            )


@matmul_op.gradient
def _matmul_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
    places, values, whole, b = op.inputs
    adjoint_a, adjoint_b = op.attrs["adjoint_a"], op.attrs["adjoint_b"]
    by_dense = matmul_op(places, values, whole, dy, adjoint_a=not adjoint_a)
    if adjoint_b:
        by_dense = conj(matrix_transpose(by_dense))
    rows, columns = places[:, 0], places[:, 1]
    above = gather(dy, columns if adjoint_a else rows)
    dense = gather(matrix_transpose(b) if adjoint_b else b, rows if adjoint_a else columns)
    if values.dtype.is_complex and not adjoint_b:
        dense = conj(dense)
    by_values = reduce_sum(above * dense, axis=1)
    return [None, conj(by_values) if adjoint_a else by_values, None, by_dense]


def sparse_tensor_dense_matmul(
    sp_a: Any, b: Any, adjoint_a: bool = False, adjoint_b: bool = False, name: str | None = None
) -> Tensor:
    """Return the product of a sparse matrix (n, k) and a dense one (k, m); either may be the other way round.

    Args:
      sp_a: a SparseTensor, or a dense matrix when `b` is sparse.
      b: a dense matrix of the same type, or a SparseTensor.
      adjoint_a, adjoint_b: whether a factor is conjugated and transposed first.
    """
    if isinstance(b, SparseTensor) or hasattr(b, "dense_shape"):
        left: Tensor = sparse_tensor_dense_matmul(b, sp_a, not adjoint_b, not adjoint_a, name)
        return conj(transpose(left))
    sparse = as_sparse(sp_a)
    with name_scope(name, "SparseTensorDenseMatMul"):
        dense = convert_to_tensor(b, sparse.dtype.base_dtype, name="b")
        return matmul_op(  # type: ignore[no-any-return]
            sparse.indices, sparse.values, sparse.dense_shape, dense, adjoint_a=adjoint_a, adjoint_b=adjoint_b
        )


def _values_shape(node: Operation) -> Shape:
    (count,) = with_rank(node.inputs[1].dims, 1)
    return (merge_dim(with_rank(node.inputs[0].dims, 2)[0], count),)


def _at_places(places: Array, whole: Array, dense: Array) -> Array:
    """Return the dense tensor's elements, broadcast to the sparse one's shape, at its places."""
    dims = tuple(int(d) for d in whole)
    if dense.ndim > len(dims) or any(
        d not in (1, w) for d, w in zip(reversed(dense.shape), reversed(dims), strict=False)
    ):
        raise InvalidArgumentError(
            None, None, "SparseDenseBinaryOpShared broadcasts dense to sparse only; got incompatible shapes: "
            f"[{','.join(map(str, dims))}] vs. [{','.join(map(str, dense.shape))}]",
        )  # fmt: skip
    return np.broadcast_to(dense, dims)[tuple(places.T)]


def _combined(name: str, function: Callable[[Array, Array], Array], doc: str) -> OpDecl:
    @op(name, types=f"{_SP}, dense: T -> output: T", T=NUMBERS, shape=_values_shape, devices="CPU")
    def combined(xp: Namespace, sp_indices: Array, sp_values: Array, sp_shape: Array, dense: Array) -> Array:
        return function(sp_values, _at_places(sp_indices, sp_shape, dense)).astype(sp_values.dtype)

    combined.doc = doc
    return combined


def _quotient(x: Array, y: Array) -> Array:
    return x / y if x.dtype.kind not in "iu" else (np.sign(x) * np.sign(y)) * (np.abs(x) // np.abs(y))


add_op = _combined("SparseDenseCwiseAdd", np.add, "Returns the sums of the sparse elements and the dense ones there.")
mul_op = _combined(
    "SparseDenseCwiseMul", np.multiply, "Returns the products of sparse elements and the dense ones there."
)
div_op = _combined(
    "SparseDenseCwiseDiv", _quotient, "Returns the quotients of sparse elements by the dense ones there."
)


def _dense_places(op: Operation) -> tuple[Tensor, Tensor]:
    """Return where each sparse element meets the dense tensor, which is broadcast, and the dense shape with ones in front."""
    places, _, whole, dense = op.inputs
    own = cast(shape(dense), dtypes.int64)
    lined = concat([ones([size(whole) - size(own)], dtypes.int64), own], 0)
    return places % lined, lined


def _gradients(
    op: Operation, by_sparse: Callable[[Tensor], Tensor], by_dense: Callable[[Tensor], Tensor]
) -> list[Tensor | None]:
    """Return the gradients, given those by each sparse element and by the dense one there, which may be met often."""
    places, lined = _dense_places(op)
    dense = op.inputs[3]
    met = gather_nd(reshape(dense, lined), places)
    summed = reshape(scatter_nd(places, by_dense(met), lined), shape(dense))
    return [None, by_sparse(met), None, summed]


@mul_op.gradient
def _mul_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
    return _gradients(op, lambda dense: dy * dense, lambda dense: dy * op.inputs[1])


@div_op.gradient
def _div_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
    return _gradients(op, lambda dense: dy / dense, lambda dense: -dy * op.inputs[1] / square(dense))


def _times(sparse: Any, dense: Any, decl: OpDecl, name: str | None) -> SparseTensor:
    given = as_sparse(sparse)
    other = convert_to_tensor(dense, given.dtype.base_dtype)
    made = decl(given.indices, given.values, given.dense_shape, other, name=name)
    return SparseTensor(given.indices, made, given.dense_shape)


def sparse_dense_cwise_mul(sparse: Any, dense: Any, name: str | None = None) -> SparseTensor:
    """Return a sparse tensor times a dense one that broadcasts to its shape."""
    return _times(sparse, dense, mul_op, name)


def sparse_dense_cwise_div(sparse: Any, dense: Any, name: str | None = None) -> SparseTensor:
    """Return a sparse tensor divided by a dense one that broadcasts to its shape."""
    return _times(sparse, dense, div_op, name)
