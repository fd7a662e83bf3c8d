"""Initialisers: callables that make a variable's initial value for a shape.

Each is configured once and called with a shape and a dtype; `get_config` tells how it was configured, as in TensorFlow.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..array import diag_part, reshape, transpose
from ..array.fills import ones, zeros
from ..core import shapes
from ..core.convert import constant
from ..core.dtypes import DType, as_dtype, float32
from ..core.node import Tensor
from ..linalg import qr
from ..math import sign
from ..random.public import random_normal, random_uniform, truncated_normal

# The standard deviation of a normal distribution of deviation 1 that is cut off at 2.
_TRUNCATED_DEVIATION = 0.87962566103423978


class Initializer:
    """The base class: `initializer(shape, dtype=None)` returns a tensor."""

    _settings: tuple[str, ...] = ()
    dtype: DType

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal initialiser."""
        config = {name: getattr(self, name) for name in self._settings}
        return {**config, "dtype": self.dtype.name} if hasattr(self, "dtype") else config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Initializer:
        """Return the initialiser of a configuration."""
        return cls(**config)

    def _dtype(self, dtype: Any) -> DType:
        return self.dtype if dtype is None else as_dtype(dtype)


class Zeros(Initializer):
    """Makes zeros."""

    def __init__(self, dtype: Any = float32) -> None:
        self.dtype = as_dtype(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        return zeros(shape, self._dtype(dtype))


class Ones(Initializer):
    """Makes ones."""

    def __init__(self, dtype: Any = float32) -> None:
        self.dtype = as_dtype(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        return ones(shape, self._dtype(dtype))


class Constant(Initializer):
    """Makes a constant of `value`, which is a number or fills the shape; with `verify_shape` it must have it."""

    _settings = ("value",)

    def __init__(self, value: Any = 0, dtype: Any = float32, verify_shape: bool = False) -> None:
        if not (np.isscalar(value) or isinstance(value, list | tuple | np.ndarray)):
            raise TypeError(
                f"Invalid type for initial value: {type(value)} (expected Python scalar, list or tuple of "
                "values, or numpy.ndarray)."
            )
        self.value = value
        self.dtype = as_dtype(dtype)
        self._verify_shape = verify_shape

    def __call__(
        self, shape: Any, dtype: Any = None, partition_info: Any = None, verify_shape: bool | None = None
    ) -> Tensor:
        verify = self._verify_shape if verify_shape is None else verify_shape
        return constant(self.value, self._dtype(dtype), shape, verify_shape=verify)


class RandomUniform(Initializer):
    """Draws from [minval, maxval), for integers as for floats."""

    _settings = ("minval", "maxval", "seed")

    def __init__(self, minval: Any = 0.0, maxval: Any = None, seed: int | None = None, dtype: Any = float32) -> None:
        self.minval, self.maxval, self.seed, self.dtype = minval, maxval, seed, as_dtype(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        return random_uniform(shape, self.minval, self.maxval, self._dtype(dtype), seed=self.seed)


class RandomNormal(Initializer):
    """Draws from a normal distribution."""

    _settings = ("mean", "stddev", "seed")

    def __init__(self, mean: Any = 0.0, stddev: Any = 1.0, seed: int | None = None, dtype: Any = float32) -> None:
        self.mean, self.stddev, self.seed, self.dtype = mean, stddev, seed, _floating(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        return random_normal(shape, self.mean, self.stddev, self._dtype(dtype), seed=self.seed)


class TruncatedNormal(RandomNormal):
    """Draws from a normal distribution, anew where a draw is more than two standard deviations off."""

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        return truncated_normal(shape, self.mean, self.stddev, self._dtype(dtype), seed=self.seed)


class UniformUnitScaling(Initializer):
    """Draws uniformly so that the scale of a layer's input is kept: within sqrt(3 / inputs) * factor."""

    _settings = ("factor", "seed")

    def __init__(self, factor: float = 1.0, seed: int | None = None, dtype: Any = float32) -> None:
        self.factor, self.seed, self.dtype = factor, seed, _floating(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        full = shape if partition_info is None else partition_info.full_shape
        inputs = math.prod(_sizes(full)[:-1]) or 1
        bound = math.sqrt(3 / max(1.0, inputs)) * self.factor
        return random_uniform(shape, -bound, bound, self._dtype(dtype), seed=self.seed)


class VarianceScaling(Initializer):
    """Draws so that the variance is `scale` over the number of inputs, of outputs, or their mean.

    `mode` is "fan_in", "fan_out" or "fan_avg"; `distribution` "uniform", "truncated_normal" or "untruncated_normal".
    """

    _settings: tuple[str, ...] = ("scale", "mode", "distribution", "seed")

    def __init__(
        self, scale: float = 1.0, mode: str = "fan_in", distribution: str = "truncated_normal", seed: int | None = None,
        dtype: Any = float32,
    ) -> None:  # fmt: skip
        if scale <= 0.0:
            raise ValueError(f"Argument `scale` must be a positive float. Received: {scale}")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(f"Argument `mode` should be one of ('fan_in', 'fan_out', 'fan_avg'). Received: {mode}")
        distribution = distribution.lower()
        if distribution not in ("normal", "uniform", "truncated_normal", "untruncated_normal"):
            raise ValueError(
                f"Argument `distribution` should be one of ('normal', 'uniform', 'truncated_normal', "
                f"'untruncated_normal'). Received: {distribution}"
            )
        self.scale, self.mode, self.distribution, self.seed, self.dtype = (
            scale,
            mode,
            distribution,
            seed,
            _floating(dtype),
        )

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        fan_in, fan_out = fans(shape if partition_info is None else partition_info.full_shape)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2.0}[self.mode]
        scale = self.scale / max(1.0, fan)
        wanted = self._dtype(dtype)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * scale)
            return random_uniform(shape, -limit, limit, wanted, seed=self.seed)
        if self.distribution == "untruncated_normal":
            return random_normal(shape, 0.0, math.sqrt(scale), wanted, seed=self.seed)
        return truncated_normal(shape, 0.0, math.sqrt(scale) / _TRUNCATED_DEVIATION, wanted, seed=self.seed)


class _FixedScaling(VarianceScaling):
    """Variance scaling whose settings its name fixes."""

    _settings = ("seed",)


class GlorotUniform(_FixedScaling):
    """Draws uniformly within sqrt(6 / (inputs + outputs)); the default for floating-point variables."""

    def __init__(self, seed: int | None = None, dtype: Any = float32) -> None:
        super().__init__(1.0, "fan_avg", "uniform", seed, dtype)


class GlorotNormal(_FixedScaling):
    """Draws from a truncated normal distribution of variance 2 / (inputs + outputs)."""

    def __init__(self, seed: int | None = None, dtype: Any = float32) -> None:
        super().__init__(1.0, "fan_avg", "truncated_normal", seed, dtype)


class Identity(Initializer):
    """Makes `gain` times the identity matrix; only for two-dimensional shapes."""

    _settings = ("gain",)

    def __init__(self, gain: float = 1.0, dtype: Any = float32) -> None:
        self.gain, self.dtype = gain, _floating(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        sizes = _sizes(shape if partition_info is None else partition_info.full_shape)
        if len(sizes) != 2:
            raise ValueError(
                f"The tensor to initialize, specified by argument `shape` must be at least two-dimensional. "
                f"Received shape={shape}"
            )
        wanted = self._dtype(dtype)
        kind = wanted.as_numpy_dtype
        whole = np.eye(*sizes, dtype=kind) * kind(self.gain)
        if partition_info is not None:
            ends = [start + size for start, size in zip(partition_info.var_offset, _sizes(shape), strict=True)]
            whole = whole[tuple(slice(start, end) for start, end in zip(partition_info.var_offset, ends, strict=True))]
        return constant(whole, wanted, name="eye")


class Orthogonal(Initializer):
    """Makes `gain` times a matrix with orthonormal rows or columns, from the QR decomposition of a normal one.

    All dimensions but the last count as rows.
    """

    _settings = ("gain", "seed")

    def __init__(self, gain: float = 1.0, seed: int | None = None, dtype: Any = float32) -> None:
        self.gain, self.seed, self.dtype = gain, seed, _floating(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        sizes, wanted = _sizes(shape), self._dtype(dtype)
        if len(sizes) < 2:
            raise ValueError(
                "The tensor to initialize, specified by argument `shape` must be at least two-dimensional. Received "
                f"shape={shape}"
            )
        rows, columns = math.prod(sizes[:-1]), sizes[-1]
        drawn = random_normal([max(rows, columns), min(rows, columns)], dtype=wanted, seed=self.seed)
        q, r = qr(drawn, full_matrices=False)
        # The signs of R's diagonal make the decomposition unique, and so the result uniform over orthogonal matrices.
        signed: Any = q * sign(diag_part(r))
        if rows < columns:
            signed = transpose(signed)
        return self.gain * reshape(signed, sizes)


def fans(shape: Any) -> tuple[float, float]:
    """Return how many inputs and outputs one unit of a layer with weights of this shape has."""
    sizes = _sizes(shape)
    if len(sizes) < 2:
        return (1, 1) if not sizes else (sizes[0], sizes[0])
    field = math.prod(sizes[:-2])
    return sizes[-2] * field, sizes[-1] * field


def _sizes(shape: Any) -> list[int]:
    dims = shapes.as_shape_tuple(shape)
    if not shapes.is_static(dims):
        raise ValueError(f"The shape of an initialised value must be fully defined, not {shapes.format_shape(dims)}")
    return [int(d) for d in dims or () if d is not None]


def _floating(dtype: Any) -> DType:
    found = as_dtype(dtype)
    if not found.is_floating:
        raise ValueError(f"Argument `dtype` expected to be numeric or boolean. Received {found}.")
    return found


def he_normal(seed: int | None = None) -> VarianceScaling:
    """Return an initialiser of variance 2 / inputs, from a truncated normal distribution."""
    return VarianceScaling(2.0, "fan_in", "truncated_normal", seed)


def he_uniform(seed: int | None = None) -> VarianceScaling:
    """Return an initialiser of variance 2 / inputs, from a uniform distribution."""
    return VarianceScaling(2.0, "fan_in", "uniform", seed)


def lecun_normal(seed: int | None = None) -> VarianceScaling:
    """Return an initialiser of variance 1 / inputs, from a truncated normal distribution."""
    return VarianceScaling(1.0, "fan_in", "truncated_normal", seed)


def lecun_uniform(seed: int | None = None) -> VarianceScaling:
    """Return an initialiser of variance 1 / inputs, from a uniform distribution."""
    return VarianceScaling(1.0, "fan_in", "uniform", seed)


def default_initializer(name: str, dtype: DType) -> Initializer:
    """Return what `get_variable` uses where it is given no initialiser: Glorot's for floats, zeros for the rest.

    Raises:
      ValueError: for dtypes without a default, with the variable's `name`.
    """
    if dtype.is_floating:
        return GlorotUniform()
    if dtype.is_integer or dtype.is_unsigned or dtype.is_bool or dtype.name == "string":
        return Zeros()
    raise ValueError(f"An initializer for variable {name} of {dtype} is required")


zeros_initializer = Zeros
ones_initializer = Ones
constant_initializer = Constant
random_uniform_initializer = RandomUniform
random_normal_initializer = RandomNormal
truncated_normal_initializer = TruncatedNormal
uniform_unit_scaling_initializer = UniformUnitScaling
variance_scaling_initializer = VarianceScaling
glorot_uniform_initializer = GlorotUniform
glorot_normal_initializer = GlorotNormal
orthogonal_initializer = Orthogonal

__all__ = [
    "constant_initializer", "glorot_normal_initializer", "glorot_uniform_initializer", "ones_initializer",
    "orthogonal_initializer", "random_normal_initializer", "random_uniform_initializer", "truncated_normal_initializer",
    "uniform_unit_scaling_initializer", "variance_scaling_initializer", "zeros_initializer",
]  # fmt: skip
