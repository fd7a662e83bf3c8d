"""Running several operations as one: NoOp and the functions that hang control dependencies on it.

`group` adds a NoOp that runs after its inputs; where these were asked to be on several devices there is one NoOp per
device below it, as in TensorFlow, so that no device waits for another's nodes one by one.
"""

from __future__ import annotations

from typing import Any

from ...devices.types import Namespace
from ..array.identity import identity
from ..core.convert import convert_to_tensor
from ..core.graph import get_default_graph
from ..core.indexed_slices import IndexedSlices
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.shape_rules import no_outputs
from ..core.sparse_tensor import SparseTensor


@op("NoOp", types="->", shape=no_outputs)
def no_op_node(xp: Namespace) -> None:
    """Do nothing; only the node's control inputs matter."""
    return None


def no_op(name: str | None = None) -> Operation:
    """Return an operation that does nothing.

    Args:
      name: the node's name.
    """
    return no_op_node.node(name=name)


def _operation_of(item: Any) -> Operation:
    item = get_default_graph().as_graph_element(getattr(item, "_as_control_input", item))
    return item.op if isinstance(item, Tensor) else item


def _flatten(items: Any) -> list[Any]:
    found: list[Any] = []
    for item in items:
        if isinstance(item, list | tuple):
            found.extend(_flatten(item))
        elif isinstance(item, dict):
            found.extend(_flatten(item.values()))
        elif isinstance(item, SparseTensor | IndexedSlices):
            found.extend(_flatten([item.values, item.indices, item.dense_shape]))
        elif item is not None:
            found.append(item)
    return found


def group(*inputs: Any, **kwargs: Any) -> Operation:
    """Return an operation that has run when all of `inputs` have.

    Args:
      *inputs: operations, tensors or variables, also nested in lists.
      name: the node's name, "group_deps" when None.

    Raises:
      TypeError: when an input is none of these, or for other keywords.
    """
    name = kwargs.pop("name", None)
    if kwargs:
        raise ValueError(f"Unknown keyword arguments: {', '.join(kwargs)}")
    graph = get_default_graph()
    with graph.name_scope(name or "group_deps") as scope:
        by_device: dict[str, list[Operation]] = {}
        for item in _flatten(inputs):
            if not hasattr(item, "device"):
                raise TypeError(
                    f"Expected tf.group() expected Tensor objects not None or others; got '{item}' of type {type(item)}."
                )
            node = _operation_of(item)
            by_device.setdefault(node.device, []).append(node)
        if len(by_device) <= 1:
            (device, nodes) = next(iter(by_device.items()), ("", []))
            return _after(nodes, device, scope)
        return _after([_after(by_device[device], device, None) for device in sorted(by_device)], "", scope)


def _after(nodes: list[Operation], device: str, name: str | None) -> Operation:
    graph = get_default_graph()
    with graph.device(device), graph.control_dependencies(nodes):
        return no_op(name=name)


def with_dependencies(dependencies: Any, output_tensor: Any, name: str | None = None) -> Any:
    """Return `output_tensor`, to be had only after `dependencies` have run."""
    graph = get_default_graph()
    with (
        graph.name_scope(name or "control_dependency") as scope,
        graph.colocate_with(getattr(output_tensor, "values", output_tensor)),
        graph.control_dependencies(dependencies),
    ):
        return _pass_on(output_tensor, scope)


def _pass_on(value: Any, name: str | None = None) -> Any:
    if isinstance(value, SparseTensor):
        return SparseTensor(identity(value.indices), identity(value.values), identity(value.dense_shape))
    if isinstance(value, IndexedSlices):
        return IndexedSlices(identity(value.values), identity(value.indices), value.dense_shape)
    return identity(value, name=name)


def tuple_of(tensors: Any, name: str | None = None, control_inputs: Any = None) -> list[Any]:
    """Return tensors that are to be had only when all of `tensors` have been computed.

    Args:
      tensors: tensors, IndexedSlices, SparseTensors, operations (which become the one that all have run before) or None (which
        stays None).
      name: the name scope, "tuple" when None.
      control_inputs: operations to finish as well.

    Raises:
      ValueError: when there is no tensor among them. TypeError: for control inputs that are no operations.
    """
    graph = get_default_graph()
    with graph.name_scope(name or "tuple"):
        tensors = [
            t if t is None or isinstance(t, Operation) or hasattr(t, "op") else convert_to_tensor(t) for t in tensors
        ]
        gating = [t if isinstance(t, Operation) else t.op for t in tensors if t is not None]
        for item in control_inputs or ():
            gating.append(_operation_of(item))
        if not gating:
            raise ValueError(f"Must have at least one Tensor: {tensors}")
        gate = group(*sorted(set(gating), key=lambda node: node.id))
        results: list[Any] = []
        for item in tensors:
            if item is None:
                results.append(None)
            elif isinstance(item, Operation):
                results.append(group(item, gate))
            else:
                results.append(with_dependencies([gate], item))
        return results


tuple_of.__name__ = tuple_of.__qualname__ = "tuple"
