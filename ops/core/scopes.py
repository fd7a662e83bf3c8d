"""The functional forms of a graph's scopes and collections, which act on the default graph of the thread.

`tf.name_scope` finds its graph among the values it is given, as TensorFlow's does, so that a library function called with
tensors of another graph names its nodes there. Importing this module attaches the builder of nodes to op declarations.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from types import TracebackType
from typing import Any

from .build import graph_of
from .graph import Graph, get_default_graph


class name_scope:
    """Prefix the names of the nodes made inside a `with` block, which yields the scope's name with its final `/`.

    Args:
      name: the scope; one that ends with "/" is re-entered as it is; None or "" with no default goes back to the root.
      default_name: the scope to open when `name` is None.
      values: tensors that the function was given; the graph is theirs.

    Raises:
      ValueError: when values are given but neither name is; when the values are of different graphs.
      TypeError: when the name is no string.
    """

    def __init__(self, name: str | None, default_name: str | None = None, values: Any = None) -> None:
        for given in (name, default_name):
            if given is not None and not isinstance(given, str):
                raise TypeError(f"name_scope takes a string as its name, not {given!r}")
        self._given = name
        self._name = default_name if name is None else name
        self._default_name = default_name
        self._values = values
        self._stack = ExitStack()

    @property
    def name(self) -> str | None:
        """The name that was asked for."""
        return self._name

    def __enter__(self) -> str:
        if self._name is None and self._values is not None:
            raise ValueError(
                f"At least one of name ({self._given}) and default_name ({self._default_name}) must be provided."
            )
        graph = graph_of(list(self._values or ()))
        with ExitStack() as entered:
            if graph is not get_default_graph():
                entered.enter_context(graph.as_default())
            scope = entered.enter_context(graph.name_scope(self._name))
            self._stack = entered.pop_all()
        return scope

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)


@contextmanager
def op_scope(values: Any, name: str | None, default_name: str | None = None) -> Iterator[str]:
    """Open a name scope; TensorFlow's older spelling of `name_scope(name, default_name, values)`."""
    with name_scope(name, default_name, values) as scope:
        yield scope


def device(device_name_or_function: Any) -> AbstractContextManager[None]:
    """Ask for a device for the nodes made inside: a name, a DeviceSpec, a function of the node, or None."""
    return get_default_graph().device(device_name_or_function)


def container(container_name: str) -> AbstractContextManager[str]:
    """Keep the state of the nodes made inside in this container."""
    return get_default_graph().container(container_name)


def colocate_with(op: Any, ignore_existing: bool = False) -> AbstractContextManager[None]:
    """Put the nodes made inside on the device of `op`, in its colocation group."""
    return get_default_graph().colocate_with(op, ignore_existing)


def control_dependencies(control_inputs: Any) -> AbstractContextManager[None]:
    """Make the nodes built inside run after `control_inputs` (operations or tensors); None clears the outer ones."""
    return get_default_graph().control_dependencies(control_inputs)


def add_to_collection(name: Any, value: Any) -> None:
    """Append `value` to a collection of the default graph."""
    get_default_graph().add_to_collection(name, value)


def add_to_collections(names: Any, value: Any) -> None:
    """Append `value` to several collections of the default graph, once to each."""
    get_default_graph().add_to_collections(names, value)


def get_collection(key: Any, scope: str | None = None) -> list[Any]:
    """Return a copy of a collection of the default graph; `scope` is a regular expression that names must begin with."""
    return get_default_graph().get_collection(key, scope)


def get_collection_ref(key: Any) -> list[Any]:
    """Return a collection of the default graph itself: changes to the list change the collection."""
    return get_default_graph().get_collection_ref(key)


def get_all_collection_keys() -> list[Any]:
    """Return the names of the default graph's collections."""
    return get_default_graph().get_all_collection_keys()


def get_name_scope() -> str:
    """Return the name scope that is open, without a final `/`; "" at the root."""
    return get_default_graph().current_name_scope


def graph_of_inputs(values: Any) -> Graph:
    """Return the graph of the tensors among `values`, else the default graph; ValueError when they disagree."""
    return graph_of(list(values))
