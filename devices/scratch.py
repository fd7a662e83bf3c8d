"""Small arrays that a thread writes intermediate values to, kept by the thread: fresh ones would cost page faults each time.

State: `_kept`, per thread, the lanes that nobody uses, by their dtypes. Invariant: lanes are with one user at a time, also where
a finaliser or a signal's handler computes in the middle of another computation.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

Lanes = list[np.ndarray[Any, Any]]


class _Kept(threading.local):
    def __init__(self) -> None:
        self.idle: dict[tuple[Any, ...], list[Lanes]] = {}


_kept = _Kept()


@contextmanager
def lanes(size: int, dtypes: Sequence[np.dtype[Any]]) -> Iterator[Lanes]:
    """Lend an uninitialised array (size,) for each of the dtypes inside the `with` block."""
    idle = _kept.idle.setdefault(tuple(dtypes), [])
    whole = idle.pop() if idle else []
    if not whole or whole[0].size < size:
        whole = [np.empty(size, dtype) for dtype in dtypes]
    yield [lane[:size] for lane in whole]
    # After an error they are not kept: its traceback may still hold them.
    idle.append(whole)
