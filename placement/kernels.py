"""Which kernel serves a node on a kind of device, and why none does.

The placer asks here before it decides, so that no kernel refuses at run time what the placer accepted: a node runs on
a kind of device when a kernel is registered for it, the kernel supports the node, and the device can hold its data.
Handles and other nodes that run nothing need no kernel; If and While are the host's own control flow.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from ..devices.device import gpu_has
from ..ops.core import dtypes
from ..ops.core.dtypes import DType
from ..ops.core.node import Operation, Tensor
from ..ops.core.registry import KernelEntry, OpDecl
from .memory import is_handle

# They order other nodes, or stand for values that the engine brings; nothing of theirs runs.
STRUCTURAL = frozenset({"ControlTrigger", "NoOp", "Placeholder", "PlaceholderV2"})


_ENUM_NAMES = {"float16": "HALF", "float32": "FLOAT", "float64": "DOUBLE"}


def holds(kind: str, dtype: DType) -> bool:
    """Tell whether a kind of device can hold values of a dtype; handles are names and need no memory."""
    return kind == "CPU" or dtype.name == "resource" or dtype.base_dtype in _ON_GPU


_ON_GPU = frozenset(
    dtype for dtype in dtypes.BY_NAME.values() if dtype.np_dtype is not None and gpu_has(dtype.np_dtype)
)


def is_structural(op: Operation) -> bool:
    """Tell whether a node has no kernel because it needs none."""
    if op.regions or op.decl.name in STRUCTURAL:
        return True
    region = op.region
    if region is not None and any(param.op is op for param in region.params):
        return True
    return any(is_handle(tensor) for tensor in op.outputs)


def unheld(op: Operation, kind: str) -> Tensor | None:
    """Return the first input or output of a node that a kind of device cannot hold, or None."""
    if kind == "CPU":
        return None
    decl = op.decl
    for tensors, in_host in ((op.inputs, decl.host_inputs), (op.outputs, decl.host_outputs)):
        flags = in_host(op) if decl.host else None
        for i, tensor in enumerate(tensors):
            if tensor.dtype not in _ON_GPU and not holds(kind, tensor.dtype) and not (flags and flags[i]):
                return tensor
    return None


class Kernels:
    """Finds kernels, remembering what it found for each node."""

    def __init__(self) -> None:
        self._entries: dict[tuple[OpDecl, str], list[KernelEntry]] = {}

    def find(self, op: Operation, kind: str) -> KernelEntry | None:
        """Return the preferred kernel that serves a node on a kind of device, or None."""
        key = (op.decl, kind)
        entries = self._entries.get(key)
        if entries is None:
            entries = self._entries[key] = op.decl.kernels_for(kind)
        for entry in entries:
            if entry.supports is None or entry.supports(op):
                return entry
        return None

    def runs_on(self, op: Operation, kind: str) -> bool:
        """Tell whether a node can be placed on a kind of device."""
        if op.regions:
            return kind == "CPU"
        if unheld(op, kind) is not None:
            return False
        if op.decl.kernels:
            return self.find(op, kind) is not None
        content = op.attrs.get("dtype")
        if isinstance(content, DType) and not holds(kind, content):
            return False
        return is_structural(op) and (kind == "CPU" or op.decl.on_gpu)


def enum_name(dtype: DType) -> str:
    """Return TensorFlow's enum name of a dtype, such as DT_FLOAT."""
    return f"DT_{_ENUM_NAMES.get(dtype.name, dtype.name.upper())}"


def registered(decl: OpDecl) -> str:
    """Return the list of a declaration's kernels, as TensorFlow prints it."""
    if not decl.kernels:
        return "  <no registered kernels>"
    types = [
        f"{attr.name} in [{', '.join(map(enum_name, attr.allowed))}]"
        for attr in decl.attrs.values() if attr.allowed and attr.kind == "type"
    ]  # fmt: skip
    lines = dict.fromkeys("; ".join([f"  device='{entry.kind}'", *types]) for entry in decl.kernels)
    return "\n".join(lines)


def why_not(op: Operation, kind: str) -> str:
    """Return why a node cannot be on a kind of device, and what would help."""
    if op.regions:
        return f"{op.type} is control flow, which runs on the host; its regions' nodes keep their own devices"
    tensor = unheld(op, kind)
    if tensor is not None:
        name = tensor.dtype.base_dtype.name
        return f"{tensor.name} holds {name} values, which live on the CPU only: place {op.name} there"
    if not op.decl.kernels_for(kind):
        return f"{op.type} has no kernel for {kind} devices: place it elsewhere, or use soft placement"
    name, dtype = _main_type(op)
    if dtype is None:
        return f"no {kind} kernel of {op.type} serves this node's attributes"
    nearest = nearest_type(op, kind, name, dtype)
    advice = (
        f"; the nearest type that it serves is {nearest.name}: cast to it, or place the node elsewhere"
        if nearest
        else ""
    )
    return f"no {kind} kernel of {op.type} serves {name}={dtype.name}{advice}"


def _main_type(op: Operation) -> tuple[str, DType | None]:
    for attr in op.decl.attrs.values():
        value = op.attrs.get(attr.name)
        if attr.kind == "type" and isinstance(value, DType):
            return attr.name, value
    return "", None


def nearest_type(op: Operation, kind: str, attr_name: str, dtype: DType) -> DType | None:
    """Return the dtype most like `dtype` that a kernel would serve, or None; wider ones of its sort come first."""
    allowed = op.decl.attrs[attr_name].allowed or tuple(dtypes.BY_NAME.values())
    candidates = [other for other in allowed if other is not dtype and _sort(other) and holds(kind, other)]
    candidates.sort(
        key=lambda other: (_sort(other) != _sort(dtype), other.size < dtype.size, abs(other.size - dtype.size))
    )
    return next((other for other in candidates if _would_serve(op, kind, attr_name, dtype, other)), None)


def _sort(dtype: DType) -> str:
    flags = {"float": dtype.is_floating, "integer": dtype.is_integer, "complex": dtype.is_complex}
    return next((name for name, holds_ in flags.items() if holds_), "")


def _would_serve(op: Operation, kind: str, attr_name: str, old: DType, new: DType) -> bool:
    """Ask the kernels about a likeness of `op` in another dtype; one that cannot answer does not count."""

    def likeness(tensor: Tensor) -> Any:
        dtype = new if tensor.dtype.base_dtype is old else tensor.dtype
        return SimpleNamespace(dtype=dtype, dims=tensor.dims, op=tensor.op, index=tensor.index, name=tensor.name)

    attrs = {**op.attrs, attr_name: new}
    inputs, outputs = (tuple(map(likeness, tensors)) for tensors in (op.inputs, op.outputs))
    probe: Any = SimpleNamespace(decl=op.decl, type=op.type, name=op.name, attrs=attrs, inputs=inputs, outputs=outputs)
    try:
        return any(entry.supports is None or entry.supports(probe) for entry in op.decl.kernels_for(kind))
    except (AttributeError, KeyError, TypeError):
        return False
