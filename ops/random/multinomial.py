"""Multinomial: classes drawn by their unnormalised log-probabilities.

Drawn on the host by inverting the cumulative distribution, as TensorFlow's CPU kernel does, wherever the node is
placed: TensorFlow's GPU kernel draws other numbers, ours may not. Its operands are in host memory, so that their copies
are seen.
"""

from __future__ import annotations

import numpy as np

from ...devices.types import Array, Namespace
from ..core import dtypes, shapes
from ..core.context import KernelContext
from ..core.dtypes import DType
from ..core.errors import InvalidArgumentError
from ..core.node import Operation
from ..core.registry import op
from ..core.shape_rules import constant_value
from ..core.shapes import Shape
from .distributions import UNIFORM
from .draw import INTEGERS, stream_of
from .philox import Key
from .sampling import RESERVED, samples

NUMBERS = (
    dtypes.float32, dtypes.float64, dtypes.int32, dtypes.uint8, dtypes.int16, dtypes.int8, dtypes.int64,
    dtypes.bfloat16, dtypes.uint16, dtypes.float16, dtypes.uint32, dtypes.uint64,
)  # fmt: skip


def classes_shape(node: Operation) -> Shape:
    """The output is (batch, num_samples)."""
    logits = shapes.merge(node.inputs[0].dims, (None, None))
    shapes.with_rank(node.inputs[1].dims, 0)
    count = constant_value(node.inputs[1])
    if count is not None and count < 0:
        raise ValueError(f"Dimension size, given by scalar input 1, must be non-negative but is {int(count)}")
    return logits[0] if logits else None, None if count is None else int(count)


def checked_classes(logits: Array, num_samples: Array) -> int:
    """Return how many classes are to be drawn for each row; InvalidArgumentError for shapes that cannot be."""
    count = int(num_samples)
    if logits.ndim != 2:
        raise InvalidArgumentError(None, None, f"logits should be a matrix, got shape {list(logits.shape)}")
    if count < 0:
        raise InvalidArgumentError(None, None, f"num_samples should be nonnegative, got {count}")
    if logits.shape[0] and count and not logits.shape[1]:
        raise InvalidArgumentError(None, None, f"num_classes should be positive, got {logits.shape[1]}")
    return count


@op("Multinomial", types="logits: T, num_samples: int32 -> output: output_dtype", T=NUMBERS, output_dtype=INTEGERS,
    defaults={"output_dtype": dtypes.int64}, shape=classes_shape, stateful=True, host="logits num_samples output",
    differentiable=False)  # fmt: skip
def multinomial_op(
    ctx: KernelContext, xp: Namespace, logits: Array, num_samples: Array, *,
    seed: int = 0, seed2: int = 0, output_dtype: DType = dtypes.int64,
) -> Array:  # fmt: skip
    """Draws `num_samples` classes for each row of `logits` (batch, classes): (batch, num_samples).

    Classes whose logit is not finite are never drawn.
    """
    count = checked_classes(logits, num_samples)
    batch = logits.shape[0]
    if not batch * count:
        return np.empty((batch, count), output_dtype.as_numpy_dtype)
    stream = stream_of(ctx, seed, seed2)
    # TensorFlow rounds the samples of a row up to fours, counts a double as two and reserves as for other outputs.
    start = stream.reserve(batch * (-(-count // 4) * 4 * 2) * RESERVED)
    return drawn_classes(stream.key, start, logits, count, output_dtype)


def drawn_classes(key: Key, start: int, logits: Array, count: int, dtype: DType) -> Array:
    """Return `count` classes for each row, from the counters that begin at `start`."""
    out = np.empty((logits.shape[0], count), dtype.as_numpy_dtype)
    uniform = samples(key, start, out.size, UNIFORM[np.dtype(np.float64)]).reshape(out.shape)
    for row, cumulative, drawn in zip(out, _cumulative(logits), uniform, strict=True):
        row[:] = np.searchsorted(cumulative, drawn * cumulative[-1], side="right")
    return out


def _cumulative(logits: Array) -> Array:
    """Return the cumulative sums of exp(logits) along the rows, scaled by their maxima, float64."""
    values = logits.astype(np.float64)
    finite = np.isfinite(values)
    highest = np.max(values, axis=1, keepdims=True, where=finite, initial=np.finfo(np.float64).min)
    weights = np.exp(np.where(finite, values - highest, -np.inf))
    return np.cumsum(weights, axis=1)
