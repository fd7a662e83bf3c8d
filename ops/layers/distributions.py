"""`tf.distributions`: probability distributions with batches of parameters.

A distribution samples tensors of shape sample_shape + batch_shape; probabilities broadcast values against the parameters.
Invariant: everything is a graph of differentiable functions, so samples of Normal and Uniform have gradients to the parameters.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..array import broadcast_dynamic_shape, concat, expand_dims, ones_like, reshape, shape, transpose, zeros_like
from ..core.convert import convert_to_tensor
from ..core.dtypes import as_dtype
from ..core.node import Tensor
from ..core.scopes import name_scope
from ..core.shapes import TensorShape
from ..math import abs as absolute
from ..math import argmax, cast, erf, exp, log, logical_and, reduce_prod, reduce_sum, square, where
from ..nn import (
    log_softmax,
    sigmoid,
    sigmoid_cross_entropy_with_logits,
    softmax,
    softplus,
    sparse_softmax_cross_entropy_with_logits,
)
from ..random import multinomial, random_normal, random_uniform

__all__ = ["Bernoulli", "Categorical", "Distribution", "Laplace", "Normal", "Uniform", "kl_divergence"]

_HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)
_KL: dict[tuple[type, type], Callable[[Any, Any], Tensor]] = {}


class Distribution:
    """The base of distributions: `name`, `dtype`, and what follows from `_log_prob` and the like.

    Derived classes define `_batch()`, `_draw(shape, seed)`, `_log_prob(value)` and what else they know.
    """

    def __init__(self, dtype: Any, name: str, validate_args: bool, allow_nan_stats: bool) -> None:
        self._dtype, self._name = as_dtype(dtype), name
        self.validate_args, self.allow_nan_stats = validate_args, allow_nan_stats

    @property
    def name(self) -> str:
        """The name of the nodes."""
        return self._name

    @property
    def dtype(self) -> Any:
        """The element type of samples."""
        return self._dtype

    def _batch(self) -> Tensor:
        """Return a tensor of the batch's shape."""
        raise NotImplementedError(f"{type(self).__name__} has no `_batch`")

    def _draw(self, sizes: Tensor, seed: int | None) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} has no `_draw`")

    def _log_prob(self, value: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} has no `_log_prob`")

    @property
    def batch_shape(self) -> TensorShape:
        """The static shape of the parameters."""
        return self._batch().shape

    def batch_shape_tensor(self, name: str = "batch_shape_tensor") -> Tensor:
        """Return the shape of the parameters."""
        return shape(self._batch())

    @property
    def event_shape(self) -> TensorShape:
        """The shape of one event: a scalar's."""
        return TensorShape([])

    def sample(self, sample_shape: Any = (), seed: int | None = None, name: str = "sample") -> Tensor:
        """Return draws of shape `sample_shape` + the batch's shape."""
        with name_scope(f"{self._name}/{name}"):
            outer = reshape(convert_to_tensor(sample_shape, "int32"), [-1])
            batch = self._batch()
            drawn = self._draw(concat([outer, shape(batch)], 0), seed)
            if isinstance(sample_shape, int):
                sample_shape = [sample_shape]
            if isinstance(sample_shape, list | tuple) and batch.dims is not None:
                drawn.set_shape([*sample_shape, *batch.dims])
            return drawn

    def log_prob(self, value: Any, name: str = "log_prob") -> Tensor:
        """Return the logarithm of the probability, or of its density, at a value."""
        with name_scope(f"{self._name}/{name}"):
            return self._log_prob(convert_to_tensor(value, self._dtype))

    def prob(self, value: Any, name: str = "prob") -> Tensor:
        """Return the probability, or its density, at a value."""
        return exp(self.log_prob(value, name))

    def kl_divergence(self, other: Distribution, name: str = "kl_divergence") -> Tensor:
        """Return the Kullback-Leibler divergence of another distribution from this one."""
        return kl_divergence(self, other, name=name)

    def cross_entropy(self, other: Distribution, name: str = "cross_entropy") -> Tensor:
        """Return the entropy plus the divergence of another distribution."""
        return self.entropy() + kl_divergence(self, other)  # type: ignore[attr-defined, no-any-return]

    def __repr__(self) -> str:
        return f"tf.distributions.{type(self).__name__}({self._name!r}, batch_shape={self.batch_shape}, dtype={self._dtype.name})"


class _LocationScale(Distribution):
    """A distribution with a place and a scale."""

    def __init__(self, loc: Any, scale: Any, validate_args: bool, allow_nan_stats: bool, name: str) -> None:
        with name_scope(name):
            self.loc = convert_to_tensor(loc, preferred_dtype="float32", name="loc")
            self.scale = convert_to_tensor(scale, self.loc.dtype.base_dtype, name="scale")
        super().__init__(self.loc.dtype.base_dtype, name, validate_args, allow_nan_stats)

    def _batch(self) -> Tensor:
        return self.loc + zeros_like(self.scale)

    def _standard(self, value: Any) -> Any:
        return (value - self.loc) / self.scale

    def mean(self, name: str = "mean") -> Tensor:
        """Return the mean."""
        return self._batch()

    def mode(self, name: str = "mode") -> Tensor:
        """Return the most probable value."""
        return self._batch()

    def variance(self, name: str = "variance") -> Tensor:
        """Return the variance."""
        return square(self.stddev())

    def stddev(self, name: str = "stddev") -> Tensor:
        """Return the standard deviation."""
        return self.scale * ones_like(self.loc)


class Normal(_LocationScale):
    """The normal distribution of mean `loc` and standard deviation `scale`, which broadcast."""

    def __init__(
        self, loc: Any, scale: Any, validate_args: bool = False, allow_nan_stats: bool = True, name: str = "Normal"
    ) -> None:
        super().__init__(loc, scale, validate_args, allow_nan_stats, name)

    def _draw(self, sizes: Tensor, seed: int | None) -> Tensor:
        return random_normal(sizes, dtype=self._dtype, seed=seed) * self.scale + self.loc

    def _log_prob(self, value: Tensor) -> Tensor:
        return -0.5 * square(self._standard(value)) - (_HALF_LOG_TWO_PI + log(self.scale))

    def cdf(self, value: Any, name: str = "cdf") -> Tensor:
        """Return the probability of values up to this one."""
        known = convert_to_tensor(value, self._dtype)
        return 0.5 * (1.0 + erf(self._standard(known) / math.sqrt(2.0)))

    def entropy(self, name: str = "entropy") -> Tensor:
        """Return the entropy in nats."""
        return (_HALF_LOG_TWO_PI + 0.5) + log(self.stddev())

    def quantile(self, value: Any, name: str = "quantile") -> Tensor:
        """Refuse: the inverse of the error function is not there."""
        raise NotImplementedError("Normal.quantile is not there: it needs the inverse of the error function")


class Laplace(_LocationScale):
    """The Laplace distribution around `loc` with mean deviation `scale`."""

    def __init__(
        self, loc: Any, scale: Any, validate_args: bool = False, allow_nan_stats: bool = True, name: str = "Laplace"
    ) -> None:
        super().__init__(loc, scale, validate_args, allow_nan_stats, name)

    def _draw(self, sizes: Tensor, seed: int | None) -> Tensor:
        tiny = 1.1920929e-07
        drawn = random_uniform(sizes, tiny - 1.0, 1.0, dtype=self._dtype, seed=seed)
        signs = where(drawn < 0.0, -ones_like(drawn), ones_like(drawn))
        return self.loc - self.scale * signs * log(1.0 - absolute(drawn))

    def _log_prob(self, value: Tensor) -> Tensor:
        return -absolute(self._standard(value)) - math.log(2.0) - log(self.scale)

    def stddev(self, name: str = "stddev") -> Tensor:
        """Return the standard deviation."""
        return math.sqrt(2.0) * self.scale * ones_like(self.loc)

    def entropy(self, name: str = "entropy") -> Tensor:
        """Return the entropy in nats."""
        return math.log(2.0) + 1.0 + log(self.scale * ones_like(self.loc))


class Uniform(Distribution):
    """The uniform distribution on [low, high)."""

    def __init__(
        self,
        low: Any = 0.0,
        high: Any = 1.0,
        validate_args: bool = False,
        allow_nan_stats: bool = True,
        name: str = "Uniform",
    ) -> None:
        with name_scope(name):
            self.low = convert_to_tensor(low, preferred_dtype="float32", name="low")
            self.high = convert_to_tensor(high, self.low.dtype.base_dtype, name="high")
        super().__init__(self.low.dtype.base_dtype, name, validate_args, allow_nan_stats)

    def _batch(self) -> Tensor:
        return self.low + zeros_like(self.high)

    def range(self, name: str = "range") -> Tensor:
        """Return `high - low`."""
        return self.high - self.low

    def _draw(self, sizes: Tensor, seed: int | None) -> Tensor:
        return self.low + self.range() * random_uniform(sizes, dtype=self._dtype, seed=seed)

    def prob(self, value: Any, name: str = "prob") -> Tensor:
        """Return the density: `1 / (high - low)` inside, 0 outside."""
        known = convert_to_tensor(value, self._dtype) + zeros_like(self._batch())
        inside = logical_and(known >= self.low, known < self.high)
        return where(inside, zeros_like(known) + 1.0 / self.range(), zeros_like(known))

    def log_prob(self, value: Any, name: str = "log_prob") -> Tensor:
        """Return the logarithm of the density."""
        return log(self.prob(value))

    def mean(self, name: str = "mean") -> Tensor:
        """Return the mean."""
        return (self.low + self.high) / 2.0

    def variance(self, name: str = "variance") -> Tensor:
        """Return the variance."""
        return square(self.range()) / 12.0

    def stddev(self, name: str = "stddev") -> Tensor:
        """Return the standard deviation."""
        return self.range() / math.sqrt(12.0)

    def entropy(self, name: str = "entropy") -> Tensor:
        """Return the entropy in nats."""
        return log(self.range())


class _Discrete(Distribution):
    """A distribution over whole numbers, given by logits or by probabilities."""

    def __init__(
        self, logits: Any, probs: Any, dtype: Any, validate_args: bool, allow_nan_stats: bool, name: str,
        to_logits: Callable[[Tensor], Tensor], to_probs: Callable[[Tensor], Tensor],
    ) -> None:  # fmt: skip
        if (logits is None) == (probs is None):
            raise ValueError("Must pass probs or logits, but not both.")
        with name_scope(name):
            if logits is not None:
                self.logits = convert_to_tensor(logits, preferred_dtype="float32", name="logits")
                self.probs = to_probs(self.logits)
            else:
                self.probs = convert_to_tensor(probs, preferred_dtype="float32", name="probs")
                self.logits = to_logits(self.probs)
        super().__init__(dtype, name, validate_args, allow_nan_stats)


class Bernoulli(_Discrete):
    """1 with probability `probs`, whose logarithm of odds is `logits`, else 0."""

    def __init__(
        self, logits: Any = None, probs: Any = None, dtype: Any = "int32", validate_args: bool = False,
        allow_nan_stats: bool = True, name: str = "Bernoulli",
    ) -> None:  # fmt: skip
        super().__init__(
            logits, probs, dtype, validate_args, allow_nan_stats, name, lambda p: log(p) - log(1.0 - p), sigmoid
        )

    def _batch(self) -> Tensor:
        return self.logits

    def _draw(self, sizes: Tensor, seed: int | None) -> Tensor:
        return cast(random_uniform(sizes, dtype=self.probs.dtype, seed=seed) < self.probs, self._dtype)

    def _log_prob(self, value: Tensor) -> Tensor:
        labels = cast(value, self.logits.dtype)
        logits = self.logits + zeros_like(labels)
        return -sigmoid_cross_entropy_with_logits(labels=labels + zeros_like(self.logits), logits=logits)

    def mean(self, name: str = "mean") -> Tensor:
        """Return the probability of 1."""
        return self.probs

    def mode(self, name: str = "mode") -> Tensor:
        """Return the more probable value."""
        return cast(self.probs > 0.5, self._dtype)

    def variance(self, name: str = "variance") -> Tensor:
        """Return the variance."""
        return self.probs * (1.0 - self.probs)

    def entropy(self, name: str = "entropy") -> Tensor:
        """Return the entropy in nats."""
        return -self.logits * (sigmoid(self.logits) - 1.0) + softplus(-self.logits)


class Categorical(_Discrete):
    """0 to k - 1 with probabilities along the last dimension of `probs`, or the softmax of `logits`."""

    def __init__(
        self, logits: Any = None, probs: Any = None, dtype: Any = "int32", validate_args: bool = False,
        allow_nan_stats: bool = True, name: str = "Categorical",
    ) -> None:  # fmt: skip
        super().__init__(logits, probs, dtype, validate_args, allow_nan_stats, name, log, softmax)

    def _batch(self) -> Tensor:
        return reduce_sum(zeros_like(self.logits), axis=-1)

    @property
    def event_size(self) -> Tensor:
        """The number of categories."""
        return shape(self.logits)[-1]

    def _draw(self, sizes: Tensor, seed: int | None) -> Tensor:
        flat = reshape(self.logits, concat([[-1], [self.event_size]], 0))
        batch = shape(flat)[0]
        count = reduce_prod(sizes) // batch
        drawn = multinomial(flat, count, seed=seed)
        return reshape(cast(transpose(drawn), self._dtype), sizes)

    def _log_prob(self, value: Tensor) -> Tensor:
        wanted = broadcast_dynamic_shape(shape(value), shape(self._batch()))
        labels = value + cast(zeros_like(self._batch()), value.dtype)
        logits = self.logits + zeros_like(expand_dims(cast(labels, self.logits.dtype), -1))
        flat = sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        return -reshape(flat, wanted)

    def mode(self, name: str = "mode") -> Tensor:
        """Return the most probable category."""
        return cast(argmax(self.logits, axis=-1), self._dtype)

    def entropy(self, name: str = "entropy") -> Tensor:
        """Return the entropy in nats."""
        return -reduce_sum(log_softmax(self.logits) * softmax(self.logits), axis=-1)


def _of(first: type, second: type) -> Callable[[Callable[[Any, Any], Tensor]], Callable[[Any, Any], Tensor]]:
    def register(function: Callable[[Any, Any], Tensor]) -> Callable[[Any, Any], Tensor]:
        _KL[first, second] = function
        return function

    return register


@_of(Normal, Normal)
def _normals(a: Normal, b: Normal) -> Tensor:
    ratio: Any = square(a.scale / b.scale)
    return square(a.loc - b.loc) / (2.0 * square(b.scale)) + 0.5 * (ratio - 1.0 - log(ratio))  # type: ignore[no-any-return]


@_of(Bernoulli, Bernoulli)
def _bernoullis(a: Bernoulli, b: Bernoulli) -> Tensor:
    up, down = softplus(b.logits) - softplus(a.logits), softplus(-b.logits) - softplus(-a.logits)
    return a.probs * down + (1.0 - a.probs) * up


@_of(Categorical, Categorical)
def _categoricals(a: Categorical, b: Categorical) -> Tensor:
    difference = log_softmax(a.logits) - log_softmax(b.logits)
    return reduce_sum(softmax(a.logits) * difference, axis=-1)


def kl_divergence(
    distribution_a: Distribution, distribution_b: Distribution, allow_nan_stats: bool = True, name: str | None = None
) -> Tensor:
    """Return the Kullback-Leibler divergence KL(a || b).

    Raises:
      NotImplementedError: for kinds of distribution that have no formula here.
    """
    function = _KL.get((type(distribution_a), type(distribution_b)))
    if function is None:
        raise NotImplementedError(
            f"No KL(distribution_a || distribution_b) registered for distribution_a type {type(distribution_a).__name__} and "
            f"distribution_b type {type(distribution_b).__name__}"
        )
    with name_scope(name, "KullbackLeibler"):
        return function(distribution_a, distribution_b)
