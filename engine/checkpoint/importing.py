"""Bringing graphs back from MetaGraphs, with a Saver for their variables."""

from __future__ import annotations

from typing import Any

from ...ops.core import protos
from ...ops.variables import global_variables
from .meta_graph import add_meta_graph, read_meta_graph
from .saver import Saver


def import_meta_graph(
    meta_graph_or_file: Any, clear_devices: bool = False, import_scope: str | None = None, **kwargs: Any
) -> Saver | None:
    """Add a graph that was exported to the default graph.

    Args:
      meta_graph_or_file: a MetaGraphDef, or the path of a file that holds one.
      clear_devices: whether to forget the devices that nodes asked for.
      import_scope: a scope for all names.
      kwargs: `input_map`, `return_elements` and `device_map` as import_graph_def takes them.

    Returns:
      A Saver that restores its variables; None when it has none. With `return_elements`, a pair of that and the elements.

    Raises:
      OSError: when there is no such file, or it holds no MetaGraphDef.
    """
    given = isinstance(meta_graph_or_file, protos.MetaGraphDef)
    meta_graph = meta_graph_or_file if given else read_meta_graph(meta_graph_or_file)
    input_map, elements = kwargs.pop("input_map", None), kwargs.pop("return_elements", None)
    devices = kwargs.pop("device_map", None)
    if kwargs:
        raise TypeError(f"import_meta_graph() got unexpected arguments {sorted(kwargs)}")
    found = add_meta_graph(meta_graph, clear_devices, import_scope, input_map, elements, devices)
    saver = _saver_of(meta_graph, import_scope)
    return saver if elements is None else (saver, found)  # type: ignore[return-value]


def _saver_of(meta_graph: Any, scope: str | None) -> Saver | None:
    if meta_graph.HasField("saver_def"):
        return Saver.from_proto(meta_graph.saver_def, import_scope=scope)
    variables = global_variables(scope=scope)
    return Saver(var_list=variables) if variables else None
