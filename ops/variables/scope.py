"""Variable scopes: names, sharing and defaults for the variables that `get_variable` makes inside them.

A scope also opens a name scope, but variables are named after variable scopes alone. State per thread and graph: the
current scope and how often each scope was opened (which makes default names unique).
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

from ..core.build import graph_of
from ..core.dtypes import float32
from ..core.graph import GraphKeys, get_default_graph
from .distribution import VariableAggregation, VariableSynchronization
from .store import AUTO_REUSE, ReuseMode, check_dtype, default_store

_KEY = ("__varscope",)
_DEFAULTS = ("initializer", "regularizer", "caching_device", "partitioner", "dtype", "use_resource", "constraint")


class VariableScope:
    """What `get_variable` needs to know of the scope it is called in: a name, whether to share, and defaults."""

    def __init__(
        self, reuse: Any, name: str = "", initializer: Any = None, regularizer: Any = None, caching_device: Any = None,
        partitioner: Any = None, custom_getter: Any = None, name_scope: str = "", dtype: Any = float32,
        use_resource: bool | None = None, constraint: Any = None,
    ) -> None:  # fmt: skip
        self._name = name
        self._reuse = reuse
        self._custom_getter = custom_getter
        self._name_scope = name_scope
        self.initializer = initializer
        self.regularizer = regularizer
        self.caching_device = caching_device
        self.partitioner = partitioner
        self.dtype = dtype
        self.use_resource = use_resource
        self.constraint = constraint

    @property
    def name(self) -> str:
        """The scope's name, the prefix of its variables' names."""
        return self._name

    @property
    def original_name_scope(self) -> str:
        """The name scope that the scope opened when it was entered by its name."""
        return self._name_scope

    @property
    def reuse(self) -> Any:
        """Whether variables are found, made, or either."""
        return self._reuse

    @property
    def custom_getter(self) -> Any:
        """The function that stands around the making of variables, or None."""
        return self._custom_getter

    def reuse_variables(self) -> None:
        """Share variables from here on."""
        self._reuse = True

    def set_initializer(self, initializer: Any) -> None:
        """Set the default initialiser of variables made in the scope."""
        self.initializer = initializer

    def set_regularizer(self, regularizer: Any) -> None:
        """Set the default regulariser of variables made in the scope."""
        self.regularizer = regularizer

    def set_caching_device(self, caching_device: Any) -> None:
        """Set the default caching device of variables made in the scope."""
        self.caching_device = caching_device

    def set_partitioner(self, partitioner: Any) -> None:
        """Set the default partitioner of variables made in the scope."""
        self.partitioner = partitioner

    def set_dtype(self, dtype: Any) -> None:
        """Set the default element type of variables made in the scope."""
        self.dtype = dtype

    def set_use_resource(self, use_resource: bool) -> None:
        """Choose resource or ref variables for the scope."""
        self.use_resource = use_resource

    def set_custom_getter(self, custom_getter: Any) -> None:
        """Set the default getter of variables made in the scope."""
        self._custom_getter = custom_getter

    def get_collection(self, name: str) -> list[Any]:
        """Return the items of a collection whose names are in this scope."""
        return get_default_graph().get_collection(name, f"{self._name}/" if self._name else "")

    def trainable_variables(self) -> list[Any]:
        """Return the trainable variables of the scope."""
        return self.get_collection(GraphKeys.TRAINABLE_VARIABLES)

    def global_variables(self) -> list[Any]:
        """Return the global variables of the scope."""
        return self.get_collection(GraphKeys.GLOBAL_VARIABLES)

    def local_variables(self) -> list[Any]:
        """Return the local variables of the scope."""
        return self.get_collection(GraphKeys.LOCAL_VARIABLES)

    def get_variable(
        self,
        name: str,
        *,
        reuse: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        custom_getter: Any = None,
        **arguments: Any,
    ) -> Any:
        """Return the variable `name` of this scope, with the scope's defaults for what is not given."""
        given = {**arguments, "initializer": initializer, "dtype": dtype}
        filled = {key: getattr(self, key) if given.get(key) is None else given[key] for key in _DEFAULTS}
        full_name = f"{self._name}/{name}" if self._name else name
        with get_default_graph().name_scope(None):
            check_dtype(initializer, dtype)
            return default_store().get_variable(
                full_name, custom_getter=custom_getter or self._custom_getter, **{**given, **filled},
                reuse=self._reuse if reuse is None else reuse,
            )  # fmt: skip

    def derived(
        self, name: str, reuse: Any, name_scope: str, defaults: dict[str, Any], custom_getter: Any
    ) -> VariableScope:
        """Return a scope with this one's defaults, save those that are given."""
        merged = {key: getattr(self, key) if defaults.get(key) is None else defaults[key] for key in _DEFAULTS}
        getter = _wrapped(custom_getter, self._custom_getter)
        return VariableScope(reuse, name, custom_getter=getter, name_scope=name_scope, **merged)


def _wrapped(inner: Any, outer: Any) -> Any:
    """Return a getter that lets the scope's own getter call the enclosing scope's."""
    if inner is None or outer is None:
        return inner or outer

    def wrapped(getter: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return inner(functools.partial(outer, getter), *args, **kwargs)

    return wrapped


class _Scopes(threading.local):
    """One graph's scopes, per thread."""

    def __init__(self) -> None:
        self.current = VariableScope(False)
        self.opened: dict[str, int] = {}

    def open(self, name: str) -> None:
        self.opened[name] = self.opened.get(name, 0) + 1

    def close_inner(self, name: str) -> None:
        """Forget the scopes inside `name`, so that entering it again gives the same default names."""
        for inner in self.opened:
            if not name or inner.startswith(f"{name}/"):
                self.opened[inner] = 0

    def unique(self, prefix: str) -> str:
        full = f"{self.current.name}/{prefix}" if self.current.name else prefix
        if not self.opened.get(full):
            return prefix
        index = 1
        while self.opened.get(f"{full}_{index}"):
            index += 1
        return f"{prefix}_{index}"


def _scopes() -> _Scopes:
    found = get_default_graph().get_collection_ref(_KEY)
    if not found:
        found.append(_Scopes())
    return found[0]  # type: ignore[no-any-return]


def get_variable_scope() -> VariableScope:
    """Return the current variable scope."""
    return _scopes().current


@contextmanager
def _entered(
    scope: str | VariableScope, reuse: Any, name_scope: str, defaults: dict[str, Any], getter: Any
) -> Iterator[VariableScope]:
    """Make a variable scope current, without a name scope."""
    scopes = _scopes()
    old = scopes.current
    if isinstance(scope, VariableScope):
        new = scope.derived(scope.name, reuse or scope.reuse, name_scope, defaults, getter)
    else:
        full = f"{old.name}/{scope}" if old.name else scope
        new = old.derived(full, reuse or old.reuse, name_scope, defaults, getter)
    scopes.open(new.name)
    counts = dict(scopes.opened)
    scopes.current = new
    try:
        yield new
    finally:
        if isinstance(scope, VariableScope):
            scopes.opened = counts
        else:
            scopes.close_inner(new.name)
        scopes.current = old


class variable_scope(AbstractContextManager[VariableScope]):
    """Open a variable scope, and a name scope of the same name.

    Args:
      name_or_scope: a name, which extends the current scope, or a VariableScope, which is entered as it is.
      default_name: the name when `name_or_scope` is None, made unique.
      values: tensors whose graph becomes the default one.
      initializer, regularizer, caching_device, partitioner, custom_getter, dtype, use_resource, constraint: defaults
        for `get_variable`.
      reuse: True to share variables, AUTO_REUSE to share those that exist; None or False inherit.
      auxiliary_name_scope: whether to open the name scope.

    Example:
      >>> import millstream as tf
      >>> with tf.Graph().as_default(), tf.variable_scope("layer"):
      ...     print(tf.get_variable("weights", [2, 3]).name)
      layer/weights:0
    """

    def __init__(
        self, name_or_scope: Any, default_name: str | None = None, values: Any = None, initializer: Any = None,
        regularizer: Any = None, caching_device: Any = None, partitioner: Any = None, custom_getter: Any = None,
        reuse: Any = None, dtype: Any = None, use_resource: bool | None = None, constraint: Any = None,
        auxiliary_name_scope: bool = True,
    ) -> None:  # fmt: skip
        if default_name is None and name_or_scope is None:
            raise TypeError("If default_name is None then name_or_scope is required")
        if not (reuse is None or isinstance(reuse, bool | ReuseMode)):
            raise ValueError("The reuse parameter must be True or False or None.")
        if name_or_scope is not None and not isinstance(name_or_scope, str | VariableScope):
            raise TypeError("VariableScope: name_or_scope must be a string or VariableScope.")
        if name_or_scope is None and reuse:
            raise ValueError("reuse=True cannot be used without a name_or_scope")
        self._name_or_scope = name_or_scope
        self._default_name = default_name
        self._values = list(values) if values is not None else []
        self._reuse = reuse or None
        self._getter = custom_getter
        self._auxiliary = auxiliary_name_scope
        self._defaults = {
            "initializer": initializer, "regularizer": regularizer, "caching_device": caching_device, "partitioner": partitioner,
            "dtype": dtype, "use_resource": use_resource, "constraint": constraint,
        }  # fmt: skip
        self._stack: ExitStack | None = None

    def __enter__(self) -> VariableScope:
        with ExitStack() as stack:
            graph = graph_of(self._values)
            if graph is not get_default_graph():
                stack.enter_context(graph.as_default())
            found = self._enter(stack)
            self._stack = stack.pop_all()
        return found

    def _enter(self, stack: ExitStack) -> VariableScope:
        target = self._name_or_scope
        name = (
            self._default_name if target is None else target if isinstance(target, str) else target.name.split("/")[-1]
        )
        name_scope = stack.enter_context(self._name_scope(name)) if name or not self._auxiliary else ""
        if target is None:
            target = _scopes().unique(self._default_name or "")
        elif isinstance(target, VariableScope):
            name_scope = target.original_name_scope
        return stack.enter_context(_entered(target, self._reuse, name_scope, self._defaults, self._getter))

    def _name_scope(self, name: str | None) -> AbstractContextManager[str]:
        graph = get_default_graph()
        if self._auxiliary:
            return graph.name_scope(name)
        current = graph.current_name_scope
        return graph.name_scope(f"{current}/" if current else None)

    def __exit__(self, *details: Any) -> None:
        assert self._stack is not None
        self._stack.__exit__(*details)


def variable_op_scope(
    values: Any, name_or_scope: Any, default_name: str | None = None, initializer: Any = None, regularizer: Any = None,
    caching_device: Any = None, partitioner: Any = None, custom_getter: Any = None, reuse: Any = None, dtype: Any = None,
    use_resource: bool | None = None, constraint: Any = None,
) -> variable_scope:  # fmt: skip
    """Open a variable scope; the older order of arguments."""
    return variable_scope(
        name_or_scope, default_name, values, initializer, regularizer, caching_device, partitioner, custom_getter, reuse,
        dtype, use_resource, constraint,
    )  # fmt: skip


def get_variable(
    name: str, shape: Any = None, dtype: Any = None, initializer: Any = None, regularizer: Any = None,
    trainable: bool | None = None, collections: Any = None, caching_device: Any = None, partitioner: Any = None,
    validate_shape: bool = True, use_resource: bool | None = None, custom_getter: Any = None, constraint: Any = None,
    synchronization: Any = VariableSynchronization.AUTO, aggregation: Any = VariableAggregation.NONE,
) -> Any:  # fmt: skip
    """Return the variable `name` of the current variable scope, made anew or shared as the scope's `reuse` says.

    Args:
      name: the name inside the scope.
      shape: a fully known shape; not needed with a constant initialiser.
      dtype: its type, float32 by default.
      initializer: an Initializer, a function without arguments, or a value; Glorot's uniform one by default.
      regularizer: a function from the variable to a loss, which goes into the collection REGULARIZATION_LOSSES.

    Raises:
      ValueError: when the name is taken and not shared, or shared with another shape or dtype, or missing under reuse=True.
    """
    return get_variable_scope().get_variable(
        name, shape=shape, dtype=dtype, initializer=initializer, regularizer=regularizer, trainable=trainable,
        collections=collections, caching_device=caching_device, partitioner=partitioner,
        validate_shape=validate_shape, use_resource=use_resource,
        custom_getter=custom_getter, constraint=constraint, synchronization=synchronization, aggregation=aggregation,
    )  # fmt: skip


def get_local_variable(
    name: str, shape: Any = None, dtype: Any = None, initializer: Any = None, regularizer: Any = None,
    trainable: bool | None = False, collections: Any = None, caching_device: Any = None, partitioner: Any = None,
    validate_shape: bool = True, use_resource: bool | None = None, custom_getter: Any = None, constraint: Any = None,
    synchronization: Any = VariableSynchronization.AUTO, aggregation: Any = VariableAggregation.NONE,
) -> Any:  # fmt: skip
    """Return a variable that is not trained and not saved: in the collection LOCAL_VARIABLES only."""
    return get_variable(
        name, shape, dtype, initializer, regularizer, trainable, [*(collections or ()), GraphKeys.LOCAL_VARIABLES],
        caching_device, partitioner, validate_shape, use_resource, custom_getter, constraint, synchronization, aggregation,
    )  # fmt: skip


def no_regularizer(_: Any) -> None:
    """Stand for the absence of a regulariser where a scope would give one."""
    return None


__all__ = [
    "AUTO_REUSE", "VariableScope", "get_local_variable", "get_variable", "get_variable_scope", "no_regularizer",
    "variable_op_scope", "variable_scope",
]  # fmt: skip
