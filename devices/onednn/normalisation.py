"""Batch normalisation by oneDNN, in training: images, with a scale and a shift for each channel.

All arrays are float32; images are (batch, height, width, channels), or with `first` (batch, channels, height, width).
oneDNN's gradients took twice the time of NumPy's in blocks, so they are not here.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from ..types import Array
from .primitive import NCHW, NHWC, VECTOR, Descriptions, Primitive
from .threads import ThreadState, settle

_TRAINING = 64
_SCALE_AND_SHIFT = 2 | 4
_SRC, _DST, _MEAN, _VARIANCE, _SCALE, _SHIFT = 1, 17, 49, 50, 51, 52

Dims = tuple[int, int, int, int]


def _memories(make: Descriptions, dims: Dims, first: bool) -> tuple[int, int]:
    n, c, h, w = dims if first else (dims[0], dims[3], dims[1], dims[2])
    return make.memory((n, c, h, w), NCHW if first else NHWC), make.memory((c,), VECTOR)


def _forward(dims: Dims, first: bool, epsilon: float, state: ThreadState) -> Primitive:
    with Descriptions() as make:
        images, channels = _memories(make, dims, first)
        described = make.primitive(
            "batch_normalization_forward", state.engine, _TRAINING, images, images, epsilon, _SCALE_AND_SHIFT
        )
        memories = {_SRC: images, _SCALE: channels, _SHIFT: channels}
        return Primitive(state, make, described, {**memories, _DST: images, _MEAN: channels, _VARIANCE: channels})


def normalise(x: Array, scale: Array, shift: Array, epsilon: float, first: bool) -> tuple[Array, Array, Array]:
    """Return normalised images, and the mean and the variance (not corrected) of each channel."""
    x, scale, shift = (np.ascontiguousarray(array, np.float32) for array in (x, scale, shift))
    run = settle().cached(("normalise", x.shape, first, epsilon), partial(_forward, x.shape, first, epsilon))
    y, mean, variance = np.empty_like(x), np.empty_like(scale), np.empty_like(scale)
    run(*(array.ctypes.data for array in (x, scale, shift, y, mean, variance)))
    return y, mean, variance
