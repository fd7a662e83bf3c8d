"""What stands directly under `tf.` and belongs to the graph itself: graphs, tensors, types, shapes, scopes, conversion."""

from ...ops.core.convert import constant, convert_to_tensor, register_tensor_conversion_function
from ...ops.core.dtypes import (
    QUANTIZED_DTYPES,
    DType,
    as_dtype,
    bfloat16,
    bool,
    complex64,
    complex128,
    double,
    float16,
    float32,
    float64,
    half,
    int8,
    int16,
    int32,
    int64,
    qint8,
    qint16,
    qint32,
    quint8,
    quint16,
    resource,
    string,
    uint8,
    uint16,
    uint32,
    uint64,
    variant,
)
from ...ops.core.errors import OpError
from ...ops.core.graph import Graph, GraphKeys, get_default_graph, reset_default_graph
from ...ops.core.graphdef import PRODUCER
from ...ops.core.node import Operation, Tensor
from ...ops.core.scopes import *  # noqa: F403
from ...ops.core.scopes import __all__ as _scopes
from ...ops.core.shapes import Dimension, TensorShape
from ...ops.core.tensor_proto import make_ndarray, make_tensor_proto

GRAPH_DEF_VERSION = PRODUCER

__all__ = [
    "GRAPH_DEF_VERSION", "QUANTIZED_DTYPES", "DType", "Dimension", "Graph", "GraphKeys", "OpError", "Operation", "Tensor",
    "TensorShape", "as_dtype", "bfloat16", "bool", "complex64", "complex128", "constant", "convert_to_tensor", "double",
    "float16", "float32", "float64", "get_default_graph", "half", "int8", "int16", "int32", "int64", "make_ndarray",
    "make_tensor_proto", "qint8", "qint16", "qint32", "quint8", "quint16", "register_tensor_conversion_function",
    "reset_default_graph", "resource", "string", "uint8", "uint16", "uint32", "uint64", "variant", *_scopes,
]  # fmt: skip
