"""The one place where TensorFlow's protocol buffers come from: TensorBoard's copies of them, loaded on first use.

`protos.graph_pb2()` returns a module, `protos.GraphDef` a message class. Invariant: importing this module imports
nothing of TensorBoard, and using it imports only TensorBoard's `compat.proto` package, never its server.
"""

from __future__ import annotations

import functools
import importlib
from types import ModuleType
from typing import Any

_PACKAGE = "tensorboard.compat.proto"
_MESSAGES = {
    "allocation_description_pb2": "AllocationDescription",
    "attr_value_pb2": "AttrValue NameAttrList",
    "cluster_pb2": "ClusterDef JobDef",
    "config_pb2": "ConfigProto GPUOptions GraphOptions OptimizerOptions RunMetadata RunOptions "
    "SessionMetadata TensorConnection ThreadPoolOptionProto",
    "cost_graph_pb2": "CostGraphDef",
    "event_pb2": "Event LogMessage SessionLog TaggedRunMetadata",
    "function_pb2": "FunctionDef FunctionDefLibrary GradientDef",
    "graph_debug_info_pb2": "GraphDebugInfo",
    "graph_pb2": "GraphDef",
    "histogram_pb2": "HistogramProto",
    "meta_graph_pb2": "AssetFileDef CollectionDef MetaGraphDef SignatureDef TensorInfo",
    "node_def_pb2": "NodeDef",
    "op_def_pb2": "OpDef OpDeprecation OpList",
    "resource_handle_pb2": "ResourceHandleProto",
    "rewriter_config_pb2": "RewriterConfig",
    "rpc_options_pb2": "RPCOptions",
    "saved_object_graph_pb2": "SavedObjectGraph",
    "saver_pb2": "SaverDef",
    "step_stats_pb2": "AllocationRecord AllocatorMemoryUsed DeviceStepStats MemoryStats NodeExecStats NodeOutput "
    "StepStats",
    "struct_pb2": "StructuredValue",
    "summary_pb2": "Summary SummaryDescription SummaryMetadata",
    "tensor_description_pb2": "TensorDescription",
    "tensor_pb2": "TensorProto VariantTensorDataProto",
    "tensor_shape_pb2": "TensorShapeProto",
    "types_pb2": "DataType",
    "variable_pb2": "SaveSliceInfoDef VariableDef",
    "versions_pb2": "VersionDef",
}
_HOME = {name: module for module, names in _MESSAGES.items() for name in names.split()}


@functools.cache
def load(module: str) -> ModuleType:
    """Return the generated module of that name, such as "graph_pb2"."""
    return importlib.import_module(f"{_PACKAGE}.{module}")


def graph_pb2() -> Any:
    """Return the generated module of GraphDef."""
    return load("graph_pb2")


def attr_value_pb2() -> Any:
    """Return the generated module of AttrValue."""
    return load("attr_value_pb2")


def config_pb2() -> Any:
    """Return the generated module of ConfigProto."""
    return load("config_pb2")


def tensor_pb2() -> Any:
    """Return the generated module of TensorProto."""
    return load("tensor_pb2")


def tensor_shape_pb2() -> Any:
    """Return the generated module of TensorShapeProto."""
    return load("tensor_shape_pb2")


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Kept as a global, so that the next use finds it without coming here.
    message = globals()[name] = getattr(load(home), name)
    return message
