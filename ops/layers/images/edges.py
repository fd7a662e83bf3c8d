"""How images change from pixel to pixel: differences, Sobel's filters, total variation."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...array import concat, pad, reshape, shape, tile, zeros_like
from ...core.convert import constant, convert_to_tensor
from ...core.node import Tensor
from ...core.scopes import name_scope
from ...math import abs, reduce_sum
from ...nn import depthwise_conv2d

_SOBEL = np.array([[[-1, -2, -1], [0, 0, 0], [1, 2, 1]], [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]])


def image_gradients(image: Any) -> tuple[Tensor, Tensor]:
    """Return the differences of each pixel of a batch to the one below and to the one on its right; 0 at the edges.

    Raises:
      ValueError: when the rank is not 4.
    """
    batch = convert_to_tensor(image)
    if batch.dims is None or len(batch.dims) != 4:
        raise ValueError(f"image_gradients expects a 4D tensor [batch_size, h, w, d], not {batch.shape}.")
    down, right = batch[:, 1:] - batch[:, :-1], batch[:, :, 1:] - batch[:, :, :-1]
    made = concat([down, zeros_like(batch[:, :1])], 1), concat([right, zeros_like(batch[:, :, :1])], 2)
    for part in made:
        part.set_shape(batch.shape)
    return made


def sobel_edges(image: Any) -> Tensor:
    """Return Sobel's edge maps of a batch (images, height, width, channels), (…, 2): vertical and horizontal differences."""
    batch = convert_to_tensor(image)
    size = shape(batch)
    filters = constant(np.transpose(_SOBEL, (1, 2, 0))[:, :, None].astype(batch.dtype.base_dtype.np_dtype))
    padded = pad(batch, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="REFLECT")
    found = depthwise_conv2d(padded, tile(filters, [1, 1, size[-1], 1]), [1, 1, 1, 1], "VALID")
    edges: Tensor = reshape(found, concat([size, [len(_SOBEL)]], 0))
    edges.set_shape(batch.shape.concatenate([len(_SOBEL)]))
    return edges


def total_variation(images: Any, name: str | None = None) -> Tensor:
    """Return the sum of all differences between neighbouring pixels: (), or (images,) of a batch.

    Raises:
      ValueError: when the rank is neither 3 nor 4.
    """
    with name_scope(name, "total_variation"):
        whole = convert_to_tensor(images)
        if whole.dims is None or len(whole.dims) not in (3, 4):
            raise ValueError("'images' must be either 3 or 4-dimensional.")
        axes = [-3, -2, -1]
        down = whole[..., 1:, :, :] - whole[..., :-1, :, :]
        right = whole[..., 1:, :] - whole[..., :-1, :]
        total: Tensor = reduce_sum(abs(down), axis=axes) + reduce_sum(abs(right), axis=axes)
        return total
