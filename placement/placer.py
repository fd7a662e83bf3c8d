"""The placer: gives every node of a pruned graph a device, a kernel and a reason, or says why it cannot.

Steps, each linear: tie nodes that must share a device (groups.py) -> find which nodes work for the host (roles.py) ->
for each group, oldest first: intersect its members' kernels, meet the request, else decide by rule or policy -> loop
variables, then generators, go to their consumers -> list the copies (copies.py). Violations are collected and raised
together. Invariant: a node that asked for a device gets it, or a fallback that is told, or the placing fails.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..devices.device import Device
from ..ops.core.node import Operation, Tensor
from .assignment import Assignment, Row
from .copies import plan_copies
from .decide import Decider, Settled, nowhere
from .kernels import Kernels
from .log import PlacementLog
from .memory import Homes
from .policies import Policy, default_policy
from .rows import row_for
from .violations import raise_all


def place(
    ops: Sequence[Operation], devices: Sequence[Device], *, feeds: Collection[Tensor] = (),
    fetches: Sequence[Tensor | Operation] = (), soft: bool = False, policy: Policy = default_policy,
    settled: Settled = nowhere, log: PlacementLog | None = None,
) -> Assignment:  # fmt: skip
    """Place the nodes of a pruned graph on devices.

    Args:
      ops: the nodes in creation order, those inside regions included.
      devices: the session's devices, at least one CPU among them; the first CPU is the host.
      feeds: tensors whose values are fed; they arrive on the host.
      fetches: what is fetched; fetching makes no copy.
      soft: whether a request that cannot be met is replaced by the next best device, with a warning.
      policy: where nodes go that nothing else decides.
      settled: tells where the variable that a node stands for lives already, None where it has no place yet.
      log: what was told before; a fallback warns once for each log. Without one, every fallback warns.

    Raises:
      InvalidArgumentError: listing every node that cannot be placed.
    """
    ops = with_placeholders(ops, feeds)
    host = next(device for device in devices if device.kind == "CPU")
    homes = Homes({}, host, feeds)
    kernels = Kernels()
    decider = Decider(ops, devices, homes, kernels, soft, policy, settled)
    decider.decide_all()
    raise_all(decider.violations)
    rows: list[Row] = []
    kernel_of = {}
    for op in ops:
        kind = homes.device_of[op].kind
        kernel_of[op] = kernel = None if op.regions else kernels.find(op, kind)
        rows.append(row_for(op, decider.placed[op], kernel))
    assignment = Assignment(homes.device_of, kernel_of, rows, homes, tuple(devices))
    assignment.copies = plan_copies(ops, assignment, feeds, fetches)
    (log or PlacementLog(devices, enabled=False)).warn(rows)
    return assignment


def with_placeholders(ops: Sequence[Operation], feeds: Collection[Tensor]) -> list[Operation]:
    """Return the nodes and, in their places, the fed placeholders, which do not run but are part of what users see."""
    fed = {tensor.op for tensor in feeds if not tensor.op.inputs}.difference(ops)
    return sorted((*ops, *fed), key=lambda op: op.id) if fed else list(ops)
