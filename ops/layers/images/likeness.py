"""How alike two images are: the peak signal-to-noise ratio, and structural similarity at one scale and at several.

Structural similarity (Wang et al. 2004; at several scales 2003) compares means, contrasts and structures in windows weighted
by a Gaussian.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...array import concat, identity, pad, reshape, shape, stack, tile
from ...core import dtypes
from ...core.convert import constant, convert_to_tensor
from ...core.node import Tensor
from ...core.scopes import control_dependencies, name_scope
from ...math import cast, greater_equal, log, pow, reduce_all, reduce_mean, reduce_prod, square, squared_difference
from ...nn import avg_pool, depthwise_conv2d, relu
from ..assertions import Assert
from .colours import convert_image_dtype

_POWERS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def _alike(one: Tensor, other: Tensor) -> None:
    """Raise ValueError when two images cannot have one shape, or have less than three dimensions."""
    for image in (one, other):
        if image.dims is not None and len(image.dims) < 3:
            raise ValueError(f"Shape must be at least rank 3 but is {image.shape}")
    if not one.shape[-3:].is_compatible_with(other.shape[-3:]):
        raise ValueError(f"Incompatible image shapes: {one.shape} and {other.shape}")


def _fractions(img1: Any, img2: Any, max_val: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Return two images and the greatest value as float32 fractions."""
    one, other = convert_to_tensor(img1), convert_to_tensor(img2)
    _alike(one, other)
    most = convert_image_dtype(cast(max_val, one.dtype), dtypes.float32)
    return convert_image_dtype(one, dtypes.float32), convert_image_dtype(other, dtypes.float32), most


def psnr(a: Any, b: Any, max_val: Any, name: str | None = None) -> Tensor:
    """Return the peak signal-to-noise ratio of images (…, height, width, channels) in decibels, float32 (…,).

    `max_val` is the range of pixels, in the images' own type.
    """
    with name_scope(name, "PSNR", [a, b]):
        one, other, most = _fractions(a, b, max_val)
        error = reduce_mean(squared_difference(one, other), [-3, -2, -1])
        return 20 * log(most) / math.log(10.0) - np.float32(10 / math.log(10)) * log(error)


def _window(size: int, sigma: float) -> Any:
    """Return a Gaussian window that sums to 1, float32 (size, size, 1, 1)."""
    places = np.arange(size, dtype=np.float32) - np.float32((size - 1) / 2)
    line = -0.5 * np.square(places) / np.float32(sigma) ** 2
    plane = np.exp(line[:, None] + line[None])
    return (plane / plane.sum()).astype(np.float32)[..., None, None]


def _parts(one: Tensor, other: Tensor, most: Tensor, size: int, sigma: float, k1: float, k2: float) -> Any:
    """Return the maps of similarity and of contrast and structure, (images, rows, columns, channels)."""
    filters = tile(constant(_window(size, sigma)), [1, 1, shape(one)[-1], 1])

    def mean(x: Tensor) -> Tensor:
        dims = shape(x)
        flat = reshape(x, concat([[-1], dims[-3:]], 0))
        found = depthwise_conv2d(flat, filters, [1, 1, 1, 1], "VALID")
        return reshape(found, concat([dims[:-3], shape(found)[1:]], 0))

    c1, c2 = square(k1 * most), square(k2 * most)
    mean1, mean2 = mean(one), mean(other)
    product, squares = 2.0 * mean1 * mean2, square(mean1) + square(mean2)
    luminance = (product + c1) / (squares + c1)
    structure = (2.0 * mean(one * other) - product + c2) / (mean(square(one) + square(other)) - squares + c2)
    return luminance * structure, structure


def _large_enough(image: Tensor, size: int) -> Any:
    found = shape(image)
    return Assert(reduce_all(greater_equal(found[-3:-1], size)), [found, size])


def ssim(
    img1: Any, img2: Any, max_val: Any, filter_size: int = 11, filter_sigma: float = 1.5, k1: float = 0.01,
    k2: float = 0.03, return_index_map: bool = False,
) -> Tensor:  # fmt: skip
    """Return the structural similarity of images (…, height, width, channels), in [-1, 1], float32 (…,).

    Args:
      max_val: the range of pixels, in the images' own type.
      filter_size, filter_sigma: of the Gaussian window.
      k1, k2: keep divisions by small numbers from mattering.
      return_index_map: whether to return the similarity in each window, (…, rows, columns), and not the mean.
    """
    with name_scope(None, "SSIM", [img1, img2]):
        one, other, most = _fractions(img1, img2, max_val)
        with control_dependencies([_large_enough(one, filter_size)]):
            one = identity(one)
        similarity, _ = _parts(one, other, most, filter_size, filter_sigma, k1, k2)
        return reduce_mean(similarity, [-1] if return_index_map else [-3, -2, -1])


def ssim_multiscale(
    img1: Any, img2: Any, max_val: Any, power_factors: Sequence[float] = _POWERS, filter_size: int = 11,
    filter_sigma: float = 1.5, k1: float = 0.01, k2: float = 0.03,
) -> Tensor:  # fmt: skip
    """Return the structural similarity of images at several scales, each half of the one before; float32 (…,).

    `power_factors` weigh the scales, the finest first.
    """
    with name_scope(None, "MS-SSIM", [img1, img2]):
        one, other, most = _fractions(img1, img2, max_val)
        found = []
        for number in range(len(power_factors)):
            if number:
                one, other = _halved(one), _halved(other)
            with control_dependencies([_large_enough(one, filter_size)]):
                one = identity(one)
            whole, structure = _parts(one, other, most, filter_size, filter_sigma, k1, k2)
            last = number == len(power_factors) - 1
            found.append(relu(reduce_mean(whole if last else structure, [-3, -2])))
        weighted = reduce_prod(pow(stack(found, axis=-1), constant(np.array(power_factors, np.float32))), [-1])
        return reduce_mean(weighted, [-1])


def _halved(images: Tensor) -> Tensor:
    """Return images of half the size; a last odd row or column counts twice."""
    dims = shape(images)
    flat = reshape(images, concat([[-1], dims[-3:]], 0))
    odd = dims[-3:-1] % 2
    margins = stack([[0, 0], [0, odd[0]], [0, odd[1]], [0, 0]])
    small = avg_pool(pad(flat, margins, "SYMMETRIC"), [1, 2, 2, 1], [1, 2, 2, 1], "VALID")
    return reshape(small, concat([dims[:-3], shape(small)[1:]], 0))
