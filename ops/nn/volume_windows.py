"""Sliding windows over volumes: what `windows.py` is for images, with three axes between batch and channels.

Kernels work on channels-last arrays (NDHWC); NCDHW ones are turned on the way in and out.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ...devices.types import Array, Namespace
from ..core.node import Operation
from ..core.shapes import Shape
from .axes import check_axes, check_fits

Triple = tuple[int, int, int]


@dataclass(frozen=True)
class Box:
    """A window along planes, rows and columns: its size, step, dilation, and the padding before and after."""

    size: Triple
    strides: Triple
    dilations: Triple
    pads: tuple[tuple[int, int], ...]

    def places(self, lengths: Any) -> tuple[int, ...]:
        """Return how many places the window takes along each axis."""
        return tuple(
            max((length + sum(pad) - (size - 1) * dilation - 1) // stride + 1, 0)
            for length, pad, size, dilation, stride in zip(
                lengths, self.pads, self.size, self.dilations, self.strides, strict=True
            )
        )

    def taps(self, places: Any) -> Iterator[tuple[Triple, tuple[slice, ...]]]:
        """Yield (offset, index) for each element of the window: the slice of padded volumes that it meets."""
        for offset in itertools.product(*(range(size) for size in self.size)):
            steps = zip(offset, self.dilations, self.strides, places, strict=True)
            cuts = [
                slice(at * dilation, at * dilation + (count - 1) * stride + 1, stride)
                for at, dilation, stride, count in steps
            ]
            yield (offset[0], offset[1], offset[2]), (slice(None), *cuts)


def spatial(values: Any, data_format: str) -> Triple:
    """Return the entries for planes, rows and columns of a list with one for each axis."""
    if len(values) != 5:
        raise ValueError(f"Expected 5 values, one for each axis, got {list(values)}")
    a, b, c = values[2:] if data_format == "NCDHW" else values[1:4]
    return a, b, c


def box_of(lengths: Any, size: Any, attrs: dict[str, Any]) -> Box:
    """Return the window that the attributes of a convolution or a pool describe, over volumes of `lengths`."""
    data_format = attrs.get("data_format", "NDHWC")
    strides = spatial(attrs["strides"], data_format)
    dilations = spatial(attrs.get("dilations", (1,) * 5), data_format)
    pads = tuple(_pads(attrs["padding"], *axis) for axis in zip(lengths, size, strides, dilations, strict=True))
    a, b, c = (int(extent) for extent in size)
    return Box((a, b, c), strides, dilations, pads)


def _pads(padding: str, length: int, extent: int, stride: int, dilation: int) -> tuple[int, int]:
    if padding == "VALID":
        return 0, 0
    span = (extent - 1) * dilation + 1
    total = max((-(-length // stride) - 1) * stride + span - length, 0)
    return total // 2, total - total // 2


def to_last(xp: Namespace, volumes: Array, data_format: str) -> Array:
    """Return volumes with channels last."""
    return xp.transpose(volumes, (0, 2, 3, 4, 1)) if data_format == "NCDHW" else volumes


def from_last(xp: Namespace, volumes: Array, data_format: str) -> Array:
    """Return volumes with channels last in the format asked for."""
    return xp.ascontiguousarray(xp.transpose(volumes, (0, 4, 1, 2, 3))) if data_format == "NCDHW" else volumes


def padded(xp: Namespace, volumes: Array, box: Box, value: Any = 0) -> Array:
    """Return volumes with the window's padding around them."""
    if not any(map(sum, box.pads)):
        return volumes
    return xp.pad(volumes, ((0, 0), *box.pads, (0, 0)), constant_values=value)


def around(box: Box, lengths: Any) -> tuple[int, ...]:
    """Return the lengths of padded volumes."""
    return tuple(length + sum(pad) for length, pad in zip(lengths, box.pads, strict=True))


def unpadded(volumes: Array, box: Box, lengths: Any) -> Array:
    """Return what lies inside the padding."""
    cuts = [slice(before, before + length) for (before, _), length in zip(box.pads, lengths, strict=True)]
    return volumes[(slice(None), *cuts)]


def output_dims(node: Operation, dims: Shape, size: Any, channels: int | None) -> Shape:
    """Return the static shape of a window's results over volumes of static shape `dims` (in the node's format)."""
    data_format = node.attrs["data_format"]
    spatial(node.attrs["strides"], data_format)
    check_axes(node)
    places: Any = (None, None, None)
    if dims is not None:
        if len(dims) != 5:
            raise ValueError(f"Shape must be rank 5 but is rank {len(dims)}")
        places = [_places(node, i, spatial(dims, data_format)[i], size[i]) for i in range(3)]
    batch = None if dims is None else dims[0]
    return (batch, channels, *places) if data_format == "NCDHW" else (batch, *places, channels)


def _places(node: Operation, i: int, length: int | None, size: int | None) -> int | None:
    if length is None:
        return None
    if size is None:
        if node.attrs["padding"] != "SAME":
            return None
        # Results stand as close as the strides say, whatever the window.
        size = 1
    box = box_of((length,) * 3, (size,) * 3, node.attrs)
    check_fits(node.attrs["padding"], length, size, box.dilations[i])
    return box.places((length,) * 3)[i]
