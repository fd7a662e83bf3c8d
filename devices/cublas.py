"""Matrix products that CUDA graphs may hold: cuBLAS through ctypes, on a handle and in a workspace of our own.

CuPy refuses every cuBLAS call while a stream is captured, for its handle allocates behind the capture's back. A handle whose
workspace was set by hand allocates nothing, so its calls can be captured. The library is the one that CuPy has loaded.

State of Products: the handle, and its workspace, which has to live as long as any graph that was captured with it.
"""

from __future__ import annotations

import ctypes
from typing import Any

from .errors import CaptureError, DeviceError
from .types import Array

# What NVIDIA recommends for Hopper; older cards need less.
WORKSPACE_BYTES = 32 << 20
_NAMES = (
    "libcublas.so.13",
    "libcublas.so.12",
    "libcublas.so.11",
    "cublas64_13.dll",
    "cublas64_12.dll",
    "cublas64_11.dll",
)
_PLAIN, _TRANSPOSED = 0, 1
_CALLS: dict[str, tuple[str, Any]] = {"f": ("cublasSgemm_v2", ctypes.c_float), "d": ("cublasDgemm_v2", ctypes.c_double)}


def capturable(a: Array, b: Array) -> bool:
    """Tell whether `Products` can multiply two arrays: float32 or float64 matrices of one type."""
    return a.ndim == b.ndim == 2 and a.dtype == b.dtype and a.dtype.char in _CALLS


def operand(array: Array) -> tuple[int, int] | None:
    """Return how cuBLAS reads a matrix of rows in memory: (operation, leading dimension); None where it has to be copied.

    cuBLAS counts columns first, so it sees the transpose of what lies there in rows.
    """
    (rows, columns), (down, right), size = array.shape, array.strides, array.itemsize
    # Along an axis of length one strides say nothing.
    if array.flags.c_contiguous:
        return _PLAIN, columns
    if array.flags.f_contiguous:
        return _TRANSPOSED, rows
    if right == size and down >= columns * size:
        return _PLAIN, down // size
    if down == size and right >= rows * size:
        return _TRANSPOSED, right // size
    return None


class Products:
    """cuBLAS on one stream of one card, with memory from whatever allocator is current when it is made.

    Args:
      cp: the module cupy. stream: the stream to be captured. library: libcublas; None to look for what is loaded.
    """

    def __init__(self, cp: Any, stream: Any, library: Any = None) -> None:
        self._cp = cp
        self._library = loaded() if library is None else library
        self._handle = ctypes.c_void_p()
        self._check("cublasCreate_v2", ctypes.byref(self._handle))
        self.workspace = cp.cuda.alloc(WORKSPACE_BYTES)
        # In this order: setting the stream takes the workspace back.
        self._check("cublasSetStream_v2", self._handle, ctypes.c_void_p(stream.ptr))
        workspace = ctypes.c_void_p(self.workspace.ptr)
        self._check("cublasSetWorkspace_v2", self._handle, workspace, ctypes.c_size_t(WORKSPACE_BYTES))

    def matmul(self, a: Array, b: Array, out: Array | None = None) -> Array:
        """Return the product of two matrices; NotImplementedError for what `capturable` refuses."""
        if not capturable(a, b):
            raise NotImplementedError(f"a product of {a.dtype}{a.shape} and {b.dtype}{b.shape} cannot be captured")
        if out is not None:
            out[...] = self.matmul(a, b)
            return out
        (rows, inner), columns = a.shape, b.shape[1]
        made = self._cp.empty((rows, columns), a.dtype)
        if rows and columns and inner:
            self._gemm(a, b, made)
        else:
            made.fill(0)
        return made

    def _gemm(self, a: Array, b: Array, made: Array) -> None:
        """Compute made = a b in cuBLAS's terms: made' = b' a', each read as it lies in memory."""
        left, right = self._readable(b), self._readable(a)
        (turn_left, lead_left), (turn_right, lead_right) = operand(left), operand(right)  # type: ignore[misc]
        name, real = _CALLS[made.dtype.char]
        rows, columns = made.shape
        one, zero = real(1), real(0)
        self._check(
            name, self._handle, turn_left, turn_right, columns, rows, a.shape[1], ctypes.byref(one), _pointer(left), lead_left,
            _pointer(right), lead_right, ctypes.byref(zero), _pointer(made), columns,
        )  # fmt: skip

    def _readable(self, array: Array) -> Array:
        return array if operand(array) is not None else self._cp.ascontiguousarray(array)

    def _check(self, name: str, *args: Any) -> None:
        function = getattr(self._library, name)
        function.restype = ctypes.c_int
        status = function(*args)
        if status:
            raise DeviceError(f"{name} failed with cuBLAS's status {status}")

    def close(self) -> None:
        """Give the handle back; no graph that was captured with it may be launched any more."""
        if self._handle:
            self._library.cublasDestroy_v2(self._handle)
            self._handle = ctypes.c_void_p()


def loaded() -> Any:
    """Return the cuBLAS library of this process; CaptureError where there is none."""
    for name in _NAMES:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise CaptureError(f"cuBLAS cannot be loaded under any of the names {', '.join(_NAMES)}")


def _pointer(array: Array) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.data.ptr)
