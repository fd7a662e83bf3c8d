"""`tf.contrib.layers`' initialisers: variance scaling with its own defaults, and Xavier's."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ...ops.core import dtypes
from ...ops.core.dtypes import as_dtype
from ...ops.core.node import Tensor
from ...ops.random.public import random_uniform, truncated_normal
from ...ops.variables.initializers import fans

Initializer = Callable[..., Tensor]


def variance_scaling_initializer(
    factor: float = 2.0,
    mode: str = "FAN_IN",
    uniform: bool = False,
    seed: int | None = None,
    dtype: Any = dtypes.float32,
) -> Initializer:
    """Return an initialiser of variance `factor / n`, n the number of inputs, of outputs, or their mean.

    Args:
      factor: 2 suits relu (He), 1 suits tanh.
      mode: "FAN_IN", "FAN_OUT" or "FAN_AVG".
      uniform: draw uniformly, else from a truncated normal distribution.

    Raises:
      TypeError: for modes and dtypes that there are not.
    """
    if not as_dtype(dtype).is_floating:
        raise TypeError("Cannot create initializer for non-floating point type.")
    if mode not in ("FAN_IN", "FAN_OUT", "FAN_AVG"):
        raise TypeError(f"Unknown mode {mode} [FAN_IN, FAN_OUT, FAN_AVG]")

    def initializer(shape: Any, dtype: Any = dtype, partition_info: Any = None) -> Tensor:
        wanted = as_dtype(dtype)
        if not wanted.is_floating:
            raise TypeError("Cannot create initializer for non-floating point type.")
        inputs, outputs = fans(shape if partition_info is None else partition_info.full_shape)
        n = {"FAN_IN": float(inputs), "FAN_OUT": float(outputs), "FAN_AVG": (inputs + outputs) / 2.0}[mode]
        if uniform:
            limit = math.sqrt(3.0 * factor / n)
            return random_uniform(shape, -limit, limit, wanted, seed=seed)
        # A normal distribution that is cut off at two standard deviations has a smaller one: 1.3 makes up for it.
        return truncated_normal(shape, 0.0, math.sqrt(1.3 * factor / n), wanted, seed=seed)

    return initializer


def xavier_initializer(uniform: bool = True, seed: int | None = None, dtype: Any = dtypes.float32) -> Initializer:
    """Return an initialiser that keeps the scale of a layer's inputs and of its gradients alike (Glorot)."""
    return variance_scaling_initializer(factor=1.0, mode="FAN_AVG", uniform=uniform, seed=seed, dtype=dtype)


xavier_initializer_conv2d = xavier_initializer
