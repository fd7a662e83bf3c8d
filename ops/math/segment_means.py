"""What composes unsorted segment sums: means and means by the root; and the sorted and unsorted gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..array.fills import fill, ones, ones_like, zeros_like
from ..array.reshape import reshape
from ..array.shape_ops import rank, shape
from ..core import dtypes
from ..core.convert import convert_to_tensor
from ..core.graph import get_default_graph
from ..core.node import Operation, Tensor
from ..core.registry import lookup
from . import segments as s
from .binary import add_v2 as add
from .binary import equal, greater_equal, logical_and, maximum, subtract
from .binary import multiply as mul
from .binary import realdiv as div
from .complex import cast
from .select import where_v2
from .unary import sqrt


def _rows(source: Tensor, ids: Tensor) -> Tensor:
    return lookup("GatherV2")(source, ids, 0)  # type: ignore[no-any-return]


def _counts(data: Tensor, ids: Tensor, count: Any) -> Tensor:
    """Return the size of each segment, 1 for an empty one, with the axes that data has inside a segment."""
    sizes = s.unsorted_segment_sum_op(ones(shape(ids), data.dtype), ids, count)
    if data.dims is not None and ids.dims is not None:
        sizes = reshape(sizes, [-1] + [1] * (len(data.dims) - len(ids.dims)))
    return maximum(sizes, 1)


def unsorted_segment_mean(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Tensor:
    """Return the mean of each of `num_segments` segments; 0 for an empty one. Ranks must be known."""
    with get_default_graph().name_scope(name or "UnsortedSegmentMean"):
        data, ids = convert_to_tensor(data), convert_to_tensor(segment_ids)
        return div(s.unsorted_segment_sum(data, ids, num_segments), _counts(data, ids, num_segments), "truediv")


def unsorted_segment_sqrt_n(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Tensor:
    """Return each segment's sum divided by the square root of its size. Ranks must be known."""
    with get_default_graph().name_scope(name or "UnsortedSegmentSqrtN"):
        data, ids = convert_to_tensor(data), convert_to_tensor(segment_ids)
        return div(s.unsorted_segment_sum(data, ids, num_segments), sqrt(_counts(data, ids, num_segments)), "truediv")


@s.segment_sum_op.gradient
def _segment_sum_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
    return [_rows(dy, op.inputs[1]), None]


@s.segment_mean_op.gradient
def _segment_mean_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
    data, ids = op.inputs
    sizes = maximum(s.segment_sum(ones(shape(ids), dy.dtype), ids), 1)
    rows = lookup("ConcatV2")([shape(sizes), add(mul(shape(data)[1:], 0), 1)], 0)
    return [_rows(div(dy, reshape(sizes, rows)), ids), None]


def _segment_extreme_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
    """Equal extremes of a segment share its gradient equally."""
    data, ids = op.inputs
    chosen = equal(data, _rows(op.outputs[0], ids))
    count = s.segment_sum(cast(chosen, dy.dtype), ids)
    shared = _rows(div(dy, count), ids)
    return [where_v2(chosen, shared, zeros_like(shared)), None]


@s.segment_prod_op.gradient
def _segment_prod_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
    """Products divided by each element, except where the element is the segment's only zero."""
    data, ids = op.inputs
    zero = equal(data, 0)
    dy = where_v2(lookup("Greater")(s.segment_sum(cast(zero, dtypes.int32), ids), 1), zeros_like(dy), dy)
    safe = where_v2(zero, ones_like(data), data)
    others = _rows(s.segment_prod(safe, ids), ids)
    return [mul(where_v2(zero, others, div(_rows(op.outputs[0], ids), safe)), _rows(dy, ids)), None]


s.segment_max_op.gradient(_segment_extreme_gradient)
s.segment_min_op.gradient(_segment_extreme_gradient)


def _gather_kept(source: Tensor, ids: Tensor) -> tuple[Tensor, Tensor]:
    """Return the rows that ids name, zeros for dropped ones, and where ids name a row (with axes for the rows)."""
    positive = greater_equal(ids, 0)
    rows = _rows(source, maximum(ids, 0))
    ranks = [None if tensor.dims is None else len(tensor.dims) for tensor in (rows, ids)]
    if ranks[0] is not None and ranks[1] is not None:
        inner: Any = np.ones(ranks[0] - ranks[1], np.int32)
    else:
        inner = fill([subtract(rank(rows), rank(ids))], 1)
    positive = reshape(positive, lookup("ConcatV2")([shape(ids), inner], 0))
    return where_v2(positive, rows, zeros_like(rows)), positive


@s.unsorted_segment_sum_op.gradient
def _unsorted_sum_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
    return [_gather_kept(dy, op.inputs[1])[0], None, None]


def _unsorted_extreme_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
    data, ids, count = op.inputs
    extreme, kept = _gather_kept(op.outputs[0], ids)
    chosen = logical_and(equal(data, extreme), kept)
    sharers = s.unsorted_segment_sum(cast(chosen, dy.dtype), ids, count)
    shared, _ = _gather_kept(div(dy, maximum(sharers, 1)), ids)
    return [where_v2(chosen, shared, zeros_like(shared)), None, None]


s.unsorted_segment_max_op.gradient(_unsorted_extreme_gradient)
s.unsorted_segment_min_op.gradient(_unsorted_extreme_gradient)


@s.unsorted_segment_prod_op.gradient
def _unsorted_prod_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
    """Products without zeros, divided by each element, except where the element is the segment's only zero."""
    data, ids, count = op.inputs
    zero = equal(data, 0)
    zeros = s.unsorted_segment_sum(cast(zero, dtypes.int32), ids, count)
    several = lookup("Greater")(zeros, 1)
    dy = where_v2(several, zeros_like(dy), dy)
    safe = where_v2(zero, ones_like(data), data)
    others = s.unsorted_segment_prod(safe, ids, count)
    whole, _ = _gather_kept(op.outputs[0], ids)
    part = where_v2(zero, _gather_kept(others, ids)[0], div(whole, safe))
    return [mul(part, _gather_kept(dy, ids)[0]), None, None]
