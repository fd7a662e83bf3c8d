"""The CUDA sources, compiled as C++ where there is a compiler: they compute what their stand-ins compute."""

import ctypes
import shutil
import subprocess

import numpy as np
import pytest

from millstream.ops.random import cuda, philox, sampling
from millstream.ops.random.distributions import TRUNCATED_NORMAL

BUILTINS = """
#include <cmath>
#include <cstring>
#define __device__ static
#define __global__
struct Index { unsigned int x; };
static Index blockIdx, blockDim, threadIdx;
static inline float __uint_as_float(unsigned int bits) { float f; std::memcpy(&f, &bits, 4); return f; }
static inline double __hiloint2double(int high, int low) {
  unsigned long long bits = ((unsigned long long)(unsigned int)high << 32) | (unsigned int)low;
  double d; std::memcpy(&d, &bits, 8); return d;
}
"""

LAUNCH = """
extern "C" void launch(unsigned int a, unsigned int b, unsigned int c, unsigned int d, unsigned long long start,
                       unsigned long long step, unsigned long long count, void* out) {
  blockDim.x = 256;
  for (blockIdx.x = 0; blockIdx.x < (count + 255) / 256; ++blockIdx.x)
    for (threadIdx.x = 0; threadIdx.x < 256; ++threadIdx.x) NAME(a, b, c, d, start, step, count, (TYPE*)out);
}
"""

KEY = philox.Key(2**63 + 5, 2**40 + 77)
COUNT = 50_001


@pytest.fixture
def launch(tmp_path):
    """Compile a kernel and run it over COUNT counters."""
    compiler = shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("no C++ compiler to compile the kernels with")

    def go(name, code, c_type, start, step, out):
        source, library = tmp_path / f"{name}.cpp", tmp_path / f"{name}.so"
        source.write_text(BUILTINS + code + LAUNCH.replace("NAME", name).replace("TYPE", c_type))
        flags = ["-O1", "-shared", "-fPIC", "-ffp-contract=off"]
        subprocess.run([compiler, *flags, source, "-o", library], check=True)
        words = [ctypes.c_uint32(word) for word in KEY.words()]
        places = [ctypes.c_uint64(number) for number in (start, step, COUNT)]
        ctypes.CDLL(str(library)).launch(*words, *places, out.ctypes.data_as(ctypes.c_void_p))
        return out

    return go


def test_words(launch):
    start = 2**32 - 1000
    found = launch("philox_words", cuda.WORDS, "unsigned int", start, 1, np.empty((COUNT, 4), np.uint32))
    np.testing.assert_array_equal(found, philox.words(KEY, sampling.counters(start, 0, COUNT, 1)))


@pytest.mark.parametrize(("dtype", "c_type", "ulps"), [("float32", "float", 1), ("float64", "double", 8)])
def test_truncated_normals(launch, dtype, c_type, ulps):
    distribution = TRUNCATED_NORMAL[np.dtype(dtype)]
    width, step = distribution.per_block, sampling.region(distribution)
    name, code, _ = cuda.TRUNCATED[width]
    found = launch(name, code, c_type, 77, step, np.empty((COUNT, width), dtype))
    expected = sampling.converted(KEY, sampling.counters(77, 0, COUNT, step), distribution)
    np.testing.assert_array_max_ulp(found, expected, ulps)
