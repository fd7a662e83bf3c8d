"""Distributions of vectors: the normal distribution whose numbers are independent."""

from __future__ import annotations

import math
from typing import Any

from ...array import (
    broadcast_dynamic_shape,
    broadcast_static_shape,
    concat,
    matrix_diag,
    ones,
    ones_like,
    shape,
    zeros_like,
)
from ...core.node import Tensor
from ...core.scopes import name_scope
from ...core.shapes import TensorShape
from ...math import abs as absolute
from ...math import log, reduce_sum, square
from ...nn import softplus
from ...random import random_normal
from ..checks import assert_positive
from .base import FULLY_REPARAMETERIZED, Distribution, RegisterKL, checked, parameter

_LOG_TWO_PI = math.log(2 * math.pi)


class MultivariateNormalDiag(Distribution):
    """The normal distribution of vectors, (..., k), of mean `loc`, whose numbers are independent.

    The deviations are `scale_diag`, or `scale_identity_multiplier` for all numbers, or the sum of both; 1 when neither is given.

    Raises:
      ValueError: when nothing says how many numbers a vector has.
    """

    def __init__(
        self, loc: Any = None, scale_diag: Any = None, scale_identity_multiplier: Any = None, validate_args: bool = False,
        allow_nan_stats: bool = True, name: str = "MultivariateNormalDiag",
    ) -> None:  # fmt: skip
        parameters = dict(locals())
        if loc is None and scale_diag is None:
            raise ValueError(
                "Must specify at least one of `loc` and `scale_diag`: they say how many numbers a vector has."
            )
        with name_scope(name) as scope:
            mean = None if loc is None else parameter(loc, "loc")
            kind = None if mean is None else mean.dtype
            deviation = None if scale_diag is None else parameter(scale_diag, "scale_diag", kind)
            if scale_identity_multiplier is not None:
                known = mean if deviation is None else deviation
                each = parameter(
                    scale_identity_multiplier, "scale_identity_multiplier", None if known is None else known.dtype
                )
                spread = each[..., None] * ones_like(known)
                deviation = spread if deviation is None else deviation + spread
            self._scale = ones_like(mean) if deviation is None else deviation
            if validate_args:
                self._scale = checked(self._scale, [assert_positive(absolute(self._scale))])
            self._loc = zeros_like(self._scale) if mean is None else mean
        super().__init__(
            self._loc.dtype, FULLY_REPARAMETERIZED, validate_args, allow_nan_stats, parameters,
            graph_parents=[self._loc, self._scale], name=scope,
        )  # fmt: skip

    @property
    def loc(self) -> Tensor:
        """The mean."""
        return self._loc

    def _whole_static(self) -> TensorShape:
        return broadcast_static_shape(self._loc.shape, self._scale.shape)

    def _whole_shape(self) -> Tensor:
        return broadcast_dynamic_shape(shape(self._loc), shape(self._scale))

    def _batch_shape(self) -> TensorShape:
        batch: TensorShape = self._whole_static()[:-1]
        return batch

    def _batch_shape_tensor(self) -> Tensor:
        return self._whole_shape()[:-1]

    def _event_shape(self) -> TensorShape:
        event: TensorShape = self._whole_static()[-1:]
        return event

    def _event_shape_tensor(self) -> Tensor:
        return self._whole_shape()[-1:]

    def _whole(self, value: Tensor) -> Tensor:
        whole: Tensor = value * ones(self._whole_shape(), self.dtype)
        # Broadcast shapes that a run computes say nothing of a 1.
        whole.set_shape(self._whole_static())
        return whole

    def _sample_n(self, n: Tensor, seed: int | None = None) -> Tensor:
        sizes = concat([[n], self._whole_shape()], 0)
        drawn: Tensor = random_normal(sizes, dtype=self.dtype, seed=seed) * self._scale + self._loc
        return drawn

    def _log_determinant(self) -> Any:
        return reduce_sum(log(absolute(self._whole(self._scale))), -1)

    def _log_prob(self, x: Tensor) -> Tensor:
        standard = (x - self._loc) / self._scale
        found: Tensor = -0.5 * reduce_sum(square(standard) + _LOG_TWO_PI, -1) - self._log_determinant()
        return found

    def _entropy(self) -> Tensor:
        found: Tensor = (
            reduce_sum(0.5 * (1 + _LOG_TWO_PI) * self._whole(ones_like(self._loc)), -1) + self._log_determinant()
        )
        return found

    def _mean(self) -> Tensor:
        return self._whole(self._loc)

    def _mode(self) -> Tensor:
        return self._mean()

    def _stddev(self) -> Tensor:
        return absolute(self._whole(self._scale))

    def _variance(self) -> Tensor:
        return square(self._whole(self._scale))

    def _covariance(self) -> Tensor:
        made: Tensor = matrix_diag(self._variance())
        return made


class MultivariateNormalDiagWithSoftplusScale(MultivariateNormalDiag):
    """A MultivariateNormalDiag whose deviations are softplus of `scale_diag`."""

    def __init__(
        self, loc: Any, scale_diag: Any, validate_args: bool = False, allow_nan_stats: bool = True,
        name: str = "MultivariateNormalDiagWithSoftplusScale",
    ) -> None:  # fmt: skip
        parameters = dict(locals())
        with name_scope(name) as scope:
            deviation = softplus(parameter(scale_diag, "scale_diag"))
            super().__init__(loc, deviation, None, validate_args, allow_nan_stats, scope)
        self._parameters = {key: value for key, value in parameters.items() if key not in ("self", "__class__")}


@RegisterKL(MultivariateNormalDiag, MultivariateNormalDiag)
def _normals(a: MultivariateNormalDiag, b: MultivariateNormalDiag, name: str | None = None) -> Tensor:
    with name_scope(name, "kl_mvn"):
        ratio = square(a._scale / b._scale)
        found: Tensor = 0.5 * reduce_sum(ratio + square((a._loc - b._loc) / b._scale) - 1.0 - log(ratio), -1)
        return found
