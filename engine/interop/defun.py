"""`tensorflow.python.framework.function.Defun`: functions of tensors with types and a gradient of their own.

TensorFlow keeps such a function in the graph's library and calls it by a node. Here its body is put into the graph where it is
called, under a scope with the function's name; what its gradient is said to be holds all the same.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from ...ops.core.convert import convert_to_tensor
from ...ops.core.dtypes import as_dtype
from ...ops.core.scopes import name_scope
from ...ops.gradients import custom_gradient


class Call(NamedTuple):
    """What a gradient function is told of the call that it differentiates."""

    inputs: list[Any]
    outputs: list[Any]


class Defun:
    """A decorator for functions of tensors.

    Args:
      input_types: the types of the arguments; where none are given, those of the tensors at the call.
      func_name: names the scope of the nodes.
      python_grad_func: takes what was called, which has `inputs` and `outputs`, and one gradient for each output; returns one
        gradient for each input.
      grad_func: a decorated function of the inputs and the outputs' gradients.
      shape_func: takes what was called, returns the outputs' static shapes.

    Raises, when a function is called:
      ValueError: for another number of arguments than there are types.
    """

    def __init__(self, *input_types: Any, **kwargs: Any) -> None:
        self._types = [as_dtype(dtype) for dtype in input_types]
        self._name = kwargs.pop("func_name", None)
        self._grad, self._python_grad = kwargs.pop("grad_func", None), kwargs.pop("python_grad_func", None)
        self._shape = kwargs.pop("shape_func", None)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function that tensors, or what becomes tensors, are given to; it takes `name` too."""

        @functools.wraps(function)
        def defined(*args: Any, **kwargs: Any) -> Any:
            with name_scope(kwargs.pop("name", None), self._name or function.__name__, list(args)):
                return self._shaped(self._differentiable(function), self._tensors(function, args))

        return defined

    def _tensors(self, function: Callable[..., Any], args: tuple[Any, ...]) -> list[Any]:
        if self._types and len(self._types) != len(args):
            raise ValueError(
                f"{self._name or function.__name__} takes {len(self._types)} tensors, as its types say, but got {len(args)}."
            )
        types: list[Any] = self._types or [None] * len(args)
        return [convert_to_tensor(arg, dtype) for arg, dtype in zip(args, types, strict=True)]

    def _differentiable(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if self._grad is None and self._python_grad is None:
            return function

        def with_gradient(*inputs: Any) -> Any:
            made = function(*inputs)

            def gradient(*dys: Any) -> Any:
                if self._grad is not None:
                    return self._grad(*inputs, *dys)
                return self._python_grad(Call(list(inputs), _listed(made)), *dys)

            return made, gradient

        return custom_gradient(with_gradient)

    def _shaped(self, function: Callable[..., Any], inputs: list[Any]) -> Any:
        made = function(*inputs)
        if self._shape is not None:
            for tensor, dims in zip(_listed(made), self._shape(Call(inputs, _listed(made))), strict=True):
                tensor.set_shape(dims)
        return made


def _listed(made: Any) -> list[Any]:
    return list(made) if isinstance(made, list | tuple) else [made]
