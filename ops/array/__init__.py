"""Ops on the shape and layout of tensors: the first family, which every other one may use."""

from .concat import concat, split
from .fills import fill, ones, ones_like, zeros, zeros_like
from .gather import gather, gather_nd
from .getitem import getitem
from .identity import (
    check_numerics,
    ensure_shape,
    guarantee_const,
    identity,
    identity_n,
    prevent_gradient,
    stop_gradient,
)
from .masks import boolean_mask, sequence_mask
from .pack import parallel_stack, stack, unstack
from .placeholders import placeholder, placeholder_with_default
from .reshape import bitcast, expand_dims, reshape, squeeze
from .shape_ops import rank, shape, shape_n, size
from .slicing import slice_ as slice
from .slicing import strided_slice
from .transpose import invert_permutation, matrix_transpose, reverse, reverse_sequence, transpose

__all__ = [
    "bitcast",
    "boolean_mask",
    "check_numerics",
    "concat",
    "ensure_shape",
    "expand_dims",
    "fill",
    "gather",
    "gather_nd",
    "getitem",
    "guarantee_const",
    "identity",
    "identity_n",
    "invert_permutation",
    "matrix_transpose",
    "ones",
    "ones_like",
    "parallel_stack",
    "placeholder",
    "placeholder_with_default",
    "prevent_gradient",
    "rank",
    "reshape",
    "reverse",
    "reverse_sequence",
    "sequence_mask",
    "shape",
    "shape_n",
    "size",
    "slice",
    "split",
    "squeeze",
    "stack",
    "stop_gradient",
    "strided_slice",
    "transpose",
    "unstack",
    "zeros",
    "zeros_like",
]
