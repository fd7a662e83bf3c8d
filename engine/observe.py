"""Watching a whole program from outside: wishes for every session that it makes, and what its plans did.

State: `_stack`, the observers in force; sessions ask `current()` when they are made and tell it of each plan and traced run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..ops.core import protos
from ..placement.report import Placement
from .runtime import tracing


@dataclass(frozen=True)
class Wishes:
    """What every session of a program is to do: `soft` is None to leave each session its own choice."""

    log_device_placement: bool = False
    soft: bool | None = None
    trace: bool = False
    placement: bool = False


class Observer:
    """Collects the placements and traces of a program's sessions."""

    def __init__(self, wishes: Wishes) -> None:
        self.wishes = wishes
        self._placements: list[dict[str, Any]] = []
        self._stats = protos.StepStats() if wishes.trace else None

    def configure(self, config: Any) -> Any:
        """Return a session's configuration with the wishes in it."""
        wished = protos.ConfigProto()
        wished.CopyFrom(config)
        wished.log_device_placement |= self.wishes.log_device_placement
        if self.wishes.soft is not None:
            wished.allow_soft_placement = self.wishes.soft
        return wished

    def saw_placement(self, fetches: list[str], placement: Placement) -> None:
        """Take note of a session's placement."""
        if self.wishes.placement:
            self._placements.append({"fetches": fetches, "placement": json.loads(placement.to_json())})

    def saw_run(self, plan: Any, records: list[Any], devices: Any, graph: Any) -> None:
        """Take note of one run."""
        assert self._stats is not None
        metadata = protos.RunMetadata()
        tracing.fill(metadata, plan, records, devices, graph, None)
        self._stats.dev_stats.extend(metadata.step_stats.dev_stats)

    def trace(self) -> str:
        """Return Chrome's trace of all runs, one process per device."""
        merged: dict[str, Any] = {}
        total = protos.StepStats()
        for stats in self._stats.dev_stats if self._stats is not None else ():
            if stats.device not in merged:
                merged[stats.device] = total.dev_stats.add(device=stats.device)
            merged[stats.device].node_stats.extend(stats.node_stats)
        return tracing.chrome_trace(total)

    def placements(self) -> str:
        """Return the placement of every plan as JSON."""
        return json.dumps(self._placements, indent=1)


_stack: list[Observer] = []


@contextmanager
def observing(wishes: Wishes) -> Iterator[Observer]:
    """Watch the sessions that are made inside."""
    observer = Observer(wishes)
    _stack.append(observer)
    try:
        yield observer
    finally:
        _stack.remove(observer)


def current() -> Observer | None:
    """Return the observer in force, or None."""
    return _stack[-1] if _stack else None
