"""Turning values into tensors: registered conversions, and the Const op that holds Python and NumPy values.

Conversions are tried in order of priority, then of registration. Const lives here because conversion ends in it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from . import shapes
from .dtypes import DType, as_dtype
from .graph import get_default_graph, new_operation
from .node import Tensor
from .registry import op
from .values import to_array

Conversion = Callable[..., Any]

_conversions: list[tuple[int, int, Any, Conversion]] = []
_by_type: dict[type, list[Conversion]] = {}


@op(
    "Const",
    types="-> output: dtype",
    shape=lambda node: node.attrs["value"].shape,
    static_value=lambda node: node.attrs["value"],
    differentiable=False,
)
def const(xp: Namespace, *, value: Array) -> Array:
    """Return a constant; the compiler keeps its array resident on the node's device."""
    return value


def constant(
    value: Any, dtype: Any = None, shape: Any = None, name: str = "Const", verify_shape: bool = False
) -> Tensor:
    """Create a constant tensor.

    Args:
      value: a Python or NumPy value, or nested lists of them.
      dtype: its type; inferred when None (int32 for ints, float32 for floats).
      shape: a shape to fill or reshape to; the last value is repeated when there are too few.
      name: the node's name.
      verify_shape: refuse a value of another shape than `shape`.

    Raises:
      TypeError: when the value has no tensor type, or not `dtype`. ValueError: when it does not fit the shape.
    """
    wanted = None if dtype is None else as_dtype(dtype).base_dtype
    array = to_array(value, wanted, shape, verify_shape)
    graph = get_default_graph()
    unique = graph.node_name(name, "Const")
    return new_operation(graph, const, unique, (), {"dtype": wanted or as_dtype(array.dtype), "value": array}).outputs[
        0
    ]


def register_tensor_conversion_function(base_type: Any, conversion_func: Conversion, priority: int = 100) -> None:
    """Let `convert_to_tensor` turn objects of `base_type` (a type or tuple of types) into tensors.

    `conversion_func(value, dtype=None, name=None, as_ref=False)` returns a Tensor or NotImplemented; lower priorities first.
    """
    if not callable(conversion_func):
        raise TypeError("conversion_func must be callable.")
    _conversions.append((priority, len(_conversions), base_type, conversion_func))
    _conversions.sort(key=lambda row: row[:2])
    _by_type.clear()


def convert_to_tensor(
    value: Any,
    dtype: Any = None,
    name: str | None = None,
    preferred_dtype: Any = None,
    dtype_hint: Any = None,
    as_ref: bool = False,
) -> Tensor:
    """Return `value` as a Tensor of `dtype`, or of `preferred_dtype` where that is possible.

    Raises:
      TypeError: when no conversion exists for the value's type. ValueError: when a tensor has another dtype.
    """
    wanted = None if dtype is None else as_dtype(dtype).base_dtype
    if isinstance(value, Tensor):
        return _checked(value, wanted)
    preferred = preferred_dtype if preferred_dtype is not None else dtype_hint
    if wanted is None and preferred is not None:
        try:
            return _try_conversions(value, as_dtype(preferred), name, as_ref)
        except (TypeError, ValueError):
            pass
    return _checked(_try_conversions(value, wanted, name, as_ref), wanted)


def _checked(tensor: Tensor, wanted: DType | None) -> Tensor:
    if wanted is not None and tensor.dtype.base_dtype is not wanted:
        raise ValueError(
            f"Tensor conversion requested dtype {wanted.name} for Tensor with dtype {tensor.dtype.name}: {str(tensor)!r}"
        )
    return tensor


def _try_conversions(value: Any, wanted: DType | None, name: str | None, as_ref: bool) -> Tensor:
    kind = type(value)
    functions = _by_type.get(kind)
    if functions is None:
        functions = _by_type[kind] = [f for _, _, base, f in _conversions if isinstance(value, base)]
    for function in functions:
        result = function(value, dtype=wanted, name=name, as_ref=as_ref)
        if result is not NotImplemented:
            return result  # type: ignore[no-any-return]
    raise TypeError(f"Cannot convert {value!r} with type {kind} to Tensor: no conversion function registered.")


def convert_n_to_tensor(
    values: Any, dtype: Any = None, name: str | None = None, preferred_dtype: Any = None
) -> list[Tensor]:
    """Return every element of `values` as a Tensor."""
    return [
        convert_to_tensor(v, dtype, None if name is None else f"{name}_{i}", preferred_dtype)
        for i, v in enumerate(values)
    ]


def _from_constant(value: Any, dtype: Any = None, name: str | None = None, as_ref: bool = False) -> Any:
    return constant(value, dtype, name=name or "Const")


def _from_shape(value: Any, dtype: Any = None, name: str | None = None, as_ref: bool = False) -> Any:
    dims = shapes.as_shape_tuple(value)
    if not shapes.is_static(dims):
        raise ValueError(f"Cannot convert a partially known TensorShape {shapes.format_shape(dims)} to a Tensor.")
    return constant(
        np.array(dims, "i4" if dtype is None else as_dtype(dtype).as_numpy_dtype), name=name or "shape_as_tensor"
    )


def _from_dimension(value: Any, dtype: Any = None, name: str | None = None, as_ref: bool = False) -> Any:
    if value.value is None:
        raise ValueError(f"Cannot convert an unknown Dimension to a Tensor: {value}")
    return constant(value.value, dtype, name=name or "shape_as_tensor")


def _stands_for_tensor(value: Any) -> bool:
    return isinstance(value, Tensor) or hasattr(value, "_as_graph_element") or hasattr(value, "_dense_var_to_tensor")


def contains_tensor(value: Any) -> bool:
    """Tell whether nested lists and tuples hold a tensor (or an object that stands for one) anywhere."""
    if isinstance(value, list | tuple):
        return any(contains_tensor(item) for item in value)
    return _stands_for_tensor(value)


register_tensor_conversion_function(
    (list, tuple, np.ndarray, np.generic, int, float, complex, bool, str, bytes), _from_constant, 100
)
register_tensor_conversion_function(shapes.TensorShape, _from_shape, 90)
register_tensor_conversion_function(shapes.Dimension, _from_dimension, 90)
register_tensor_conversion_function(object, _from_constant, 1000)
