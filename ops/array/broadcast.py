"""Repeating elements: BroadcastTo, Tile, and the shape arithmetic of broadcasting.

BroadcastArgs and BroadcastGradientArgs compute on shapes only, in host memory. The gradient of Tile needs a sum and is
attached on the floor above.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..core import dtypes, shapes
from ..core.convert import constant
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.scopes import name_scope
from ..core.shape_rules import constant_value, constant_value_as_shape
from ..core.shapes import Shape
from .reshape import reshape
from .shape_ops import shape

_SHAPES = {"T": dtypes.int32}


def _broadcast_to_shape(node: Operation) -> Shape:
    source, target = node.inputs[0].dims, constant_value_as_shape(node.inputs[1])
    if source is not None and target is not None:
        if len(source) > len(target):
            raise ValueError(
                f"Rank of input ({len(source)}) must be no greater than rank of output shape ({len(target)})."
            )
        shapes.broadcast(source, target)
    return target


@op(
    "BroadcastTo",
    types="input: T, shape: Tidx -> output: T",
    Tidx=dtypes.INDEX,
    defaults={"Tidx": dtypes.int32},
    shape=_broadcast_to_shape,
    host="shape",
    aliases="output=input",
)
def broadcast_to_op(xp: Namespace, x: Array, wanted: Array) -> Array:
    """Return a view of the input, repeated to the shape wanted."""
    dims = tuple(wanted.tolist())
    try:
        return xp.broadcast_to(x, dims)
    except ValueError:
        found = shapes.format_brackets(x.shape)
        message = f"Incompatible shapes: {found} vs. {shapes.format_brackets(dims)}"
        raise InvalidArgumentError(None, None, message) from None


def _incompatible(first: Array, second: Array) -> InvalidArgumentError:
    found = " vs. ".join(shapes.format_brackets(dims.tolist()) for dims in (first, second))
    return InvalidArgumentError(None, None, f"Incompatible shapes: {found}")


def _args_shape(node: Operation) -> Shape:
    sizes = [shapes.with_rank(t.dims, 1)[0] for t in node.inputs]
    return (None,) if None in sizes else (max(n for n in sizes if n is not None),)


@op(
    "BroadcastArgs",
    types="s0: T, s1: T -> r0: T",
    T=dtypes.INDEX,
    defaults=_SHAPES,
    shape=_args_shape,
    host="s0 s1 r0",
    differentiable=False,
)
def broadcast_args_op(xp: Namespace, first: Array, second: Array) -> Array:
    """Return the shape of two arrays of the shapes given, broadcast against each other."""
    try:
        return np.array(shapes.broadcast(tuple(first.tolist()), tuple(second.tolist())), first.dtype)
    except ValueError:
        raise _incompatible(first, second) from None


@op(
    "BroadcastGradientArgs",
    types="s0: T, s1: T -> r0: T, r1: T",
    T=dtypes.INDEX,
    defaults=_SHAPES,
    shape=lambda node: [(None,), (None,)],
    host="s0 s1 r0 r1",
    differentiable=False,
)
def broadcast_gradient_args_op(xp: Namespace, first: Array, second: Array) -> list[Array]:
    """Return the axes along which the gradients of two broadcast arrays are summed."""
    rank = max(len(first), len(second))
    padded = [[1] * (rank - len(dims)) + dims.tolist() for dims in (first, second)]
    axes: tuple[list[int], list[int]] = ([], [])
    for axis, (a, b) in enumerate(zip(*padded, strict=True)):
        if a != b and 1 not in (a, b):
            raise _incompatible(first, second)
        if a == 1 and (b != 1 or axis < rank - len(first)):
            axes[0].append(axis)
        if b == 1 and (a != 1 or axis < rank - len(second)):
            axes[1].append(axis)
    return [np.array(found, first.dtype) for found in axes]


def _tiled_shape(node: Operation) -> Shape:
    x, multiples = node.inputs
    times = constant_value_as_shape(multiples)
    known = constant_value(multiples)
    if known is not None and (known < 0).any():
        raise ValueError(f"Expected multiples >= 0, got {known.tolist()}")
    if x.dims is None or times is None:
        return None if times is None else (None,) * len(times)
    shapes.merge_dim(len(x.dims), len(times))
    return tuple(None if d is None or n is None else d * n for d, n in zip(x.dims, times, strict=True))


@op(
    "Tile",
    types="input: T, multiples: Tmultiples -> output: T",
    Tmultiples=dtypes.INDEX,
    defaults={"Tmultiples": dtypes.int32},
    shape=_tiled_shape,
    host="multiples",
)
def tile_op(xp: Namespace, x: Array, multiples: Array) -> Array:
    """Return the input repeated along each dimension."""
    times = multiples.tolist()
    if len(times) != x.ndim:
        raise InvalidArgumentError(
            None, None, f"Expected multiples argument to be a vector of length {x.ndim} but got length {len(times)}"
        )
    for i, count in enumerate(times):
        if count < 0:
            raise InvalidArgumentError(None, None, f"Expected multiples[{i}] >= 0, but got {count}")
    return xp.tile(x, times)


def broadcast_to(input: Any, shape: Any, name: str | None = None) -> Tensor:
    """Return `input` broadcast to a shape that its own is compatible with."""
    return broadcast_to_op(input, shape, name=name)  # type: ignore[no-any-return]


def broadcast_dynamic_shape(shape_x: Any, shape_y: Any) -> Tensor:
    """Return the shape of two tensors of the shapes given, broadcast against each other, as a tensor."""
    return broadcast_args_op(shape_x, shape_y)  # type: ignore[no-any-return]


def broadcast_static_shape(shape_x: Any, shape_y: Any) -> shapes.TensorShape:
    """Return the shape of two tensors of static shapes, broadcast against each other; ValueError when they cannot be."""
    try:
        return shapes.to_public(shapes.broadcast(shapes.as_shape_tuple(shape_x), shapes.as_shape_tuple(shape_y)))
    except ValueError:
        raise ValueError(f"Incompatible shapes for broadcasting: {shape_x} and {shape_y}") from None


def tile(input: Any, multiples: Any, name: str | None = None) -> Tensor:
    """Return `input` repeated `multiples[i]` times along dimension i."""
    return tile_op(input, multiples, name=name)  # type: ignore[no-any-return]


def meshgrid(*args: Any, indexing: str = "xy", name: str = "meshgrid") -> list[Tensor]:
    """Return the coordinates of a grid as N tensors of rank N, out of N vectors.

    `indexing` "xy" (x first, as for plots) exchanges the first two dimensions, "ij" (as for matrices) does not.
    """
    if indexing not in ("xy", "ij"):
        raise ValueError("indexing parameter must be either 'xy' or 'ij'")
    with name_scope(name, "meshgrid", list(args)):
        count = len(args)
        places = list(range(count))
        if indexing == "xy" and count > 1:
            places[:2] = [1, 0]
        vectors = [
            reshape(x, [-1 if d == place else 1 for d in range(count)]) for x, place in zip(args, places, strict=True)
        ]
        if not vectors:
            return []
        whole = shape(vectors[0])
        for vector in vectors[1:]:
            whole = broadcast_args_op(whole, shape(vector))
        known = constant_value(whole)
        return [broadcast_to(v, whole if known is None else constant(known)) for v in vectors]
