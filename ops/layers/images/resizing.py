"""Images in other sizes, by a method of choice; with their proportions kept, where wanted."""

from __future__ import annotations

from typing import Any

from ...array import stack
from ...core import dtypes
from ...core.convert import convert_to_tensor
from ...core.node import Tensor
from ...core.scopes import name_scope
from ...core.shape_rules import constant_value
from ...image import resize_area, resize_bicubic, resize_bilinear, resize_nearest_neighbor
from ...math import cast, floor, maximum, minimum, round
from .batches import Size, as_batch, image_of, require, size_of, unbatched
from .frames import pad_to_bounding_box


class ResizeMethod:
    """The ways to resize, as numbers."""

    BILINEAR = 0
    NEAREST_NEIGHBOR = 1
    BICUBIC = 2
    AREA = 3


_METHODS = {
    ResizeMethod.BILINEAR: resize_bilinear,
    ResizeMethod.NEAREST_NEIGHBOR: resize_nearest_neighbor,
    ResizeMethod.BICUBIC: resize_bicubic,
    ResizeMethod.AREA: resize_area,
}


def resize_images(
    images: Any, size: Any, method: Any = ResizeMethod.BILINEAR, align_corners: bool = False,
    preserve_aspect_ratio: bool = False, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return images resized: (height, width, channels), or a batch; float32, or as they were if nothing changes.

    Args:
      size: int32 (height, width).
      method: one of ResizeMethod's.
      align_corners: whether corner pixels stay corner pixels.
      preserve_aspect_ratio: whether `size` is an upper bound, and both sides are scaled alike.

    Raises:
      ValueError: for an unknown method, an unknown rank, or a size that is not two numbers.
    """
    with name_scope(name, "resize", [images]):
        if getattr(images, "dims", ()) is None:
            raise ValueError("'images' contains no shape.")
        batch, single = as_batch(image_of(images))
        wanted = _size_tensor(size)
        if preserve_aspect_ratio:
            wanted = _in_proportion(batch, wanted)
        if method not in _METHODS:
            raise ValueError("Resize method is not implemented: type is invalid.")
        known = constant_value(wanted)
        if known is not None and tuple(known.tolist()) == (batch.dims or ())[1:3]:
            return unbatched(batch, single)
        return unbatched(_METHODS[method](batch, wanted, align_corners), single)


def _size_tensor(size: Any) -> Tensor:
    try:
        wanted = convert_to_tensor(size, dtypes.int32, name="size")
    except (TypeError, ValueError):
        raise ValueError("'size' must be a 1-D int32 Tensor") from None
    if wanted.dims not in (None, (2,), (None,)):
        raise ValueError("'size' must be a 1-D Tensor of 2 elements: new_height, new_width")
    return wanted


def _in_proportion(batch: Tensor, wanted: Tensor) -> Tensor:
    """Return the largest size within `wanted` that has the images' proportions."""
    sides = [cast(size_of(batch, axis), dtypes.float32) for axis in (1, 2)]
    factors = [cast(wanted[i], dtypes.float32) / sides[i] for i in (0, 1)]
    factor = minimum(factors[0], factors[1])
    return stack([cast(round(factor * side), dtypes.int32) for side in sides])


def resize_image_with_pad(
    image: Any, target_height: Any, target_width: Any, method: Any = ResizeMethod.BILINEAR, align_corners: bool = False
) -> Tensor:
    """Return images resized in proportion into a frame of the target's size, zeros around."""
    with name_scope(None, "resize_image_with_pad", [image]):
        batch, single = as_batch(image_of(image))
        batch = require(
            batch,
            (target_width > 0, "target_width must be > 0."),
            (target_height > 0, "target_height must be > 0."),
        )
        targets = [cast(target, dtypes.float32) for target in (target_height, target_width)]
        sides = [cast(size_of(batch, axis), dtypes.float32) for axis in (1, 2)]
        ratio = maximum(sides[0] / targets[0], sides[1] / targets[1])
        made = [side / ratio for side in sides]
        margins = [_margin(target, size) for target, size in zip(targets, made, strict=True)]
        size = stack([cast(floor(each), dtypes.int32) for each in made])
        resized = resize_images(batch, size, method, align_corners)
        return unbatched(pad_to_bounding_box(resized, margins[0], margins[1], target_height, target_width), single)


def _margin(target: Tensor, size: Tensor) -> Size:
    return maximum(cast(floor((target - size) / 2), dtypes.int32), 0)
