"""`tf.graph_util`: GraphDefs cut to what some nodes need, and with variables frozen into constants."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...ops.core import protos
from ...ops.core.graph import get_default_graph
from ...ops.core.registry import lookup
from ...ops.core.shapes import TensorShape
from . import log
from .freezing import freeze

__all__ = [
    "convert_variables_to_constants", "extract_sub_graph", "must_run_on_cpu", "remove_training_nodes",
    "tensor_shape_from_node_def_name",
]  # fmt: skip

_VARIABLES = ("Variable", "VariableV2", "VarHandleOp", "AutoReloadVariable")
_CPU_ONLY = ("Assert", "Print", "PyFunc", "ReadFile", "WriteFile", "MatchingFiles")


def _node_of(name: str) -> str:
    """Return the node that an input's name, such as '^a' or 'a:1', is of."""
    return name.lstrip("^").split(":")[0]


def extract_sub_graph(graph_def: Any, dest_nodes: Iterable[str]) -> Any:
    """Return the GraphDef of the nodes that some nodes need.

    Raises:
      TypeError: when `graph_def` is no GraphDef, or `dest_nodes` a string.
      AssertionError: when one of these is not in the graph.
    """
    if type(graph_def).__name__ != "GraphDef":
        raise TypeError("graph_def must be a graph_pb2.GraphDef proto.")
    if isinstance(dest_nodes, str):
        raise TypeError("dest_nodes must be a list.")
    by_name = {node.name: node for node in graph_def.node}
    wanted, needed = list(dest_nodes), set()
    for name in wanted:
        if name not in by_name:
            raise AssertionError(f"{name} is not in graph")
    while wanted:
        name = _node_of(wanted.pop())
        if name not in needed and name in by_name:
            needed.add(name)
            wanted += by_name[name].input
    found = protos.GraphDef()
    found.node.extend(node for node in graph_def.node if node.name in needed)
    found.library.CopyFrom(graph_def.library)
    found.versions.CopyFrom(graph_def.versions)
    return found


def convert_variables_to_constants(
    sess: Any, input_graph_def: Any, output_node_names: Any, variable_names_whitelist: Any = None,
    variable_names_blacklist: Any = None,
) -> Any:  # fmt: skip
    """Return the GraphDef that some outputs need, with variables replaced by constants of their values in a session.

    Args:
      output_node_names: the names of nodes, without ':0'.
      variable_names_whitelist: only these variables become constants.
      variable_names_blacklist: these do not.

    Raises:
      AssertionError: when an output is not in the graph.
    """
    graph_def = extract_sub_graph(input_graph_def, output_node_names)
    frozen = {
        node.name: node for node in graph_def.node
        if node.op in _VARIABLES and _chosen(node.name, variable_names_whitelist, variable_names_blacklist)
    }  # fmt: skip
    values = dict(zip(frozen, sess.run([_read(sess.graph, node) for node in frozen.values()]), strict=True))
    log.info("Froze %d variables.", len(frozen))
    return freeze(graph_def, values)


def _chosen(name: str, only: Any, without: Any) -> bool:
    return (only is None or name in only) and (without is None or name not in without)


def _read(graph: Any, node: Any) -> Any:
    """Return a tensor of a variable's value: the reference itself, or a read of the handle."""
    operation = graph.get_operation_by_name(node.name)
    if node.op != "VarHandleOp":
        return operation.outputs[0]
    for op in operation.outputs[0].consumers():
        if op.type == "ReadVariableOp" and op.region is None:
            return op.outputs[0]
    with graph.as_default(), graph.control_dependencies(None):
        return lookup("ReadVariableOp")(operation.outputs[0], dtype=operation.attrs["dtype"])


def remove_training_nodes(input_graph: Any, protected_nodes: Any = None) -> Any:
    """Return a GraphDef without CheckNumerics nodes and with chains of Identity nodes taken out of the way of inference.

    Nodes with control inputs, and those that others wait for, stay.
    """
    kept = set(protected_nodes or [])
    waited = {_node_of(name) for node in input_graph.node for name in node.input if name.startswith("^")}
    through = {
        node.name: node.input[0] for node in input_graph.node
        if node.op in ("CheckNumerics", "Identity") and node.name not in kept and node.name not in waited
        and len(node.input) == 1 and not node.input[0].startswith("^")
    }  # fmt: skip
    consumed = {_node_of(name) for node in input_graph.node for name in node.input}
    references = {node.name for node in input_graph.node if node.op in _VARIABLES}
    through = {
        name: source for name, source in through.items() if name in consumed and _node_of(source) not in references
    }
    result = protos.GraphDef()
    result.library.CopyFrom(input_graph.library)
    result.versions.CopyFrom(input_graph.versions)
    for node in input_graph.node:
        if node.name in through:
            continue
        added = result.node.add()
        added.CopyFrom(node)
        for i, name in enumerate(added.input):
            while name in through:
                name = through[name]
            added.input[i] = name
    return result


def must_run_on_cpu(node: Any, pin_variables_on_cpu: bool = False) -> bool:
    """Tell whether a node (a NodeDef or Operation) has no kernel for GPUs: strings, files, and Python functions."""
    definition = node if hasattr(node, "attr") else node.node_def
    if definition.op in _CPU_ONLY or (pin_variables_on_cpu and definition.op in _VARIABLES):
        return True
    string = 7
    return any(definition.attr[key].type == string for key in ("dtype", "T") if key in definition.attr)


def tensor_shape_from_node_def_name(graph: Any, input_name: str) -> TensorShape:
    """Return the static shape of a tensor by its name, ':0' where it says nothing else."""
    name = input_name if ":" in input_name else f"{input_name}:0"
    shape: TensorShape = (graph or get_default_graph()).get_tensor_by_name(name).shape
    return shape
