"""Partitioners: functions from a variable's shape and dtype to the number of its parts along each axis.

`get_variable` and variable scopes take them. At most one number is above 1: a variable is cut along one axis.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..core.dtypes import as_dtype
from ..core.shapes import as_shape

Partitioner = Callable[..., list[int]]

__all__ = ["fixed_size_partitioner", "min_max_variable_partitioner", "variable_axis_size_partitioner"]


def fixed_size_partitioner(num_shards: int, axis: int = 0) -> Partitioner:
    """Return a partitioner that cuts every variable into `num_shards` parts along `axis`, or as many as it has rows."""

    def partitioner(shape: Any, **unused: Any) -> list[int]:
        sizes = _sizes(shape)
        return _along(axis, min(num_shards, sizes[axis]), sizes)

    return partitioner


def variable_axis_size_partitioner(
    max_shard_bytes: int, axis: int = 0, bytes_per_string_element: int = 16, max_shards: int | None = None
) -> Partitioner:
    """Return a partitioner that keeps each part below `max_shard_bytes`, in at most `max_shards` parts.

    Raises:
      ValueError: when a limit is not positive; when the partitioner is called with a shape that is not fully defined.
    """
    if max_shard_bytes < 1 or bytes_per_string_element < 1:
        raise ValueError(
            "Both max_shard_bytes and bytes_per_string_element must be positive. Currently, max_shard_bytes is "
            f"{max_shard_bytes} and bytes_per_string_element is {bytes_per_string_element}"
        )
    if max_shards and max_shards < 1:
        raise ValueError("max_shards must be positive.")

    def partitioner(shape: Any, dtype: Any) -> list[int]:
        sizes = _sizes(shape)
        slice_bytes = _bytes(sizes[:axis] + sizes[axis + 1 :], dtype, bytes_per_string_element)
        per_shard = max(1, math.floor(max_shard_bytes / slice_bytes)) if slice_bytes else sizes[axis] or 1
        shards = max(1, min(sizes[axis], math.ceil(sizes[axis] / per_shard)))
        return _along(axis, min(shards, max_shards) if max_shards else shards, sizes)

    return partitioner


def min_max_variable_partitioner(
    max_partitions: int = 1, axis: int = 0, min_slice_size: int = 256 << 10, bytes_per_string_element: int = 16
) -> Partitioner:
    """Return a partitioner that makes up to `max_partitions` parts of at least `min_slice_size` bytes each.

    Raises:
      ValueError: when the partitioner is called for a variable without that axis, or of a shape not fully defined.
    """

    def partitioner(shape: Any, dtype: Any) -> list[int]:
        sizes = _sizes(shape)
        if axis >= len(sizes):
            raise ValueError(f"Cannot partition variable along axis {axis} when shape is only {as_shape(shape)}")
        wanted = math.ceil(_bytes(sizes, dtype, bytes_per_string_element) / min_slice_size)
        return _along(axis, max(1, min(sizes[axis], max_partitions, wanted)), sizes)

    return partitioner


def _sizes(shape: Any) -> list[int]:
    found = as_shape(shape)
    if not found.is_fully_defined():
        raise ValueError(f"shape is not fully defined: {found}")
    return [int(size or 0) for size in found.as_list()]


def _bytes(sizes: list[int], dtype: Any, of_a_string: int) -> int:
    kind = as_dtype(dtype)
    return math.prod(sizes) * (of_a_string if kind.name == "string" else kind.size)


def _along(axis: int, shards: int, sizes: list[int]) -> list[int]:
    partitions = [1] * len(sizes)
    partitions[axis] = shards
    return partitions
