"""Gradients by name: those that op declarations hold, and those that programs register.

State: `_registered`, from a name (an op type, or one that `gradient_override_map` or `custom_gradient` uses) to its function,
None where a program declared that there is no gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.node import Operation
from ..core.registry import REGISTRY

GradientFunction = Callable[..., Any]

_registered: dict[str, GradientFunction | None] = {}


def _register(name: str, function: GradientFunction | None) -> None:
    decl = REGISTRY.get(name)
    if name in _registered or decl is not None and (decl.gradient_function is not None or not decl.differentiable):
        raise KeyError(f"Registering two gradient with name '{name}'!")
    _registered[name] = function


class RegisterGradient:
    """Register a gradient function for an op type, or for a name that `gradient_override_map` uses.

    The function takes the Operation and the gradients of its outputs, and returns one gradient (or None) per input.

    Example:
      >>> import millstream as tf
      >>> @tf.RegisterGradient("DoubledInDocs")
      ... def _doubled(op, dy):
      ...     return 2.0 * dy
    """

    def __init__(self, op_type: str) -> None:
        if not isinstance(op_type, str):
            raise TypeError("op_type must be a string")
        self._op_type = op_type

    def __call__(self, f: GradientFunction) -> GradientFunction:
        _register(self._op_type, f)
        return f


def NotDifferentiable(op_type: str) -> None:  # noqa: N802
    """Declare that an op type has no gradient: `gradients` stops there silently."""
    if not isinstance(op_type, str):
        raise TypeError("op_type must be a string")
    _register(op_type, None)


NoGradient = NotDifferentiable


def gradient_function_of(op: Operation) -> tuple[GradientFunction | None, bool]:
    """Return the gradient function of a node (None: gradients stop here) and whether a program registered it.

    Raises:
      LookupError: when the op has no gradient, and nobody said that it needs none.
    """
    name = op.attrs.get("_gradient_op_type", op.type)
    name = name.decode() if isinstance(name, bytes) else name
    if name in _registered:
        return _registered[name], True
    decl = op.decl if name == op.type else REGISTRY.get(name)
    if decl is not None and decl.gradient_function is not None:
        return decl.gradient_function, False
    if decl is not None and not decl.differentiable:
        return None, False
    raise LookupError(f"No gradient defined for operation '{op.name}' (op type: {name}), created at {op.created_at}")
