"""Choosing elements: Select, SelectV2, Where and ClipByValue."""

from __future__ import annotations

from typing import Any

from ...devices.types import Array, Namespace
from ..core import dtypes, shapes
from ..core.convert import convert_to_tensor
from ..core.errors import InvalidArgumentError
from ..core.graph import get_default_graph
from ..core.indexed_slices import IndexedSlices
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.shape_rules import broadcast
from ..core.shapes import Shape
from .binary import maximum, minimum
from .declare import NUMBERS


def _select_shape(node: Operation) -> Shape:
    condition, t, e = (tensor.dims for tensor in node.inputs)
    chosen = shapes.merge(t, e)
    if condition is None or chosen is None or len(condition) == 0:
        return chosen
    if len(condition) == 1 and len(chosen) > 1:
        return (shapes.merge_dim(condition[0], chosen[0]), *chosen[1:])
    return shapes.merge(condition, chosen)


def _aligned(condition: Array, t: Array, e: Array) -> Array:
    """Return the condition with axes for what it chooses; a vector chooses rows."""
    if t.shape != e.shape:
        raise InvalidArgumentError(
            None, None, f"'then' and 'else' must have the same size. but received: {list(t.shape)} vs. {list(e.shape)}"
        )
    if condition.ndim == 0 or condition.shape == t.shape:
        return condition
    if condition.ndim == 1 and t.ndim > 1 and condition.shape[0] == t.shape[0]:
        return condition.reshape((-1,) + (1,) * (t.ndim - 1))
    raise InvalidArgumentError(
        None, None, f"Inputs to operation of type Select must have the same size and shape. Input 0: {list(condition.shape)} "
        f"!= input 1: {list(t.shape)}",
    )  # fmt: skip


@op("Select", types="condition: bool, t: T, e: T -> output: T", shape=_select_shape)
def select_op(xp: Namespace, condition: Array, t: Array, e: Array) -> Array:
    """Returns the elements (or rows, for a vector `condition`) of `t` where `condition`, else those of `e`."""
    return xp.where(_aligned(condition, t, e), t, e)


@op("SelectV2", types="condition: bool, t: T, e: T -> output: T", shape=broadcast, elementwise=True)
def select_v2_op(xp: Namespace, condition: Array, t: Array, e: Array) -> Array:
    """Returns the elements of `t` where `condition`, else those of `e`; all three broadcast."""
    return xp.where(condition, t, e)


def _where_shape(node: Operation) -> Shape:
    dims = node.inputs[0].dims
    return (None, None if dims is None else len(dims))


@op(
    "Where", types="input: T -> index: int64", T=(*NUMBERS, dtypes.bool), shape=_where_shape, defaults={"T": dtypes.bool},
    differentiable=False,
)  # fmt: skip
def where_op(xp: Namespace, input: Array) -> Array:
    """Returns the indices of the elements that are true (or not zero), one a row, in order."""
    if input.ndim == 0:
        return xp.zeros((int(bool(input)), 0), "int64")
    return xp.stack(xp.nonzero(input), axis=1).astype("int64")


def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Tensor:
    """Return the elements of `x` where `condition` holds, else those of `y`; without these, the indices where it holds.

    Args:
      condition: bool, of the shape of `x`, or a vector that chooses rows.

    Raises:
      ValueError: when only one of `x` and `y` is given, or the shapes do not fit.
    """
    if x is None and y is None:
        with get_default_graph().name_scope(name or "Where") as scope:
            tensor = convert_to_tensor(condition, preferred_dtype=dtypes.bool, name="condition")
            return where_op(tensor, name=scope)  # type: ignore[no-any-return]
    if x is None or y is None:
        raise ValueError("x and y must both be non-None or both be None.")
    return select_op(condition, x, y, name=name)  # type: ignore[no-any-return]


def where_v2(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Tensor:
    """Return the elements of `x` where `condition` holds, else those of `y`; all three broadcast."""
    if x is None and y is None:
        return where(condition, name=name)
    if x is None or y is None:
        raise ValueError("x and y must both be non-None or both be None.")
    return select_v2_op(condition, x, y, name=name)  # type: ignore[no-any-return]


def select(condition: Any, t: Any, e: Any, name: str | None = None) -> Tensor:
    """Return the elements of `t` where `condition`, else those of `e`."""
    return select_op(condition, t, e, name=name)  # type: ignore[no-any-return]


def _clip_shape(node: Operation) -> Shape:
    dims = node.inputs[0].dims
    for bound in node.inputs[1:]:
        shapes.broadcast(dims, bound.dims)
    return dims


@op("ClipByValue", types="t: T, clip_value_min: T, clip_value_max: T -> output: T", T=NUMBERS, shape=_clip_shape)
def clip_by_value_op(xp: Namespace, t: Array, clip_value_min: Array, clip_value_max: Array) -> Array:
    """Returns `t` limited to what lies between the bounds."""
    return xp.maximum(xp.minimum(t, clip_value_max), clip_value_min)


def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any, name: str | None = None) -> Any:
    """Return `t`, a tensor or IndexedSlices, limited to what lies between the bounds, which may broadcast to its shape.

    Raises:
      ValueError: when the bounds would give the result another shape than `t` has.
    """
    with get_default_graph().name_scope(name or "clip_by_value") as scope:
        rows = isinstance(t, IndexedSlices)
        values = t.values if rows else convert_to_tensor(t, name="t")
        below = minimum(values, clip_value_max)
        values.shape.assert_is_compatible_with(below.shape)
        clipped = maximum(below, clip_value_min, name=scope)
        values.shape.assert_is_compatible_with(clipped.shape)
        values.dims = shapes.merge(values.dims, clipped.dims)
        return IndexedSlices(clipped, t.indices, t.dense_shape) if rows else clipped
