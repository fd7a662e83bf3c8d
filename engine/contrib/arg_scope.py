"""arg_scope: default arguments for functions, for the calls inside a block.

State: a stack of scopes per thread; a scope is a dict from a function's key to its arguments. It may be kept and entered again.
Invariant: arguments of a call win over those of a scope, inner scopes over outer ones.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Scope = dict[str, dict[str, Any]]

_KEY = "_key_op"


class _Stack(threading.local):
    def __init__(self) -> None:
        self.scopes: list[Scope] = [{}]


_stack = _Stack()


def arg_scope_func_key(op: Any) -> str:
    """Return the key of a function in scopes."""
    return getattr(op, _KEY, None) or f"{getattr(op, '__module__', '')}.{getattr(op, '__qualname__', str(op))}"


def current_arg_scope() -> Scope:
    """Return the scope in force."""
    return _stack.scopes[-1]


def has_arg_scope(func: Any) -> bool:
    """Tell whether a function takes defaults from scopes."""
    return hasattr(func, _KEY)


def arg_scoped_arguments(func: Any) -> tuple[str, ...]:
    """Return the names of the arguments that a scope can give a function."""
    return tuple(getattr(func, "_key_arguments", ()))


def add_arg_scope(func: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function so that calls inside an `arg_scope` for it get that scope's arguments."""
    key = f"{func.__module__}.{func.__qualname__}"

    @functools.wraps(func)
    def scoped(*args: Any, **kwargs: Any) -> Any:
        given = current_arg_scope().get(key)
        return func(*args, **({**given, **kwargs} if given else kwargs))

    setattr(scoped, _KEY, key)
    code = func.__code__
    count = len(func.__defaults__ or ())
    names = code.co_varnames[: code.co_argcount]
    setattr(scoped, "_key_arguments", names[len(names) - count :])  # noqa: B010  (mypy knows no such attribute)
    return scoped


@contextmanager
def arg_scope(list_ops_or_scope: Any, **kwargs: Any) -> Iterator[Scope]:
    """Give functions default arguments inside a block.

    Args:
      list_ops_or_scope: functions made by `add_arg_scope`, or a scope that an earlier `arg_scope` gave.
      kwargs: their arguments.

    Raises:
      ValueError: when a scope comes with arguments, or a function takes none from scopes.
      TypeError: when it is no list of functions.

    Example:
      >>> import millstream as tf
      >>> @tf.contrib.framework.add_arg_scope
      ... def add(a, b=1):
      ...     return a + b
      >>> with tf.contrib.framework.arg_scope([add], b=10):
      ...     print(add(1), add(1, b=2))
      11 3
    """
    if isinstance(list_ops_or_scope, dict):
        if kwargs:
            raise ValueError("When attempting to re-use a scope by suppling a dictionary, kwargs must be empty.")
        scope = dict(list_ops_or_scope)
    else:
        if not isinstance(list_ops_or_scope, list | tuple):
            raise TypeError("list_ops_or_scope must either be a list/tuple or reused scope (i.e. dict)")
        scope = dict(current_arg_scope())
        for op in list_ops_or_scope:
            if not has_arg_scope(op):
                raise ValueError(
                    f"({getattr(op, '__module__', '')}, {getattr(op, '__name__', op)}) is not decorated with @add_arg_scope"
                )
            key = arg_scope_func_key(op)
            scope[key] = {**scope.get(key, {}), **kwargs}
    _stack.scopes.append(scope)
    try:
        yield scope
    finally:
        _stack.scopes.pop()
