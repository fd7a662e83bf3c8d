"""The random functions that people call: TensorFlow's signatures, composed of the ops.

Nodes are made in TensorFlow's order and with its names, since seeds that nobody gave count nodes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..array.fills import zeros_like
from ..core import dtypes
from ..core.convert import convert_to_tensor
from ..core.dtypes import as_dtype
from ..core.node import Tensor
from ..core.scopes import name_scope
from ..math.binary import add_v2, maximum, multiply, realdiv, subtract
from . import draw
from .gamma import random_gamma_op
from .multinomial import multinomial_op
from .seeds import seed_attrs


def _shape_tensor(shape: Any) -> Tensor:
    empty = isinstance(shape, list | tuple) and not shape
    return convert_to_tensor(shape, dtypes.int32 if empty else None, "shape")


def random_uniform(
    shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = dtypes.float32, seed: int | None = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Draws from the uniform distribution over [minval, maxval).

    Args:
      shape: 1-D integers, the shape of the output.
      minval: the lower bound, included; broadcast to the shape for floats, 0-D for integers.
      maxval: the upper bound, excluded; 1 by default for floats, required for integers.
      dtype: float16, bfloat16, float32, float64, int32 or int64.
      seed: the op's seed; see `set_random_seed`.
      name: name of the node.

    Raises:
      ValueError: for another dtype, or integers without `maxval`.
    """
    wanted = as_dtype(dtype)
    if wanted not in (*draw.FLOATS, *draw.INTEGERS):
        raise ValueError(f"Invalid dtype {wanted!r}")
    if maxval is None:
        if wanted.is_integer:
            raise ValueError(f"Must specify maxval for integer dtype {wanted!r}")
        maxval = 1
    with name_scope(name, "random_uniform", [shape, minval, maxval]) as scope:
        dims = _shape_tensor(shape)
        low = convert_to_tensor(minval, wanted, "min")
        high = convert_to_tensor(maxval, wanted, "max")
        seeds = seed_attrs(seed)
        if wanted.is_integer:
            return _tensor(draw.random_uniform_int(dims, low, high, name=scope, **seeds))
        drawn = _tensor(draw.random_uniform(dims, dtype=wanted, **seeds))
        span = subtract(high, low, name="sub")
        return _tensor(add_v2(multiply(drawn, span, name="mul"), low, name=scope))


def random_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = dtypes.float32, seed: int | None = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Draws from the normal distribution of this mean and standard deviation, which broadcast to the shape."""
    with name_scope(name, "random_normal", [shape, mean, stddev]) as scope:
        return _scaled(draw.random_standard_normal, shape, mean, stddev, dtype, seed, scope)


def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = dtypes.float32, seed: int | None = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Draws from the normal distribution, again where a value lies two standard deviations from the mean or further."""
    with name_scope(name, "truncated_normal", [shape, mean, stddev]) as scope:
        return _scaled(draw.truncated_normal, shape, mean, stddev, dtype, seed, scope)


def _scaled(decl: Any, shape: Any, mean: Any, stddev: Any, dtype: Any, seed: int | None, scope: str) -> Tensor:
    dims = _shape_tensor(shape)
    centre = convert_to_tensor(mean, as_dtype(dtype), "mean")
    width = convert_to_tensor(stddev, as_dtype(dtype), "stddev")
    drawn = _tensor(decl(dims, dtype=as_dtype(dtype), **seed_attrs(seed)))
    return _tensor(add_v2(multiply(drawn, width, name="mul"), centre, name=scope))


def multinomial(
    logits: Any, num_samples: Any, seed: int | None = None, name: str | None = None, output_dtype: Any = None
) -> Tensor:
    """Draws classes by their unnormalised log-probabilities.

    Args:
      logits: (batch, classes).
      num_samples: 0-D, how many to draw for each row.
      seed: the op's seed; see `set_random_seed`.
      name: name of the node's scope.
      output_dtype: int32 or int64, which is the default.

    Returns:
      Class numbers (batch, num_samples).
    """
    with name_scope(name, "multinomial", [logits]):
        classes = convert_to_tensor(logits, name="logits")
        wanted = as_dtype(output_dtype) if output_dtype else dtypes.int64
        return _tensor(multinomial_op(classes, num_samples, output_dtype=wanted, **seed_attrs(seed)))


def random_categorical(
    logits: Any, num_samples: Any, dtype: Any = None, seed: int | None = None, name: str | None = None
) -> Tensor:
    """Draws classes by their unnormalised log-probabilities; as `multinomial`, known as `tf.random.categorical`."""
    with name_scope(name, "categorical", [logits]):
        classes = convert_to_tensor(logits, name="logits")
        wanted = as_dtype(dtype) if dtype else dtypes.int64
        return _tensor(multinomial_op(classes, num_samples, output_dtype=wanted, **seed_attrs(seed)))


def random_gamma(
    shape: Any, alpha: Any, beta: Any = None, dtype: Any = dtypes.float32, seed: int | None = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Draws from the gamma distributions of shape parameters `alpha` and inverse scales `beta`.

    Args:
      shape: 1-D integers: how many samples of each parameter.
      alpha: the shape parameters, positive.
      beta: the inverse scales, 1 by default; alpha and beta broadcast.
      dtype: float16, float32 or float64.
      seed: the op's seed; see `set_random_seed`.
      name: name of the node's scope.

    Returns:
      Samples, `shape` + the broadcast shape of alpha and beta.
    """
    wanted = as_dtype(dtype)
    with name_scope(name, "random_gamma", [shape, alpha, beta]):
        dims = convert_to_tensor(shape, dtypes.int32, "shape")
        alphas = convert_to_tensor(alpha, wanted, "alpha")
        betas = convert_to_tensor(1 if beta is None else beta, wanted, "beta")
        broadcast = add_v2(alphas, zeros_like(betas), name="add")
        drawn = _tensor(random_gamma_op(dims, broadcast, **seed_attrs(seed)))
        smallest = np.finfo(wanted.as_numpy_dtype).tiny
        return _tensor(maximum(smallest, realdiv(drawn, betas, name="truediv")))


def _tensor(built: Any) -> Tensor:
    tensor: Tensor = built
    return tensor
