"""The operators of tensors: `x + y`, `2 * x`, `x[...]` aside; and the public functions that share their dtype rules.

A Python number beside a tensor takes the tensor's dtype. Names of nodes are TensorFlow's: `add`, `sub`, `mul`,
`truediv`, `floordiv`, `mod`, `pow`, `matmul`, comparisons by op type; reflected operators have the same names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core import dtypes
from ..core.convert import convert_to_tensor
from ..core.graph import get_default_graph
from ..core.indexed_slices import IndexedSlices
from ..core.node import Tensor
from . import binary as b
from .complex import abs as magnitude
from .complex import cast
from .matmul import matmul
from .unary import invert, logical_not, negative

_TRUEDIV_TYPES = {
    dtypes.uint8: dtypes.float32, dtypes.int8: dtypes.float32, dtypes.uint16: dtypes.float32, dtypes.int16: dtypes.float32,
    dtypes.int32: dtypes.float64, dtypes.int64: dtypes.float64, dtypes.uint32: dtypes.float64, dtypes.uint64: dtypes.float64,
}  # fmt: skip


def add(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Return `x + y`, element-wise; joins strings."""
    with get_default_graph().name_scope(name or "Add") as scope:
        return _add(convert_to_tensor(x, name="x"), y, scope)


def _add(x: Tensor, y: Any, name: str) -> Tensor:
    y = convert_to_tensor(y, dtype_hint=x.dtype.base_dtype, name="y")
    op = b.add_v1 if x.dtype.base_dtype is dtypes.string else b.add_v2
    return op(x, y, name)


def _both(x: Any, y: Any) -> tuple[Tensor, Tensor]:
    """Convert two operands, the second one to the first one's dtype where that is possible."""
    x = convert_to_tensor(x, name="x")
    y = convert_to_tensor(y, dtype_hint=x.dtype.base_dtype, name="y")
    if x.dtype.base_dtype is not y.dtype.base_dtype:
        raise TypeError(f"`x` and `y` must have the same dtype, got {x.dtype!r} != {y.dtype!r}.")
    return x, y


def _true_divide(x: Any, y: Any, scope: str) -> Tensor:
    x, y = _both(x, y)
    wanted = _TRUEDIV_TYPES.get(x.dtype.base_dtype)
    if wanted is not None:
        x, y = cast(x, wanted), cast(y, wanted)
    return b.realdiv(x, y, scope)


def truediv(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Return `x / y` as Python 3 divides: integers become floating first."""
    with get_default_graph().name_scope(name or "truediv") as scope:
        return _true_divide(x, y, scope)


def divide(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Return `x / y` as Python's operator does."""
    return truediv(x, y, name)


def div(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Return `x / y` as Python 2 divides: integers are rounded down."""
    with get_default_graph().name_scope(name or "div") as scope:
        x, y = _both(x, y)
        inexact = x.dtype.is_floating or x.dtype.is_complex
        return b.realdiv(x, y, scope) if inexact else b.floor_div(x, y, scope)


def div_no_nan(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Return `x / y`, and 0 where `y` is 0."""
    with get_default_graph().name_scope(name or "div_no_nan") as scope:
        return b.div_no_nan_op(*_both(x, y), scope)


def floordiv(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Return `x // y`, rounded towards negative infinity."""
    with get_default_graph().name_scope(name or "floordiv") as scope:
        return b.floor_div(x, y, scope)


def pow(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Return `x` to the power of `y`, element-wise."""
    return b.pow_op(x, y, name or "Pow")


def scalar_mul(scalar: Any, x: Any, name: str | None = None) -> Any:
    """Return `scalar * x` for a 0-D `scalar`, IndexedSlices as such; ValueError when it has dimensions."""
    if isinstance(x, IndexedSlices):
        return x._with_values(scalar_mul(scalar, x.values, name))
    x = convert_to_tensor(x)
    factor = convert_to_tensor(scalar, x.dtype.base_dtype, name="scalar")
    if factor.dims not in ((), None):
        raise ValueError("Only scalar multiply works, got shape " + str(factor.get_shape()))
    return b.multiply(factor, x, name)


def logical_xor(x: Any, y: Any, name: str = "LogicalXor") -> Tensor:
    """Return `x` XOR `y`."""
    return b.logical_and(b.logical_or(x, y), logical_not(b.logical_and(x, y)), name)


Operator = Callable[[Any, Any, str], Tensor]


def _floor_divide(x: Any, y: Any, scope: str) -> Tensor:
    return b.floor_div(x, y, scope)


def _logic(logical: Any, bitwise: Any, label: str) -> Operator:
    def apply(x: Any, y: Any, scope: str) -> Tensor:
        if x.dtype.base_dtype is dtypes.bool:
            return logical(x, y, scope)  # type: ignore[no-any-return]
        return bitwise(x, y)  # type: ignore[no-any-return]

    return apply


def _xor(x: Any, y: Any, scope: str) -> Tensor:
    return logical_xor(x, y, scope) if x.dtype.base_dtype is dtypes.bool else b.bitwise_xor(x, y)


OPERATORS: dict[str, tuple[str, Operator]] = {
    "add": ("add", _add),
    "sub": ("sub", b.subtract),
    "mul": ("mul", b.multiply),
    "truediv": ("truediv", _true_divide),
    "div": ("div", _true_divide),
    "floordiv": ("floordiv", _floor_divide),
    "mod": ("mod", b.floormod),
    "pow": ("pow", lambda x, y, name: b.pow_op(x, y, name)),
    "and": ("and", _logic(b.logical_and, b.bitwise_and, "and")),
    "or": ("or", _logic(b.logical_or, b.bitwise_or, "or")),
    "xor": ("xor", _xor),
    "matmul": ("matmul", lambda x, y, name: matmul(x, y, name=name)),
}


# Operators that make one node, whose name is their scope's: between tensors no scope needs to be opened for it.
_SINGLE = {"add", "sub", "mul", "floordiv", "mod", "pow"}


def _forward(label: str, function: Operator) -> Callable[[Tensor, Any], Any]:
    single = label in _SINGLE

    def operator(self: Tensor, other: Any) -> Any:
        if single and type(other) is Tensor:
            return function(self, other, self.op.graph.operator_name(label))
        if getattr(other, "__array_priority__", 0) > Tensor.__array_priority__:
            return NotImplemented
        with self.graph.name_scope(label) as scope:
            try:
                y = convert_to_tensor(other, dtype_hint=self.dtype.base_dtype, name="y")
            except TypeError:
                # What is no tensor may know what to do with one.
                if hasattr(type(other), f"__r{label}__"):
                    return NotImplemented
                raise
            return function(self, y, scope)

    return operator


def _reflected(label: str, function: Operator) -> Callable[[Tensor, Any], Any]:
    def operator(self: Tensor, other: Any) -> Any:
        with self.graph.name_scope(label) as scope:
            return function(convert_to_tensor(other, self.dtype.base_dtype, name="x"), self, scope)

    return operator


COMPARISONS = {"lt": b.less, "le": b.less_equal, "gt": b.greater, "ge": b.greater_equal}


def _comparison(function: Any) -> Callable[[Tensor, Any], Tensor]:
    def operator(self: Tensor, other: Any) -> Tensor:
        return function(self, other)  # type: ignore[no-any-return]

    return operator


def _inverted(x: Tensor) -> Tensor:
    return logical_not(x) if x.dtype.base_dtype is dtypes.bool else invert(x)


def attach() -> None:
    """Give tensors their operators."""
    for short, (label, function) in OPERATORS.items():
        Tensor.overload(f"__{short}__", _forward(label, function))
        Tensor.overload(f"__r{short}__", _reflected(label, function))
    for short, comparison in COMPARISONS.items():
        Tensor.overload(f"__{short}__", _comparison(comparison))
    Tensor.overload("__neg__", lambda x: negative(x))
    Tensor.overload("__abs__", lambda x: magnitude(x))
    Tensor.overload("__invert__", _inverted)


attach()
