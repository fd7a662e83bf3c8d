"""TensorFlow's distributions as functions of Philox blocks.

Each `Distribution` turns blocks, uint32 (..., 4), into its values; how many values a block gives, and whether values
are rejected, is TensorFlow's choice and part of the contract, for it decides which counter a value comes from.

Invariant: the same blocks give the same values on every device. Integers and uniforms are exact. Normals go through
float64, whose last-bit differences between libraries vanish in the rounding to float32: against TensorFlow, which
rounds inside float32, they differ by at most three units in the last place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import ml_dtypes
import numpy as np

from ...devices.types import Array, Namespace

Convert = Callable[[Namespace, Array], Array]

TRUNCATION = 2.0

_BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
_SMALLEST = 1.0e-7  # keeps the logarithm finite


@dataclass(frozen=True, eq=False)
class Distribution:
    """How blocks become values: `per_block` values a block; `truncated` ones are redrawn beyond two deviations.

    `dtype` is the samples'; `convert` may give a wider one. `in_place` says that it leaves the values where the blocks were.
    Two distributions are the same when they are one object.
    """

    dtype: np.dtype[np.generic]
    per_block: int
    convert: Convert
    truncated: bool = False
    in_place: bool = False


def _uniform_float32(xp: Namespace, blocks: Array) -> Array:
    xp.bitwise_and(blocks, xp.uint32(0x7FFFFF), out=blocks)
    xp.bitwise_or(blocks, xp.uint32(0x3F800000), out=blocks)
    values = blocks.view(xp.float32)
    return xp.subtract(values, xp.float32(1), out=values)


def _uniform_float64(xp: Namespace, blocks: Array) -> Array:
    high = (blocks[..., 0::2] & xp.uint32(0xFFFFF) | xp.uint32(0x3FF00000)).astype(xp.uint64)
    bits = high << xp.uint64(32) | blocks[..., 1::2]
    return bits.view(xp.float64) - 1.0


def _uniform_float16(xp: Namespace, blocks: Array) -> Array:
    bits = blocks.astype(xp.uint16) & xp.uint16(0x3FF) | xp.uint16(0x3C00)
    return bits.view(xp.float16) - xp.float16(1)


def _uniform_bfloat16(xp: Namespace, blocks: Array) -> Array:
    return ((blocks & xp.uint32(0x7F)).astype(xp.float32) * xp.float32(1 / 128)).astype(_BFLOAT16)


def _polar_float32(xp: Namespace, blocks: Array) -> Array:
    """Box-Muller on pairs of words, rounded to float32 where TensorFlow rounds.

    Sine and cosine come from the tangent of half the angle: one library call instead of two, and a quick one.
    """
    uniform = _uniform_float32(xp, blocks)
    wide = xp.maximum(uniform[..., 0::2], xp.float32(_SMALLEST)).astype(xp.float64)
    radius = xp.log(wide, out=wide).astype(xp.float32)
    radius *= xp.float32(-2)
    xp.sqrt(radius, out=radius)
    # Half of TensorFlow's angle: halving is exact, so rounding it is rounding the angle.
    wide[...] = uniform[..., 1::2]
    wide *= np.pi
    wide[...] = wide.astype(xp.float32)
    tangent = xp.tan(wide, out=wide)
    cosine = tangent * tangent
    cosine += 1.0
    xp.divide(2.0, cosine, out=cosine)
    tangent *= cosine
    cosine -= 1.0
    xp.multiply(tangent.astype(xp.float32), radius, out=uniform[..., 0::2])
    xp.multiply(cosine.astype(xp.float32), radius, out=uniform[..., 1::2])
    return uniform


def _polar_float64(xp: Namespace, blocks: Array) -> Array:
    uniform = _uniform_float64(xp, blocks)
    angle = uniform[..., 1::2] * (2.0 * np.pi)
    radius = xp.sqrt(-2.0 * xp.log(xp.maximum(uniform[..., 0::2], _SMALLEST)))
    uniform[..., 0::2] = xp.sin(angle) * radius
    uniform[..., 1::2] = xp.cos(angle) * radius
    return uniform


def _polar_as(dtype: np.dtype[np.generic], xp: Namespace, blocks: Array) -> Array:
    return _polar_float32(xp, blocks).astype(dtype)


def _integers(dtype: type[np.signedinteger], low: int, span: int, xp: Namespace, blocks: Array) -> Array:
    """Return `low` plus the words modulo `span`, wrapping as two's complement does."""
    if dtype is np.int32:
        unsigned, drawn = xp.uint32, blocks
    else:
        unsigned = xp.uint64
        drawn = blocks[..., 0::2].astype(xp.uint64) | blocks[..., 1::2].astype(xp.uint64) << xp.uint64(32)
    bits = 8 * np.dtype(dtype).itemsize
    return (drawn % unsigned(span) + unsigned(low % 2**bits)).view(dtype)


UNIFORM = {
    np.dtype(np.float32): Distribution(np.dtype(np.float32), 4, _uniform_float32, in_place=True),
    np.dtype(np.float64): Distribution(np.dtype(np.float64), 2, _uniform_float64),
    np.dtype(np.float16): Distribution(np.dtype(np.float16), 4, _uniform_float16),
    _BFLOAT16: Distribution(_BFLOAT16, 4, _uniform_bfloat16),
}

NORMAL = {
    np.dtype(np.float32): Distribution(np.dtype(np.float32), 4, _polar_float32, in_place=True),
    np.dtype(np.float64): Distribution(np.dtype(np.float64), 2, _polar_float64),
    np.dtype(np.float16): Distribution(np.dtype(np.float16), 4, partial(_polar_as, np.dtype(np.float16))),
    _BFLOAT16: Distribution(_BFLOAT16, 4, partial(_polar_as, _BFLOAT16)),
}

# TensorFlow compares before it rounds to a narrow type: those are cut in float32, and converted last.
TRUNCATED_NORMAL = {
    dtype: Distribution(dtype, normal.per_block, _polar_float64 if normal.per_block == 2 else _polar_float32, True)
    for dtype, normal in NORMAL.items()
}


@lru_cache(maxsize=256)
def uniform_integers(dtype: type[np.signedinteger], low: int, high: int) -> Distribution:
    """Return the uniform distribution of `dtype` (int32 or int64) over [low, high); low < high."""
    return Distribution(np.dtype(dtype), 4 if dtype is np.int32 else 2, partial(_integers, dtype, low, high - low))
