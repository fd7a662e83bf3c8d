"""Parts of variables: `v[1:, ::2]` reads one, and `v[1:, ::2].assign(value)` gives a node that writes it.

The part is a tensor like any other, but remembers its variable.
"""

from __future__ import annotations

from typing import Any, Protocol

from ..array.getitem import getitem
from ..core.node import Operation, Tensor


class Sliceable(Protocol):
    """What a part needs of its variable."""

    def _to_tensor(self, as_ref: bool) -> Tensor: ...

    def _assign_part(self, node: Operation, value: Any, name: str | None) -> Any: ...


class VariablePart(Tensor):
    """A strided slice of a variable's value, which can be assigned to."""

    __slots__ = ("_variable",)

    def __init__(self, part: Tensor, variable: Sliceable) -> None:
        super().__init__(part.op, part.index, part.dtype, part.dims)
        self._variable = variable

    def assign(self, value: Any, name: str | None = None) -> Any:
        """Return the variable as it is after this part of it was given `value`, which is broadcast to the part's shape."""
        return self._variable._assign_part(self.op, value, name)


def part_of(variable: Sliceable, key: Any) -> Tensor:
    """Return the part of a variable's value that `key` (what stands in the brackets) means."""
    part = getitem(variable._to_tensor(False), key)
    if part.op.type != "StridedSlice":
        return part
    # Nobody has seen the node yet, so its output may still become the tensor that remembers.
    assignable = VariablePart(part, variable)
    part.op.outputs = (assignable,)
    return assignable
