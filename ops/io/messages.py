"""Print and Assert: looking at values while a graph runs. Both read their data in host memory, on CPUs."""

from __future__ import annotations

import sys
import threading
from typing import Any

from ...devices.types import Array, Namespace
from ..core import dtypes
from ..core.context import KernelContext
from ..core.convert import convert_n_to_tensor, convert_to_tensor
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.scopes import name_scope
from ..core.shape_rules import no_outputs, same_shape
from .summarize import summarize as summarized


class _Counter:
    """How often a Print node has run in a session; `take` is atomic."""

    def __init__(self) -> None:
        self._count = 0
        self._lock = threading.Lock()

    def take(self, limit: int) -> bool:
        with self._lock:
            self._count += 1
            return self._count <= limit


@op(
    "Print",
    types="input: T, data: [U] -> output: T",
    shape=same_shape,
    stateful=True,
    devices="CPU",
    aliases="output=input",
)
def print_op(
    ctx: KernelContext,
    xp: Namespace,
    x: Array,
    data: list[Array],
    *,
    message: str = "",
    first_n: int = -1,
    summarize: int = 3,
) -> Array:
    """Return the input, having written the data to standard error."""
    if first_n < 0 or ctx.node_state(_Counter).take(first_n):
        text = message + "".join(f"[{summarized(value, summarize)}]" for value in data)
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    return x


@print_op.gradient
def print_grad(op: Operation, dy: Tensor) -> list[Any]:
    return [dy, *[None] * (len(op.inputs) - 1)]


_STREAMS = {"stderr": lambda: sys.stderr, "stdout": lambda: sys.stdout}


@op("PrintV2", types="input: string ->", shape=no_outputs, stateful=True, devices="CPU", differentiable=False)
def print_v2_op(xp: Namespace, text: Array, *, output_stream: str = "stderr", end: str = "\n") -> None:
    """Write one string to standard output or standard error."""
    if output_stream not in _STREAMS:
        raise InvalidArgumentError(
            None, None, f"Unknown output stream: {output_stream}, expected one of {', '.join(_STREAMS)}"
        )
    stream = _STREAMS[output_stream]()
    stream.write(text.item().decode("utf-8", "replace") + end)
    stream.flush()


@op(
    "Assert",
    types="condition: bool, data: [T] ->",
    shape=no_outputs,
    stateful=True,
    devices="CPU",
    host="condition data",
    differentiable=False,
)
def assert_op(xp: Namespace, condition: Array, data: list[Array], *, summarize: int = 3) -> None:
    """Fail with the data in the message when the condition is false."""
    if not bool(condition):
        shown = " ".join(f"[{summarized(value, summarize)}]" for value in data)
        raise InvalidArgumentError(None, None, f"assertion failed: {shown}")


def Print(
    input_: Any,
    data: Any,
    message: str | None = None,
    first_n: int | None = None,
    summarize: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Return `input_`; when it is computed, the tensors in `data` are written to standard error.

    Args:
      input_: the tensor to pass on.
      data: tensors to show.
      message: a text to begin the line with.
      first_n: show only that often; always when None or negative.
      summarize: how many elements of each tensor to show, 3 when None, all when negative.
      name: the node's name.
    """
    return print_op(  # type: ignore[no-any-return]
        input_,
        list(data),
        message=message or "",
        first_n=-1 if first_n is None else first_n,
        summarize=3 if summarize is None else summarize,
        name=name,
    )


def Assert(condition: Any, data: Any, summarize: int | None = None, name: str | None = None) -> Operation:
    """Return an operation that fails with InvalidArgumentError, showing `data`, when `condition` is false.

    Args:
      condition: a scalar boolean tensor.
      data: tensors to show.
      summarize: how many elements of each to show, 3 when None.
      name: the name scope.
    """
    with name_scope(name, "Assert", [t for t in (condition, *data) if isinstance(t, Tensor)]):
        tensors = convert_n_to_tensor(data)
        checked = convert_to_tensor(condition, dtypes.bool, name="Condition")
        return assert_op.node(checked, tensors, summarize=3 if summarize is None else summarize, name="Assert")
