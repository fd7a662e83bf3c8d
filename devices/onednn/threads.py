"""What each thread needs to compute with oneDNN: a stream, its primitives, one scratchpad; and one thread after a fork.

State: `_local`, of which every thread sees its own; a child process starts with an empty one.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from .library import Library, forked, library

# Shapes that a thread keeps primitives of; a program that meets more makes them again.
KEPT = 256


class ThreadState:
    """A thread's engine and stream, its primitives by key (the least recently used go first), and its scratchpad."""

    def __init__(self, found: Library) -> None:
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._functions = found.functions
        if forked():
            found.omp.omp_set_num_threads(1)
        self.threads = int(found.omp.omp_get_max_threads())
        self.engine = found.make("engine_create", 1, 0)
        self.stream = found.make("stream_create", self.engine, 1)
        self.scratchpad = np.empty(0, np.uint8)

    def cached(self, key: Hashable, make: Callable[[ThreadState], Any]) -> Any:
        """Return what is kept under `key` and this number of threads, made when it is new."""
        key = (key, self.threads)
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = make(self)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return found

    def __del__(self) -> None:
        self._kept.clear()
        self._functions["stream_destroy"](self.stream)
        self._functions["engine_destroy"](self.engine)

    def reserve(self, size: int) -> None:
        """Let the scratchpad have `size` bytes at least."""
        if self.scratchpad.size < size:
            self.scratchpad = np.empty(size, np.uint8)


class _Local(threading.local):
    state: ThreadState | None = None


class _Holder:
    """Keeps the states of the process's threads; a child starts anew, and never touches what its parent made."""

    def __init__(self) -> None:
        self.local = _Local()
        self._of_parents: list[_Local] = []

    def forget(self) -> None:
        self._of_parents.append(self.local)
        self.local = _Local()


_holder = _Holder()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_holder.forget)


def settle() -> ThreadState:
    """Return the calling thread's state, made on its first call."""
    state = _holder.local.state
    if state is None:
        state = _holder.local.state = ThreadState(library())
    elif state.threads != (now := int(library().omp.omp_get_max_threads())):
        state.threads = now
    return state
