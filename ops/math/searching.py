"""Where values belong in what is sorted: LowerBound, UpperBound, Bucketize; and places in a shape: UnravelIndex."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..array.reshape import reshape
from ..array.shape_ops import shape
from ..core import dtypes, shapes
from ..core.convert import convert_to_tensor
from ..core.dtypes import DType, as_dtype
from ..core.errors import InvalidArgumentError
from ..core.graph import get_default_graph
from ..core.node import Operation, Tensor
from ..core.registry import OpDecl, op
from ..core.shape_rules import constant_value, same_shape
from ..core.shapes import Shape
from .binary import maximum, minimum, multiply, subtract
from .complex import cast
from .operators import truediv
from .unary import floor


def _bound_shape(node: Operation) -> Shape:
    rows, values = (shapes.merge(x.dims, (None, None)) for x in node.inputs)
    assert rows is not None and values is not None
    return shapes.merge_dim(rows[0], values[0]), values[1]


def _bound(name: str, side: str, doc: str) -> OpDecl:
    """Declare the search for the first or the last place where values keep rows sorted."""

    def block(xp: Namespace, sorted_inputs: Array, values: Array, *, out_type: DType = dtypes.int32) -> Array:
        if sorted_inputs.ndim != 2 or values.ndim != 2 or len(sorted_inputs) != len(values):
            found = f"{list(sorted_inputs.shape)} and {list(values.shape)}"
            raise InvalidArgumentError(None, None, f"Leading dim_size of both tensors must match, got {found}")
        places = xp.empty(values.shape, out_type.np_dtype)
        for i in range(len(values)):
            places[i] = xp.searchsorted(sorted_inputs[i], values[i], side=side)
        return places

    block.__doc__ = doc
    return op(
        name, types="sorted_inputs: T, values: T -> output: out_type", out_type=dtypes.INDEX, shape=_bound_shape,
        defaults={"out_type": dtypes.int32}, differentiable=False,
    )(block)  # fmt: skip


_AS_ROWS = "Returns, row by row, where in `sorted_inputs` [batch, n] the `values` [batch, m] belong: {} equal ones."
lower_bound_op = _bound("LowerBound", "left", _AS_ROWS.format("before"))
upper_bound_op = _bound("UpperBound", "right", _AS_ROWS.format("behind"))


def searchsorted(
    sorted_sequence: Any, values: Any, side: str = "left", out_type: Any = dtypes.int32, name: str | None = None
) -> Tensor:
    """Return where values belong along the last axis of sorted sequences.

    Args:
      sorted_sequence: [..., n], rising.
      values: [..., m], with the same axes in front.
      side: "left" for the place before equal elements, "right" for the one behind them.
      out_type: int32 or int64.

    Raises:
      ValueError: for another side.
    """
    if side not in ("left", "right"):
        raise ValueError(f"side must be either 'right' or 'left'. Saw: {side}.")
    wanted = convert_to_tensor(values, name="values")
    rows = reshape(sorted_sequence, [-1, shape(sorted_sequence)[-1]])
    bound = lower_bound_op if side == "left" else upper_bound_op
    found = bound(rows, reshape(wanted, [-1, shape(wanted)[-1]]), out_type=as_dtype(out_type), name=name)
    return reshape(found, shape(wanted))


@op(
    "Bucketize", types="input: T -> output: int32", T=(*dtypes.INDEX, dtypes.float32, dtypes.float64), shape=same_shape,
    differentiable=False,
)  # fmt: skip
def bucketize(xp: Namespace, input: Array, *, boundaries: list[float]) -> Array:
    """Returns how many of the rising `boundaries` do not exceed each element."""
    if list(boundaries) != sorted(boundaries):
        raise InvalidArgumentError(None, None, "Expected sorted boundaries")
    edges = xp.asarray(np.array(boundaries, np.float32))
    return xp.searchsorted(edges, input, side="right").astype("int32")


def _unravel_shape(node: Operation) -> Shape:
    indices, dims = (x.dims for x in node.inputs)
    count = None if dims is None else dims[0]
    return None if indices is None else (count, *indices)


@op(
    "UnravelIndex", types="indices: Tidx, dims: Tidx -> output: Tidx", Tidx=dtypes.INDEX, shape=_unravel_shape,
    defaults={"Tidx": dtypes.int32}, host="dims", differentiable=False,
)  # fmt: skip
def unravel_index_op(xp: Namespace, indices: Array, dims: Array) -> Array:
    """Returns the coordinates [axes, ...] of flat indices into a shape; only the host tells of those that are outside."""
    sizes = [int(size) for size in dims]
    if xp is np and np.any((indices < 0) | (indices >= np.prod(sizes))):
        raise InvalidArgumentError(None, None, "index is out of bound as with dims")
    strides = np.cumprod([1, *sizes[:0:-1]])[::-1].tolist()
    found = [indices // stride % size for stride, size in zip(strides, sizes, strict=True)]
    return xp.stack(found).astype(indices.dtype, copy=False)


def unravel_index(indices: Any, dims: Any, name: str | None = None) -> Tensor:
    """Return the coordinates [axes, ...] of flat `indices` into a tensor of shape `dims`."""
    return unravel_index_op(indices, dims, name=name)  # type: ignore[no-any-return]


def histogram_fixed_width_bins(
    values: Any, value_range: Any, nbins: Any = 100, dtype: Any = dtypes.int32, name: str | None = None
) -> Tensor:
    """Return into which of `nbins` equally wide bins of `value_range` each value falls; the outer ones take what lies outside.

    Args:
      values: numbers of any shape.
      value_range: [low, high], of the same dtype.
      nbins: how many bins, a 0-D int32.
      dtype: int32 or int64.
    """
    with get_default_graph().name_scope(name or "histogram_fixed_width_bins"):
        x = convert_to_tensor(values, name="values")
        ends = convert_to_tensor(value_range, x.dtype.base_dtype, name="value_range")
        count = convert_to_tensor(nbins, dtypes.int32, name="nbins")
        known = constant_value(count)
        if known is not None and known <= 0:
            raise ValueError(f"nbins should be a positive number, but got '{int(known)}'.")
        share = truediv(subtract(reshape(x, [-1]), ends[0]), subtract(ends[1], ends[0]))
        places = floor(multiply(cast(count, share.dtype), share))
        inside = maximum(minimum(cast(places, dtypes.int32), subtract(count, 1)), 0)
        return reshape(cast(inside, dtype), shape(x))
