"""Random ops without state: the numbers are a function of a seed [2] that comes as an input.

The two numbers of the seed pass through one block of Philox under a fixed key, as in TensorFlow, so that near seeds give
unrelated streams. Invariant: equal seeds and shapes give equal numbers, in every run and on every device.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..core import dtypes, shapes
from ..core.convert import convert_to_tensor
from ..core.dtypes import DType, as_dtype
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import OpDecl, op
from ..core.scopes import name_scope
from ..core.shape_rules import constant_value_as_shape
from ..core.shapes import Shape
from ..math.binary import add_v2, multiply, subtract
from . import philox
from .cuda import device_samples
from .distributions import NORMAL, TRUNCATED_NORMAL, UNIFORM, Distribution, uniform_integers
from .draw import FLOATS, INTEGERS, dims_of
from .multinomial import NUMBERS, checked_classes, classes_shape, drawn_classes
from .sampling import samples

_SCRAMBLER = 0x3EC8F720 | 0x02461E29 << 32
_DEFAULTS = {"dtype": dtypes.float32, "T": dtypes.int32, "Tseed": dtypes.int64}


def scrambled(seed: Array) -> philox.Key:
    """Return the stream of a seed [2]."""
    if np.shape(seed) != (2,):
        raise InvalidArgumentError(None, None, f"seed must have shape [2], not {list(np.shape(seed))}")
    first, second = (int(number) % 2**64 for number in seed)
    mixed = philox.words(philox.Key(_SCRAMBLER, second), np.array([first], np.uint64))[0]
    a, b, c, d = (int(word) for word in mixed)
    return philox.Key(a | b << 32, c | d << 32)


def _shape(node: Operation) -> Shape:
    shapes.merge(node.inputs[1].dims, (2,))
    return constant_value_as_shape(node.inputs[0])


def _on_host(xp: Namespace, shape: Array, seed: Array, distribution: Distribution) -> Array:
    dims, size = dims_of(shape)
    return samples(scrambled(seed), 0, size, distribution).reshape(dims)


def _on_device(xp: Namespace, shape: Array, seed: Array, distribution: Distribution) -> Array:
    dims, size = dims_of(shape)
    return device_samples(xp, scrambled(seed), 0, size, distribution).reshape(dims)


_DRAWS: dict[str, Callable[..., Array]] = {"CPU": _on_host, "GPU": _on_device}


def _declare(name: str, doc: str, table: dict[np.dtype[Any], Distribution]) -> OpDecl:
    def block(xp: Namespace, shape: Array, seed: Array, *, dtype: DType) -> Array: ...

    block.__doc__ = doc
    decl = op(
        name, types="shape: T, seed: Tseed -> output: dtype", T=INTEGERS, Tseed=INTEGERS, dtype=FLOATS, shape=_shape,
        host="shape seed", defaults=_DEFAULTS, differentiable=False,
    )(block)  # fmt: skip
    for kind, draw in _DRAWS.items():
        decl.kernel(kind)(_kernel(draw, table))
    return decl


def _kernel(draw: Callable[..., Array], table: dict[np.dtype[Any], Distribution]) -> Callable[..., Array]:
    def kernel(xp: Namespace, shape: Array, seed: Array, *, dtype: DType) -> Array:
        return draw(xp, shape, seed, table[np.dtype(dtype.as_numpy_dtype)])

    return kernel


stateless_uniform_op = _declare(
    "StatelessRandomUniform",
    "Returns the numbers from the uniform distribution over [0, 1) that a seed stands for.",
    UNIFORM,
)
stateless_normal_op = _declare(
    "StatelessRandomNormal", "Returns the numbers from the standard normal distribution that a seed stands for.", NORMAL
)
stateless_truncated_op = _declare(
    "StatelessTruncatedNormal",
    "Returns the numbers from the standard normal distribution, cut at two deviations, that a seed stands for.",
    TRUNCATED_NORMAL,
)


@op(
    "StatelessRandomUniformInt", types="shape: T, seed: Tseed, minval: dtype, maxval: dtype -> output: dtype", T=INTEGERS,
    Tseed=INTEGERS, dtype=INTEGERS, shape=_shape, host="shape seed minval maxval", defaults={"Tseed": dtypes.int64},
    differentiable=False,
)  # fmt: skip
def stateless_integers_op(xp: Namespace, shape: Array, seed: Array, minval: Array, maxval: Array) -> Array:
    """Returns the integers from [minval, maxval) that a seed stands for."""
    ...


def _integers_kernel(draw: Callable[..., Array]) -> Callable[..., Array]:
    def kernel(xp: Namespace, shape: Array, seed: Array, minval: Array, maxval: Array) -> Array:
        low, high = int(minval), int(maxval)
        if low >= high:
            raise InvalidArgumentError(None, None, f"Need minval < maxval, got {low} >= {high}")
        dtype = np.int32 if minval.dtype == np.int32 else np.int64
        return draw(xp, shape, seed, uniform_integers(dtype, low, high))

    return kernel


for _kind, _draw in _DRAWS.items():
    stateless_integers_op.kernel(_kind)(_integers_kernel(_draw))


@op(
    "StatelessMultinomial", types="logits: T, num_samples: int32, seed: Tseed -> output: output_dtype", T=NUMBERS,
    Tseed=INTEGERS, output_dtype=INTEGERS, shape=classes_shape, host="logits num_samples seed output",
    defaults={"Tseed": dtypes.int64, "output_dtype": dtypes.int64}, differentiable=False,
)  # fmt: skip
def stateless_multinomial_op(
    xp: Namespace, logits: Array, num_samples: Array, seed: Array, *, output_dtype: DType = dtypes.int64
) -> Array:
    """Returns the classes (batch, num_samples), by their log-probabilities (batch, classes), that a seed stands for."""
    count = checked_classes(logits, num_samples)
    return drawn_classes(scrambled(seed), 0, logits, count, output_dtype)


def stateless_random_uniform(
    shape: Any, seed: Any, minval: Any = 0, maxval: Any = None, dtype: Any = dtypes.float32, name: str | None = None
) -> Tensor:
    """Return numbers from the uniform distribution over [minval, maxval) that depend on nothing but the arguments.

    Args:
      shape: 1-D integers, the shape of the output.
      seed: two integers.
      minval: the lower bound, included; broadcast to the shape for floats, 0-D for integers.
      maxval: the upper bound, excluded; 1 by default for floats, required for integers.
      dtype: float16, bfloat16, float32, float64, int32 or int64.

    Raises:
      ValueError: for another dtype, or integers without `maxval`.
    """
    wanted = as_dtype(dtype)
    if wanted not in (*FLOATS, *INTEGERS):
        raise ValueError(f"Invalid dtype {wanted!r}")
    if maxval is None:
        if wanted.is_integer:
            raise ValueError(f"Must specify maxval for integer dtype {wanted!r}")
        maxval = 1
    with name_scope(name, "stateless_random_uniform", [shape, seed, minval, maxval]) as scope:
        dims = _dims(shape)
        low, high = convert_to_tensor(minval, wanted, "min"), convert_to_tensor(maxval, wanted, "max")
        if wanted.is_integer:
            return stateless_integers_op(dims, seed, low, high, name=scope)  # type: ignore[no-any-return]
        drawn = stateless_uniform_op(dims, seed, dtype=wanted)
        return add_v2(multiply(drawn, subtract(high, low, name="sub"), name="mul"), low, name=scope)


def _dims(shape: Any) -> Tensor:
    empty = isinstance(shape, list | tuple) and not shape
    return convert_to_tensor(shape, dtypes.int32 if empty else None, "shape")


def stateless_random_normal(
    shape: Any, seed: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = dtypes.float32, name: str | None = None
) -> Tensor:
    """Return numbers from a normal distribution that depend on nothing but the arguments; `seed` is two integers."""
    with name_scope(name, "stateless_random_normal", [shape, seed, mean, stddev]) as scope:
        return _scaled(stateless_normal_op, shape, seed, mean, stddev, dtype, scope)


def stateless_truncated_normal(
    shape: Any, seed: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = dtypes.float32, name: str | None = None
) -> Tensor:
    """Return numbers from a normal distribution cut at two deviations; as `stateless_random_normal`."""
    with name_scope(name, "stateless_truncated_normal", [shape, seed, mean, stddev]) as scope:
        return _scaled(stateless_truncated_op, shape, seed, mean, stddev, dtype, scope)


def _scaled(decl: OpDecl, shape: Any, seed: Any, mean: Any, stddev: Any, dtype: Any, scope: str) -> Tensor:
    kind = as_dtype(dtype)
    dims = _dims(shape)
    centre, width = convert_to_tensor(mean, kind, "mean"), convert_to_tensor(stddev, kind, "stddev")
    drawn = decl(dims, seed, dtype=kind)
    return add_v2(multiply(drawn, width, name="mul"), centre, name=scope)


def stateless_categorical(
    logits: Any, num_samples: Any, seed: Any, dtype: Any = dtypes.int64, name: str | None = None
) -> Tensor:
    """Return classes (batch, num_samples), by their log-probabilities (batch, classes); `seed` is two integers."""
    with name_scope(name, "stateless_categorical", [logits, seed]):
        return _classes(logits, num_samples, dtype, seed)


def stateless_multinomial(
    logits: Any, num_samples: Any, seed: Any, output_dtype: Any = dtypes.int64, name: str | None = None
) -> Tensor:
    """Return classes; the older name of `stateless_categorical`."""
    with name_scope(name, "stateless_multinomial", [logits, seed]):
        return _classes(logits, num_samples, output_dtype, seed)


def _classes(logits: Any, num_samples: Any, dtype: Any, seed: Any) -> Tensor:
    numbers = convert_to_tensor(logits, name="logits")
    wanted = as_dtype(dtype or dtypes.int64)
    return stateless_multinomial_op(numbers, num_samples, seed, output_dtype=wanted)  # type: ignore[no-any-return]
