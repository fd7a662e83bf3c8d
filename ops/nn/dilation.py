"""Grey-scale morphology: the greatest, or the least, sum of a pixel and a filter's value in each window of images."""

from __future__ import annotations

from typing import Any

from ...devices.types import Array, Namespace
from ..array.transpose import reverse
from ..core import shapes
from ..core.graph import get_default_graph
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.shapes import Shape
from ..math.declare import REAL
from ..math.reductions import lowest
from ..math.unary import negative
from .axes import one_of
from .windows import Window, output_dims, padded, taps, unpadded, window_of


def _attrs(strides: Any, rates: Any, padding: str) -> dict[str, Any]:
    return {"strides": strides, "dilations": rates, "padding": padding, "data_format": "NHWC"}


class _AsWindow:
    """A node whose attributes are called as the shape rule of windows calls them."""

    def __init__(self, node: Operation) -> None:
        self.attrs = _attrs(node.attrs["strides"], node.attrs["rates"], node.attrs["padding"])


def _shape(node: Operation) -> Shape:
    images, filters = node.inputs[0].dims, shapes.with_rank(node.inputs[1].dims, 3)
    channels = None if images is None else shapes.merge_dim(images[-1], filters[2])
    return output_dims(_AsWindow(node), images, (filters[0], filters[1]), channels)  # type: ignore[arg-type]


def _window(images: Array, filters: Array, strides: Any, rates: Any, padding: str) -> Window:
    return window_of(images.shape[1:3], filters.shape[:2], _attrs(strides, rates, padding))


@op("Dilation2D", types="input: T, filter: T -> output: T", T=REAL, shape=_shape)
def dilation2d_op(
    xp: Namespace, input: Array, filter: Array, *, strides: list[int], rates: list[int], padding: str
) -> Array:
    """Returns the greatest sum of a pixel and the filter's value over it; what lies outside the image does not count."""
    window = _window(input, filter, strides, rates, padding)
    rows, columns = window.outputs(input.shape[1], input.shape[2])
    outside = padded(xp, input, window, lowest(input.dtype))
    inside = padded(xp, xp.ones((1, *input.shape[1:3], 1), "bool"), window)
    found = xp.full((input.shape[0], rows, columns, input.shape[3]), lowest(input.dtype), input.dtype)
    for offset, index in taps(window, rows, columns):
        found = xp.where(inside[index], xp.maximum(found, outside[index] + filter[offset]), found)
    return found


def _first_greatest(xp: Namespace, images: Array, filters: Array, window: Window, like: Array) -> Any:
    """Yield (offset, index, mask) for each element of the window: where it is the first that gives the greatest sum."""
    outside = padded(xp, images, window, lowest(images.dtype))
    inside = padded(xp, xp.ones((1, *images.shape[1:3], 1), "bool"), window)
    places = list(taps(window, like.shape[1], like.shape[2]))
    best = xp.full(like.shape, lowest(images.dtype), images.dtype)
    which = xp.full(like.shape, -1, "int32")
    for i, (offset, index) in enumerate(places):
        total = outside[index] + filters[offset]
        better = inside[index] & ((total > best) | (which < 0))
        best, which = xp.where(better, total, best), xp.where(better, xp.int32(i), which)
    for i, (offset, index) in enumerate(places):
        yield offset, index, which == i


@op("Dilation2DBackpropInput", types="input: T, filter: T, out_backprop: T -> in_backprop: T", T=REAL,
    shape=lambda node: node.inputs[0].dims)  # fmt: skip
def dilation2d_input_op(
    xp: Namespace,
    input: Array,
    filter: Array,
    out_backprop: Array,
    *,
    strides: list[int],
    rates: list[int],
    padding: str,
) -> Array:
    """Returns the gradient of a dilation by its images."""
    window = _window(input, filter, strides, rates, padding)
    batch, height, width, depth = input.shape
    made = xp.zeros((batch, height + sum(window.pads[0]), width + sum(window.pads[1]), depth), input.dtype)
    for _, index, mask in _first_greatest(xp, input, filter, window, out_backprop):
        made[index] += out_backprop * mask
    return xp.ascontiguousarray(unpadded(made, window, height, width))


@op("Dilation2DBackpropFilter", types="input: T, filter: T, out_backprop: T -> filter_backprop: T", T=REAL,
    shape=lambda node: node.inputs[1].dims)  # fmt: skip
def dilation2d_filter_op(
    xp: Namespace,
    input: Array,
    filter: Array,
    out_backprop: Array,
    *,
    strides: list[int],
    rates: list[int],
    padding: str,
) -> Array:
    """Returns the gradient of a dilation by its filters."""
    window = _window(input, filter, strides, rates, padding)
    found = xp.empty(filter.shape, filter.dtype)
    for offset, _, mask in _first_greatest(xp, input, filter, window, out_backprop):
        found[offset] = (out_backprop * mask).sum(axis=(0, 1, 2), dtype=filter.dtype)
    return found


@dilation2d_op.gradient
def _dilation2d_gradient(op: Operation, dy: Tensor) -> list[Tensor]:
    images, filters = op.inputs
    attrs = {name: op.attrs[name] for name in ("strides", "rates", "padding")}
    return [dilation2d_input_op(images, filters, dy, **attrs), dilation2d_filter_op(images, filters, dy, **attrs)]


def dilation2d(
    input: Any, filter: Any = None, strides: Any = None, rates: Any = None, padding: Any = None, name: str | None = None,
    filters: Any = None, dilations: Any = None,
) -> Tensor:  # fmt: skip
    """Return the grey-scale dilation of images: the greatest `input[y + dy, x + dx] + filter[dy, dx]` of each window.

    Args:
      input: (batch, height, width, channels). filter: (height, width, channels).
      strides, rates: four numbers each, the first and last 1. padding: 'SAME' or 'VALID'.
    """
    return dilation2d_op(  # type: ignore[no-any-return]
        input, one_of(filter, filters, "filter", "filters"), strides=list(strides),
        rates=list(rates if dilations is None else dilations), padding=padding, name=name,
    )  # fmt: skip


def erosion2d(value: Any, kernel: Any, strides: Any, rates: Any, padding: str, name: str | None = None) -> Tensor:
    """Return the grey-scale erosion of images: the least `value[y + dy, x + dx] - kernel[dy, dx]` of each window."""
    with get_default_graph().name_scope(name or "erosion2d") as scope:
        turned = reverse(kernel, [0, 1])
        return negative(
            dilation2d_op(
                negative(value), turned, strides=list(strides), rates=list(rates), padding=padding, name=scope
            )
        )
