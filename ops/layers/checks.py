"""Assertions about values, dtypes and ranks: tf.assert_equal and the like.

What is known while building is checked then, and raises at once; the rest becomes an Assert node, which
`control_dependencies` brings into a run. Comparisons are a table: a symbol, a function of tensors, one of arrays.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..array import rank as rank_of
from ..array import shape
from ..core import errors
from ..core.convert import constant, convert_to_tensor
from ..core.dtypes import as_dtype
from ..core.node import Operation, Tensor
from ..core.scopes import name_scope
from ..core.shape_rules import constant_value
from ..math import abs as absolute
from ..math import equal, greater, greater_equal, less, less_equal, logical_or, not_equal, reduce_all, subtract
from ..state import no_op
from .assertions import Assert

_COMPARE: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "==": (equal, np.equal), "!=": (not_equal, np.not_equal), "<": (less, np.less), "<=": (less_equal, np.less_equal),
    ">": (greater, np.greater), ">=": (greater_equal, np.greater_equal),
}  # fmt: skip


def _assertion(name: str, symbol: str) -> Callable[..., Operation]:
    def check(
        x: Any,
        y: Any,
        data: Any = None,
        summarize: int | None = None,
        message: str | None = None,
        name: str | None = None,
    ) -> Operation:
        with name_scope(name, check.__name__, [t for t in (x, y) if isinstance(t, Tensor)]):
            first = convert_to_tensor(x, name="x")
            second = convert_to_tensor(y, name="y")
            shown = data if data is not None else [
                f"Condition x {symbol} y did not hold element-wise:", f"x ({first.name}) = ", first,
                f"y ({second.name}) = ", second,
            ]  # fmt: skip
            return _held(symbol, first, second, _with_message(message, shown), summarize)

    check.__name__ = check.__qualname__ = name
    check.__doc__ = f"""Create an operation that fails unless `x {symbol} y` holds for every pair of elements (they broadcast).

    Args:
      data: what the error shows; the values when None.
      summarize: how many elements of each tensor to show.
      message: the beginning of the error.

    Raises:
      InvalidArgumentError: at once when both values are known while building, else when the operation runs.
    """
    return check


def _with_message(message: str | None, data: Any) -> list[Any]:
    return list(data) if message is None else [message, *data]


def _held(symbol: str, x: Tensor, y: Tensor, data: list[Any], summarize: int | None) -> Operation:
    compare, compare_arrays = _COMPARE[symbol]
    holds = reduce_all(compare(x, y))
    known = constant_value(x), constant_value(y)
    if known[0] is not None and known[1] is not None and not np.all(compare_arrays(*known)):
        raise errors.InvalidArgumentError(None, None, "\n".join(_static_text(item) for item in data))
    return Assert(holds, data, summarize)


def _static_text(item: Any) -> str:
    value = constant_value(item) if isinstance(item, Tensor) else item
    return str(item if value is None else value)


def _equality(differing: Callable[..., Operation]) -> Callable[..., Operation]:
    """Return the check for equality: a tensor equals itself, which TensorFlow finds in a scope of its own."""

    @functools.wraps(differing)
    def check(
        x: Any,
        y: Any,
        data: Any = None,
        summarize: int | None = None,
        message: str | None = None,
        name: str | None = None,
    ) -> Operation:
        with name_scope(name, "assert_equal"):
            if x is y:
                return no_op()
        return differing(x, y, data, summarize, message, name)

    return check


assert_equal = _equality(_assertion("assert_equal", "=="))
assert_none_equal = _assertion("assert_none_equal", "!=")
assert_less = _assertion("assert_less", "<")
assert_less_equal = _assertion("assert_less_equal", "<=")
assert_greater = _assertion("assert_greater", ">")
assert_greater_equal = _assertion("assert_greater_equal", ">=")


def _sign(name: str, symbol: str, comparison: Callable[..., Operation], zero_first: bool) -> Callable[..., Operation]:
    def check(
        x: Any, data: Any = None, summarize: int | None = None, message: str | None = None, name: str | None = None
    ) -> Operation:
        with name_scope(name, check.__name__, [x] if isinstance(x, Tensor) else []):
            value = convert_to_tensor(x, name="x")
            shown = data if data is not None else [
                _begin(message), f"Condition x {symbol} 0 did not hold element-wise:", f"x ({value.name}) = ", value,
            ]  # fmt: skip
            zero = constant(0, value.dtype.base_dtype)
            return comparison(*((zero, value) if zero_first else (value, zero)), shown, summarize)

    check.__name__ = check.__qualname__ = name
    check.__doc__ = f"Create an operation that fails unless `x {symbol} 0` holds for every element; see `assert_equal`."
    return check


assert_positive = _sign("assert_positive", ">", assert_less, True)
assert_non_negative = _sign("assert_non_negative", ">=", assert_less_equal, True)
assert_negative = _sign("assert_negative", "<", assert_less, False)
assert_non_positive = _sign("assert_non_positive", "<=", assert_less_equal, False)


def assert_near(
    x: Any, y: Any, rtol: Any = None, atol: Any = None, data: Any = None, summarize: int | None = None,
    message: str | None = None, name: str | None = None,
) -> Operation:  # fmt: skip
    """Create an operation that fails unless `|x - y| <= atol + rtol * |y|`; ten times the dtype's precision by default."""
    with name_scope(name, "assert_near", [t for t in (x, y) if isinstance(t, Tensor)]):
        first = convert_to_tensor(x, name="x")
        second = convert_to_tensor(y, first.dtype.base_dtype, name="y")
        default = 10 * float(np.finfo(first.dtype.as_numpy_dtype).eps) if first.dtype.is_floating else 0.0
        relative = convert_to_tensor(default if rtol is None else rtol, first.dtype.base_dtype, name="rtol")
        absolutely = convert_to_tensor(default if atol is None else atol, first.dtype.base_dtype, name="atol")
        shown = data if data is not None else [
            "x and y not equal to tolerance rtol = ", relative, ", atol = ", absolutely,
            f"x ({first.name}) = ", first, f"y ({second.name}) = ", second,
        ]  # fmt: skip
        difference = absolute(subtract(first, second))
        close = less_equal(difference, absolutely + relative * absolute(second))
        return Assert(reduce_all(close), _with_message(message, shown), summarize)


def _begin(message: str | None) -> str:
    return f"{message}.  " if message else ""


def _rank_check(
    x: Any, wanted: Any, symbol: str, words: str, name: str | None, function: str, message: str | None, data: Any,
    summarize: int | None,
) -> Operation:  # fmt: skip
    with name_scope(name, function, [x] if isinstance(x, Tensor) else []):
        tensor = convert_to_tensor(x, name="x")
        rank = convert_to_tensor(wanted, "int32", name="rank")
        known = constant_value(rank)
        if known is not None and known.ndim:
            raise ValueError("Rank must be a scalar.")
        if known is not None and tensor.dims is not None:
            if not _COMPARE[symbol][1](len(tensor.dims), known):
                raise ValueError(
                    f"{_begin(message)}Tensor {tensor.name} must have rank {words}{known}.  Received rank {len(tensor.dims)}, "
                    f"shape {tensor.shape}"
                )
            return no_op(name="static_checks_determined_all_ok")
        shown = data if data is not None else [
            _begin(message), f"Tensor {tensor.name} must have rank {words}".rstrip(), rank, "Received shape: ", shape(tensor),
        ]  # fmt: skip
        return Assert(_COMPARE[symbol][0](rank_of(tensor), rank), shown, summarize)


def assert_rank(
    x: Any,
    rank: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """Check that `x` has this rank: ValueError at once where it is known, else an operation that fails when it runs."""
    return _rank_check(x, rank, "==", "", name, "assert_rank", message, data, summarize)


def assert_rank_at_least(
    x: Any,
    rank: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """Check that `x` has this rank or a higher one; see `assert_rank`."""
    return _rank_check(x, rank, ">=", "at least ", name, "assert_rank_at_least", message, data, summarize)


def assert_rank_in(
    x: Any,
    ranks: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """Check that `x` has one of these ranks; see `assert_rank`."""
    with name_scope(name, "assert_rank_in", [x] if isinstance(x, Tensor) else []):
        tensor = convert_to_tensor(x, name="x")
        if tensor.dims is not None and all(isinstance(rank, int | np.integer) for rank in ranks):
            if len(tensor.dims) not in ranks:
                raise ValueError(
                    f"{_begin(message)}Tensor {tensor.name} must have rank in {tuple(ranks)}.  Received "
                    f"rank {len(tensor.dims)}, shape {tensor.shape}"
                )
            return no_op(name="static_checks_determined_all_ok")
        actual = rank_of(tensor)
        condition = equal(actual, ranks[0])
        for rank in ranks[1:]:
            condition = logical_or(condition, equal(actual, rank))
        shown = data if data is not None else [
            _begin(message), f"Tensor {tensor.name} must have rank in", *ranks, "Received shape: ", shape(tensor),
        ]  # fmt: skip
        return Assert(condition, shown, summarize)


def assert_type(tensor: Any, tf_type: Any, message: str | None = None, name: str | None = None) -> Operation:
    """Check that a tensor has a dtype; TypeError when it has not."""
    with name_scope(name, "assert_type", [tensor] if isinstance(tensor, Tensor) else []):
        value, wanted = convert_to_tensor(tensor, name="tensor"), as_dtype(tf_type)
        if value.dtype.base_dtype is not wanted.base_dtype:
            raise TypeError(f"{_begin(message)}{value.name} must be of type {wanted!r}; got {value.dtype.base_dtype!r}")
        return no_op(name="statically_determined_correct_type")


def assert_integer(x: Any, message: str | None = None, name: str | None = None) -> Operation:
    """Check that a tensor holds integers; TypeError when it does not."""
    with name_scope(name, "assert_integer", [x] if isinstance(x, Tensor) else []):
        value = convert_to_tensor(x, name="x")
        if not value.dtype.is_integer:
            raise TypeError(
                f'{_begin(message)}Expected "x" to be integer type.  Found: {value.name} of dtype {value.dtype}'
            )
        return no_op(name="statically_determined_was_integer")


def assert_scalar(tensor: Any, name: str | None = None, message: str | None = None) -> Tensor:
    """Check that a tensor is a scalar and return it; ValueError when it has another static shape."""
    with name_scope(name, "assert_scalar", [tensor] if isinstance(tensor, Tensor) else []) as scope:
        value = convert_to_tensor(tensor, name=f"{scope}tensor")
        if value.dims != ():
            raise ValueError(f"{_begin(message)}Expected scalar shape for {value.name}, saw shape: {value.shape}.")
        return value


def is_numeric_tensor(tensor: Any) -> bool:
    """Tell whether `tensor` is a Tensor of numbers."""
    return isinstance(tensor, Tensor) and (
        tensor.dtype.is_floating or tensor.dtype.is_integer or tensor.dtype.is_complex
    )
