"""RandomGamma: samples of the gamma distribution by Marsaglia and Tsang's rejection.

Every output has counters of its own, RESERVED apart, and its attempts take blocks from there in the order in which they
need them. Nineteen of twenty outputs accept the first attempt: those are computed together, the others one by one.
Invariant: both ways take the same blocks for the same purpose, so that which one served an output cannot be told.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from ...devices.types import Array, Namespace
from ..array.concat import concat
from ..array.fills import ones_like
from ..array.reshape import reshape
from ..array.shape_ops import shape, size
from ..core import dtypes, shapes
from ..core.context import KernelContext
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.shape_rules import broadcast, constant_value_as_shape
from ..core.shapes import Shape
from ..math.binary import multiply
from ..math.ranges import range as tensor_range
from ..math.reduce import reduce_sum
from ..math.special import PRECISE, igamma_derivative, log_gamma
from . import philox
from .distributions import NORMAL, UNIFORM
from .draw import INTEGERS, dims_of, stream_of
from .sampling import RESERVED, counters

_FLOATS = (dtypes.float16, dtypes.float32, dtypes.float64)
_NORMAL = NORMAL[np.dtype(np.float64)].convert
_UNIFORM = UNIFORM[np.dtype(np.float64)].convert
# The squeeze of Marsaglia and Tsang, which spares most samples the logarithms.
_SQUEEZE = 0.0331


def _shape(node: Operation) -> Shape:
    """The output has the shape asked for, then that of alpha."""
    return shapes.concatenate(constant_value_as_shape(node.inputs[0]), node.inputs[1].dims)


@op("RandomGamma", types="shape: S, alpha: T -> output: T", S=INTEGERS, T=_FLOATS, shape=_shape, stateful=True,
    devices="CPU")  # fmt: skip
def random_gamma_op(
    ctx: KernelContext, xp: Namespace, shape: Array, alpha: Array, *, seed: int = 0, seed2: int = 0
) -> Array:
    """Draws from the gamma distributions of shape parameters `alpha` and rate 1: shape + alpha.shape."""
    dims, count = dims_of(shape)
    if not (np.asarray(alpha) > 0).all():
        raise InvalidArgumentError(None, None, f"alpha must be positive, got {np.asarray(alpha).tolist()}")
    total = count * alpha.size
    stream = stream_of(ctx, seed, seed2)
    starts = counters(stream.reserve(total * RESERVED), 0, total, RESERVED)
    # Outputs are numbered alpha by alpha, though the samples of one alpha lie apart in memory.
    values = gamma_samples(stream.key, starts, np.repeat(alpha.reshape(-1).astype(np.float64), count))
    by_alpha = values.reshape(alpha.size, count).T
    return by_alpha.astype(alpha.dtype).reshape((*dims, *np.shape(alpha)))


@op("RandomGammaGrad", types="alpha: T, sample: T -> output: T", T=PRECISE, shape=broadcast, devices="CPU")
def random_gamma_grad_op(xp: Namespace, alpha: Array, sample: Array) -> Array:
    """Returns the derivative of a sample with respect to its `alpha`, at a fixed quantile."""
    a, x = np.broadcast_arrays(alpha.astype(np.float64), sample.astype(np.float64))
    density = np.exp((a - 1) * np.log(x) - x - log_gamma(a))
    return (-igamma_derivative(a, x) / density).astype(alpha.dtype)


@random_gamma_op.gradient
def _random_gamma_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
    """Sum over the samples of each alpha what moves with it."""
    drawn, alpha = (size(op.inputs[0]), op.inputs[1])
    leading = tensor_range(drawn)
    wide = reshape(alpha, concat([ones_like(op.inputs[0]), shape(alpha)], 0))
    return [None, reduce_sum(multiply(dy, random_gamma_grad_op(wide, op.outputs[0])), leading)]


def gamma_samples(key: philox.Key, starts: Array, alpha: Array) -> Array:
    """Return a sample for each `alpha` (n,), float64, from the blocks that begin at `starts` (n,)."""
    small = alpha < 1
    d = alpha + np.where(small, 2 / 3, -1 / 3)
    first, second = (philox.words(key, starts + np.uint64(i)) for i in range(2))
    exponential = -np.log1p(-_UNIFORM(np, first)[:, 1])
    x = _NORMAL(np, first)[:, 1]
    v = _cubed(1 + x / (3 * np.sqrt(d)))
    u = _UNIFORM(np, second)
    with np.errstate(divide="ignore", invalid="ignore"):
        accepted = (v > 0) & _accepts(u[:, 1], x, v, d)
        values = d * v * np.where(small, u[:, 0] ** (1 / alpha), 1.0)
    values[alpha == 1] = exponential[alpha == 1]
    for i in np.flatnonzero(~accepted & (alpha != 1)).tolist():
        values[i] = _one_by_one(key, int(starts[i]), float(alpha[i]))
    return values


def _cubed(x: Array) -> Array:
    return x * x * x


def _accepts(u: Array, x: Array, v: Array, d: Array) -> Array:
    return (u < 1 - _SQUEEZE * (x * x) * (x * x)) | (np.log(u) < 0.5 * x * x + d * (1 - v + np.log(v)))


class _Attempts:
    """The blocks of one output, taken in turn; of the two values of a block the second is used first."""

    def __init__(self, key: philox.Key, start: int) -> None:
        self._key = key
        self._next = start
        self._left: dict[Callable[[Namespace, Array], Array], list[float]] = {_NORMAL: [], _UNIFORM: []}

    def take(self, convert: Callable[[Namespace, Array], Array]) -> float:
        left = self._left[convert]
        if not left:
            left.extend(convert(np, philox.words(self._key, counters(self._next, 0, 1, 1)))[0].tolist())
            self._next += 1
        return left.pop()


def _one_by_one(key: philox.Key, start: int, alpha: float) -> float:
    attempts = _Attempts(key, start)
    normal, uniform = partial(attempts.take, _NORMAL), partial(attempts.take, _UNIFORM)
    d = alpha + (2 / 3 if alpha < 1 else -1 / 3)
    while True:
        x = normal()
        v: float = _cubed(1 + x / (3 * math.sqrt(d)))
        if v > 0 and bool(_accepts(np.float64(uniform()), x, v, d)):
            return d * v * (uniform() ** (1 / alpha) if alpha < 1 else 1.0)
