"""NumPy's BLAS: which library, core and threads it has, and the one place that limits its threads.

Work that is divided among our own threads wants BLAS at one thread, or they fight for the cores. The limit is the
process's, so blocks that want it are counted: the first sets it, the last one restores what was there, from whatever
threads they come.

State: `_limit`, with the number of open blocks and the threads that each library had before them.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import lru_cache
from itertools import product
from types import TracebackType
from typing import Any

from .blas_core import VARIABLE, better_core, cpu_facts


class _Library:
    """One BLAS library: what threadpoolctl says of it, and how its threads are asked for and set from whatever thread."""

    def __init__(self, controller: Any) -> None:
        self.info = controller.info
        self.code = controller.dynlib if controller.internal_api == "openblas" else None
        self.get_threads: Callable[[], int] = _function(controller, "get_num_threads")
        self.set_threads: Callable[[int], Any] = _function(controller, "set_num_threads")


def _function(controller: Any, name: str) -> Callable[..., Any]:
    """Return OpenBLAS's own function: threadpoolctl's looks for it in each call, and lets one thread alone set threads."""
    if controller.internal_api == "openblas":
        for prefix, suffix in product(("", "scipy_"), ("", "64_", "_64")):
            found = getattr(controller.dynlib, f"{prefix}openblas_{name}{suffix}", None)
            if found is not None:
                return found  # type: ignore[no-any-return]
    return getattr(controller, name)  # type: ignore[no-any-return]


@lru_cache(maxsize=1)
def _libraries() -> tuple[_Library, ...]:
    """Return the BLAS libraries that are loaded when somebody first asks."""
    from threadpoolctl import ThreadpoolController

    return tuple(map(_Library, ThreadpoolController().select(user_api="blas").lib_controllers))


class _Limit:
    """Counts the blocks that want BLAS at one thread, and sets and restores its threads."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Take a new lock, as a child process has to: its parent's may be held by a thread that it lacks."""
        self._lock = threading.Lock()
        self._depth = 0
        self._before: list[tuple[_Library, int]] = []

    def __enter__(self) -> None:
        with self._lock:
            self._depth += 1
            if self._depth == 1:
                self._before = [(library, library.get_threads()) for library in _libraries()]
                for library, threads in self._before:
                    if threads > 1:
                        library.set_threads(1)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._lock:
            self._depth -= 1
            if not self._depth:
                for library, threads in self._before:
                    # Somebody who changed it meanwhile knows better.
                    if threads > 1 and library.get_threads() == 1:
                        library.set_threads(threads)


_limit = _Limit()


def _after_fork() -> None:
    for library, threads in _limit._before if _limit._depth else ():
        library.set_threads(threads)
    _limit.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def one_thread() -> _Limit:
    """Return a context manager inside which BLAS computes on the calling thread alone."""
    return _limit


def libraries() -> list[dict[str, Any]]:
    """Return name, version, core and threads of the BLAS libraries that are loaded."""
    kept = ("internal_api", "version", "architecture", "num_threads")
    return [{key: info[key] for key in kept if key in info} for info in (library.info() for library in _libraries())]


def openblas() -> list[Any]:
    """Return the OpenBLAS libraries that are loaded, as ctypes has them, NumPy's own first."""
    found = [library for library in _libraries() if library.code is not None]
    return [library.code for library in sorted(found, key=lambda library: "numpy" not in library.info()["filepath"])]


def description() -> list[str]:
    """Return lines that say which BLAS is in use, and what would be faster."""
    lines = []
    for found in libraries():
        core = found.get("architecture")
        lines.append(
            f"BLAS: {found['internal_api']} {found.get('version')}, core {core or 'unknown'}, "
            f"{found['num_threads']} threads"
        )
        better = better_core(*cpu_facts())
        if better is not None and found["internal_api"] == "openblas" and core not in (better, "Cooperlake"):
            lines.append(
                f"  core {better} would be faster on this CPU: import millstream before NumPy, use `millstream run`, or "
                f"set {VARIABLE}={better} before Python starts"
            )
    return lines or ["BLAS: none that threadpoolctl knows"]
