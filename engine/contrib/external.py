"""`tf.contrib.opt.ScipyOptimizerInterface`: variables trained by SciPy's optimisers, a call of `minimize` at a time.

SciPy is imported when `minimize` is called; the package does without it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from ...ops.array.placeholders import placeholder
from ...ops.core.convert import convert_to_tensor
from ...ops.core.graph import get_default_graph
from ...ops.gradients.gradients import gradients
from ...ops.math import cast
from ...ops.state import group
from ...ops.variables import trainable_variables

Array = Any


class ExternalOptimizerInterface:
    """The base of optimisers outside of the graph: they see variables as one vector, and a loss with its gradient.

    Args:
      loss: a scalar tensor.
      var_list: the variables; the trainable ones by default.
      equalities, inequalities: tensors that shall be 0, and at least 0.
      var_to_bounds: (lower, upper) by variable, which broadcast to its shape.
      optimizer_kwargs: for the optimiser; `options` of SciPy's is a dict.
    """

    def __init__(
        self, loss: Any, var_list: Any = None, equalities: Any = None, inequalities: Any = None, var_to_bounds: Any = None,
        **optimizer_kwargs: Any,
    ) -> None:  # fmt: skip
        self._loss = loss
        self._equalities, self._inequalities = list(equalities or []), list(inequalities or [])
        self._vars = trainable_variables() if var_list is None else list(var_list)
        self._packed_bounds = None if var_to_bounds is None else self._bounds(var_to_bounds)
        self._optimizer_kwargs = optimizer_kwargs
        self._feeds = [placeholder(v.dtype.base_dtype, v.shape.as_list()) for v in self._vars]
        self._assign = group(*(v.assign(f).op for v, f in zip(self._vars, self._feeds, strict=True)))
        self._gradients = self._slopes(loss)
        self._constraints = [(t, self._slopes(t)) for t in (*self._equalities, *self._inequalities)]

    def _slopes(self, tensor: Any) -> list[Any]:
        found = gradients(tensor, [v._to_tensor(as_ref=True) for v in self._vars])
        return [
            cast(np.zeros(v.shape.as_list(), "f4"), v.dtype.base_dtype) if g is None else convert_to_tensor(g)
            for g, v in zip(found, self._vars, strict=True)
        ]

    def _bounds(self, given: dict[Any, Any]) -> list[tuple[float, float]]:
        packed = []
        for variable in self._vars:
            sizes = variable.shape.as_list()
            lower, upper = given.get(variable, (-np.inf, np.inf))
            pairs = np.broadcast_to(lower, sizes).ravel(), np.broadcast_to(upper, sizes).ravel()
            packed += list(zip(*pairs, strict=True))
        return packed

    def _pack(self, values: Any) -> Array:
        return np.concatenate([np.ravel(value) for value in values]).astype(np.float64)

    def _unpack(self, vector: Array) -> dict[Any, Any]:
        """Return what to feed so that the variables are what a vector says."""
        sizes = [int(np.prod(v.shape.as_list())) for v in self._vars]
        parts = np.split(vector, np.cumsum(sizes)[:-1])
        return {
            feed: part.reshape(v.shape.as_list()).astype(v.dtype.base_dtype.as_numpy_dtype)
            for feed, part, v in zip(self._feeds, parts, self._vars, strict=True)
        }

    def minimize(
        self, session: Any = None, feed_dict: Any = None, fetches: Any = None, step_callback: Any = None,
        loss_callback: Callable[..., Any] | None = None, **run_kwargs: Any,
    ) -> None:  # fmt: skip
        """Give the variables the values that minimise the loss, from those that they have in a session.

        Args:
          session: the default session by default.
          feed_dict: fed in every evaluation.
          fetches, loss_callback: each evaluation calls `loss_callback` with the values of `fetches`.
          step_callback: called with the vector after each step.
        """
        session = get_default_graph().session_for("minimize", session)
        wanted = list(fetches or [])

        def evaluate(tensor: Any, slopes: list[Any], vector: Array, report: bool) -> tuple[Any, Array]:
            session.run(self._assign, self._unpack(vector))
            found = session.run([tensor, slopes, wanted if report else []], feed_dict, **run_kwargs)
            if report and loss_callback is not None:
                loss_callback(*found[2])
            return found[0], self._pack(found[1])

        def of(tensor: Any, slopes: list[Any]) -> tuple[Any, Any]:
            return (
                lambda x: np.float64(evaluate(tensor, slopes, x, False)[0]), lambda x: evaluate(tensor, slopes, x, False)[1]
            )  # fmt: skip

        count = len(self._equalities)
        constraints = [of(*pair) for pair in self._constraints]
        result = self._minimize(
            initial_val=self._pack(session.run(self._vars)),
            loss_grad_func=lambda x: evaluate(self._loss, self._gradients, x, True),
            equality=constraints[:count], inequality=constraints[count:], step_callback=step_callback,
        )  # fmt: skip
        session.run(self._assign, self._unpack(result))

    def _minimize(
        self, initial_val: Array, loss_grad_func: Any, equality: list[Any], inequality: list[Any], step_callback: Any
    ) -> Array:
        """Return the vector that minimises; derived classes say how."""
        raise NotImplementedError(f"{type(self).__name__} has no `_minimize`")


class ScipyOptimizerInterface(ExternalOptimizerInterface):
    """Minimises by `scipy.optimize.minimize`: L-BFGS-B, or SLSQP with constraints, unless `method` says otherwise.

    Example:
      >>> import millstream as tf
      >>> with tf.Graph().as_default(), tf.Session() as session:
      ...     v = tf.Variable([7.0, 3.0])
      ...     optimizer = tf.contrib.opt.ScipyOptimizerInterface(tf.reduce_sum(tf.square(v - 1.0)))
      ...     session.run(tf.global_variables_initializer())
      ...     optimizer.minimize(session)
      ...     print(session.run(v).round(3).tolist())
      [1.0, 1.0]
    """

    def _minimize(
        self, initial_val: Array, loss_grad_func: Any, equality: list[Any], inequality: list[Any], step_callback: Any
    ) -> Array:
        scipy_optimize = importlib.import_module("scipy.optimize")
        options = {"method": "SLSQP" if equality or inequality else "L-BFGS-B", **self._optimizer_kwargs}
        constraints = [
            {"type": kind, "fun": function, "jac": slope}
            for kind, pairs in (("eq", equality), ("ineq", inequality)) for function, slope in pairs
        ]  # fmt: skip
        if constraints:
            options["constraints"] = constraints
        if self._packed_bounds is not None:
            options["bounds"] = self._packed_bounds
        if step_callback is not None:
            options["callback"] = step_callback
        found = scipy_optimize.minimize(
            lambda x: tuple(np.asarray(v, np.float64) for v in loss_grad_func(x)), initial_val, jac=True, **options
        )
        return found.x
