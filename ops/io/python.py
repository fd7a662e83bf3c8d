"""Python functions as nodes: py_func and numpy_function.

State: `_by_token` finds a function by the token in its node's attribute; the graph that uses it keeps it alive through `_kept`.
Invariants: what a function gets is its own (it may write to it and keep it), and what it returns is copied, so that
no array is shared between a program's Python code and a run.
"""

from __future__ import annotations

import itertools
import traceback
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

import numpy as np

from ...devices.types import Array, Namespace
from ..core import errors
from ..core.dtypes import DType, as_dtype
from ..core.graph import Graph, get_default_graph
from ..core.node import Operation
from ..core.registry import OpDecl, op
from ..core.shapes import Shape


class _PythonFunction:
    """A function that nodes call."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function


_by_token: WeakValueDictionary[str, _PythonFunction] = WeakValueDictionary()
_kept: WeakKeyDictionary[Graph, list[_PythonFunction]] = WeakKeyDictionary()
_numbers = itertools.count()

_ERRORS: tuple[tuple[type[BaseException], type[errors.OpError]], ...] = (
    (StopIteration, errors.OutOfRangeError),
    (MemoryError, errors.ResourceExhaustedError),
    (NotImplementedError, errors.UnimplementedError),
    ((ValueError, TypeError), errors.InvalidArgumentError),  # type: ignore[list-item]
)
_SHORT = {"float32": "float", "float64": "double", "float16": "half"}


def register(function: Callable[..., Any], graph: Graph) -> str:
    """Return a new token for a function, which lives as long as the graph."""
    entry = _PythonFunction(function)
    token = f"pyfunc_{next(_numbers)}"
    _by_token[token] = entry
    _kept.setdefault(graph, []).append(entry)
    return token


def _own(value: Array) -> Any:
    """Return an argument as the function's own: an array that may be written to, or a scalar."""
    array = np.array(value)
    return array[()] if array.ndim == 0 else array


def _called(token: str, arguments: list[Array]) -> Any:
    entry = _by_token.get(token)
    if entry is None:
        raise errors.InvalidArgumentError(None, None, f"ValueError: callback {token} is not found")
    try:
        return entry.function(*map(_own, arguments))
    except Exception as error:
        kind = next((to for known, to in _ERRORS if isinstance(error, known)), errors.UnknownError)
        text = f"{type(error).__name__}: {error}\n{''.join(traceback.format_exception(error))}"
        raise kind(None, None, text) from error


def _as_tensor_value(value: Any) -> Array:
    array = np.array(value)
    if array.dtype.kind in "SUO":
        flat = [item.encode() if isinstance(item, str) else item for item in array.astype(object).ravel().tolist()]
        made = np.empty(len(flat), object)
        made[:] = flat
        return made.reshape(array.shape)
    return array


def _checked(token: str, index: int, value: Any, expected: DType) -> Array:
    array = _as_tensor_value(value)
    found = as_dtype(array.dtype)
    if found is not expected:
        names = [_SHORT.get(d.name, d.name) for d in (found, expected)]
        raise errors.InvalidArgumentError(
            None, None, f"{index}-th value returned by {token} is {names[0]}, but expects {names[1]}"
        )
    return array


def call(token: str, arguments: list[Array], expected: list[DType]) -> Any:
    """Call the function of a token and return its results as arrays of the dtypes expected."""
    result = _called(token, arguments)
    results = list(result) if isinstance(result, list | tuple) else [] if not expected else [result]
    if len(results) != len(expected):
        raise errors.InvalidArgumentError(
            None, None, f"{token} returns {len(results)} values, but expects to see {len(expected)} values."
        )
    arrays = [_checked(token, i, value, dtype) for i, (value, dtype) in enumerate(zip(results, expected, strict=True))]
    return arrays[0] if len(arrays) == 1 else arrays


def _unknown_shapes(node: Operation) -> list[Shape]:
    return [None] * len(node.attrs["Tout"])


_TYPES = "input: [Tin] -> output: [Tout]"


@op("PyFunc", types=_TYPES, shape=_unknown_shapes, stateful=True, devices="CPU", differentiable=False)
def py_func_op(xp: Namespace, inputs: list[Array], *, token: str, Tout: list[DType]) -> Any:
    """Return what a Python function returns, called each time the node runs."""
    return call(token, inputs, Tout)


@op("PyFuncStateless", types=_TYPES, shape=_unknown_shapes, devices="CPU", differentiable=False)
def py_func_stateless_op(xp: Namespace, inputs: list[Array], *, token: str, Tout: list[DType]) -> Any:
    """Return what a Python function returns, which depends on its arguments alone."""
    return call(token, inputs, Tout)


@op("EagerPyFunc", types=_TYPES, shape=_unknown_shapes, stateful=True, devices="CPU", differentiable=False)
def eager_py_func_op(
    xp: Namespace, inputs: list[Array], *, token: str, is_async: bool = False, Tout: list[DType]
) -> Any:
    """Return what a Python function returns; it gets NumPy arrays here, where TensorFlow gives eager tensors."""
    return call(token, inputs, Tout)


def _build(decl: OpDecl, func: Callable[..., Any], inp: Any, Tout: Any, name: str | None) -> Any:
    several = isinstance(Tout, list | tuple)
    token = register(func, get_default_graph())
    types = [as_dtype(t) for t in (Tout if several else [Tout])]
    node = decl.node(list(inp), token=token, Tout=types, name=name)
    if not several:
        return node.outputs[0]
    return list(node.outputs) if node.outputs else node


def py_func(func: Callable[..., Any], inp: Any, Tout: Any, stateful: bool = True, name: str | None = None) -> Any:
    """Return the results of a Python function as tensors.

    Args:
      func: takes NumPy arrays (scalars for 0-d tensors, bytes for strings), returns an array or a list of them.
      inp: the tensors that it is called with.
      Tout: the dtype of its result, or a list of dtypes.
      stateful: False when equal arguments always give equal results, so that calls may be saved.
      name: the node's name.

    Returns:
      A tensor, or a list for a list of dtypes (the operation when that is empty). Static shapes are unknown.

    Raises:
      InvalidArgumentError: at a run, when the results have other types than `Tout`; exceptions of `func` come as
        InvalidArgumentError (ValueError, TypeError), OutOfRangeError (StopIteration) or UnknownError.
    """
    if not callable(func):
        raise ValueError(f"Expected func to be callable, got func of type {type(func)}.")
    return _build(py_func_op if stateful else py_func_stateless_op, func, inp, Tout, name)


def numpy_function(func: Callable[..., Any], inp: Any, Tout: Any, name: str | None = None) -> Any:
    """Return the results of a Python function on NumPy arrays as tensors; `py_func` with stateful=True."""
    return py_func(func, inp, Tout, stateful=True, name=name)
