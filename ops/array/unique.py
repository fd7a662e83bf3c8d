"""Distinct elements, in the order in which they first stand, as TensorFlow gives them.

The kernels run on the host: the size of the result depends on the values, so that a GPU would have to wait for them anyway.
"""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..core import dtypes, errors
from ..core.dtypes import DType
from ..core.node import Operation
from ..core.registry import op
from ..core.shapes import Shape

UniqueResult = namedtuple("UniqueResult", ["y", "idx"])
UniqueWithCountsResult = namedtuple("UniqueWithCountsResult", ["y", "idx", "count"])


def _shapes(node: Operation) -> list[Shape]:
    dims = node.inputs[0].dims
    if dims is not None and len(dims) != 1:
        raise ValueError(f"Shape must be rank 1 but is rank {len(dims)}")
    size = None if dims is None else dims[0]
    return [(None,), (size,), (None,)][: len(node.decl.outputs)]


def _distinct(x: Array, out_idx: DType) -> tuple[Array, Array, Array]:
    """Return (elements in order of first appearance, position of each input in them, how often each stands)."""
    x = np.asarray(x)
    if x.ndim != 1:
        raise errors.InvalidArgumentError(None, None, f"unique expects a 1D vector, got shape {x.shape}")
    _, first, inverse, counts = np.unique(x, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(first, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    kind = out_idx.np_dtype
    return x[first[order]], place[inverse].astype(kind), counts[order].astype(kind)


@op("Unique", types="x: T -> y: T, idx: out_idx", out_idx=dtypes.INDEX, defaults={"out_idx": dtypes.int32}, shape=_shapes,
    host="x y idx")  # fmt: skip
def unique_op(xp: Namespace, x: Array, *, out_idx: DType) -> Any:
    """Return the distinct elements and the index of each input among them."""
    return _distinct(x, out_idx)[:2]


@op("UniqueWithCounts", types="x: T -> y: T, idx: out_idx, count: out_idx", out_idx=dtypes.INDEX,
    defaults={"out_idx": dtypes.int32}, shape=_shapes, host="x y idx count")  # fmt: skip
def unique_with_counts_op(xp: Namespace, x: Array, *, out_idx: DType) -> Any:
    """Return the distinct elements, the index of each input among them, and how often each stands."""
    return _distinct(x, out_idx)


def unique(x: Any, out_idx: Any = dtypes.int32, name: str | None = None) -> UniqueResult:
    """Return (y, idx): the distinct elements of a vector in order of first appearance, and `y[idx] == x`."""
    return UniqueResult(*unique_op(x, out_idx=out_idx, name=name))


def unique_with_counts(x: Any, out_idx: Any = dtypes.int32, name: str | None = None) -> UniqueWithCountsResult:
    """Return (y, idx, count): as `unique`, and how often each element stands in `x`."""
    return UniqueWithCountsResult(*unique_with_counts_op(x, out_idx=out_idx, name=name))
