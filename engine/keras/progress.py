"""`tf.keras.utils.Progbar`: a bar in the terminal that fills while something runs, with means of what is measured."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any


class Progbar:
    """Shows how far something is.

    Args:
      target: how many steps there are, None when nobody knows. width: of the bar, in characters.
      verbose: 0 for nothing, 1 for a bar, 2 for a line at the end.
      interval: the seconds that lie at least between two looks.
      stateful_metrics: the names of values that are shown as they are, not as means. unit_name: accepted.

    State: `_values` has, by name, the sum of a value and its steps.
    """

    def __init__(
        self, target: int | None, width: int = 30, verbose: int = 1, interval: float = 0.05,
        stateful_metrics: Sequence[str] | None = None, unit_name: str = "step",
    ) -> None:  # fmt: skip
        self.target, self.width, self.verbose, self.interval = target, width, verbose, interval
        self.stateful_metrics = set(stateful_metrics or ())
        self._values: dict[str, tuple[float, int]] = {}
        self._seen, self._start, self._last, self._shown = 0, time.time(), 0.0, 0

    def update(self, current: int, values: Sequence[tuple[str, Any]] | None = None) -> None:
        """Say that `current` steps are done, and what was measured since."""
        for name, value in values or ():
            self._take(name, float(value), max(current - self._seen, 0))
        self._seen = current
        done = self.target is not None and current >= self.target
        now = time.time()
        if self.verbose == 1 and (done or now - self._last >= self.interval):
            line = f"{self._bar(current)} - {self._pace(now)}{self._told()}"
            sys.stdout.write("\r" + line.ljust(self._shown) + ("\n" if done else ""))
            self._shown, self._last = len(line), now
        elif self.verbose == 2 and done:
            sys.stdout.write(f"{current}/{self.target} - {self._pace(now)}{self._told()}\n")
        sys.stdout.flush()

    def add(self, n: int, values: Sequence[tuple[str, Any]] | None = None) -> None:
        """Say that `n` more steps are done; see `update`."""
        self.update(self._seen + n, values)

    def _take(self, name: str, value: float, steps: int) -> None:
        if name in self.stateful_metrics:
            self._values[name] = (value, 1)
            return
        total, count = self._values.get(name, (0.0, 0))
        self._values[name] = (total + value * steps, count + steps)

    def _bar(self, current: int) -> str:
        if self.target is None:
            return f"{current:>7}/Unknown"
        filled = self.width * min(current, self.target) // max(self.target, 1)
        arrow = ">" if 0 < filled < self.width else ""
        bar = ("=" * (filled - len(arrow)) + arrow).ljust(self.width, ".")
        return f"{current:>{len(str(self.target))}}/{self.target} [{bar}]"

    def _pace(self, now: float) -> str:
        spent = now - self._start
        if self.target is not None and 0 < self._seen < self.target:
            return f"ETA: {spent / self._seen * (self.target - self._seen):.0f}s"
        return f"{spent:.0f}s"

    def _told(self) -> str:
        return "".join(f" - {name}: {total / max(count, 1):.4f}" for name, (total, count) in self._values.items())
