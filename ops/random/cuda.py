"""Samples made on a GPU: the same counters as `sampling`, one thread a block or a region.

Two kernels are enough: `philox_words` writes blocks, which the distribution then converts with the device's own array
functions, and the truncated normals, whose redrawing needs a loop in every thread. Simulated GPUs run the host's
functions as stand-ins. Nothing here waits for the device.

Invariant: the arithmetic follows `distributions` step by step, so that the values are the host's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from . import philox
from .distributions import Distribution
from .sampling import blocks_for, converted, counters, region

_THREADS = 256

_PHILOX = """
struct Block { unsigned int w[4]; };

__device__ Block philox(unsigned int key0, unsigned int key1, unsigned int upper0, unsigned int upper1,
                        unsigned long long counter) {
  unsigned int a = (unsigned int)counter, b = (unsigned int)(counter >> 32), c = upper0, d = upper1;
  for (int i = 0; i < 10; ++i) {
    unsigned long long p = 0xD2511F53ull * a, q = 0xCD9E8D57ull * c;
    a = (unsigned int)(q >> 32) ^ b ^ key0;
    c = (unsigned int)(p >> 32) ^ d ^ key1;
    b = (unsigned int)q;
    d = (unsigned int)p;
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  Block block = {{a, b, c, d}};
  return block;
}
"""

_PARAMETERS = """(unsigned int key0, unsigned int key1, unsigned int upper0, unsigned int upper1,
  unsigned long long start, unsigned long long step, unsigned long long count, %s* out) {
  unsigned long long i = (unsigned long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  unsigned long long counter = start + i * step;
"""

WORDS = (
    _PHILOX
    + 'extern "C" __global__ void philox_words'
    + _PARAMETERS % "unsigned int"
    + """
  Block block = philox(key0, key1, upper0, upper1, counter);
  for (int j = 0; j < 4; ++j) out[4 * i + j] = block.w[j];
}
"""
)

_NORMAL_FLOAT32 = """
__device__ void normals(Block block, float* out) {
  for (int j = 0; j < 4; j += 2) {
    float u = __uint_as_float((block.w[j] & 0x7FFFFFu) | 0x3F800000u) - 1.0f;
    float v = __uint_as_float((block.w[j + 1] & 0x7FFFFFu) | 0x3F800000u) - 1.0f;
    float angle = (float)((double)v * 6.283185307179586);
    float radius = sqrtf((float)log((double)fmaxf(u, 1.0e-7f)) * -2.0f);
    double tangent = tan((double)angle * 0.5);
    double cosine = 2.0 / (tangent * tangent + 1.0);
    out[j] = (float)(cosine * tangent) * radius;
    out[j + 1] = (float)(cosine - 1.0) * radius;
  }
}
"""

_NORMAL_FLOAT64 = """
__device__ double uniform(unsigned int high, unsigned int low) {
  return __hiloint2double((int)((high & 0xFFFFFu) | 0x3FF00000u), (int)low) - 1.0;
}

__device__ void normals(Block block, double* out) {
  double angle = uniform(block.w[2], block.w[3]) * 6.283185307179586;
  double radius = sqrt(-2.0 * log(fmax(uniform(block.w[0], block.w[1]), 1.0e-7)));
  out[0] = sin(angle) * radius;
  out[1] = cos(angle) * radius;
}
"""

_TRUNCATED = """
  for (int kept = 0; kept < WIDTH; ++counter) {
    REAL drawn[WIDTH];
    normals(philox(key0, key1, upper0, upper1, counter), drawn);
    for (int j = 0; j < WIDTH && kept < WIDTH; ++j)
      if (drawn[j] < (REAL)2 && drawn[j] > (REAL)-2) out[WIDTH * i + kept++] = drawn[j];
  }
}
"""


def _truncated(name: str, real: str, width: int, normals: str) -> str:
    body = _TRUNCATED.replace("REAL", real).replace("WIDTH", str(width))
    return f'{_PHILOX}{normals}extern "C" __global__ void {name}{_PARAMETERS % real}{body}'


# The kernel that draws truncated normals of so many values a block: its name, its code and the type that it writes.
TRUNCATED = {
    4: ("truncated_float32", _truncated("truncated_float32", "float", 4, _NORMAL_FLOAT32), np.float32),
    2: ("truncated_float64", _truncated("truncated_float64", "double", 2, _NORMAL_FLOAT64), np.float64),
}


def device_samples(xp: Namespace, key: philox.Key, start: int, size: int, distribution: Distribution) -> Array:
    """Return the `size` samples of the run that starts at counter `start`, a new array (size,) of `xp`'s device."""
    count = blocks_for(distribution, size)
    if not count:
        return xp.empty(0, distribution.dtype)
    if distribution.truncated:
        name, code, dtype = TRUNCATED[distribution.per_block]
        values = xp.empty((count, distribution.per_block), dtype)
        kernel = xp.raw_kernel(name, code, partial(_truncated_stand_in, distribution))
    else:
        values = xp.empty((count, 4), xp.uint32)
        kernel = xp.raw_kernel("philox_words", WORDS, _words_stand_in)
    _launch(kernel, key, start, region(distribution), count, values)
    if not distribution.truncated:
        values = distribution.convert(xp, values)
    return values.reshape(-1)[:size].astype(distribution.dtype, copy=False)


def _launch(kernel: Callable[..., None], key: philox.Key, start: int, step: int, count: int, out: Array) -> None:
    """Launch one thread for each of `count` counters, `step` apart."""
    words = (np.uint32(word) for word in key.words())
    grid = (math.ceil(count / _THREADS),)
    kernel(grid, (_THREADS,), (*words, np.uint64(start), np.uint64(step), np.uint64(count), out))


def _unpack(args: tuple[Any, ...]) -> tuple[philox.Key, Array, Array]:
    """Return the key, the counters and the output out of the arguments of a launch."""
    *words, start, step, count, out = args
    key0, key1, upper0, upper1 = map(int, words)
    return philox.Key(key0 | key1 << 32, upper0 | upper1 << 32), counters(int(start), 0, int(count), int(step)), out


def _words_stand_in(*args: Any) -> None:
    key, places, out = _unpack(args)
    out[...] = philox.words(key, places)


def _truncated_stand_in(distribution: Distribution, *args: Any) -> None:
    key, places, out = _unpack(args)
    out[...] = converted(key, places, distribution)
