"""Batch normalisation as a layer: `tf.layers.batch_normalization` and its class.

Moving averages of mean and variance are variables that training does not change by gradients; the ops that update them go
into the collection UPDATE_OPS, for the program to run. Images of rank 4 are normalised by the fused op where nothing else
was asked for. Batch renormalisation corrects the batch's statistics towards the moving ones.
"""

from __future__ import annotations

from typing import Any

from ..array import concat, identity, ones_like, reshape, shape, stop_gradient, zeros_like
from ..core import dtypes
from ..core.convert import constant, convert_to_tensor
from ..core.graph import get_default_graph
from ..core.node import Tensor
from ..core.scopes import colocate_with, name_scope
from ..core.shapes import Shape
from ..flow.cond import smart_cond, smart_constant_value
from ..math import cast, maximum, minimum, reduce_mean, sqrt, square
from ..nn import batch_normalization as normalise
from ..nn import fused_batch_norm, moments, relu
from ..state import assign, assign_sub
from ..variables.distribution import VariableAggregation, VariableSynchronization
from .base import ONES, ZEROS, Layer

__all__ = ["BatchNormalization", "batch_normalization"]

_LIMITS = ("rmin", "rmax", "dmax")
# What variables are that average the batches' statistics.
_AVERAGED: dict[str, Any] = {
    "trainable": False, "synchronization": VariableSynchronization.ON_READ, "aggregation": VariableAggregation.MEAN,
}  # fmt: skip


class BatchNormalization(Layer):
    """A layer that normalises its inputs along all axes but `axis`, by the batch in training, else by moving averages.

    Args:
      axis: the axis (or several) of the channels. momentum: how much of a moving average is kept at each update.
      epsilon: is added to the variance. center, scale: whether there are variables `beta` and `gamma`.
      renorm: whether to renormalise; `renorm_clipping` may hold scalars 'rmin', 'rmax' and 'dmax'.
      fused: whether to use the fused op; where it can be when None.
      virtual_batch_size: normalises the batch in parts of so many examples, which divide it.
      adjustment: a function from the inputs' shape, a tensor, to a scale and a bias that broadcast over them; they are applied
        in training, before gamma and beta.
      Initializers, regularizers and constraints are as in other layers.

    Raises:
      ValueError: when the fused op cannot do what is asked for, or virtual batches cannot.
    """

    def __init__(
        self, axis: Any = -1, momentum: Any = 0.99, epsilon: float = 1e-3, center: bool = True, scale: bool = True,
        beta_initializer: Any = ZEROS, gamma_initializer: Any = ONES, moving_mean_initializer: Any = ZEROS,
        moving_variance_initializer: Any = ONES, beta_regularizer: Any = None, gamma_regularizer: Any = None,
        beta_constraint: Any = None, gamma_constraint: Any = None, renorm: bool = False, renorm_clipping: Any = None,
        renorm_momentum: Any = 0.99, fused: bool | None = None, trainable: bool = True,
        virtual_batch_size: int | None = None, adjustment: Any = None, name: str | None = None, **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(trainable, name, **options)
        asked = {"renorm": renorm, "virtual_batch_size": virtual_batch_size, "adjustment": adjustment}
        for what, value in asked.items():
            if fused and (value is not None and value is not False):
                raise ValueError(f"Passing both `fused=True` and `{what}={value}` is not supported")
        if virtual_batch_size is not None and virtual_batch_size <= 0:
            raise ValueError(
                "virtual_batch_size must be a positive integer that divides the true batch size of the input Tensor, not "
                f"{virtual_batch_size}"
            )
        if virtual_batch_size is not None and adjustment is not None:
            raise ValueError("When using virtual_batch_size, adjustment cannot be specified")
        self.virtual_batch_size, self.adjustment = virtual_batch_size, adjustment
        unknown = set(renorm_clipping or {}) - set(_LIMITS)
        if unknown:
            raise ValueError(f"Received invalid keys for `renorm_clipping` argument: {renorm_clipping}")
        self.axis, self.momentum, self.epsilon = axis, momentum, epsilon
        self.center, self.scale, self.fused = center, scale, fused
        self.renorm, self.renorm_momentum, self._limits = renorm, renorm_momentum, dict(renorm_clipping or {})
        self._initializers = {
            "beta": beta_initializer, "gamma": gamma_initializer,
            "mean": moving_mean_initializer, "variance": moving_variance_initializer,
        }  # fmt: skip
        self._regularizers = {"beta": beta_regularizer, "gamma": gamma_regularizer}
        self._constraints = {"beta": beta_constraint, "gamma": gamma_constraint}
        self.beta: Any = None
        self.gamma: Any = None
        self.moving_mean: Any = None
        self.moving_variance: Any = None
        self.moving_stddev: Any = None
        self.renorm_mean: Any = None
        self.renorm_stddev: Any = None

    # -- variables -------------------------------------------------------------------------------------------------

    def _make(self, dims: Shape) -> None:
        """Make the variables for inputs of this shape."""
        if not dims:
            raise ValueError(f"Input has undefined rank in layer {self.name}: {dims}")
        given = self.axis if isinstance(self.axis, list | tuple) else [self.axis]
        self.axes = [axis + len(dims) if axis < 0 else axis for axis in given]
        if any(not 0 <= axis < len(dims) for axis in self.axes) or len(set(self.axes)) < len(self.axes):
            raise ValueError(f"Invalid axis: {self.axis}, for inputs of shape {dims}")
        if any(dims[axis] is None for axis in self.axes):
            raise ValueError(f"Input has undefined `axis` dimension. Input shape: {dims}, axis {self.axis}")
        self._settle_fused(len(dims))
        virtual = self.virtual_batch_size is not None
        self._one_axis = len(self.axes) == 1 and not virtual
        sizes = [dims[self.axes[0]]] if self._one_axis else [n if i in self.axes else 1 for i, n in enumerate(dims)]
        if virtual:
            if 0 in self.axes:
                raise ValueError(
                    f"When using virtual_batch_size, the batch dimension must be 0 and no axis of {self.axis}"
                )
            sizes.insert(1, 1)
            self.axes = [axis + 1 for axis in self.axes]
        self._add_variables(sizes)

    def _settle_fused(self, rank: int) -> None:
        plain = not self.renorm and self.virtual_batch_size is None and self.adjustment is None
        fits = rank == 4 and self.axes in ([1], [3]) and plain
        if self.fused and not fits:
            raise ValueError(
                f"Batch normalization layers with fused=True only support inputs of rank 4 and axis 1 or 3; "
                f"received rank {rank} and axis {self.axis}"
            )
        self.fused = fits and self.fused is not False

    def _add_variables(self, sizes: list[Any]) -> None:
        assert self.dtype is not None
        kind = dtypes.float32 if self.dtype in (dtypes.float16, dtypes.bfloat16) else self.dtype

        def parameter(name: str) -> Any:
            return self.add_weight(
                name,
                sizes,
                kind,
                self._initializers[name],
                self._regularizers[name],
                constraint=self._constraints[name],
            )

        self.gamma = parameter("gamma") if self.scale else None
        self.beta = parameter("beta") if self.center else None
        mean, variance = self._initializers["mean"], self._initializers["variance"]
        self.moving_mean = self.add_weight("moving_mean", sizes, kind, mean, **_AVERAGED)
        self.moving_variance = self.add_weight("moving_variance", sizes, kind, variance, **_AVERAGED)
        if self.renorm:

            def stddev(*args: Any, **options: Any) -> Tensor:
                return sqrt(made(*args, **options))

            made = variance() if isinstance(variance, type) else variance
            self.moving_stddev = self.add_weight("moving_stddev", sizes, kind, stddev, **_AVERAGED)
            self.renorm_mean = self.add_weight("renorm_mean", sizes, kind, mean, **_AVERAGED)
            self.renorm_stddev = self.add_weight("renorm_stddev", sizes, kind, stddev, **_AVERAGED)

    # -- computing -------------------------------------------------------------------------------------------------

    def call(self, inputs: Any, training: Any = False, **options: Any) -> Tensor:
        """Return the normalised inputs; `training`, a bool or a tensor, says whether by the batch's statistics."""
        training = False if training is None else training
        return self._fused(inputs, training) if self.fused else self._composed(inputs, training)

    def _fused(self, inputs: Tensor, training: Any) -> Tensor:
        layout = "NCHW" if self.axes == [1] else "NHWC"
        sizes = [self.moving_mean.shape.as_list()[0]]
        gamma = constant(1.0, dtypes.float32, sizes) if self.gamma is None else self.gamma
        beta = constant(0.0, dtypes.float32, sizes) if self.beta is None else self.beta

        def by_batch() -> Any:
            return fused_batch_norm(inputs, gamma, beta, epsilon=self.epsilon, data_format=layout)

        def by_averages() -> Any:
            return fused_batch_norm(
                inputs, gamma, beta, self.moving_mean, self.moving_variance, self.epsilon, layout, is_training=False
            )

        outputs, mean, variance = smart_cond(training, by_batch, by_averages)
        self._update(training, mean, variance)
        return outputs  # type: ignore[no-any-return]

    def _composed(self, inputs: Tensor, training: Any) -> Tensor:
        assert inputs.dims is not None
        wide = self._in_parts(cast(inputs, self.moving_mean.dtype.base_dtype))
        assert wide.dims is not None
        spread = self._spreader(wide.dims)
        gamma, beta = (None if value is None else spread(value) for value in (self.gamma, self.beta))
        if smart_constant_value(training) is False:
            mean, variance = self.moving_mean, self.moving_variance
        else:
            batch = moments(wide, self._others(len(wide.dims)), keep_dims=not self._one_axis)
            new_mean, new_variance = map(self._over_parts, batch)
            if self.adjustment is not None:
                gamma, beta = _composed_with(*self._adjusted(wide, training), gamma, beta)
            if self.renorm:
                ratio, shift, new_mean, new_variance = self._renormalise(new_mean, new_variance, training)
                gamma, beta = _composed_with(spread(ratio), spread(shift), gamma, beta)
            self._update(training, new_mean, new_variance)
            mean = smart_cond(training, lambda: batch[0], lambda: convert_to_tensor(self.moving_mean))
            variance = smart_cond(training, lambda: batch[1], lambda: convert_to_tensor(self.moving_variance))
        outputs = normalise(wide, spread(mean), spread(variance), beta, gamma, self.epsilon)
        if self.virtual_batch_size is not None:
            outputs = reshape(outputs, shape(inputs))
            outputs.set_shape(inputs.dims)
        return cast(outputs, inputs.dtype.base_dtype)

    def _in_parts(self, inputs: Tensor) -> Tensor:
        """Return the inputs with the virtual batches as a second dimension, where there are any."""
        if self.virtual_batch_size is None:
            return inputs
        assert inputs.dims is not None
        parts: Tensor = reshape(inputs, concat([[self.virtual_batch_size, -1], shape(inputs)[1:]], axis=0))
        parts.set_shape([self.virtual_batch_size, None, *inputs.dims[1:]])
        return parts

    def _others(self, rank: int) -> list[int]:
        """Return the axes that are averaged over."""
        kept = [*self.axes, 1] if self.virtual_batch_size is not None else self.axes
        return [axis for axis in range(rank) if axis not in kept]

    def _over_parts(self, value: Tensor) -> Tensor:
        """Return the mean over the virtual batches: moving averages follow them all at once."""
        return value if self.virtual_batch_size is None else reduce_mean(value, 1, keepdims=True)

    def _adjusted(self, inputs: Tensor, training: Any) -> tuple[Tensor, Tensor]:
        """Return the scale and bias of the program's own adjustment in training, else 1 and 0."""
        scale, bias = map(convert_to_tensor, self.adjustment(shape(inputs)))
        return (
            smart_cond(training, lambda: scale, lambda: ones_like(scale)),
            smart_cond(training, lambda: bias, lambda: zeros_like(bias)),
        )

    def _spreader(self, dims: tuple[int | None, ...]) -> Any:
        """Return a function that gives a vector of channels the shape in which it spreads over the inputs."""
        if not self._one_axis or self.axes == [len(dims) - 1]:
            return lambda values: values
        return lambda values: reshape(values, [-1 if i in self.axes else 1 for i in range(len(dims))])

    # -- moving averages -------------------------------------------------------------------------------------------

    def _update(self, training: Any, mean: Tensor, variance: Tensor) -> None:
        """Add the updates of the moving averages, unless the layer is known not to train."""
        known = smart_constant_value(training)
        if known is False:
            return
        momentum = self.momentum
        if known is None:
            momentum = smart_cond(training, lambda: constant(float(self.momentum)), lambda: constant(1.0))
        self.add_update(_move(self.moving_mean, mean, momentum), inputs=True)
        if self.renorm:
            self.add_update(
                smart_cond(training, lambda: self._moved_stddev(variance), lambda: identity(self.moving_variance)), inputs=True
            )
        else:
            self.add_update(_move(self.moving_variance, variance, momentum), inputs=True)

    # -- renormalisation -------------------------------------------------------------------------------------------

    def _renormalise(self, mean: Tensor, variance: Tensor, training: Any) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the correction's factor and shift, and the mean and variance that the moving averages follow.

        Those two wait for the update of the averages that correct, which the factor and shift have read before.
        """
        stddev = sqrt(variance + self.epsilon)
        known_stddev = maximum(self.renorm_stddev, sqrt(constant(self.epsilon, stddev.dtype.base_dtype)))
        ratio, shift = stddev / known_stddev, (mean - self.renorm_mean) / known_stddev
        rmin, rmax, dmax = (self._limits.get(name) for name in _LIMITS)
        ratio = ratio if rmin is None else maximum(ratio, rmin)
        ratio = ratio if rmax is None else minimum(ratio, rmax)
        shift = (
            shift if dmax is None else minimum(maximum(shift, -convert_to_tensor(dmax, shift.dtype.base_dtype)), dmax)
        )
        ratio = smart_cond(training, lambda: ratio, lambda: ones_like(ratio))
        shift = smart_cond(training, lambda: shift, lambda: zeros_like(shift))
        graph = get_default_graph()
        with graph.control_dependencies([ratio, shift]):
            moved = [
                self._follow(variable, value, training)
                for variable, value in ((self.renorm_mean, mean), (self.renorm_stddev, stddev))
            ]
        with graph.control_dependencies(moved):
            new_mean, new_variance = identity(mean), identity(variance)
        return stop_gradient(ratio), stop_gradient(shift), new_mean, new_variance

    def _follow(self, variable: Any, value: Tensor, training: Any) -> Tensor:
        """Return a moving value after its update in training, or as it is."""

        def updated() -> Tensor:
            return convert_to_tensor(_move(variable, value, self.renorm_momentum))

        return smart_cond(training, updated, lambda: identity(variable))  # type: ignore[no-any-return]

    def _moved_stddev(self, variance: Tensor) -> Tensor:
        """Move the deviation that inference uses, and return the moving variance, which is set to its square."""
        moved = convert_to_tensor(_move(self.moving_stddev, sqrt(variance + self.epsilon), self.momentum))
        return convert_to_tensor(assign(self.moving_variance, relu(square(moved) - self.epsilon)))


def _composed_with(scale: Any, offset: Any, gamma: Any, beta: Any) -> tuple[Any, Any]:
    """Return the scale and offset of two steps in one: first `scale` and `offset`, then `gamma` and `beta`."""
    if gamma is not None:
        scale, offset = scale * gamma, offset * gamma
    return scale, offset if beta is None else offset + beta


def _move(variable: Any, value: Tensor, momentum: Any) -> Any:
    """Move a variable towards a value, and return the op's result."""
    with name_scope("AssignMovingAvg") as scope, colocate_with(variable):
        share = convert_to_tensor(1.0 - momentum, variable.dtype.base_dtype, name="decay")
        delta = (variable - cast(value, variable.dtype.base_dtype)) * share
        return assign_sub(variable, delta, name=scope)


def batch_normalization(
    inputs: Any, axis: Any = -1, momentum: Any = 0.99, epsilon: float = 1e-3, center: bool = True, scale: bool = True,
    beta_initializer: Any = ZEROS, gamma_initializer: Any = ONES, moving_mean_initializer: Any = ZEROS,
    moving_variance_initializer: Any = ONES, beta_regularizer: Any = None, gamma_regularizer: Any = None,
    beta_constraint: Any = None, gamma_constraint: Any = None, training: Any = False, trainable: bool = True,
    name: str | None = None, reuse: bool | None = None, renorm: bool = False, renorm_clipping: Any = None,
    renorm_momentum: Any = 0.99, fused: bool | None = None, virtual_batch_size: int | None = None, adjustment: Any = None,
) -> Tensor:  # fmt: skip
    """Return inputs normalised by the batch in `training`, else by moving averages; see `BatchNormalization`.

    The averages move only when the ops of the collection UPDATE_OPS run:

        with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
            train = optimizer.minimize(loss)
    """
    layer = BatchNormalization(
        axis, momentum, epsilon, center, scale, beta_initializer, gamma_initializer, moving_mean_initializer,
        moving_variance_initializer, beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint, renorm,
        renorm_clipping, renorm_momentum, fused, trainable, virtual_batch_size, adjustment, name, _scope=name, _reuse=reuse,
    )  # fmt: skip
    outputs: Tensor = layer(inputs, training=training)
    return outputs
