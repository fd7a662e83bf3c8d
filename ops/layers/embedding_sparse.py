"""Embeddings of several ids at once: the rows of each entry's ids, weighted, and combined into one."""

from __future__ import annotations

import logging
from typing import Any

from ..array import concat, expand_dims, reshape, shape, stack, unique, zeros_like
from ..core import dtypes, shapes
from ..core.node import Tensor
from ..core.scopes import name_scope
from ..core.sparse_tensor import SparseTensor, is_sparse
from ..math import (
    cast,
    cumprod,
    div_no_nan,
    greater,
    greater_equal,
    logical_and,
    multiply,
    reduce_prod,
    reduce_sum,
    segment_sum,
    sqrt,
    square,
    where,
)
from ..sparse import (
    sparse_fill_empty_rows,
    sparse_retain,
    sparse_segment_mean,
    sparse_segment_sqrt_n,
    sparse_segment_sum,
)
from ..variables.partitioned import PartitionedVariable
from .embedding import embedding_lookup

_UNWEIGHTED = {"mean": sparse_segment_mean, "sqrtn": sparse_segment_sqrt_n, "sum": sparse_segment_sum}
logger = logging.getLogger(__name__)


def _check(combiner: str | None) -> str:
    if combiner is None:
        logger.warning('The default value of combiner will change from "mean" to "sqrtn" after 2016/11/01.')
        return "mean"
    if combiner not in _UNWEIGHTED:
        raise ValueError("combiner must be one of 'mean', 'sqrtn' or 'sum'")
    return combiner


def embedding_lookup_sparse(
    params: Any, sp_ids: Any, sp_weights: Any, partition_strategy: str = "mod", name: str | None = None,
    combiner: str | None = None, max_norm: float | None = None,
) -> Tensor:  # fmt: skip
    """Return for each row of sparse ids its embeddings, combined.

    Args:
      params: a matrix or shards of one, as in `embedding_lookup`.
      sp_ids: an int64 SparseTensor (rows, any). No row may be empty; see `safe_embedding_lookup_sparse`.
      sp_weights: None, or a SparseTensor of floats in the same places.
      combiner: "sum"; "mean", the sum divided by the weights' sum (the default); or "sqrtn", divided by the root of the sum
        of their squares.
      max_norm: clip embeddings to this L2 norm first.

    Returns:
      (rows, ...), the shape of a row of `params`.

    Raises:
      TypeError: when ids or weights are not sparse. ValueError: for another combiner.
    """
    way = _check(combiner)
    if not is_sparse(sp_ids):
        raise TypeError("sp_ids must be SparseTensor")
    if sp_weights is not None and not is_sparse(sp_weights):
        raise TypeError("sp_weights must be either None or SparseTensor")
    with name_scope(name, "embedding_lookup_sparse") as scope:
        owners = cast(sp_ids.indices[:, 0], dtypes.int32)
        if sp_weights is None:
            # Each row is looked up once, however often it is asked for, and has one gradient.
            ids, places = unique(sp_ids.values)
            rows = embedding_lookup(params, ids, partition_strategy, max_norm=max_norm)
            return _UNWEIGHTED[way](rows, places, owners, name=scope)  # type: ignore[no-any-return]
        rows = embedding_lookup(params, sp_ids.values, partition_strategy, max_norm=max_norm)
        weights = cast(sp_weights.values, rows.dtype.base_dtype)
        rows = multiply(rows, _beside(weights, rows))
        if way == "sum":
            return segment_sum(rows, owners, name=scope)
        total = segment_sum(rows, owners)
        norm = segment_sum(weights, owners) if way == "mean" else sqrt(segment_sum(square(weights), owners))
        return div_no_nan(total, _beside(norm, total), name=scope)


def _beside(numbers: Tensor, rows: Tensor) -> Tensor:
    """Return one number a row with as many axes as the rows have."""
    more = 1 if rows.dims is None else len(rows.dims) - 1
    return reshape(numbers, [-1] + [1] * more)


def safe_embedding_lookup_sparse(
    embedding_weights: Any, sparse_ids: Any, sparse_weights: Any = None, combiner: str = "mean", default_id: Any = None,
    name: str | None = None, partition_strategy: str = "div", max_norm: float | None = None,
) -> Tensor:  # fmt: skip
    """Return `embedding_lookup_sparse` of ids of which some may be missing.

    Args:
      embedding_weights: a matrix or shards of one.
      sparse_ids: a SparseTensor (..., any); negative ids count as missing, and so do those with weights that are not positive.
      sparse_weights: None, or a SparseTensor in the same places.
      default_id: the id of entries that have none; None for a row of zeros.
      The others are as in `embedding_lookup_sparse`.

    Returns:
      (..., the shape of a row).

    Raises:
      ValueError: without embedding weights.
    """
    tables = (
        list(embedding_weights)
        if isinstance(embedding_weights, list | tuple | PartitionedVariable)
        else [embedding_weights]
    )
    if not tables or any(table is None for table in tables):
        raise ValueError(f"Missing embedding_weights {embedding_weights}.")
    with name_scope(name, "embedding_lookup"):
        ids, leading = _as_rows(sparse_ids)
        weights = None if sparse_weights is None else SparseTensor(ids.indices, sparse_weights.values, ids.dense_shape)
        ids, weights = _valid(ids, weights, combiner)
        ids, missing = sparse_fill_empty_rows(ids, 0 if default_id is None else default_id)
        if weights is not None:
            weights, _ = sparse_fill_empty_rows(weights, 1.0)
        found = embedding_lookup_sparse(tables, ids, weights, partition_strategy, combiner=combiner, max_norm=max_norm)
        if default_id is None:
            found = where(missing, zeros_like(found), found)
        width = None if found.dims is None else found.dims[1:]
        whole = reshape(found, concat([cast(leading, dtypes.int32), shape(found)[1:]], 0))
        known = sparse_ids.shape.dims
        whole.set_shape(shapes.concatenate(None if known is None else tuple(d.value for d in known[:-1]), width))
        return whole


def _as_rows(sparse: Any) -> tuple[SparseTensor, Tensor]:
    """Return a sparse tensor with all its axes but the last made into one, and the lengths of these."""
    lengths = sparse.dense_shape[:-1]
    steps = cumprod(lengths, exclusive=True, reverse=True)
    rows = reduce_sum(multiply(sparse.indices[:, :-1], steps), 1)
    places = stack([rows, sparse.indices[:, -1]], axis=1)
    whole = concat([expand_dims(reduce_prod(lengths), 0), sparse.dense_shape[-1:]], 0)
    return SparseTensor(places, sparse.values, whole), lengths


def _valid(ids: SparseTensor, weights: SparseTensor | None, combiner: str) -> tuple[SparseTensor, SparseTensor | None]:
    """Return what is left without negative ids, and without weights that would make a mean meaningless."""
    valid = greater_equal(ids.values, 0)
    if weights is None:
        return sparse_retain(ids, valid), None
    if combiner != "sum":
        valid = logical_and(valid, greater(weights.values, zeros_like(weights.values)))
    return sparse_retain(ids, valid), sparse_retain(weights, valid)
