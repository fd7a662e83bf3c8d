"""Device functions for parameter servers: variables to the servers in turn, everything else to the worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..devices.spec import DeviceSpec, canonical_name, parse
from ..ops.core.node import Operation
from .sizes import static_bytes

PS_OPS = (
    "AutoReloadVariable", "BoostedTreesEnsembleResourceHandleOp", "BoostedTreesQuantileStreamResourceHandleOp",
    "DecisionTreeResource", "MutableDenseHashTable", "MutableDenseHashTableV2", "MutableHashTable",
    "MutableHashTableOfTensors", "MutableHashTableOfTensorsV2", "MutableHashTableV2", "ResourceConditionalAccumulator",
    "VarHandleOp", "Variable", "VariableV2",
)  # fmt: skip


class RoundRobinStrategy:
    """Gives out task numbers in turn."""

    def __init__(self, num_tasks: int) -> None:
        self._num_tasks = num_tasks
        self._next = 0

    def __call__(self, op: Operation) -> int:
        task, self._next = self._next, (self._next + 1) % self._num_tasks
        return task


class GreedyLoadBalancingStrategy:
    """Gives each node to the task with the least load so far; `load_fn` tells the load of a node."""

    def __init__(self, num_tasks: int, load_fn: Callable[[Operation], float]) -> None:
        self._loads = [0.0] * num_tasks
        self._load_fn = load_fn

    def __call__(self, op: Operation) -> int:
        task = min(range(len(self._loads)), key=self._loads.__getitem__)
        self._loads[task] += self._load_fn(op)
        return task


def byte_size_load_fn(op: Operation) -> float:
    """Return the bytes of a node's only output, as its load.

    Raises:
      ValueError: when the node has several outputs, or its static shape is not known in full.
    """
    if len(op.outputs) != 1:
        raise ValueError(f"Op {op.name} must have a single output, has {len(op.outputs)}")
    size = _content_bytes(op)
    if size is None:
        raise ValueError(f"Op {op.name} needs a fully known shape to tell its size, has {op.outputs[0].shape}")
    return float(size)


def _content_bytes(op: Operation) -> int | None:
    """Return the bytes of a node's output; for a resource variable those of the value behind the handle."""
    dims, dtype = op.attrs.get("shape"), op.attrs.get("dtype")
    if op.type != "VarHandleOp" or dims is None or dtype is None or None in dims:
        return static_bytes(op.outputs[0])
    size = int(dtype.np_dtype.itemsize)
    for dim in dims:
        size *= dim
    return size


class _ReplicaDeviceChooser:
    """The device function: chooses a task for the nodes of `ps_ops`, the worker for the others."""

    def __init__(
        self,
        ps_device: str,
        worker_device: str,
        merge_devices: bool,
        ps_ops: Sequence[str],
        strategy: Callable[[Operation], int],
    ) -> None:
        self._ps = parse(canonical_name(ps_device))
        self._worker = parse(canonical_name(worker_device))
        self._merge = merge_devices
        self._ps_ops = frozenset(ps_ops)
        self._strategy = strategy

    def __call__(self, op: Operation) -> str:
        if not self._merge and op.device:
            return op.device
        current = parse(op.device)
        if op.type not in self._ps_ops:
            return self._worker.make_merged_spec(current).to_string()
        spec = self._ps
        if spec.job and spec.job == (current.job or spec.job):
            spec = spec.replace(task=self._strategy(op))
        return spec.make_merged_spec(current).to_string()


def replica_device_setter(
    ps_tasks: int = 0, ps_device: str = "/job:ps", worker_device: str = "/job:worker", merge_devices: bool = True,
    cluster: Any = None, ps_ops: Sequence[str] | None = None, ps_strategy: Callable[[Operation], int] | None = None,
) -> _ReplicaDeviceChooser | None:  # fmt: skip
    """Return a device function that spreads variables over parameter servers and puts the rest on the worker.

    Args:
      ps_tasks: how many parameter-server tasks there are; with none, and no `cluster`, the answer is None.
      ps_device: the job that holds variables.
      worker_device: where everything else goes.
      merge_devices: whether a request that a node has already is completed, instead of left alone.
      cluster: a ClusterSpec, or a mapping from job to addresses, which tells `ps_tasks`.
      ps_ops: op types that go to the servers; variables and tables by default.
      ps_strategy: a function from a node to a task number; round robin by default.

    Raises:
      TypeError: when `ps_strategy` cannot be called.
    """
    if cluster is not None:
        jobs: Mapping[str, Any] = cluster if isinstance(cluster, Mapping) else cluster.as_dict()
        ps_tasks = len(jobs.get(DeviceSpec.from_string(canonical_name(ps_device)).job or "ps", ()))
    if ps_tasks == 0:
        return None
    strategy = RoundRobinStrategy(ps_tasks) if ps_strategy is None else ps_strategy
    if not callable(strategy):
        raise TypeError("ps_strategy must be callable")
    return _ReplicaDeviceChooser(
        ps_device, worker_device, merge_devices, PS_OPS if ps_ops is None else ps_ops, strategy
    )
