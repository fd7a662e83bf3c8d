"""Nodes whose work belongs to the host though a GPU could do it: shape computations, loop counters, their constants.

A node computes for the host when all its consumers read it in host memory (a reduction's axes, the dimensions of a
reshape, a predicate), or when it does small integer arithmetic on values that are on the host already (an element of a
shape, a loop counter). Role and size decide, never the dtype alone. Both sweeps are linear in the edges.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..ops.core import dtypes
from ..ops.core.node import Operation, Tensor
from .memory import is_handle, loop_body
from .sizes import static_elements

METADATA = frozenset({"Rank", "Shape", "ShapeN", "Size"})
_INTEGRAL = frozenset({dtypes.int32, dtypes.int64, dtypes.bool})
_MOST_ELEMENTS = 64


def is_generator(op: Operation) -> bool:
    """Tell whether a node makes one value out of nothing, so that it can be wherever that is wanted."""
    return not op.inputs and len(op.outputs) == 1 and not is_handle(op.outputs[0]) and not op.regions


def _is_small(tensor: Tensor) -> bool:
    """Tell whether a tensor holds few integers: known to be few, or a vector of unknown length, as shapes are."""
    if tensor.dtype not in _INTEGRAL:
        return False
    elements = static_elements(tensor)
    return elements <= _MOST_ELEMENTS if elements is not None else tensor.dims is not None and len(tensor.dims) == 1


def _is_arithmetic(op: Operation) -> bool:
    if op.decl.stateful or op.regions or not op.outputs or not op.inputs:
        return False
    return all(map(_is_small, op.outputs)) and all(map(_is_small, op.inputs))


def host_parameters(ops: Sequence[Operation]) -> set[Operation]:
    """Return the nodes that stand for integer scalars among the loop variables: counters, which the host steps."""
    found: set[Operation] = set()
    for op in ops:
        if op.regions and loop_body(op) is not None:
            for region in op.regions:
                found.update(t.op for t in region.params if t.dtype in _INTEGRAL and static_elements(t) == 1)
    return found


class Roles:
    """Which of the nodes compute for the host; `host` holds them."""

    def __init__(self, ops: Sequence[Operation], fed: Collection[Tensor]) -> None:
        self.parameters = host_parameters(ops)
        self._fed = fed
        self.host: set[Operation] = set(self.parameters)
        self._sweep_forward(ops)
        self._sweep_backward(ops)

    def _sweep_forward(self, ops: Sequence[Operation]) -> None:
        """Keep small integer arithmetic on values of the host on the host."""
        for op in ops:
            if op not in self.host and _is_arithmetic(op):
                varying = [
                    tensor for tensor in op.inputs if tensor.op.inputs or tensor.op in self.host or tensor in self._fed
                ]
                if varying and all(self._is_born_on_host(tensor) for tensor in varying):
                    self.host.add(op)

    def _is_born_on_host(self, tensor: Tensor) -> bool:
        op = tensor.op
        if op in self.host:
            return True
        if op.regions:
            body = loop_body(op)
            return (
                body is not None and tensor.index < len(body.params) and body.params[tensor.index].op in self.parameters
            )
        return bool(op.decl.host) and op.decl.host_outputs(op)[tensor.index]

    def _sweep_backward(self, ops: Sequence[Operation]) -> None:
        """Put on the host what is only read there; consumers come after their producers, so one sweep is enough."""
        on_host: set[Operation] = set()
        elsewhere: set[Operation] = set()
        for op in reversed(ops):
            if op in on_host and op not in elsewhere and (is_generator(op) or _is_arithmetic(op)):
                self.host.add(op)
            for index, reads_on_host in self._reads(op):
                (on_host if reads_on_host else elsewhere).add(op.inputs[index].op)
            if op.regions:
                self._sort_results(op, on_host, elsewhere)

    def _reads(self, op: Operation) -> list[tuple[int, bool]]:
        """Return (input, whether it is read on the host) for each input that the node itself reads."""
        if op in self.host:
            return [(index, True) for index in range(len(op.inputs))]
        if op.regions:
            body = loop_body(op)
            if body is None:
                return [(0, True)] if op.inputs else []
            return [(i, p.op in self.parameters) for i, p in enumerate(body.params) if i < len(op.inputs)]
        if op.decl.host:
            return list(enumerate(op.decl.host_inputs(op)))
        return [(index, False) for index in range(len(op.inputs))]

    def _sort_results(self, op: Operation, on_host: set[Operation], elsewhere: set[Operation]) -> None:
        body = loop_body(op)
        for region in op.regions:
            for index, tensor in enumerate(region.results):
                if body is None:
                    elsewhere.add(tensor.op)
                elif region is body:
                    counts = index < len(body.params) and body.params[index].op in self.parameters
                    (on_host if counts else elsewhere).add(tensor.op)
                else:
                    on_host.add(tensor.op)
