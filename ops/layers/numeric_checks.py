"""Checks of numbers and types: finite tensors, whole graphs of them, orders, and equal floating types."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..array import check_numerics, identity, reshape, shape
from ..core import dtypes
from ..core.convert import convert_to_tensor
from ..core.dtypes import DType
from ..core.graph import get_default_graph
from ..core.indexed_slices import IndexedSlices
from ..core.node import Operation, Tensor
from ..core.scopes import name_scope
from ..math import greater, greater_equal, reduce_all
from ..state import group

__all__ = [
    "add_check_numerics_ops", "assert_proper_iterable", "assert_same_float_dtype", "is_non_decreasing", "is_strictly_increasing",
    "verify_tensor_all_finite",
]  # fmt: skip

_FLOATS = (dtypes.float16, dtypes.float32, dtypes.float64, dtypes.bfloat16)


def verify_tensor_all_finite(
    t: Any = None, msg: str | None = None, name: str | None = None, x: Any = None, message: str | None = None
) -> Tensor:
    """Return a tensor; running it fails with a message where an element is NaN or infinite."""
    given, words = (t if x is None else x), (msg if message is None else message)
    with name_scope(name, "VerifyFinite", [given]):
        tensor = convert_to_tensor(given, name="x")
        with get_default_graph().colocate_with(tensor):
            checked = check_numerics(tensor, message=words or "")
            with get_default_graph().control_dependencies([checked]):
                return identity(tensor)  # type: ignore[no-any-return]


def add_check_numerics_ops() -> Operation:
    """Return an operation that fails where a floating tensor of the graph is NaN or infinite, checked in the graph's order.

    Raises:
      ValueError: when the graph has conditionals or loops, whose tensors cannot be seen from outside.
    """
    graph = get_default_graph()
    last: list[Any] = []
    for op in list(graph.get_operations()):
        for i, output in enumerate(op.outputs):
            if output.dtype.base_dtype not in _FLOATS:
                continue
            if op.region is not None or op.regions:
                raise ValueError(
                    "`tf.add_check_numerics_ops() is not compatible with TensorFlow control flow operations such as "
                    "`tf.cond()` or `tf.while_loop()`."
                )
            with graph.control_dependencies(last):
                last = [check_numerics(output, message=f"{op.name}:{i}")]
    return group(*last)


def _orders(name: str, compare: Any, what: str) -> Any:
    def check(x: Any, name: str | None = None) -> Tensor:
        with name_scope(name, check.__name__, [x]):
            flat = reshape(convert_to_tensor(x, name="x"), [-1])
            count = shape(flat)[0]
            found: Tensor = reduce_all(compare(flat[1:], flat[: count - 1]) if flat.dims != (0,) else [True])
            return found

    check.__name__ = check.__qualname__ = name
    check.__doc__ = f"Return whether the elements {what}, from each to the next; True for fewer than two."
    return check


is_strictly_increasing = _orders("is_strictly_increasing", greater, "increase")
is_non_decreasing = _orders("is_non_decreasing", greater_equal, "never decrease")


def assert_same_float_dtype(tensors: Any = None, dtype: Any = None) -> DType:
    """Return the floating type of tensors, float32 for none.

    Raises:
      ValueError: when they are of different types, or not floating.
    """
    wanted = None if dtype is None else dtypes.as_dtype(dtype)
    first = None
    for tensor in (t for t in tensors or () if t is not None):
        found = tensor.dtype.base_dtype
        if wanted is None:
            wanted, first = found, tensor
        elif wanted != found:
            of = "" if first is None else f" as {first.name}"
            raise ValueError(f"{tensor.name}, type={found}, must be of the same type ({wanted}){of}.")
    wanted = wanted or dtypes.float32
    if not wanted.is_floating:
        raise ValueError(f"Expected floating point type, got {wanted}.")
    return wanted


def assert_proper_iterable(values: Any) -> None:
    """Raise TypeError unless values can be iterated over, and are no tensor, array, text or bytes."""
    if isinstance(values, Tensor | IndexedSlices | str | bytes) or hasattr(values, "__array__"):
        raise TypeError(f'Expected argument "values" to be a "proper" iterable.  Found: {type(values)}')
    if not isinstance(values, Iterable):
        raise TypeError(f'Expected argument "values" to be iterable.  Found: {type(values)}')
