"""Gradients of the reductions: what was reduced to one element is spread over all that it came from."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..array.pack import stack
from ..array.reshape import expand_dims, reshape
from ..array.shape_ops import shape, size
from ..array.transpose import transpose
from ..core import shapes
from ..core.node import Operation, Tensor
from ..core.registry import lookup
from ..core.shape_rules import constant_value
from .binary import add_v2 as add
from .binary import equal, floor_div, maximum
from .binary import multiply as mul
from .binary import realdiv as div
from .complex import cast
from .ranges import range as range_of
from .reduce import reduce_prod, reduce_sum
from .reductions import euclidean_norm_op, max_op, mean_op, min_op, normal_axes, prod_op, sum_op
from .scans import cumprod
from .sorting import top_k_op


def _static_axes(op: Operation) -> tuple[int, ...] | None:
    dims, axes = op.inputs[0].dims, constant_value(op.inputs[1])
    return None if dims is None or axes is None else normal_axes(axes, len(dims))


def _kept_shape(op: Operation) -> Tensor:
    """Return, at run time, the input's shape with 1 in place of the reduced axes."""
    dims = shape(op.inputs[0])
    axes = lookup("FloorMod")(cast(op.inputs[1], "int32"), size(dims))
    kept = [range_of(size(dims)), reshape(axes, [-1])]
    return lookup("DynamicStitch")(kept, [dims, add(mul(kept[1], 0), 1)])  # type: ignore[no-any-return]


def keep(op: Operation, reduced: Tensor) -> Tensor:
    """Return a reduced tensor with its reduced axes back, of length 1."""
    if op.attrs["keep_dims"]:
        return reduced
    axes = _static_axes(op)
    if axes is None:
        return reshape(reduced, _kept_shape(op))
    if len(axes) == len(op.inputs[0].dims or ()) and axes:
        return reshape(reduced, [1] * len(axes))
    for axis in axes:
        reduced = expand_dims(reduced, axis)
    return reduced


def _spread(op: Operation, dy: Tensor) -> Tensor:
    """Return `dy` repeated over the elements that were reduced."""
    axes = _static_axes(op)
    leading = axes == tuple(np.arange(len(axes))) if axes is not None else False
    kept = dy if leading and not op.attrs["keep_dims"] else keep(op, dy)
    return lookup("BroadcastTo")(kept, shape(op.inputs[0]))  # type: ignore[no-any-return]


@sum_op.gradient
def _sum_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
    return [_spread(op, dy), None]


@mean_op.gradient
def _mean_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
    before, after = (shapes.num_elements(tensor.dims) for tensor in (op.inputs[0], op.outputs[0]))
    spread = _spread(op, dy)
    if before is not None and after is not None:
        return [div(spread, float(before // max(after, 1))), None]
    count = floor_div(size(op.inputs[0]), maximum(size(op.outputs[0]), 1))
    return [div(spread, cast(count, dy.dtype)), None]


def _extreme_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
    """Equal extremes share the gradient equally."""
    x = op.inputs[0]
    chosen = cast(equal(x, keep(op, op.outputs[0])), dy.dtype)
    count = reduce_sum(chosen, op.inputs[1], True)
    return [mul(div(chosen, count), keep(op, dy)), None]


max_op.gradient(_extreme_gradient)
min_op.gradient(_extreme_gradient)


@prod_op.gradient
def _prod_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
    """Multiply all the others: products before and after each element, which also holds where elements are 0."""
    x = op.inputs[0]
    order, inverse, reduced = _reduced_first(op)
    turned = transpose(x, order)
    flat = reshape(turned, stack([reduced, -1]))
    left = cumprod(flat, 0, exclusive=True)
    right = cumprod(flat, 0, exclusive=True, reverse=True)
    others = transpose(reshape(mul(left, right), shape(turned)), inverse)
    return [mul(_spread(op, dy), others), None]


def _reduced_first(op: Operation) -> tuple[Any, Any, Tensor]:
    """Return the order of axes that has the reduced ones first, its inverse, and how many elements are reduced to one."""
    x, axes = op.inputs[0], _static_axes(op)
    if axes is not None:
        order = [*axes, *(i for i in np.arange(len(x.dims or ())).tolist() if i not in axes)]
        count = reduce_prod(lookup("GatherV2")(shape(x), np.array(axes, np.int32), 0))
        return order, np.argsort(order).astype(np.int32), count
    dims = shape(x)
    every, stitch = range_of(size(dims)), lookup("DynamicStitch")
    given = reshape(lookup("FloorMod")(cast(op.inputs[1], "int32"), size(dims)), [-1])
    reduced = stitch([every, given], [mul(every, 0), add(mul(given, 0), 1)])
    order = top_k_op(reduced, size(dims))[1]
    return order, stitch([order], [every]), reduce_prod(lookup("GatherV2")(dims, given, 0))


@euclidean_norm_op.gradient
def _euclidean_norm_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
    return [mul(op.inputs[0], div(keep(op, dy), keep(op, op.outputs[0]))), None]
