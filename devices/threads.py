"""The host's worker threads, among which work on large arrays is divided.

State: `_pools`, one pool for the process, made on first use, and anew in a child after a fork. The caller's thread takes
the first part itself, so a machine with one core never sees a second thread.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

import numpy as np


class _Pools:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.pool: ThreadPoolExecutor | None = None

    def forget(self) -> None:
        self.lock = threading.Lock()
        self.pool = None


_pools = _Pools()
os.register_at_fork(after_in_child=_pools.forget)


def _pool() -> ThreadPoolExecutor:
    with _pools.lock:
        if _pools.pool is None:
            _pools.pool = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="millstream")
        return _pools.pool


def divide(work: Callable[[int, int], None], size: int, unit: int) -> None:
    """Call `work(start, stop)` on parts of 0 to `size` that begin at multiples of `unit`, on all cores, and wait.

    NumPy's warnings are off in every part, since threads do not inherit the caller's errstate. The first error of a
    part is raised when all parts have ended.
    """
    workers = os.cpu_count() or 1
    step = max(unit, -(-size // (workers * unit)) * unit)
    jobs: list[Future[None]] = []
    try:
        for start in range(step, size, step):
            jobs.append(_pool().submit(_quietly, work, start, min(start + step, size)))
        _quietly(work, 0, min(step, size))
    finally:
        _join(jobs)
    for job in jobs:
        job.result()


def _join(jobs: list[Future[None]]) -> None:
    """Wait until no part runs any more, whatever interrupts the waiting: nobody writes to an array that was handed back."""
    interrupt: BaseException | None = None
    for job in jobs:
        while not job.done():
            try:
                wait([job])
            except BaseException as error:
                interrupt = error
    if interrupt is not None:
        raise interrupt


def _quietly(work: Callable[[int, int], None], start: int, stop: int) -> None:
    with np.errstate(all="ignore"):
        work(start, stop)
