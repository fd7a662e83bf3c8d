"""NVIDIA's run-time compiler through ctypes: compiles CUDA on machines that have no GPU, to see that it compiles."""

import ctypes
import importlib.util
import pathlib

_PRELUDE = """
struct float16 {
    unsigned short bits;
    __device__ float16() {}
    __device__ float16(float x) { asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x)); }
    __device__ operator float() const { float x; asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(bits)); return x; }
};
"""


def library():
    """Returns the loaded library, or None where the package nvidia-cuda-nvrtc-cu12 (or -cu13) is not installed."""
    try:
        spec = importlib.util.find_spec("nvidia")
    except ValueError:
        return None
    for root in spec.submodule_search_locations if spec else ():
        for path in sorted(pathlib.Path(root).rglob("libnvrtc.so.1*")):
            return ctypes.CDLL(str(path))
    return None


def kernel(name, in_params, out_params, types, operation):
    """Returns a whole kernel around the body of an element-wise one, as CuPy puts a loop around it."""
    inputs, outputs = ([p.split() for p in params.split(", ")] for params in (in_params, out_params))
    arrays = [f"const {types[kind]}* in_{n}" for kind, n in inputs] + [f"{types[kind]}* out_{n}" for kind, n in outputs]
    reads = " ".join(f"const {types[kind]} {n} = in_{n}[at];" for kind, n in inputs)
    outs = " ".join(f"{types[kind]} {n};" for kind, n in outputs)
    writes = " ".join(f"out_{n}[at] = {n};" for _, n in outputs)
    return (
        f'extern "C" __global__ void {name}(long long size, {", ".join(arrays)}) {{\n'
        f"const long long at = blockIdx.x * (long long)blockDim.x + threadIdx.x;\nif (at >= size) return;\n"
        f"{reads}\n{outs}\n{operation}\n{writes}\n}}\n"
    )


def compile_cuda(nvrtc, source):
    """Compiles for a GPU of today and returns the compiler's complaints, "" when there are none."""
    program = ctypes.c_void_p()
    text = (_PRELUDE + source).encode()
    assert nvrtc.nvrtcCreateProgram(ctypes.byref(program), text, b"test.cu", 0, None, None) == 0
    options = (ctypes.c_char_p * 2)(b"-arch=sm_90", b"--std=c++17")
    failed = nvrtc.nvrtcCompileProgram(program, 2, options)
    size = ctypes.c_size_t()
    nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    nvrtc.nvrtcGetProgramLog(program, log)
    nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    return log.value.decode() if failed else ""
