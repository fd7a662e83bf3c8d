"""The greatest elements of rows, and counting: TopKV2, TopK, Bincount and HistogramFixedWidth."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..array.shape_ops import shape
from ..core import dtypes, shapes
from ..core.convert import convert_to_tensor
from ..core.dtypes import DType
from ..core.errors import InvalidArgumentError
from ..core.graph import get_default_graph
from ..core.node import Operation, Tensor
from ..core.registry import lookup, op
from ..core.shape_rules import constant_value
from ..core.shapes import Shape
from .binary import add_v2 as add
from .binary import maximum, minimum
from .binary import multiply as mul
from .complex import cast
from .declare import REAL
from .ranges import range as range_of
from .reduce import reduce_max

K_DEFAULTS = {"Tk": dtypes.int32, "index_type": dtypes.int32}
K_TYPES = (dtypes.int16, *dtypes.INDEX)


def _top_shapes(dims: Shape, k: int | None) -> list[Shape]:
    shapes.with_rank_at_least(dims, 1)
    if dims is None:
        return [None, None]
    if k is not None and k < 0:
        raise ValueError(f"Dimension size, given by scalar input 1, must be non-negative but is {k}")
    if k is not None and dims[-1] is not None and dims[-1] < k:
        raise ValueError(f"input must have last dimension >= k = {k} but is {dims[-1]}")
    return [(*dims[:-1], k)] * 2


def _top_v2_shape(node: Operation) -> list[Shape]:
    if node.inputs[1].dims:
        raise ValueError(f"Input must be scalar but has rank {len(node.inputs[1].dims)}")
    k = constant_value(node.inputs[1])
    return _top_shapes(node.inputs[0].dims, None if k is None else int(k))


def _top(xp: Namespace, input: Array, k: int, index_type: Any) -> tuple[Array, Array]:
    """Return the k greatest of each row and where they are; of equal ones the first comes first."""
    if input.ndim == 0 or input.shape[-1] < k:
        raise InvalidArgumentError(
            None, None, f"input must have at least k columns. Had {input.shape[-1] if input.ndim else 0}, needed {k}"
        )
    # A stable descending sort is the stable ascending sort of the reversed row, read backwards.
    last = input.shape[-1] - 1
    order = last - xp.flip(xp.argsort(xp.flip(input, -1), axis=-1, kind="stable"), -1)
    indices = order[..., :k]
    return xp.take_along_axis(input, indices, axis=-1), indices.astype(index_type)


@op(
    "TopKV2", types="input: T, k: Tk -> values: T, indices: index_type", T=REAL, Tk=K_TYPES, index_type=K_TYPES,
    shape=_top_v2_shape, host="k", defaults=K_DEFAULTS,
)  # fmt: skip
def top_k_op(
    xp: Namespace, input: Array, k: Array, *, sorted: bool = True, index_type: DType = dtypes.int32
) -> tuple[Array, Array]:
    """Returns the k greatest elements of each row, and their positions."""
    return _top(xp, input, int(k), index_type.np_dtype)


@op(
    "TopK", types="input: T -> values: T, indices: int32", T=REAL,
    shape=lambda node: _top_shapes(node.inputs[0].dims, node.attrs["k"]),
)  # fmt: skip
def top_k_v1_op(xp: Namespace, input: Array, *, k: int, sorted: bool = True) -> tuple[Array, Array]:
    """Returns the k greatest elements of each row, and their positions."""
    return _top(xp, input, k, "int32")


@top_k_op.gradient
def _top_k_gradient(op: Operation, dvalues: Tensor | None, dindices: Any = None) -> list[Tensor | None]:
    return [None if dvalues is None else _scattered(op, dvalues), None]


@top_k_v1_op.gradient
def _top_k_v1_gradient(op: Operation, dvalues: Tensor | None, dindices: Any = None) -> list[Tensor | None]:
    return [None if dvalues is None else _scattered(op, dvalues)]


def _scattered(op: Operation, dvalues: Tensor) -> Tensor:
    """Return the gradient of the rows: that of the k values at their places, 0 elsewhere."""
    reshape, concat = lookup("Reshape"), lookup("ConcatV2")
    dims = shape(op.inputs[0])
    columns = cast(dims[-1], "int64")
    places = reshape(op.outputs[1], concat([[-1], shape(op.outputs[1])[-1:]], 0))
    starts = mul(range_of(cast(shape(places)[0], "int64")), columns)
    flat = add(cast(places, "int64"), lookup("ExpandDims")(starts, -1))
    total = lookup("Prod")(cast(dims, "int64"), [0])
    spread = lookup("ScatterNd")(reshape(flat, [-1, 1]), reshape(dvalues, [-1]), reshape(total, [1]))
    return reshape(spread, dims)  # type: ignore[no-any-return]


def _bincount_shape(node: Operation) -> Shape:
    size = constant_value(node.inputs[1])
    return (None if size is None else int(size),)


@op(
    "Bincount", types="arr: int32, size: int32, weights: T -> bins: T", shape=_bincount_shape, host="size",
    T=(*dtypes.INDEX, dtypes.float32, dtypes.float64),
)  # fmt: skip
def bincount_op(xp: Namespace, arr: Array, size: Array, weights: Array) -> Array:
    """Returns how often (with what total weight) each number below `size` occurs."""
    count = int(size)
    values = arr.reshape(-1)
    if bool(xp.any(values < 0)):
        raise InvalidArgumentError(None, None, "Input arr must be non-negative!")
    totals = xp.zeros(count + 1, weights.dtype)
    amounts = weights.reshape(-1) if weights.size else xp.ones(values.shape, weights.dtype)
    xp.add.at(totals, xp.minimum(values, count), amounts)
    return totals[:count]


def bincount(
    arr: Any, weights: Any = None, minlength: Any = None, maxlength: Any = None, dtype: Any = dtypes.int32,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return how often each number occurs in `arr`, or the total of its `weights`.

    The result is as long as the greatest number asks for, within `minlength` and `maxlength`.
    """
    with get_default_graph().name_scope(name or "bincount"):
        values = cast(convert_to_tensor(arr, name="arr", preferred_dtype=dtypes.int32), dtypes.int32)
        length = add(maximum(reduce_max(values), -1), 1)
        if minlength is not None:
            length = maximum(length, cast(minlength, dtypes.int32))
        if maxlength is not None:
            length = minimum(length, cast(maxlength, dtypes.int32))
        chosen = np.zeros(0, dtypes.np_dtype(dtype)) if weights is None else weights
        return bincount_op(values, length, chosen)  # type: ignore[no-any-return]


def _histogram_shape(node: Operation) -> Shape:
    bins = constant_value(node.inputs[2])
    return (None if bins is None else int(bins),)


@op(
    "HistogramFixedWidth", types="values: T, value_range: T, nbins: int32 -> out: dtype", shape=_histogram_shape,
    T=(*dtypes.INDEX, dtypes.float32, dtypes.float64), dtype=dtypes.INDEX, host="value_range nbins",
    defaults={"dtype": dtypes.int32}, differentiable=False,
)  # fmt: skip
def histogram_fixed_width_op(
    xp: Namespace, values: Array, value_range: Array, nbins: Array, *, dtype: DType = dtypes.int32
) -> Array:
    """Returns how many values fall into each of equally wide bins; the outer bins also take what lies outside."""
    count, low, high = int(nbins), float(value_range[0]), float(value_range[1])
    places = xp.floor((values.reshape(-1).astype("f8") - low) * (count / (high - low)))
    inside = xp.clip(places, 0, count - 1).astype("int64")
    return xp.bincount(inside, minlength=count).astype(dtype.np_dtype)


def histogram_fixed_width(
    values: Any, value_range: Any, nbins: Any = 100, dtype: Any = dtypes.int32, name: str | None = None
) -> Tensor:
    """Return how many values fall into each of `nbins` equally wide bins of `value_range`."""
    with get_default_graph().name_scope(name or "histogram_fixed_width") as scope:
        return histogram_fixed_width_op(values, value_range, nbins, dtype=dtype, name=scope)  # type: ignore[no-any-return]


@op(
    "Cross",
    types="a: T, b: T -> product: T",
    T=REAL,
    shape=lambda node: shapes.merge(node.inputs[0].dims, node.inputs[1].dims),
)
def cross_op(xp: Namespace, a: Array, b: Array) -> Array:
    """Returns the cross products of the 3-vectors along the last axis."""
    return xp.cross(a, b)


@cross_op.gradient
def _cross_gradient(op: Operation, dy: Tensor) -> list[Tensor]:
    a, b = op.inputs
    return [cross_op(b, dy), cross_op(dy, a)]


def cross(a: Any, b: Any, name: str | None = None) -> Tensor:
    """Return the cross products of the 3-vectors along the last axis."""
    return cross_op(a, b, name=name)  # type: ignore[no-any-return]
