"""py_func: a Python function as a node.

A node holds a token; the function itself belongs to the graph that it was given to, and is found by the token while that
graph lives. Invariant: the function gets copies and its results are copied, so that nothing it keeps is ever a value of a
graph. What it raises becomes TensorFlow's error class, with the user's own traceback as text.
"""

from __future__ import annotations

import itertools
import traceback
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..core import errors
from ..core.context import KernelContext
from ..core.dtypes import DType, as_dtype
from ..core.graph import Graph, get_default_graph
from ..core.node import Operation
from ..core.registry import OpDecl, op
from ..core.shapes import Shape

_HELD = ("py_func", "functions")
_tokens = itertools.count()
_CPP_NAMES = {"float16": "half", "float32": "float", "float64": "double"}
_ERRORS: tuple[tuple[Any, type[errors.OpError]], ...] = (
    ((ValueError, TypeError), errors.InvalidArgumentError),
    (StopIteration, errors.OutOfRangeError),
    (MemoryError, errors.ResourceExhaustedError),
    (NotImplementedError, errors.UnimplementedError),
    (Exception, errors.UnknownError),
)


class _Function:
    """A Python function that nodes of one graph call."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self.call = call


_functions: weakref.WeakValueDictionary[str, _Function] = weakref.WeakValueDictionary()


def register(function: Callable[..., Any], graph: Graph) -> str:
    """Keep `function` as long as `graph` lives, and return the token by which nodes find it."""
    token = f"pyfunc_{next(_tokens)}"
    _functions[token] = held = _Function(function)
    graph.get_collection_ref(_HELD).append(held)
    return token


def _unknown_shapes(node: Operation) -> list[Shape]:
    return [None] * len(node.attrs["Tout"])


def _not_known(node: Operation) -> None:
    """Keep the function from being called while the graph is built."""


@op(
    "PyFunc",
    types="input: [Tin] -> output: [Tout]",
    shape=_unknown_shapes,
    stateful=True,
    devices="CPU",
    differentiable=False,
)
def py_func_op(ctx: KernelContext, xp: Namespace, input: list[Array], *, token: str, Tout: list[DType]) -> Any:
    """Return what the Python function behind `token` makes of the inputs.

    The function is not interrupted when its run is to end; the run ends when it returns, as in TensorFlow.
    """
    found = _functions.get(token)
    if found is None:
        raise errors.InvalidArgumentError(
            None, None, f"callback {token} is not found: the graph that it was given to is gone, or of another process"
        )
    made = _called(found.call, input)
    ctx.cancellation.check()
    results = _checked(made, Tout, token)
    return results[0] if len(results) == 1 else results


@op(
    "PyFuncStateless", types="input: [Tin] -> output: [Tout]", shape=_unknown_shapes, blocking=True, devices="CPU",
    differentiable=False, static_value=_not_known,
)  # fmt: skip
def py_func_stateless_op(
    ctx: KernelContext, xp: Namespace, input: list[Array], *, token: str, Tout: list[DType]
) -> Any: ...


@op(
    "EagerPyFunc", types="input: [Tin] -> output: [Tout]", shape=_unknown_shapes, stateful=True, devices="CPU",
    differentiable=False,
)  # fmt: skip
def eager_py_func_op(
    ctx: KernelContext, xp: Namespace, input: list[Array], *, token: str, is_async: bool = False, Tout: list[DType]
) -> Any: ...


def _kernel_of(decl: OpDecl) -> Callable[..., Any]:
    return decl.kernels_for("CPU")[0].function


py_func_stateless_op.kernel("CPU")(_kernel_of(py_func_op))


@eager_py_func_op.kernel("CPU")
def _eager(
    ctx: KernelContext, xp: Namespace, input: list[Array], *, token: str, is_async: bool, Tout: list[DType]
) -> Any:
    return _kernel_of(py_func_op)(ctx, xp, input, token=token, Tout=Tout)


def _called(function: Callable[..., Any], inputs: list[Array]) -> Any:
    try:
        return function(*map(_given, inputs))
    except errors.OpError as error:
        raise type(error)(None, None, _story(error)) from error
    except Exception as error:
        kind = next(kind for types, kind in _ERRORS if isinstance(error, types))
        raise kind(None, None, _story(error)) from error


def _given(array: Array) -> Any:
    """Return a value as the function gets it: a copy of its own, a NumPy scalar, or bytes."""
    return np.array(array) if np.ndim(array) else np.asarray(array)[()]


def _story(error: BaseException) -> str:
    """Return the error as text, with the traceback from the user's function on."""
    below = error.__traceback__.tb_next if error.__traceback__ is not None else None
    frames = "".join(traceback.format_exception(type(error), error, below))
    return f"{type(error).__name__}: {error}\n{frames}"


def _checked(result: Any, types: list[DType], token: str) -> list[Array]:
    results = list(result) if isinstance(result, list | tuple) else [] if result is None else [result]
    if len(results) != len(types):
        raise errors.InvalidArgumentError(
            None, None, f"{token} returns {len(results)} values, but expects to see {len(types)} values."
        )
    return [_taken(value, dtype, i, token) for i, (value, dtype) in enumerate(zip(results, types, strict=True))]


def _taken(value: Any, wanted: DType, index: int, token: str) -> Array:
    try:
        array = np.array(value, order="C")
        if array.dtype.kind in "SUO":
            array = _as_bytes(array)
        found = as_dtype(array.dtype)
    except (TypeError, ValueError) as error:
        kind = errors.InternalError if isinstance(error, TypeError) else errors.InvalidArgumentError
        raise kind(
            None, None, f"{index}-th value returned by {token} is no tensor ({error}), but expects {_cpp_name(wanted)}"
        ) from error
    if found is not wanted:
        raise errors.InvalidArgumentError(
            None, None, f"{index}-th value returned by {token} is {_cpp_name(found)}, but expects {_cpp_name(wanted)}"
        )
    return array


def _as_bytes(array: Array) -> Array:
    result = np.empty(array.shape, object)
    for index, item in enumerate(array.reshape(-1).tolist()):
        if not isinstance(item, str | bytes):
            raise TypeError(f"Unsupported object type {type(item).__name__}")
        result.reshape(-1)[index] = item.encode() if isinstance(item, str) else item
    return result


def _cpp_name(dtype: DType) -> str:
    return _CPP_NAMES.get(dtype.name, dtype.name)


def py_func(func: Callable[..., Any], inp: Any, Tout: Any, stateful: bool = True, name: str | None = None) -> Any:
    """Create a node that calls a Python function with NumPy arrays.

    The shapes of what it returns are not known while building; `set_shape` tells them. It runs on the CPU, in the process
    that built the graph, and has no gradient.

    Args:
      func: takes one array (or NumPy scalar, or bytes) per input, returns one value or a list, of exactly the dtypes `Tout`.
      inp: tensors.
      Tout: one dtype, or a list of dtypes.
      stateful: whether equal arguments may give different results; False lets plans merge equal calls.

    Returns:
      A tensor; a list of tensors when `Tout` is a list; the Operation when that is empty.
    """
    if not callable(func):
        raise ValueError(f"Expected func to be callable, got func of type {type(func)}")
    several = isinstance(Tout, list | tuple)
    types = [as_dtype(t) for t in (Tout if several else [Tout])]
    decl = py_func_op if stateful else py_func_stateless_op
    node = decl.node(list(inp), token=register(func, get_default_graph()), Tout=types, name=name)
    if not node.outputs:
        return node
    return list(node.outputs) if several else node.outputs[0]


def numpy_function(func: Callable[..., Any], inp: Any, Tout: Any, name: str | None = None) -> Any:
    """Create a node that calls a Python function with NumPy arrays; see `py_func`."""
    return py_func(func, inp, Tout, True, name)
