"""`tf.train.Coordinator`: ends a program's threads together, and hands the first error of one of them to who joins.

State: the stop event, the threads that registered, and the error to raise. A clean end (OutOfRangeError by default, what
queues raise when their input ends) stops all threads but is no error.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from ...ops.core.errors import OutOfRangeError
from ..program import log


class Coordinator:
    """Lets threads ask each other to stop.

    Args:
      clean_stop_exception_types: exceptions that stop the threads but are not raised by `join`.

    Example:
      >>> import threading, millstream as tf
      >>> coord = tf.train.Coordinator()
      >>> thread = threading.Thread(target=coord.wait_for_stop)
      >>> thread.start(); coord.request_stop(); coord.join([thread])
    """

    def __init__(self, clean_stop_exception_types: tuple[type[BaseException], ...] | None = None) -> None:
        self._clean = (OutOfRangeError,) if clean_stop_exception_types is None else tuple(clean_stop_exception_types)
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._joined = False
        self._error: BaseException | None = None
        self._threads: set[threading.Thread] = set()

    def request_stop(self, ex: Any = None) -> None:
        """Ask all threads to stop; `ex`, an exception or what sys.exc_info() returned, is raised by `join`.

        Raises:
          the exception itself: when the threads were joined already.
        """
        error = ex[1] if isinstance(ex, tuple) else ex
        if isinstance(error, self._clean):
            error = None
        with self._lock:
            if self._joined:
                if error is not None:
                    raise error
                return
            if not self._stopped.is_set():
                if error is not None:
                    log.info("Error reported to Coordinator: %s, %s", type(error), error)
                    self._error = error
                self._stopped.set()

    def clear_stop(self) -> None:
        """Forget that a stop was asked for, and its error."""
        with self._lock:
            self._joined = False
            self._error = None
            self._stopped.clear()

    def should_stop(self) -> bool:
        """Tell whether a stop was asked for."""
        return self._stopped.is_set()

    @contextmanager
    def stop_on_exception(self) -> Iterator[None]:
        """Ask all threads to stop when the code inside raises; the exception is handed to `join`."""
        try:
            yield
        except BaseException as error:
            self.request_stop(error)

    def wait_for_stop(self, timeout: float | None = None) -> bool:
        """Wait until a stop is asked for, at most `timeout` seconds; tell whether it was."""
        return self._stopped.wait(timeout)

    def register_thread(self, thread: threading.Thread) -> None:
        """Add a thread that `join` waits for."""
        with self._lock:
            self._threads.add(thread)

    def join(
        self, threads: Iterable[threading.Thread] | None = None, stop_grace_period_secs: float = 120,
        ignore_live_threads: bool = False,
    ) -> None:  # fmt: skip
        """Wait until the threads have ended, and raise the error that one of them reported.

        Args:
          threads: more threads than the registered ones.
          stop_grace_period_secs: how long they may take once a stop was asked for.
          ignore_live_threads: whether to return though some are still running.

        Raises:
          RuntimeError: when threads are still running after that time.
        """
        with self._lock:
            waited = list(self._threads.union(threads or ()))
        for thread in waited:
            while thread.is_alive() and not self._stopped.is_set():
                thread.join(0.02)
        until = time.monotonic() + stop_grace_period_secs
        for thread in waited:
            if thread.is_alive():
                thread.join(max(0.0, until - time.monotonic()))
        self._raise_or_return([thread.name for thread in waited if thread.is_alive()], ignore_live_threads)

    def _raise_or_return(self, stragglers: list[str], ignore_live_threads: bool) -> None:
        with self._lock:
            self._joined = True
            self._threads.clear()
            error = self._error
        if error is not None:
            raise error
        if stragglers:
            words = f"Coordinator stopped with threads still running: {' '.join(stragglers)}"
            if not ignore_live_threads:
                raise RuntimeError(words)
            log.info(words)

    @property
    def joined(self) -> bool:
        """Whether `join` has returned."""
        return self._joined

    def raise_requested_exception(self) -> None:
        """Raise the error that was reported, if one was."""
        with self._lock:
            error = self._error
        if error is not None:
            raise error


class LooperThread(threading.Thread):
    """A thread that calls a function until its Coordinator stops; an error in it stops the others.

    Args:
      coord: the Coordinator. target: the function, `run_loop` when None. args, kwargs: its arguments.
      timer_interval_secs: how often to call it, measured from start to start; without a pause when None.
    """

    def __init__(
        self, coord: Coordinator, timer_interval_secs: float | None, target: Callable[..., Any] | None = None,
        args: Any = None, kwargs: Any = None,
    ) -> None:  # fmt: skip
        if not isinstance(coord, Coordinator):
            raise ValueError(f"'coord' argument must be a Coordinator: {coord}")
        super().__init__(daemon=True)
        if target is None and (args or kwargs):
            raise ValueError("'args' and 'kwargs' argument require that you also pass 'target'")
        self._coord, self._interval = coord, timer_interval_secs
        self._looped, self._arguments = target, (tuple(args or ()), dict(kwargs or {}))
        coord.register_thread(self)

    @staticmethod
    def loop(
        coord: Coordinator,
        timer_interval_secs: float | None,
        target: Callable[..., Any],
        args: Any = None,
        kwargs: Any = None,
    ) -> LooperThread:
        """Start a thread that calls `target` until `coord` stops, and return it."""
        looper = LooperThread(coord, timer_interval_secs, target=target, args=args, kwargs=kwargs)
        looper.start()
        return looper

    def run(self) -> None:
        """Call the function again and again."""
        with self._coord.stop_on_exception():
            self.start_loop()
            due = time.monotonic()
            while not self._coord.wait_for_stop(0 if self._interval is None else max(0.0, due - time.monotonic())):
                due += self._interval or 0
                self.run_loop()
            self.stop_loop()

    def start_loop(self) -> None:
        """Do what is to be done before the first call; nothing here."""

    def stop_loop(self) -> None:
        """Do what is to be done after the last call; nothing here."""

    def run_loop(self) -> None:
        """Call the function once."""
        if self._looped is not None:
            args, kwargs = self._arguments
            self._looped(*args, **kwargs)
