"""The op types of functional control flow: If, While, the parameters of their regions, and stand-ins for unused results.

They have no kernels: the compiler writes them as Python's own `if` and `while`. What they compute is in their regions, whose
captured tensors are implicit, so `Tin` of a conditional is empty until it is exported.
"""

from __future__ import annotations

from typing import Any

from ...devices.types import Array, Namespace
from ..core import dtypes
from ..core.dtypes import DType
from ..core.node import Operation
from ..core.regions import Region
from ..core.registry import op
from ..core.shape_rules import of_attr, unknown
from ..core.shapes import Shape


def _given_shapes(types: str) -> Any:
    def rule(node: Operation) -> list[Shape]:
        found, count = list(node.attrs["output_shapes"]), len(node.attrs[types])
        if found and len(found) != count:
            raise ValueError(f"{node.type} has {count} outputs, but its output_shapes are {len(found)}")
        return found or [None] * count

    return rule


@op("If", types="cond: Tcond, input: [Tin] -> output: [Tout]", shape=_given_shapes("Tout"), stateful=True, host="cond")
def if_op(
    xp: Namespace, cond: Array, input: list[Array], *, then_branch: Region, else_branch: Region,
    output_shapes: list[Shape] = [],  # noqa: B006
) -> Any:  # fmt: skip
    """Run one of two branches and return its results."""
    ...


@op("StatelessIf", types="cond: Tcond, input: [Tin] -> output: [Tout]", shape=_given_shapes("Tout"), host="cond")
def stateless_if_op(
    xp: Namespace, cond: Array, input: list[Array], *, then_branch: Region, else_branch: Region,
    output_shapes: list[Shape] = [],  # noqa: B006
) -> Any:  # fmt: skip
    """Run one of two branches that hold no state."""
    ...


@op("While", types="input: [T] -> output: [T]", shape=_given_shapes("T"), stateful=True)
def while_op(
    xp: Namespace, input: list[Array], *, cond: Region, body: Region,
    output_shapes: list[Shape] = [], parallel_iterations: int = 10,  # noqa: B006
) -> Any:  # fmt: skip
    """Repeat a body as long as a condition holds."""
    ...


@op("StatelessWhile", types="input: [T] -> output: [T]", shape=_given_shapes("T"))
def stateless_while_op(
    xp: Namespace, input: list[Array], *, cond: Region, body: Region,
    output_shapes: list[Shape] = [], parallel_iterations: int = 10,  # noqa: B006
) -> Any:  # fmt: skip
    """Repeat a body that holds no state."""
    ...


@op("_Arg", types="-> output: T", shape=unknown, stateful=True)
def argument_op(xp: Namespace, *, index: int) -> Any:
    """Stand for parameter `index` of a region."""
    ...


@op("FakeParam", types="-> output: dtype", shape=of_attr("shape"))
def fake_param(xp: Namespace, *, dtype: DType, shape: Shape) -> Array:
    """Return zeros in the place of a result that only the other branch has; nobody looks at them."""
    if dtype is dtypes.variant:
        return None
    return xp.zeros([size or 0 for size in shape or ()], dtype.as_numpy_dtype)
