"""Compiled updates in place by OpenMP's team of threads, the one that oneDNN computes with.

That team is awake where a product has just been made, and one call of C starts it and waits for it, so it pays for
updates a tenth as large as handing parts to threads of Python's does. What it computes happens wholly: nothing in Python
runs before the call returns. Signals wait meanwhile, as they do for oneDNN: the call may be the one that makes the team's
threads, which must never see any. Only where oneDNN, and so its OpenMP, is there; a child after a fork has no team.
"""

from __future__ import annotations

import ctypes
import importlib
from functools import lru_cache
from typing import Any

import numpy as np

from ..errors import DeviceError
from ..onednn.library import forked, library
from ..onednn.signals import without_signals
from . import compiled
from .layout import SCALAR
from .loops import short
from .program import Program

# Elements from which on a second core pays.
LEAST = 1 << 17
# Threads that a call has room for.
MOST = 256
# Lanes of reductions that a kernel is told of; updates have none.
ROOM = 1024
_SOURCE = """
def entry(data):
    given = carray(data, ({count},), u8)
    team, me, size = u8(threads()), u8(number()), given[0]
    step = (size // team // u8(16) + u8(1)) * u8(16)
    lo = min(step * me, size)
    hi = min(lo + step, size)
    scalars = carray(address(given[1]), ({scalars},), f8)
    done = carray(address(given[2]), ({most},), u1)
    if lo < hi:
        kernel(lo, hi, hi - lo, u8(0), u8({room}), u8(0), {arguments}, done, me)
"""


class TeamKernel:
    """Compiled loops that write over some of their inputs, run by a team; `items` are arrays of one axis and scalars."""

    def __init__(self, function: Any, kinds: str) -> None:
        self._function = function
        self._scalars = [i for i, kind in enumerate(kinds) if kind == SCALAR]
        self._arrays = [i for i, kind in enumerate(kinds) if kind != SCALAR]
        self._start = openmp()["GOMP_parallel"]

    def run(self, items: list[Any]) -> None:
        """Compute all elements and wait."""
        scalars = np.array([items[i] for i in self._scalars], np.float64)
        arrays = [items[i] for i in self._arrays]
        done = np.zeros(MOST, np.uint8)
        addresses = [array.ctypes.data for array in (scalars, done, *arrays)]
        data = np.array([arrays[0].size, *addresses], np.uint64)
        without_signals(self._start, self._function.address, data.ctypes.data, 0, 0)


def threads() -> int:
    """Return how many threads the team has; 1 where there is none."""
    try:
        found = 1 if forked() else int(library().omp.omp_get_max_threads())
    except DeviceError:
        return 1
    return found if found <= MOST else 1


def available() -> bool:
    """Tell whether there is a team of several threads, all cores' worth of them."""
    return threads() > 1


def request(program: Program, kinds: str, kernel: compiled.Kernel) -> compiled.Request:
    """Return the request for running the loops of `kernel`, a line of a program's inputs of these kinds, by a team."""
    floats = all(dtype.kind == "f" for dtype, kind in zip(program.inputs, kinds, strict=True) if kind == SCALAR)
    if not floats or SCALAR not in kinds:
        return compiled.NEVER
    return compiled.requested(("team", id(kernel)), lambda: _made(program, kinds, kernel))


@lru_cache(maxsize=1)
def openmp() -> dict[str, Any]:
    """Return the functions of OpenMP that are called, declared."""
    omp = library().omp
    start = omp.GOMP_parallel
    start.argtypes, start.restype = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint), None
    found = {"GOMP_parallel": start}
    for name in ("omp_get_thread_num", "omp_get_num_threads"):
        found[name] = getattr(omp, name)
        found[name].argtypes, found[name].restype = (), ctypes.c_int
    return found


def _made(program: Program, kinds: str, kernel: compiled.Kernel) -> TeamKernel:
    numba, names = compiled.numba_names()
    arguments, arrays, scalars = [], 0, 0
    for i, kind in enumerate(kinds):
        code = short(program.inputs[i])
        if kind == SCALAR:
            arguments.append(f"{code}(scalars[{scalars}])")
            scalars += 1
        else:
            arguments.append(f"carray(address(given[{3 + arrays}]), (size,), {code})")
            arrays += 1
    source = _SOURCE.format(
        count=3 + arrays, scalars=scalars, most=MOST, room=ROOM, arguments=", ".join(arguments)
    )  # fmt: skip
    functions = openmp()
    scope = {
        **names, "carray": numba.carray, "address": pointers(numba), "kernel": kernel.function,
        "number": functions["omp_get_thread_num"], "threads": functions["omp_get_num_threads"],
    }  # fmt: skip
    exec(compile(source, "<team>", "exec"), scope)
    return TeamKernel(numba.cfunc(numba.types.void(numba.types.voidptr), nopython=True)(scope["entry"]), kinds)


@lru_cache(maxsize=1)
def pointers(numba: Any) -> Any:
    """Return a function, for compiled code, from an address as a number to a pointer."""
    extending, ir = importlib.import_module("numba.extending"), importlib.import_module("llvmlite.ir")

    @extending.intrinsic  # type: ignore[untyped-decorator]
    def address(context: Any, number: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())

        return numba.types.voidptr(numba.types.uint64), build

    return address
