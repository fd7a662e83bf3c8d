"""Convolutions of images: the ops, and kernels that are one matrix product over gathered patches, for CuPy.

The gradients are the op types that TensorFlow has for them. On the CPU the same ops are computed block by block
(conv_cpu.py) or by oneDNN (conv_onednn.py). `forward`, `by_input` and `by_filter` take channels-last arrays, already wide
enough to compute with, and a Window; `Engine` is what a device offers of the three.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ...devices.types import Array, Empty, Namespace
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
from . import conv_cpu
from .axes import check_axes, check_gradient, for_all_axes, one_of
from .windows import Window, check_depths, from_last, output_dims, padded, taps, to_last, unpadded, window_of

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


@dataclass(frozen=True)
class Engine:
    """How a kind of device convolves one group of channels; each function gets the array namespace first."""

    forward: Callable[..., Array]
    by_input: Callable[..., Array]
    by_filter: Callable[..., Array]


def _forward(xp: Namespace, images: Array, filters: Array, window: Window) -> Array:
    patches = _patches(xp, images, window)
    flat = xp.matmul(patches.reshape(-1, patches.shape[3]), filters.reshape(-1, filters.shape[3]))
    return flat.reshape((*patches.shape[:3], filters.shape[3]))


def _by_input(xp: Namespace, filters: Array, dy: Array, window: Window, height: int, width: int) -> Array:
    around = (height + sum(window.pads[0]), width + sum(window.pads[1]))
    made = xp.zeros((dy.shape[0], *around, filters.shape[2]), dy.dtype)
    for (i, j), index in taps(window, dy.shape[1], dy.shape[2]):
        made[index] += xp.matmul(dy, filters[i, j].T)
    return xp.ascontiguousarray(unpadded(made, window, height, width))


def _by_filter(xp: Namespace, images: Array, dy: Array, window: Window) -> Array:
    patches = _patches(xp, images, window)
    made = xp.matmul(patches.reshape(-1, patches.shape[3]).T, dy.reshape(-1, dy.shape[3]))
    return made.reshape((*window.size, images.shape[3], dy.shape[3]))


BY_PATCHES = Engine(_forward, _by_input, _by_filter)
IN_BLOCKS = Engine(
    lambda xp, *args: conv_cpu.forward(*args), lambda xp, *args: conv_cpu.image_gradient(*args),
    lambda xp, *args: conv_cpu.filter_gradient(*args),
)  # fmt: skip


def _split(xp: Namespace, array: Array, groups: int) -> list[Array]:
    """Return the groups of an array's channels, which are its last axis."""
    size = array.shape[3] // groups
    return [array[..., i * size : (i + 1) * size] for i in range(groups)] if groups > 1 else [array]


def _joined(xp: Namespace, parts: list[Array]) -> Array:
    return xp.concatenate(parts, axis=3) if len(parts) > 1 else parts[0]


def in_one_piece(input: Array, filter: Array, attrs: dict[str, Any]) -> bool:
    """Tell whether a convolution's result needs neither be joined nor turned."""
    return bool(attrs["data_format"] == "NHWC" and _checked(input, filter) == 1)


def convolve(xp: Namespace, input: Array, filter: Array, attrs: dict[str, Any], engine: Engine, *given: Any) -> Array:
    """Return the convolution of images with filters, in the format that the attributes name.

    `given` is passed on to the engine if the result comes in one piece: what gives its memory, a bias, and whether relu follows.
    """
    images, filters = to_last(xp, _wide(input), attrs["data_format"]), _wide(filter)
    groups = _checked(images, filters)
    window = window_of(images.shape[1:3], filters.shape[:2], attrs)
    pairs = zip(_split(xp, images, groups), _split(xp, filters, groups), strict=True)
    more = given if groups == 1 and attrs["data_format"] == "NHWC" else ()
    found = _joined(xp, [engine.forward(xp, image, part, window, *more) for image, part in pairs])
    return from_last(xp, found, attrs["data_format"]).astype(input.dtype, copy=False)


def convolve_input(
    xp: Namespace,
    sizes: Array,
    filter: Array,
    out_backprop: Array,
    attrs: dict[str, Any],
    engine: Engine,
    *empty: Empty,
) -> Array:
    """Return the gradient of a convolution by its images, whose shape is `sizes`."""
    dy, filters = to_last(xp, _wide(out_backprop), attrs["data_format"]), _wide(filter)
    last = last_sizes(sizes, attrs["data_format"])
    _, height, width, depth = last
    window = window_of((height, width), filters.shape[:2], attrs)
    check_gradient(last, filters.shape, dy.shape, window.outputs(height, width))
    groups = depth // filters.shape[2]
    pairs = zip(_split(xp, filters, groups), _split(xp, dy, groups), strict=True)
    more = (height, width, *(empty if groups == 1 and attrs["data_format"] == "NHWC" else ()))
    found = _joined(xp, [engine.by_input(xp, part, gradient, window, *more) for part, gradient in pairs])
    return from_last(xp, found, attrs["data_format"]).astype(filter.dtype, copy=False)


def convolve_filter(
    xp: Namespace, input: Array, sizes: Array, out_backprop: Array, attrs: dict[str, Any], engine: Engine
) -> Array:
    """Return the gradient of a convolution by its filters, whose shape is `sizes`."""
    images, dy = (to_last(xp, _wide(array), attrs["data_format"]) for array in (input, out_backprop))
    rows, columns, inner, made = (int(size) for size in sizes)
    window = window_of(images.shape[1:3], (rows, columns), attrs)
    check_gradient(images.shape, (rows, columns, inner, made), dy.shape, window.outputs(*images.shape[1:3]))
    groups = images.shape[3] // inner
    pairs = zip(_split(xp, images, groups), _split(xp, dy, groups), strict=True)
    found = _joined(xp, [engine.by_filter(xp, image, gradient, window) for image, gradient in pairs])
    return found.astype(input.dtype, copy=False)


def _conv_shape(node: Operation) -> Shape:
    images, filters = node.inputs[0].dims, shapes.with_rank(node.inputs[1].dims, 4)
    found = output_dims(node, images, (filters[0], filters[1]), filters[3])
    check_depths(images, filters[2], node.attrs["data_format"])
    return found


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
    attrs = _attrs(strides, padding, explicit_paddings, data_format, dilations)
    return convolve(xp, input, filter, attrs, BY_PATCHES)


def conv2d_into(xp: Namespace, empty: Empty, input: Array, filter: Array, **attrs: Any) -> Array:
    """Convolve block by block into memory that `empty` gives."""
    return convolve(xp, input, filter, attrs, IN_BLOCKS, empty)


@conv2d_op.kernel("CPU", label="conv2d in blocks", into=conv2d_into)
def conv2d_cpu(xp: Namespace, input: Array, filter: Array, **attrs: Any) -> Array:
    """Convolve block by block."""
    return convolve(xp, input, filter, attrs, IN_BLOCKS)


def _of_sizes(index: int) -> Any:
    def rule(node: Operation) -> Shape:
        check_axes(node)
        if index == 0 and node.inputs[1].dims is not None and node.inputs[2].dims is not None:
            channels = 1 if node.attrs["data_format"] == "NCHW" else -1
            shapes.merge_dim(node.inputs[2].dims[channels], node.inputs[1].dims[-1])
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
    attrs = _attrs(strides, padding, explicit_paddings, data_format, dilations)
    return convolve_input(xp, input_sizes, filter, out_backprop, attrs, BY_PATCHES)


def _conv2d_input_into(
    xp: Namespace, empty: Empty, input_sizes: Array, filter: Array, out_backprop: Array, **attrs: Any
) -> Array:
    return convolve_input(xp, input_sizes, filter, out_backprop, attrs, IN_BLOCKS, empty)


@conv2d_input_op.kernel("CPU", label="conv2d's image gradient in blocks", into=_conv2d_input_into)
def conv2d_input_cpu(xp: Namespace, input_sizes: Array, filter: Array, out_backprop: Array, **attrs: Any) -> Array:
    """Compute the gradient by the images block by block."""
    return convolve_input(xp, input_sizes, filter, out_backprop, attrs, IN_BLOCKS)


def last_sizes(sizes: Array, data_format: str) -> tuple[int, int, int, int]:
    """Return the shape of images as numbers, with the channels last."""
    a, b, c, d = (int(size) for size in sizes)
    return (a, c, d, b) if data_format == "NCHW" else (a, b, c, d)


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
    attrs = _attrs(strides, padding, explicit_paddings, data_format, dilations)
    return convolve_filter(xp, input, filter_sizes, out_backprop, attrs, BY_PATCHES)


@conv2d_filter_op.kernel("CPU", label="conv2d's filter gradient in blocks")
def conv2d_filter_cpu(xp: Namespace, input: Array, filter_sizes: Array, out_backprop: Array, **attrs: Any) -> Array:
    """Compute the gradient by the filters block by block."""
    return convolve_filter(xp, input, filter_sizes, out_backprop, attrs, IN_BLOCKS)


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


def per_axis(value: Any, data_format: str, what: str = "strides") -> list[int]:
    """Return a number, or one for rows and columns, as a list with one for each axis."""
    return for_all_axes(value, 2, data_format, what)


def padding_attrs(padding: Any) -> dict[str, Any]:
    """Return the attributes that a padding by name, or by pairs of numbers, stands for."""
    if isinstance(padding, str):
        return {"padding": padding}
    if padding is None:
        raise TypeError("Expected string for argument 'padding' not None.")
    for i, pair in enumerate(padding):
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise ValueError(
                "When padding is a list, each element of padding must be a list/tuple of size 2. "
                f"Element with index {i} of padding is {pair!r}"
            )
    if len(padding) != 4:
        raise ValueError(f"When padding is a list, it must be of size 4. Got padding of size: {len(padding)}")
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
            images, one_of(filter, filters, "filter", "filters"), strides=per_axis(strides, data_format),
            use_cudnn_on_gpu=use_cudnn_on_gpu, data_format=data_format, dilations=per_axis(dilations, data_format),
            name=scope, **padding_attrs(padding),
        )  # fmt: skip
