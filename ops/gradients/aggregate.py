"""Summing the gradients that reach one tensor along several paths.

Dense gradients are summed by AddN, those of gathers stay IndexedSlices and are concatenated; a mixture becomes dense.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from typing import Any

from ..array.concat import concat
from ..core import dtypes
from ..core.graph import get_default_graph
from ..core.node import Tensor
from ..math.add_n import add_n
from ..math.casts import cast


class AggregationMethod:
    """How `gradients` sums what reaches a tensor along several paths; all methods give the same values."""

    ADD_N = 0
    DEFAULT = ADD_N
    EXPERIMENTAL_TREE = 1
    EXPERIMENTAL_ACCUMULATE_N = 2


METHODS = (AggregationMethod.ADD_N, AggregationMethod.EXPERIMENTAL_TREE, AggregationMethod.EXPERIMENTAL_ACCUMULATE_N)


def is_slices(value: Any) -> bool:
    """Tell whether a gradient is an IndexedSlices."""
    return not isinstance(value, Tensor) and hasattr(value, "indices") and hasattr(value, "dense_shape")


def where_it_lives(tensor: Tensor) -> AbstractContextManager[Any]:
    """Leave the requested devices for a list (a variant), which lives on the host whatever its elements do."""
    stack = ExitStack()
    if tensor.dtype.base_dtype is dtypes.variant:
        graph = get_default_graph()
        stack.enter_context(graph.device(None))
        stack.enter_context(graph.colocate_with(None, ignore_existing=True))
    return stack


def aggregate(found: list[Any], op_name: str, method: int | None) -> Any:
    """Return the sum of the gradients that reached one output of the node `op_name`; None when there is none."""
    if len(found) < 2:
        return found[0] if found else None
    if all(is_slices(item) for item in found):
        return _concatenated(found)
    if method in (AggregationMethod.EXPERIMENTAL_TREE, AggregationMethod.EXPERIMENTAL_ACCUMULATE_N):
        with get_default_graph().name_scope(op_name + "_gradient_sum"):
            total = found[0]
            for item in found[1:]:
                total = add_n([total, item])
            return total
    with where_it_lives(found[0]) if isinstance(found[0], Tensor) else ExitStack():
        return _sum_by_device(found)


def _concatenated(found: list[Any]) -> Any:
    values = concat([item.values for item in found], 0)
    indices = concat(_of_one_type([item.indices for item in found]), 0)
    return type(found[0])(values, indices, found[0].dense_shape)


def _of_one_type(indices: list[Tensor]) -> list[Tensor]:
    """Return indices as int64 where they are not all of one type."""
    if len({item.dtype.base_dtype for item in indices}) == 1:
        return indices
    return [cast(item, dtypes.int64) for item in indices]


def _sum_by_device(found: list[Any]) -> Tensor:
    """Sum what is on one device there first, so that one tensor a device travels."""
    by_device: dict[str, list[Any]] = {}
    for item in found:
        by_device.setdefault(item.device or "", []).append(item)
    if len(by_device) == 1:
        return add_n(found)
    graph = get_default_graph()
    sums = []
    for device in sorted(by_device):
        with graph.device(device or None):
            sums.append(add_n(by_device[device]))
    return add_n(sums)
