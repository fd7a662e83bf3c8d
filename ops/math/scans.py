"""Running sums and products along an axis."""

from __future__ import annotations

from typing import Any

from ...devices.types import Array, Namespace
from ..core import dtypes
from ..core.convert import convert_to_tensor
from ..core.errors import InvalidArgumentError
from ..core.graph import get_default_graph
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.shape_rules import same_shape
from .binary import multiply as mul
from .binary import realdiv as div
from .declare import FLOATING, NUMBERS
from .unary import exp, negative

TYPES = "x: T, axis: Tidx -> out: T"
TIDX = {"Tidx": dtypes.int32}


def _position(x: Array, axis: Array) -> int:
    found, rank = int(axis), int(x.ndim)
    if not -rank <= found < rank:
        raise InvalidArgumentError(
            None, None, f"ScanOp: Expected scan axis in the range [{-rank}, {rank}), but got {found}"
        )
    return found % rank


def _scan(xp: Namespace, x: Array, axis: int, name: str, start: Any, exclusive: bool, reverse: bool) -> Array:
    """Scan along an axis; an exclusive scan drops the last element and begins with `start`."""
    ordered = xp.flip(x, axis) if reverse else x
    scanned = getattr(xp, name)(ordered, axis=axis, dtype=x.dtype)
    if exclusive and x.shape[axis]:
        kept = scanned[(slice(None),) * axis + (slice(0, -1),)]
        first = xp.full((*x.shape[:axis], 1, *x.shape[axis + 1 :]), start, x.dtype)
        scanned = xp.concatenate([first, kept], axis=axis)
    return xp.ascontiguousarray(xp.flip(scanned, axis)) if reverse else scanned


@op("Cumsum", types=TYPES, T=NUMBERS, Tidx=dtypes.INDEX, shape=same_shape, host="axis", defaults=TIDX)
def cumsum_op(xp: Namespace, x: Array, axis: Array, *, exclusive: bool = False, reverse: bool = False) -> Array:
    """Returns the running sum along an axis."""
    return _scan(xp, x, _position(x, axis), "cumsum", 0, exclusive, reverse)


@op("Cumprod", types=TYPES, T=NUMBERS, Tidx=dtypes.INDEX, shape=same_shape, host="axis", defaults=TIDX)
def cumprod_op(xp: Namespace, x: Array, axis: Array, *, exclusive: bool = False, reverse: bool = False) -> Array:
    """Returns the running product along an axis."""
    return _scan(xp, x, _position(x, axis), "cumprod", 1, exclusive, reverse)


@op("CumulativeLogsumexp", types=TYPES, T=FLOATING, Tidx=dtypes.INDEX, shape=same_shape, host="axis", defaults=TIDX)
def cumulative_logsumexp_op(
    xp: Namespace, x: Array, axis: Array, *, exclusive: bool = False, reverse: bool = False
) -> Array:
    """Returns the logarithm of the running sum of exponentials along an axis."""
    position = _position(x, axis)
    greatest = xp.max(x, axis=position, keepdims=True)
    greatest = xp.where(xp.isfinite(greatest), greatest, x.dtype.type(0))
    return xp.log(_scan(xp, xp.exp(x - greatest), position, "cumsum", 0, exclusive, reverse)) + greatest


@cumsum_op.gradient
def _cumsum_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
    attrs = op.attrs
    return [cumsum(dy, op.inputs[1], attrs["exclusive"], not attrs["reverse"]), None]


@cumprod_op.gradient
def _cumprod_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
    """As TensorFlow's, undefined where an element is 0."""
    x, axis = op.inputs
    weighted = mul(op.outputs[0], dy)
    return [div(cumsum(weighted, axis, op.attrs["exclusive"], not op.attrs["reverse"]), x), None]


@cumulative_logsumexp_op.gradient
def _cumulative_logsumexp_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
    x, axis = op.inputs
    scaled = mul(dy, exp(negative(op.outputs[0])))
    summed = cumsum(scaled, axis, op.attrs["exclusive"], not op.attrs["reverse"])
    return [mul(exp(x), summed), None]


def _public(decl: Any, default: str, x: Any, axis: Any, exclusive: bool, reverse: bool, name: str | None) -> Tensor:
    with get_default_graph().name_scope(name or default) as scope:
        return decl(convert_to_tensor(x, name="x"), axis, exclusive=exclusive, reverse=reverse, name=scope)  # type: ignore[no-any-return]


def cumsum(x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None) -> Tensor:
    """Return the running sum along `axis`; without the element itself if `exclusive`, from the end if `reverse`."""
    return _public(cumsum_op, "Cumsum", x, axis, exclusive, reverse, name)


def cumprod(x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None) -> Tensor:
    """Return the running product along `axis`; without the element itself if `exclusive`, from the end if `reverse`."""
    return _public(cumprod_op, "Cumprod", x, axis, exclusive, reverse, name)


def cumulative_logsumexp(
    x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Tensor:
    """Return the logarithm of the running sum of exponentials along `axis`."""
    return _public(cumulative_logsumexp_op, "CumulativeLogsumexp", x, axis, exclusive, reverse, name)
