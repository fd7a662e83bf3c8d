"""Distributions of one real number: Normal, Laplace, Uniform, Exponential, Gamma, Beta, StudentT."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...array import (
    broadcast_dynamic_shape,
    broadcast_static_shape,
    concat,
    ones,
    ones_like,
    shape,
    zeros_like,
)
from ...core.convert import constant, convert_to_tensor
from ...core.node import Tensor
from ...core.scopes import name_scope
from ...core.shapes import TensorShape
from ...math import abs as absolute
from ...math import (
    betainc,
    digamma,
    erf,
    erfc,
    exp,
    greater,
    igamma,
    lgamma,
    log,
    log1p,
    logical_and,
    sign,
    sqrt,
    square,
    where,
)
from ...math import rsqrt as inverse_root
from ...math.special import ndtri
from ...random import random_gamma, random_normal, random_uniform
from ..checks import assert_less, assert_positive
from .base import (
    FULLY_REPARAMETERIZED,
    Distribution,
    RegisterKL,
    ReparameterizationType,
    checked,
    new_seed,
    parameter,
)

_HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)
_FROM_ZERO_TO_ONE = "sample must be in [0, 1]"


class TwoParameters(Distribution):
    """A distribution of scalars whose two parameters broadcast; `_names` names them, the first gives the dtype."""

    _names: tuple[str, ...] = ()
    _positive: tuple[str, ...] = ()

    def __init__(
        self, values: Sequence[Any], parameters: dict[str, Any], kind: ReparameterizationType = FULLY_REPARAMETERIZED
    ) -> None:
        validate = parameters["validate_args"]
        with name_scope(parameters["name"]) as scope:
            held: list[Tensor] = []
            for name, value in zip(self._names, values, strict=True):
                tensor = parameter(value, name, held[0].dtype if held else None)
                checks = [assert_positive(tensor)] if validate and name in self._positive else []
                held.append(checked(tensor, checks))
        for name, tensor in zip(self._names, held, strict=True):
            setattr(self, f"_{name}", tensor)
        super().__init__(
            held[0].dtype, kind, validate, parameters["allow_nan_stats"], parameters, graph_parents=held, name=scope
        )

    @classmethod
    def _param_shapes(cls, sample_shape: Any) -> dict[str, Tensor]:
        return {name: convert_to_tensor(sample_shape, "int32") for name in cls._names}

    @property
    def _held(self) -> list[Tensor]:
        return [getattr(self, f"_{name}") for name in self._names]

    def _batch_shape(self) -> TensorShape:
        found = TensorShape([])
        for tensor in self._held:
            found = broadcast_static_shape(found, tensor.shape)
        return found

    def _batch_shape_tensor(self) -> Tensor:
        found = shape(self._held[0])
        for tensor in self._held[1:]:
            found = broadcast_dynamic_shape(found, shape(tensor))
        return found

    def _event_shape(self) -> TensorShape:
        return TensorShape([])

    def _event_shape_tensor(self) -> Tensor:
        return constant([], "int32")

    def _sizes(self, n: Tensor) -> Tensor:
        """Return the shape of `n` samples."""
        return concat([[n], self._batch_shape_tensor()], 0)

    def _whole(self, value: Tensor) -> Tensor:
        """Return a tensor in the batch's shape."""
        whole: Tensor = value * ones(self._batch_shape_tensor(), self.dtype)
        # Broadcast shapes that a run computes say nothing of a 1.
        whole.set_shape(self._batch_shape())
        return whole


class _LocationScale(TwoParameters):
    """A distribution with a place and a scale."""

    _names = ("loc", "scale")
    _positive = ("scale",)
    _loc: Tensor
    _scale: Tensor

    @property
    def loc(self) -> Tensor:
        """The place."""
        return self._loc

    @property
    def scale(self) -> Tensor:
        """The scale."""
        return self._scale

    def _standard(self, value: Tensor) -> Any:
        return (value - self._loc) / self._scale

    def _mean(self) -> Tensor:
        return self._whole(self._loc)

    def _mode(self) -> Tensor:
        return self._mean()


class Normal(_LocationScale):
    """The normal distribution of mean `loc` and standard deviation `scale`, which broadcast."""

    def __init__(
        self, loc: Any, scale: Any, validate_args: bool = False, allow_nan_stats: bool = True, name: str = "Normal"
    ) -> None:
        super().__init__([loc, scale], dict(locals()))

    def _sample_n(self, n: Tensor, seed: int | None = None) -> Tensor:
        return (
            random_normal(self._sizes(n), mean=0.0, stddev=1.0, dtype=self.dtype, seed=seed) * self._scale + self._loc
        )

    def _log_prob(self, x: Tensor) -> Tensor:
        return -0.5 * square(self._standard(x)) - (_HALF_LOG_TWO_PI + log(self._scale))

    def _cdf(self, x: Tensor) -> Tensor:
        return normal_cdf(self._standard(x))

    def _log_cdf(self, x: Tensor) -> Tensor:
        return log_normal_cdf(self._standard(x))

    def _survival_function(self, x: Tensor) -> Tensor:
        return normal_cdf(-self._standard(x))

    def _log_survival_function(self, x: Tensor) -> Tensor:
        return log_normal_cdf(-self._standard(x))

    def _quantile(self, p: Tensor) -> Tensor:
        return ndtri(p) * self._scale + self._loc

    def _entropy(self) -> Tensor:
        return _HALF_LOG_TWO_PI + 0.5 + log(self._whole(self._scale))

    def _stddev(self) -> Tensor:
        return self._whole(self._scale)


def normal_cdf(x: Tensor) -> Tensor:
    """Return the probability that a standard normal number is at most `x`, exact also where it is next to 0 or 1."""
    w = x * math.sqrt(0.5)
    z = absolute(w)
    outside = where(w > 0.0, 2.0 - erfc(z), erfc(z))
    return 0.5 * where(z < math.sqrt(0.5), 1.0 + erf(w), outside)


def log_normal_cdf(x: Tensor) -> Tensor:
    """Return the logarithm of `normal_cdf`, by its asymptotic series far below 0 and its first term far above."""
    low, high = (-20.0, 8.0) if x.dtype.base_dtype.name == "float64" else (-10.0, 5.0)
    far_below = where(x < low, x, low * ones_like(x))
    even, odd, power, double_factorial = zeros_like(x), zeros_like(x), square(far_below), 1.0
    for n in (1, 2, 3):
        double_factorial *= 2 * n - 1
        term = double_factorial / power
        even, odd = (even, odd + term) if n % 2 else (even + term, odd)
        power = power * square(far_below)
    below = -0.5 * square(far_below) - log(-far_below) - _HALF_LOG_TWO_PI + log(1.0 + even - odd)
    middle = log(normal_cdf(where(x > low, x, low * ones_like(x))))
    return where(x > high, -normal_cdf(-x), where(x > low, middle, below))


class Laplace(_LocationScale):
    """The Laplace distribution around `loc` with mean deviation `scale`."""

    def __init__(
        self, loc: Any, scale: Any, validate_args: bool = False, allow_nan_stats: bool = True, name: str = "Laplace"
    ) -> None:
        super().__init__([loc, scale], dict(locals()))

    def _sample_n(self, n: Tensor, seed: int | None = None) -> Tensor:
        lowest = np.nextafter(self.dtype.as_numpy_dtype(-1.0), self.dtype.as_numpy_dtype(0.0))
        drawn = random_uniform(self._sizes(n), lowest, 1.0, dtype=self.dtype, seed=seed)
        return self._loc - self._scale * sign(drawn) * log1p(-absolute(drawn))

    def _log_prob(self, x: Tensor) -> Tensor:
        return -absolute(self._standard(x)) - math.log(2.0) - log(self._scale)

    def _cdf(self, x: Tensor) -> Tensor:
        z = self._standard(x)
        return 0.5 + 0.5 * sign(z) * (1.0 - exp(-absolute(z)))

    def _log_cdf(self, x: Tensor) -> Tensor:
        return _log_laplace_cdf(self._standard(x))

    def _log_survival_function(self, x: Tensor) -> Tensor:
        return _log_laplace_cdf(-self._standard(x))

    def _entropy(self) -> Tensor:
        return math.log(2.0) + 1.0 + log(self._whole(self._scale))

    def _stddev(self) -> Tensor:
        return math.sqrt(2.0) * self._whole(self._scale)


def _log_laplace_cdf(x: Any) -> Tensor:
    return where(x < 0.0, x - math.log(2.0), log1p(-0.5 * exp(-absolute(x))))


class Uniform(TwoParameters):
    """The uniform distribution on [low, high)."""

    _names = ("low", "high")
    _low: Tensor
    _high: Tensor

    def __init__(
        self, low: Any = 0.0, high: Any = 1.0, validate_args: bool = False, allow_nan_stats: bool = True,
        name: str = "Uniform",
    ) -> None:  # fmt: skip
        super().__init__([low, high], dict(locals()))
        if validate_args:
            check = assert_less(self._low, self._high, message="uniform not defined when low >= high.")
            self._low, self._high = checked(self._low, [check]), checked(self._high, [check])

    @property
    def low(self) -> Tensor:
        """The lower bound."""
        return self._low

    @property
    def high(self) -> Tensor:
        """The upper bound."""
        return self._high

    def range(self, name: str = "range") -> Tensor:
        """Return `high - low`."""
        with self._scope(name):
            return self._high - self._low

    def _sample_n(self, n: Tensor, seed: int | None = None) -> Tensor:
        return self._low + self.range() * random_uniform(self._sizes(n), dtype=self.dtype, seed=seed)

    def _prob(self, x: Tensor) -> Tensor:
        known = x * ones(self._batch_shape_tensor(), x.dtype)
        inside = logical_and(greater(self._whole(self._high), known), known >= self._low)
        return where(known != known, known, where(inside, ones_like(known) / self.range(), zeros_like(known)))

    def _cdf(self, x: Tensor) -> Tensor:
        known = x * ones(self._batch_shape_tensor(), x.dtype)
        inner = (known - self._low) / self.range()
        return where(known < self._low, zeros_like(known), where(known >= self._high, ones_like(known), inner))

    def _entropy(self) -> Tensor:
        return log(self.range())

    def _mean(self) -> Tensor:
        return (self._low + self._high) / 2.0

    def _variance(self) -> Tensor:
        return square(self.range()) / 12.0

    def _stddev(self) -> Tensor:
        return self.range() / math.sqrt(12.0)


class Gamma(TwoParameters):
    """The gamma distribution of shape parameter `concentration` and inverse scale `rate`, both positive."""

    _names = _positive = ("concentration", "rate")
    _concentration: Tensor
    _rate: Tensor

    def __init__(
        self, concentration: Any, rate: Any, validate_args: bool = False, allow_nan_stats: bool = True,
        name: str = "Gamma",
    ) -> None:  # fmt: skip
        super().__init__([concentration, rate], dict(locals()))

    @property
    def concentration(self) -> Tensor:
        """The shape parameter."""
        return self._concentration

    @property
    def rate(self) -> Tensor:
        """The inverse scale."""
        return self._rate

    def _checked(self, x: Tensor) -> Tensor:
        return checked(x, [assert_positive(x)] if self.validate_args else [])

    def _sample_n(self, n: Tensor, seed: int | None = None) -> Tensor:
        return random_gamma([n], alpha=self._concentration, beta=self._rate, dtype=self.dtype, seed=seed)

    def _log_prob(self, x: Tensor) -> Tensor:
        x, c, rate = self._checked(x), self._concentration, self._rate
        return (c - 1.0) * log(x) - rate * x - (lgamma(c) - c * log(rate))

    def _cdf(self, x: Tensor) -> Tensor:
        return igamma(self._whole(self._concentration), self._rate * self._checked(x))

    def _entropy(self) -> Tensor:
        c: Any = self._concentration
        return c - log(self._rate) + lgamma(c) + (1.0 - c) * digamma(c)  # type: ignore[no-any-return]

    def _mean(self) -> Tensor:
        return self._concentration / self._rate

    def _variance(self) -> Tensor:
        return self._concentration / square(self._rate)

    def _stddev(self) -> Tensor:
        return sqrt(self._concentration) / self._rate

    def _mode(self) -> Tensor:
        c = self._whole(self._concentration)
        check = "mode not defined when any concentration <= 1"
        return self._undefined(c > 1.0, (c - 1.0) / self._rate, lambda: assert_less(ones_like(c), c, message=check))


class Exponential(Gamma):
    """The exponential distribution of this rate: the waiting time for an event of which so many come in a unit."""

    def __init__(
        self, rate: Any, validate_args: bool = False, allow_nan_stats: bool = True, name: str = "Exponential"
    ) -> None:
        own = {k: v for k, v in locals().items() if k not in ("self", "__class__")}
        known = parameter(rate, "rate")
        super().__init__(ones_like(known), known, validate_args, allow_nan_stats, name)
        self._parameters = own

    @classmethod
    def _param_shapes(cls, sample_shape: Any) -> dict[str, Tensor]:
        return {"rate": convert_to_tensor(sample_shape, "int32")}

    def _sample_n(self, n: Tensor, seed: int | None = None) -> Tensor:
        tiny = np.finfo(self.dtype.as_numpy_dtype).tiny
        drawn = random_uniform(self._sizes(n), tiny, 1.0, dtype=self.dtype, seed=seed)
        return -log(drawn) / self._rate


class Beta(TwoParameters):
    """The beta distribution on (0, 1) whose density goes as `x^(concentration1 - 1) (1 - x)^(concentration0 - 1)`."""

    _names = _positive = ("concentration1", "concentration0")
    _concentration1: Tensor
    _concentration0: Tensor

    def __init__(
        self, concentration1: Any = None, concentration0: Any = None, validate_args: bool = False,
        allow_nan_stats: bool = True, name: str = "Beta",
    ) -> None:  # fmt: skip
        super().__init__([concentration1, concentration0], dict(locals()))
        self._total_concentration = self._concentration1 + self._concentration0

    @property
    def concentration1(self) -> Tensor:
        """The weight of 1."""
        return self._concentration1

    @property
    def concentration0(self) -> Tensor:
        """The weight of 0."""
        return self._concentration0

    @property
    def total_concentration(self) -> Tensor:
        """The sum of both weights."""
        return self._total_concentration

    def _checked(self, x: Tensor) -> Tensor:
        if not self.validate_args:
            return x
        one = ones([], self.dtype)
        return checked(x, [assert_positive(x, message="sample must be positive"), assert_less(x, one)])

    def _sample_n(self, n: Tensor, seed: int | None = None) -> Tensor:
        first = random_gamma([n], self._whole(self._concentration1), dtype=self.dtype, seed=seed)
        second = random_gamma([n], self._whole(self._concentration0), dtype=self.dtype, seed=new_seed(seed, "beta"))
        return first / (first + second)

    def _log_beta(self) -> Any:
        return lgamma(self._concentration1) + lgamma(self._concentration0) - lgamma(self._total_concentration)

    def _log_prob(self, x: Tensor) -> Tensor:
        x = self._checked(x)
        return (self._concentration1 - 1.0) * log(x) + (self._concentration0 - 1.0) * log1p(-x) - self._log_beta()  # type: ignore[no-any-return]

    def _cdf(self, x: Tensor) -> Tensor:
        known = self._checked(x) * ones(self._batch_shape_tensor(), self.dtype)
        one = ones_like(known)
        return betainc(self._concentration1 * one, self._concentration0 * one, known)

    def _entropy(self) -> Tensor:
        a: Any = self._concentration1
        b: Any = self._concentration0
        total = self._total_concentration
        return self._log_beta() - (a - 1.0) * digamma(a) - (b - 1.0) * digamma(b) + (total - 2.0) * digamma(total)  # type: ignore[no-any-return]

    def _mean(self) -> Tensor:
        return self._concentration1 / self._total_concentration

    def _variance(self) -> Tensor:
        mean: Any = self._mean()
        return mean * (1.0 - mean) / (1.0 + self._total_concentration)  # type: ignore[no-any-return]

    def _mode(self) -> Tensor:
        a, b = self._whole(self._concentration1), self._whole(self._concentration0)
        smaller = where(a < b, a, b)
        check = "Mode undefined for concentrations <= 1."
        mode = (self._concentration1 - 1.0) / (self._total_concentration - 2.0)
        return self._undefined(
            logical_and(a > 1.0, b > 1.0), mode, lambda: assert_less(ones_like(smaller), smaller, message=check)
        )


class StudentT(TwoParameters):
    """Student's t distribution with `df` degrees of freedom, moved to `loc` and stretched by `scale`."""

    _names = ("df", "loc", "scale")
    _positive = ("df",)
    _df: Tensor
    _loc: Tensor
    _scale: Tensor

    def __init__(
        self, df: Any, loc: Any, scale: Any, validate_args: bool = False, allow_nan_stats: bool = True,
        name: str = "StudentT",
    ) -> None:  # fmt: skip
        super().__init__([df, loc, scale], dict(locals()))

    @property
    def df(self) -> Tensor:
        """The degrees of freedom."""
        return self._df

    @property
    def loc(self) -> Tensor:
        """The place."""
        return self._loc

    @property
    def scale(self) -> Tensor:
        """The scale."""
        return self._scale

    def _sample_n(self, n: Tensor, seed: int | None = None) -> Tensor:
        normal = random_normal(self._sizes(n), dtype=self.dtype, seed=seed)
        df = self._whole(self._df)
        chi = random_gamma([n], 0.5 * df, beta=0.5, dtype=self.dtype, seed=new_seed(seed, "student_t"))
        return normal * inverse_root(chi / df) * self._scale + self._loc

    def _log_prob(self, x: Tensor) -> Tensor:
        df: Any = self._df
        y = (x - self._loc) / self._scale
        constant_part = log(absolute(self._scale)) + 0.5 * log(df) + 0.5 * math.log(math.pi)
        constant_part = constant_part + lgamma(0.5 * df) - lgamma(0.5 * (df + 1.0))
        return -0.5 * (df + 1.0) * log1p(square(y) / df) - constant_part  # type: ignore[no-any-return]

    def _cdf(self, x: Tensor) -> Tensor:
        y = (x - self._loc) / absolute(self._scale) * ones(self._batch_shape_tensor(), self.dtype)
        df = self._df * ones_like(y)
        below = 0.5 * betainc(0.5 * df, 0.5 * ones_like(y), df / (square(y) + df))
        return where(y < 0.0, below, 1.0 - below)

    def _entropy(self) -> Tensor:
        df = self._whole(self._df)
        half, both = 0.5 * df, 0.5 * (df + 1.0)
        log_beta = lgamma(0.5 * ones_like(df)) + lgamma(half) - lgamma(both)
        return log(absolute(self._scale)) + 0.5 * log(df) + log_beta + both * (digamma(both) - digamma(half))

    def _mean(self) -> Tensor:
        df = self._whole(self._df)
        check = "mean not defined for components of df <= 1"
        return self._undefined(df > 1.0, self._whole(self._loc), lambda: assert_less(ones_like(df), df, message=check))

    def _variance(self) -> Tensor:
        df = self._whole(self._df)
        finite = square(self._scale) * df / where(df > 2.0, df - 2.0, ones_like(df))
        infinite = constant(np.inf, self.dtype) * ones_like(df)
        check = "variance not defined for components of df <= 1"
        return self._undefined(
            df > 1.0, where(df > 2.0, finite, infinite), lambda: assert_less(ones_like(df), df, message=check)
        )

    def _mode(self) -> Tensor:
        return self._whole(self._loc)


@RegisterKL(Normal, Normal)
def _normals(a: Normal, b: Normal, name: str | None = None) -> Tensor:
    ratio: Any = square(a.scale / b.scale)
    return square(a.loc - b.loc) / (2.0 * square(b.scale)) + 0.5 * (ratio - 1.0 - log(ratio))  # type: ignore[no-any-return]


@RegisterKL(Gamma, Gamma)
def _gammas(a: Gamma, b: Gamma, name: str | None = None) -> Tensor:
    first: Any = a.concentration
    second: Any = b.concentration
    shapes = (first - second) * digamma(first) + lgamma(second) - lgamma(first)
    return shapes + second * (log(a.rate) - log(b.rate)) + first * (b.rate / a.rate - 1.0)  # type: ignore[no-any-return]


@RegisterKL(Beta, Beta)
def _betas(a: Beta, b: Beta, name: str | None = None) -> Tensor:
    def part(first: Any, second: Any) -> Any:
        return (second - first) * digamma(first)

    found = b._log_beta() - a._log_beta()
    found = found - part(a.concentration1, b.concentration1) - part(a.concentration0, b.concentration0)
    return found + part(a.total_concentration, b.total_concentration)  # type: ignore[no-any-return]
