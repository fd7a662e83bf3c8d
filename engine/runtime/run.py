"""One run of a plan, and what its stateful kernels see of it.

State of a Run: its cancellation, its own resources (TensorArrays), the session's. A Run belongs to one thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from ...devices.device import Device
from ...ops.core.context import CompiledFunction
from ...ops.core.node import Operation
from ...ops.core.regions import Region
from .cancellation import Cancellation


class SessionResources:
    """What lives as long as a session: resources by (kind, container, name), the state of nodes (random counters), functions."""

    def __init__(self, compiled: Callable[[Region], CompiledFunction] | None = None) -> None:
        self._lock = threading.RLock()
        self._compiled = compiled
        self._functions: dict[Region, CompiledFunction] = {}
        self._resources: dict[tuple[str, str, str], Any] = {}
        self._nodes: dict[Operation, Any] = {}

    def resource(self, kind: str, container: str, name: str, make: Callable[[], Any]) -> Any:
        """Return the resource of that kind, container and name, made when it is new."""
        key = (kind, container, name)
        with self._lock:
            if key not in self._resources:
                self._resources[key] = make()
            return self._resources[key]

    def node_state(self, node: Operation, make: Callable[[], Any]) -> Any:
        """Return what a node keeps from run to run, made when it is new."""
        state = self._nodes.get(node)
        if state is None:
            with self._lock:
                state = self._nodes.get(node)
                if state is None:
                    state = self._nodes[node] = make()
        return state

    def function(self, region: Region) -> CompiledFunction:
        """Return the compiled form of a function-valued attribute, the same for all who ask."""
        with self._lock:
            if region not in self._functions:
                assert self._compiled is not None, "a session compiles functions"
                self._functions[region] = self._compiled(region)
            return self._functions[region]

    def close(self) -> None:
        """Let go of everything; resources and states of nodes that have a `close` are closed."""
        with self._lock:
            for resource in [*self._resources.values(), *self._nodes.values()]:
                close = getattr(resource, "close", None)
                if close is not None:
                    close()
            self._resources.clear()
            self._nodes.clear()


class Run:
    """One execution of a plan."""

    __slots__ = ("_began", "_resources", "cancellation", "records", "resources", "stopped")

    def __init__(self, resources: SessionResources, timeout_in_ms: int = 0) -> None:
        self.resources = resources
        self.cancellation = Cancellation(timeout_in_ms)
        self.stopped = False
        self._resources: dict[Any, Any] | None = None
        self.records: list[tuple[Any, float, float]] = []
        self._began = 0.0

    def context(self, node: Operation, device: Device) -> Context:
        """Return what the kernel of `node` sees on `device`."""
        return Context(self, node, device)

    def stop(self, reason: str | None = None) -> None:
        """Make the run end at its next look: with CancelledError for a reason, else by its deadline."""
        if reason is not None:
            self.cancellation.cancel(reason)
        self.stopped = True

    def check(self) -> None:
        """Raise when the run was cancelled or its deadline has passed."""
        self.cancellation.check()

    def run_resource(self, key: Any, make: Callable[[], Any]) -> Any:
        """Return what this run keeps under `key`, made when it is new."""
        if self._resources is None:
            self._resources = {}
        if key not in self._resources:
            self._resources[key] = make()
        return self._resources[key]

    def begin(self) -> None:
        """Start the clock of a traced step, unless the run is to end."""
        if self.stopped:
            self.check()
        self._began = time.perf_counter()

    def end(self, step: Any) -> None:
        """Record a traced step."""
        self.records.append((step, self._began, time.perf_counter()))


class Context:
    """What a stateful kernel sees: ops.core.context.KernelContext."""

    __slots__ = ("device", "node", "run")

    def __init__(self, run: Run, node: Operation, device: Device) -> None:
        self.run, self.node, self.device = run, node, device

    @property
    def cancellation(self) -> Cancellation:
        """The run's cancellation."""
        return self.run.cancellation

    def resource(self, kind: str, container: str, name: str, make: Callable[[], Any]) -> Any:
        """Return the session's resource of that kind, container and name, made when it is new."""
        return self.run.resources.resource(kind, container, name, make)

    def node_state(self, make: Callable[[], Any]) -> Any:
        """Return what this node keeps from run to run, made when it is new."""
        return self.run.resources.node_state(self.node, make)

    def run_resource(self, key: Any, make: Callable[[], Any]) -> Any:
        """Return what this run keeps under `key`, made when it is new."""
        return self.run.run_resource(key, make)

    def function(self, region: Region) -> CompiledFunction:
        """Return a function-valued attribute as what can be called, compiled once in the session."""
        return self.run.resources.function(region)
