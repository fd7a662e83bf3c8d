"""Fractional pools of images: over regions whose sizes are drawn, so that a pool may shrink an image by 1.4 as well as by 2.

The rows and the columns are cut into regions independently. The cuts are TensorFlow's for its seeds. Kernels are the host's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..array.shape_ops import shape
from ..core import dtypes
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.shape_rules import constant_value_as_shape, same_shape_of_rank
from ..core.shapes import Shape, with_rank
from .simple_philox import SimplePhilox
from .stream import PhiloxStream

TYPES = (dtypes.float32, dtypes.float64, dtypes.int32, dtypes.int64)
POOL = "value: T -> output: T, row_pooling_sequence: int64, col_pooling_sequence: int64"
BACK = "out_backprop: T, row_pooling_sequence: int64, col_pooling_sequence: int64 -> output: T"
Pooled = tuple[Tensor, Tensor, Tensor]


def _shapes(node: Operation) -> list[Shape]:
    dims = with_rank(node.inputs[0].dims, 4)
    ratios = node.attrs["pooling_ratio"]
    made = [None if size is None else math.floor(size / ratio) for size, ratio in zip(dims, ratios, strict=True)]
    cuts = [None if size is None else size + 1 for size in made[1:3]]
    return [tuple(made), (cuts[0],), (cuts[1],)]


def _words(stream: PhiloxStream, count: int) -> SimplePhilox:
    return SimplePhilox(stream.key, stream.reserve(-(-count // 4)), np.empty(0, np.uint32))


def _random_sizes(stream: PhiloxStream, length: int, count: int) -> list[int]:
    """Return region sizes of two neighbouring values, in random order."""
    sizes = [length // count + 1] * (length % count) + [length // count] * (count - length % count)
    words = _words(stream, count).words(count).tolist()
    for i in range(count - 1):
        j = i + words[i] % (count - i)
        sizes[i], sizes[j] = sizes[j], sizes[i]
    return sizes


def _even_sizes(stream: PhiloxStream, length: int, count: int) -> list[int]:
    """Return region sizes as even as a random phase allows."""
    alpha, least = length / count, length // count
    most = min((least + 2) / alpha - 1, (length + 1 - least) / alpha - (count - 1))
    phase = float(_words(stream, 2).doubles(1)[0]) * most
    ends = [1, *(math.ceil(alpha * (i + phase)) for i in range(1, count)), length + 1]
    return [after - before for before, after in pairwise(ends)]


def _cuts(stream: PhiloxStream, length: int, count: int, even: bool) -> Array:
    sizes = (_even_sizes if even else _random_sizes)(stream, length, count)
    return np.cumsum([0, *sizes])


def _regions(rows: Array, columns: Array, dims: Any, overlapping: bool) -> Iterator[tuple[int, int, slice, slice]]:
    """Yield for each place of the output its row and column, and the slices of the image that it covers."""
    for i in range(len(rows) - 1):
        for j in range(len(columns) - 1):
            down, right = int(rows[i + 1]), int(columns[j + 1])
            if overlapping:
                down, right = min(down + 1, dims[1]), min(right + 1, dims[2])
            yield i, j, slice(int(rows[i]), down), slice(int(columns[j]), right)


def _cut(
    value: Array, ratios: list[float], even: bool, deterministic: bool, seeds: tuple[int, int]
) -> tuple[Array, Array]:
    """Draw the cuts of rows and columns."""
    if value.ndim != 4:
        raise InvalidArgumentError(None, None, "tensor_in must be 4-dimensional")
    if ratios[0] != 1 or ratios[3] != 1:
        raise InvalidArgumentError(
            None, None, "Fractional pooling is not yet supported on the batch or channel dimension."
        )
    if not deterministic and any(seeds):
        raise InvalidArgumentError(None, None, "Both seed and seed2 should be 0 if deterministic is false.")
    stream = PhiloxStream(*seeds)
    rows, columns = (
        _cuts(stream, value.shape[axis], math.floor(value.shape[axis] / ratios[axis]), even) for axis in (1, 2)
    )
    return rows, columns


@op("FractionalMaxPool", types=POOL, T=TYPES, shape=_shapes, stateful=True, devices="CPU")
def fractional_max_pool_op(
    xp: Namespace, value: Array, *, pooling_ratio: list[float], pseudo_random: bool = False, overlapping: bool = False,
    deterministic: bool = False, seed: int = 0, seed2: int = 0,
) -> list[Array]:  # fmt: skip
    """Returns the greatest element of each region, and where the regions of rows and of columns begin and end."""
    rows, columns = _cut(value, pooling_ratio, pseudo_random, deterministic, (seed, seed2))
    found = np.empty((value.shape[0], len(rows) - 1, len(columns) - 1, value.shape[3]), value.dtype)
    for i, j, down, right in _regions(rows, columns, value.shape, overlapping):
        found[:, i, j] = value[:, down, right].max(axis=(1, 2))
    return [found, rows, columns]


@op("FractionalAvgPool", types=POOL, T=TYPES, shape=_shapes, stateful=True, devices="CPU")
def fractional_avg_pool_op(
    xp: Namespace, value: Array, *, pooling_ratio: list[float], pseudo_random: bool = False, overlapping: bool = False,
    deterministic: bool = False, seed: int = 0, seed2: int = 0,
) -> list[Array]:  # fmt: skip
    """Returns the mean of each region, and where the regions of rows and of columns begin and end."""
    rows, columns = _cut(value, pooling_ratio, pseudo_random, deterministic, (seed, seed2))
    found = np.empty((value.shape[0], len(rows) - 1, len(columns) - 1, value.shape[3]), value.dtype)
    for i, j, down, right in _regions(rows, columns, value.shape, overlapping):
        region = value[:, down, right]
        total = region.sum(axis=(1, 2), dtype=value.dtype)
        count = region.shape[1] * region.shape[2]
        found[:, i, j] = (total - np.fmod(total, count)) // count if value.dtype.kind == "i" else total / count
    return [found, rows, columns]


@op(
    "FractionalMaxPoolGrad",
    types=f"orig_input: T, orig_output: T, {BACK}",
    T=TYPES,
    shape=same_shape_of_rank(4),
    devices="CPU",
)
def fractional_max_pool_grad_op(
    xp: Namespace, orig_input: Array, orig_output: Array, out_backprop: Array, row_pooling_sequence: Array,
    col_pooling_sequence: Array, *, overlapping: bool = False,
) -> Array:  # fmt: skip
    """Returns the gradient of the greatest elements by the images; the first of equal ones gets it."""
    made = np.zeros(orig_input.shape, out_backprop.dtype)
    batch, depth = orig_input.shape[0], orig_input.shape[3]
    places = np.arange(batch)[:, None], np.arange(depth)
    for i, j, down, right in _regions(row_pooling_sequence, col_pooling_sequence, orig_input.shape, overlapping):
        region = orig_input[:, down, right]
        best = region.reshape(batch, -1, depth).argmax(axis=1)
        y, x = down.start + best // region.shape[2], right.start + best % region.shape[2]
        made[places[0], y, x, places[1]] += out_backprop[:, i, j]
    return made


@op("FractionalAvgPoolGrad", types=f"orig_input_tensor_shape: int64, {BACK}", T=TYPES, devices="CPU",
    shape=lambda node: constant_value_as_shape(node.inputs[0]))  # fmt: skip
def fractional_avg_pool_grad_op(
    xp: Namespace, orig_input_tensor_shape: Array, out_backprop: Array, row_pooling_sequence: Array,
    col_pooling_sequence: Array, *, overlapping: bool = False,
) -> Array:  # fmt: skip
    """Returns the gradient of the means by the images."""
    dims = tuple(int(size) for size in orig_input_tensor_shape)
    made = np.zeros(dims, out_backprop.dtype)
    for i, j, down, right in _regions(row_pooling_sequence, col_pooling_sequence, dims, overlapping):
        count = (down.stop - down.start) * (right.stop - right.start)
        share = out_backprop[:, i, j] / count
        made[:, down, right] += share.astype(made.dtype)[:, None, None]
    return made


@fractional_max_pool_op.gradient
def _max_gradient(op: Operation, dy: Tensor, *_: Any) -> Tensor:
    output, rows, columns = op.outputs
    overlapping = op.attrs["overlapping"]
    return fractional_max_pool_grad_op(op.inputs[0], output, dy, rows, columns, overlapping=overlapping)  # type: ignore[no-any-return]


@fractional_avg_pool_op.gradient
def _avg_gradient(op: Operation, dy: Tensor, *_: Any) -> Tensor:
    rows, columns = op.outputs[1:]
    dims = shape(op.inputs[0], out_type=dtypes.int64)
    return fractional_avg_pool_grad_op(dims, dy, rows, columns, overlapping=op.attrs["overlapping"])  # type: ignore[no-any-return]


def _public(name: str, decl: Any, what: str) -> Any:
    def pool(
        value: Any, pooling_ratio: Any, pseudo_random: bool = False, overlapping: bool = False, deterministic: bool = False,
        seed: int = 0, seed2: int = 0, name: str | None = None,
    ) -> Pooled:  # fmt: skip
        return decl.named(  # type: ignore[no-any-return]
            value, pooling_ratio=[float(ratio) for ratio in pooling_ratio], pseudo_random=pseudo_random,
            overlapping=overlapping, deterministic=deterministic, seed=seed, seed2=seed2, name=name,
        )  # fmt: skip

    pool.__name__ = pool.__qualname__ = name
    pool.__doc__ = f"""Return {what} of regions of drawn sizes.

    Args:
      value: images (batch, height, width, channels).
      pooling_ratio: by how much to shrink each axis; the first and the last are 1.
      pseudo_random: whether regions are as even as can be, with a random phase, instead of in random order.
      overlapping: whether regions share their borders.
      deterministic: whether each run draws the same regions, by `seed` and `seed2`.

    Returns:
      The pooled images, and the cuts of rows and of columns, int64 vectors.
    """
    return pool


fractional_max_pool = _public("fractional_max_pool", fractional_max_pool_op, "the greatest element")
fractional_avg_pool = _public("fractional_avg_pool", fractional_avg_pool_op, "the mean")
