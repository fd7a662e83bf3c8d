"""Sequences of numbers: Range and LinSpace."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..core import dtypes
from ..core.convert import convert_to_tensor
from ..core.dtypes import as_dtype
from ..core.errors import InvalidArgumentError
from ..core.graph import get_default_graph
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.shape_rules import constant_value
from ..core.shapes import Shape
from .complex import cast

_ORDER = (dtypes.uint16, dtypes.int32, dtypes.int64, dtypes.float16, dtypes.bfloat16, dtypes.float32, dtypes.float64)


def _length(start: Any, limit: Any, delta: Any) -> int:
    """Return how many numbers a range has; ValueError where it has no end."""
    if delta == 0:
        raise ValueError(f"Requires delta != 0: {delta}")
    if (limit - start) * (1 if delta > 0 else -1) < 0:
        relation = "<=" if delta > 0 else ">="
        raise ValueError(f"Requires start {relation} limit when delta {'>' if delta > 0 else '<'} 0: {start}/{limit}")
    if isinstance(start, int):
        return int(-((start - limit) // delta) if delta > 0 else -((limit - start) // -delta))
    count: int = math.ceil(abs((limit - start) / delta))
    return count


def _range_shape(node: Operation) -> Shape:
    values = [constant_value(tensor) for tensor in node.inputs]
    if any(value is None for value in values):
        return (None,)
    return (_length(*[value.item() for value in values]),)


@op(
    "Range", types="start: Tidx, limit: Tidx, delta: Tidx -> output: Tidx", shape=_range_shape, host="start limit delta",
    Tidx=dtypes.FLOATING + dtypes.SIGNED + (dtypes.uint16, dtypes.uint32, dtypes.uint64),
    defaults={"Tidx": dtypes.int32}, differentiable=False,
)  # fmt: skip
def range_op(xp: Namespace, start: Array, limit: Array, delta: Array) -> Array:
    """Returns the numbers from `start` until before `limit`, in steps of `delta`."""
    try:
        count = _length(start.item(), limit.item(), delta.item())
    except ValueError as error:
        raise InvalidArgumentError(None, None, str(error)) from None
    return (xp.arange(count) * delta.item() + start.item()).astype(start.dtype)


def range(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str = "range") -> Tensor:
    """Return the numbers from `start` (0 when it is the only one given) until before `limit`, in steps of `delta`.

    Args:
      start, limit, delta: scalars; the widest of their types is the result's.
      dtype: the type of the result.
    """
    if limit is None:
        start, limit = 0, start
    with get_default_graph().name_scope(name or "range") as scope:
        wanted = None if dtype is None else as_dtype(dtype)
        labels = (("start", start), ("limit", limit), ("delta", delta))
        values = [
            value if isinstance(value, Tensor) else convert_to_tensor(value, wanted, label) for label, value in labels
        ]
        if wanted is None:
            wanted = max((value.dtype.base_dtype for value in values), key=_ORDER.index)
        return range_op(*[cast(value, wanted) for value in values], name=scope)  # type: ignore[no-any-return]


def _linspace_shape(node: Operation) -> Shape:
    count = constant_value(node.inputs[2])
    if count is None:
        return (None,)
    if int(count) <= 0:
        raise ValueError(f"Requires num > 0: {int(count)}")
    return (int(count),)


@op(
    "LinSpace", types="start: T, stop: T, num: Tidx -> output: T", T=dtypes.FLOATING, Tidx=dtypes.INDEX,
    shape=_linspace_shape, host="start stop num", defaults={"Tidx": dtypes.int32}, differentiable=False,
)  # fmt: skip
def linspace_op(xp: Namespace, start: Array, stop: Array, num: Array) -> Array:
    """Returns `num` numbers from `start` to `stop`, both included, at equal distances."""
    count = int(num)
    if count <= 0:
        raise InvalidArgumentError(None, None, f"Requires num > 0: {count}")
    first, last = float(start), float(stop)
    made = xp.arange(count) * ((last - first) / max(count - 1, 1)) + first
    if count > 1:
        made[-1] = last
    return made.astype(start.dtype)


def linspace(start: Any, stop: Any, num: Any, name: str | None = None) -> Tensor:
    """Return `num` numbers from `start` to `stop`, both included, at equal distances."""
    first = convert_to_tensor(start, preferred_dtype=np.float32, name="start")
    return linspace_op(first, stop, num, name=name)  # type: ignore[no-any-return]


lin_space = linspace
