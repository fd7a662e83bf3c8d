"""`tf.contrib.framework`'s small checks."""

from __future__ import annotations

from typing import Any

from ...ops.core.convert import convert_to_tensor
from ...ops.core.graph import Graph
from ...ops.core.node import Tensor
from ...ops.core.scopes import get_name_scope
from ...ops.math import reduce_sum
from ...ops.variables import Variable
from ..train.training_util import assert_global_step, get_global_step


def is_tensor(x: Any) -> bool:
    """Tell whether a value is a tensor, a variable, or sparse."""
    return isinstance(x, Tensor | Variable) or (
        hasattr(x, "indices") and hasattr(x, "values") and hasattr(x, "dense_shape")
    )


def assert_scalar_int(tensor: Any, name: str | None = None) -> Tensor:
    """Return the tensor; ValueError unless it is an integer scalar."""
    found = convert_to_tensor(tensor)
    if not found.dtype.is_integer:
        raise ValueError(f"Unexpected type {found.dtype}, expected an integer type.")
    if found.dims not in ((), None):
        raise ValueError(f"Expected scalar shape for {found.name}, saw shape: {found.shape}.")
    return found


def assert_or_get_global_step(graph: Graph | None = None, global_step_tensor: Any = None) -> Any:
    """Return the given global step when it may be one, else the graph's."""
    if global_step_tensor is None:
        return get_global_step(graph)
    assert_global_step(global_step_tensor)
    return global_step_tensor


def reduce_sum_n(tensors: Any, name: str | None = None) -> Tensor:
    """Return the sum of all elements of all tensors."""
    if not tensors:
        raise ValueError("No tensors provided.")
    total: Any = sum((reduce_sum(convert_to_tensor(t)) for t in tensors[1:]), reduce_sum(convert_to_tensor(tensors[0])))
    return total  # type: ignore[no-any-return]


__all__ = ["assert_or_get_global_step", "assert_scalar_int", "get_name_scope", "is_tensor", "reduce_sum_n"]
