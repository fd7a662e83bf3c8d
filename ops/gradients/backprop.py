"""Reverse-mode differentiation over the nodes of one level of a graph.

A level is the outer graph (with the regions around the code that asks), or one region whose gradient is being built. A node
inside a region of the level counts as the If or While that owns it, whose inputs then are the tensors that its regions
capture besides its own. State: the nodes between `ys` and `xs`, how many of their consumers have not given their gradient
yet, and the gradients that arrived. Invariant: a node is differentiated once, after all of its consumers on the way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from typing import Any

from ..array.fills import zeros_like
from ..core.dtypes import DType
from ..core.graph import Graph
from ..core.node import Operation, Tensor
from ..core.regions import Region, captures_of
from ..state.group import tuple_of
from .aggregate import aggregate, where_it_lives
from .registry import gradient_function, region_gradient_of

_TRAINABLE = frozenset(("float16", "bfloat16", "float32", "float64", "complex64", "complex128", "resource", "variant"))


def trainable(dtype: DType) -> bool:
    """Tell whether gradients flow through tensors of this type."""
    return dtype.base_dtype.name in _TRAINABLE


class Backprop:
    """One differentiation: of `ys` with respect to `xs`, at the level of `region`, or of the code that asks when `within`
    is None. State as in the module's docstring: `pending`, `arrived`, `inputs` by node."""

    def __init__(
        self, graph: Graph, ys: list[Tensor], xs: list[Tensor], stops: Iterable[Operation] = (), *,
        within: Region | None = None, colocate: bool = False, gate: bool = False, method: int | None = None,
    ) -> None:  # fmt: skip
        self.graph, self.ys, self.xs = graph, ys, xs
        self.within, self.around = within, graph.current_region
        self.colocate, self.gate, self.method = colocate, gate, method
        self.inputs: dict[Operation, list[Tensor]] = {}
        self.arrived: dict[Operation, list[list[Any]]] = {}
        self.leaves = {x.op for x in xs}
        self.pending = self._count_pending()
        self.stops = self._stops(stops)

    # -- which nodes ---------------------------------------------------------------------------------------------------

    def level_of(self, op: Operation) -> Operation | None:
        """Return the node of this level that `op` is, or is inside of; None when it is outside."""
        node: Operation | None = op
        while node is not None:
            region = node.region
            if region is self.within and (region is not None or self.around is None):
                return node
            if self.within is None and (region is None or region.encloses(self.around)):
                return node
            node = None if region is None else region.owner
        return None

    def inputs_of(self, op: Operation) -> list[Tensor]:
        """Return a node's inputs, and behind them what its regions capture."""
        found = self.inputs.get(op)
        if found is None:
            found = self.inputs[op] = [*op.inputs, *(captures_of(op) if op.regions else ())]
        return found

    def _reached(self) -> set[Operation]:
        reached: set[Operation] = set()
        queue = deque(x.op for x in self.xs)
        first = {x: None for x in self.xs if self.level_of(x.op) is None}
        for tensor in first:
            queue.extend(self._consumers(tensor))
        while queue:
            op = queue.popleft()
            if op in reached:
                continue
            reached.add(op)
            for tensor in op.outputs:
                if trainable(tensor.dtype):
                    queue.extend(self._consumers(tensor))
        return reached

    def _consumers(self, tensor: Tensor) -> list[Operation]:
        consumers = (self.level_of(op) for op in tensor.consumer_list)
        return [op for op in consumers if op is not None]

    def _count_pending(self) -> dict[Operation, int]:
        reached = self._reached()
        self.sources = [y.op for y in self.ys if y.op in reached]
        between: dict[Operation, int] = {}
        queue = deque(y.op for y in self.ys)
        while queue:
            op = queue.popleft()
            if op in reached:
                between[op] = 0
                reached.discard(op)
                if self.level_of(op) is not None:
                    queue.extend(t.op for t in self.inputs_of(op))
        for op in between:
            if self.level_of(op) is not None:
                for tensor in self.inputs_of(op):
                    if tensor.op in between:
                        between[tensor.op] += 1
        return between

    def _stops(self, stops: Iterable[Operation]) -> set[Operation]:
        found = set(stops)
        for op in self.leaves:
            if self.level_of(op) is None or not any(t.op in self.pending for t in self.inputs_of(op)):
                found.add(op)
        return found

    # -- the walk ------------------------------------------------------------------------------------------------------

    def run(self, grad_ys: list[Any]) -> list[Any]:
        """Return the gradient of each x, None where it does not depend on it; `grad_ys` are those of the ys."""
        for y, grad in zip(self.ys, grad_ys, strict=True):
            self._give(y, grad)
        done: dict[Operation, list[Any]] = {}
        queue = deque(op for op in dict.fromkeys(self.sources) if self.pending.get(op) == 0)
        while queue:
            op = queue.popleft()
            grads = done[op] = self._aggregated(op)
            inputs = self.inputs_of(op) if self.level_of(op) is not None else []
            in_grads: list[Any] = [None] * len(inputs)
            if op not in self.stops and any(g is not None for g in grads):
                in_grads = self._differentiate(op, grads, inputs)
            for tensor, grad in zip(inputs, in_grads, strict=True):
                if grad is not None:
                    self._give(tensor, grad)
            for tensor in inputs:
                if tensor.op in self.pending:
                    self.pending[tensor.op] -= 1
                    if self.pending[tensor.op] == 0:
                        queue.append(tensor.op)
        return [done[x.op][x.index] if x.op in done else None for x in self.xs]

    def _give(self, tensor: Tensor, grad: Any) -> None:
        found = self.arrived.get(tensor.op)
        if found is None:
            found = self.arrived[tensor.op] = []
        while len(found) <= tensor.index:
            found.append([])
        found[tensor.index].append(grad)

    def _aggregated(self, op: Operation) -> list[Any]:
        arrived = self.arrived.pop(op, [])
        with self._beside(op):
            grads = [aggregate(found, op.name, self.method) for found in arrived]
        return grads + [None] * (len(op.outputs) - len(grads))

    def _beside(self, op: Operation) -> AbstractContextManager[Any]:
        """Build where the forward node was asked to be: with it, or on the device that it asked for."""
        if self.colocate:
            return self.graph.colocate_with(op)
        return self.graph.device(op.device) if op.device else ExitStack()

    def _differentiate(self, op: Operation, grads: list[Any], inputs: list[Tensor]) -> list[Any]:
        with self._beside(op):
            if op.regions:
                with self.graph.name_scope(op.name + "_grad"):
                    count = len(op.inputs)
                    own, captured = region_gradient_of(op)(op, grads, inputs[count:])
                    return self._checked(op, inputs, [*own[:count], *captured])
            function = self._function(op)
            if function is None:
                return [None] * len(inputs)
            for i, tensor in enumerate(op.outputs):
                if grads[i] is None and trainable(tensor.dtype) and tensor.dtype.name != "resource":
                    with where_it_lives(tensor):
                        grads[i] = zeros_like(tensor)
            with self.graph.name_scope(op.name + "_grad"):
                return self._gated(self._checked(op, inputs, as_list(function(op, *grads))))

    def _function(self, op: Operation) -> Callable[..., Any] | None:
        try:
            return gradient_function(op)
        except LookupError:
            raise LookupError(f"No gradient defined for operation '{op.name}' (op type: {op.type})") from None

    def _gated(self, grads: list[Any]) -> list[Any]:
        if not self.gate or sum(g is not None for g in grads) < 2:
            return grads
        with self.graph.colocate_with(None, ignore_existing=True):
            return tuple_of(grads)

    def _checked(self, op: Operation, inputs: list[Tensor], grads: list[Any]) -> list[Any]:
        if len(grads) != len(inputs):
            raise ValueError(
                f"Num gradients {len(grads)} generated for op {op.node_def} do not match num inputs {len(inputs)}"
            )
        for i, (tensor, grad) in enumerate(zip(inputs, grads, strict=True)):
            if isinstance(grad, Tensor) and tensor.dtype.name not in ("resource", "variant"):
                try:
                    grad.set_shape(tensor.dims)
                except ValueError:
                    raise ValueError(
                        "Incompatible shapes between op input and calculated input gradient. Forward operation: "
                        f"{op.name}. Input index: {i}. Original input shape: {tensor.shape}. Calculated input gradient "
                        f"shape: {grad.shape}"
                    ) from None
        return grads


def as_list(value: Any) -> list[Any]:
    """Return what a gradient function gave as a list: one gradient may come bare."""
    return list(value) if isinstance(value, list | tuple) else [value]
