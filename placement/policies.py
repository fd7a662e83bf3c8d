"""Where nodes go that nothing else decides: the session's default policy.

A policy is asked once for each group of nodes (mostly a single node) with the devices that could take all of it, in
the session's order, and answers with one of them and the reason that the placement reports. Policies see nodes, never
values. A session keeps the policy that was in force in its thread when it was made.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Protocol

from ..devices.device import Device
from ..ops.core.node import Operation
from .sizes import static_bytes


class Choice(NamedTuple):
    """A device, and why it was chosen."""

    device: Device
    reason: str


class Policy(Protocol):
    """Chooses among the devices that could take a group of nodes; `candidates` is never empty."""

    def __call__(self, ops: Sequence[Operation], candidates: Sequence[Device]) -> Choice:
        """Return one of `candidates` and the reason."""


def gpu_first(ops: Sequence[Operation], candidates: Sequence[Device]) -> Choice:
    """Choose the first GPU where there is one that can take the nodes, else the first CPU, as TensorFlow does."""
    gpu = next((device for device in candidates if device.kind == "GPU"), None)
    if gpu is not None:
        return Choice(gpu, "default policy: the first GPU that has a kernel")
    return Choice(candidates[0], f"default policy: no GPU can take it, so the first {candidates[0].kind}")


def cpu_first(ops: Sequence[Operation], candidates: Sequence[Device]) -> Choice:
    """Choose the first CPU where it can take the nodes: GPUs get only what is pinned to them."""
    cpu = next((device for device in candidates if device.kind == "CPU"), candidates[0])
    return Choice(cpu, "policy cpu_first: only pinned nodes go to a GPU")


class SmallTensorsOnCpu:
    """Like `gpu_first`, but nodes whose inputs and outputs all have at most `limit` bytes stay on the CPU.

    A small op costs more to launch on a GPU than to compute on the host. Nodes of unknown size go to the GPU.
    """

    def __init__(self, limit: int = 4096) -> None:
        self.limit = limit

    def __call__(self, ops: Sequence[Operation], candidates: Sequence[Device]) -> Choice:
        cpu = next((device for device in candidates if device.kind == "CPU"), None)
        if cpu is not None and all(self._is_small(op) for op in ops):
            return Choice(cpu, f"policy small_tensors_on_cpu: no tensor of it has more than {self.limit} bytes")
        return gpu_first(ops, candidates)

    def _is_small(self, op: Operation) -> bool:
        sizes = [static_bytes(tensor) for tensor in (*op.inputs, *op.outputs)]
        return all(size is not None and size <= self.limit for size in sizes)


def small_tensors_on_cpu(limit: int = 4096) -> Policy:
    """Return a policy that keeps nodes with tensors of at most `limit` bytes on the CPU."""
    return SmallTensorsOnCpu(limit)


default_policy: Policy = gpu_first


class _InForce(threading.local):
    """The policies of this thread's `use_policy` blocks, innermost last."""

    def __init__(self) -> None:
        self.stack: list[Policy] = []


_in_force = _InForce()


@contextmanager
def use_policy(policy: Policy) -> Iterator[None]:
    """Give the sessions that this thread makes inside the `with` block another default policy.

    Raises:
      TypeError: when the policy cannot be called.
    """
    if not callable(policy):
        raise TypeError(f"A placement policy is a function of nodes and devices, got {policy!r}")
    _in_force.stack.append(policy)
    try:
        yield
    finally:
        _in_force.stack.pop()


def current_policy() -> Policy:
    """Return the policy that is in force in this thread."""
    return _in_force.stack[-1] if _in_force.stack else default_policy
