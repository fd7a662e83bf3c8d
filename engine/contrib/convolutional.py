"""`tf.contrib.layers`: convolutions and pools, as functions that take arg_scopes; "SAME" is the padding by default.

Variables are called `weights` and `biases` in the layer's scope, and are model variables.
"""

from __future__ import annotations

from typing import Any

from ...ops.array import shape, stack, tile
from ...ops.core.convert import convert_to_tensor
from ...ops.core.node import Tensor
from ...ops.core.scopes import name_scope
from ...ops.nn import bias_add as add_bias
from ...ops.nn import conv2d_transpose as transposed
from ...ops.nn import conv3d_transpose as transposed_3d
from ...ops.nn import convolution as convolve
from ...ops.nn import depthwise_conv2d, relu
from ...ops.nn import pool as pool_of
from ...ops.nn import separable_conv2d as separable
from ...ops.variables.initializers import Zeros
from ...ops.variables.scope import variable_scope
from .arg_scope import add_arg_scope
from .initializers import xavier_initializer
from .outputs import activated, collect_named_outputs, get_variable_collections
from .variables import model_variable

_XAVIER = xavier_initializer()
_ZEROS = Zeros()
_FORMATS = {1: ("NWC", "NCW"), 2: ("NHWC", "NCHW"), 3: ("NDHWC", "NCDHW")}


def _many(value: Any, count: int) -> list[int]:
    found = [value] * count if isinstance(value, int) else [int(v) for v in value]
    if len(found) == 1:
        found *= count
    if len(found) != count:
        raise ValueError(f"expected an int or {count} of them, not {value}")
    return found


def _format(rank: int, data_format: str | None) -> str:
    known = _FORMATS[rank]
    if data_format not in (None, *known):
        raise ValueError(f"Invalid data_format: {data_format!r}, expected one of {known}")
    return data_format or known[0]


def _channels(tensor: Tensor, data_format: str) -> int:
    size = (tensor.dims or ())[data_format.index("C")] if tensor.dims else None
    if size is None:
        raise ValueError("The channel dimension of the inputs should be defined. Found `None`.")
    return size


class _Weights:
    """The variables of one layer: their options, as the caller gave them."""

    def __init__(self, dtype: Any, collections: Any, trainable: bool) -> None:
        self._dtype, self._collections, self._trainable = dtype, collections, trainable

    def make(self, name: str, sizes: list[int], initializer: Any, regularizer: Any) -> Any:
        """Return the model variable `name`."""
        return model_variable(
            name, shape=sizes, dtype=self._dtype, initializer=initializer, regularizer=regularizer, trainable=self._trainable,
            collections=get_variable_collections(self._collections, name),
        )  # fmt: skip

    def biased(self, outputs: Tensor, count: int, initializer: Any, regularizer: Any, data_format: str) -> Tensor:
        """Return the outputs plus a new variable `biases`."""
        biases = self.make("biases", [count], initializer, regularizer)
        layout = "NCHW" if data_format.startswith("NC") else "NHWC"
        return add_bias(outputs, biases, data_format=layout)


@add_arg_scope
def convolution(
    inputs: Any, num_outputs: int, kernel_size: Any, stride: Any = 1, padding: str = "SAME", data_format: str | None = None,
    rate: Any = 1, activation_fn: Any = relu, normalizer_fn: Any = None, normalizer_params: Any = None,
    weights_initializer: Any = _XAVIER, weights_regularizer: Any = None, biases_initializer: Any = _ZEROS,
    biases_regularizer: Any = None, reuse: Any = None, variables_collections: Any = None, outputs_collections: Any = None,
    trainable: bool = True, scope: Any = None, conv_dims: int | None = None,
) -> Tensor:  # fmt: skip
    """Return `activation_fn(convolution of the inputs + biases)`; with `normalizer_fn` it stands in for the biases.

    Args:
      inputs: sequences, images or volumes, in the layout of `data_format` (channels last by default).
      num_outputs: the number of output channels.
      kernel_size, stride, rate: an int, or one for each spatial dimension.
      padding: "SAME" or "VALID".
      conv_dims: the number of spatial dimensions that the inputs must have.

    Raises:
      ValueError: for inputs of another rank, and unknown layouts.
    """
    with variable_scope(scope, "Conv", [inputs], reuse=reuse) as opened:
        tensor = convert_to_tensor(inputs)
        rank = len(tensor.dims or ()) - 2
        if conv_dims is not None and rank != conv_dims:
            raise ValueError(f"Convolution expects input with rank {conv_dims + 2}, got {rank + 2}")
        if rank not in _FORMATS:
            raise ValueError("Convolution not supported for input with rank", rank + 2)
        layout = _format(rank, data_format)
        make = _Weights(tensor.dtype.base_dtype, variables_collections, trainable)
        sizes = [*_many(kernel_size, rank), _channels(tensor, layout), num_outputs]
        weights = make.make("weights", sizes, weights_initializer, weights_regularizer)
        outputs = convolve(
            tensor, weights, padding.upper(), strides=_many(stride, rank), dilation_rate=_many(rate, rank), data_format=layout,
            name=("Conv1D", "Conv2D", "Conv3D")[rank - 1],
        )  # fmt: skip
        if normalizer_fn is None and biases_initializer is not None:
            outputs = make.biased(outputs, num_outputs, biases_initializer, biases_regularizer, layout)
        outputs = activated(outputs, normalizer_fn, normalizer_params, activation_fn)
        return collect_named_outputs(outputs_collections, opened.name, outputs)


def _of_rank(rank: int) -> Any:
    def layer(*args: Any, **kwargs: Any) -> Tensor:
        return convolution(*args, **{**kwargs, "conv_dims": rank})  # type: ignore[no-any-return]

    layer.__name__ = layer.__qualname__ = f"convolution{rank}d"
    layer.__doc__ = f"Return `convolution(…)` of inputs with {rank} spatial dimensions."
    return add_arg_scope(layer)


convolution1d = conv1d = _of_rank(1)
convolution2d = conv2d = _of_rank(2)
convolution3d = conv3d = _of_rank(3)


def _transposing(rank: int) -> Any:
    def layer(
        inputs: Any, num_outputs: int, kernel_size: Any, stride: Any = 1, padding: str = "SAME",
        data_format: str = _FORMATS[rank][0], activation_fn: Any = relu, normalizer_fn: Any = None,
        normalizer_params: Any = None, weights_initializer: Any = _XAVIER, weights_regularizer: Any = None,
        biases_initializer: Any = _ZEROS, biases_regularizer: Any = None, reuse: Any = None, variables_collections: Any = None,
        outputs_collections: Any = None, trainable: bool = True, scope: Any = None,
    ) -> Tensor:  # fmt: skip
        with variable_scope(scope, f"Conv{rank}d_transpose", [inputs], reuse=reuse) as opened:
            tensor = convert_to_tensor(inputs)
            layout = _format(rank, data_format)
            kernel, steps = _many(kernel_size, rank), _many(stride, rank)
            make = _Weights(tensor.dtype.base_dtype, variables_collections, trainable)
            sizes = [*kernel, num_outputs, _channels(tensor, layout)]
            weights = make.make("weights", sizes, weights_initializer, weights_regularizer)
            wanted = _grown(tensor, kernel, steps, padding.upper(), num_outputs, layout)
            spread = [1, 1, *steps] if layout.startswith("NC") else [1, *steps, 1]
            outputs = _TRANSPOSED[rank](tensor, weights, wanted, spread, padding.upper(), data_format=layout)
            if normalizer_fn is None and biases_initializer is not None:
                outputs = make.biased(outputs, num_outputs, biases_initializer, biases_regularizer, layout)
            outputs = activated(outputs, normalizer_fn, normalizer_params, activation_fn)
            return collect_named_outputs(outputs_collections, opened.name, outputs)

    layer.__name__ = layer.__qualname__ = f"convolution{rank}d_transpose"
    what = "images" if rank == 2 else "volumes"
    layer.__doc__ = (
        f"Return `activation_fn(transposed convolution of {what} + biases)`; strides make the {what} larger."
    )
    return add_arg_scope(layer)


_TRANSPOSED = {2: transposed, 3: transposed_3d}
convolution2d_transpose = conv2d_transpose = _transposing(2)
convolution3d_transpose = conv3d_transpose = _transposing(3)


@add_arg_scope
def convolution2d_in_plane(
    inputs: Any, kernel_size: Any, stride: Any = 1, padding: str = "SAME", activation_fn: Any = relu,
    normalizer_fn: Any = None, normalizer_params: Any = None, weights_initializer: Any = _XAVIER,
    weights_regularizer: Any = None, biases_initializer: Any = _ZEROS, biases_regularizer: Any = None, reuse: Any = None,
    variables_collections: Any = None, outputs_collections: Any = None, trainable: bool = True, scope: Any = None,
) -> Tensor:  # fmt: skip
    """Return `activation_fn(convolution of each channel by itself + biases)`; one filter serves all channels."""
    with variable_scope(scope, "ConvInPlane", [inputs], reuse=reuse) as opened:
        tensor = convert_to_tensor(inputs)
        channels = _channels(tensor, "NHWC")
        make = _Weights(tensor.dtype.base_dtype, variables_collections, trainable)
        weights = make.make("weights", [*_many(kernel_size, 2), 1, 1], weights_initializer, weights_regularizer)
        filters = tile(weights, [1, 1, channels, 1])
        outputs = depthwise_conv2d(tensor, filters, [1, *_many(stride, 2), 1], padding.upper())
        if normalizer_fn is None and biases_initializer is not None:
            outputs = make.biased(outputs, channels, biases_initializer, biases_regularizer, "NHWC")
        outputs = activated(outputs, normalizer_fn, normalizer_params, activation_fn)
        return collect_named_outputs(outputs_collections, opened.name, outputs)


conv2d_in_plane = convolution2d_in_plane


def _grown(tensor: Tensor, kernel: list[int], steps: list[int], padding: str, channels: int, layout: str) -> Any:
    """Return the shape of what a transposed convolution gives."""
    dims, actual = list(tensor.dims or ()), None
    if None in dims:
        actual = shape(tensor)
    sizes: list[Any] = [actual[i] if d is None and actual is not None else d for i, d in enumerate(dims)]
    for letter, size, step in zip("DHW"[-len(kernel) :], kernel, steps, strict=True):
        axis = layout.index(letter)
        sizes[axis] = sizes[axis] * step + (max(size - step, 0) if padding == "VALID" else 0)
    sizes[layout.index("C")] = channels
    return sizes if actual is None else stack(sizes)


@add_arg_scope
def separable_convolution2d(
    inputs: Any, num_outputs: int | None, kernel_size: Any, depth_multiplier: int = 1, stride: Any = 1, padding: str = "SAME",
    data_format: str = "NHWC", rate: Any = 1, activation_fn: Any = relu, normalizer_fn: Any = None,
    normalizer_params: Any = None, weights_initializer: Any = _XAVIER, pointwise_initializer: Any = None,
    weights_regularizer: Any = None, biases_initializer: Any = _ZEROS, biases_regularizer: Any = None, reuse: Any = None,
    variables_collections: Any = None, outputs_collections: Any = None, trainable: bool = True, scope: Any = None,
) -> Tensor:  # fmt: skip
    """Return a convolution of each channel for itself, then one over the channels (left out when `num_outputs` is None)."""
    with variable_scope(scope, "SeparableConv2d", [inputs], reuse=reuse) as opened:
        tensor = convert_to_tensor(inputs)
        layout = _format(2, data_format)
        channels, kernel = _channels(tensor, layout), _many(kernel_size, 2)
        steps, rates = _many(stride, 2), _many(rate, 2)
        spread = [1, 1, *steps] if layout == "NCHW" else [1, *steps, 1]
        make = _Weights(tensor.dtype.base_dtype, variables_collections, trainable)
        depthwise = make.make(
            "depthwise_weights", [*kernel, channels, depth_multiplier], weights_initializer, weights_regularizer
        )
        if num_outputs is None:
            count = channels * depth_multiplier
            outputs = depthwise_conv2d(tensor, depthwise, spread, padding.upper(), rate=rates, data_format=layout)
        else:
            count = num_outputs
            pointwise = make.make(
                "pointwise_weights", [1, 1, channels * depth_multiplier, num_outputs],
                pointwise_initializer or weights_initializer, weights_regularizer,
            )  # fmt: skip
            outputs = separable(tensor, depthwise, pointwise, spread, padding.upper(), rate=rates, data_format=layout)
        if normalizer_fn is None and biases_initializer is not None:
            outputs = make.biased(outputs, count, biases_initializer, biases_regularizer, layout)
        outputs = activated(outputs, normalizer_fn, normalizer_params, activation_fn)
        return collect_named_outputs(outputs_collections, opened.name, outputs)


separable_conv2d = separable_convolution2d


@add_arg_scope
def pool(
    inputs: Any, kernel_size: Any, pooling_type: str, padding: str = "VALID", data_format: str | None = None,
    dilation_rate: Any = 1, stride: Any = 1, outputs_collections: Any = None, scope: Any = None,
) -> Tensor:  # fmt: skip
    """Return the greatest ("MAX") or mean ("AVG") element of each window, in 1 to 3 spatial dimensions."""
    with name_scope(scope, f"{pooling_type.lower()}_pool", [inputs]) as opened:
        tensor = convert_to_tensor(inputs)
        rank = len(tensor.dims or ()) - 2
        outputs = pool_of(
            tensor, _many(kernel_size, rank), pooling_type, padding.upper(), dilation_rate=_many(dilation_rate, rank),
            strides=_many(stride, rank), data_format=_format(rank, data_format),
        )  # fmt: skip
        return collect_named_outputs(outputs_collections, opened, outputs)


def _pooling(name: str, default: str, rank: int, kind: str) -> Any:
    layout = _format(rank, None)

    def layer(
        inputs: Any, kernel_size: Any, stride: Any = 2, padding: str = "VALID", data_format: str | None = layout,
        outputs_collections: Any = None, scope: Any = None,
    ) -> Tensor:  # fmt: skip
        with name_scope(scope, default, [inputs]) as opened:
            tensor = convert_to_tensor(inputs)
            outputs = pool_of(
                tensor, _many(kernel_size, rank), kind, padding.upper(), strides=_many(stride, rank),
                data_format=_format(rank, data_format),
            )  # fmt: skip
            return collect_named_outputs(outputs_collections, opened.removesuffix("/"), outputs)

    layer.__name__ = layer.__qualname__ = name
    what = "largest value" if kind == "MAX" else "mean"
    layer.__doc__ = (
        f"Return the {what} of each window over {rank} spatial dimensions; windows move by `stride`, 2 by default."
    )
    return add_arg_scope(layer)


max_pool2d = _pooling("max_pool2d", "MaxPool2D", 2, "MAX")
avg_pool2d = _pooling("avg_pool2d", "AvgPool2D", 2, "AVG")
max_pool3d = _pooling("max_pool3d", "MaxPool3D", 3, "MAX")
avg_pool3d = _pooling("avg_pool3d", "AvgPool3D", 3, "AVG")
