"""Sessions: running parts of a graph, with state that lives as long as the session.

State of a session: its devices, its variable store and resources, its plans by (fetches, feeds), and the runs in progress. `run`
is safe from many threads at once: plans are immutable, and every run has its own Run.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from contextlib import contextmanager
from typing import Any

from ..devices.device import Device, DeviceAttributes
from ..devices.errors import OutOfMemory
from ..ops.core import errors
from ..ops.core.graph import Graph, default_sessions, get_default_graph
from ..ops.core.node import Operation, Tensor
from ..ops.core.regions import Region
from ..placement import log, placer
from ..placement.assignment import Assignment
from ..placement.policies import current_policy
from ..placement.report import Placement
from ..placement.transfer_guard import check_transfers
from . import config as configuration
from . import observe
from .compiler.plan import Plan, compile_plan
from .feeds import Converter, converter, feed_items
from .fetches import FetchMapper, structure_key
from .partial_run import PartialRuns
from .runtime import tracing
from .runtime.buffers import FramePool
from .runtime.functions import Function, effects_of
from .runtime.life import CLOSED, Life
from .runtime.run import Run, SessionResources
from .runtime.variables import VariableStore


class Prepared:
    """What `run` looks up: a plan, the converters of the feeds as they are given, and how results are packed.

    `order` says which feed each argument of the plan is; None where they come in the plan's order.
    """

    __slots__ = ("converters", "order", "plan", "rebuild")

    def __init__(
        self, plan: Plan, converters: list[Converter], order: list[int], rebuild: Callable[[Any], Any]
    ) -> None:
        self.plan, self.converters, self.rebuild = plan, converters, rebuild
        self.order = None if order == sorted(order) else order

    def arguments(self, given: Iterable[Any]) -> list[Any]:
        """Return the arrays that the plan takes for these fed values."""
        values = [convert(raw) for convert, raw in zip(self.converters, given, strict=True)]
        return values if self.order is None else [values[i] for i in self.order]


# What `Session.reset` closes.
_open_sessions: weakref.WeakSet[BaseSession] = weakref.WeakSet()


class BaseSession:
    """A connection between a graph and the devices that run it."""

    def __init__(self, target: str | bytes = "", graph: Graph | None = None, config: Any = None) -> None:
        if not isinstance(target, str | bytes):
            raise TypeError(f"target must be a string, but got {target!r}")
        if graph is not None and not isinstance(graph, Graph):
            raise TypeError(f"graph must be a tf.Graph, but got {type(graph)!r}")
        if target and target not in ("local", b"local"):
            raise errors.NotFoundError(
                None, None, f"No session factory registered for the given session options: target {target!r}"
            )
        self._target = target if isinstance(target, bytes) else target.encode()
        self._graph = graph or get_default_graph()
        self._observer = observe.current()
        self._config = configuration.read(config)
        if self._observer is not None:
            self._config = self._observer.configure(self._config)
        self._tracing = self._observer is not None and self._observer.wishes.trace
        self._devices: tuple[Device, ...] = configuration.devices_of(self._config)
        self._resources = SessionResources(self._function)
        self._variables = VariableStore()
        self._frames = FramePool()
        self._prepared: dict[Any, Prepared] = {}
        self._known: dict[Any, Prepared] = {}
        self._plans: dict[Any, Plan] = {}
        self._lock = threading.RLock()
        self._runs: set[Run] = set()
        self._life = Life()
        self._closed = False
        self._policy = current_policy()
        self._placement_log = log.PlacementLog(self._devices, self._config.log_device_placement)
        self._partial = PartialRuns(self)
        self._timeout = int(self._config.operation_timeout_in_ms)
        _open_sessions.add(self)

    # -- facts -----------------------------------------------------------------------------------------------------

    @property
    def graph(self) -> Graph:
        """The graph that the session runs."""
        return self._graph

    @property
    def graph_def(self) -> Any:
        """The graph's GraphDef."""
        return self._graph.as_graph_def()

    @property
    def sess_str(self) -> bytes:
        """The target that the session was given."""
        return self._target

    def list_devices(self) -> list[DeviceAttributes]:
        """Return the attributes of the session's devices."""
        return [device.attributes() for device in self._devices]

    # -- running ---------------------------------------------------------------------------------------------------

    def run(self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None) -> Any:
        """Run what `fetches` needs and return their values in the same structure.

        Args:
          fetches: a Tensor, Operation, name, or nested lists, tuples, dicts of them.
          feed_dict: values by tensor, which stand in for what the graph would compute.
          options: RunOptions; `timeout_in_ms` and `trace_level` are honoured.
          run_metadata: RunMetadata that receives step_stats and partition_graphs.

        Raises:
          RuntimeError: when the session is closed.
          ValueError, TypeError: for bad fetches or feeds.
          tf.errors.OpError: when a node fails.
        """
        if self._closed:
            raise RuntimeError("Attempted to use a closed Session.")
        kind, fed = fetches.__class__, feed_dict or ()
        key = (kind, *fetches, None, *fed) if kind is list or kind is tuple else (fetches, *fed)
        try:
            prepared = self._known.get(key)
        except TypeError:
            prepared = None
        if prepared is None:
            prepared, values = self._prepared_run(fetches, feed_dict, key)
        elif feed_dict:
            values = prepared.arguments(feed_dict.values())
        else:
            values = ()
        if options is None and run_metadata is None and not self._tracing:
            return prepared.rebuild(self._execute(prepared.plan, values, self._timeout))
        return prepared.rebuild(self._run_with_options(prepared.plan, values, options, run_metadata))

    def _prepared_run(self, fetches: Any, feed_dict: Any, key: Any) -> tuple[Prepared, Sequence[Any]]:
        """Return what a run needs, and the arrays fed; remember it under `key` where the key tells all there is to know."""
        if not self._graph.version:
            raise RuntimeError("The Session graph is empty. Add operations to the graph before calling run().")
        items = feed_items(self._graph, feed_dict) if feed_dict else []
        prepared = self._prepare(fetches, tuple([tensor for tensor, _ in items]))
        values = prepared.arguments(raw for _, raw in items)
        if _is_flat(fetches) and all(isinstance(fed, Tensor) for fed in feed_dict or ()):
            self._known[key] = prepared
        return prepared, values

    def _prepare(self, fetches: Any, feeds: tuple[Tensor, ...]) -> Prepared:
        structure = structure_key(fetches)
        key = None if structure is None else (structure, feeds)
        prepared = self._prepared.get(key) if key is not None else None
        if prepared is None:
            mapper = FetchMapper(self._graph, fetches, self)
            plan = self._plan_for(feeds, mapper)
            prepared = Prepared(plan, [converter(t) for t in feeds], _order(feeds), mapper.rebuild)
            if key is not None:
                self._prepared[key] = prepared
        return prepared

    def _plan_for(self, feeds: tuple[Tensor, ...], mapper: FetchMapper) -> Plan:
        feeds = tuple([feeds[i] for i in _order(feeds)])
        key = (feeds, tuple(mapper.tensors), tuple(mapper.targets))
        with self._lock:
            plan = self._plans.get(key)
            if plan is None:
                plan = self._plans[key] = self._compile(list(feeds), mapper.tensors, mapper.targets)
                self._report(plan, mapper)
        return plan

    def _report(self, plan: Plan, mapper: FetchMapper) -> None:
        self._placement_log.write(plan.assignment.rows, plan.copies)
        if self._observer is not None:
            self._observer.saw_placement(
                [*(t.name for t in mapper.tensors), *(op.name for op in mapper.targets)], self._as_placement(plan)
            )

    def _as_placement(self, plan: Plan) -> Placement:
        return Placement(plan.assignment.rows, plan.copies, [d.name for d in self._devices])

    def _compile(self, feeds: list[Tensor], fetches: list[Tensor], targets: list[Operation]) -> Plan:
        def place(ops: Sequence[Operation], fed: Sequence[Tensor], wanted: Sequence[Any]) -> Assignment:
            soft = self._config.allow_soft_placement
            return placer.place(
                ops, self._devices, feeds=fed, fetches=wanted, soft=soft, policy=self._policy, settled=self._lives,
                log=self._placement_log,
            )  # fmt: skip

        try:
            return compile_plan(
                feeds, fetches, targets, self._devices, place, self._variables.cell, self._life, self._frames
            )
        except OutOfMemory as error:
            raise errors.ResourceExhaustedError(None, None, str(error)) from error

    def _function(self, region: Region) -> Function:
        """Return a function-valued attribute as what kernels call: it runs on the host, by a plan of its own."""

        def plan() -> Plan:
            host = self._devices[:1]

            def place(ops: Sequence[Operation], fed: Sequence[Tensor], wanted: Sequence[Any]) -> Assignment:
                return placer.place(ops, host, feeds=fed, fetches=wanted, soft=True, settled=self._lives)

            return compile_plan(
                region.params, region.results, effects_of(region), host, place, self._variables.cell, region=region
            )

        return Function(region, plan, self._resources, self._runs)

    def _lives(self, op: Operation) -> Device | None:
        """Return the device of the variable that a node stands for, None where no plan has used it yet."""
        cell = self._variables.find(op.attrs.get("shared_name") or op.name, op.attrs.get("container") or "")
        return None if cell is None else cell.device

    def _execute(self, plan: Plan, values: Sequence[Any], timeout: int, records: list[Any] | None = None) -> Any:
        if plan.copies:
            check_transfers(plan.copies)
        if records is None and not timeout and not plan.uses_run:
            return plan.execute(None, values)
        run = Run(self._resources, timeout)
        self._runs.add(run)
        try:
            if timeout:
                self._life.limit(run)
            return plan.execute(run, values) if records is None else plan.execute_traced(run, values)
        finally:
            self._runs.discard(run)
            if timeout:
                self._life.release(run)
            if records is not None:
                records.extend(run.records)

    def _run_with_options(self, plan: Plan, values: Sequence[Any], options: Any, run_metadata: Any) -> Any:
        timeout = int(options.timeout_in_ms) if options is not None and options.timeout_in_ms else self._timeout
        traced = self._tracing or (options is not None and options.trace_level > 0 and run_metadata is not None)
        records: list[Any] | None = [] if traced else None
        results = self._execute(plan, values, timeout, records)
        if self._tracing and self._observer is not None:
            self._observer.saw_run(plan, records or [], self._devices, self._graph)
        if run_metadata is not None:
            tracing.fill(run_metadata, plan, records or [], self._devices, self._graph, options)
        return results

    def make_callable(
        self, fetches: Any, feed_list: Sequence[Any] | None = None, accept_options: bool = False
    ) -> Callable[..., Any]:
        """Return a function that runs `fetches`; its arguments are the values of `feed_list`, in order."""
        if feed_list is not None and not isinstance(feed_list, list | tuple):
            raise TypeError("`feed_list` must be a list or tuple.")
        if self._closed:
            raise RuntimeError("Attempted to use a closed Session.")
        feeds = tuple(t for t, _ in feed_items(self._graph, dict.fromkeys(feed_list or ())))
        prepared = self._prepare(fetches, feeds)

        def call(*args: Any, options: Any = None, run_metadata: Any = None) -> Any:
            if self._closed:
                raise RuntimeError("Attempted to use a closed Session.")
            if len(args) != len(feeds):
                raise TypeError(
                    f"The callable takes {len(feeds)} values, one for each of its feeds; {len(args)} were given"
                )
            values = prepared.arguments(args)
            if options is None and run_metadata is None:
                return prepared.rebuild(self._execute(prepared.plan, values, self._timeout))
            return prepared.rebuild(self._run_with_options(prepared.plan, values, options, run_metadata))

        def call_without_options(*args: Any) -> Any:
            return call(*args)

        return call if accept_options else call_without_options

    def partial_run_setup(self, fetches: Any, feeds: Any = None) -> str:
        """Fix the fetches and feeds of a run that is made in several calls of `partial_run`; return its handle."""
        return self._partial.setup(fetches, feeds)

    def partial_run(self, handle: str, fetches: Any, feed_dict: Any = None) -> Any:
        """Continue a partial run: feed some of its feeds, and return some of its fetches."""
        return self._partial.run(handle, fetches, feed_dict)

    # -- placement and plans ---------------------------------------------------------------------------------------

    def plan(self, fetches: Any, feeds: Any = ()) -> Plan:
        """Return the compiled plan of `fetches` when `feeds` are given; its `source` is the emitted program."""
        mapper = FetchMapper(self._graph, fetches)
        return self._plan_for(tuple(t for t, _ in feed_items(self._graph, dict.fromkeys(feeds))), mapper)

    def placement(self, fetches: Any, feeds: Any = ()) -> Placement:
        """Return where every node that `fetches` needs runs, why, and the copies between devices."""
        return self._as_placement(self.plan(fetches, feeds))

    # -- life ------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Free the session's state; runs in progress end with CancelledError."""
        self._closed = True
        _open_sessions.discard(self)
        self._life.close()
        for run in list(self._runs):
            run.stop(CLOSED)
        self._resources.close()
        self._frames.clear()

    @contextmanager
    def _as_default(self) -> Any:
        stack = default_sessions()
        stack.append(self)
        try:
            yield self
        finally:
            # The innermost entry: a session may be entered inside itself.
            del stack[len(stack) - 1 - stack[::-1].index(self)]

    def as_default(self) -> Any:
        """Return a context manager that makes this the thread's default session (it does not close it)."""
        return self._as_default()


class Session(BaseSession):
    """Runs operations and evaluates tensors of a graph.

    Example:
      >>> import millstream as tf
      >>> with tf.Graph().as_default(), tf.Session() as sess:
      ...     print(sess.run(tf.constant(2) + 3))
      5
    """

    def __init__(self, target: str = "", graph: Graph | None = None, config: Any = None) -> None:
        super().__init__(target, graph, config)
        self._entered: tuple[Any, Any] | None = None

    def __enter__(self) -> Session:
        if self._entered is not None:
            raise RuntimeError(
                "Session context managers are not re-entrant. Use `Session.as_default()` if you want to enter a session "
                "multiple times."
            )
        graph, session = self._entered = self._graph.as_default(), self.as_default()
        graph.__enter__()
        session.__enter__()
        return self

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if self._entered is None:
            raise RuntimeError("The session was not entered: use it in a `with` statement.")
        (graph, session), self._entered = self._entered, None
        session.__exit__(kind, error, traceback)
        graph.__exit__(kind, error, traceback)
        self.close()

    @staticmethod
    def reset(target: str, containers: Any = None, config: Any = None) -> None:
        """Close every open session of this process, which frees what their containers hold.

        Raises:
          NotFoundError: for a target that is not this process.
        """
        Session(target, Graph(), config).close()
        for session in list(_open_sessions):
            session.close()


class InteractiveSession(BaseSession):
    """A session that makes itself the default one when it is built, for shells and notebooks."""

    def __init__(self, target: str = "", graph: Graph | None = None, config: Any = None) -> None:
        super().__init__(target, graph, config)
        self._default = self.as_default()
        self._default.__enter__()
        self._graph_context = None if graph is None else graph.as_default()
        if self._graph_context is not None:
            self._graph_context.__enter__()

    def close(self) -> None:
        """Close the session and take it off the thread's stack of default ones."""
        super().close()
        if self._default is not None:
            if self._graph_context is not None:
                self._graph_context.__exit__(None, None, None)
            self._default.__exit__(None, None, None)
            self._default = None


def get_default_session() -> Any:
    """Return this thread's default session, or None."""
    stack = default_sessions()
    return stack[-1] if stack else None


def _is_flat(fetches: Any) -> bool:
    """Tell whether a fetch is a node, a name, or a plain list or tuple of them."""
    items = fetches if fetches.__class__ in (list, tuple) else (fetches,)
    return all(isinstance(item, Tensor | Operation | str) for item in items)


def _order(feeds: Sequence[Tensor]) -> list[int]:
    """Return the positions of the feeds in the order of their nodes: one plan serves all orders."""
    return sorted(range(len(feeds)), key=lambda i: (feeds[i].op.id, feeds[i].index))
