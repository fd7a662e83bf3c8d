"""Reductions over segments: rows of one id are reduced to one row.

Sorted segments take ids that rise; unsorted ones any ids, of which negative ones are dropped. Invariant: the host checks
ids and names the one that is out of range; a GPU drops such rows, as TensorFlow's kernels do there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..core import dtypes, shapes
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import OpDecl, op
from ..core.shape_rules import constant_value
from ..core.shapes import Shape
from .declare import NUMBERS, REAL, Types

SORTED = "data: T, segment_ids: Tindices -> output: T"
UNSORTED = "data: T, segment_ids: Tindices, num_segments: Tnumsegments -> output: T"


def _start(name: str, dtype: Any) -> Any:
    """Return what an empty segment holds: for an extreme the finite end of the dtype's range, as in TensorFlow."""
    if name in ("add", "multiply"):
        return int(name == "multiply")
    limits = dtypes.as_dtype(dtype)
    return limits.min if name == "maximum" else limits.max


def scatter_reduce(xp: Namespace, name: str, out: Array, ids: Array, rows: Array) -> None:
    """Reduce `rows` into those of `out` that `ids` name, with the ufunc `name`."""
    if xp is np or name != "multiply":
        getattr(xp, name).at(out, ids, rows)
        return
    # GPUs have no atomic product: one round for each repetition of an id.
    order = xp.argsort(ids)
    starts = xp.searchsorted(ids[order], xp.arange(out.shape[0]))
    ends = xp.searchsorted(ids[order], xp.arange(out.shape[0]), side="right")
    for i in range(int((ends - starts).max()) if ids.size else 0):
        inside = xp.nonzero(starts + i < ends)[0]
        out[inside] = out[inside] * rows[order[starts[inside] + i]]


def _reduce(xp: Namespace, name: str, data: Array, ids: Array, count: int) -> Array:
    inner = data.shape[ids.ndim :]
    rows, ids = data.reshape((ids.size, *inner)), ids.reshape(-1)
    out = xp.full((count, *inner), _start(name, data.dtype), _wide(data.dtype))
    if ids.size:
        scatter_reduce(xp, name, out, ids, rows.astype(out.dtype, copy=False))
    return out.astype(data.dtype, copy=False)


def _wide(dtype: Any) -> Any:
    return np.dtype("f4") if dtype.itemsize == 2 and dtype.kind in "fV" else dtype


def _sorted_count(xp: Namespace, data: Array, ids: Array) -> int:
    """Return how many segments there are; InvalidArgumentError when ids fall or do not fit the data."""
    if ids.ndim != 1 or data.ndim == 0 or ids.shape[0] != data.shape[0]:
        raise InvalidArgumentError(
            None, None, f"segment_ids should be the same size as dimension 0 of input; segment_ids has shape "
            f"{list(ids.shape)}, data has shape {list(data.shape)}",
        )  # fmt: skip
    if not ids.size:
        return 0
    if bool(xp.any(ids[1:] < ids[:-1])):
        raise InvalidArgumentError(None, None, "segment ids are not increasing")
    if int(ids[0]) < 0:
        raise InvalidArgumentError(None, None, "segment ids must be >= 0")
    return int(ids[-1]) + 1


def _sorted_shape(node: Operation) -> Shape:
    data, ids = (tensor.dims for tensor in node.inputs)
    shapes.with_rank(ids, 1)
    if data is None:
        return None
    if ids is not None:
        shapes.merge_dim(ids[0], data[0])
    value = constant_value(node.inputs[1])
    return (None if value is None or not value.size else int(value[-1]) + 1, *data[1:])


def _sorted(name: str, ufunc: str, allowed: Types, doc: str) -> OpDecl:
    def block(xp: Namespace, data: Array, segment_ids: Array) -> Array:
        count = _sorted_count(xp, data, segment_ids)
        reduced = _reduce(xp, ufunc, data, segment_ids, count)
        if ufunc in ("maximum", "minimum"):
            return xp.where(_sizes(xp, segment_ids, count, data.ndim) == 0, data.dtype.type(0), reduced)
        return reduced

    block.__doc__ = doc
    return op(name, types=SORTED, T=allowed, Tindices=dtypes.INDEX, shape=_sorted_shape)(block)


def _sizes(xp: Namespace, ids: Array, count: int, ndim: int) -> Array:
    return xp.bincount(ids, minlength=count).reshape((-1,) + (1,) * (ndim - 1))


segment_sum_op = _sorted("SegmentSum", "add", NUMBERS, "Returns the sum of each segment; 0 for an empty one.")
segment_prod_op = _sorted(
    "SegmentProd", "multiply", NUMBERS, "Returns the product of each segment; 1 for an empty one."
)
segment_max_op = _sorted("SegmentMax", "maximum", REAL, "Returns the greatest of each segment; 0 for an empty one.")
segment_min_op = _sorted("SegmentMin", "minimum", REAL, "Returns the least of each segment; 0 for an empty one.")


@op("SegmentMean", types=SORTED, T=NUMBERS, Tindices=dtypes.INDEX, shape=_sorted_shape)
def segment_mean_op(xp: Namespace, data: Array, segment_ids: Array) -> Array:
    """Returns the mean of each segment; 0 for an empty one."""
    count = _sorted_count(xp, data, segment_ids)
    sizes = xp.maximum(_sizes(xp, segment_ids, count, data.ndim), 1)
    return (_reduce(xp, "add", data, segment_ids, count) / sizes).astype(data.dtype)


def _unsorted_shape(node: Operation) -> Shape:
    data, ids = (tensor.dims for tensor in node.inputs[:2])
    count = constant_value(node.inputs[2])
    if data is None or ids is None:
        return None
    if len(ids) > len(data):
        raise ValueError(f"Shape must be at least rank {len(ids)} but is rank {len(data)}")
    shapes.merge(data[: len(ids)], ids)
    return (None if count is None else int(count), *data[len(ids) :])


def _checked_ids(xp: Namespace, ids: Array, count: int) -> Any:
    """Return which ids name a segment: all of them (None) or a mask."""
    inside = (ids >= 0) & (ids < count)
    if xp is np and not inside.all():
        beyond = np.argwhere(ids >= count)
        if beyond.size:
            place = tuple(beyond[0].tolist())
            raise InvalidArgumentError(
                None, None, f"segment_ids{list(place)} = {ids[place]} is out of range [0, {count})"
            )
    return inside


def _unsorted(name: str, ufunc: str, allowed: Types, doc: str, indices: Types = dtypes.INDEX) -> OpDecl:
    def block(xp: Namespace, data: Array, segment_ids: Array, num_segments: Array) -> Array:
        count = int(num_segments)
        if data.shape[: segment_ids.ndim] != segment_ids.shape:
            raise InvalidArgumentError(
                None,
                None,
                f"data.shape = {list(data.shape)} does not start with segment_ids.shape = {list(segment_ids.shape)}",
            )
        inside = _checked_ids(xp, segment_ids, count)
        # Dropped rows are reduced into a row too many, so that no size depends on values.
        kept = xp.where(inside, segment_ids, segment_ids.dtype.type(count))
        return _reduce(xp, ufunc, data, kept, count + 1)[:count]

    block.__doc__ = doc
    return op(
        name, types=UNSORTED, T=allowed, Tindices=indices, Tnumsegments=dtypes.INDEX, shape=_unsorted_shape,
        host="num_segments", defaults={"Tnumsegments": dtypes.int32},
    )(block)  # fmt: skip


unsorted_segment_sum_op = _unsorted(
    "UnsortedSegmentSum", "add", NUMBERS, "Returns the sum of each segment.", (dtypes.int16, *dtypes.INDEX)
)
unsorted_segment_prod_op = _unsorted("UnsortedSegmentProd", "multiply", NUMBERS, "Returns the product of each segment.")
unsorted_segment_max_op = _unsorted(
    "UnsortedSegmentMax", "maximum", REAL, "Returns the greatest of each segment; of none, the least of the dtype."
)
unsorted_segment_min_op = _unsorted(
    "UnsortedSegmentMin", "minimum", REAL, "Returns the least of each segment; of none, the greatest of the dtype."
)


def segment_sum(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
    """Return the sum of each segment; `segment_ids` rise."""
    return segment_sum_op(data, segment_ids, name=name)  # type: ignore[no-any-return]


def segment_prod(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
    """Return the product of each segment; `segment_ids` rise."""
    return segment_prod_op(data, segment_ids, name=name)  # type: ignore[no-any-return]


def segment_max(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
    """Return the greatest of each segment; `segment_ids` rise."""
    return segment_max_op(data, segment_ids, name=name)  # type: ignore[no-any-return]


def segment_min(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
    """Return the least of each segment; `segment_ids` rise."""
    return segment_min_op(data, segment_ids, name=name)  # type: ignore[no-any-return]


def segment_mean(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
    """Return the mean of each segment; `segment_ids` rise."""
    return segment_mean_op(data, segment_ids, name=name)  # type: ignore[no-any-return]


def unsorted_segment_sum(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Tensor:
    """Return the sum of each of `num_segments` segments; rows of negative ids are dropped."""
    return unsorted_segment_sum_op(data, segment_ids, num_segments, name=name)  # type: ignore[no-any-return]


def unsorted_segment_prod(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Tensor:
    """Return the product of each of `num_segments` segments."""
    return unsorted_segment_prod_op(data, segment_ids, num_segments, name=name)  # type: ignore[no-any-return]


def unsorted_segment_max(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Tensor:
    """Return the greatest of each of `num_segments` segments."""
    return unsorted_segment_max_op(data, segment_ids, num_segments, name=name)  # type: ignore[no-any-return]


def unsorted_segment_min(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Tensor:
    """Return the least of each of `num_segments` segments."""
    return unsorted_segment_min_op(data, segment_ids, num_segments, name=name)  # type: ignore[no-any-return]
