"""Resizing images: bilinear, nearest neighbour, bicubic, area; with gradients where TensorFlow has them.

A made pixel is a weighted sum of few source pixels, found axis by axis (taps.py). Gradients go the way back with the same
weights, as two matrix products. Results are float32, but for nearest neighbours, which keep their type.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..array.shape_ops import shape
from ..core import dtypes
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import OpDecl, op
from ..core.shape_rules import constant_value_as_shape
from ..core.shapes import Shape, with_rank
from ..math.matmul import product_of
from . import taps
from .taps import Sampling

SOURCES = (
    dtypes.int8, dtypes.uint8, dtypes.int16, dtypes.uint16, dtypes.int32, dtypes.int64, dtypes.half, dtypes.float32,
    dtypes.float64, dtypes.bfloat16,
)  # fmt: skip
NEAREST = (
    dtypes.int8, dtypes.uint8, dtypes.int16, dtypes.uint16, dtypes.int32, dtypes.int64, dtypes.half, dtypes.float32,
    dtypes.float64, dtypes.bfloat16,
)  # fmt: skip
FLOATS = (dtypes.float32, dtypes.bfloat16, dtypes.half, dtypes.float64)
_RESIZE = "images: T, size: int32 -> resized_images: float32"


def _resized(node: Operation) -> Shape:
    dims = with_rank(node.inputs[0].dims, 4)
    made = with_rank(constant_value_as_shape(node.inputs[1]), 2)
    return (dims[0], *made, dims[3])


def _sizes(images: Array, size: Array) -> list[tuple[int, int]]:
    """Return (source, made) of height and of width."""
    if images.ndim != 4:
        raise InvalidArgumentError(None, None, f"input must be 4-dimensional{list(images.shape)}")
    made = [int(n) for n in size]
    if len(made) != 2:
        raise InvalidArgumentError(None, None, f"shape_t must have two elements[{len(made)}]")
    if min(made) <= 0:
        raise InvalidArgumentError(None, None, "output dimensions must be positive")
    if 0 in images.shape[1:3]:
        raise InvalidArgumentError(None, None, "input image must be of non-zero size")
    return list(zip(images.shape[1:3], made, strict=True))


def _samplings(images: Array, size: Array, corners: bool, centres: bool) -> list[Sampling]:
    if corners and centres:
        raise InvalidArgumentError(None, None, "If half_pixel_centers is True, align_corners must be False.")
    return [Sampling(source, made, corners, centres) for source, made in _sizes(images, size)]


def _along(xp: Namespace, matrix: Array, images: Array, axis: int) -> Array:
    """Return images with one axis multiplied by a matrix (made, source)."""
    rows = xp.asarray(matrix)
    if axis == 2:
        return product_of(xp, rows, images)
    flat = images.reshape(*images.shape[:2], -1)
    return product_of(xp, rows, flat).reshape(images.shape[0], matrix.shape[0], *images.shape[2:])


def _both(xp: Namespace, matrices: list[Array], images: Array) -> Array:
    return _along(xp, matrices[1], _along(xp, matrices[0], images, 1), 2)


@op("ResizeBilinear", types=_RESIZE, T=SOURCES, shape=_resized, host="size")
def resize_bilinear_op(
    xp: Namespace, images: Array, size: Array, *, align_corners: bool = False, half_pixel_centers: bool = False
) -> Array:
    """Returns images resized, linearly between pixels."""
    vertical, horizontal = _samplings(images, size, align_corners, half_pixel_centers)
    if vertical.source == vertical.size and horizontal.source == horizontal.size:
        return images.astype(np.float32)
    left, right, share = (xp.asarray(part) for part in taps.linear(horizontal))
    wide = images.astype(np.float32)
    first = xp.take(wide, left, axis=2)
    wide = first + (xp.take(wide, right, axis=2) - first) * share[:, None]
    top, bottom, share = (xp.asarray(part) for part in taps.linear(vertical))
    first = xp.take(wide, top, axis=1)
    return first + (xp.take(wide, bottom, axis=1) - first) * share[:, None, None]


def _backward(name: str, types: tuple[dtypes.DType, ...], matrix: Callable[[Sampling], Array], doc: str) -> OpDecl:
    """Declare the gradient of a resize by its images."""

    @op(name, types="grads: float32, original_image: T -> output: T", T=types, shape=lambda node: node.inputs[1].dims)
    def backward(
        xp: Namespace, grads: Array, original_image: Array, *, align_corners: bool = False,
        half_pixel_centers: bool = False,
    ) -> Array:  # fmt: skip
        pairs = zip(original_image.shape[1:3], grads.shape[1:3], strict=True)
        along = [Sampling(source, made, align_corners, half_pixel_centers) for source, made in pairs]
        kind = np.promote_types(grads.dtype, original_image.dtype) if original_image.dtype.kind == "f" else grads.dtype
        matrices = [matrix(each).T.astype(kind) for each in along]
        return _both(xp, matrices, grads.astype(kind)).astype(original_image.dtype)

    backward.doc = doc
    return backward


resize_bilinear_grad_op = _backward(
    "ResizeBilinearGrad", FLOATS, taps.linear_matrix, "Returns the gradient of ResizeBilinear by its images."
)
resize_bilinear_grad_op.differentiable = False
resize_bicubic_grad_op = _backward(
    "ResizeBicubicGrad", (dtypes.float32, dtypes.float64), taps.cubic_matrix,
    "Returns the gradient of ResizeBicubic by its images.",
)  # fmt: skip


def _options(op: Operation) -> dict[str, Any]:
    return {name: op.attrs[name] for name in ("align_corners", "half_pixel_centers")}


@resize_bilinear_op.gradient
def _resize_bilinear_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
    return [resize_bilinear_grad_op(dy, op.inputs[0], **_options(op)), None]


@op("ResizeBicubic", types=_RESIZE, T=SOURCES, shape=_resized, host="size")
def resize_bicubic_op(
    xp: Namespace, images: Array, size: Array, *, align_corners: bool = False, half_pixel_centers: bool = False
) -> Array:
    """Returns images resized by cubic pieces."""
    vertical, horizontal = _samplings(images, size, align_corners, half_pixel_centers)
    wide = images.astype(np.float32)
    for axis, along in ((1, vertical), (2, horizontal)):
        pixels, weights = taps.cubic(along)
        pieces = [
            xp.take(wide, xp.asarray(pixels[:, i]), axis=axis)
            * xp.asarray(weights[:, i].reshape(-1, *[1] * (3 - axis)))
            for i in range(4)
        ]
        wide = pieces[0] + pieces[1] + pieces[2] + pieces[3]
    return wide


@resize_bicubic_op.gradient
def _resize_bicubic_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
    if op.inputs[0].dtype.base_dtype not in (dtypes.float32, dtypes.float64):
        return [None, None]
    return [resize_bicubic_grad_op(dy, op.inputs[0], **_options(op)), None]


@resize_bicubic_grad_op.gradient
def _resize_bicubic_grad_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
    return [resize_bicubic_op(dy, shape(op.inputs[0])[1:3], **_options(op)), None]


@op(
    "ResizeNearestNeighbor", types="images: T, size: int32 -> resized_images: T", T=NEAREST, shape=_resized, host="size"
)
def resize_nearest_neighbor_op(
    xp: Namespace, images: Array, size: Array, *, align_corners: bool = False, half_pixel_centers: bool = False
) -> Array:
    """Returns images resized, each pixel that of the source nearest to it."""
    vertical, horizontal = _samplings(images, size, align_corners, half_pixel_centers)
    rows = xp.take(images, xp.asarray(taps.nearest(vertical)), axis=1)
    return xp.take(rows, xp.asarray(taps.nearest(horizontal)), axis=2)


@op(
    "ResizeNearestNeighborGrad", types="grads: T, size: int32 -> output: T", shape=_resized, host="size",
    T=(dtypes.uint8, dtypes.int8, dtypes.int32, dtypes.half, dtypes.float32, dtypes.float64, dtypes.bfloat16),
)  # fmt: skip
def resize_nearest_neighbor_grad_op(
    xp: Namespace, grads: Array, size: Array, *, align_corners: bool = False, half_pixel_centers: bool = False
) -> Array:
    """Returns the gradient of ResizeNearestNeighbor by its images, which had the size given."""
    pairs = zip((int(n) for n in size), grads.shape[1:3], strict=True)
    along = [Sampling(source, made, align_corners, half_pixel_centers) for source, made in pairs]
    wide = grads.dtype if grads.dtype.kind in "iu" or grads.dtype == np.float64 else np.dtype(np.float32)
    matrices = [taps.nearest_matrix(each).T.astype(wide) for each in along]
    return _both(xp, matrices, grads.astype(wide)).astype(grads.dtype)


@resize_nearest_neighbor_op.gradient
def _resize_nearest_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
    return [resize_nearest_neighbor_grad_op(dy, shape(op.inputs[0])[1:3], **_options(op)), None]


@resize_nearest_neighbor_grad_op.gradient
def _resize_nearest_grad_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
    return [resize_nearest_neighbor_op(dy, shape(op.inputs[0])[1:3], **_options(op)), None]


@op("ResizeArea", types=_RESIZE, T=SOURCES, shape=_resized, host="size")
def resize_area_op(xp: Namespace, images: Array, size: Array, *, align_corners: bool = False) -> Array:
    """Returns images resized, each pixel the mean of the area that it covers."""
    along = [Sampling(source, made, align_corners) for source, made in _sizes(images, size)]
    return _both(xp, [taps.area_matrix(each) for each in along], images.astype(np.float32))


def resize_bilinear(
    images: Any, size: Any, align_corners: bool = False, name: str | None = None, half_pixel_centers: bool = False
) -> Tensor:
    """Return images (batch, height, width, channels) resized to `size`, int32 (height, width), bilinearly; float32.

    `align_corners` puts corner pixels on corner pixels; `half_pixel_centers` takes pixels to lie at their centres.
    """
    return resize_bilinear_op(  # type: ignore[no-any-return]
        images, size, align_corners=align_corners, half_pixel_centers=half_pixel_centers, name=name
    )


def resize_nearest_neighbor(
    images: Any, size: Any, align_corners: bool = False, name: str | None = None, half_pixel_centers: bool = False
) -> Tensor:
    """Return images resized to `size`, each pixel that of the source nearest to it; of the images' type."""
    return resize_nearest_neighbor_op(  # type: ignore[no-any-return]
        images, size, align_corners=align_corners, half_pixel_centers=half_pixel_centers, name=name
    )


def resize_bicubic(
    images: Any, size: Any, align_corners: bool = False, name: str | None = None, half_pixel_centers: bool = False
) -> Tensor:
    """Return images resized to `size` by cubic pieces; float32."""
    return resize_bicubic_op(  # type: ignore[no-any-return]
        images, size, align_corners=align_corners, half_pixel_centers=half_pixel_centers, name=name
    )


def resize_area(images: Any, size: Any, align_corners: bool = False, name: str | None = None) -> Tensor:
    """Return images resized to `size`, each pixel the mean of the area that it covers; float32."""
    return resize_area_op(images, size, align_corners=align_corners, name=name)  # type: ignore[no-any-return]
