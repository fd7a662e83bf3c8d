"""Rows of sparse matrices: filling the empty ones with a default, and keeping only some elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..array import boolean_mask
from ..core import shapes
from ..core.convert import convert_to_tensor
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.scopes import name_scope
from ..core.shape_rules import constant_value_as_shape
from ..core.shapes import Shape
from ..core.sparse_tensor import SparseTensor, as_sparse


def _filled_shapes(node: Operation) -> list[Shape]:
    places, values = shapes.with_rank(node.inputs[0].dims, 2), shapes.with_rank(node.inputs[1].dims, 1)
    count = shapes.merge_dim(places[0], values[0])
    whole = constant_value_as_shape(node.inputs[2])
    return [(None, places[1]), (None,), (whole[0] if whole else None,), (count,)]


@op(
    "SparseFillEmptyRows", shape=_filled_shapes, devices="CPU",
    types="indices: int64, values: T, dense_shape: int64, default_value: T -> output_indices: int64, output_values: T, "
    "empty_row_indicator: bool, reverse_index_map: int64",
)  # fmt: skip
def fill_empty_rows_op(
    xp: Namespace, indices: Array, values: Array, dense_shape: Array, default_value: Array
) -> list[Array]:
    """Returns a sparse tensor with a default in column 0 of rows that had no element, which rows had none, and where each
    element went."""
    count = int(dense_shape[0])
    rows = indices[:, 0]
    if rows.size and (rows.min() < 0 or rows.max() >= count):
        first = int(np.flatnonzero((rows < 0) | (rows >= count))[0])
        raise InvalidArgumentError(None, None, f"indices({first}, 0) is invalid: {int(rows[first])} >= {count}")
    empty = np.bincount(rows, minlength=count) == 0
    added = np.zeros((int(empty.sum()), indices.shape[1]), np.int64)
    added[:, 0] = np.flatnonzero(empty)
    joined = np.concatenate([indices, added])
    order = np.argsort(joined[:, 0], kind="stable")
    where = np.empty(order.size, np.int64)
    where[order] = np.arange(order.size)
    defaults = np.full(len(added), default_value, values.dtype)
    return [joined[order], np.concatenate([values, defaults])[order], empty, where[: len(indices)]]


@op("SparseFillEmptyRowsGrad", types="reverse_index_map: int64, grad_values: T -> d_values: T, d_default_value: T",
    shape=lambda node: [shapes.with_rank(node.inputs[0].dims, 1), ()], devices="CPU")  # fmt: skip
def fill_empty_rows_grad_op(xp: Namespace, reverse_index_map: Array, grad_values: Array) -> list[Array]:
    """Returns the gradients of the values, and of the default: the sum of all others."""
    others = np.ones(len(grad_values), bool)
    others[reverse_index_map] = False
    total = grad_values[others].sum(dtype=grad_values.dtype)
    return [grad_values[reverse_index_map], np.asarray(total, grad_values.dtype)]


@fill_empty_rows_op.gradient
def _fill_empty_rows_gradient(op: Operation, _: Any, dy: Tensor, *others: Any) -> list[Tensor | None]:
    values, default = fill_empty_rows_grad_op(op.outputs[3], dy)
    return [None, values, None, default]


def sparse_fill_empty_rows(sp_input: Any, default_value: Any, name: str | None = None) -> tuple[SparseTensor, Tensor]:
    """Return a sparse matrix with `default_value` in column 0 of each row that was empty, and which rows were, bool (rows,).

    Raises:
      TypeError: when the input is not sparse.
    """
    sparse = as_sparse(sp_input)
    with name_scope(name, "SparseFillEmptyRows"):
        default = convert_to_tensor(default_value, sparse.values.dtype.base_dtype)
        places, values, empty, _ = fill_empty_rows_op(sparse.indices, sparse.values, sparse.dense_shape, default)
        return SparseTensor(places, values, sparse.dense_shape), empty


def sparse_retain(sp_input: Any, to_retain: Any) -> SparseTensor:
    """Return the elements of a sparse tensor for which `to_retain`, bool (n,), is true.

    Raises:
      TypeError: when the input is not sparse. ValueError: when the numbers of elements differ.
    """
    sparse = as_sparse(sp_input)
    mask = convert_to_tensor(to_retain)
    shapes.merge(sparse.values.dims, mask.dims)
    return SparseTensor(boolean_mask(sparse.indices, mask), boolean_mask(sparse.values, mask), sparse.dense_shape)
