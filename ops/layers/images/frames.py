"""Parts of images and images in larger frames: crops and padding by places, by a share, and to a size."""

from __future__ import annotations

from typing import Any

from ...array import pad, shape, stack
from ...array import slice as slice_
from ...core import dtypes
from ...core.node import Tensor
from ...core.scopes import name_scope
from ...core.shape_rules import constant_value
from ...math import cast
from .batches import Size, as_batch, greater, image_of, known, less, require, size_of, unbatched


def crop_to_bounding_box(
    image: Any, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any
) -> Tensor:
    """Return the part of images that begins at the offsets and has the target's size.

    Args:
      image: (height, width, channels), or a batch of those.

    Raises:
      ValueError: where sizes are known and the part does not lie in the image; InvalidArgumentError at a run, otherwise.
    """
    with name_scope(None, "crop_to_bounding_box", [image]):
        batch, single = as_batch(image_of(image))
        height, width = size_of(batch, 1), size_of(batch, 2)
        batch = require(
            batch,
            (offset_width >= 0, "offset_width must be >= 0."),
            (offset_height >= 0, "offset_height must be >= 0."),
            (target_width > 0, "target_width must be > 0."),
            (target_height > 0, "target_height must be > 0."),
            (width >= target_width + offset_width, "width must be >= target + offset."),
            (height >= target_height + offset_height, "height must be >= target + offset."),
        )
        begin = stack([0, offset_height, offset_width, 0])
        cropped = slice_(batch, begin, stack([shape(batch)[0], target_height, target_width, shape(batch)[3]]))
        cropped.set_shape(_framed(batch, target_height, target_width))
        return unbatched(cropped, single)


def _framed(batch: Tensor, height: Size, width: Size) -> list[int | None]:
    dims = batch.dims or (None,) * 4
    return [dims[0], known(height), known(width), dims[3]]


def pad_to_bounding_box(
    image: Any, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any
) -> Tensor:
    """Return images in a frame of zeros of the target's size, at the offsets.

    Raises:
      ValueError: where sizes are known and the frame is too small; InvalidArgumentError at a run, otherwise.
    """
    with name_scope(None, "pad_to_bounding_box", [image]):
        batch, single = as_batch(image_of(image))
        below = target_height - offset_height - size_of(batch, 1)
        right = target_width - offset_width - size_of(batch, 2)
        batch = require(
            batch,
            (offset_height >= 0, "offset_height must be >= 0"),
            (offset_width >= 0, "offset_width must be >= 0"),
            (right >= 0, "width must be <= target - offset"),
            (below >= 0, "height must be <= target - offset"),
        )
        margins = stack([[0, 0], [offset_height, below], [offset_width, right], [0, 0]])
        padded: Tensor = pad(batch, margins)
        padded.set_shape(_framed(batch, target_height, target_width))
        return unbatched(padded, single)


def resize_image_with_crop_or_pad(image: Any, target_height: Any, target_width: Any) -> Tensor:
    """Return images of the target's size: cut on both sides where they are larger, with zeros around where smaller."""
    with name_scope(None, "resize_image_with_crop_or_pad", [image]):
        batch, single = as_batch(image_of(image))
        batch = require(
            batch,
            (target_width > 0, "target_width must be > 0."),
            (target_height > 0, "target_height must be > 0."),
        )
        height, width = size_of(batch, 1), size_of(batch, 2)
        down, right = target_height - height, target_width - width
        cropped = crop_to_bounding_box(
            batch,
            greater(-down // 2, 0),
            greater(-right // 2, 0),
            less(target_height, height),
            less(target_width, width),
        )
        framed = pad_to_bounding_box(
            cropped, greater(down // 2, 0), greater(right // 2, 0), target_height, target_width
        )
        return unbatched(framed, single)


def central_crop(image: Any, central_fraction: Any) -> Tensor:
    """Return the middle of images: the share `central_fraction` of the height and of the width.

    Raises:
      ValueError: when the share is not within (0, 1].
    """
    with name_scope(None, "central_crop", [image]):
        whole = image_of(image)
        share = constant_value(central_fraction) if isinstance(central_fraction, Tensor) else central_fraction
        if share is not None and not 0.0 < share <= 1.0:
            raise ValueError("central_fraction must be within (0, 1]")
        if share == 1.0:
            return whole
        if whole.dims is None:
            raise ValueError("`image` should either be a Tensor with rank = 3 or rank = 4. Had rank = None.")
        batch, single = as_batch(whole)
        if share is None:
            outside = (central_fraction > 0.0) & (central_fraction <= 1.0)
            batch = require(batch, (outside, "central_fraction must be within (0, 1]"))
        ends = [_margin(size_of(batch, axis), central_fraction if share is None else float(share)) for axis in (1, 2)]
        sizes = [size_of(batch, axis) - 2 * end for axis, end in zip((1, 2), ends, strict=True)]
        cropped = slice_(batch, stack([0, *ends, 0]), stack([-1, *sizes, -1]))
        cropped.set_shape(_framed(batch, *sizes))
        return unbatched(cropped, single)


def _margin(size: Size, share: Any) -> Size:
    """Return how much is cut off at either end."""
    if isinstance(size, Tensor) or isinstance(share, Tensor):
        wide = cast(size, dtypes.float64)
        return cast((wide - wide * cast(share, dtypes.float64)) / 2, dtypes.int32)
    return int((size - size * share) / 2)
