"""Which differentiation is under way: a name that is its own, so that each one sums into arrays of gradients of its own.

State: by graph, the names of the calls of `gradients` that are being built, innermost last.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

from ..core.graph import Graph

_under_way: WeakKeyDictionary[Graph, list[str]] = WeakKeyDictionary()


@contextmanager
def differentiation(graph: Graph, scope: str) -> Iterator[None]:
    """Let `scope`, the name scope of a call of `gradients`, name what is built inside."""
    names = _under_way.setdefault(graph, [])
    names.append(scope.rstrip("/"))
    try:
        yield
    finally:
        names.pop()


def source_of(graph: Graph) -> str:
    """Return the name of the innermost differentiation of a graph."""
    names = _under_way.get(graph)
    return names[-1] if names else "gradients"
