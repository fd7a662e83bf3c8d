"""Convolutions composed of the ops: of sequences, transposed, separable, dilated, and of any number of dimensions.

Dilation is an attribute of the convolutions here where TensorFlow's kernels know it, too; those of single channels ignore
it, so there pixels are moved into the batch and back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..array.concat import concat
from ..array.reshape import expand_dims, squeeze
from ..array.shape_ops import shape
from ..core.convert import convert_to_tensor
from ..core.graph import get_default_graph
from ..core.node import Tensor
from .axes import for_all_axes, one_of
from .conv import conv2d, conv2d_filter_op, conv2d_input_op, conv2d_op, padding_attrs, per_axis
from .conv3d import conv3d, conv3d_transpose
from .depthwise import depthwise_attrs, depthwise_op
from .dilated import with_dilation
from .windows import spatial

_SEQUENCES = {"NWC": "NHWC", "NHWC": "NHWC", "NCW": "NCHW", "NCHW": "NCHW"}


def image_format(data_format: str | None) -> str:
    """Return the format of images for one of sequences: 'NWC' or 'NCW'; ValueError for another."""
    try:
        return _SEQUENCES[data_format or "NWC"]
    except KeyError:
        raise ValueError(f'`data_format` must be "NWC" or "NCW". Received: data_format={data_format}') from None


def along_width(value: Any, layout: str) -> list[int]:
    """Return a number, one in a list, or three of them (one for each axis), as four, for images of height 1."""
    values = for_all_axes(value, 1, layout)
    values = [values[2 if layout == "NCHW" else 1]]
    return [1, 1, 1, *values] if layout == "NCHW" else [1, 1, *values, 1]


def conv1d(
    value: Any = None, filters: Any = None, stride: Any = None, padding: Any = None, use_cudnn_on_gpu: bool | None = None,
    data_format: str | None = None, name: str | None = None, input: Any = None, dilations: Any = None,
) -> Tensor:  # fmt: skip
    """Return the convolution of sequences with filters.

    Args:
      value: (batch, width, channels), or for 'NCW' (batch, channels, width).
      filters: (width, channels in, channels out).
      stride, dilations: a number, or three of them. padding: 'SAME' or 'VALID'.
    """
    layout = image_format(data_format)
    axis = 2 if layout == "NCHW" else 1
    with get_default_graph().name_scope(name or "conv1d") as scope:
        images = expand_dims(convert_to_tensor(one_of(value, input, "value", "input")), axis)
        found = conv2d_op(
            images, expand_dims(filters, 0), strides=along_width(stride, layout), data_format=layout,
            dilations=along_width(dilations or 1, layout), name=scope, **padding_attrs(padding),
        )  # fmt: skip
        return squeeze(found, [axis])


def conv1d_transpose(
    input: Any, filters: Any, output_shape: Any, strides: Any, padding: str = "SAME", data_format: str = "NWC",
    dilations: Any = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return the transpose of `conv1d`: sequences of `output_shape` that would have given `input`."""
    layout = image_format(data_format)
    axis = 2 if layout == "NCHW" else 1
    with get_default_graph().name_scope(name or "conv1d_transpose") as scope:
        images, flat = expand_dims(convert_to_tensor(input), axis), expand_dims(filters, 0)
        sizes = convert_to_tensor(output_shape)
        found = conv2d_input_op(
            concat([sizes[:axis], [1], sizes[axis:]], 0), flat, images, strides=along_width(strides, layout),
            padding=padding, data_format=layout, dilations=along_width(dilations or 1, layout), name=scope,
        )  # fmt: skip
        return squeeze(found, [axis])


def conv2d_transpose(
    value: Any = None, filter: Any = None, output_shape: Any = None, strides: Any = None, padding: Any = "SAME",
    data_format: str = "NHWC", name: str | None = None, input: Any = None, filters: Any = None, dilations: Any = None,
) -> Tensor:  # fmt: skip
    """Return the transpose of `conv2d`: images of `output_shape` that would have given `value`.

    Args:
      value: as `conv2d`'s result. filter: (height, width, channels out, channels in).
      strides, dilations: a number, two, or four of them. padding: 'SAME', 'VALID', or pairs of numbers for each axis.
    """
    with get_default_graph().name_scope(name or "conv2d_transpose") as scope:
        return conv2d_backprop_input(
            output_shape, one_of(filter, filters, "filter", "filters"), one_of(value, input, "value", "input"), strides, padding,
            data_format=data_format or "NHWC", dilations=dilations or 1, name=scope,
        )  # fmt: skip


def conv2d_backprop_input(
    input_sizes: Any, filter: Any = None, out_backprop: Any = None, strides: Any = None, padding: Any = None,
    use_cudnn_on_gpu: bool = True, data_format: str = "NHWC", dilations: Any = (1, 1, 1, 1), name: str | None = None,
    filters: Any = None,
) -> Tensor:  # fmt: skip
    """Return the gradient of `conv2d` by its images, of shape `input_sizes`."""
    return conv2d_input_op(  # type: ignore[no-any-return]
        input_sizes, one_of(filter, filters, "filter", "filters"), out_backprop, strides=per_axis(strides, data_format),
        use_cudnn_on_gpu=use_cudnn_on_gpu, data_format=data_format, dilations=per_axis(dilations, data_format), name=name,
        **padding_attrs(padding),
    )  # fmt: skip


def conv2d_backprop_filter(
    input: Any, filter_sizes: Any, out_backprop: Any, strides: Any, padding: Any, use_cudnn_on_gpu: bool = True,
    data_format: str = "NHWC", dilations: Any = (1, 1, 1, 1), name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return the gradient of `conv2d` by its filters, of shape `filter_sizes`."""
    return conv2d_filter_op(  # type: ignore[no-any-return]
        input, filter_sizes, out_backprop, strides=per_axis(strides, data_format), use_cudnn_on_gpu=use_cudnn_on_gpu,
        data_format=data_format, dilations=per_axis(dilations, data_format), name=name, **padding_attrs(padding),
    )  # fmt: skip


def conv_transpose(
    input: Any, filters: Any, output_shape: Any, strides: Any, padding: str = "SAME", data_format: str | None = None,
    dilations: Any = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return the transpose of a convolution of sequences, images or volumes, by the length of `output_shape`."""
    sizes = convert_to_tensor(output_shape)
    count = None if sizes.dims is None else sizes.dims[0]
    name = name or "conv_transpose"
    if count == 3:
        return conv1d_transpose(input, filters, sizes, strides, padding, data_format or "NWC", dilations, name)
    if count == 4:
        return conv2d_transpose(
            input, filters, sizes, strides, padding, data_format or "NHWC", name, dilations=dilations
        )
    if count == 5:
        return conv3d_transpose(
            input, filters, sizes, strides, padding, data_format or "NDHWC", name, dilations=dilations
        )
    raise ValueError(f"output_shape must have 3, 4 or 5 entries, not {count}")


def depthwise_conv2d(
    input: Any, filter: Any, strides: Any, padding: Any, rate: Any = None, name: str | None = None,
    data_format: str | None = None, dilations: Any = None,
) -> Tensor:  # fmt: skip
    """Return the convolution of each channel of images with its own filters.

    Args:
      input: (batch, height, width, channels), or for 'NCHW' channels second.
      filter: (height, width, channels, multiplier).
      strides: four numbers. rate, dilations: two numbers, the dilation of rows and columns.

    Returns:
      Images of `channels * multiplier` channels, those of one channel beside each other.
    """
    layout = data_format or "NHWC"
    chosen = rate if dilations is None else dilations
    rates = list(spatial(per_axis(1 if chosen is None else chosen, layout), layout))
    _check_rates(rates)
    with get_default_graph().name_scope(name or "depthwise") as scope:
        images, filters = convert_to_tensor(input, name="tensor_in"), convert_to_tensor(filter, name="filter_in")
        if max(rates) == 1:
            attrs = depthwise_attrs(strides, padding, layout, 1)
            return depthwise_op(images, filters, name=scope, **attrs)  # type: ignore[no-any-return]
        if max(per_axis(strides, layout)) > 1:
            raise ValueError("strides > 1 not supported in conjunction with dilation_rate > 1")
        attrs = depthwise_attrs(1, "VALID", layout, 1)
        return with_dilation(
            images, rates, layout == "NCHW", _padding_in_all(filters, rates, padding),
            lambda moved: depthwise_op(moved, filters, name=scope, **attrs),
        )  # fmt: skip


def _check_rates(rates: Sequence[int]) -> None:
    if min(rates) < 1:
        raise ValueError(f"all values of dilation_rate must be positive, got {list(rates)}")


def _padding_in_all(filters: Tensor, rates: list[int], padding: str) -> Any:
    """Return how many zeros a dilated convolution needs along rows and columns: an array, or a tensor for unknown filters."""
    if padding == "VALID":
        return np.zeros(2, np.int32)
    if padding != "SAME":
        raise ValueError(f"padding must be one of 'VALID' or 'SAME' where there is dilation, not {padding}")
    known = None if filters.dims is None else filters.dims[:2]
    size: Any = shape(filters)[:2] if known is None or None in known else np.array(known, np.int32)
    return (size - 1) * np.array(rates, np.int32)


def separable_conv2d(
    input: Any, depthwise_filter: Any, pointwise_filter: Any, strides: Any, padding: Any, rate: Any = None,
    name: str | None = None, data_format: str | None = None, dilations: Any = None,
) -> Tensor:  # fmt: skip
    """Return a depthwise convolution followed by one over the channels alone.

    Args:
      depthwise_filter: (height, width, channels, multiplier). pointwise_filter: (1, 1, channels * multiplier, channels out).
      The others are as in `depthwise_conv2d`.

    Raises:
      ValueError: when the pointwise filter is not of size 1 x 1.
    """
    layout = data_format or "NHWC"
    with get_default_graph().name_scope(name or "separable_conv2d") as scope:
        mixing = convert_to_tensor(pointwise_filter, name="pointwise_filter")
        if mixing.dims is not None and any(size not in (1, None) for size in mixing.dims[:2]):
            raise ValueError(f"pointwise_filter must have size 1 along its first two dimensions, not {mixing.shape}")
        spread = depthwise_conv2d(input, depthwise_filter, strides, padding, rate, "depthwise", layout, dilations)
        return conv2d_op(  # type: ignore[no-any-return]
            spread, mixing, strides=[1, 1, 1, 1], padding="VALID", data_format=layout, name=scope
        )


def atrous_conv2d(value: Any, filters: Any, rate: int, padding: str, name: str | None = None) -> Tensor:
    """Return the convolution of images with filters whose elements lie `rate` pixels apart; ValueError for less than 1."""
    _check_rates([rate])
    return conv2d(value, filters, 1, padding, dilations=rate, name=name or "convolution")


def atrous_conv2d_transpose(
    value: Any, filters: Any, output_shape: Any, rate: int, padding: str, name: str | None = None
) -> Tensor:
    """Return the transpose of `atrous_conv2d`: images of `output_shape` that would have given `value`."""
    name = name or "atrous_conv2d_transpose"
    return conv2d_transpose(value, filters, output_shape, 1, padding, name=name, dilations=rate)


def convolution(
    input: Any, filter: Any, padding: str, strides: Any = None, dilation_rate: Any = None, name: str | None = None,
    data_format: str | None = None, filters: Any = None, dilations: Any = None,
) -> Tensor:  # fmt: skip
    """Return the convolution of sequences, images or volumes with filters, by the rank of the filters.

    Args:
      input: (batch, 1 to 3 spatial dimensions, channels), or channels second for a format that begins with 'NC'.
      filter: (spatial dimensions, channels in, channels out).
      strides, dilation_rate: one number for each spatial dimension; only one of the two may exceed 1.

    Raises:
      ValueError: for another rank, or when both strides and dilations exceed 1.
    """
    kernel = convert_to_tensor(one_of(filter, filters, "filter", "filters"), name="filter")
    rank = _spatial_rank(kernel, strides, dilation_rate if dilations is None else dilations)
    if rank not in (1, 2, 3):
        raise ValueError(f"`filter` must have rank 3, 4 or 5, not {None if rank is None else rank + 2}")
    steps, rates = (
        _each(strides, rank, "strides"),
        _each(dilation_rate if dilations is None else dilations, rank, "dilations"),
    )
    if max(steps) > 1 and max(rates) > 1:
        raise ValueError("`strides > 1` not supported in conjunction with `dilations > 1`. "
                         f"Received: strides={steps} and dilations={rates}")  # fmt: skip
    name = name or "convolution"
    if rank == 1:
        return conv1d(input, kernel, steps[0], padding, None, data_format or "NWC", name, dilations=rates[0])
    if rank == 2:
        return conv2d(input, kernel, steps, padding, data_format=data_format or "NHWC", dilations=rates, name=name)
    return conv3d(input, kernel, steps, padding, data_format or "NDHWC", rates, name)


def _spatial_rank(kernel: Tensor, *values: Any) -> int | None:
    """Return the number of spatial dimensions, from the filters or else from numbers given for each; None if unknown."""
    if kernel.dims is not None:
        return len(kernel.dims) - 2
    return next((len(value) for value in values if isinstance(value, list | tuple)), None)


def _each(values: Any, rank: int, what: str) -> list[int]:
    given = [1] * rank if values is None else [values] * rank if isinstance(values, int) else [int(v) for v in values]
    if len(given) != rank or min(given) < 1:
        raise ValueError(f"`{what}` must be {rank} positive numbers, not {values}")
    return given
