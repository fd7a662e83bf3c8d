"""`Dataset.reduce`, and datasets that carry a state: functions whose state keeps its structure, types and (at last) shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...ops.data import more
from ...ops.data.component import Component
from ...ops.data.functions import Traced, as_components, trace
from ...ops.data.structure import check_same, flatten, map_structure
from . import elements


def traced_with_state(
    dataset: Any, initial: Any, function: Callable[..., Any], name: str, split: Callable[[Any], Any]
) -> tuple[Traced, Any]:
    """Return a function of a state and an element as a region, and what is known of the state.

    `split` tells which part of the function's result is the state. Shapes that do not stay are forgotten, and the
    function is traced again.

    Raises:
      TypeError: when the state's structure or types change.
    """
    state = initial
    while True:
        count = len(flatten(state))
        given = [*flatten(state), *flatten(dataset._components)]

        def wrap(tensors: list[Any], known: Any = state, count: int = count) -> Any:
            inner = elements.unpacked(known, tensors[:count])
            return inner, elements.unpacked(dataset._components, tensors[count:])

        traced = trace(function, given, wrap, as_components, f"Dataset_{name}")
        after = split(traced.results)
        _check(state, after)
        merged = map_structure(lambda a, b: a.with_dims(_kept(a, b)), state, after)
        if [c.dims for c in flatten(merged)] == [c.dims for c in flatten(state)]:
            return traced, state
        state = merged


def _kept(a: Component, b: Component) -> Any:
    if a.dims is None or b.dims is None or len(a.dims) != len(b.dims):
        return None
    return tuple(x if x == y else None for x, y in zip(a.dims, b.dims, strict=True))


def _check(before: Any, after: Any) -> None:
    try:
        check_same(before, after)
    except ValueError as error:
        raise TypeError(f"The element classes for the new state must match the initial state. {error}") from None
    for a, b in zip(flatten(before), flatten(after), strict=True):
        if a.dtype is not b.dtype:
            raise TypeError(
                f"The element types for the new state must match the initial state. Expected {elements.types_of(before)}; "
                f"got {elements.types_of(after)}."
            )


def reduced(dataset: Any, initial_state: Any, function: Callable[..., Any]) -> Any:
    """Return the state that is left when a function has combined it with each element."""
    components, tensors = as_components(initial_state)
    traced, state = traced_with_state(dataset, components, function, "reduce", lambda results: results)
    node = more.reduce_dataset.node(
        dataset._variant_tensor, tensors, traced.captured, f=traced.region, Tstate=[c.op_dtype for c in flatten(state)],
        Targuments=[t.dtype.base_dtype for t in traced.captured], **elements.op_attrs(state),
    )  # fmt: skip
    return elements.unpacked(state, list(node.outputs))
