"""Layers on images: convolutions and pools of `tf.layers`, in NHWC or NCHW."""

from __future__ import annotations

from typing import Any

from ..core.node import Tensor
from ..core.shapes import Shape
from ..nn import avg_pool, bias_add, max_pool
from ..nn import conv2d as convolve
from .base import Activation, KernelLayer, Layer, activated

__all__ = ["Conv2D", "average_pooling2d", "conv2d", "max_pooling2d"]

_FORMATS = {"channels_last": "NHWC", "channels_first": "NCHW"}


def _pair(value: Any, name: str) -> tuple[int, int]:
    pair = (value, value) if isinstance(value, int) else tuple(value)
    if len(pair) != 2:
        raise ValueError(f"The `{name}` argument must be a tuple of 2 integers. Received: {value}")
    return int(pair[0]), int(pair[1])


def _format(data_format: str) -> str:
    if data_format not in _FORMATS:
        raise ValueError(f"data_format is one of {', '.join(_FORMATS)}, not {data_format!r}")
    return _FORMATS[data_format]


def _spread(pair: tuple[int, int], layout: str) -> list[int]:
    return [1, *pair, 1] if layout == "NHWC" else [1, 1, *pair]


class Conv2D(KernelLayer):
    """A convolution with a kernel of shape [height, width, channels, filters], a bias and an activation.

    Args:
      filters: the number of output channels.
      kernel_size, strides, dilation_rate: an int or a pair of them.
      padding: "valid" or "same".
      data_format: "channels_last" or "channels_first".
      The others are as in `Dense`.
    """

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = (1, 1), padding: str = "valid",
        data_format: str = "channels_last", dilation_rate: Any = (1, 1), activation: Activation = None,
        use_bias: bool = True, kernel_initializer: Any = None, bias_initializer: Any = None, kernel_regularizer: Any = None,
        bias_regularizer: Any = None, activity_regularizer: Any = None, kernel_constraint: Any = None,
        bias_constraint: Any = None, trainable: bool = True, name: str | None = None, **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
            activity_regularizer, kernel_constraint, bias_constraint, trainable, name, **options,
        )  # fmt: skip
        self.filters = int(filters)
        self.kernel_size = _pair(kernel_size, "kernel_size")
        self.strides, self.dilation_rate = _pair(strides, "strides"), _pair(dilation_rate, "dilation_rate")
        self.padding, self.layout = padding.upper(), _format(data_format)

    def build(self, dims: Shape) -> None:
        """Make the weights for inputs of this shape."""
        channels = dims[self.layout.index("C")] if dims is not None and len(dims) == 4 else None
        if channels is None:
            raise ValueError(
                f"The channel dimension of the inputs should be defined, in 4 dimensions. Found {dims} in layer {self.name}."
            )
        self._add_weights([*self.kernel_size, channels, self.filters])

    def call(self, inputs: Any, **options: Any) -> Tensor:
        """Return `activation(convolution of the inputs + bias)`."""
        outputs = convolve(
            inputs, self.kernel, _spread(self.strides, self.layout), self.padding, data_format=self.layout,
            dilations=_spread(self.dilation_rate, self.layout), name="Conv2D",
        )  # fmt: skip
        if self.use_bias:
            outputs = bias_add(outputs, self.bias, data_format=self.layout)
        return activated(outputs, self.activation)


def conv2d(
    inputs: Any, filters: int, kernel_size: Any, strides: Any = (1, 1), padding: str = "valid",
    data_format: str = "channels_last", dilation_rate: Any = (1, 1), activation: Activation = None, use_bias: bool = True,
    kernel_initializer: Any = None, bias_initializer: Any = None, kernel_regularizer: Any = None,
    bias_regularizer: Any = None, activity_regularizer: Any = None, kernel_constraint: Any = None,
    bias_constraint: Any = None, trainable: bool = True, name: str | None = None, reuse: bool | None = None,
) -> Tensor:  # fmt: skip
    """Return a convolution of images with variables `kernel` and `bias` in the scope `name`; see `Conv2D`."""
    layer = Conv2D(
        filters, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, kernel_initializer,
        bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint,
        trainable, name, _scope=name, _reuse=reuse,
    )  # fmt: skip
    outputs: Tensor = layer(inputs)
    return outputs


def _pooling(name: str, pool: Any, what: str) -> Any:
    def layer(
        inputs: Any, pool_size: Any, strides: Any, padding: str = "valid", data_format: str = "channels_last",
        name: str | None = None,
    ) -> Tensor:  # fmt: skip
        layout = _format(data_format)
        sizes, steps = _spread(_pair(pool_size, "pool_size"), layout), _spread(_pair(strides, "strides"), layout)
        outputs: Tensor = Pool(pool, sizes, steps, padding.upper(), layout, name or layer.__name__)(inputs)
        return outputs

    layer.__name__ = layer.__qualname__ = name
    layer.__doc__ = f"Return the {what} of each window of images; sizes and strides are ints or pairs."
    return layer


class Pool(Layer):
    """A pool over windows of images; `pool` is the function of `tf.nn` that computes it."""

    def __init__(self, pool: Any, sizes: list[int], strides: list[int], padding: str, layout: str, name: str) -> None:
        super().__init__(name=name)
        self._arguments = (pool, sizes, strides, padding, layout)

    def call(self, inputs: Any, **options: Any) -> Tensor:
        """Return the pooled windows."""
        pool, sizes, strides, padding, layout = self._arguments
        outputs: Tensor = pool(inputs, sizes, strides, padding, data_format=layout)
        return outputs


max_pooling2d = _pooling("max_pooling2d", max_pool, "largest value")
average_pooling2d = _pooling("average_pooling2d", avg_pool, "mean")
