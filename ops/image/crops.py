"""Crops of images by boxes, resized to one size: CropAndResize and its gradients by images and by boxes.

Boxes are (y1, x1, y2, x2) as shares of the image's height and width less one; they may lie outside and may be turned over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..array.shape_ops import shape
from ..core import dtypes
from ..core.errors import InvalidArgumentError, OutOfRangeError
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.shape_rules import constant_value_as_shape
from ..core.shapes import Shape, merge_dim, with_rank

_FLOATS = (dtypes.float32, dtypes.half, dtypes.float64)
_IMAGES = (dtypes.uint8, dtypes.uint16, dtypes.int8, dtypes.int16, dtypes.int32, dtypes.int64, *_FLOATS)


@dataclass(frozen=True)
class Axis:
    """Places along one axis for every box: (boxes, size) arrays; `valid` tells which lie in the image."""

    before: Array
    after: Array
    nearest: Array
    share: Array
    valid: Array


def _axis(xp: Namespace, low: Array, high: Array, source: int, size: int) -> Axis:
    span = np.float32(source - 1)
    if size > 1:
        step = (high - low) * span / np.float32(size - 1)
        places = low[:, None] * span + xp.arange(size, dtype=np.float32)[None] * step[:, None]
    else:
        places = (np.float32(0.5) * (low + high) * span)[:, None]
    valid = (places >= 0) & (places <= span)
    inside = xp.where(valid, places, np.float32(0))
    floor = xp.floor(inside)
    nearest = xp.floor(inside + np.float32(0.5)).astype(np.int64)
    return Axis(floor.astype(np.int64), xp.ceil(inside).astype(np.int64), nearest, inside - floor, valid)


def _axes(xp: Namespace, boxes: Array, dims: tuple[int, ...], size: tuple[int, int]) -> tuple[Axis, Axis]:
    return (
        _axis(xp, boxes[:, 0], boxes[:, 2], dims[1], size[0]),
        _axis(xp, boxes[:, 1], boxes[:, 3], dims[2], size[1]),
    )


def _at(image: Array, which: Array, rows: Array, columns: Array) -> Array:
    """Return pixels (boxes, rows, columns, channels)."""
    return image[which[:, None, None], rows[:, :, None], columns[:, None, :]]


def _check_boxes(box_ind: Array, images: int, size: Any) -> None:
    if min(size) <= 0:
        raise InvalidArgumentError(None, None, "crop dimensions must be positive")
    if box_ind.size and (int(box_ind.min()) < 0 or int(box_ind.max()) >= images):
        raise OutOfRangeError(None, None, "box_index has values outside [0, batch_size)")


def _crop_shape(node: Operation) -> Shape:
    image, boxes = with_rank(node.inputs[0].dims, 4), with_rank(node.inputs[1].dims, 2)
    count = merge_dim(boxes[0], with_rank(node.inputs[2].dims, 1)[0])
    merge_dim(boxes[1], 4)
    size = with_rank(constant_value_as_shape(node.inputs[3]), 2)
    return (count, *size, image[3])


@op(
    "CropAndResize", types="image: T, boxes: float32, box_ind: int32, crop_size: int32 -> crops: float32", T=_IMAGES,
    shape=_crop_shape, host="crop_size",
)  # fmt: skip
def crop_and_resize_op(
    xp: Namespace, image: Array, boxes: Array, box_ind: Array, crop_size: Array, *, method: str = "bilinear",
    extrapolation_value: float = 0.0,
) -> Array:  # fmt: skip
    """Returns a crop for each box, resized."""
    size = int(crop_size[0]), int(crop_size[1])
    _check_boxes(box_ind, image.shape[0], size)
    down, right = _axes(xp, boxes, image.shape, size)
    if method == "nearest":
        made = _at(image, box_ind, down.nearest, right.nearest).astype(np.float32)
    else:
        made = _interpolated(image, box_ind, down, right)
    valid = (down.valid[:, :, None] & right.valid[:, None, :])[..., None]
    return xp.where(valid, made, np.float32(extrapolation_value))


def _corners(image: Array, which: Array, down: Axis, right: Axis) -> list[Array]:
    rows, columns = (down.before, down.after), (right.before, right.after)
    return [_at(image, which, row, column).astype(np.float32) for row in rows for column in columns]


def _interpolated(image: Array, which: Array, down: Axis, right: Axis) -> Array:
    top_left, top_right, bottom_left, bottom_right = _corners(image, which, down, right)
    share = right.share[:, None, :, None]
    top = top_left + (top_right - top_left) * share
    bottom = bottom_left + (bottom_right - bottom_left) * share
    return top + (bottom - top) * down.share[:, :, None, None]


@op(
    "CropAndResizeGradImage", T=_FLOATS, host="image_size", shape=lambda node: constant_value_as_shape(node.inputs[3]),
    types="grads: float32, boxes: float32, box_ind: int32, image_size: int32 -> output: T",
)  # fmt: skip
def crop_and_resize_grad_image_op(
    xp: Namespace, grads: Array, boxes: Array, box_ind: Array, image_size: Array, *, T: dtypes.DType,
    method: str = "bilinear",
) -> Array:  # fmt: skip
    """Returns the gradient of the crops by the images."""
    dims = tuple(int(n) for n in image_size)
    down, right = _axes(xp, boxes, dims, grads.shape[1:3])
    total = xp.zeros(dims, T.np_dtype if T.np_dtype.itemsize > 2 else np.dtype(np.float32))
    dy = grads * (down.valid[:, :, None] & right.valid[:, None, :])[..., None].astype(np.float32)
    for row, row_share, column, column_share in _shares(down, right, method):
        part = dy * row_share[:, :, None, None] * column_share[:, None, :, None]
        places = (box_ind[:, None, None], row[:, :, None], column[:, None, :])
        xp.add.at(total, places, part.astype(total.dtype))
    return total.astype(T.np_dtype)


def _shares(down: Axis, right: Axis, method: str) -> list[tuple[Array, Array, Array, Array]]:
    """Return the rows and columns that a crop's pixels came from, each with its share."""
    if method == "nearest":
        one = np.float32(1)
        return [(down.nearest, down.share * 0 + one, right.nearest, right.share * 0 + one)]
    rows = ((down.before, 1 - down.share), (down.after, down.share))
    columns = ((right.before, 1 - right.share), (right.after, right.share))
    return [(*row, *column) for row in rows for column in columns]


def _boxes_shape(node: Operation) -> Shape:
    return node.inputs[2].dims


@op("CropAndResizeGradBoxes", T=_IMAGES, types="grads: float32, image: T, boxes: float32, box_ind: int32 -> output: float32",
    shape=_boxes_shape)  # fmt: skip
def crop_and_resize_grad_boxes_op(
    xp: Namespace, grads: Array, image: Array, boxes: Array, box_ind: Array, *, method: str = "bilinear"
) -> Array:
    """Returns the gradient of bilinear crops by the boxes."""
    down, right = _axes(xp, boxes, image.shape, grads.shape[1:3])
    top_left, top_right, bottom_left, bottom_right = _corners(image, box_ind, down, right)
    across, along = right.share[:, None, :, None], down.share[:, :, None, None]
    by_row = (1 - across) * (bottom_left - top_left) + across * (bottom_right - top_right)
    by_column = (1 - along) * (top_right - top_left) + along * (bottom_right - bottom_left)
    dy = grads * (down.valid[:, :, None] & right.valid[:, None, :])[..., None].astype(np.float32)
    rows = _ends(xp, (dy * by_row).sum(axis=(2, 3)), image.shape[1])
    columns = _ends(xp, (dy * by_column).sum(axis=(1, 3)), image.shape[2])
    return xp.stack([rows[0], columns[0], rows[1], columns[1]], axis=1)


def _ends(xp: Namespace, moved: Array, source: int) -> tuple[Array, Array]:
    """Return the gradients by both ends of a box, from those by its places (boxes, size)."""
    span, size = np.float32(source - 1), moved.shape[1]
    if size == 1:
        both = moved.sum(axis=1) * np.float32(0.5) * span
        return both, both
    share = xp.arange(size, dtype=np.float32) * (span / np.float32(size - 1))
    return (moved * (span - share)).sum(axis=1), (moved * share).sum(axis=1)


@crop_and_resize_op.gradient
def _crop_and_resize_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
    image, boxes, which, _ = op.inputs
    by_image = None
    if image.dtype.base_dtype in _FLOATS:
        by_image = crop_and_resize_grad_image_op(
            dy, boxes, which, shape(image), T=image.dtype.base_dtype, method=op.attrs["method"]
        )
    return [by_image, crop_and_resize_grad_boxes_op(dy, image, boxes, which), None, None]


def crop_and_resize(
    image: Any, boxes: Any, box_ind: Any = None, crop_size: Any = None, method: str = "bilinear",
    extrapolation_value: float = 0, name: str | None = None, box_indices: Any = None,
) -> Tensor:  # fmt: skip
    """Return crops of images, one for each box, resized; float32 (boxes, *crop_size, channels).

    Args:
      image: (images, height, width, channels).
      boxes: float32 (boxes, 4): y1, x1, y2, x2, where 0 and 1 are the first and the last row or column.
      box_ind: int32 (boxes,): the image of each box (`box_indices` is its later name).
      crop_size: int32 (height, width).
      method: "bilinear" or "nearest".
      extrapolation_value: what lies outside the image.
    """
    which = box_ind if box_indices is None else box_indices
    return crop_and_resize_op(  # type: ignore[no-any-return]
        image, boxes, which, crop_size, method=method, extrapolation_value=extrapolation_value, name=name
    )
