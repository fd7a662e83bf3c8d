"""Selecting by condition: boolean_mask and sequence_mask, composed of ops of other floors through the registry."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import dtypes, shapes
from ..core.convert import constant, convert_to_tensor
from ..core.dtypes import as_dtype
from ..core.node import Tensor
from ..core.registry import lookup
from ..core.scopes import name_scope
from ..core.shape_rules import constant_value
from .concat import concat
from .gather import gather
from .reshape import expand_dims, reshape, squeeze
from .shape_ops import shape
from .slicing import strided_slice


def boolean_mask(tensor: Any, mask: Any, name: str = "boolean_mask", axis: Any = None) -> Tensor:
    """Return the elements of a tensor where a mask is true; the mask's dimensions become one.

    Args:
      tensor: a tensor of rank N.
      mask: a boolean tensor of known rank K <= N, shaped like K of the tensor's dimensions.
      name: the name scope.
      axis: the first of those dimensions, 0 when None.

    Raises:
      ValueError: when the mask's shape is not known to be one, is scalar, or does not match the tensor's.
    """
    with name_scope(name, values=[tensor, mask]):
        tensor = convert_to_tensor(tensor, name="tensor")
        mask = convert_to_tensor(mask, name="mask")
        rank = shapes.rank(mask.dims)
        if rank == 0:
            raise ValueError("mask cannot be scalar.")
        if rank is None:
            raise ValueError(
                "Number of mask dimensions must be specified, even if some dimensions are None.  "
                "E.g. shape=[None] is ok, but shape=None is not."
            )
        axis = 0 if axis is None else int(axis if not isinstance(axis, Tensor) else constant_value(axis))
        if tensor.dims is not None:
            axis += len(tensor.dims) * (axis < 0)
            _check_compatible(tensor.dims[axis : axis + rank], mask.dims)
        flat = _merged_dims(tensor, axis, rank)
        where = squeeze(lookup("Where")(reshape(mask, [-1])), axis=[1])
        return gather(flat, where, axis=axis)


def _check_compatible(dims: tuple[int | None, ...], mask: Any) -> None:
    if not shapes.compatible(dims, mask):
        raise ValueError(f"Shapes {shapes.format_shape(dims)} and {shapes.format_shape(mask)} are incompatible")


def _merged_dims(tensor: Tensor, axis: int, rank: int) -> Tensor:
    """Return the tensor with `rank` dimensions from `axis` on made one."""
    dims = tensor.dims
    if shapes.is_static(dims):
        assert dims is not None
        return reshape(tensor, [*dims[:axis], shapes.product(dims[axis : axis + rank]), *dims[axis + rank :]])
    whole = shape(tensor)
    parts = [strided_slice(whole, [0], [axis]), constant([-1]), strided_slice(whole, [axis + rank], [0], end_mask=1)]
    flat = reshape(tensor, concat(parts, 0))
    if dims is not None:
        flat.set_shape((*dims[:axis], shapes.product(dims[axis : axis + rank]), *dims[axis + rank :]))
    return flat


def sequence_mask(lengths: Any, maxlen: Any = None, dtype: Any = dtypes.bool, name: str | None = None) -> Tensor:
    """Return a mask whose last dimension is true at the first `lengths[i]` positions.

    Args:
      lengths: an integer tensor of any shape.
      maxlen: the size of the last dimension; the greatest length when None.
      dtype: the type of the result.
      name: the name scope.
    """
    with name_scope(name, "SequenceMask", [lengths, maxlen] if maxlen is not None else [lengths]):
        lengths = convert_to_tensor(lengths)
        kind = lengths.dtype.base_dtype
        if maxlen is None:
            longest = lookup("Max")(reshape(lengths, [-1]), np.zeros(1, np.int32), name="Max")
            maxlen = lookup("Maximum")(constant(0, kind), longest)
        else:
            maxlen = convert_to_tensor(maxlen)
            kind = maxlen.dtype.base_dtype
        if maxlen.dims not in ((), None):
            raise ValueError("maxlen must be scalar for sequence_mask")
        row = lookup("Range")(constant(0, kind), maxlen, constant(1, kind))
        mask = lookup("Less")(row, lookup("Cast")(expand_dims(lengths, -1), DstT=kind))
        wanted = as_dtype(dtype).base_dtype
        return mask if wanted is dtypes.bool else lookup("Cast")(mask, DstT=wanted)  # type: ignore[no-any-return]
