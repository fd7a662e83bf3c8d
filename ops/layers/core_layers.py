"""The plain layers of `tf.layers`: dense, flatten, dropout; those of images are beside."""

from __future__ import annotations

from typing import Any

from ..array import identity, reshape, shape, stack, transpose
from ..core.node import Tensor
from ..core.scopes import name_scope
from ..core.shapes import Shape, product
from ..core.sparse_tensor import SparseTensor
from ..flow import smart_cond
from ..math import matmul
from ..nn import bias_add
from ..sparse import sparse_tensor_dense_matmul
from .base import ZEROS, Activation, KernelLayer, Layer, activated
from .dropout import dropout as _dropout
from .input_spec import InputSpec

__all__ = ["Dense", "Dropout", "Flatten", "Layer", "dense", "dropout", "flatten"]


class Dense(KernelLayer):
    """A matrix product with a kernel of shape [inputs, units], a bias and an activation.

    Args:
      units: the size of the outputs' last dimension.
      activation: a function of the outputs; None for none.
      use_bias: whether to add a bias.
      kernel_initializer: None for the variable scope's, Glorot's uniform one by default.
      kernel_regularizer, bias_regularizer, activity_regularizer: functions to losses.
      kernel_constraint, bias_constraint: functions that optimisers apply to the variables.
    """

    def __init__(
        self, units: int, activation: Activation = None, use_bias: bool = True, kernel_initializer: Any = None,
        bias_initializer: Any = ZEROS, kernel_regularizer: Any = None, bias_regularizer: Any = None,
        activity_regularizer: Any = None, kernel_constraint: Any = None, bias_constraint: Any = None,
        trainable: bool = True, name: str | None = None, **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
            activity_regularizer, kernel_constraint, bias_constraint, trainable, name, **options,
        )  # fmt: skip
        self.units = int(units)

    def _make(self, dims: Shape) -> None:
        """Make the weights for inputs of this shape."""
        if dims is not None:
            self._of_rank(dims, least=2)
        if dims is None or dims[-1] is None:
            raise ValueError("The last dimension of the inputs to `Dense` should be defined. Found `None`.")
        if self.dtype is not None and not (self.dtype.is_floating or self.dtype.is_complex):
            raise TypeError(f"Unable to build `Dense` layer with non-floating point dtype {self.dtype!r}")
        self._add_weights([dims[-1], self.units])
        self.input_spec = InputSpec(min_ndim=2, axes={-1: dims[-1]})

    def call(self, inputs: Any, **options: Any) -> Tensor:
        """Return `activation(inputs · kernel + bias)`; the inputs may be a sparse matrix."""
        if isinstance(inputs, SparseTensor):
            outputs = sparse_tensor_dense_matmul(inputs, self.kernel)
        else:
            outputs = self._product(inputs)
        if self.use_bias:
            outputs = bias_add(outputs, self.bias)
        return activated(outputs, self.activation)

    def _product(self, inputs: Tensor) -> Tensor:
        return matmul(inputs, self.kernel) if _rank(inputs) == 2 else _over_last(inputs, self.kernel, self.units)


def _rank(tensor: Tensor) -> int:
    return len(tensor.dims or ())


def _over_last(inputs: Tensor, kernel: Any, units: int) -> Tensor:
    """Multiply the last dimension of inputs of higher rank with a matrix."""
    dims = inputs.dims or ()
    with name_scope("Tensordot"):
        product_ = matmul(reshape(inputs, [-1, dims[-1]]), kernel)
        outputs: Tensor = reshape(product_, _shape_like(inputs, units))
    outputs.set_shape([*dims[:-1], units])
    return outputs


def _shape_like(inputs: Tensor, last: int) -> Any:
    """Return the shape of the inputs with another last dimension: static where it is known but for one dimension."""
    dims = [*(inputs.dims or ())[:-1], last]
    if dims.count(None) <= 1:
        return [-1 if d is None else d for d in dims]
    actual = shape(inputs)
    return stack([actual[i] if d is None else d for i, d in enumerate(dims)])


class Flatten(Layer):
    """Gives [batch, the rest]: all dimensions but the first become one, channels last (the second ones are moved there)."""

    def __init__(self, data_format: str | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.data_format = (data_format or "channels_last").lower()
        if self.data_format not in ("channels_last", "channels_first"):
            raise ValueError(
                f'The `data_format` argument must be one of "channels_first", "channels_last". Received: {data_format}'
            )

    def call(self, inputs: Any, **options: Any) -> Tensor:
        """Return the inputs with all dimensions but the first made one."""
        dims = self._of_rank(inputs.dims, least=1)
        if self.data_format == "channels_first" and len(dims) > 2:
            inputs = transpose(inputs, [0, *range(2, len(dims)), 1])
        rest = product(dims[1:])
        if dims[0] is None and rest is None:
            flat = reshape(inputs, stack([shape(inputs)[0], -1]))
        else:
            flat = reshape(inputs, [-1 if dims[0] is None else dims[0], -1 if rest is None else rest])
        flat.set_shape([dims[0], rest])
        return flat


class Dropout(Layer):
    """Sets a random part `rate` of the inputs to 0 while training, and scales the others by 1 / (1 - rate).

    `training` is given with each call: a Python bool, or a boolean scalar tensor that decides in each run.
    """

    def __init__(
        self, rate: Any = 0.5, noise_shape: Any = None, seed: int | None = None, name: str | None = None, **options: Any
    ) -> None:
        super().__init__(name=name, **options)
        self.rate, self.noise_shape, self.seed = rate, noise_shape, seed

    def call(self, inputs: Any, *, training: Any = False, **options: Any) -> Tensor:
        """Return the inputs with some dropped while training."""

        def dropped() -> Tensor:
            return _dropout(inputs, rate=self.rate, noise_shape=self.noise_shape, seed=self.seed)

        outputs: Tensor = smart_cond(training, dropped, lambda: identity(inputs))
        return outputs


def dense(
    inputs: Any, units: int, activation: Activation = None, use_bias: bool = True, kernel_initializer: Any = None,
    bias_initializer: Any = ZEROS, kernel_regularizer: Any = None, bias_regularizer: Any = None,
    activity_regularizer: Any = None, kernel_constraint: Any = None, bias_constraint: Any = None, trainable: bool = True,
    name: str | None = None, reuse: bool | None = None,
) -> Tensor:  # fmt: skip
    """Return `activation(inputs · kernel + bias)` with variables `kernel` and `bias` in the scope `name`; see `Dense`.

    Example:
      >>> import millstream as tf
      >>> with tf.Graph().as_default():
      ...     y = tf.layers.dense(tf.placeholder(tf.float32, [None, 3]), 10)
      ...     print(y.shape, [v.name for v in tf.trainable_variables()])
      (?, 10) ['dense/kernel:0', 'dense/bias:0']
    """
    layer = Dense(
        units, activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
        activity_regularizer, kernel_constraint, bias_constraint, trainable, name, _scope=name, _reuse=reuse,
    )  # fmt: skip
    outputs: Tensor = layer(inputs)
    return outputs


def flatten(inputs: Any, name: str | None = None, data_format: str = "channels_last") -> Tensor:
    """Return the inputs with all dimensions but the first made one."""
    outputs: Tensor = Flatten(data_format, name=name)(inputs)
    return outputs


def dropout(
    inputs: Any, rate: Any = 0.5, noise_shape: Any = None, seed: int | None = None, training: Any = False,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return the inputs, a random part `rate` of them 0 when `training` and the others scaled; see `Dropout`."""
    outputs: Tensor = Dropout(rate, noise_shape, seed, name)(inputs, training=training)
    return outputs
