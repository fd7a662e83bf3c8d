"""`transfer_guard`: refuse, or log, copies between devices that nobody asked for.

A guard holds in its thread, inside its `with` block; inner guards go before outer ones. Asked for are feeds of
placeholders that are pinned to their device, and identities that are; what is fetched is not a copy. The engine asks
`check_transfers` before each run, so a refused run has touched nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ..ops.core.errors import FailedPreconditionError
from .assignment import DEVICE_TO_DEVICE, DEVICE_TO_HOST, HOST_TO_DEVICE, HOST_TO_HOST, Copy
from .log import copy_line, emit

LEVELS = ("allow", "log", "disallow", "log_explicit", "disallow_explicit")
DIRECTIONS = {
    "host_to_device": HOST_TO_DEVICE, "device_to_host": DEVICE_TO_HOST, "device_to_device": DEVICE_TO_DEVICE,
    "host_to_host": HOST_TO_HOST,
}  # fmt: skip


@dataclass(frozen=True)
class Guard:
    """What one `with` block says: a level, the direction that it is about ('' for all), and tensors that are exempt."""

    level: str
    direction: str
    allow: tuple[str, ...]

    def concerns(self, copy: Copy) -> bool:
        """Tell whether this guard decides about a copy."""
        return not self.direction or DIRECTIONS[self.direction] == copy.direction

    def verdict(self, copy: Copy) -> str:
        """Return 'allow', 'log' or 'disallow' for a copy that concerns this guard."""
        action, _, explicit = self.level.partition("_")
        exempt = any(fnmatchcase(copy.tensor, pattern) for pattern in self.allow)
        return "allow" if exempt or not (copy.implied or explicit) else action


class _Guards(threading.local):
    """The guards of this thread, innermost last."""

    def __init__(self) -> None:
        self.stack: list[Guard] = []


_guards = _Guards()


@contextmanager
def transfer_guard(level: str, direction: str | None = None, *, allow: Sequence[str] = ()) -> Iterator[None]:
    """Allow, log or disallow copies between devices in the runs of this thread, inside the `with` block.

    Args:
      level: "allow", "log" or "disallow" copies that nobody asked for; "log_explicit" and "disallow_explicit" concern
        also those that were asked for.
      direction: "host_to_device", "device_to_host", "device_to_device" or "host_to_host"; None for all of them.
      allow: names of tensors that may be copied all the same, such as "b:0" or "tower_*/shape:0".

    Raises:
      ValueError: for another level or direction. Runs inside the block raise FailedPreconditionError where they would
        make a copy that is disallowed.
    """
    if level not in LEVELS:
        raise ValueError(f"transfer_guard: level must be one of {', '.join(LEVELS)}, got {level!r}")
    if direction is not None and direction not in DIRECTIONS:
        raise ValueError(f"transfer_guard: direction must be one of {', '.join(DIRECTIONS)}, got {direction!r}")
    _guards.stack.append(Guard(level, direction or "", tuple(allow)))
    try:
        yield
    finally:
        _guards.stack.pop()


def guarded() -> bool:
    """Tell whether any guard holds in this thread."""
    return bool(_guards.stack)


def check_transfers(copies: Sequence[Copy]) -> None:
    """Log or refuse the copies of a run as this thread's guards say.

    Raises:
      FailedPreconditionError: naming every copy that is disallowed.
    """
    if not _guards.stack:
        return
    refused: list[Copy] = []
    for copy in copies:
        guard = next((guard for guard in reversed(_guards.stack) if guard.concerns(copy)), None)
        verdict = "allow" if guard is None else guard.verdict(copy)
        if verdict == "log":
            emit(f"transfer_guard: {copy_line(copy)}")
        elif verdict == "disallow":
            refused.append(copy)
    if refused:
        lines = "\n".join(f"  {copy_line(copy)}" for copy in refused)
        raise FailedPreconditionError(
            None, None,
            f"transfer_guard refuses {len(refused)} copies that this run would make:\n{lines}\nPlace the nodes "
            'together, or allow the copies: tf.placement.transfer_guard("allow"), or allow=["name:0"].',
        )  # fmt: skip
