"""MetaGraphs: a graph with its collections and its Saver in one message, which runs without the program that built it."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable
from importlib import import_module
from typing import Any

from ...ops.core import protos
from ...ops.core.graph import Graph, GraphKeys, get_default_graph
from ...ops.core.import_graph import import_graph_def
from ...ops.core.node import Operation, Tensor
from ...ops.core.op_defs import op_def, op_list
from ...ops.core.registry import lookup
from ...ops.variables import Variable
from ..program.behaviour import GIT_VERSION, VERSION

# What TensorFlow 1 notes of its Switch and Merge nodes, which no graph of ours has.
_CONTEXTS = {"cond_context", "while_context"}
# What collections hold as messages: collection -> (message class, to message, from message).
_CODECS: dict[str, tuple[Callable[[], Any], Callable[..., Any], Callable[..., Any]]] = {}


def register_proto_function(
    collection_name: str, proto_type: Callable[[], Any], to_proto: Callable[..., Any], from_proto: Callable[..., Any]
) -> None:
    """Say how the items of a collection become messages and come back; `proto_type()` returns an empty message.

    `to_proto(item, export_scope=)` may return None to leave an item out; `from_proto(message, import_scope=)` returns the item.
    """
    _CODECS[collection_name] = (proto_type, to_proto, from_proto)


for _key in (
    GraphKeys.GLOBAL_VARIABLES, GraphKeys.LOCAL_VARIABLES, GraphKeys.MODEL_VARIABLES, GraphKeys.TRAINABLE_VARIABLES,
    GraphKeys.MOVING_AVERAGE_VARIABLES, GraphKeys.GLOBAL_STEP, GraphKeys.WEIGHTS, GraphKeys.BIASES,
    GraphKeys.METRIC_VARIABLES, GraphKeys.TRAINABLE_RESOURCE_VARIABLES,
):  # fmt: skip
    register_proto_function(_key, lambda: protos.VariableDef(), Variable.to_proto, Variable.from_proto)


def export_meta_graph(
    filename: Any = None, meta_info_def: Any = None, graph_def: Any = None, saver_def: Any = None,
    collection_list: Any = None, as_text: bool = False, graph: Graph | None = None, export_scope: str | None = None,
    clear_devices: bool = False, clear_extraneous_savers: bool = False, strip_default_attrs: bool = False,
    save_debug_info: bool = False, **kwargs: Any,
) -> Any:  # fmt: skip
    """Return the MetaGraphDef of a graph, and write it to a file if one is named.

    Args:
      filename: where to write; nowhere when None. as_text: whether to write text.
      graph: the graph, the default one when None. graph_def: what to write in its place.
      saver_def: the SaverDef that goes with it. meta_info_def: facts to start from.
      collection_list: which collections to write; all when None.
      export_scope: write only the nodes under this scope, their names without it.
      clear_devices: leave out requested devices. clear_extraneous_savers: leave out the nodes of other Savers.
      strip_default_attrs: leave out attributes that have their default.

    Raises:
      TypeError: for an argument that nobody knows.
    """
    if kwargs:
        raise TypeError(f"export_meta_graph() got unexpected arguments {sorted(kwargs)}")
    graph = graph or get_default_graph()
    made = protos.MetaGraphDef()
    if meta_info_def is not None:
        made.meta_info_def.MergeFrom(meta_info_def)
    definition = graph.as_graph_def(add_shapes=True) if graph_def is None else graph_def
    made.graph_def.CopyFrom(definition)
    if export_scope:
        _keep_scope(made.graph_def, export_scope)
    if clear_extraneous_savers:
        _drop_savers(made.graph_def, saver_def)
    if clear_devices:
        for node in _nodes(made.graph_def):
            node.device = ""
    if strip_default_attrs:
        _strip_defaults(made.graph_def)
    _add_facts(made, strip_default_attrs)
    if saver_def is not None:
        made.saver_def.MergeFrom(saver_def)
    _add_collections(made, graph, collection_list, export_scope)
    if filename is not None:
        _write(made, os.fspath(filename), as_text)
    return made


def _add_facts(made: Any, stripped: bool) -> None:
    """Say whose version wrote the graph, and what its op types look like there."""
    info = made.meta_info_def
    info.stripped_default_attrs = stripped
    if not info.HasField("stripped_op_list"):
        info.stripped_op_list.CopyFrom(op_list(node.op for node in _nodes(made.graph_def)))
    info.tensorflow_version, info.tensorflow_git_version = VERSION, GIT_VERSION


def _nodes(graph_def: Any) -> list[Any]:
    """Return the nodes of a GraphDef and of its functions."""
    return [*graph_def.node, *(node for function in graph_def.library.function for node in function.node_def)]


def _keep_scope(graph_def: Any, scope: str) -> None:
    """Keep the nodes under a scope; an input from outside becomes a placeholder, which says where it came from."""
    prefix = scope + "/"
    kept = [node for node in graph_def.node if node.name.startswith(prefix)]
    if not kept:
        raise ValueError(f"The graph has no node under the scope {scope!r}")
    outside = [text for node in kept for text in node.input if not text.lstrip("^").startswith(prefix)]
    if outside:
        raise ValueError(f"Nodes under {scope!r} take inputs from outside: {', '.join(dict.fromkeys(outside))}")
    for node in kept:
        node.name = node.name.removeprefix(prefix)
        node.input[:] = [_without(text, prefix) for text in node.input]
        colocated = node.attr["_class"].list.s if "_class" in node.attr else []
        colocated[:] = [b"loc:@" + text[5:].removeprefix(prefix.encode()) for text in colocated]
    copies = [type(node).FromString(node.SerializeToString()) for node in kept]
    del graph_def.node[:]
    graph_def.node.extend(copies)


def _without(text: str, prefix: str) -> str:
    return "^" + text[1:].removeprefix(prefix) if text.startswith("^") else text.removeprefix(prefix)


def _drop_savers(graph_def: Any, saver_def: Any) -> None:
    """Leave out the nodes of Savers other than the one of `saver_def`."""
    own = saver_def.filename_tensor_name.rpartition("/")[0] if saver_def is not None else ""
    scopes = {node.name.rpartition("/")[0] for node in graph_def.node if node.op in ("SaveV2", "RestoreV2")} - {own}
    kept = [node for node in graph_def.node if not any(node.name.startswith(f"{scope}/") for scope in scopes)]
    copies = [type(node).FromString(node.SerializeToString()) for node in kept]
    del graph_def.node[:]
    graph_def.node.extend(copies)


def _strip_defaults(graph_def: Any) -> None:
    from_registry: dict[str, dict[str, Any]] = {}
    for node in _nodes(graph_def):
        if node.op not in from_registry:
            definition = op_def(lookup(node.op))
            from_registry[node.op] = {a.name: a.default_value for a in definition.attr if a.HasField("default_value")}
        for name, value in from_registry[node.op].items():
            if name in node.attr and node.attr[name] == value:
                del node.attr[name]


def _add_collections(made: Any, graph: Graph, names: Any, scope: str | None) -> None:
    for name in graph.get_all_collection_keys() if names is None else names:
        if isinstance(name, str):
            _add_collection(made, name, graph.get_collection(name), scope)


def _inside(names: list[str], scope: str | None) -> list[str]:
    """Return the names of nodes in a scope, as they are called there; all of them where no scope is exported."""
    prefix = f"{scope.rstrip('/')}/" if scope else ""
    return [name.removeprefix(prefix) for name in names if name.startswith(prefix)]


def _add_collection(made: Any, name: str, items: list[Any], scope: str | None) -> None:
    """Write a collection as messages, names of nodes, text or numbers; leave out one that is none of these."""
    if not items:
        return
    target = made.collection_def[name]
    if name in _CODECS:
        messages = [_CODECS[name][1](item, export_scope=scope) for item in items]
        target.bytes_list.value.extend(m.SerializeToString() for m in messages if m is not None)
    elif all(isinstance(item, Tensor | Operation) or hasattr(item, "initializer") for item in items):
        target.node_list.value.extend(_inside([item.name for item in items], scope))
    elif all(isinstance(item, str | bytes) for item in items):
        target.bytes_list.value.extend(item.encode() if isinstance(item, str) else item for item in items)
    elif all(isinstance(item, int) for item in items):
        target.int64_list.value.extend(items)
    elif all(isinstance(item, int | float) for item in items):
        target.float_list.value.extend(items)
    else:
        del made.collection_def[name]


def _write(message: Any, path: str, as_text: bool) -> None:
    """Write a message in one step, into a folder that is made where there is none."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    temporary = f"{path}.tmp{os.getpid()}"
    if as_text:
        text = import_module("google.protobuf.text_format").MessageToString(message)
        pathlib.Path(temporary).write_text(text, encoding="utf-8")
    else:
        pathlib.Path(temporary).write_bytes(message.SerializeToString())
    os.replace(temporary, path)


def read_message(kind: Any, path: Any) -> Any:
    """Return the message of a class of protos in a file, binary or text.

    Raises:
      OSError: when there is no such file, or it holds no such message.
    """
    name = os.fspath(path)
    if not os.path.isfile(name):
        raise OSError(f"File {name} does not exist.")
    data = pathlib.Path(name).read_bytes()
    text_format = import_module("google.protobuf.text_format")
    decode_error = import_module("google.protobuf.message").DecodeError
    try:
        return kind.FromString(data)
    except decode_error:
        try:
            return text_format.Parse(data.decode(), kind())
        except (text_format.ParseError, UnicodeDecodeError) as error:
            raise OSError(f"Cannot parse file {name}: {error}.") from error


def read_meta_graph(path: Any) -> Any:
    """Return the MetaGraphDef in a file, binary or text; OSError where there is none."""
    return read_message(protos.MetaGraphDef, path)


def add_meta_graph(
    meta_graph: Any, clear_devices: bool, scope: str | None, input_map: Any, elements: Any, device_map: Any = None
) -> Any:
    """Add the graph and the collections of a MetaGraphDef to the default graph; return the elements asked for."""
    graph = get_default_graph()
    definition = protos.GraphDef()
    definition.CopyFrom(meta_graph.graph_def)
    if clear_devices:
        for node in _nodes(definition):
            node.device = ""
    found = import_graph_def(
        definition, input_map=input_map, return_elements=elements, name=scope or "", device_map=device_map
    )
    for name in sorted(set(meta_graph.collection_def) - _CONTEXTS):
        for item in _items(graph, name, meta_graph.collection_def[name], scope):
            graph.add_to_collection(name, item)
    return found


def _items(graph: Graph, name: str, collection: Any, scope: str | None) -> list[Any]:
    kind = collection.WhichOneof("kind")
    if kind is None:
        return []
    values = getattr(collection, kind).value
    if kind == "bytes_list" and name in _CODECS:
        empty, _, read = _CODECS[name]
        return _distinct_variables(graph, [read(_parsed(empty(), data), import_scope=scope) for data in values])
    if kind == "node_list":
        return [graph.as_graph_element(f"{scope}/{value}" if scope else value) for value in values]
    return [int(value) if kind == "int64_list" else value for value in values]


def _parsed(message: Any, data: bytes) -> Any:
    message.ParseFromString(data)
    return message


def _distinct_variables(graph: Graph, items: list[Any]) -> list[Any]:
    """Return, for a variable that some collection holds already, that same object."""
    known = {v.name: v for key in _CODECS for v in graph.get_collection(key) if isinstance(v, Variable)}
    return [known.get(item.name, item) if isinstance(item, Variable) else item for item in items]
