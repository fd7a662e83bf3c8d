"""Wrappers of functions that bend the backward pass: computing forward values again, and gradients that pass through."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from ..array.identity import identity
from ..core.convert import convert_to_tensor
from ..core.graph import get_default_graph
from ..flow.structure import flatten
from ..variables import get_variable_scope, variable_scope
from .custom import custom_gradient
from .gradients import gradients


def recompute_grad(f: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a function so that its inner values are not kept for the backward pass, but computed again there.

    The second time starts when the gradient of the results is there. Variables that `f` reads have to be found by name again.
    """

    @wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        scope = get_variable_scope()

        @custom_gradient
        def with_gradient(*tensors: Any) -> Any:
            return f(*tensors, **kwargs), _again(f, tensors, kwargs, scope)

        return with_gradient(*args)

    return wrapped


def _again(f: Callable[..., Any], tensors: tuple[Any, ...], kwargs: dict[str, Any], scope: Any) -> Callable[..., Any]:
    def gradient(*dys: Any, variables: Any = None) -> Any:
        with get_default_graph().control_dependencies(list(dys)):
            inputs = [identity(convert_to_tensor(x)) for x in tensors]
            with variable_scope(scope, reuse=True):
                results = flatten(f(*inputs, **kwargs))
        sources = list(variables or [])
        found = gradients(results, [*inputs, *sources], list(dys))
        return (found[: len(inputs)], found[len(inputs) :]) if sources else found

    return gradient


def grad_pass_through(f: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a function so that the gradients of its results become those of its arguments, unchanged."""

    @custom_gradient
    def passing(*args: Any, **kwargs: Any) -> Any:
        def gradient(*dys: Any, variables: Any = None) -> Any:
            return (list(dys), [None] * len(variables)) if variables else list(dys)

        return f(*args, **kwargs), gradient

    return wraps(f)(passing)
