"""Sliding windows over images: sizes and padding of convolutions and pools, and the patches that they see.

Kernels work on channels-last arrays; channels-first ones are turned on the way in and out. Padding is TensorFlow's:
'SAME' puts the odd row or column at the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...devices.types import Array, Namespace
from ..core.errors import InvalidArgumentError
from ..core.node import Operation
from ..core.shapes import Shape
from .axes import check_axes, check_fits


@dataclass(frozen=True)
class Window:
    """A window along rows and columns: its size, step, dilation, and the padding before and after."""

    size: tuple[int, int]
    strides: tuple[int, int]
    dilations: tuple[int, int]
    pads: tuple[tuple[int, int], tuple[int, int]]

    def outputs(self, height: int, width: int) -> tuple[int, int]:
        """Return how many places the window takes along each axis."""
        found = []
        for i, length in enumerate((height, width)):
            span = (self.size[i] - 1) * self.dilations[i] + 1
            found.append(max((length + sum(self.pads[i]) - span) // self.strides[i] + 1, 0))
        return found[0], found[1]


def spatial(values: Any, data_format: str) -> tuple[int, int]:
    """Return the entries for rows and columns of a list with one for each axis."""
    if len(values) != 4:
        raise ValueError(f"Expected 4 values, one for each axis, got {list(values)}")
    return (values[2], values[3]) if data_format == "NCHW" else (values[1], values[2])


def padding_of(
    padding: str, explicit: Any, data_format: str, lengths: Any, size: Any, strides: Any, dilations: Any
) -> Any:
    """Return ((before, after), (before, after)) for rows and columns."""
    if padding == "EXPLICIT":
        pairs = [(explicit[2 * i], explicit[2 * i + 1]) for i in range(4)]
        return spatial(pairs, data_format)
    if padding == "VALID":
        return ((0, 0), (0, 0))
    found = []
    for length, extent, stride, dilation in zip(lengths, size, strides, dilations, strict=True):
        span = (extent - 1) * dilation + 1
        total = max((-(-length // stride) - 1) * stride + span - length, 0)
        found.append((total // 2, total - total // 2))
    return tuple(found)


def window_of(lengths: Any, size: Any, attrs: dict[str, Any]) -> Window:
    """Return the window that the attributes of a convolution or a pool describe, over `lengths` rows and columns."""
    data_format = attrs.get("data_format", "NHWC")
    strides = spatial(attrs["strides"], data_format)
    dilations = spatial(attrs.get("dilations", (1, 1, 1, 1)), data_format)
    pads = padding_of(
        attrs["padding"], attrs.get("explicit_paddings", ()), data_format, lengths, size, strides, dilations
    )
    window = Window(tuple(size), strides, dilations, pads)
    for i, length in enumerate(lengths):
        span = (window.size[i] - 1) * dilations[i] + 1
        if length and length + sum(pads[i]) - span <= -2 * strides[i]:
            raise InvalidArgumentError(
                None, None, f"Computed output size would be negative: {(length + sum(pads[i]) - span) // strides[i] + 1} "
                f"[input_size: {length}, effective_filter_size: {span}, stride: {strides[i]}]",
            )  # fmt: skip
    return window


def to_last(xp: Namespace, images: Array, data_format: str) -> Array:
    """Return images with channels last."""
    return xp.transpose(images, (0, 2, 3, 1)) if data_format == "NCHW" else images


def from_last(xp: Namespace, images: Array, data_format: str) -> Array:
    """Return images with channels last in the format asked for."""
    return xp.ascontiguousarray(xp.transpose(images, (0, 3, 1, 2))) if data_format == "NCHW" else images


def padded(xp: Namespace, images: Array, window: Window, value: Any = 0) -> Array:
    """Return images with the window's padding around them."""
    if window.pads == ((0, 0), (0, 0)):
        return images
    return xp.pad(images, ((0, 0), *window.pads, (0, 0)), constant_values=value)


def taps(window: Window, rows: int, columns: int) -> Any:
    """Yield ((i, j), index) for each element of the window: the slice of padded images that it meets, one a place."""
    for i in range(window.size[0]):
        for j in range(window.size[1]):
            (d0, d1), (down, right) = window.dilations, window.strides
            yield (i, j), (slice(None), _steps(i * d0, down, rows), _steps(j * d1, right, columns))


def _steps(first: int, step: int, count: int) -> slice:
    return slice(first, first + (count - 1) * step + 1 if count else first, step)


def unpadded(images: Array, window: Window, height: int, width: int) -> Array:
    """Return what lies inside the padding."""
    (top, _), (left, _) = window.pads
    return images[:, top : top + height, left : left + width]


def output_dims(node: Operation, dims: Shape, size: tuple[int | None, int | None], channels: int | None) -> Shape:
    """Return the static shape of a window's results over images of static shape `dims` (in the node's format)."""
    data_format = node.attrs.get("data_format", "NHWC")
    if len(node.attrs["strides"]) != 4:
        raise ValueError(f"Expected 4 values, one for each axis, got {list(node.attrs['strides'])}")
    check_axes(node)
    _check_paddings(node.attrs["padding"], node.attrs.get("explicit_paddings", ()))
    if dims is None:
        return (None, channels, None, None) if data_format == "NCHW" else (None, None, None, channels)
    if len(dims) != 4:
        raise ValueError(f"Shape must be rank 4 but is rank {len(dims)}")
    found = [_places(node, i, spatial(dims, data_format)[i], size[i]) for i in (0, 1)]
    return (dims[0], channels, *found) if data_format == "NCHW" else (dims[0], *found, channels)


def _check_paddings(padding: str, explicit: Any) -> None:
    """Raise ValueError where the two attributes that tell of padding do not fit each other."""
    if padding == "EXPLICIT" and len(explicit) != 8:
        raise ValueError(f"explicit_paddings attribute must contain 8 values, but got: {len(explicit)}")
    if padding != "EXPLICIT" and len(explicit):
        raise ValueError("explicit_paddings attribute must be empty if the padding attribute is not EXPLICIT")


def check_depths(images: Shape, filter_depth: int | None, data_format: str) -> None:
    """Raise ValueError where the images' depth is known to be no multiple of the filters' (a multiple makes groups)."""
    if images is None or not filter_depth:
        return
    depth = images[1 if data_format.startswith("NC") else -1]
    if depth is not None and depth % filter_depth:
        raise ValueError(f"Depth of input ({depth}) is not a multiple of input depth of filter ({filter_depth})")


def _places(node: Operation, i: int, length: int | None, size: int | None) -> int | None:
    if length is None:
        return None
    if size is None:
        if node.attrs["padding"] != "SAME":
            return None
        # Results stand as close as the strides say, whatever the window.
        size = 1
    check_fits(node.attrs["padding"], length + _padded_by(node.attrs, i), size, _along(node.attrs, "dilations", i))
    return window_of((length, length), (size, size), node.attrs).outputs(length, length)[i]


def _along(attrs: dict[str, Any], name: str, i: int) -> int:
    return int(spatial(attrs.get(name, (1, 1, 1, 1)), attrs.get("data_format", "NHWC"))[i])


def _padded_by(attrs: dict[str, Any], i: int) -> int:
    """Return how many zeros explicit padding puts around rows (0) or columns (1)."""
    pairs = attrs.get("explicit_paddings") or (0,) * 8
    return _along({"pairs": [pairs[2 * k] + pairs[2 * k + 1] for k in range(4)], **attrs}, "pairs", i)
