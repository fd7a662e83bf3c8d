"""What programs import of `tensorflow.python.util` and its like, which no public namespace offers: decorators and inspection.

TensorFlow wraps Python's own modules so that its decorators can be looked through; functions here are plain, so Python's do.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import itertools
import re
import sys
from collections import namedtuple
from collections.abc import Callable
from typing import Any

from ...ops.array import squeeze
from ...ops.core.convert import convert_to_tensor
from ...ops.core.scopes import name_scope
from ...ops.layers.metrics.streams import metric_variable
from ..program import log

ArgSpec = namedtuple("ArgSpec", "args varargs keywords defaults")

_Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def unwrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return what decorators were put around."""
    found: Callable[..., Any] = inspect.unwrap(function)
    return found


def get_arg_spec(function: Callable[..., Any]) -> ArgSpec:
    """Return (args, varargs, keywords, defaults) of a function, as Python 2's inspect did."""
    return ArgSpec(*inspect.getfullargspec(unwrapped(function))[:4])


def fn_args(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of a function's arguments but for `self` of what is bound, and those that a partial gives."""
    if isinstance(function, functools.partial):
        names = fn_args(function.func)[len(function.args) :]
        return tuple(name for name in names if name not in (function.keywords or {}))
    target = function if inspect.isroutine(function) else type(function).__call__
    names = tuple(inspect.getfullargspec(unwrapped(target)).args)
    return names[1:] if inspect.ismethod(target) or target is not function else names


def has_kwargs(function: Callable[..., Any]) -> bool:
    """Tell whether a function takes arguments of any name."""
    return inspect.getfullargspec(unwrapped(function)).varkw is not None


def make_decorator(
    target: Callable[..., Any], decorator_func: Callable[..., Any], decorator_name: str | None = None,
    decorator_doc: str = "", decorator_argspec: Any = None,
) -> Callable[..., Any]:  # fmt: skip
    """Return `decorator_func` under the name and documentation of `target`, which it stands before."""
    return functools.update_wrapper(decorator_func, target)


def unwrap(maybe_decorated: Callable[..., Any]) -> tuple[list[Any], Callable[..., Any]]:
    """Return ([], what decorators were put around)."""
    return [], unwrapped(maybe_decorated)


def _warning(words: Callable[[Callable[..., Any]], str]) -> _Decorator:
    """Return a decorator that warns at a function's first call."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.isclass(function):
            return function
        warned: list[bool] = []

        @functools.wraps(function)
        def deprecated_function(*args: Any, **kwargs: Any) -> Any:
            if not warned:
                warned.append(True)
                log.warning(words(function))
            return function(*args, **kwargs)

        return deprecated_function

    return decorate


def _when(date: str | None) -> str:
    return "in a future version" if date is None else f"after {date}"


def deprecated(date: str | None, instructions: str, warn_once: bool = True) -> _Decorator:
    """Return a decorator that warns, at the first call, that a function will be removed."""
    return _warning(lambda f: f"{f.__qualname__} is deprecated and will be removed {_when(date)}. {instructions}")


def deprecated_args(date: str | None, instructions: str, *names: Any, **kwargs: Any) -> _Decorator:
    """Return a decorator for a function some of whose arguments will be removed: calls with them warn, once."""
    known = [name[0] if isinstance(name, tuple) else name for name in names]

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        warned: list[bool] = []

        @functools.wraps(function)
        def deprecated_function(*args: Any, **kwargs: Any) -> Any:
            given = [name for name in known if name in kwargs]
            if given and not warned:
                warned.append(True)
                log.warning(
                    f"{function.__qualname__}: {', '.join(given)} will be removed {_when(date)}. {instructions}"
                )
            return function(*args, **kwargs)

        return deprecated_function

    return decorate


def deprecated_arg_values(date: str | None, instructions: str, warn_once: bool = True, **values: Any) -> _Decorator:
    """Return a decorator for a function some of whose arguments' values will be removed: calls with them warn, once."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        warned: list[bool] = []

        @functools.wraps(function)
        def deprecated_function(*args: Any, **kwargs: Any) -> Any:
            given = inspect.signature(function).bind_partial(*args, **kwargs).arguments
            used = [name for name, value in values.items() if name in given and given[name] == value]
            if used and not warned:
                warned.append(True)
                log.warning(
                    f"{function.__qualname__}: {', '.join(f'{n}={values[n]!r}' for n in used)} will be removed "
                    f"{_when(date)}. {instructions}"
                )
            return function(*args, **kwargs)

        return deprecated_function

    return decorate


def deprecated_alias(deprecated_name: str, name: str, func_or_class: Any, warn_once: bool = True) -> Any:
    """Return a function under an older name, which warns at its first call."""
    if inspect.isclass(func_or_class):
        return func_or_class
    return _warning(lambda f: f"The name {deprecated_name} is deprecated. Please use {name} instead.")(func_or_class)


def deprecated_argument_lookup(new_name: str, new_value: Any, old_name: str, old_value: Any) -> Any:
    """Return the value given under a new or an old name; ValueError where both are."""
    if old_value is None:
        return new_value
    if new_value is not None:
        raise ValueError(f"Cannot specify both '{old_name}' and '{new_name}'.")
    return old_value


@contextlib.contextmanager
def silence() -> Any:
    """Hold back the log's warnings inside the block."""
    before = log.get_verbosity()
    log.set_verbosity(log.ERROR)
    try:
        yield
    finally:
        log.set_verbosity(before)


def exported(*names: str, **kwargs: Any) -> Callable[[Any], Any]:
    """Return a decorator that changes nothing: TensorFlow notes there under which names a function is public."""
    return lambda value: value


def make_all(module_name: str, doc_string_modules: Any = None) -> list[str]:
    """Return the names that a module offers."""
    return [name for name in dir(sys.modules[module_name]) if not name.startswith("_")]


def remove_undocumented(module_name: str, allowed_exception_list: Any = None, doc_string_modules: Any = None) -> None:
    """Leave a module as it is: TensorFlow deletes there what no documentation names."""


def variable_of_metric(shape: Any, dtype: Any, validate_shape: bool = True, name: str | None = None) -> Any:
    """Return a variable of zeros in the collections LOCAL_VARIABLES and METRIC_VARIABLES."""
    return metric_variable(shape, dtype, name or "Variable", validate_shape)


def remove_squeezable_dimensions(
    labels: Any, predictions: Any, expected_rank_diff: int = 0, name: str | None = None
) -> tuple[Any, Any]:
    """Return labels and predictions, the last dimension of the one dropped that has one too many.

    Args:
      expected_rank_diff: how many more dimensions predictions have where nothing is to be dropped.
    """
    with name_scope(name, "remove_squeezable_dimensions", [labels, predictions]):
        found = [convert_to_tensor(labels), convert_to_tensor(predictions)]
        sizes = [tensor.dims for tensor in found]
        if sizes[0] is not None and sizes[1] is not None:
            surplus = len(sizes[1]) - len(sizes[0]) - expected_rank_diff
            longer = {-1: 0, 1: 1}.get(surplus)
            if longer is not None and (sizes[longer] or (0,))[-1] in (1, None):
                found[longer] = squeeze(found[longer], [-1])
        return found[0], found[1]


def strip_name_scope(name: str, export_scope: str | None) -> str:
    """Return a node's name without the scope that it begins with."""
    return _without_scope(name, export_scope) if export_scope else name


def _without_scope(name: str, scope: str) -> str:
    return re.sub(rf"([\^]|loc:@|^){re.escape(scope.rstrip('/'))}/(.*)", r"\1\2", name, count=1)


def prepend_name_scope(name: str, import_scope: str | None) -> str:
    """Return a node's name, its marks of control or colocation kept, inside a scope."""
    return re.sub(r"([\^]|loc:@|^)(.*)", rf"\1{import_scope.rstrip('/')}/\2", name, count=1) if import_scope else name


_ids = itertools.count(1)


def uid() -> int:
    """Return a number that no other call returns."""
    return next(_ids)


def register_session_run_conversion_functions(
    tensor_type: type, fetch_function: Any, feed_function: Any = None, feed_function_for_partial_run: Any = None
) -> None:
    """Let sessions fetch, and feed, objects of a type of the program's.

    Args:
      fetch_function: takes an object, returns what is fetched for it and a function from those values to its own.
      feed_function: takes an object and what is fed for it, returns (tensor, value) pairs.
      feed_function_for_partial_run: takes an object, returns the tensors that are fed for it.

    Raises:
      ValueError: when the type, or one that it derives from, was registered before.
    """
    if hasattr(tensor_type, "_fetch_parts"):
        raise ValueError(f"{tensor_type} has already been registered so ignore it.")
    setattr(tensor_type, "_fetch_parts", lambda self: fetch_function(self))  # noqa: B010  (a name that the type does not know)
    if feed_function is not None:
        setattr(tensor_type, "_feed_parts", lambda self, value: feed_function(self, value))  # noqa: B010


TF_INSPECT = {
    "ArgSpec": ArgSpec, "FullArgSpec": inspect.FullArgSpec, "getargspec": get_arg_spec,
    **{
        name: getattr(inspect, name)
        for name in (
            "currentframe", "getcallargs", "getdoc", "getfile", "getfullargspec", "getmembers", "getmodule", "getmro",
            "getsource", "getsourcefile", "getsourcelines", "isabstract", "isbuiltin", "isclass", "isframe", "isfunction",
            "isgenerator", "ismethod", "ismodule", "isroutine", "signature", "stack",
        )
    },
}  # fmt: skip
DEPRECATION = {
    "deprecated": deprecated, "deprecated_alias": deprecated_alias, "deprecated_arg_values": deprecated_arg_values,
    "deprecated_args": deprecated_args, "deprecated_argument_lookup": deprecated_argument_lookup, "silence": silence,
}  # fmt: skip
