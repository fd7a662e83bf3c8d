"""Rows picked and reduced over segments in one step: sums, means, and sums over the root of the count."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..array import gather, shape
from ..core import dtypes
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import OpDecl, lookup, op
from ..core.shape_rules import constant_value
from ..core.shapes import Shape, with_rank
from ..math import unsorted_segment_sum

_TYPES: dict[str, Any] = {"Tidx": dtypes.INDEX, "Tsegmentids": dtypes.INDEX}
_DEFAULTS = dict.fromkeys(("Tidx", "Tsegmentids", "Tnumsegments"), dtypes.int32)
_IN = "data: T, indices: Tidx, segment_ids: Tsegmentids"
_BACK = "grad: T, indices: Tidx, segment_ids: Tsegmentids, output_dim0: int32 -> output: T"
_REAL = (*dtypes.FLOATING, *dtypes.INTEGERS)


def _scale(xp: Namespace, kind: str, ids: Array, count: int, dtype: Any, ndim: int) -> Array:
    """Return what each segment's sum is multiplied by."""
    sizes = xp.maximum(xp.bincount(ids, minlength=count), 1).astype(dtype)
    factor = 1 / (xp.sqrt(sizes) if kind == "SqrtN" else sizes)
    return factor.reshape((-1,) + (1,) * (ndim - 1))


def _check(xp: Namespace, data: Array, indices: Array, ids: Array) -> None:
    if indices.shape != ids.shape or indices.ndim != 1:
        raise InvalidArgumentError(None, None, "segment_ids and indices should have same size.")
    if xp is not np or not ids.size:
        return
    if (ids[1:] < ids[:-1]).any():
        raise InvalidArgumentError(None, None, "segment ids are not increasing")
    if int(ids[0]) < 0:
        raise InvalidArgumentError(None, None, "segment ids must be >= 0")
    wrong = np.flatnonzero((indices < 0) | (indices >= len(data)))
    if wrong.size:
        first = int(wrong[0])
        raise InvalidArgumentError(
            None, None, f"indices[{first}] == {int(indices[first])} out of range [0, {len(data)})"
        )


def _summed(xp: Namespace, kind: str, rows: Array, ids: Array, count: int) -> Array:
    wide = np.float32 if rows.dtype.itemsize == 2 and rows.dtype.kind in "fV" else rows.dtype
    total = xp.zeros((count, *rows.shape[1:]), wide)
    if ids.size:
        xp.add.at(total, ids, rows.astype(wide))
    if kind != "Sum":
        total = total * _scale(xp, kind, ids, count, total.dtype, total.ndim)
    return total.astype(rows.dtype)


def _segment_shape(node: Operation) -> Shape:
    data = node.inputs[0].dims
    with_rank(node.inputs[1].dims, 1)
    if data is None:
        return None
    if len(node.inputs) == 4:
        count = constant_value(node.inputs[3])
        return (None if count is None else int(count), *data[1:])
    ids = constant_value(node.inputs[2])
    return (None if ids is None or not ids.size else int(ids[-1]) + 1, *data[1:])


def _declare(kind: str) -> OpDecl:
    types = _REAL if kind == "Sum" else dtypes.FLOATING
    doc = {"Sum": "sum", "Mean": "mean", "SqrtN": "sum over the root of the count"}[kind]

    @op(
        f"SparseSegment{kind}", types=f"{_IN} -> output: T", T=types, shape=_segment_shape, defaults=_DEFAULTS, **_TYPES
    )
    def plain(
        xp: Namespace, data: Array, indices: Array, segment_ids: Array, *, sparse_gradient: bool = False
    ) -> Array:
        _check(xp, data, indices, segment_ids)
        count = int(segment_ids[-1]) + 1 if segment_ids.size else 0
        return _summed(xp, kind, data[indices], segment_ids, count)

    @op(
        f"SparseSegment{kind}WithNumSegments", types=f"{_IN}, num_segments: Tnumsegments -> output: T", T=types,
        shape=_segment_shape, defaults=_DEFAULTS, host="num_segments", Tnumsegments=dtypes.INDEX, **_TYPES,
    )  # fmt: skip
    def counted(
        xp: Namespace, data: Array, indices: Array, segment_ids: Array, num_segments: Array, *,
        sparse_gradient: bool = False,
    ) -> Array:  # fmt: skip
        _check(xp, data, indices, segment_ids)
        if xp is np and segment_ids.size and int(segment_ids[-1]) >= int(num_segments):
            raise InvalidArgumentError(None, None, "segment ids must be < num_segments")
        return _summed(xp, kind, data[indices], segment_ids, int(num_segments))

    @op(f"SparseSegment{kind}Grad", types=_BACK, T=dtypes.FLOATING, defaults=_DEFAULTS, host="output_dim0", **_TYPES,
        shape=_back_shape)  # fmt: skip
    def backward(xp: Namespace, grad: Array, indices: Array, segment_ids: Array, output_dim0: Array) -> Array:
        rows = grad
        if kind != "Sum":
            rows = grad * _scale(xp, kind, segment_ids, len(grad), grad.dtype, grad.ndim)
        return _summed(xp, "Sum", rows[segment_ids].astype(grad.dtype), indices, int(output_dim0))

    plain.doc = counted.doc = f"Returns the {doc} of the rows picked for each segment; 0 for an empty one."
    backward.doc = f"Returns the gradient of SparseSegment{kind} by the data."
    for decl in (plain, counted):
        decl.gradient(_gradient(backward))
    if kind == "Sum":
        backward.gradient(_sum_grad_gradient)
    return plain


def _back_shape(node: Operation) -> Shape:
    dims, count = node.inputs[0].dims, constant_value(node.inputs[3])
    return None if dims is None else (None if count is None else int(count), *dims[1:])


def _gradient(backward: OpDecl) -> Any:
    def gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
        data, indices, ids = op.inputs[:3]
        return [backward(dy, indices, ids, shape(data)[0]), *[None] * (len(op.inputs) - 1)]

    return gradient


def _sum_grad_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
    grad, indices, ids, _ = op.inputs
    return [unsorted_segment_sum(gather(dy, indices), ids, shape(grad)[0]), None, None, None]


_SUM, _MEAN, _ROOT = (_declare(kind) for kind in ("Sum", "Mean", "SqrtN"))


def _public(kind: str, doc: str) -> Any:
    def segment(data: Any, indices: Any, segment_ids: Any, name: str | None = None, num_segments: Any = None) -> Tensor:
        if num_segments is None:
            return lookup(f"SparseSegment{kind}")(data, indices, segment_ids, name=name)  # type: ignore[no-any-return]
        return lookup(f"SparseSegment{kind}WithNumSegments")(  # type: ignore[no-any-return]
            data, indices, segment_ids, num_segments, name=name
        )

    segment.__doc__ = doc
    segment.__name__ = segment.__qualname__ = f"sparse_segment_{'sqrt_n' if kind == 'SqrtN' else kind.lower()}"
    return segment


_DOC = """Return the {} of rows of `data` for each segment: those that `indices` (n,) picks, of sorted `segment_ids` (n,).

    Segments without a row hold 0; there are `num_segments`, or one more than the last id.
    """
sparse_segment_sum = _public("Sum", _DOC.format("sum"))
sparse_segment_mean = _public("Mean", _DOC.format("mean"))
sparse_segment_sqrt_n = _public("SqrtN", _DOC.format("sum, over the root of their count,"))
