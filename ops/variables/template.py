"""Templates: functions that share the variables they make between their calls; and variables cut by a given slicing."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

from ..core.frames import describe, user_frames
from ..core.graph import GraphKeys, get_default_graph
from .scope import VariableScope, get_variable, variable_scope


class Template:
    """A function in a variable scope of its own, which is opened anew, and shared, by every call.

    State: `_scope`, the captured scope, made by the first call (or at once); `_called`, whether variables are there.
    """

    def __init__(
        self, name: str, func: Callable[..., Any], create_scope_now: bool = False, unique_name: str | None = None,
        custom_getter: Any = None,
    ) -> None:  # fmt: skip
        if name is None:
            raise ValueError("name cannot be None.")
        self._name, self._func, self._unique_name, self._getter = name, func, unique_name, custom_getter
        self._defined = describe(user_frames())
        self._scope: VariableScope | None = None
        self._called = False
        self._lock = threading.Lock()
        if create_scope_now:
            with variable_scope(unique_name, name, custom_getter=custom_getter, auxiliary_name_scope=False) as scope:
                self._scope = scope

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function in the template's scope.

        Raises:
          ValueError: when a later call makes a trainable variable.
        """
        with self._lock:
            again, self._called = self._called, True
        if self._scope is not None:
            with variable_scope(self._scope, reuse=again):
                return self._call(again, args, kwargs)
        with variable_scope(self._unique_name, self._name, custom_getter=self._getter) as scope:
            self._scope = scope
            return self._call(again, args, kwargs)

    def _call(self, again: bool, args: Any, kwargs: Any) -> Any:
        trainable = get_default_graph().get_collection_ref(GraphKeys.TRAINABLE_VARIABLES)
        before = len(trainable)
        try:
            result = self._func(*args, **kwargs)
            if again and len(trainable) > before:
                raise ValueError(
                    "Trainable variable created when calling a template after the first time, perhaps you used tf.Variable "
                    f"when you meant tf.get_variable: {trainable[before:]}"
                )
        except Exception as error:
            # What failed the first time has not made its variables, so the next call is the first again.
            self._called = again
            error.add_note(f"in the template {self._name!r}, defined at {self._defined}")
            raise
        return result

    @property
    def name(self) -> str:
        """The name that the template was given."""
        return self._name

    @property
    def func(self) -> Callable[..., Any]:
        """The function."""
        return self._func

    @property
    def variable_scope(self) -> VariableScope | None:
        """The scope, None before the first call."""
        return self._scope

    var_scope = variable_scope

    @property
    def variable_scope_name(self) -> str | None:
        """The prefix of the names of its variables, None before the first call."""
        return f"{self._scope.name.removesuffix('/')}/" if self._scope is not None and self._scope.name else None

    def _collection(self, key: str) -> list[Any]:
        return self._scope.get_collection(key) if self._scope is not None else []

    @property
    def global_variables(self) -> list[Any]:
        """The global variables of the scope."""
        return self._collection(GraphKeys.GLOBAL_VARIABLES)

    @property
    def local_variables(self) -> list[Any]:
        """The local variables of the scope."""
        return self._collection(GraphKeys.LOCAL_VARIABLES)

    @property
    def variables(self) -> list[Any]:
        """The global and local variables of the scope."""
        return self.global_variables + self.local_variables

    @property
    def trainable_variables(self) -> list[Any]:
        """The trainable variables of the scope."""
        return self._collection(GraphKeys.TRAINABLE_VARIABLES)

    @property
    def non_trainable_variables(self) -> list[Any]:
        """The variables of the scope that are not trainable."""
        trainable = self.trainable_variables
        return [variable for variable in self.variables if variable not in trainable]

    weights = variables
    trainable_weights = trainable_variables
    non_trainable_weights = non_trainable_variables


def make_template(
    name_: str, func_: Callable[..., Any], create_scope_now_: bool = False, unique_name_: str | None = None,
    custom_getter_: Any = None, **kwargs: Any,
) -> Template:  # fmt: skip
    """Return a function that shares the variables that `func_` makes by `get_variable` between its calls.

    Args:
      name_: the variable scope, made unique.
      func_: the function; `kwargs` are given to it in every call.
      create_scope_now_: settle the scope now instead of at the first call.
      unique_name_: the scope's name as it stands, instead of `name_`.
      custom_getter_: of the scope.

    Example:
      >>> import millstream as tf
      >>> def scale(x):
      ...     return x * tf.get_variable("factor", [])
      >>> with tf.Graph().as_default():
      ...     scaled = tf.make_template("scale", scale)
      ...     a, b = scaled(tf.constant(1.0)), scaled(tf.constant(2.0))
      ...     print([v.name for v in tf.trainable_variables()])
      ['scale/factor:0']
    """
    func = functools.partial(func_, **kwargs) if kwargs else func_
    return Template(name_, func, create_scope_now_, unique_name_, custom_getter_)


def create_partitioned_variables(
    shape: Any, slicing: Any, initializer: Any, dtype: Any = "float32", trainable: bool = True, collections: Any = None,
    name: str | None = None, reuse: Any = None,
) -> list[Any]:  # fmt: skip
    """Return the parts of a new variable, cut along one axis into the number of parts that `slicing` has there.

    Raises:
      ValueError: when `slicing` has not one number for each axis, or cuts more than one.
    """
    if len(shape) != len(slicing):
        raise ValueError(
            f"The 'shape' and 'slicing' of a partitioned Variable must have the length: shape: {shape}, slicing: {slicing}"
        )
    if not len(shape):
        raise ValueError(f"A partitioned Variable must have rank at least 1: shape: {shape}")
    with variable_scope(name, "PartitionedVariable", reuse=reuse):
        whole = get_variable(
            "", shape=shape, dtype=dtype, initializer=initializer,
            trainable=trainable, partitioner=lambda **unused: list(slicing), collections=collections,
        )  # fmt: skip
        return list(whole)
