"""Frames: overlapping pieces of a signal, their sum, and halves of an axis changing places."""

from __future__ import annotations

from typing import Any

from ..array.blocks import roll
from ..array.concat import concat
from ..array.gather import gather
from ..array.padding import pad
from ..array.reshape import expand_dims, reshape
from ..array.shape_ops import rank as rank_of
from ..array.shape_ops import shape
from ..array.transpose import transpose
from ..core import dtypes, shapes
from ..core.convert import convert_to_tensor
from ..core.node import Tensor
from ..core.scopes import name_scope
from ..core.shape_rules import constant_value
from ..math.binary import equal, maximum, multiply
from ..math.complex import cast
from ..math.ranges import range as tensor_range
from ..math.reduce import reduce_sum


def scalar(value: Any, name: str) -> Tensor:
    """Return a 0-D int32 tensor; ValueError for another rank."""
    tensor = cast(convert_to_tensor(value, name=name), dtypes.int32)
    if tensor.dims not in (None, ()):
        raise ValueError(f"Shape must be rank 0 but is rank {len(tensor.dims or ())} for {name}")
    return tensor


def frame(
    signal: Any, frame_length: Any, frame_step: Any, pad_end: bool = False, pad_value: Any = 0, axis: int = -1,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Cut an axis into frames that may overlap.

    Args:
      signal: [..., samples, ...] of any dtype.
      frame_length: how many samples a frame has.
      frame_step: how many samples lie between the beginnings of neighbouring frames.
      pad_end: whether frames that reach beyond the end are kept, filled with `pad_value`.
      pad_value: a 0-D value.
      axis: which axis is cut.

    Returns:
      [..., frames, frame_length, ...].
    """
    with name_scope(name, "frame", [signal, frame_length, frame_step, pad_value]):
        x = convert_to_tensor(signal, name="signal")
        length, step = scalar(frame_length, "frame_length"), scalar(frame_step, "frame_step")
        place = int(constant_value(convert_to_tensor(axis)))
        shapes.with_rank_at_least(x.dims, place + 1 if place >= 0 else -place)
        samples = shape(x)[place]
        if pad_end:
            frames = (samples + step - 1) // step
            x = _extended(x, place, maximum(0, length + step * (frames - 1) - samples), pad_value)
        else:
            frames = maximum(0, 1 + (samples - length) // step)
        starts = tensor_range(frames) * step
        return gather(x, expand_dims(starts, 1) + expand_dims(tensor_range(length), 0), axis=place)


def _extended(x: Tensor, axis: int, count: Tensor, value: Any) -> Tensor:
    """Return `x` with so many values behind one axis."""
    axes = rank_of(x)
    chosen = cast(equal(tensor_range(axes), (axes + axis) % axes), dtypes.int32)
    paddings = multiply(expand_dims(chosen, 1) * [[0, 1]], count)
    found = pad(x, paddings, constant_values=convert_to_tensor(value, x.dtype.base_dtype, name="pad_value"))
    if x.dims is not None:
        found.set_shape([None if i == axis % len(x.dims) else dim for i, dim in enumerate(x.dims)])
    return found


def overlap_and_add(signal: Any, frame_step: Any, name: str | None = None) -> Tensor:
    """Add frames where they overlap: the adjoint of `frame`.

    Args:
      signal: [..., frames, frame_length].
      frame_step: how many samples lie between the beginnings of neighbouring frames; integer.

    Returns:
      [..., (frames - 1) * frame_step + frame_length].

    Raises:
      ValueError: when `frame_step` is no 0-D integer, or the signal has fewer than two axes.
    """
    with name_scope(name, "overlap_and_add", [signal, frame_step]):
        x = convert_to_tensor(signal, name="signal")
        shapes.with_rank_at_least(x.dims, 2)
        step = convert_to_tensor(frame_step, name="frame_step")
        if not step.dtype.is_integer:
            raise ValueError(f"frame_step must be an integer. Got {step.dtype!r}")
        return _added(x, scalar(step, "frame_step"), _static_length(x, step))


def _static_length(x: Tensor, step: Tensor) -> list[int | None]:
    known = constant_value(step)
    if x.dims is None or known is None or x.dims[-1] is None or x.dims[-2] is None:
        return [None]
    return [(x.dims[-2] - 1) * int(known) + x.dims[-1]]


def _added(x: Tensor, step: Tensor, static: list[int | None]) -> Tensor:
    """Shift the k-th part of a frame by k steps, and add the parts.

    The parts of a frame, each a step long, stand in rows [parts, frames, step]. With as many empty frames more as there are
    parts, and one row less in each, the rows of the k-th part have moved by k.
    """
    dims = shape(x)
    outer, frames, length = dims[:-2], dims[-2], dims[-1]
    parts = (length + step - 1) // step
    grown = _behind(_behind(x, parts * step - length, 0), parts, 1)
    shaped = reshape(grown, concat([outer, [frames + parts, parts, step]], 0))
    rows = _swapped(shaped)
    flat = reshape(rows, concat([outer, [(frames + parts) * parts, step]], 0))
    kept = flat[..., : (frames + parts - 1) * parts, :]
    moved = reshape(kept, concat([outer, [parts, frames + parts - 1, step]], 0))
    whole = reshape(reduce_sum(moved, -3), concat([outer, [(frames + parts - 1) * step]], 0))
    found = whole[..., : (frames - 1) * step + length]
    if x.dims is not None:
        found.set_shape([*x.dims[:-2], *static])
    return found


def _behind(x: Tensor, count: Tensor, from_last: int) -> Tensor:
    """Return `x` with zeros behind an axis, counted from the last."""
    count = expand_dims(count, 0)
    place = rank_of(x) - 1 - from_last
    ends = concat([_zeros(place), count, _zeros(from_last)], 0)
    return pad(x, expand_dims(ends, 1) * [[0, 1]])


def _zeros(count: Any) -> Tensor:
    return tensor_range(count) * 0


def _swapped(x: Tensor) -> Tensor:
    """Return `x` [..., a, b, c] as [..., b, a, c]."""
    last = rank_of(x)
    order = concat([tensor_range(last - 3), expand_dims(last - 2, 0), [last - 3], [last - 1]], 0)
    return transpose(x, order)


def fftshift(x: Any, axes: Any = None, name: str | None = None) -> Tensor:
    """Move the frequency 0 to the middle of `axes` (all when None), which are an axis or several."""
    with name_scope(name, "fftshift", [x]):
        return _shifted(x, axes, forward=True)


def ifftshift(x: Any, axes: Any = None, name: str | None = None) -> Tensor:
    """Undo `fftshift`."""
    with name_scope(name, "ifftshift", [x]):
        return _shifted(x, axes, forward=False)


def _shifted(x: Any, axes: Any, forward: bool) -> Tensor:
    tensor = convert_to_tensor(x)
    axes_count = rank_of(tensor)
    places = tensor_range(axes_count) if axes is None else convert_to_tensor(axes, dtypes.int32)
    halves = gather(shape(tensor), (places + axes_count) % axes_count) // 2
    return roll(tensor, halves if forward else -halves, places)
