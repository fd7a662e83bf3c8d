"""RandomPoissonV2 and RandomPoisson: counts of events by their rates.

Small rates multiply uniform numbers until the product falls below exp(-rate) (Knuth); from 10 on Hörmann's transformed
rejection takes over. Invariant: every output has counters of its own, RESERVED apart, and takes TensorFlow's numbers from
its blocks, the last one first; so outputs are computed side by side, and nobody can tell.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..core import dtypes, shapes
from ..core.context import KernelContext
from ..core.convert import convert_to_tensor
from ..core.dtypes import DType, as_dtype
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.scopes import name_scope
from ..core.shape_rules import constant_value_as_shape
from ..core.shapes import Shape
from ..math.special import log_gamma
from . import philox
from .distributions import UNIFORM
from .draw import INTEGERS, dims_of, stream_of
from .sampling import RESERVED, counters
from .seeds import seed_attrs

_NUMBERS = (dtypes.float16, dtypes.float32, dtypes.float64, dtypes.int32, dtypes.int64)
_REJECTION_FROM = 10


def _shape(node: Operation) -> Shape:
    """The output has the shape asked for, then that of the rates."""
    return shapes.concatenate(constant_value_as_shape(node.inputs[0]), node.inputs[1].dims)


class Uniforms:
    """The uniform numbers of many outputs: `take` gives the next one of each output that is still at work."""

    def __init__(self, key: philox.Key, starts: Array, kind: np.dtype[Any]) -> None:
        self._key, self._starts = key, starts
        self._distribution = UNIFORM[kind]
        self._block = np.empty((0, 0), kind)
        self._taken = 0

    def take(self) -> Array:
        width = self._distribution.per_block
        turn, place = divmod(self._taken, width)
        if place == 0:
            words = philox.words(self._key, self._starts + np.uint64(turn))
            self._block = self._distribution.convert(np, words)
        self._taken += 1
        return self._block[:, width - 1 - place]

    def keep(self, going: Array) -> None:
        """Forget the outputs that are done."""
        self._starts, self._block = self._starts[going], self._block[going]


def poisson_samples(key: philox.Key, starts: Array, rates: Array) -> Array:
    """Return a count for each of `rates` (n,), float64, from the blocks that begin at `starts` (n,)."""
    found = np.zeros(rates.shape, rates.dtype)
    small = rates < _REJECTION_FROM
    for chosen, draw in ((small, _by_products), (~small, _by_rejection)):
        if chosen.any():
            found[chosen] = draw(Uniforms(key, starts[chosen], rates.dtype), rates[chosen])
    return found


def _by_products(uniforms: Uniforms, rates: Array) -> Array:
    found = np.zeros(rates.shape, rates.dtype)
    limit, product, active = np.exp(-rates), np.ones_like(rates), np.arange(rates.size)
    count = 0
    while active.size:
        product = product * uniforms.take()
        going = product > limit[active]
        found[active[~going]] = count
        active, product = active[going], product[going]
        uniforms.keep(going)
        count += 1
    return found


def _by_rejection(uniforms: Uniforms, rates: Array) -> Array:
    """Draw from a distribution that dominates the counts; names are those of Hörmann's paper."""
    found, active = np.zeros(rates.shape, rates.dtype), np.arange(rates.size)
    real = rates.dtype.type
    while active.size:
        rate = rates[active]
        b = real(0.931) + real(2.53) * np.sqrt(rate)
        a = real(-0.059) + real(0.02483) * b
        u, v = uniforms.take() - real(0.5), uniforms.take()
        shifted = real(0.5) - np.abs(u)
        with np.errstate(divide="ignore", invalid="ignore"):
            k = np.floor((2 * a / shifted + b) * u + rate + real(0.43))
            inside = (shifted >= real(0.07)) & (v <= real(0.9277) - real(3.6224) / (b - 2))
            outside = (k < 0) | ((shifted < real(0.013)) & (v > shifted))
            inverse = real(1.1239) + real(1.1328) / (b - real(3.4))
            s = np.log(v * inverse / (a / (shifted * shifted) + b))
            t = -rate + k * np.log(rate) - log_gamma(np.maximum(k, 0) + 1)
        done = inside | (~outside & (s <= t))
        found[active[done]] = k[done]
        active = active[~done]
        uniforms.keep(~done)
    return found


def _draw(ctx: KernelContext, shape: Array, rate: Array, dtype: DType, seed: int, seed2: int) -> Array:
    dims, count = dims_of(shape)
    rates = np.asarray(rate).reshape(-1)
    if (rates < 0).any() or not np.isfinite(rates).all():
        raise InvalidArgumentError(None, None, f"rates must be finite and not negative, got {rates.tolist()}")
    total = count * rates.size
    stream = stream_of(ctx, seed, seed2)
    starts = counters(stream.reserve(total * RESERVED), 0, total, RESERVED)
    # Outputs are numbered rate by rate, though the samples of one rate lie apart in memory; TensorFlow draws them in doubles
    # whatever the rates' type.
    drawn = poisson_samples(stream.key, starts, np.repeat(rates.astype(np.float64), count))
    by_rate = drawn.reshape(rates.size, count).T
    return by_rate.astype(dtype.as_numpy_dtype).reshape((*dims, *np.shape(rate)))


@op(
    "RandomPoissonV2", types="shape: S, rate: R -> output: dtype", S=INTEGERS, R=_NUMBERS, dtype=_NUMBERS, shape=_shape,
    stateful=True, devices="CPU", defaults={"R": dtypes.float64, "dtype": dtypes.int64},
)  # fmt: skip
def random_poisson_op(
    ctx: KernelContext, xp: Namespace, shape: Array, rate: Array, *, dtype: DType, seed: int = 0, seed2: int = 0
) -> Array:
    """Draws counts of events from the Poisson distributions of these rates: shape + rate.shape."""
    return _draw(ctx, shape, rate, dtype, seed, seed2)


@op(
    "RandomPoisson", types="shape: S, rate: dtype -> output: dtype", S=INTEGERS, shape=_shape, stateful=True,
    dtype=(dtypes.float16, dtypes.float32, dtypes.float64), devices="CPU",
)  # fmt: skip
def random_poisson_v1_op(
    ctx: KernelContext, xp: Namespace, shape: Array, rate: Array, *, seed: int = 0, seed2: int = 0
) -> Array:
    """Draws counts of events from the Poisson distributions of these rates: shape + rate.shape."""
    return _draw(ctx, shape, rate, as_dtype(np.asarray(rate).dtype), seed, seed2)


def random_poisson(
    lam: Any, shape: Any, dtype: Any = dtypes.float32, seed: int | None = None, name: str | None = None
) -> Tensor:
    """Draw counts of events from Poisson distributions.

    Args:
      lam: the rates, not negative.
      shape: 1-D integers: how many samples of each rate.
      dtype: float16, float32, float64, int32 or int64.
      seed: the op's seed; see `set_random_seed`.

    Returns:
      Samples, `shape` + the shape of `lam`.
    """
    with name_scope(name, "random_poisson", [lam, shape]):
        dims = convert_to_tensor(shape, dtypes.int32, "shape")
        drawn = random_poisson_op(dims, lam, dtype=as_dtype(dtype), **seed_attrs(seed))
        return drawn  # type: ignore[no-any-return]
