"""Moving averages: variables that follow other variables or tensors, each step a little.

`average -= (1 - decay) * (average - value)`. An average of a variable starts with that variable's initial value, one of a tensor
with zeros. Invariant: an average sits with its variable, and is called `NAME/ExponentialMovingAverage`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...ops.core import dtypes
from ...ops.core.convert import convert_to_tensor
from ...ops.core.graph import GraphKeys, get_default_graph
from ...ops.core.node import Operation
from ...ops.core.scopes import name_scope
from ...ops.math import cast, minimum
from ...ops.math import pow as power
from ...ops.state import group
from ...ops.state.public import assign, assign_add, assign_sub
from ...ops.variables import Variable, global_variables, moving_average_variables, trainable_variables
from ...ops.variables.initializers import Zeros
from ...ops.variables.scope import get_variable, variable_scope
from .slots import create_slot, create_zeros_slot, is_resource

_VALID = (dtypes.float16, dtypes.float32, dtypes.float64, dtypes.bfloat16)


def assign_moving_average(
    variable: Any, value: Any, decay: Any, zero_debias: bool = True, name: str | None = None
) -> Any:
    """Return a node that moves `variable` towards `value`: by the part `1 - decay` of what is between them.

    With `zero_debias` the variable becomes what the average would be had it not started at zero; two more variables beside
    it, `biased` and `local_step`, keep the count.
    """
    given = [t for t in (value, decay) if hasattr(t, "op")]
    with name_scope(name, "AssignMovingAvg", given) as scope, get_default_graph().colocate_with(variable):
        dtype = variable.dtype.base_dtype
        part: Any = 1.0 - convert_to_tensor(decay)
        if part.dtype.base_dtype is not dtype:
            part = cast(part, dtype)
        if zero_debias:
            return assign(variable, _unbiased(variable, value, part), name=scope)
        return assign_sub(variable, (variable - value) * part, name=scope)


def _unbiased(variable: Any, value: Any, part: Any) -> Any:
    """Return the average that counts only what it has seen, and the two variables that keep it up to date."""
    dtype = variable.dtype.base_dtype
    options = {"initializer": Zeros(), "trainable": False, "use_resource": is_resource(variable), "dtype": dtype}
    with get_default_graph().control_dependencies(None), variable_scope(variable.op.name, auxiliary_name_scope=False):
        biased = get_variable("biased", shape=variable.shape, **options)
        count = get_variable("local_step", shape=[], **options)
    moved = convert_to_tensor(assign_sub(biased, (biased - value) * part))
    steps = convert_to_tensor(assign_add(count, convert_to_tensor(1.0, dtype)))
    return moved / (1 - power(1.0 - part, steps))


class ExponentialMovingAverage:
    """Keeps averages of variables and tensors.

    Args:
      decay: how much of the average stays in a step, near 1.
      num_updates: a count that lowers the decay at first, to `(1 + n) / (10 + n)`.
      zero_debias: correct averages of tensors for their start at zero.
      name: of the averages' nodes.

    Example:
      >>> import millstream as tf
      >>> with tf.Graph().as_default(), tf.Session() as session:
      ...     v = tf.Variable(0.0)
      ...     ema = tf.train.ExponentialMovingAverage(0.9)
      ...     follow = ema.apply([v])
      ...     session.run(tf.global_variables_initializer())
      ...     _ = session.run(v.assign(1.0)), session.run(follow)
      ...     print(round(float(session.run(ema.average(v))), 6))
      0.1
    """

    def __init__(
        self, decay: Any, num_updates: Any = None, zero_debias: bool = False, name: str = "ExponentialMovingAverage"
    ) -> None:
        self._decay = decay
        self._num_updates = num_updates
        self._zero_debias = zero_debias
        self._name = name
        self._averages: dict[Any, Any] = {}

    @property
    def name(self) -> str:
        """The name of the averages' nodes."""
        return self._name

    def apply(self, var_list: Any = None) -> Operation:
        """Return an operation that moves the averages of variables or tensors (default: the trainable variables).

        Raises:
          TypeError: when one is not of a floating type.
        """
        watched = trainable_variables() if var_list is None else list(var_list)
        for variable in watched:
            if variable.dtype.base_dtype not in _VALID:
                raise TypeError(f"The variables must be half, float, or double: {variable.name}")
            if variable not in self._averages:
                self._averages[variable] = self._made(variable)
        graph = get_default_graph()
        with graph.name_scope(self._name) as scope:
            decay: Any = convert_to_tensor(self._decay, name="decay")
            if self._num_updates is not None:
                count: Any = cast(self._num_updates, "float32", name="num_updates")
                decay = minimum(decay, (1.0 + count) / (10.0 + count))
            updates = [
                assign_moving_average(
                    self._averages[v], v, decay, zero_debias=self._zero_debias and not isinstance(v, Variable)
                )
                for v in watched
            ]
            return group(*updates, name=scope)

    def _made(self, watched: Any) -> Any:
        graph = get_default_graph()
        with graph.control_dependencies(None):
            if isinstance(watched, Variable):
                average = create_slot(watched, watched.initialized_value(), self._name)
                graph.add_to_collection(GraphKeys.MOVING_AVERAGE_VARIABLES, watched)
                return average
            return create_zeros_slot(watched, self._name)

    def average(self, var: Any) -> Any:
        """Return the variable that holds the average of `var`, None when there is none."""
        return self._averages.get(var)

    def average_name(self, var: Any) -> str:
        """Return the name of the variable that holds, or would hold, the average of `var`."""
        if var in self._averages:
            return self._averages[var].op.name  # type: ignore[no-any-return]
        return get_default_graph().unique_name(f"{var.op.name}/{self._name}", mark_as_used=False)

    def variables_to_restore(self, moving_avg_variables: Iterable[Any] | None = None) -> dict[str, Any]:
        """Return variables by the names to restore them from: averaged ones by their averages' names, the others by their own.

        Args:
          moving_avg_variables: what has averages; the trainable and the averaged variables by default.
        """
        if moving_avg_variables is None:
            moving_avg_variables = trainable_variables() + moving_average_variables()
        averaged = list(dict.fromkeys(moving_avg_variables))
        found = {self.average_name(v): v for v in averaged}
        names = {v.name for v in averaged}
        for variable in global_variables():
            if variable.name not in names and variable.op.name not in found:
                found[variable.op.name] = variable
        return found
