"""The rows of a sketch computed by OpenMP's team of threads: oneDNN's, which is awake where a product has just been made.

What the interpreter calls hands the addresses of all arrays on in a table; each thread finds its number, and from that its
rows. The interpreter's lock is held until all are done, so a kernel's memory serves one call at a time. In a child after a
fork, which has no team, the caller computes all rows itself.

State: `_tables`, those of this process's kernels, whose first number tells that there is no team.
"""

from __future__ import annotations

import ctypes
import os
from typing import Any
from weakref import WeakSet

import numpy as np

from ..onednn import signals
from . import compiled, team
from .nest_rows import Rows
from .nests import Sketch

# Nanoseconds of work for each thread from which on a team pays: a team that sleeps is woken up in about as long.
LEAST = 5000.0
# Numbers that each thread has to call NumPy's loops with.
_NUMBERS = 8
# Where a table keeps the signals that were held back before, and its numbers before the addresses.
SIGNALS = 3
FIXED = SIGNALS + signals.ROOM // 8
_SOURCE = """
def team(data):
    given = carray(data, ({total},), i8)
    me, count = u8(number()), u8(threads())
    step = (u8({rows}) + count - u8(1)) // count
    lo = min(step * me, u8({rows}))
    hi = min(lo + step, u8({rows}))
    if lo < hi:
        own = carray(address(u8(given[1]) + me * u8({bytes})), ({numbers},), i8)
        rows({arguments}, own, given[2:3], lo, hi)
"""


class Table:
    """What one kernel hands to its threads: `numbers` are whether there is no team, where threads have numbers of their own,
    whether one gave up, a set of signals, and the addresses of so many arrays; behind them the threads' own."""

    def __init__(self, arrays: int) -> None:
        self.numbers = np.zeros(FIXED + arrays + team.MOST * _NUMBERS, np.int64)
        self.numbers[1] = self.numbers[FIXED + arrays :].ctypes.data
        _tables.add(self)


_tables: WeakSet[Table] = WeakSet()


def _no_team() -> None:
    for table in _tables:
        table.numbers[0] = 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_no_team)


def rows_of(sketch: Sketch) -> Rows | None:
    """Return what of a sketch a team is to compute, or None where there is no team or too little work."""
    threads = team.threads()
    if threads < 2:
        return None
    rows = Rows(sketch)
    return rows if rows.work >= LEAST * threads else None


def source(count: int, codes: list[tuple[int, str]]) -> str:
    """Return the source of what each thread calls; `codes` are the size and dtype of each array, size 0 for a number."""
    arguments = [
        f"carray(address(u8(given[{FIXED + i}])), ({size or 1},), {code}){'' if size else '[0]'}"
        for i, (size, code) in enumerate(codes)
    ]
    return _SOURCE.format(
        total=FIXED + len(codes), rows=count, bytes=_NUMBERS * 8, numbers=_NUMBERS, arguments=", ".join(arguments)
    )


def compiled_team(text: str, rows: Any) -> dict[str, Any]:
    """Return the names with which a source of a caller starts the team: `start`, and `team`, the address of what threads call.

    `mask(how, every, before)` holds signals back meanwhile: see onednn/signals.py.
    """
    numba, names = compiled.numba_names()
    functions = team.openmp()
    scope = {
        **names, "carray": numba.carray, "address": team.pointers(numba), "rows": rows,
        "number": functions["omp_get_thread_num"], "threads": functions["omp_get_num_threads"],
    }  # fmt: skip
    exec(compile(text, "<team>", "exec"), scope)
    function = numba.cfunc(numba.types.void(numba.types.voidptr), nopython=True)(scope["team"])
    kind = ctypes.CFUNCTYPE(None, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_uint, ctypes.c_uint)
    start = kind(ctypes.cast(functions["GOMP_parallel"], ctypes.c_void_p).value or 0)
    alone = ctypes.CFUNCTYPE(None, ctypes.c_size_t)(function.address)
    held = signals.numbers()
    mask = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_size_t, ctypes.c_size_t)(held.mask)
    return {
        "start": start, "alone": alone, "team": np.uint64(function.address), "kept": function,
        "mask": mask, "how": np.int32(held.how), "every": np.uint64(held.every),
    }  # fmt: skip
