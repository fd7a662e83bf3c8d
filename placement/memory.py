"""Where values live, and where nodes want to read them.

A value lives where its node computes, but for outputs in host memory, feeds (which arrive on the host), and the outputs
of If and While, which live where their regions leave them. A loop variable has one home: its parameter's in the body.
Reference and resource tensors are handles; their value stays with the node that owns it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ..devices.device import Device
from ..ops.core.node import Operation, Tensor
from ..ops.core.regions import Region


def loop_body(op: Operation) -> Region | None:
    """Return the region whose parameters say where a loop's variables live; None for nodes that are no loops."""
    last = op.regions[-1] if op.regions else None
    return last if last is not None and last.params else None


def is_handle(tensor: Tensor) -> bool:
    """Tell whether a tensor is a reference or a resource handle, which never moves."""
    return tensor.dtype._is_ref_dtype or tensor.dtype.name == "resource"


class Homes:
    """Where values are; `device_of` may still be filling while the placer asks."""

    def __init__(self, device_of: dict[Operation, Device], host: Device, fed: Collection[Tensor]) -> None:
        self.device_of = device_of
        self.host = host
        self.fed = frozenset(fed)

    def home(self, tensor: Tensor) -> Device | None:
        """Return the device that holds the tensor's value, or None where that is not decided yet."""
        op = tensor.op
        while op.regions:
            leaving = self._leaving(op, tensor.index)
            if tensor in self.fed or leaving is None:
                return self.host
            tensor, op = leaving, leaving.op
        if tensor in self.fed:
            return self.host
        device = self.device_of.get(op)
        if device is None or device.kind == "CPU" or not op.decl.host:
            return device
        return self.host if op.decl.host_outputs(op)[tensor.index] else device

    def _leaving(self, op: Operation, index: int) -> Tensor | None:
        """Return the tensor of a region that an output of an If or While shares its home with."""
        body = loop_body(op)
        inner = body.params if body is not None else op.regions[0].results
        return inner[index] if index < len(inner) else None

    def wanted(self, op: Operation, index: int) -> Device | None:
        """Return where `op` reads its input `index`; None where it does not, or where that is undecided."""
        if op.regions:
            body = loop_body(op)
            if body is None:
                return self.host if index == 0 else None
            return self.home(body.params[index]) if index < len(body.params) else None
        device = self.device_of.get(op)
        if device is None or device.kind == "CPU" or not op.decl.host:
            return device
        return self.host if op.decl.host_inputs(op)[index] else device

    def results_wanted(self, op: Operation) -> Iterator[tuple[Tensor, Device | None]]:
        """Yield (tensor, where it is wanted) for what the regions of an If or While hand back."""
        body = loop_body(op)
        for region in op.regions:
            for index, tensor in enumerate(region.results):
                if body is None:
                    yield tensor, self.home(op.outputs[index])
                elif region is body:
                    yield tensor, self.home(body.params[index]) if index < len(body.params) else None
                else:
                    yield tensor, self.host
