"""What graphs of TensorFlow 1 use around loops: stacks, which carry values to the gradient of a loop, and ControlTrigger.

A handle is the stack of one run. Programs built here need none of these: their loops carry lists. Elements stay where they are.
"""

from __future__ import annotations

from typing import Any

from ...devices.types import Array, Namespace
from ..core.dtypes import DType
from ..core.errors import InvalidArgumentError
from ..core.registry import op
from ..core.shape_rules import no_outputs, scalar, unknown


class StackStore:
    """The elements of one stack in one run, and how many it may hold; any number when that is negative."""

    __slots__ = ("limit", "name", "values")

    def __init__(self, name: str, limit: int) -> None:
        self.name, self.limit = name, limit
        self.values: list[Array] = []


@op("StackV2", types="max_size: int32 -> handle: resource", shape=scalar, stateful=True, host="max_size",
    differentiable=False)  # fmt: skip
def stack_op(xp: Namespace, max_size: Array, *, elem_type: DType, stack_name: str = "") -> Any:
    """Make an empty stack."""
    return StackStore(stack_name or "Stack", int(max_size))


@op("StackPushV2", types="handle: resource, elem: T -> output: T", shape=lambda node: node.inputs[1].dims, stateful=True,
    aliases="output=elem", differentiable=False)  # fmt: skip
def stack_push(xp: Namespace, handle: StackStore, elem: Array, *, swap_memory: bool = False) -> Array:
    """Put an element on a stack, and return it."""
    if 0 <= handle.limit <= len(handle.values):
        raise InvalidArgumentError(None, None, f"Stack[{handle.name}] overflowed its max_size ({handle.limit})")
    handle.values.append(elem)
    return elem


@op("StackPopV2", types="handle: resource -> elem: elem_type", shape=unknown, stateful=True, differentiable=False)
def stack_pop(xp: Namespace, handle: StackStore, *, elem_type: DType) -> Array:
    """Take the last element off a stack."""
    if not handle.values:
        raise InvalidArgumentError(None, None, f"Stack[{handle.name}] is empty when calling Pop().")
    return handle.values.pop()


@op("StackCloseV2", types="handle: resource ->", shape=no_outputs, stateful=True, differentiable=False)
def stack_close(xp: Namespace, handle: StackStore) -> None:
    """Let go of the elements."""
    handle.values.clear()


@op("ControlTrigger", types="->", shape=no_outputs, differentiable=False)
def control_trigger(xp: Namespace) -> None:
    """Do nothing, after whatever it waits for."""
    return None
