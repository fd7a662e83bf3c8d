"""The threads that OpenMP makes for a call, and whether signals reach them."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

_TASKS = Path("/proc/self/task")
_FULL = 60


def reached(call: Callable[[], Any]) -> list[bool]:
    """Return, for each thread that a call makes when it comes from a thread that has no team yet, whether signals reach it."""
    found: list[bool] = []

    def look() -> None:
        before = set(_TASKS.iterdir())
        call()
        found.extend(_is_reached(task) for task in set(_TASKS.iterdir()) - before)

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    return found


def _is_reached(task: Path) -> bool:
    """Tell whether a thread lets signals through: all but the few that the system never holds back."""
    blocked = re.search(r"SigBlk:\s*([0-9a-f]+)", (task / "status").read_text())
    assert blocked is not None
    return int(blocked[1], 16).bit_count() < _FULL
