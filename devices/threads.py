"""The host's worker threads, among which work on large arrays is divided.

Ctrl-C may come between any two bytecodes of the main thread. The standard library's executors take locks in Python code and
can be left locked for ever; here everything that is shared changes by single calls into C: a SimpleQueue, locks that only
signal, and `dict.setdefault`, by which a part gets one owner, its caller or a worker. The caller takes the first part, and
then those that no worker has begun, so a machine with one core never sees a second thread.

State: `_workers.inbox` the parts to be done, `_workers.started` how many threads serve it; both are new in a child after a fork.
Invariant: when `divide` returns or raises (for a second Ctrl-C while it waits, too, but not for a third), no part runs any more.
"""

from __future__ import annotations

import os
from _thread import allocate_lock, start_new_thread
from collections.abc import Callable
from queue import SimpleQueue

import numpy as np

_CALLER, _WORKER = "caller", "worker"

Work = Callable[[int, int], None]


class _Part:
    """One part of some work. `owner` holds who does it, `ended` tells that a worker has, `done` wakes up who waits for that."""

    __slots__ = ("done", "ended", "error", "owner", "start", "stop", "work")

    def __init__(self, work: Work, start: int, stop: int) -> None:
        self.work, self.start, self.stop = work, start, stop
        self.owner: dict[str, str] = {}
        self.ended = False
        self.error: BaseException | None = None
        self.done = allocate_lock()
        self.done.acquire()

    def is_for(self, who: str) -> bool:
        """Give the part to `who` unless it has an owner; tell whether it is theirs."""
        return self.owner.setdefault("owner", who) is who

    def serve(self) -> None:
        """Do the part on a worker's thread, unless its caller has taken it."""
        if not self.is_for(_WORKER):
            return
        try:
            _quietly(self.work, self.start, self.stop)
        except BaseException as error:
            self.error = error
        finally:
            self.ended = True
            self.done.release()

    def wait(self) -> None:
        """Wait until no worker is at the part; one that no worker has begun never will be."""
        if not self.is_for(_CALLER):
            while not self.ended:
                self.done.acquire()


class _Workers:
    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Begin with no threads; those of a parent process do not exist in its child."""
        self.inbox: SimpleQueue[_Part] = SimpleQueue()
        self.started = 0

    def employ(self, count: int) -> None:
        """Have at least so many threads, or fewer where the system gives none: callers do what nobody else does."""
        while self.started < count:
            self.started += 1
            try:
                start_new_thread(_serve, (self.inbox,))
            except RuntimeError:
                return


_workers = _Workers()
os.register_at_fork(after_in_child=_workers.renew)


def _serve(inbox: SimpleQueue[_Part]) -> None:
    while True:
        part = inbox.get()
        part.serve()
        # A part refers to arrays; kept until the next one comes, they would seem to be in use.
        del part


def divide(work: Work, size: int, unit: int, shares: int = 1) -> None:
    """Call `work(start, stop)` on parts of 0 to `size` that begin at multiples of `unit`, on all cores, and wait.

    There are up to `shares` parts for each core: more of them cost more, and even out what else the machine does.

    NumPy's warnings are off in every part, since threads do not inherit the caller's errstate. The first error of a
    part is raised when all parts have ended; parts that nobody has begun when the caller's fails are left.
    """
    cores = os.cpu_count() or 1
    step = max(unit, -(-size // (cores * shares * unit)) * unit)
    parts = [_Part(work, start, min(start + step, size)) for start in range(step, size, step)]
    try:
        _workers.employ(min(len(parts), cores))
        for part in parts:
            _workers.inbox.put(part)
        _quietly(work, 0, min(step, size))
        for part in reversed(parts):
            if part.is_for(_CALLER):
                _quietly(part.work, part.start, part.stop)
        _wait_for(parts)
    except BaseException:
        _wait_for(parts)
        raise
    for part in parts:
        if part.error is not None:
            raise part.error


def offer(work: Work, start: int, stop: int) -> None:
    """Let a worker call `work(start, stop)` when one is free; nobody waits for it or hears of its errors."""
    _workers.employ((os.cpu_count() or 1) - 1)
    _workers.inbox.put(_Part(work, start, stop))


def _wait_for(parts: list[_Part]) -> None:
    try:
        for part in parts:
            part.wait()
    except BaseException:
        for part in parts:
            part.wait()
        raise


def _quietly(work: Work, start: int, stop: int) -> None:
    with np.errstate(all="ignore"):
        work(start, stop)
