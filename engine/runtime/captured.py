"""Running a cut plan: its host part, one launch of a graph in place of all its kernels, and what follows.

A graph has addresses and host numbers built in. So what it reads lies in arrays that stay: `_statics`, filled before each
launch, and the arrays of its variables, which it updates in place, unlike any other program. State of a Captured besides:
`_graph`, `_made` the arrays of its results, `_homes` the array of each variable with how many references it had when nobody
else knew it, `_lock`, held by the one run that uses all this; a second run at the same time is not captured.

Invariant: an array that anybody else holds is never changed. Before each launch, under the locks of all its variables, a
variable that another program gave a new array is copied into the graph's one; where a reader holds that one, the run is
not captured. What fails while capturing has changed nothing, and the plan is not captured any more. (A reader without the
lock that takes a variable's array between the look and the launch sees its next value.)
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from ...devices.device import Capture, Device
from ...devices.errors import CaptureError
from ...devices.types import Array

Part = Callable[..., tuple[Any, ...]]
log = logging.getLogger("millstream.capture")
_WARM_RUNS = 2


class Home:
    """Where a graph finds a variable: `array`, which is the cell's value while nobody replaced it."""

    def __init__(self, cell: Any, device: Device) -> None:
        self.cell, self.device = cell, device
        self.array: Array = cell.read().copy()
        objects, memory = device.references(self.array)
        # The cell will refer to it as well.
        self._alone = (objects + 1, memory)

    def settle(self) -> bool:
        """Make the graph's array the variable's, with its value; False where somebody holds it. Under the cell's lock."""
        value = self.cell.read()
        if value is not self.array:
            if value.shape != self.array.shape or value.dtype != self.array.dtype or not self._free(1):
                return False
            self.array[...] = value
            self.cell.replace(self.array)
            return True
        del value
        return self._free(0)

    def _free(self, missing: int) -> bool:
        objects, memory = self.device.references(self.array)
        return objects + missing <= self._alone[0] and memory <= self._alone[1]


class Captured:
    """A plan's function, `captured(run, *feeds)`, that launches a graph where it can.

    Args:
      name: what the log calls the plan. whole: the uncut function. before, middle, after: the parts, each `part(run, *values)`.
      fed: how many values `before` gives for copies to the device; kept: how many arrays of the device it gives the middle.
      cells: the variables that the middle touches; written: those that it changes.
    """

    def __init__(
        self, name: str, device: Device, whole: Part, before: Part, middle: Part, after: Part, fed: int, kept: int,
        cells: Sequence[Any], written: Sequence[Any],
    ) -> None:  # fmt: skip
        self.name, self.device = name, device
        self.whole, self.before, self.middle, self.after = whole, before, middle, after
        self.fed, self.kept = fed, kept
        self.cells, self.written = sorted(cells, key=lambda cell: cell.serial), written
        self.launches = 0
        self._runs = 0
        self._refused = False
        self._graph: Capture | None = None
        self._statics: list[Array] = []
        self._made: tuple[Array, ...] = ()
        self._homes: list[Home] = []
        self._lock = threading.Lock()

    @property
    def refused(self) -> bool:
        """Whether the plan turned out to be one that cannot be captured."""
        return self._refused

    def __call__(self, run: Any, *feeds: Any) -> tuple[Any, ...]:
        if self._refused or not self._lock.acquire(blocking=False):
            return self.whole(run, *feeds)
        try:
            self._runs += 1
            if self._runs <= _WARM_RUNS:
                return self.whole(run, *feeds)
            return self._in_parts(run, feeds)
        finally:
            self._lock.release()

    def _in_parts(self, run: Any, feeds: tuple[Any, ...]) -> tuple[Any, ...]:
        found = self.before(run, *feeds)
        self._fill(found[: self.fed], found[self.fed : self.fed + self.kept])
        made = self._launch(run)
        if made is None:
            made = self.middle(run, *self._statics)
        return self.after(run, *feeds, *self._statics[: self.fed], *found[self.fed + self.kept :], *made)

    def _fill(self, fed: Sequence[Any], kept: Sequence[Array]) -> None:
        device = self.device
        if not self._statics:
            self._statics = [*(device.put(np.asarray(value)) for value in fed), *(value.copy() for value in kept)]
            return
        for static, value in zip(self._statics, fed, strict=False):
            device.refill(static, np.asarray(value))
        for static, value in zip(self._statics[self.fed :], kept, strict=True):
            static[...] = value

    def _launch(self, run: Any) -> tuple[Array, ...] | None:
        """Launch the graph, captured first where there is none, and return its results; None where it cannot run now."""
        with ExitStack() as locks:
            for cell in self.cells:
                locks.enter_context(cell.lock)
            if self._graph is None and not self._capture(run):
                return None
            if self._graph is None or not all(home.settle() for home in self._homes):
                return None
            self._graph.launch()
            self.launches += 1
            return self._made

    def _capture(self, run: Any) -> bool:
        """Capture the middle; False, and never again, where it cannot be captured. Under the locks of the variables."""
        try:
            self._homes = [Home(cell, self.device) for cell in self.cells]
            for home in self._homes:
                home.cell.replace(home.array)
            self._record(run)
        except Exception as error:
            self._refused, self._graph, self._homes = True, None, []
            log.info("%s is not captured as a graph: %s: %s", self.name, type(error).__name__, error)
            return False
        log.info("%s is captured as a graph on %s", self.name, self.device.short_name)
        return True

    def _record(self, run: Any) -> None:
        arrays = {home.cell: home.array for home in self._homes}
        try:
            with self.device.capture() as graph:
                self._made = tuple(self._own(made, arrays) for made in self.middle(run, *self._statics))
                for cell in self.written:
                    _write_back(cell, arrays[cell])
        finally:
            for cell, array in arrays.items():
                cell.replace(array)
                cell.spare = None
        self._graph = graph

    def _own(self, made: Array, arrays: dict[Any, Array]) -> Array:
        """Return a result that is no variable's array, which the graph changes, and nobody else may hold."""
        return made.copy() if any(self.device.same_memory(made, array) for array in arrays.values()) else made


def _write_back(cell: Any, array: Array) -> None:
    """Copy a variable's new value to where the graph finds it the next time."""
    value = cell.read()
    if value is array:
        return
    if value.shape != array.shape:
        raise CaptureError(f"variable {cell.name!r} changes its shape from {array.shape} to {value.shape}")
    array[...] = value
