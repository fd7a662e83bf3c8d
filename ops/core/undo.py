"""Taking back what a failed step added to a graph.

A graph only grows, and what refers to its nodes (sessions, plans, the caller) relies on it. The one exception is a node that
nobody has seen yet: when adding a whole message fails half-way, its first nodes are taken off again. Invariant: after a
failure the graph holds the nodes, names and functions that it held before, in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .graph import Graph
from .node import Operation


@contextmanager
def all_or_nothing(graph: Graph) -> Iterator[None]:
    """Take back what the block added to `graph` when the block fails; other threads must not build meanwhile."""
    count, names = len(graph._ops), dict(graph._names)
    functions, inlined = dict(graph.functions), set(graph.inlined_functions)
    try:
        yield
    except BaseException:
        for op in reversed(graph._ops[count:]):
            _take_off(graph, op)
        graph._names, graph.functions, graph.inlined_functions = names, functions, inlined
        raise


def _take_off(graph: Graph, op: Operation) -> None:
    """Remove the newest node of a graph."""
    graph._ops.pop()
    del graph._by_name[op.name]
    for tensor in op.inputs:
        tensor.consumer_list.remove(op)
    if op.region is not None:
        op.region.ops.remove(op)
    for _, _, made in graph._controls:
        made.discard(op)
    graph.version += 1
