"""The ops that draw samples of a shape: uniform, uniform integers, normal, truncated normal.

A node's counter is the session's, in a `PhiloxStream` that the kernels of all devices share; so a node draws the same
numbers wherever it is placed. Invariant: one run of a node makes one reservation, empty outputs included.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..core import dtypes
from ..core.context import KernelContext
from ..core.dtypes import DType
from ..core.errors import InvalidArgumentError
from ..core.registry import OpDecl, op
from ..core.shape_rules import of_input_value
from .cuda import device_samples
from .distributions import NORMAL, TRUNCATED_NORMAL, UNIFORM, Distribution, uniform_integers
from .sampling import RESERVED
from .stream import PhiloxStream

FLOATS = (dtypes.float16, dtypes.bfloat16, dtypes.float32, dtypes.float64)
INTEGERS = (dtypes.int32, dtypes.int64)

Draw = Callable[[KernelContext, Array, int, int, Distribution], Array]


def stream_of(ctx: KernelContext, seed: int, seed2: int) -> PhiloxStream:
    """Return the stream of the node that runs."""
    stream: PhiloxStream = ctx.node_state(lambda: PhiloxStream(seed, seed2))
    return stream


def dims_of(shape: Array) -> tuple[tuple[int, ...], int]:
    """Return a shape in host memory as a tuple, and its number of elements."""
    dims, size = tuple(shape.tolist()), 1
    for dim in dims:
        if dim < 0:
            raise InvalidArgumentError(None, None, f"Dimension {dim} must be >= 0, the shape is {list(dims)}")
        size *= dim
    return dims, size


def host_draw(ctx: KernelContext, shape: Array, seed: int, seed2: int, distribution: Distribution) -> Array:
    """Draw in host memory."""
    dims, size = dims_of(shape)
    return stream_of(ctx, seed, seed2).sample(distribution, size).reshape(dims)


def device_draw(ctx: KernelContext, shape: Array, seed: int, seed2: int, distribution: Distribution) -> Array:
    """Draw on the device that the node was placed on."""
    dims, size = dims_of(shape)
    stream = stream_of(ctx, seed, seed2)
    return device_samples(ctx.device.xp, stream.key, stream.reserve(size * RESERVED), size, distribution).reshape(dims)


DRAWS: dict[str, Draw] = {"CPU": host_draw, "GPU": device_draw}


def _declare(name: str, doc: str, table: dict[np.dtype[Any], Distribution]) -> OpDecl:
    """Declare a float op: the distributions of its dtypes are all that tells one from another."""

    def block(
        ctx: KernelContext, xp: Namespace, shape: Array, *, dtype: DType, seed: int = 0, seed2: int = 0
    ) -> Array: ...

    block.__doc__ = doc
    decl = op(
        name, types="shape: T -> output: dtype", T=INTEGERS, dtype=FLOATS, shape=of_input_value(0), stateful=True,
        host="shape", differentiable=False,
    )(block)  # fmt: skip
    for kind, draw in DRAWS.items():
        decl.kernel(kind)(_float_kernel(draw, table))
    return decl


def _float_kernel(draw: Draw, table: dict[np.dtype[Any], Distribution]) -> Callable[..., Array]:
    def kernel(ctx: KernelContext, xp: Namespace, shape: Array, *, dtype: DType, seed: int, seed2: int) -> Array:
        return draw(ctx, shape, seed, seed2, table[np.dtype(dtype.as_numpy_dtype)])

    return kernel


random_uniform = _declare("RandomUniform", "Draws from the uniform distribution over [0, 1).", UNIFORM)
random_standard_normal = _declare(
    "RandomStandardNormal", "Draws from the normal distribution of mean 0 and standard deviation 1.", NORMAL
)
truncated_normal = _declare(
    "TruncatedNormal",
    "Draws from the standard normal distribution, again where a value lies beyond two standard deviations.",
    TRUNCATED_NORMAL,
)


@op("RandomUniformInt", types="shape: T, minval: Tout, maxval: Tout -> output: Tout", T=INTEGERS, Tout=INTEGERS,
    shape=of_input_value(0), stateful=True, host="shape minval maxval", differentiable=False)  # fmt: skip
def random_uniform_int(
    ctx: KernelContext, xp: Namespace, shape: Array, minval: Array, maxval: Array, *, seed: int = 0, seed2: int = 0
) -> Array:
    """Draws integers uniformly from [minval, maxval); the bias is slight unless the range is near the type's.

    Raises:
      InvalidArgumentError: when minval >= maxval and the shape is not empty.
    """
    ...


def _integers_kernel(draw: Draw) -> Callable[..., Array]:
    def kernel(
        ctx: KernelContext, xp: Namespace, shape: Array, minval: Array, maxval: Array, *, seed: int, seed2: int
    ) -> Array:
        low, high = int(minval), int(maxval)
        if low >= high and shape.all():
            raise InvalidArgumentError(None, None, f"Need minval < maxval, got {low} >= {high}")
        dtype = np.int32 if minval.dtype == np.int32 else np.int64
        return draw(ctx, shape, seed, seed2, uniform_integers(dtype, low, max(high, low + 1)))

    return kernel


for _kind, _draw in DRAWS.items():
    random_uniform_int.kernel(_kind)(_integers_kernel(_draw))
