"""Model variables, and finding variables: `tf.contrib.framework`'s functions about them."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from ...ops.array.placeholders import placeholder
from ...ops.core.graph import GraphKeys, get_default_graph
from ...ops.core.scopes import device as device_scope
from ...ops.state import group
from ...ops.variables import Variable
from ...ops.variables.scope import VariableScope, get_variable, get_variable_scope
from .arg_scope import add_arg_scope

_make: Any = Variable


@add_arg_scope
def variable(
    name: str, shape: Any = None, dtype: Any = None, initializer: Any = None, regularizer: Any = None, trainable: bool = True,
    collections: Any = None, caching_device: Any = None, device: Any = None, partitioner: Any = None,
    custom_getter: Any = None, use_resource: bool | None = None, synchronization: Any = None, aggregation: Any = None,
) -> Any:  # fmt: skip
    """Return `get_variable(name, …)`, made on a device and in more collections."""
    kept = list(dict.fromkeys([GraphKeys.GLOBAL_VARIABLES] if collections is None else collections))
    getter: Callable[..., Any] = get_variable
    if custom_getter is not None:
        getter = functools.partial(custom_getter, reuse=get_variable_scope().reuse)
    with device_scope(device or ""):
        return getter(
            name, shape=shape, dtype=dtype, initializer=initializer, regularizer=regularizer, trainable=trainable,
            collections=kept, caching_device=caching_device, partitioner=partitioner, use_resource=use_resource,
            synchronization=synchronization, aggregation=aggregation,
        )  # fmt: skip


@add_arg_scope
def model_variable(
    name: str, shape: Any = None, dtype: Any = "float32", initializer: Any = None, regularizer: Any = None,
    trainable: bool = True, collections: Any = None, caching_device: Any = None, device: Any = None, partitioner: Any = None,
    custom_getter: Any = None, use_resource: bool | None = None, synchronization: Any = None, aggregation: Any = None,
) -> Any:  # fmt: skip
    """Return a variable of the model: one that is also in MODEL_VARIABLES."""
    kept = [*(collections or []), GraphKeys.GLOBAL_VARIABLES, GraphKeys.MODEL_VARIABLES]
    return variable(
        name, shape=shape, dtype=dtype, initializer=initializer, regularizer=regularizer, trainable=trainable,
        collections=kept, caching_device=caching_device, device=device, partitioner=partitioner,
        custom_getter=custom_getter, use_resource=use_resource, synchronization=synchronization, aggregation=aggregation,
    )  # fmt: skip


def local_variable(
    initial_value: Any, validate_shape: bool = True, name: str | None = None, use_resource: bool | None = None
) -> Any:
    """Return a variable that is not trained and not saved."""
    return _make(
        initial_value, trainable=False, collections=[GraphKeys.LOCAL_VARIABLES], validate_shape=validate_shape,
        use_resource=use_resource, name=name,
    )  # fmt: skip


def global_variable(
    initial_value: Any, validate_shape: bool = True, name: str | None = None, use_resource: bool | None = None
) -> Any:
    """Return a variable that is saved but not trained."""
    return _make(
        initial_value, trainable=False, collections=[GraphKeys.GLOBAL_VARIABLES], validate_shape=validate_shape,
        use_resource=use_resource, name=name,
    )  # fmt: skip


def add_model_variable(var: Any) -> None:
    """Put a variable into MODEL_VARIABLES."""
    if var not in get_default_graph().get_collection(GraphKeys.MODEL_VARIABLES):
        get_default_graph().add_to_collection(GraphKeys.MODEL_VARIABLES, var)


def get_variables(
    scope: Any = None, suffix: str | None = None, collection: str = GraphKeys.GLOBAL_VARIABLES
) -> list[Any]:
    """Return the variables of a collection in a scope (a name or a VariableScope) whose names end with `suffix`."""
    name = scope.name if isinstance(scope, VariableScope) else scope
    pattern = None if name is None else name if suffix is None else f"{name}.*"
    found = get_default_graph().get_collection(collection, pattern)
    return found if suffix is None else [v for v in found if v.op.name.endswith(suffix)]


def get_model_variables(scope: Any = None, suffix: str | None = None) -> list[Any]:
    """Return the model variables in a scope whose names end with `suffix`."""
    return get_variables(scope, suffix, GraphKeys.MODEL_VARIABLES)


def get_local_variables(scope: Any = None, suffix: str | None = None) -> list[Any]:
    """Return the local variables in a scope whose names end with `suffix`."""
    return get_variables(scope, suffix, GraphKeys.LOCAL_VARIABLES)


def get_trainable_variables(scope: Any = None, suffix: str | None = None) -> list[Any]:
    """Return the trainable variables in a scope whose names end with `suffix`."""
    return get_variables(scope, suffix, GraphKeys.TRAINABLE_VARIABLES)


def get_variables_by_suffix(suffix: str, scope: Any = None) -> list[Any]:
    """Return the variables in a scope whose names end with `suffix`."""
    return get_variables(scope=scope, suffix=suffix)


def get_variables_by_name(given_name: str, scope: Any = None) -> list[Any]:
    """Return the variables in a scope whose last name is `given_name`."""
    return [v for v in get_variables(scope) if v.op.name.split("/")[-1] == given_name]


def get_unique_variable(var_op_name: str) -> Any:
    """Return the one variable of this name.

    Raises:
      ValueError: when there is none, or more than one.
    """
    candidates = [v for v in get_variables(scope=var_op_name) if v.op.name == var_op_name]
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        raise ValueError(f"Variable {var_op_name} does not uniquely identify a variable")
    raise ValueError(f"Couldn't find variable {var_op_name}")


def get_variable_full_name(var: Any) -> str:
    """Return the name that checkpoints know a variable by: that of the whole for a part."""
    info = var._get_save_slice_info()
    return info.full_name if info is not None else var.op.name  # type: ignore[no-any-return]


def get_variables_to_restore(include: Any = None, exclude: Any = None) -> list[Any]:
    """Return the variables in the scopes `include` (None: all) that are in none of the scopes `exclude`.

    Raises:
      TypeError: when these are no lists.
    """
    for words, scopes in (("include", include), ("exclude", exclude)):
        if scopes is not None and not isinstance(scopes, list | tuple):
            raise TypeError(f"{words} is provided but is not a list or a tuple.")
    found = get_variables() if include is None else [v for scope in include for v in get_variables(scope)]
    left_out = {v for scope in exclude or () for v in get_variables(scope)}
    return [v for v in found if v not in left_out]


def filter_variables(
    var_list: Any, include_patterns: Any = None, exclude_patterns: Any = None, reg_search: bool = True
) -> list[Any]:
    """Return the variables whose names match one of the patterns and none of the excluding ones."""
    match = re.search if reg_search else re.match
    found = list(var_list)
    if include_patterns is not None:
        found = [v for v in found if any(match(p, v.op.name) for p in include_patterns)]
    if exclude_patterns is not None:
        found = [v for v in found if not any(match(p, v.op.name) for p in exclude_patterns)]
    return found


def assign_from_values(var_names_to_values: dict[str, Any]) -> tuple[Any, dict[Any, Any]]:
    """Return an operation that gives variables values, and the dict to feed it with.

    Raises:
      ValueError: when a name stands for no variable, or a value has another size.
    """
    feeds, updates = {}, []
    for name, value in var_names_to_values.items():
        target = get_unique_variable(name)
        array = np.asarray(value)
        if array.size != target.shape.num_elements():
            raise ValueError(
                f"Total size of new array must be unchanged for {name} lh_shape: [{target.shape}], rh_shape: [{array.shape}]"
            )
        fed = placeholder(target.dtype.base_dtype, target.shape.as_list())
        feeds[fed] = array.reshape(target.shape.as_list())
        updates.append(target.assign(fed).op)
    return group(*updates), feeds


def assign_from_values_fn(var_names_to_values: dict[str, Any]) -> Callable[[Any], None]:
    """Return a function of a session that gives variables values."""
    operation, feeds = assign_from_values(var_names_to_values)

    def assign(session: Any) -> None:
        session.run(operation, feeds)

    return assign
