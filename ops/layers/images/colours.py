"""Colours and types of images: brightness, contrast, gamma, hue, saturation, grey, luma and chroma.

Whole pixels span their type's range, floating ones [0, 1]. What works on fractions converts, and converts back.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np

from ...array import concat, expand_dims, identity, rank, shape, tile
from ...core import dtypes
from ...core.convert import constant, convert_to_tensor
from ...core.node import Tensor
from ...core.scopes import name_scope
from ...image.colours import adjust_contrast_op, adjust_hue_op, adjust_saturation_op
from ...math import (
    add,
    cast,
    divide,
    floordiv,
    maximum,
    multiply,
    reduce_mean,
    reduce_prod,
    reduce_std,
    rsqrt,
    saturate_cast,
    tensordot,
)
from ...random import random_uniform
from .batches import require

_FRACTIONS = (dtypes.float16, dtypes.float32)
_LUMA = [0.2989, 0.5870, 0.1140]
_RGB_TO_YIQ = [[0.299, 0.59590059, 0.2115], [0.587, -0.27455667, -0.52273617], [0.114, -0.32134392, 0.31119955]]
_YIQ_TO_RGB = [[1.0, 1.0, 1.0], [0.95598634, -0.27201283, -1.10674021], [0.6208248, -0.64720424, 1.70423049]]
_RGB_TO_YUV = [[0.299, -0.14714119, 0.61497538], [0.587, -0.28886916, -0.51496512], [0.114, 0.43601035, -0.10001026]]
_YUV_TO_RGB = [[1.0, 1.0, 1.0], [0.0, -0.394642334, 2.03206185], [1.13988303, -0.58062185, 0.0]]


def convert_image_dtype(image: Any, dtype: Any, saturate: bool = False, name: str | None = None) -> Tensor:
    """Return images in another type, scaled from one's range to the other's.

    Args:
      saturate: whether what is out of range is clipped before the conversion.

    Raises:
      AttributeError: for a type that is neither whole nor floating.
    """
    source = convert_to_tensor(image, name="image")
    old, new = source.dtype.base_dtype, dtypes.as_dtype(dtype)
    for kind, words in ((new, "dtype"), (old, "image dtype")):
        if not kind.is_floating and not kind.is_integer:
            raise AttributeError(f"{words} must be either floating point or integer")
    if old is new:
        same: Tensor = identity(source, name=name)
        return same
    convert = saturate_cast if saturate else cast
    with name_scope(name, "convert_image", [source]) as scope:
        if old.is_floating and new.is_floating:
            return cast(source, new, name=scope)
        if old.is_integer and new.is_integer:
            return _between_integers(source, new, convert, scope)
        if old.is_integer:
            return multiply(cast(source, new), 1.0 / old.max, name=scope)
        # Half a step more than the range avoids rounding in the conversion.
        return convert(multiply(source, new.max + 0.5), new, name=scope)


def _between_integers(source: Tensor, new: dtypes.DType, convert: Callable[..., Tensor], scope: str) -> Tensor:
    old = source.dtype.base_dtype
    if old.max > new.max:
        return convert(floordiv(source, (old.max + 1) // (new.max + 1)), new, name=scope)
    return multiply(convert(source, new), (new.max + 1) // (old.max + 1), name=scope)


def _fractions(image: Tensor) -> Tensor:
    return image if image.dtype.base_dtype in _FRACTIONS else convert_image_dtype(image, dtypes.float32)


def adjust_brightness(image: Any, delta: Any) -> Tensor:
    """Return images with `delta`, a share of the whole range, added to every pixel; whole pixels are clipped."""
    with name_scope(None, "adjust_brightness", [image]) as scope:
        whole = convert_to_tensor(image, name="image")
        wide = _fractions(whole)
        adjusted = add(wide, cast(delta, wide.dtype), name=scope)
        return convert_image_dtype(adjusted, whole.dtype, saturate=True)


def adjust_contrast(images: Any, contrast_factor: Any) -> Tensor:
    """Return images with each channel's distance to its mean, image by image, scaled."""
    with name_scope(None, "adjust_contrast", [images]) as scope:
        whole = convert_to_tensor(images, name="images")
        adjusted = adjust_contrast_op(_fractions(whole), contrast_factor, name=scope)
        return convert_image_dtype(adjusted, whole.dtype, saturate=True)


def adjust_gamma(image: Any, gamma: Any = 1, gain: Any = 1) -> Tensor:
    """Return `gain * image ** gamma`; ValueError for a negative gamma."""
    with name_scope(None, "adjust_gamma", [image]):
        whole = convert_to_tensor(image, name="image")
        wide = require(_fractions(whole), (gamma >= 0, "Gamma should be a non-negative real number."))
        return convert_image_dtype(gain * wide**gamma, whole.dtype, saturate=True)


def adjust_hue(image: Any, delta: Any, name: str | None = None) -> Tensor:
    """Return images (…, 3) with the hue turned by `delta` in [-1, 1], where 1 is the whole circle."""
    with name_scope(name, "adjust_hue", [image]):
        whole = convert_to_tensor(image, name="image")
        return convert_image_dtype(adjust_hue_op(_fractions(whole), delta), whole.dtype)


def adjust_saturation(image: Any, saturation_factor: Any, name: str | None = None) -> Tensor:
    """Return images (…, 3) with the saturation scaled."""
    with name_scope(name, "adjust_saturation", [image]):
        whole = convert_to_tensor(image, name="image")
        return convert_image_dtype(adjust_saturation_op(_fractions(whole), saturation_factor), whole.dtype)


def random_brightness(image: Any, max_delta: float, seed: int | None = None) -> Tensor:
    """Return images with a random number in [-max_delta, max_delta) added; ValueError when that is negative."""
    if max_delta < 0:
        raise ValueError("max_delta must be non-negative.")
    return adjust_brightness(image, random_uniform([], -max_delta, max_delta, seed=seed))


def _check_bounds(lower: float, upper: float) -> None:
    if upper <= lower:
        raise ValueError("upper must be > lower.")
    if lower < 0:
        raise ValueError("lower must be non-negative.")


def random_contrast(image: Any, lower: float, upper: float, seed: int | None = None) -> Tensor:
    """Return images with the contrast scaled by a random number in [lower, upper)."""
    _check_bounds(lower, upper)
    return adjust_contrast(image, random_uniform([], lower, upper, seed=seed))


def random_saturation(image: Any, lower: float, upper: float, seed: int | None = None) -> Tensor:
    """Return images with the saturation scaled by a random number in [lower, upper)."""
    _check_bounds(lower, upper)
    return adjust_saturation(image, random_uniform([], lower, upper, seed=seed))


def random_hue(image: Any, max_delta: float, seed: int | None = None) -> Tensor:
    """Return images with the hue turned by a random number in [-max_delta, max_delta); at most 0.5."""
    if max_delta > 0.5:
        raise ValueError("max_delta must be <= 0.5.")
    if max_delta < 0:
        raise ValueError("max_delta must be non-negative.")
    return adjust_hue(image, random_uniform([], -max_delta, max_delta, seed=seed))


def rgb_to_grayscale(images: Any, name: str | None = None) -> Tensor:
    """Return images (…, 3) in shades of grey (…, 1), as bright as they look."""
    with name_scope(name, "rgb_to_grayscale", [images]) as scope:
        whole = convert_to_tensor(images, name="images")
        grey = tensordot(convert_image_dtype(whole, dtypes.float32), constant(_LUMA), [[-1], [-1]])
        return convert_image_dtype(expand_dims(grey, -1), whole.dtype, name=scope)


def grayscale_to_rgb(images: Any, name: str | None = None) -> Tensor:
    """Return images (…, 1) as (…, 3), the channel three times."""
    with name_scope(name, "grayscale_to_rgb", [images]) as scope:
        whole = convert_to_tensor(images, name="images")
        if whole.dims is not None and whole.dims and whole.dims[-1] not in (None, 1):
            raise ValueError(f"Last dimension of a grayscale image should be size 1, is {whole.dims[-1]}.")
        if whole.dims is not None:
            times: Any = [1] * (len(whole.dims) - 1) + [3]
        else:
            times = concat([tile([1], [rank(whole) - 1]), [3]], 0)
        return tile(whole, times, name=scope)


def per_image_standardization(image: Any) -> Tensor:
    """Return images, float32, scaled to mean 0 and variance 1, each by itself; even ones become 0."""
    with name_scope(None, "per_image_standardization", [image]) as scope:
        whole = cast(convert_to_tensor(image, name="image"), dtypes.float32)
        pixels = cast(reduce_prod(shape(whole)[-3:]), dtypes.float32)
        mean = reduce_mean(whole, axis=[-1, -2, -3], keepdims=True)
        deviation = maximum(reduce_std(whole, axis=[-1, -2, -3], keepdims=True), rsqrt(pixels))
        return divide(whole - mean, deviation, name=scope)


def _by_matrix(images: Any, matrix: list[list[float]], name: str) -> Tensor:
    whole = convert_to_tensor(images, name="images")
    weights = constant(np.array(matrix, whole.dtype.base_dtype.np_dtype), name=name)
    last = builtins.len(whole.dims) - 1 if whole.dims is not None else rank(whole) - 1
    mixed = tensordot(whole, weights, axes=[[last], [0]])
    mixed.set_shape(whole.shape)
    return mixed


def rgb_to_yiq(images: Any) -> Tensor:
    """Return red, green and blue (…, 3) as luma and two chroma signals, Y, I and Q."""
    return _by_matrix(images, _RGB_TO_YIQ, "kernel")


def yiq_to_rgb(images: Any) -> Tensor:
    """Return Y, I and Q (…, 3) as red, green and blue."""
    return _by_matrix(images, _YIQ_TO_RGB, "kernel")


def rgb_to_yuv(images: Any) -> Tensor:
    """Return red, green and blue (…, 3) as luma and two chroma signals, Y, U and V."""
    return _by_matrix(images, _RGB_TO_YUV, "kernel")


def yuv_to_rgb(images: Any) -> Tensor:
    """Return Y, U and V (…, 3) as red, green and blue."""
    return _by_matrix(images, _YUV_TO_RGB, "kernel")
