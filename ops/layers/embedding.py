"""Embeddings: rows of one matrix, or of a matrix that lies in shards."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..array import concat, gather, identity, reshape, shape, size
from ..array.partition import dynamic_partition, parallel_dynamic_stitch
from ..core.convert import constant, convert_to_tensor
from ..core.node import Tensor
from ..core.scopes import colocate_with, name_scope
from ..core.shapes import concatenate
from ..math import cast, floordiv, less, maximum, mod, where
from ..math import range as range_
from ..variables.partitioned import PartitionedVariable
from .clip import clip_by_norm


def embedding_lookup(
    params: Any, ids: Any, partition_strategy: str = "mod", name: str | None = None, validate_indices: bool = True,
    max_norm: float | None = None,
) -> Tensor:  # fmt: skip
    """Return the rows `ids` of a matrix.

    Args:
      params: a tensor, array or variable, or a list of them or a PartitionedVariable: shards of one matrix, whose first
        dimensions may differ.
      ids: int32 or int64 tensor of any shape.
      partition_strategy: which shard has a row. "mod": `id % n`; "div": contiguous ranges, the first shards one row longer.
      validate_indices: accepted for old programs; on the CPU ids out of range always fail.
      max_norm: clip rows to this L2 norm.

    Returns:
      A tensor of shape `ids.shape + params.shape[1:]`. Its gradient reaches the rows as IndexedSlices.
    """
    shards = list(params) if isinstance(params, list | tuple | PartitionedVariable) else [params]
    if not shards or any(shard is None for shard in shards):
        raise ValueError("Need at least one param")
    with name_scope(name, "embedding_lookup", [t for t in (*shards, ids) if isinstance(t, Tensor)]) as scope:
        shards = [_anchored(shard, f"params_{i}") for i, shard in enumerate(shards)]
        indices = convert_to_tensor(ids, name="ids")
        if len(shards) == 1:
            with colocate_with(shards[0]):
                return identity(_clipped(gather(shards[0], indices, name=scope), indices, max_norm))  # type: ignore[no-any-return]
        return _from_shards(shards, indices, partition_strategy, max_norm, scope)


def _anchored(shard: Any, name: str) -> Any:
    """Return what has a place in the graph as it is, arrays as constants."""
    return convert_to_tensor(shard, name=name) if isinstance(shard, np.ndarray) else shard


def _from_shards(shards: list[Any], ids: Tensor, strategy: str, max_norm: float | None, scope: str) -> Tensor:
    flat = reshape(ids, [-1])
    owners, rows = _homes(shards, flat, strategy)
    owners = cast(owners, "int32")
    rows_by_owner = dynamic_partition(rows, owners, len(shards))
    positions = dynamic_partition(range_(size(flat)), owners, len(shards))
    found = []
    for shard, wanted in zip(shards, rows_by_owner, strict=True):
        with colocate_with(shard):
            found.append(_clipped(gather(shard, wanted), wanted, max_norm))
    stitched = parallel_dynamic_stitch(positions, found, name=scope)
    row = _row_shape(shards)
    tail = constant([d or 0 for d in row], "int32") if row is not None and None not in row else shape(found[0])[1:]
    result: Tensor = reshape(stitched, concat([shape(ids), tail], 0))
    result.set_shape(concatenate(ids.dims, row))
    return result


def _row_shape(shards: list[Any]) -> tuple[int | None, ...] | None:
    dims = shards[0].shape.dims
    return None if dims is None else tuple(d.value for d in dims[1:])


def _homes(shards: list[Any], flat: Tensor, strategy: str) -> tuple[Any, Any]:
    """Return for each id the shard that has its row, and the row's place in it."""
    count = len(shards)
    if strategy == "mod":
        return mod(flat, count), floordiv(flat, count)
    if strategy != "div":
        raise ValueError(f"Unrecognized partition strategy: {strategy}")
    sizes = [shard.shape.dims[0].value if shard.shape.dims else None for shard in shards]
    total = (
        constant(sum(sizes), flat.dtype) if None not in sizes else sum(cast(shape(s)[0], flat.dtype) for s in shards)
    )
    each, extras = floordiv(total, count), mod(total, count)
    owners = maximum(floordiv(flat, each + 1), floordiv(flat - extras, each))
    in_first = less(owners, extras)
    return owners, where(in_first, mod(flat, each + 1), mod(flat - extras, each))


def _clipped(rows: Tensor, ids: Tensor, max_norm: float | None) -> Tensor:
    if max_norm is None:
        return rows
    if rows.dims is None or ids.dims is None:
        raise ValueError("max_norm needs params and ids of known rank")
    return clip_by_norm(rows, max_norm, axes=list(range(len(ids.dims), len(rows.dims))))  # type: ignore[no-any-return]
