"""Convolutions of volumes, and their gradients: a matrix product for each element of the window."""

from __future__ import annotations

from typing import Any

from ...devices.types import Array, Namespace
from ..array.shape_ops import shape
from ..core import dtypes, shapes
from ..core.convert import convert_to_tensor
from ..core.errors import InvalidArgumentError
from ..core.graph import get_default_graph
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.shape_rules import constant_value_as_shape
from ..core.shapes import Shape
from ..math.declare import FLOATING
from ..math.matmul import product_of
from .axes import check_axes, check_gradient, for_all_axes, one_of
from .volume_windows import Box, around, box_of, from_last, output_dims, padded, to_last, unpadded
from .windows import check_depths

_ONES = {"dilations": [1, 1, 1, 1, 1]}


def wide(x: Array) -> Array:
    """Return arrays of two-byte floats as float32, for exact enough sums, and others as they are."""
    return x.astype("f4") if x.dtype.itemsize == 2 else x


def _attrs(strides: Any, padding: str, data_format: str, dilations: Any) -> dict[str, Any]:
    return {"strides": strides, "padding": padding, "data_format": data_format, "dilations": dilations}


def _box(volumes: Array, filters_shape: Any, attrs: dict[str, Any]) -> Box:
    if len(volumes.shape) != 5 or len(filters_shape) != 5:
        raise InvalidArgumentError(
            None, None, f"input and filter must be 5-dimensional: {list(volumes.shape)}, {list(filters_shape)}"
        )
    if volumes.shape[4] != filters_shape[3]:
        raise InvalidArgumentError(
            None,
            None,
            f"input depth must be evenly divisible by filter depth: {volumes.shape[4]} vs {filters_shape[3]}",
        )
    return box_of(volumes.shape[1:4], filters_shape[:3], attrs)


def _conv_shape(node: Operation) -> Shape:
    filters = shapes.with_rank(node.inputs[1].dims, 5)
    found = output_dims(node, node.inputs[0].dims, filters[:3], filters[4])
    check_depths(node.inputs[0].dims, filters[3], node.attrs["data_format"])
    return found


@op("Conv3D", types="input: T, filter: T -> output: T", T=FLOATING, shape=_conv_shape, defaults=_ONES)
def conv3d_op(
    xp: Namespace, input: Array, filter: Array, *, strides: list[int], padding: str, data_format: str = "NDHWC",
    dilations: list[int],
) -> Array:  # fmt: skip
    """Returns the convolution (correlation, as usual in this field) of volumes with filters."""
    volumes, filters = to_last(xp, wide(input), data_format), wide(filter)
    box = _box(volumes, filters.shape, _attrs(strides, padding, data_format, dilations))
    places = box.places(volumes.shape[1:4])
    outside = padded(xp, volumes, box)
    found = xp.zeros((volumes.shape[0], *places, filters.shape[4]), volumes.dtype)
    for offset, index in box.taps(places):
        found += product_of(xp, outside[index], filters[offset])
    return from_last(xp, found, data_format).astype(input.dtype, copy=False)


def _of_sizes(index: int) -> Any:
    def rule(node: Operation) -> Shape:
        check_axes(node)
        return shapes.with_rank(constant_value_as_shape(node.inputs[index]), 5)

    return rule


@op("Conv3DBackpropInputV2", types="input_sizes: Tshape, filter: T, out_backprop: T -> output: T", T=FLOATING,
    Tshape=dtypes.INDEX, shape=_of_sizes(0), host="input_sizes", defaults={**_ONES, "Tshape": dtypes.int32})  # fmt: skip
def conv3d_input_op(
    xp: Namespace, input_sizes: Array, filter: Array, out_backprop: Array, *, strides: list[int], padding: str,
    data_format: str = "NDHWC", dilations: list[int],
) -> Array:  # fmt: skip
    """Returns the gradient of a convolution by its volumes."""
    dy, filters = to_last(xp, wide(out_backprop), data_format), wide(filter)
    sizes = [int(size) for size in input_sizes]
    lengths = sizes[2:] if data_format == "NCDHW" else sizes[1:4]
    box = box_of(lengths, filters.shape[:3], _attrs(strides, padding, data_format, dilations))
    last = (sizes[0], *lengths, sizes[1 if data_format == "NCDHW" else 4])
    check_gradient(last, filters.shape, dy.shape, box.places(lengths))
    made = xp.zeros((sizes[0], *around(box, lengths), filters.shape[3]), dy.dtype)
    for offset, index in box.taps(dy.shape[1:4]):
        made[index] += product_of(xp, dy, filters[offset].T)
    inside = xp.ascontiguousarray(unpadded(made, box, lengths))
    return from_last(xp, inside, data_format).astype(filter.dtype, copy=False)


@op("Conv3DBackpropFilterV2", types="input: T, filter_sizes: int32, out_backprop: T -> output: T", T=FLOATING,
    shape=_of_sizes(1), host="filter_sizes", defaults=_ONES)  # fmt: skip
def conv3d_filter_op(
    xp: Namespace, input: Array, filter_sizes: Array, out_backprop: Array, *, strides: list[int], padding: str,
    data_format: str = "NDHWC", dilations: list[int],
) -> Array:  # fmt: skip
    """Returns the gradient of a convolution by its filters."""
    volumes, dy = (to_last(xp, wide(array), data_format) for array in (input, out_backprop))
    sizes = tuple(int(size) for size in filter_sizes)
    box = _box(volumes, sizes, _attrs(strides, padding, data_format, dilations))
    check_gradient(volumes.shape, sizes, dy.shape, box.places(volumes.shape[1:4]))
    outside, gradient = padded(xp, volumes, box), dy.reshape(-1, sizes[4])
    found = xp.empty(sizes, dy.dtype)
    for offset, index in box.taps(dy.shape[1:4]):
        found[offset] = product_of(xp, outside[index].reshape(-1, sizes[3]).T, gradient)
    return found.astype(input.dtype, copy=False)


def _same(op: Operation) -> dict[str, Any]:
    return {name: op.attrs[name] for name in ("strides", "padding", "data_format", "dilations")}


@conv3d_op.gradient
def _conv3d_gradient(op: Operation, dy: Tensor) -> list[Tensor]:
    volumes, filters = op.inputs
    return [
        conv3d_input_op(shape(volumes), filters, dy, **_same(op)),
        conv3d_filter_op(volumes, shape(filters), dy, **_same(op)),
    ]


@conv3d_input_op.gradient
def _conv3d_input_gradient(op: Operation, dx: Tensor) -> list[Tensor | None]:
    _, filters, dy = op.inputs
    return [None, conv3d_filter_op(dx, shape(filters), dy, **_same(op)), conv3d_op(dx, filters, **_same(op))]


@conv3d_filter_op.gradient
def _conv3d_filter_gradient(op: Operation, df: Tensor) -> list[Tensor | None]:
    volumes, _, dy = op.inputs
    return [conv3d_input_op(shape(volumes), df, dy, **_same(op)), None, conv3d_op(volumes, df, **_same(op))]


def five(value: Any, data_format: str | None, what: str = "strides") -> list[int]:
    """Return a number, or one for each of three axes, as a list with one for each of five."""
    return for_all_axes(value, 3, data_format or "NDHWC", what)


def conv3d(
    input: Any, filter: Any = None, strides: Any = None, padding: Any = None, data_format: str = "NDHWC",
    dilations: Any = (1, 1, 1, 1, 1), name: str | None = None, filters: Any = None,
) -> Tensor:  # fmt: skip
    """Return the convolution of volumes with filters.

    Args:
      input: (batch, depth, height, width, channels), or for 'NCDHW' channels second.
      filter: (depth, height, width, channels in, channels out).
      strides, dilations: a number, three, or five of them. padding: 'SAME' or 'VALID'.
    """
    layout = data_format or "NDHWC"
    return conv3d_op(  # type: ignore[no-any-return]
        input, one_of(filter, filters, "filter", "filters"), strides=five(strides, layout), padding=padding,
        data_format=layout, dilations=five(dilations or 1, layout), name=name,
    )  # fmt: skip


def conv3d_transpose(
    value: Any, filter: Any = None, output_shape: Any = None, strides: Any = None, padding: str = "SAME",
    data_format: str = "NDHWC", name: str | None = None, input: Any = None, filters: Any = None, dilations: Any = None,
) -> Tensor:  # fmt: skip
    """Return the transpose of `conv3d`: volumes of `output_shape` that would have given `value`.

    Args:
      value: as `conv3d`'s result. filter: (depth, height, width, channels out, channels in).
    """
    layout = data_format or "NDHWC"
    with get_default_graph().name_scope(name or "conv3d_transpose") as scope:
        return conv3d_input_op(  # type: ignore[no-any-return]
            convert_to_tensor(output_shape, name="output_shape"), one_of(filter, filters, "filter", "filters"),
            one_of(value, input, "value", "input"), strides=five(strides, layout), padding=padding, data_format=layout,
            dilations=five(dilations or 1, layout), name=scope,
        )  # fmt: skip


def conv3d_backprop_filter(
    input: Any, filter_sizes: Any, out_backprop: Any, strides: Any, padding: str, data_format: str = "NDHWC",
    dilations: Any = (1, 1, 1, 1, 1), name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return the gradient of `conv3d` by its filters, of shape `filter_sizes`."""
    return conv3d_filter_op(  # type: ignore[no-any-return]
        input, filter_sizes, out_backprop, strides=list(strides), padding=padding, data_format=data_format,
        dilations=list(dilations), name=name,
    )  # fmt: skip
