"""`custom_gradient`: a function that brings its own gradient.

The function's results pass through an IdentityN node that carries the name of a gradient registered for this one call; the
node's further inputs are the function's arguments and the variables it read, so that the gradient can flow to them.
"""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable
from typing import Any

from ..array.identity import identity, identity_n
from ..core.convert import convert_to_tensor
from ..core.graph import Graph, GraphKeys, get_default_graph
from ..core.node import Operation, Tensor
from ..flow.structure import flatten, pack
from .registry import register

_serial = itertools.count()


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a function that returns (results, gradient function).

    The gradient function takes one gradient per result and returns one per argument. Where `f` reads trainable resource
    variables it also takes `variables=` and returns (gradients of arguments, gradients of variables).

    Raises, when called:
      ValueError: for keyword arguments. TypeError: when variables are read and the gradient function takes none.

    Example:
      >>> import millstream as tf
      >>> @tf.custom_gradient
      ... def clip_gradient(x):
      ...     return tf.identity(x), lambda dy: tf.clip_by_value(dy, -1.0, 1.0)
    """

    @functools.wraps(f)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            raise ValueError(
                "The custom_gradient decorator currently supports keywords arguments only when eager execution is enabled."
            )
        return _call(f, args)

    return decorated


def _call(f: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    graph = get_default_graph()
    name = f"CustomGradient-{next(_serial)}"
    with graph.name_scope(name):
        inputs = [identity(convert_to_tensor(leaf)) for leaf in flatten(list(args))]
        first = len(graph.get_operations())
        results, gradient = f(*pack(list(args), inputs))
        variables = _variables_read(graph, first)
        if variables and not _takes_variables(gradient):
            raise TypeError(
                "If using @custom_gradient with a function that uses variables, then grad_fn must accept a 'variables' "
                "keyword argument."
            )
        outputs = [convert_to_tensor(leaf) for leaf in flatten(results)]
        handles = [variable.handle for variable in variables]
        register(name, _gradient_of(gradient, len(outputs), inputs, variables))
        with graph.gradient_override_map({"IdentityN": name}):
            made = identity_n([*outputs, *inputs, *handles])
    return pack(results, made[: len(outputs)])


def _takes_variables(gradient: Callable[..., Any]) -> bool:
    parameters = inspect.signature(gradient).parameters
    return "variables" in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def _variables_read(graph: Graph, first: int) -> list[Any]:
    """Return the trainable resource variables whose handles the nodes from number `first` on use."""
    used = {tensor for op in graph.get_operations()[first:] for tensor in op.inputs}
    known = graph.get_collection(GraphKeys.TRAINABLE_VARIABLES)
    return [variable for variable in known if getattr(variable, "handle", None) in used]


def _gradient_of(
    gradient: Callable[..., Any], count: int, inputs: list[Tensor], variables: list[Any]
) -> Callable[..., list[Any]]:
    def differentiate(op: Operation, *grads: Any) -> list[Any]:
        given = grads[:count]
        if variables:
            found, of_variables = gradient(*given, variables=variables)
        else:
            found, of_variables = gradient(*given), []
        per_input = flatten(found) if isinstance(found, list | tuple | dict) else [found]
        if len(per_input) != len(inputs):
            raise ValueError(
                f"custom_gradient function expected to return {len(inputs)} gradients but returned {len(per_input)} instead."
            )
        if len(of_variables) != len(variables):
            raise ValueError("Must return gradient for each variable from @custom_gradient grad_fn.")
        return [*([None] * count), *per_input, *of_variables]

    return differentiate
