"""Dilated windows by moving pixels: those that lie as far apart as the dilation come beside each other, in a larger batch.

Ops whose windows cannot be dilated (or only on some of TensorFlow's devices) then see plain images.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..array.blocks import batch_to_space_nd, space_to_batch_nd
from ..array.concat import concat
from ..array.pack import stack
from ..array.shape_ops import shape
from ..core.node import Tensor


def with_dilation(
    tensor: Tensor, rates: list[int], channels_first: bool, padding: Any, apply: Callable[[Tensor], Tensor]
) -> Tensor:
    """Return what `apply`, an op without padding and strides, gives of pixels that lie `rates` apart.

    Args:
      tensor: (batch, spatial dimensions, channels), or channels second.
      rates: the dilation along each spatial dimension.
      padding: how many zeros to put around in all, a number for each spatial dimension; half of them, or one less, in front.
    """
    rank, start = len(rates), 2 if channels_first else 1
    dims = None if tensor.dims is None else tensor.dims[start : start + rank]
    known = dims is not None and None not in dims and not isinstance(padding, Tensor)
    lengths: Any = np.array(dims, np.int32) if known else shape(tensor)[start : start + rank]
    steps = np.array(rates, np.int32)
    before = padding // 2
    extra = (steps - (lengths + padding) % steps) % steps
    zeros = np.zeros(rank, np.int32)
    pads = _pairs(before, padding - before + extra, channels_first, known)
    crops = _pairs(zeros, extra, channels_first, known)
    blocks = [1] * channels_first + rates
    return batch_to_space_nd(apply(space_to_batch_nd(tensor, blocks, pads)), blocks, crops)


def _pairs(before: Any, after: Any, channels_first: bool, known: bool) -> Any:
    """Return (dimensions, 2) of two vectors, with a pair of zeros for the channels in front where they come first."""
    if known:
        pairs = np.stack([before, after], axis=1).astype(np.int32)
        return np.concatenate([np.zeros((1, 2), np.int32), pairs]) if channels_first else pairs
    found = stack([before, after], axis=1)
    return concat([np.zeros((1, 2), np.int32), found], 0) if channels_first else found
