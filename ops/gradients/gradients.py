"""Symbolic differentiation: `gradients(ys, xs)` adds the nodes that compute dys/dxs to the graph.

Only nodes on a path from some x to some y are visited, latest first; each node's gradient function turns the gradients of
its outputs into those of its inputs. For nodes that own regions, the tensors that the regions capture count as inputs after
the declared ones. New nodes ask for the device of the forward node, so that gradients are computed where values are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any

from ..array.fills import fill, zeros_like
from ..array.shape_ops import shape
from ..core import dtypes, shapes
from ..core.convert import convert_to_tensor
from ..core.graph import Graph, get_default_graph
from ..core.indexed_slices import IndexedSlices
from ..core.node import Operation, Tensor
from ..state.group import tuple_of
from .aggregate import total
from .registry import gradient_function_of


def gradients(
    ys: Any, xs: Any, grad_ys: Any = None, name: str = "gradients", colocate_gradients_with_ops: bool = False,
    gate_gradients: bool = False, aggregation_method: int | None = None, stop_gradients: Any = None,
) -> list[Any]:  # fmt: skip
    """Return the sum of dy/dx over all `ys`, for each x in `xs`.

    Args:
      ys, xs: a tensor or variable, or lists of them.
      grad_ys: what flows into each y; ones where None.
      name: the name scope of the new nodes.
      colocate_gradients_with_ops: put each gradient node into its forward node's colocation group.
      gate_gradients: hand the gradients of a node on only when all of them are computed.
      aggregation_method: one of AggregationMethod; all add up the same.
      stop_gradients: tensors beyond which nothing is differentiated.

    Returns:
      One Tensor or IndexedSlices for each x; None where no y depends on it.

    Raises:
      LookupError: when an op on the way has no gradient. TypeError, ValueError: when `grad_ys` does not fit `ys`.
    """
    if aggregation_method not in (None, 0, 1, 2):
        raise ValueError(f"Invalid aggregation_method specified {aggregation_method}.")
    targets, sources = [_tensor(y) for y in _listed(ys)], [_tensor(x) for x in _listed(xs)]
    stops = {_tensor(t) for t in _listed(stop_gradients)} if stop_gradients is not None else set()
    given = [None] * len(targets) if grad_ys is None else _listed(grad_ys)
    if len(given) != len(targets):
        raise ValueError(f"Must pass as many grad_ys as ys, got {len(given)} for {len(targets)}")
    graph = get_default_graph()
    anchors = [t for t in (*targets, *sources) if isinstance(t, Tensor)]
    with graph.name_scope(name):
        begun = [_initial(y, g, i) for i, (y, g) in enumerate(zip(targets, given, strict=True))]
        walk = _Walk(graph, sources, stops, colocate_gradients_with_ops, gate_gradients)
        return walk.run(anchors[: len(targets)], begun)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _tensor(value: Any) -> Tensor:
    handle = getattr(value, "handle", None)
    if isinstance(handle, Tensor) and handle.dtype is dtypes.resource:
        return handle
    if isinstance(value, IndexedSlices):
        return value.values
    return convert_to_tensor(value, as_ref=True)


def _initial(y: Tensor, given: Any, index: int) -> Any:
    if given is None:
        if y.dtype.base_dtype.is_complex:
            raise TypeError(f"Gradients of complex tensors must set grad_ys (y.dtype = {y.dtype!r})")
        if not _carries(y):
            return None
        return fill(shape(y), _one(y), name=f"grad_ys_{index}")
    if isinstance(given, IndexedSlices):
        return given
    tensor = convert_to_tensor(given, y.dtype.base_dtype if not hasattr(given, "dtype") else None, f"grad_ys_{index}")
    if tensor.dtype.base_dtype is not y.dtype.base_dtype:
        raise TypeError(f"Gradient type {tensor.dtype.name} generated for tensor {y} with type {y.dtype.name} must match")
    if not shapes.compatible(tensor.dims, y.dims):
        raise ValueError(f"Shapes {y.shape} and {tensor.shape} are incompatible: grad_ys[{index}] does not fit {y.name}")
    return tensor


def _one(y: Tensor) -> Any:
    return convert_to_tensor(1, y.dtype.base_dtype, "Const")


def _carries(tensor: Tensor) -> bool:
    """Tell whether gradients flow through a tensor of this type."""
    base = tensor.dtype.base_dtype
    return base.is_floating or base.is_complex or base.name in ("resource", "variant")


def inputs_of(op: Operation) -> list[Tensor]:
    """Return what a node's value depends on: its inputs, then what its regions capture."""
    if not op.regions:
        return list(op.inputs)
    seen = dict.fromkeys(t for region in op.regions for t in region.captures())
    return [*op.inputs, *(t for t in seen if not any(r.encloses(t.op.region) for r in op.regions))]


class _Walk:
    """One call of `gradients`. State: `grads`, the gradients that have reached each tensor so far."""

    def __init__(self, graph: Graph, sources: Sequence[Tensor], stops: set[Tensor], colocate: bool, gate: bool) -> None:
        self.graph, self.sources, self.stops = graph, list(sources), stops
        self.colocate, self.gate = colocate, gate
        self.grads: dict[Tensor, list[Any]] = defaultdict(list)

    def run(self, ys: Sequence[Tensor], begun: Sequence[Any]) -> list[Any]:
        for y, gradient in zip(ys, begun, strict=True):
            if gradient is not None:
                self.grads[y].append(gradient)
        for op in reversed(self._between(ys)):
            self._visit(op)
        return [self._sum(x) for x in self.sources]

    def _sum(self, tensor: Tensor) -> Any:
        found = self.grads.get(tensor)
        if not found:
            return None
        if len(found) > 1:
            found[:] = [total(found)]
        return found[0]

    def _between(self, ys: Iterable[Tensor]) -> list[Operation]:
        """Return the nodes on paths from the sources to `ys`, in order of creation, which is a topological one."""
        level = {y.op.region for y in ys}
        sources = set(self.sources)
        behind: dict[Operation, list[Tensor]] = {}
        work = [y.op for y in ys if y not in self.stops or y in sources]
        while work:
            op = work.pop()
            if op in behind or op.region not in level:
                continue
            behind[op] = [t for t in inputs_of(op) if _carries(t)]
            work.extend(t.op for t in behind[op] if t not in self.stops)
        reaching: set[Operation] = set()
        ordered = sorted(behind, key=lambda op: op.id)
        for op in ordered:
            if any(t in sources or t.op in reaching and t not in self.stops for t in behind[op]):
                reaching.add(op)
        return [op for op in ordered if op in reaching]

    def _visit(self, op: Operation) -> None:
        if all(t in self.stops for t in op.outputs):
            return
        flowing = [None if t in self.stops else self._sum(t) for t in op.outputs]
        if not any(g is not None for g in flowing):
            return
        function, registered = gradient_function_of(op)
        if function is None:
            return
        with self._scopes(op):
            if registered:
                flowing = [zeros_like(t) if g is None and _carries(t) else g for g, t in zip(flowing, op.outputs, strict=True)]
            found = function(op, *flowing)
            results = list(found) if isinstance(found, list | tuple) else [found]
            inputs = inputs_of(op)
            if len(results) != len(inputs):
                raise ValueError(f"Num gradients {len(results)} generated for op {op.name!r} ({op.type}) do not match num inputs {len(inputs)}")
            if self.gate and sum(r is not None for r in results) > 1:
                results = tuple_of(results)
        for tensor, gradient in zip(inputs, results, strict=True):
            if gradient is not None and _carries(tensor):
                _check(op, tensor, gradient)
                self.grads[tensor].append(gradient)

    def _scopes(self, op: Operation) -> AbstractContextManager[Any]:
        stack = ExitStack()
        stack.enter_context(self.graph.name_scope(f"{op.name}_grad"))
        if self.colocate:
            stack.enter_context(self.graph.colocate_with(op))
        elif op.device:
            stack.enter_context(self.graph.device(op.device))
        return stack


def _check(op: Operation, tensor: Tensor, gradient: Any) -> None:
    if not isinstance(gradient, Tensor) or tensor.dtype is dtypes.resource:
        return
    if not shapes.compatible(gradient.dims, tensor.dims):
        raise ValueError(
            f"Incompatible shapes between op input and calculated input gradient. Forward operation: {op.name} ({op.type}). "
            f"Original input shape: {tensor.shape}. Calculated input gradient shape: {gradient.shape}"
        )
    gradient.set_shape(tensor.dims)
