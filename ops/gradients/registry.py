"""Gradient functions by name: those of op declarations, and those that programs register.

A node's gradient is looked up under its `_gradient_op_type` attribute when it has one (set by `gradient_override_map` and
`custom_gradient`), else under its op type. Invariant: a name is registered once, whether with a function or as having none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.node import Operation
from ..core.registry import REGISTRY, GradientFunction

OVERRIDE = "_gradient_op_type"

_registered: dict[str, GradientFunction | None] = {}


def _has_gradient(name: str) -> bool:
    decl = REGISTRY.get(name)
    declared = decl is not None and (decl.gradient_function is not None or not decl.differentiable)
    return declared or name in _registered


def register(name: str, function: GradientFunction | None) -> None:
    """Make `function` (None: no gradient) the gradient of the op type or override `name`; KeyError when it has one."""
    if _has_gradient(name):
        raise KeyError(f"Registering two gradient with name '{name}'! A gradient is already registered under this name")
    _registered[name] = function


class RegisterGradient:
    """A decorator that registers the gradient function of an op type, or one for `gradient_override_map`.

    The function takes the Operation and one gradient per output, and returns one gradient (or None) per input.

    Example:
      >>> import millstream as tf
      >>> @tf.RegisterGradient("ClippedIdentity")
      ... def clipped(op, grad):
      ...     return tf.clip_by_value(grad, -1.0, 1.0)
    """

    def __init__(self, op_type: str) -> None:
        if not isinstance(op_type, str):
            raise TypeError("op_type must be a string")
        self._op_type = op_type

    def __call__(self, f: GradientFunction) -> GradientFunction:
        register(self._op_type, f)
        return f


def NotDifferentiable(op_type: str) -> None:
    """Declare that ops of the type `op_type` have no gradient: gradients stop there without an error."""
    if not isinstance(op_type, str):
        raise TypeError("op_type must be a string")
    register(op_type, None)


NoGradient = NotDifferentiable


def gradient_function(op: Operation) -> GradientFunction | None:
    """Return the gradient function of a node, or None where gradients stop.

    Raises:
      LookupError: when nobody has said what the gradient is.
    """
    if not op.inputs and not op.regions:
        return None
    name = op.attrs.get(OVERRIDE, op.type)
    if name in _registered:
        return _registered[name]
    decl = REGISTRY.get(name)
    if decl is not None and decl.gradient_function is not None:
        return decl.gradient_function
    if decl is not None and not decl.differentiable:
        return None
    raise LookupError(f"gradient registry has no entry for: {name}")


RegionGradient = Callable[[Operation, list[Any], list[Any]], tuple[list[Any], list[Any]]]
_region_gradients: dict[str, RegionGradient] = {}


def region_gradient(*op_types: str) -> Callable[[RegionGradient], RegionGradient]:
    """Attach the gradient of op types that own regions.

    It takes the node, the gradients of its outputs (None where there is none) and the tensors that its regions capture,
    and returns the gradients of its inputs and those of the captured tensors.
    """

    def attach(function: RegionGradient) -> RegionGradient:
        _region_gradients.update(dict.fromkeys(op_types, function))
        return function

    return attach


def region_gradient_of(op: Operation) -> RegionGradient:
    """Return the function attached for the node's type; LookupError when there is none."""
    return _region_gradients[op.type]
