"""Compiled updates by a gradient that is a product of matrices, made and used up piece by piece by OpenMP's team.

Each thread has rows of the gradient. It has oneDNN make some of them, in memory of its own that its cache holds, updates the
variables there, and goes on: the gradient as a whole is never stored. oneDNN computes with one thread inside a team. Should it
refuse a piece, for want of memory, plain loops make that one: variables that are written over cannot be left half-way.
"""

from __future__ import annotations

import ctypes
from functools import lru_cache
from typing import Any

import numpy as np

from ..onednn.library import library
from ..onednn.signals import without_signals
from ..scratch import lanes
from ..types import Array
from . import compiled, team
from .program import Program

# Elements of the gradient that a thread makes at a time: as many as its cache holds beside the variables' own.
_PIECE = 1 << 16
# Numbers of a table before the addresses of variables.
_FIXED = 12
_FLOAT = np.dtype(np.float32)
_SOURCE = """
def by_hand(made, left, down, along, right, step, inner):
    for i in range(made.shape[0]):
        for j in range(made.shape[1]):
            total = f4(0)
            for k in range(inner):
                a = carray(address(left + (u8(i) * down + u8(k) * along) * u8(4)), (1,), f4)
                b = carray(address(right + (u8(k) * step + u8(j)) * u8(4)), (1,), f4)
                total += a[0] * b[0]
            made[i, j] = total

def entry(data):
    given = carray(data, ({count},), u8)
    rows, columns, inner, piece = given[0], given[1], given[2], given[3]
    left, down, along, right, step = given[4], given[5], given[6], given[7], given[8]
    team, me = u8(threads()), u8(number())
    share = (rows + team - u8(1)) // team
    lo = min(share * me, rows)
    stop = min(lo + share, rows)
    own = given[9] + me * piece * columns * u8(4)
    scalars = carray(address(given[10]), ({scalars},), f8)
    done = carray(address(given[11]), ({most},), u1)
    while lo < stop:
        height = min(piece, stop - lo)
        size, at = height * columns, lo * columns * u8(4)
        first = left + lo * down * u8(4)
        turned = 78 if along == 1 else 84
        if multiply(
            turned, 78, height, columns, inner, f4(1), address(first), max(down, along), address(right), step, f4(0),
            address(own), columns,
        ) != 0:
            by_hand(carray(address(own), (height, columns), f4), first, down, along, right, step, inner)
        done[me] = 0
        kernel(u8(0), size, size, u8(0), u8({room}), u8(0), {arguments}, done, me)
        lo += height
"""


class ProductTeam:
    """Compiled loops that write over variables, run by a team on pieces of a gradient `left · right`."""

    def __init__(self, function: Any) -> None:
        self._function = function

    def run(self, variables: list[Array], scalars: list[Any], left: Array, right: Array) -> None:
        """Update variables of one axis, and wait; `left` has rows or columns that are contiguous, `right` rows."""
        (rows, inner), columns = left.shape, right.shape[1]
        piece = max(1, min(_PIECE // columns, rows))
        down, along = (stride // left.itemsize for stride in left.strides)
        numbers, done = np.array(scalars, np.float64), np.zeros(team.MOST, np.uint8)
        with lanes(team.threads() * piece * columns, (_FLOAT,)) as (own,):
            addresses = [array.ctypes.data for array in (own, numbers, done, *variables)]
            factors = left.ctypes.data, down, along, right.ctypes.data, right.strides[0] // right.itemsize
            data = np.array([rows, columns, inner, piece, *factors, *addresses], np.uint64)
            without_signals(team.openmp()["GOMP_parallel"], self._function.address, data.ctypes.data, 0, 0)


def takes(left: Array, right: Array) -> bool:
    """Tell whether matrices are as `run` needs them, and large enough for a team."""
    by_columns = left.strides[0] == _FLOAT.itemsize and left.strides[1] >= left.shape[0] * _FLOAT.itemsize
    by_rows = left.strides[1] == _FLOAT.itemsize and left.strides[0] >= left.shape[1] * _FLOAT.itemsize
    right_by_rows = right.strides[1] == _FLOAT.itemsize and right.strides[0] >= right.shape[1] * _FLOAT.itemsize
    floats = left.dtype == right.dtype == _FLOAT
    enough = left.shape[0] * right.shape[1] >= team.LEAST
    return bool(floats and (by_rows or by_columns) and right_by_rows and enough)


def request(program: Program, kinds: str, kernel: compiled.Kernel, cells: int) -> compiled.Request:
    """Return the request for running the loops of `kernel`, whose inputs are `cells` variables, their gradient and scalars."""
    if any(dtype != _FLOAT for dtype in program.inputs) or len(program.inputs) == cells + 1:
        return compiled.NEVER
    return compiled.requested(
        ("product team", id(kernel)), lambda: made(len(kinds) - cells - 1, kernel, cells, multiply())
    )


@lru_cache(maxsize=1)
def multiply() -> Any:
    """Return oneDNN's product as compiled code calls it."""
    kinds = [ctypes.c_int8 if kind is ctypes.c_char else kind for kind in library().functions["sgemm"].argtypes]
    address = ctypes.cast(library().functions["sgemm"], ctypes.c_void_p).value
    return ctypes.CFUNCTYPE(ctypes.c_int, *kinds)(address or 0)


def made(scalars: int, kernel: compiled.Kernel, cells: int, multiply: Any) -> ProductTeam:
    """Return what runs a kernel; `multiply` is the C function that makes the pieces."""
    numba, names = compiled.numba_names()
    at = [f"carray(address(given[{_FIXED + i}] + at), (size,), f4)" for i in range(cells)]
    arguments = [*at, "carray(address(own), (size,), f4)", *(f"f4(scalars[{i}])" for i in range(scalars))]
    source = _SOURCE.format(
        count=_FIXED + cells, scalars=scalars, most=team.MOST, room=team.ROOM, arguments=", ".join(arguments)
    )  # fmt: skip
    functions = team.openmp()
    scope = {
        **names, "carray": numba.carray, "address": team.pointers(numba), "kernel": kernel.function, "multiply": multiply,
        "number": functions["omp_get_thread_num"], "threads": functions["omp_get_num_threads"],
    }  # fmt: skip
    exec(compile(source, "<team>", "exec"), scope)
    scope["by_hand"] = numba.njit(scope["by_hand"])
    return ProductTeam(numba.cfunc(numba.types.void(numba.types.voidptr), nopython=True)(scope["entry"]))
