"""What convolutions and pools of images and volumes may be told, one number an axis, and what fits together in their gradients.

Windows slide over space alone: numbers for the batch and for channels must be 1. `check_axes` holds a node to that while the
graph is built, so kernels need not look.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from ..core.errors import InvalidArgumentError, UnimplementedError
from ..core.node import Operation


def for_all_axes(value: Any, count: int, data_format: str, what: str = "strides") -> list[int]:
    """Return a number, one in a list, `count` of them (for space), or one for each axis, as a list with one for each axis.

    None stands for ones. Raises ValueError, which calls the value `what`, for lists of other lengths.
    """
    if value is None:
        return [1] * (count + 2)
    values = list(value) if isinstance(value, Collection) and getattr(value, "shape", None) != () else [value]
    if len(values) == count + 2:
        return values
    if len(values) not in (1, count):
        raise ValueError(
            f"{what} should be of length 1, {count} or {count + 2}. Received: {what}={value} of length {len(values)}"
        )
    values = values * count if len(values) == 1 else values
    return [1, 1, *values] if data_format.startswith("NC") else [1, *values, 1]


def one_of(old: Any, new: Any, old_name: str, new_name: str) -> Any:
    """Return the argument that was given of two that mean the same; ValueError when both were."""
    if old is not None and new is not None:
        raise ValueError(f"Cannot specify both '{old_name}' and '{new_name}'.")
    return old if new is None else new


def check_axes(node: Operation) -> None:
    """Check the numbers that a convolution or a pool has for each axis.

    Raises:
      ValueError: when one is not positive, or when the batch or channels are padded.
      UnimplementedError, InvalidArgumentError: when the batch or channels have another than 1.
    """
    attrs = node.attrs
    outside = (0, 1) if attrs.get("data_format", "NHWC").startswith("NC") else (0, -1)
    if min(attrs["strides"]) < 1:
        raise ValueError(f"Stride must be > 0, but got {min(attrs['strides'])}")
    dilations = attrs.get("dilations") or [1] * len(attrs["strides"])
    if min(dilations) < 1:
        raise ValueError(f"Dilation rate must be >= 1, but got {min(dilations)}")
    if "ksize" in attrs:
        _check_window(attrs["ksize"], attrs["strides"], outside)
    elif any(attrs["strides"][i] != 1 for i in outside):
        words = "Current implementation does not yet support strides in the batch and depth dimensions."
        raise UnimplementedError(None, None, words)
    if any(dilations[i] != 1 for i in outside):
        words = "Current implementation does not yet support dilations in the batch and depth dimensions."
        raise InvalidArgumentError(None, None, words)
    padding = attrs.get("explicit_paddings") or ()
    if len(padding) == 2 * len(attrs["strides"]) and any(
        padding[2 * i] or padding[2 * i + 1] for i in (0, outside[1] % 4)
    ):
        raise ValueError("Nonzero explicit padding in the batch or depth dimensions is not supported")


def _check_window(size: Sequence[int], strides: Sequence[int], outside: tuple[int, int]) -> None:
    if min(size) < 1:
        raise ValueError(f"Sliding window ksize must be positive. The specified or inferred ksize is: {list(size)}")
    for i, name in zip(outside, ("batch", "depth"), strict=True):
        if size[i] != 1 or strides[i] != 1:
            raise UnimplementedError(None, None, f"Pooling is not yet supported on the {name} dimension.")


def check_fits(padding: str, length: int, size: int, dilation: int) -> None:
    """Raise ValueError where a window that sees no more than `length` elements is longer than that."""
    span = (size - 1) * dilation + 1
    if padding != "SAME" and span > length:
        raise ValueError(f"Negative dimension size caused by subtracting {span} from {length}")


def check_gradient(images: Sequence[int], filters: Sequence[int], dy: Sequence[int], places: Sequence[int]) -> None:
    """Check the shapes, channels last, that a convolution's gradient by its images or filters gets.

    `places` is how often the window fits along each axis of space. Raises InvalidArgumentError.
    """
    if images[0] != dy[0]:
        words = f"input and out_backprop must have the same batch size. Input batch: {images[0]}, outbackprop batch: {dy[0]}"
    elif filters[-1] != dy[-1]:
        words = f"filter and out_backprop must have the same out_depth: {filters[-1]} vs {dy[-1]}"
    elif not filters[-2] or images[-1] % filters[-2]:
        words = f"input depth must be evenly divisible by filter depth: {images[-1]} vs {filters[-2]}"
    elif tuple(dy[1:-1]) != tuple(places):
        i = next(i for i, places_ in enumerate(places) if dy[i + 1] != places_)
        words = f"Size of out_backprop doesn't match computed: actual = {dy[i + 1]}, computed = {places[i]} spatial_dim: "
        words += f"{i + 1} input: {images[i + 1]} filter: {filters[i]} output: {dy[i + 1]}"
    else:
        return
    raise InvalidArgumentError(None, None, words)
