"""When something that happens every so many seconds or steps is due again."""

from __future__ import annotations

import time


class Timer:
    """Never due; base class of timers."""

    def reset(self) -> None:
        """Forget when it was last triggered."""

    def should_trigger_for_step(self, step: int) -> bool:
        """Tell whether it is due at a step."""
        return False

    def update_last_triggered_step(self, step: int) -> tuple[float | None, int | None]:
        """Note that it was triggered; return the seconds and steps since the time before, None the first time."""
        return None, None

    def last_triggered_step(self) -> int | None:
        """Return the step at which it was last triggered."""
        return None


class SecondOrStepTimer(Timer):
    """Due every `every_secs` seconds or every `every_steps` steps; at its first question it is always due.

    Raises:
      ValueError: when both or neither are given.
    """

    def __init__(self, every_secs: float | None = None, every_steps: int | None = None) -> None:
        if every_secs is None and every_steps is None:
            raise ValueError("Either every_secs or every_steps should be provided.")
        if every_secs is not None and every_steps is not None:
            raise ValueError("Can not provide both every_secs and every_steps.")
        self._every_secs, self._every_steps = every_secs, every_steps
        self.reset()

    def reset(self) -> None:
        """Forget when it was last triggered."""
        self._last_step: int | None = None
        self._last_time = 0.0

    def should_trigger_for_step(self, step: int) -> bool:
        """Tell whether it is due at a step: never twice at the same one."""
        if self._last_step is None:
            return True
        if self._last_step == step:
            return False
        if self._every_secs is not None:
            return time.time() >= self._last_time + self._every_secs
        return step >= self._last_step + (self._every_steps or 0)

    def update_last_triggered_step(self, step: int) -> tuple[float | None, int | None]:
        """Note that it was triggered; return the seconds and steps since the time before, None the first time."""
        now, before, then = time.time(), self._last_step, self._last_time
        self._last_step, self._last_time = step, now
        return (None, None) if before is None else (now - then, step - before)

    def last_triggered_step(self) -> int | None:
        """Return the step at which it was last triggered."""
        return self._last_step
