"""Running compiled work in place, on several threads, so that it happens wholly or not at all.

Arrays that are written over cannot be thrown away half-way. So once the first part has begun, every part is run, whatever is
raised in the caller's thread meanwhile; it is raised when all is done. A part says in its slot of `done`, by the very call
that computes it, that it has happened, and a call for a part that is done does nothing: an interrupted caller just goes on.

State of a Job: `done` a truth value a part, `_claims` who runs a part, settled by one atomic step of a dict.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ..threads import offer

Part = Callable[[Any, int], None]
_PAUSE = 2e-5


class Job:
    """Parts to be run, each once: `run(done, i)` computes part `i` and sets `done[i]`, in one call that nothing interrupts."""

    def __init__(self, run: Part, parts: int) -> None:
        self.done = np.zeros(parts, np.uint8)
        self._run, self._parts = run, parts
        self._claims: dict[int, str] = {}
        self._failed = False

    def help(self, part: int, after: int) -> None:
        """Run a part in another thread, unless the caller has taken it."""
        if self._claims.setdefault(part, "helper") == "helper":
            try:
                self._run(self.done, part)
            except BaseException:
                self._failed = True
                raise

    def abandon(self) -> bool:
        """Take all parts from the helpers; tell whether that came in time, before anything happened."""
        taken = [self._claims.setdefault(part, "caller") == "caller" for part in range(self._parts)]
        return not self.done.any() and (self._failed or all(taken))

    def forget(self) -> None:
        """Let go of the arrays: what a helper has not looked at yet would seem to use them."""
        self._run = _nothing

    def finish(self) -> None:
        """Run in the caller's thread what no helper has taken, and wait for them."""
        for part in range(self._parts):
            if self._claims.setdefault(part, "caller") == "caller":
                self._run(self.done, part)
        while not self.done.all() and not self._failed:
            time.sleep(_PAUSE)


def _nothing(done: Any, part: int) -> None: ...


def run_wholly(run: Part, parts: int) -> None:
    """Run all parts, or none where the first thing that happens is an error; see Job."""
    job = Job(run, parts)
    interrupt: BaseException | None = None
    try:
        for part in range(1, parts):
            offer(job.help, part, part + 1)
        job.finish()
    except BaseException as error:
        interrupt = error
    while not job.done.all() and not (interrupt is not None and job.abandon()):
        try:
            job.finish()
        except BaseException as error:
            interrupt = error
    job.forget()
    if interrupt is not None:
        raise interrupt


def parts_of(size: int, unit: int, threaded: int) -> list[tuple[int, int]]:
    """Return the bounds of one part a core, at multiples of `unit`; of one part in all below `threaded` elements."""
    workers = 1 if size < threaded else os.cpu_count() or 1
    step = max(unit, -(-size // (workers * unit)) * unit)
    return [(start, min(start + step, size)) for start in range(0, size, step)]
