"""Learning rates that fall with the global step: tensors to give to an optimiser.

Each function computes in the learning rate's dtype, in TensorFlow's order.
"""

from __future__ import annotations

import math
from typing import Any

from ...ops.core.convert import convert_to_tensor
from ...ops.core.node import Tensor
from ...ops.core.scopes import name_scope
from ...ops.math import cast, ceil, cos, exp, floor, less_equal, maximum, minimum, where
from ...ops.math import pow as power

__all__ = [
    "cosine_decay", "exponential_decay", "inverse_time_decay", "natural_exp_decay", "piecewise_constant",
    "piecewise_constant_decay", "polynomial_decay",
]  # fmt: skip


def _need_step(global_step: Any, function: str) -> None:
    if global_step is None:
        raise ValueError(f"global_step is required for {function}.")


def _fraction(global_step: Any, decay_steps: Any, rate: Any, staircase: bool) -> Any:
    """Return how many times `decay_steps` have passed, in the rate's dtype."""
    step: Any = cast(global_step, rate.dtype)
    p = step / cast(decay_steps, rate.dtype)
    return floor(p) if staircase else p


def exponential_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Tensor:
    """Return learning_rate * decay_rate ** (global_step / decay_steps); with `staircase` the exponent is rounded down."""
    _need_step(global_step, "exponential_decay")
    with name_scope(name, "ExponentialDecay", [learning_rate, global_step, decay_steps, decay_rate]):
        rate: Any = convert_to_tensor(learning_rate, name="learning_rate")
        decay: Any = cast(decay_rate, rate.dtype)
        return rate * power(decay, _fraction(global_step, decay_steps, rate, staircase))  # type: ignore[no-any-return]


def natural_exp_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Tensor:
    """Return learning_rate * exp(-decay_rate * global_step / decay_steps)."""
    _need_step(global_step, "natural_exp_decay")
    with name_scope(name, "NaturalExpDecay", [learning_rate, global_step, decay_rate]):
        rate: Any = convert_to_tensor(learning_rate, name="learning_rate")
        decay: Any = cast(decay_rate, rate.dtype)
        return rate * exp(-decay * _fraction(global_step, decay_steps, rate, staircase))  # type: ignore[no-any-return]


def inverse_time_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Tensor:
    """Return learning_rate / (1 + decay_rate * global_step / decay_steps)."""
    _need_step(global_step, "inverse_time_decay")
    with name_scope(name, "InverseTimeDecay", [learning_rate, global_step, decay_rate]):
        rate: Any = convert_to_tensor(learning_rate, name="learning_rate")
        decay: Any = cast(decay_rate, rate.dtype)
        return rate / (1 + decay * _fraction(global_step, decay_steps, rate, staircase))  # type: ignore[no-any-return]


def polynomial_decay(
    learning_rate: Any, global_step: Any, decay_steps: Any, end_learning_rate: Any = 0.0001, power: Any = 1.0,
    cycle: bool = False, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return a rate that falls as a polynomial to `end_learning_rate` in `decay_steps` steps.

    With `cycle` the period grows by `decay_steps` each time that the step passes its end.
    """
    _need_step(global_step, "polynomial_decay")
    with name_scope(name, "PolynomialDecay", [learning_rate, global_step, decay_steps, end_learning_rate, power]):
        rate: Any = convert_to_tensor(learning_rate, name="learning_rate")
        dtype = rate.dtype
        end: Any = cast(end_learning_rate, dtype)
        steps: Any = cast(decay_steps, dtype)
        step: Any = cast(global_step, dtype)
        if cycle:
            steps = steps * maximum(ceil(step / steps), cast(1, dtype))
        else:
            step = minimum(step, steps)
        return (rate - end) * _power(1 - step / steps, cast(power, dtype)) + end  # type: ignore[no-any-return]


def _power(base: Any, exponent: Any) -> Any:
    return power(base, exponent)


def cosine_decay(
    learning_rate: Any, global_step: Any, decay_steps: Any, alpha: float = 0.0, name: str | None = None
) -> Tensor:
    """Return a rate that falls along half a cosine to `alpha` times itself in `decay_steps` steps."""
    _need_step(global_step, "cosine_decay")
    with name_scope(name, "CosineDecay", [learning_rate, global_step]):
        rate: Any = convert_to_tensor(learning_rate, name="learning_rate")
        steps: Any = cast(decay_steps, rate.dtype)
        completed: Any = minimum(cast(global_step, rate.dtype), steps) / steps
        wave: Any = cos(math.pi * completed)
        decayed = (1 - alpha) * (0.5 * (1.0 + wave)) + alpha
        return rate * decayed  # type: ignore[no-any-return]


def piecewise_constant(x: Any, boundaries: Any, values: Any, name: str | None = None) -> Tensor:
    """Return values[0] while x <= boundaries[0], values[1] while x <= boundaries[1], …, and the last value after that.

    Raises:
      ValueError: when there is not one value more than boundaries.
    """
    if len(boundaries) != len(values) - 1:
        raise ValueError("The length of boundaries should be 1 less than the length of values")
    with name_scope(name, "PiecewiseConstant", [x, *boundaries, *values]):
        step = convert_to_tensor(x)
        chosen = convert_to_tensor(values[-1])
        for boundary, value in reversed(list(zip(boundaries, values[:-1], strict=True))):
            limit = cast(convert_to_tensor(boundary), step.dtype)
            chosen = where(less_equal(step, limit), convert_to_tensor(value, chosen.dtype), chosen)
        return chosen


piecewise_constant_decay = piecewise_constant
