"""Pools composed of the ops: of sequences, and of any number of dimensions with dilated windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..array.reshape import expand_dims, squeeze
from ..core.convert import convert_to_tensor
from ..core.graph import get_default_graph
from ..core.node import Tensor
from .convolutions import along_width, image_format
from .dilated import with_dilation
from .pool import avg_pool, max_pool
from .pool3d import avg_pool3d, max_pool3d


def _pool1d(
    pool: Callable[..., Tensor], default: str, input: Any, ksize: Any, strides: Any, padding: str, data_format: str,
    name: str | None,
) -> Tensor:  # fmt: skip
    layout = image_format(data_format)
    axis = 2 if layout == "NCHW" else 1
    with get_default_graph().name_scope(name or default) as scope:
        images = expand_dims(convert_to_tensor(input), axis)
        found = pool(
            images, along_width(ksize, layout), along_width(strides, layout), padding, data_format=layout, name=scope
        )
        return squeeze(found, [axis])


def max_pool1d(
    input: Any, ksize: Any, strides: Any, padding: str, data_format: str = "NWC", name: str | None = None
) -> Tensor:
    """Return the greatest element of each window of sequences (batch, width, channels), 'NCW' with channels second."""
    return _pool1d(max_pool, "MaxPool1d", input, ksize, strides, padding, data_format, name)


def avg_pool1d(
    input: Any, ksize: Any, strides: Any, padding: str, data_format: str = "NWC", name: str | None = None
) -> Tensor:
    """Return the mean of each window of sequences (batch, width, channels), 'NCW' with channels second."""
    return _pool1d(avg_pool, "AvgPool1D", input, ksize, strides, padding, data_format, name)


def max_pool2d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NHWC", name: str | None = None
) -> Tensor:
    """Return the greatest element of each window of images; see `max_pool`."""
    return max_pool(input, ksize, strides, padding, data_format, name or "MaxPool2d")


_POOLS: dict[tuple[str, int], Callable[..., Tensor]] = {
    ("MAX", 1): max_pool1d, ("MAX", 2): max_pool, ("MAX", 3): max_pool3d, ("AVG", 1): avg_pool1d, ("AVG", 2): avg_pool,
    ("AVG", 3): avg_pool3d,
}  # fmt: skip
_FORMATS = {1: ("NWC", "NCW"), 2: ("NHWC", "NCHW"), 3: ("NDHWC", "NCDHW")}


def _any_rank(
    kind: str, input: Any, ksize: Any, strides: Any, padding: str, data_format: str | None, name: str | None
) -> Tensor:
    tensor = convert_to_tensor(input)
    size = None if tensor.dims is None else len(tensor.dims)
    rank = (size or len(data_format or "")) - 2
    if (kind, rank) not in _POOLS:
        raise ValueError(f"Input tensor must be of rank 3, 4 or 5 but was {tensor.shape}.")
    layout = _FORMATS[rank][data_format is not None and data_format.startswith("NC")]
    return _POOLS[kind, rank](tensor, ksize, strides, padding, data_format=layout, name=name)


def max_pool_v2(
    input: Any, ksize: Any, strides: Any, padding: str, data_format: str | None = None, name: str | None = None
) -> Tensor:
    """Return the greatest element of each window of sequences, images or volumes, by the rank of the input."""
    return _any_rank("MAX", input, ksize, strides, padding, data_format, name)


def avg_pool_v2(
    input: Any, ksize: Any, strides: Any, padding: str, data_format: str | None = None, name: str | None = None
) -> Tensor:
    """Return the mean of each window of sequences, images or volumes, by the rank of the input."""
    return _any_rank("AVG", input, ksize, strides, padding, data_format, name)


def pool(
    input: Any, window_shape: Any, pooling_type: str, padding: str, dilation_rate: Any = None, strides: Any = None,
    name: str | None = None, data_format: str | None = None, dilations: Any = None,
) -> Tensor:  # fmt: skip
    """Return the greatest element or the mean of each window of sequences, images or volumes.

    Args:
      input: (batch, 1 to 3 spatial dimensions, channels), or channels second for a format that begins with 'NC'.
      window_shape: a number for each spatial dimension. pooling_type: 'MAX' or 'AVG'. padding: 'SAME' or 'VALID'.
      dilation_rate, strides: a number for each spatial dimension; only one of the two may exceed 1; dilation is for 'VALID'.

    Raises:
      ValueError: for another kind of pool or number of dimensions, or when both strides and dilations exceed 1.
    """
    window = [int(size) for size in window_shape]
    rank = len(window)
    if (pooling_type, rank) not in _POOLS:
        raise ValueError(f"There is no pool of type {pooling_type!r} over {rank} dimensions")
    steps = [1] * rank if strides is None else [int(step) for step in strides]
    rates = dilation_rate if dilations is None else dilations
    rates = [1] * rank if rates is None else [int(rate) for rate in rates]
    first = bool(data_format and data_format.startswith("NC"))
    layout = _FORMATS[rank][first]
    kind = _POOLS[pooling_type, rank]
    with get_default_graph().name_scope(name or f"{pooling_type.lower()}_pool") as scope:
        tensor = convert_to_tensor(input, name="input")
        if max(rates) == 1:
            return kind(tensor, window, steps, padding, data_format=layout, name=scope)
        if max(steps) > 1:
            raise ValueError("strides > 1 not supported in conjunction with dilation_rate > 1")
        if padding == "SAME":
            raise ValueError("pooling with 'SAME' padding is not implemented for `dilation_rate` > 1. "
                             f"Received: padding={padding} and dilation_rate={rates}")  # fmt: skip
        return with_dilation(
            tensor, rates, first, np.zeros(rank, np.int32),
            lambda moved: kind(moved, window, steps, "VALID", data_format=layout, name=scope),
        )  # fmt: skip
