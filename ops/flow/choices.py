"""`switch_case`, one of several branches by number; `vectorized_map`, a loop whose types are found out; paddings for blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core import dtypes
from ..core.convert import convert_to_tensor
from ..core.graph import get_default_graph
from ..core.node import Tensor
from ..math.binary import equal
from ..math.complex import cast
from .cond import case
from .functional import map_fn
from .structure import flatten, pack

Function = Callable[[], Any]


def switch_case(branch_index: Any, branch_fns: Any, default: Function | None = None, name: str = "switch_case") -> Any:
    """Return what the branch of this number gives.

    Args:
      branch_index: a 0-D tensor of integers.
      branch_fns: a list of functions, a list of (number, function) pairs, or a dict from number to function.
      default: what to do for other numbers; the branch of the greatest number when None.

    Raises:
      TypeError: when the branches are no list or dict of functions. ValueError: when their numbers are not 0, 1, 2 and so on.
    """
    if not isinstance(branch_index, Tensor):
        raise TypeError(f"branch_index must be a Tensor, got {type(branch_index)}")
    if not branch_index.dtype.is_integer:
        raise TypeError(f"branch_index must be an integer Tensor, got {branch_index.dtype.name}")
    branches = _branches(branch_fns)
    with get_default_graph().name_scope(name):
        index = cast(convert_to_tensor(branch_index, name="branch_index"), dtypes.int32)
        last = branches[-1][1] if default is None else default
        if not callable(last):
            raise TypeError("default must be callable.")
        chosen = branches[:-1] if default is None else branches
        if not chosen:
            return last()
        return case([(equal(index, number), function) for number, function in chosen], default=last, name="choose")


def _branches(given: Any) -> list[tuple[int, Function]]:
    if not isinstance(given, dict | list | tuple):
        raise TypeError("branch_fns must be a dict, list, or tuple")
    pairs = list(given.items()) if isinstance(given, dict) else list(given)
    if not pairs:
        raise ValueError("branch_fns must not be empty")
    if all(callable(branch) for branch in pairs):
        pairs = list(enumerate(pairs))
    for pair in pairs:
        if (
            not isinstance(pair, tuple | list)
            or len(pair) != 2
            or not isinstance(pair[0], int)
            or not callable(pair[1])
        ):
            raise TypeError("Each entry in branch_fns must be a callable, or a pair of an int and a callable")
    numbers = sorted(number for number, _ in pairs)
    if numbers != list(range(len(pairs))):
        found = ",".join(map(str, numbers))
        raise ValueError(
            f"branch indices (keys) must form contiguous range of [0 to {len(pairs)}) but found {{{found}}}"
        )
    return sorted(((int(number), function) for number, function in pairs), key=lambda pair: pair[0])


def vectorized_map(fn: Callable[..., Any], elems: Any, fallback_to_while_loop: bool = True, warn: bool = True) -> Any:
    """Return what `fn` gives for each row of `elems`, stacked; `fn` may return another structure, of other types.

    It is a loop, so `fallback_to_while_loop` and `warn` ask for nothing.
    """
    rows = [convert_to_tensor(elem) for elem in flatten(elems)]
    # Called once for what it returns; nobody asks for these nodes, so no run computes them.
    with get_default_graph().name_scope("types"):
        sample = fn(pack(elems, [row[0] for row in rows]))
    types = [convert_to_tensor(leaf).dtype for leaf in flatten(sample)]
    return map_fn(fn, pack(elems, rows), dtype=pack(sample, types))


def required_space_to_batch_paddings(
    input_shape: Any, block_shape: Any, base_paddings: Any = None, name: str | None = None
) -> Any:
    """Return the paddings that make blocks divide a shape, and the crops that undo them.

    Args:
      input_shape: [n], the lengths of the axes.
      block_shape: [n], the lengths of a block.
      base_paddings: [n, 2], paddings that are there at least; 0 when None.

    Returns:
      Paddings [n, 2] and crops [n, 2], int32.
    """
    with get_default_graph().name_scope(name or "required_space_to_batch_paddings"):
        lengths = convert_to_tensor(input_shape, dtypes.int32, name="input_shape")
        blocks = convert_to_tensor(block_shape, dtypes.int32, name="block_shape")
        given = (
            (blocks * 0)[:, None] * [[1, 1]]
            if base_paddings is None
            else convert_to_tensor(base_paddings, dtypes.int32)
        )
        whole = lengths + given[:, 0] + given[:, 1]
        extra = ((-whole) % blocks)[:, None] * [[0, 1]]
        return given + extra, extra
