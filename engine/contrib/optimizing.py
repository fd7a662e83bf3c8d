"""`tf.contrib.layers.optimize_loss` and slim's training operations: from a loss to an operation that trains, in one call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...ops.array import identity
from ...ops.array.identity import check_numerics as check_finite
from ...ops.core.convert import constant, convert_to_tensor
from ...ops.core.graph import GraphKeys, get_default_graph
from ...ops.core.indexed_slices import IndexedSlices
from ...ops.core.node import Tensor
from ...ops.io.summaries import histogram_ as histogram_summary
from ...ops.io.summaries import scalar_ as scalar_summary
from ...ops.layers.clip import clip_by_global_norm, clip_by_norm, global_norm
from ...ops.math import add, cast, exp, log, maximum, multiply, sqrt, square, where
from ...ops.random import truncated_normal
from ...ops.state import group
from ...ops.variables import trainable_variables
from ...ops.variables.initializers import Constant, Zeros
from ...ops.variables.scope import get_variable, variable_scope
from ..train import (
    AdagradOptimizer,
    AdamOptimizer,
    FtrlOptimizer,
    GradientDescentOptimizer,
    MomentumOptimizer,
    Optimizer,
    RMSPropOptimizer,
)
from ..train.moving_averages import assign_moving_average
from ..train.training_util import get_global_step, get_or_create_global_step

OPTIMIZER_CLS_NAMES: dict[str, Callable[..., Optimizer]] = {
    "Adagrad": AdagradOptimizer, "Adam": AdamOptimizer, "Ftrl": FtrlOptimizer,
    "Momentum": lambda learning_rate: MomentumOptimizer(learning_rate, momentum=0.9), "RMSProp": RMSPropOptimizer,
    "SGD": GradientDescentOptimizer,
}  # fmt: skip
OPTIMIZER_SUMMARIES = [
    "learning_rate", "loss", "gradients", "gradient_norm", "global_gradient_norm",
]  # fmt: skip
_USE_GLOBAL_STEP: Any = 0


def optimize_loss(
    loss: Any, global_step: Any, learning_rate: Any, optimizer: Any, gradient_noise_scale: float | None = None,
    gradient_multipliers: Any = None, clip_gradients: Any = None, learning_rate_decay_fn: Any = None, update_ops: Any = None,
    variables: Any = None, name: str | None = None, summaries: Any = None, colocate_gradients_with_ops: bool = False,
    increment_global_step: bool = True,
) -> Tensor:  # fmt: skip
    """Return the loss as a tensor whose evaluation trains a step.

    Args:
      loss: a scalar tensor.
      global_step: the variable that counts steps; None for the graph's.
      learning_rate: a number or tensor; None where the optimiser has one.
      optimizer: a name ("Adagrad", "Adam", "Ftrl", "Momentum", "RMSProp", "SGD"), a class, an Optimizer, or a function of
        the learning rate.
      gradient_noise_scale: the standard deviation of normal noise on gradients.
      gradient_multipliers: factors by variable or name.
      clip_gradients: a number for the global norm, or a function of (gradient, variable) pairs.
      learning_rate_decay_fn: a function of (learning_rate, global_step).
      update_ops: what runs before the step; the collection UPDATE_OPS by default.
      summaries: which of OPTIMIZER_SUMMARIES to write.

    Raises:
      ValueError: when an argument is of no kind that is named here, or nothing can be trained.
    """
    graph = get_default_graph()
    loss = convert_to_tensor(loss)
    step = get_global_step() if global_step is None else global_step
    with variable_scope(name, "OptimizeLoss", [loss, step]):
        before = list(graph.get_collection(GraphKeys.UPDATE_OPS) if update_ops is None else update_ops)
        if before:
            with graph.control_dependencies(before):
                loss = identity(loss)
        written = list(summaries if summaries is not None else ["loss", "learning_rate", "global_gradient_norm"])
        unknown = [kind for kind in written if kind not in OPTIMIZER_SUMMARIES]
        if unknown:
            raise ValueError(
                f"Summaries should be one of [{', '.join(OPTIMIZER_SUMMARIES)}], you provided {unknown[0]}."
            )
        rate = _learning_rate(learning_rate, learning_rate_decay_fn, step, "learning_rate" in written)
        made = _optimizer(optimizer, rate)
        pairs = made.compute_gradients(
            loss, trainable_variables() if variables is None else variables,
            colocate_gradients_with_ops=colocate_gradients_with_ops,
        )  # fmt: skip
        pairs = _prepared(pairs, gradient_noise_scale, gradient_multipliers, clip_gradients, written)
        if "loss" in written:
            scalar_summary("loss", loss)
        update = made.apply_gradients(pairs, global_step=step if increment_global_step else None, name="train")
        with graph.control_dependencies([update]):
            return identity(loss)  # type: ignore[no-any-return]


def _learning_rate(given: Any, decay: Any, step: Any, summary: bool) -> Any:
    if given is None:
        return None
    if isinstance(given, Tensor):
        if given.dims not in ((), None):
            raise ValueError("Invalid learning_rate")
        rate: Any = given
    elif isinstance(given, float | int):
        if given < 0.0:
            raise ValueError("Invalid learning_rate ", given)
        rate = get_variable("learning_rate", [], trainable=False, initializer=Constant(given))
    else:
        raise ValueError(f"Learning rate should be 0d Tensor or float. Got {given} of type {type(given)}")
    if decay is not None:
        if step is None:
            raise ValueError("global_step is required for learning_rate_decay_fn.")
        rate = decay(rate, step)
    if summary:
        scalar_summary("learning_rate", rate)
    return rate


def _optimizer(given: Any, rate: Any) -> Any:
    if isinstance(given, str):
        if given not in OPTIMIZER_CLS_NAMES:
            raise ValueError(
                f"Optimizer name should be one of [{', '.join(OPTIMIZER_CLS_NAMES)}], you provided {given}."
            )
        if rate is None:
            raise ValueError(f"Learning rate is None, but should be specified if optimizer is string ({given}).")
        return OPTIMIZER_CLS_NAMES[given](learning_rate=rate)
    if isinstance(given, Optimizer):
        return given
    if isinstance(given, type) and issubclass(given, Optimizer):
        if rate is None:
            raise ValueError(f"Learning rate is None, but should be specified if optimizer is class ({given}).")
        return given(learning_rate=rate)  # type: ignore[call-arg]
    if callable(given):
        made = given() if rate is None else given(rate)
        if isinstance(made, Optimizer):
            return made
        raise ValueError(f"Unrecognized optimizer: function should return subclass of Optimizer. Got {made}.")
    raise ValueError(
        "Unrecognized optimizer: should be string, subclass of Optimizer, instance of subclass of Optimizer or function with one "
        f"argument. Got {given}."
    )


def _prepared(pairs: list[Any], noise: Any, multipliers: Any, clip: Any, written: list[str]) -> list[Any]:
    """Return the gradients with noise, factors and clipping."""
    if noise is not None:
        pairs = [(_noisy(g, noise), v) for g, v in pairs]
    if multipliers is not None:
        pairs = multiply_gradients(pairs, multipliers)
    if "global_gradient_norm" in written or "gradient_norm" in written:
        scalar_summary("global_norm/gradient_norm", global_norm([g for g, _ in pairs]))
    if isinstance(clip, float | int):
        clipped, _ = clip_by_global_norm([g for g, _ in pairs], clip)
        pairs = list(zip(clipped, [v for _, v in pairs], strict=True))
    elif callable(clip):
        pairs = clip(pairs)
    elif clip is not None:
        raise ValueError(f"Unknown type {type(clip)} for clip_gradients")
    if "gradients" in written:
        for gradient, variable in pairs:
            if gradient is not None:
                histogram_summary(f"gradients/{variable.op.name}", _values(gradient))
    return pairs


def _values(gradient: Any) -> Any:
    return gradient.values if isinstance(gradient, IndexedSlices) else gradient


def _like(gradient: Any, values: Any) -> Any:
    if isinstance(gradient, IndexedSlices):
        return IndexedSlices(values, gradient.indices, gradient.dense_shape)
    return values


def _noisy(gradient: Any, scale: float) -> Any:
    if gradient is None:
        return None
    values = _values(gradient)
    return _like(gradient, add(values, truncated_normal(values.shape) * scale))


def adaptive_clipping_fn(
    std_factor: float = 2.0, decay: float = 0.95, static_max_norm: float | None = None, global_step: Any = None,
    report_summary: bool = False, epsilon: float = 1e-8, name: str | None = None,
) -> Callable[[Any], Any]:  # fmt: skip
    """Return a function for `clip_gradients` that clips by what the global norm usually is, plus `std_factor` deviations."""

    def clip(pairs: Any) -> Any:
        gradients, variables = [g for g, _ in pairs], [v for _, v in pairs]
        norm: Any = global_norm(gradients)
        with variable_scope(name, "AdaptiveMaxNorm", [norm]):
            logarithm = log(norm + epsilon)
            averages = []
            for part, value in (("mean", logarithm), ("sq_mean", square(logarithm))):
                kept = get_variable(part, [], initializer=Zeros(), trainable=False)
                rate: Any = decay
                if global_step is not None:
                    count: Any = cast(global_step, "float32")
                    rate = 1 - maximum(1.0 / (count + 1.0), 1.0 - decay)
                averages.append(convert_to_tensor(assign_moving_average(kept, value, rate, zero_debias=False)))
            mean, squares = averages
            deviation: Any = sqrt(maximum(epsilon, squares - square(mean)))
            limit: Any = exp(mean + std_factor * deviation)
            if static_max_norm is not None:
                limit = where(limit < static_max_norm, limit, constant(float(static_max_norm)))
            if report_summary:
                scalar_summary("max_norm", limit)
            factor = where(norm < limit, constant(1.0), limit / norm)
        scaled = [None if g is None else _like(g, multiply(_values(g), factor)) for g in gradients]
        return list(zip(scaled, variables, strict=True))

    return clip


# -- slim.learning and tf.contrib.training ------------------------------------------------------------------------------


def multiply_gradients(grads_and_vars: Any, gradient_multipliers: Any) -> list[Any]:
    """Return (gradient, variable) pairs with some gradients multiplied, by variable or name.

    Raises:
      ValueError: when there is no gradient for one of them.
    """
    if not isinstance(grads_and_vars, list):
        raise ValueError("`grads_and_vars` must be a list.")
    if not gradient_multipliers:
        raise ValueError("`gradient_multipliers` is empty.")
    if not isinstance(gradient_multipliers, dict):
        raise ValueError("`gradient_multipliers` must be a dict.")
    multiplied = []
    for gradient, variable in grads_and_vars:
        if variable in gradient_multipliers or variable.op.name in gradient_multipliers:
            if gradient is None:
                raise ValueError("Requested multiple of `None` gradient.")
            key = variable if variable in gradient_multipliers else variable.op.name
            factor = constant(gradient_multipliers[key], dtype=_values(gradient).dtype)
            gradient = _like(gradient, _values(gradient) * factor)
        multiplied.append((gradient, variable))
    return multiplied


def clip_gradient_norms(gradients_to_variables: Any, max_norm: float) -> list[Any]:
    """Return (gradient, variable) pairs with each gradient's norm at most `max_norm`."""
    return [(None if g is None else clip_by_norm(g, max_norm), v) for g, v in gradients_to_variables]


def clip_gradient_norms_fn(max_norm: float) -> Callable[[Any], Any]:
    """Return a function that clips (gradient, variable) pairs."""
    return lambda pairs: clip_gradient_norms(pairs, max_norm)


def create_train_op(
    total_loss: Any, optimizer: Any, global_step: Any = _USE_GLOBAL_STEP, clip_gradient_norm: float = 0,
    summarize_gradients: bool = False, gate_gradients: int = 1, aggregation_method: Any = None,
    colocate_gradients_with_ops: bool = False, gradient_multipliers: Any = None, check_numerics: bool = True,
    update_ops: Any = None, variables_to_train: Any = None, transform_grads_fn: Any = None,
) -> Tensor:  # fmt: skip
    """Return the loss as a tensor whose evaluation runs the update operations and then trains a step.

    Args:
      global_step: a variable; None for none; the graph's own by default.
      clip_gradient_norm: the greatest norm of each gradient, where it is above 0.
      check_numerics: fail where the loss is not finite.
      update_ops: what runs before the step; the collection UPDATE_OPS by default.
      transform_grads_fn: a function of (gradient, variable) pairs.
    """
    graph = get_default_graph()
    if global_step is _USE_GLOBAL_STEP:
        global_step = get_or_create_global_step()
    before = graph.get_collection(GraphKeys.UPDATE_OPS) if update_ops is None else update_ops
    loss = convert_to_tensor(total_loss)
    if before:
        with graph.control_dependencies([group(*before)]):
            loss = identity(loss)
    pairs = optimizer.compute_gradients(
        loss, trainable_variables() if variables_to_train is None else variables_to_train, gate_gradients=gate_gradients,
        aggregation_method=aggregation_method, colocate_gradients_with_ops=colocate_gradients_with_ops,
    )  # fmt: skip
    if transform_grads_fn is not None:
        pairs = transform_grads_fn(pairs)
    if gradient_multipliers:
        pairs = multiply_gradients(pairs, gradient_multipliers)
    if clip_gradient_norm > 0:
        pairs = clip_gradient_norms(pairs, clip_gradient_norm)
    if summarize_gradients:
        add_gradients_summaries(pairs)
    update = optimizer.apply_gradients(pairs, global_step=global_step)
    with graph.name_scope("train_op"):
        value = check_finite(loss, "LossTensor is inf or nan") if check_numerics else loss
        with graph.control_dependencies([update]):
            train = identity(value)
    if train not in (known := graph.get_collection_ref(GraphKeys.TRAIN_OP)):
        known.append(train)
    return train  # type: ignore[no-any-return]


def add_gradients_summaries(grads_and_vars: Any) -> list[Any]:
    """Write a histogram of each gradient and its norm; return the summaries."""
    written = []
    for gradient, variable in grads_and_vars:
        if gradient is not None:
            written.append(histogram_summary(f"{variable.op.name}/gradient", _values(gradient)))
            written.append(scalar_summary(f"{variable.op.name}/gradient_norm", global_norm([gradient])))
    return written
