"""Holding signals back while oneDNN computes.

The code that oneDNN generates for products uses memory below its stack's end, further than the system spares when it puts a
signal's frame there. A Ctrl-C or a timer then changed addresses that it wrote to, and broke the heap. So signals wait for the
end of the call. OpenMP's threads are made inside such calls and never see any; the process's other threads still do. So whatever
else starts a team of OpenMP's, compiled loops too, holds them back as well.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import c_int, c_ulong, c_void_p
from functools import cache
from signal import SIG_SETMASK
from typing import Any, NamedTuple

# The system's sets of signals have room for 1,024.
_Set = c_ulong * (1024 // (8 * ctypes.sizeof(c_ulong)))
_HOW = int(SIG_SETMASK)
_ALL = _Set(*[~0] * len(_Set()))


@cache
def _mask() -> Any:
    """Return C's pthread_sigmask; called with the interpreter's lock held, since giving it up would cost more than the call."""
    function = ctypes.PyDLL(None).pthread_sigmask
    function.argtypes, function.restype = (c_int, c_void_p, c_void_p), c_int
    return function


class Numbers(NamedTuple):
    """What compiled code holds signals back with: `mask(how, every, before)`, later `mask(how, before, 0)`.

    `mask` is the address of C's function, `every` that of the set of all signals; `before` has room for `ROOM` bytes.
    """

    mask: int
    how: int
    every: int


ROOM = ctypes.sizeof(_Set)


@cache
def numbers() -> Numbers:
    """Return the addresses that compiled code needs to do what `without_signals` does."""
    mask = ctypes.cast(_mask(), c_void_p).value
    assert mask is not None
    return Numbers(mask, _HOW, ctypes.addressof(_ALL))


def without_signals(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return `function(*arguments)`; signals to this thread wait meanwhile.

    Python looks for signals at calls only. Between the `try` and the call that holds them back there is none, so an interrupt
    never leaves them held back, and what is brought back is what was found.
    """
    mask, before = _mask(), _Set()
    try:
        mask(_HOW, _ALL, before)
        return function(*arguments)
    finally:
        mask(_HOW, before, None)
