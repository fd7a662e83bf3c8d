"""`tf.contrib.slim.model_analyzer`: how large a model's variables and the tensors of its graph are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ...ops.core.graph import Graph

__all__ = ["analyze_ops", "analyze_vars", "tensor_description"]


def tensor_description(var: Any) -> str:
    """Return the type and the shape of a tensor or variable, such as "(float32_ref 3x2)"."""
    return f"({var.dtype.name} {'x'.join(str(size) for size in var.get_shape())})"


def _size(tensor: Any) -> int:
    return tensor.get_shape().num_elements() or 0


def _teller(wanted: bool, title: str) -> Callable[..., None]:
    """Return a function that prints where that is wanted; it has printed the title."""
    tell: Callable[..., None] = print if wanted else lambda *_: None
    for line in ("---------", title, "---------"):
        tell(line)
    return tell


def analyze_ops(graph: Graph, print_info: bool = False) -> int:
    """Return how many elements all outputs of a graph's nodes have together, and print each node where `print_info`.

    Outputs whose shape is not known count as empty.
    """
    tell = _teller(print_info, "Operations: name -> (type shapes) [size]")
    total = 0
    for op in graph.get_operations():
        size = sum(map(_size, op.outputs))
        shapes = ", ".join(tensor_description(output) for output in op.outputs if output.dims)
        tell(op.name, "\t->", shapes, f"[{size}]")
        total += size
    return total


def analyze_vars(variables: Iterable[Any], print_info: bool = False) -> tuple[int, int]:
    """Return how many elements variables have together, and how many bytes; print each variable where `print_info`."""
    tell = _teller(print_info, "Variables: name (type shape) [size]")
    sizes, bytes_each = [], []
    for variable in variables:
        sizes.append(_size(variable))
        bytes_each.append(sizes[-1] * variable.dtype.size)
        tell(variable.name, tensor_description(variable), f"[{sizes[-1]}, bytes: {bytes_each[-1]}]")
    totals = sum(sizes), sum(bytes_each)
    tell(f"Total size of variables: {totals[0]}")
    tell(f"Total bytes of variables: {totals[1]}")
    return totals
