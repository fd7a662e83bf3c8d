"""JPEG as an effect: images encoded and decoded again; and whether bytes are a JPEG."""

from __future__ import annotations

from typing import Any

from ...core import dtypes
from ...core.convert import convert_to_tensor
from ...core.node import Tensor
from ...core.scopes import name_scope
from ...image import decode_jpeg
from ...image.codecs import encode_jpeg_variable_quality_op
from ...math import equal
from ...random import random_uniform
from ...strings import substr
from .colours import convert_image_dtype


def is_jpeg(contents: Any, name: str | None = None) -> Tensor:
    """Tell whether a string begins as JPEG files do, bool ()."""
    with name_scope(name, "is_jpeg"):
        return equal(substr(contents, 0, 3), b"\xff\xd8\xff", name=name)


def adjust_jpeg_quality(image: Any, jpeg_quality: Any, dct_method: str = "", name: str | None = None) -> Tensor:
    """Return an image (height, width, 1 or 3) as a JPEG file of this quality, 0 to 100, keeps it."""
    with name_scope(name, "adjust_jpeg_quality", [image]):
        whole = convert_to_tensor(image, name="image")
        channels = (whole.dims[-1] or 0) if whole.dims else 0
        small = convert_image_dtype(whole, dtypes.uint8, saturate=True)
        file = encode_jpeg_variable_quality_op(small, convert_to_tensor(jpeg_quality, dtypes.int32))
        found = decode_jpeg(file, channels=channels, dct_method=dct_method)
        return convert_image_dtype(found, whole.dtype, saturate=True)


def random_jpeg_quality(image: Any, min_jpeg_quality: int, max_jpeg_quality: int, seed: int | None = None) -> Tensor:
    """Return an image as a JPEG file of a random quality keeps it.

    Raises:
      ValueError: when the bounds are not in [0, 100], or the first is not the smaller.
    """
    if not (0 <= min_jpeg_quality <= 100 and 0 <= max_jpeg_quality <= 100):
        raise ValueError("jpeg encoding range must be between 0 and 100.")
    if min_jpeg_quality >= max_jpeg_quality:
        raise ValueError("`min_jpeg_quality` must be less than `max_jpeg_quality`.")
    drawn = random_uniform([], min_jpeg_quality, max_jpeg_quality, dtype=dtypes.int32, seed=seed)
    return adjust_jpeg_quality(image, drawn)
