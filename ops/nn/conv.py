"""Convolutions of images: one matrix product over gathered patches, the same in NumPy and CuPy.

The gradients are the op types that TensorFlow has for them, computed from the same patches.
"""

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
from .windows import Window, from_last, output_dims, padded, taps, to_last, unpadded, window_of

TYPES = (*FLOATING, dtypes.int32)


def _wide(x: Array) -> Array:
    return x.astype("f4") if x.dtype.itemsize == 2 and x.dtype.kind in "fV" else x


def _patches(xp: Namespace, images: Array, window: Window) -> Array:
    """Return what each place of the window sees: (batch, rows, columns, window rows * window columns * channels)."""
    rows, columns = window.outputs(images.shape[1], images.shape[2])
    around = padded(xp, images, window)
    parts = [around[index] for _, index in taps(window, rows, columns)]
    return xp.concatenate(parts, axis=3) if len(parts) > 1 else parts[0]


def _checked(images: Array, filters: Array) -> int:
    """Return how many groups of channels there are."""
    if images.ndim != 4 or filters.ndim != 4:
        raise InvalidArgumentError(
            None, None, f"input and filter must be 4-dimensional: {list(images.shape)}, {list(filters.shape)}"
        )
    if not filters.shape[2] or images.shape[3] % filters.shape[2]:
        raise InvalidArgumentError(
            None, None, f"input depth must be evenly divisible by filter depth: {images.shape[3]} vs {filters.shape[2]}"
        )
    return int(images.shape[3] // filters.shape[2])


def _forward(xp: Namespace, images: Array, filters: Array, window: Window) -> Array:
    patches = _patches(xp, images, window)
    flat = xp.matmul(patches.reshape(-1, patches.shape[3]), filters.reshape(-1, filters.shape[3]))
    return flat.reshape((*patches.shape[:3], filters.shape[3]))


def _grouped(xp: Namespace, images: Array, filters: Array, window: Window, groups: int) -> Array:
    if groups == 1:
        return _forward(xp, images, filters, window)
    depth, made = filters.shape[2], filters.shape[3] // groups
    parts = [
        _forward(xp, images[..., i * depth : (i + 1) * depth], filters[..., i * made : (i + 1) * made], window)
        for i in range(groups)
    ]
    return xp.concatenate(parts, axis=3)


def _conv_shape(node: Operation) -> Shape:
    images, filters = node.inputs[0].dims, shapes.with_rank(node.inputs[1].dims, 4)
    return output_dims(node, images, (filters[0], filters[1]), filters[3])


def _attrs(strides: Any, padding: str, explicit: Any, data_format: str, dilations: Any) -> dict[str, Any]:
    return {
        "strides": strides, "padding": padding, "explicit_paddings": explicit, "data_format": data_format,
        "dilations": dilations,
    }  # fmt: skip


@op("Conv2D", types="input: T, filter: T -> output: T", T=TYPES, shape=_conv_shape,
    defaults={"explicit_paddings": [], "dilations": [1, 1, 1, 1]})  # fmt: skip
def conv2d_op(
    xp: Namespace, input: Array, filter: Array, *, strides: list[int], use_cudnn_on_gpu: bool = True, padding: str,
    explicit_paddings: list[int], data_format: str = "NHWC", dilations: list[int],
) -> Array:  # fmt: skip
    """Returns the convolution (correlation, as usual in this field) of images with filters."""
    images, filters = to_last(xp, _wide(input), data_format), _wide(filter)
    groups = _checked(images, filters)
    attrs = _attrs(strides, padding, explicit_paddings, data_format, dilations)
    window = window_of(images.shape[1:3], filters.shape[:2], attrs)
    found = _grouped(xp, images, filters, window, groups)
    return from_last(xp, found, data_format).astype(input.dtype, copy=False)


def _of_sizes(index: int) -> Any:
    def rule(node: Operation) -> Shape:
        return shapes.with_rank(constant_value_as_shape(node.inputs[index]), 4)

    return rule


@op(
    "Conv2DBackpropInput", types="input_sizes: int32, filter: T, out_backprop: T -> output: T", T=TYPES, shape=_of_sizes(0),
    host="input_sizes", defaults={"explicit_paddings": [], "dilations": [1, 1, 1, 1]},
)  # fmt: skip
def conv2d_input_op(
    xp: Namespace, input_sizes: Array, filter: Array, out_backprop: Array, *, strides: list[int],
    use_cudnn_on_gpu: bool = True, padding: str, explicit_paddings: list[int], data_format: str = "NHWC",
    dilations: list[int],
) -> Array:  # fmt: skip
    """Returns the gradient of a convolution by its images."""
    dy, filters = to_last(xp, _wide(out_backprop), data_format), _wide(filter)
    batch, height, width, depth = _last_sizes(input_sizes, data_format)
    attrs = _attrs(strides, padding, explicit_paddings, data_format, dilations)
    window = window_of((height, width), filters.shape[:2], attrs)
    made = xp.zeros(_around(window, batch, height, width, depth), dy.dtype)
    groups = depth // filters.shape[2]
    inner, outer = filters.shape[2], filters.shape[3] // groups
    for (i, j), index in taps(window, dy.shape[1], dy.shape[2]):
        for g in range(groups):
            part = dy[..., g * outer : (g + 1) * outer]
            tap = filters[i, j, :, g * outer : (g + 1) * outer]
            made[(*index, slice(g * inner, (g + 1) * inner))] += xp.matmul(part, tap.T)
    inside = xp.ascontiguousarray(unpadded(made, window, height, width))
    return from_last(xp, inside, data_format).astype(filter.dtype, copy=False)


def _last_sizes(sizes: Array, data_format: str) -> tuple[int, int, int, int]:
    a, b, c, d = (int(size) for size in sizes)
    return (a, c, d, b) if data_format == "NCHW" else (a, b, c, d)


def _around(window: Window, batch: int, height: int, width: int, depth: int) -> tuple[int, int, int, int]:
    return (batch, height + sum(window.pads[0]), width + sum(window.pads[1]), depth)


@op(
    "Conv2DBackpropFilter", types="input: T, filter_sizes: int32, out_backprop: T -> output: T", T=FLOATING,
    shape=_of_sizes(1), host="filter_sizes", defaults={"explicit_paddings": [], "dilations": [1, 1, 1, 1]},
)  # fmt: skip
def conv2d_filter_op(
    xp: Namespace, input: Array, filter_sizes: Array, out_backprop: Array, *, strides: list[int],
    use_cudnn_on_gpu: bool = True, padding: str, explicit_paddings: list[int], data_format: str = "NHWC",
    dilations: list[int],
) -> Array:  # fmt: skip
    """Returns the gradient of a convolution by its filters."""
    images, dy = (to_last(xp, _wide(array), data_format) for array in (input, out_backprop))
    rows, columns, inner, total = (int(size) for size in filter_sizes)
    attrs = _attrs(strides, padding, explicit_paddings, data_format, dilations)
    window = window_of(images.shape[1:3], (rows, columns), attrs)
    groups = images.shape[3] // inner
    outer, parts = total // groups, []
    for g in range(groups):
        patches = _patches(xp, images[..., g * inner : (g + 1) * inner], window)
        gradient = dy[..., g * outer : (g + 1) * outer].reshape(-1, outer)
        parts.append(xp.matmul(patches.reshape(-1, patches.shape[3]).T, gradient).reshape(rows, columns, inner, outer))
    found = xp.concatenate(parts, axis=3) if groups > 1 else parts[0]
    return found.astype(input.dtype, copy=False)


def _same(op: Operation) -> dict[str, Any]:
    names = ("strides", "use_cudnn_on_gpu", "padding", "explicit_paddings", "data_format", "dilations")
    return {name: op.attrs[name] for name in names}


@conv2d_op.gradient
def _conv2d_gradient(op: Operation, dy: Tensor) -> list[Tensor]:
    images, filters = op.inputs
    return [
        conv2d_input_op(shape(images), filters, dy, **_same(op)),
        conv2d_filter_op(images, shape(filters), dy, **_same(op)),
    ]


@conv2d_input_op.gradient
def _conv2d_input_gradient(op: Operation, dx: Tensor) -> list[Tensor | None]:
    _, filters, dy = op.inputs
    return [None, conv2d_filter_op(dx, shape(filters), dy, **_same(op)), conv2d_op(dx, filters, **_same(op))]


@conv2d_filter_op.gradient
def _conv2d_filter_gradient(op: Operation, df: Tensor) -> list[Tensor | None]:
    images, _, dy = op.inputs
    return [conv2d_input_op(shape(images), df, dy, **_same(op)), None, conv2d_op(images, df, **_same(op))]


def per_axis(value: Any, data_format: str) -> list[int]:
    """Return a number, or one for rows and columns, as a list with one for each axis."""
    values = [value] * 2 if isinstance(value, int) else list(value)
    values = values * 2 if len(values) == 1 else values
    if len(values) == 4:
        return values
    return [1, 1, *values] if data_format == "NCHW" else [1, *values, 1]


def padding_attrs(padding: Any) -> dict[str, Any]:
    """Return the attributes that a padding by name, or by pairs of numbers, stands for."""
    if isinstance(padding, str):
        return {"padding": padding}
    return {"padding": "EXPLICIT", "explicit_paddings": [int(n) for pair in padding for n in pair]}


def conv2d(
    input: Any, filter: Any = None, strides: Any = None, padding: Any = None, use_cudnn_on_gpu: bool = True,
    data_format: str = "NHWC", dilations: Any = (1, 1, 1, 1), name: str | None = None, filters: Any = None,
) -> Tensor:  # fmt: skip
    """Return the convolution of images with filters.

    Args:
      input: images, (batch, height, width, channels) or for 'NCHW' (batch, channels, height, width).
      filter: (height, width, channels in, channels out).
      strides, dilations: a number, two, or four of them. padding: 'SAME', 'VALID', or pairs of numbers for each axis.
    """
    with get_default_graph().name_scope(name or "Conv2D") as scope:
        images = convert_to_tensor(input, name="input")
        return conv2d_op(  # type: ignore[no-any-return]
            images, filter if filters is None else filters, strides=per_axis(strides, data_format),
            use_cudnn_on_gpu=use_cudnn_on_gpu, data_format=data_format, dilations=per_axis(dilations, data_format),
            name=scope, **padding_attrs(padding),
        )  # fmt: skip
