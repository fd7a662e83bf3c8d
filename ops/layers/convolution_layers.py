"""The convolutions of `tf.layers`: of sequences, images and volumes, transposed and separable, as classes and functions.

One class computes for any number of spatial dimensions; its subclasses only name that number. `data_format` is "channels_last"
or "channels_first".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..array import expand_dims, shape, squeeze, stack
from ..core.node import Tensor
from ..core.shapes import Shape
from ..nn import bias_add, conv_transpose, convolution
from ..nn import separable_conv2d as separable
from .base import ZEROS, Activation, KernelLayer, activated
from .input_spec import InputSpec

__all__ = [
    "Conv1D", "Conv2D", "Conv2DTranspose", "Conv3D", "Conv3DTranspose", "SeparableConv1D", "SeparableConv2D", "conv1d",
    "conv2d", "conv2d_transpose", "conv3d", "conv3d_transpose", "separable_conv1d", "separable_conv2d",
]  # fmt: skip

_FORMATS = {
    "channels_last": {1: "NWC", 2: "NHWC", 3: "NDHWC"}, "channels_first": {1: "NCW", 2: "NCHW", 3: "NCDHW"},
}  # fmt: skip


def sizes(value: Any, rank: int, name: str) -> tuple[int, ...]:
    """Return a number, or one for each spatial dimension, as a tuple; ValueError when they are too many or too few."""
    found = (value,) * rank if isinstance(value, int) else tuple(int(size) for size in value)
    if len(found) != rank:
        raise ValueError(f"The `{name}` argument must be a tuple of {rank} integers. Received: {value}")
    return found


def layout_of(data_format: str, rank: int) -> str:
    """Return TensorFlow's name of a data format for inputs with `rank` spatial dimensions."""
    if data_format not in _FORMATS:
        raise ValueError(f"data_format is one of {', '.join(_FORMATS)}, not {data_format!r}")
    return _FORMATS[data_format][rank]


class _Convolution(KernelLayer):
    """A convolution with a kernel of shape [spatial sizes, channels, filters], a bias and an activation.

    Args:
      filters: the number of output channels.
      kernel_size, strides, dilation_rate: an int, or one for each spatial dimension.
      padding: "valid" or "same".
      data_format: "channels_last" or "channels_first".
      The others are as in `Dense`.
    """

    rank = 2

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid", data_format: str = "channels_last",
        dilation_rate: Any = 1, activation: Activation = None, use_bias: bool = True, kernel_initializer: Any = None,
        bias_initializer: Any = ZEROS, kernel_regularizer: Any = None, bias_regularizer: Any = None,
        activity_regularizer: Any = None, kernel_constraint: Any = None, bias_constraint: Any = None,
        trainable: bool = True, name: str | None = None, **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
            activity_regularizer, kernel_constraint, bias_constraint, trainable, name, **options,
        )  # fmt: skip
        self.filters = int(filters)
        self.kernel_size = sizes(kernel_size, self.rank, "kernel_size")
        self.strides, self.dilation_rate = (
            sizes(strides, self.rank, "strides"), sizes(dilation_rate, self.rank, "dilation_rate"),
        )  # fmt: skip
        if padding.lower() not in ("valid", "same"):
            raise ValueError(f'The `padding` argument must be one of "valid", "same". Received: {padding}')
        self.padding, self.data_format = padding.upper(), data_format
        self.layout = layout_of(data_format, self.rank)

    def _channels(self, dims: Shape) -> int:
        dims = self._of_rank(dims, exact=self.rank + 2)
        channels = dims[self.layout.index("C")]
        if channels is None:
            raise ValueError(f"The channel dimension of the inputs should be defined. Found `None` in layer {self.name}.")
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={1 if self.layout.startswith("NC") else -1: channels})
        return channels

    def _make(self, dims: Shape) -> None:
        """Make the weights for inputs of this shape."""
        self._add_weights([*self.kernel_size, self._channels(dims), self.filters])

    def call(self, inputs: Any, **options: Any) -> Tensor:
        """Return `activation(convolution of the inputs + bias)`."""
        name = "conv1d" if self.rank == 1 else f"Conv{self.rank}D"
        outputs = convolution(inputs, self.kernel, self.padding, self.strides, self.dilation_rate, name, self.layout)
        return self._finished(outputs)

    def _finished(self, outputs: Tensor) -> Tensor:
        if self.use_bias:
            outputs = bias_add(outputs, self.bias, data_format=self.layout)
        return activated(outputs, self.activation)


class Conv1D(_Convolution):
    """A convolution of sequences (batch, width, channels); `kernel_size` is an int or a tuple of one."""

    rank = 1


class Conv2D(_Convolution):
    """A convolution of images (batch, height, width, channels); sizes are ints or pairs."""


class Conv3D(_Convolution):
    """A convolution of volumes (batch, depth, height, width, channels); sizes are ints or triples."""

    rank = 3


class Conv2DTranspose(_Convolution):
    """The transpose of a convolution of images: it enlarges them by the strides.

    The kernel has shape [height, width, filters, channels]. The arguments are those of `Conv2D`, without dilation.
    """

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid", data_format: str = "channels_last",
        activation: Activation = None, use_bias: bool = True, kernel_initializer: Any = None, bias_initializer: Any = ZEROS,
        kernel_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        kernel_constraint: Any = None, bias_constraint: Any = None, trainable: bool = True, name: str | None = None,
        **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            filters, kernel_size, strides, padding, data_format, 1, activation, use_bias, kernel_initializer,
            bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint,
            trainable, name, **options,
        )  # fmt: skip

    def _make(self, dims: Shape) -> None:
        """Make the weights for inputs of this shape."""
        self.kernel = self.add_weight(
            "kernel", [*self.kernel_size, self.filters, self._channels(dims)], **self._kernel_options
        )
        if self.use_bias:
            self.bias = self.add_weight("bias", [self.filters], **self._bias_options)

    def call(self, inputs: Any, **options: Any) -> Tensor:
        """Return `activation(transposed convolution of the inputs + bias)`."""
        start = self.layout.index("C") == 1
        dims: Any = inputs.dims
        actual: Any = shape(inputs) if None in dims else None
        lengths = [self._length(i, dims, actual, 2 if start else 1) for i in range(self.rank)]
        batch = dims[0] if dims[0] is not None else actual[0]
        whole = [batch, self.filters, *lengths] if start else [batch, *lengths, self.filters]
        known = [size if isinstance(size, int) else None for size in whole]
        outputs = conv_transpose(
            inputs, self.kernel, whole if None not in known else stack(whole), self.strides, self.padding, self.layout,
            name=f"conv{self.rank}d_transpose",
        )  # fmt: skip
        outputs.set_shape(known)
        return self._finished(outputs)

    def _length(self, axis: int, dims: Any, actual: Any, start: int) -> Any:
        """Return the length of the outputs along a spatial axis: a number where it is known, else a tensor."""
        length = dims[start + axis] if dims[start + axis] is not None else actual[start + axis]
        more = max(self.kernel_size[axis] - self.strides[axis], 0) if self.padding == "VALID" else 0
        return length * self.strides[axis] + more


class Conv3DTranspose(Conv2DTranspose):
    """The transpose of a convolution of volumes; see `Conv2DTranspose`."""

    rank = 3


class SeparableConv2D(_Convolution):
    """A depthwise convolution of images followed by one over the channels alone, a bias and an activation.

    Args:
      depth_multiplier: how many filters each channel has.
      depthwise_initializer, pointwise_initializer, depthwise_regularizer, pointwise_regularizer, depthwise_constraint,
        pointwise_constraint: for the kernels [height, width, channels, multiplier] and [1, 1, channels * multiplier, filters].
      The others are as in `Conv2D`.
    """

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid", data_format: str = "channels_last",
        dilation_rate: Any = 1, depth_multiplier: int = 1, activation: Activation = None, use_bias: bool = True,
        depthwise_initializer: Any = None, pointwise_initializer: Any = None, bias_initializer: Any = ZEROS,
        depthwise_regularizer: Any = None, pointwise_regularizer: Any = None, bias_regularizer: Any = None,
        activity_regularizer: Any = None, depthwise_constraint: Any = None, pointwise_constraint: Any = None,
        bias_constraint: Any = None, trainable: bool = True, name: str | None = None, **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            filters, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, None,
            bias_initializer, None, bias_regularizer, activity_regularizer, None, bias_constraint, trainable, name, **options,
        )  # fmt: skip
        self.depth_multiplier = int(depth_multiplier)
        self._depthwise = {
            "initializer": depthwise_initializer, "regularizer": depthwise_regularizer, "constraint": depthwise_constraint,
        }  # fmt: skip
        self._pointwise = {
            "initializer": pointwise_initializer, "regularizer": pointwise_regularizer, "constraint": pointwise_constraint,
        }  # fmt: skip
        self.depthwise_kernel: Any = None
        self.pointwise_kernel: Any = None

    def _make(self, dims: Shape) -> None:
        """Make the weights for inputs of this shape."""
        channels, ones = self._channels(dims), (1,) * self.rank
        spread = [*self.kernel_size, channels, self.depth_multiplier]
        self.depthwise_kernel = self.add_weight("depthwise_kernel", spread, **self._depthwise)
        mixing = [*ones, channels * self.depth_multiplier, self.filters]
        self.pointwise_kernel = self.add_weight("pointwise_kernel", mixing, **self._pointwise)
        if self.use_bias:
            self.bias = self.add_weight("bias", [self.filters], **{**self._bias_options})

    def call(self, inputs: Any, **options: Any) -> Tensor:
        """Return `activation(separable convolution of the inputs + bias)`."""
        outputs = separable(
            inputs, self.depthwise_kernel, self.pointwise_kernel, self._all_axes(self.strides), self.padding,
            rate=list(self.dilation_rate), data_format=self.layout,
        )  # fmt: skip
        return self._finished(outputs)

    def _all_axes(self, steps: tuple[int, ...]) -> list[int]:
        return [1, 1, *steps] if self.layout == "NCHW" else [1, *steps, 1]


class SeparableConv1D(SeparableConv2D):
    """A depthwise convolution of sequences followed by one over the channels alone; see `SeparableConv2D`."""

    rank = 1

    def call(self, inputs: Any, **options: Any) -> Tensor:
        """Return `activation(separable convolution of the inputs + bias)`."""
        first = self.layout == "NCW"
        axis = 2 if first else 1
        (step,) = self.strides
        outputs = separable(
            expand_dims(inputs, axis), expand_dims(self.depthwise_kernel, 0), expand_dims(self.pointwise_kernel, 0),
            [1, 1, step, step] if first else [1, step, step, 1], self.padding, rate=[1, *self.dilation_rate],
            data_format="NCHW" if first else "NHWC",
        )  # fmt: skip
        return self._finished(squeeze(outputs, [axis]))


def _function(name: str, layer: Callable[..., Any], what: str) -> Callable[..., Tensor]:
    def convolve(
        inputs: Any, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid",
        data_format: str = "channels_last", dilation_rate: Any = 1, activation: Activation = None, use_bias: bool = True,
        kernel_initializer: Any = None, bias_initializer: Any = ZEROS, kernel_regularizer: Any = None,
        bias_regularizer: Any = None, activity_regularizer: Any = None, kernel_constraint: Any = None,
        bias_constraint: Any = None, trainable: bool = True, name: str | None = None, reuse: bool | None = None,
    ) -> Tensor:  # fmt: skip
        made = layer(
            filters, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, kernel_initializer,
            bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint,
            trainable, name, _scope=name, _reuse=reuse,
        )  # fmt: skip
        outputs: Tensor = made(inputs)
        return outputs

    convolve.__name__ = convolve.__qualname__ = name
    convolve.__doc__ = f"Return a convolution of {what} with variables `kernel` and `bias` in the scope `name`."
    return convolve


conv1d = _function("conv1d", Conv1D, "sequences")
conv2d = _function("conv2d", Conv2D, "images")
conv3d = _function("conv3d", Conv3D, "volumes")


def _transposed(name: str, layer: Callable[..., Any], what: str) -> Callable[..., Tensor]:
    def convolve(
        inputs: Any, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid",
        data_format: str = "channels_last", activation: Activation = None, use_bias: bool = True,
        kernel_initializer: Any = None, bias_initializer: Any = ZEROS, kernel_regularizer: Any = None,
        bias_regularizer: Any = None, activity_regularizer: Any = None, kernel_constraint: Any = None,
        bias_constraint: Any = None, trainable: bool = True, name: str | None = None, reuse: bool | None = None,
    ) -> Tensor:  # fmt: skip
        made = layer(
            filters, kernel_size, strides, padding, data_format, activation, use_bias, kernel_initializer,
            bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint,
            trainable, name, _scope=name, _reuse=reuse,
        )  # fmt: skip
        outputs: Tensor = made(inputs)
        return outputs

    convolve.__name__ = convolve.__qualname__ = name
    convolve.__doc__ = (
        f"Return a transposed convolution of {what} with variables `kernel` and `bias` in the scope `name`."
    )
    return convolve


conv2d_transpose = _transposed("conv2d_transpose", Conv2DTranspose, "images")
conv3d_transpose = _transposed("conv3d_transpose", Conv3DTranspose, "volumes")


def _separable(name: str, layer: Callable[..., Any], what: str) -> Callable[..., Tensor]:
    def convolve(
        inputs: Any, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid",
        data_format: str = "channels_last", dilation_rate: Any = 1, depth_multiplier: int = 1, activation: Activation = None,
        use_bias: bool = True, depthwise_initializer: Any = None, pointwise_initializer: Any = None,
        bias_initializer: Any = ZEROS, depthwise_regularizer: Any = None, pointwise_regularizer: Any = None,
        bias_regularizer: Any = None, activity_regularizer: Any = None, depthwise_constraint: Any = None,
        pointwise_constraint: Any = None, bias_constraint: Any = None, trainable: bool = True, name: str | None = None,
        reuse: bool | None = None,
    ) -> Tensor:  # fmt: skip
        made = layer(
            filters, kernel_size, strides, padding, data_format, dilation_rate, depth_multiplier, activation, use_bias,
            depthwise_initializer, pointwise_initializer, bias_initializer, depthwise_regularizer, pointwise_regularizer,
            bias_regularizer, activity_regularizer, depthwise_constraint, pointwise_constraint, bias_constraint, trainable,
            name, _scope=name, _reuse=reuse,
        )  # fmt: skip
        outputs: Tensor = made(inputs)
        return outputs

    convolve.__name__ = convolve.__qualname__ = name
    convolve.__doc__ = f"""Return a separable convolution of {what}.

    Its variables are `depthwise_kernel`, `pointwise_kernel` and `bias` in the scope `name`.
    """
    return convolve


separable_conv1d = _separable("separable_conv1d", SeparableConv1D, "sequences")
separable_conv2d = _separable("separable_conv2d", SeparableConv2D, "images")
