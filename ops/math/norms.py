"""Norms of vectors and matrices: tf.norm.

What `axis` is decides: one dimension (or none, for all elements) is a vector's, a pair is a matrix's, and 1, 2 and infinity
mean another thing for each. The matrix 2-norm is the greatest singular value, so its op comes from the registry.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..array.reshape import expand_dims, squeeze
from ..array.shape_ops import rank
from ..array.transpose import invert_permutation, transpose
from ..array.unique import setdiff1d
from ..core.convert import convert_to_tensor
from ..core.node import Tensor
from ..core.registry import lookup
from ..core.scopes import name_scope
from .binary import multiply, pow_op
from .complex import abs as magnitude
from .complex import conj
from .ranges import range as range_of
from .reduce import one_of, reduce_max, reduce_sum
from .unary import sqrt

_OF_MATRICES = ["euclidean", "fro", 1, 2, float("inf")]
_OF_VECTORS = ["euclidean", 1, 2, float("inf")]


def norm(
    tensor: Any, ord: Any = "euclidean", axis: Any = None, keepdims: bool | None = None, name: str | None = None,
    keep_dims: bool | None = None,
) -> Tensor:  # fmt: skip
    """Return the norm of vectors along one `axis` (of all elements where it is None), or of matrices along two.

    Args:
      tensor: a tensor of floats or complex numbers, whose type the result has.
      ord: 'euclidean', 1, 2, infinity, or for vectors any positive number; for matrices also 'fro', which is 'euclidean'.
      axis: an int, a pair of different ints, or None.
      keepdims, keep_dims: whether the reduced dimensions stay with length 1.
      name: the name scope.

    Raises:
      ValueError: when `axis` is anything else, or there is no norm `ord` of vectors, or of matrices.
    """
    keep = bool(one_of(keepdims, keep_dims, "keepdims", "keep_dims"))
    axes = _axes(axis)
    of_matrices = axes is not None and len(axes) == 2
    _check_order(ord, of_matrices)
    with name_scope(name, "norm", [tensor]):
        tensor = convert_to_tensor(tensor)
        if of_matrices and ord in (1, 2, np.inf) and not isinstance(ord, str):
            found = _of_matrices(tensor, ord, axes)
        elif isinstance(ord, str) or ord == 2:
            found = sqrt(reduce_sum(multiply(tensor, conj(tensor)), axes, True))
        else:
            found = _of_vectors(tensor, ord, axes)
        return found if keep else squeeze(found, axes)


def _axes(axis: Any) -> tuple[int, ...] | None:
    if axis is None:
        return None
    if isinstance(axis, list | tuple):
        if len(axis) == 2 and all(isinstance(one, int) for one in axis) and axis[0] != axis[1]:
            return tuple(axis)
    elif isinstance(axis, int):
        return (axis,)
    raise ValueError(f"'axis' must be None, an integer, or a tuple of 2 unique integers, got {axis}")


def _check_order(ord: Any, of_matrices: bool) -> None:
    if of_matrices and ord not in _OF_MATRICES:
        raise ValueError(f"'ord' must be a supported matrix norm in {_OF_MATRICES}, got {ord}")
    if not of_matrices and ord not in _OF_VECTORS and (not isinstance(ord, int | float) or ord <= 0):
        raise ValueError(f"'ord' must be a supported vector norm, got {ord}")


def _of_vectors(tensor: Tensor, ord: float, axes: Any) -> Tensor:
    size = magnitude(tensor)
    if ord == 1:
        return reduce_sum(size, axes, True)
    if ord == float("inf"):
        return reduce_max(size, axes, True)
    return pow_op(reduce_sum(pow_op(size, ord), axes, True), 1.0 / ord)


def _of_matrices(tensor: Tensor, ord: float, axes: Any) -> Tensor:
    """Return the greatest sum of a column or of a row, or the greatest singular value."""
    if ord == 2:
        return _greatest_singular_value(tensor, axes)
    summed, searched = axes if ord == 1 else reversed(axes)
    return reduce_max(reduce_sum(magnitude(tensor), [summed], True), [searched], True)


def _greatest_singular_value(tensor: Tensor, axes: tuple[int, int]) -> Tensor:
    """Bring the matrices' dimensions to the end, decompose, and bring them back, now of length 1."""
    count: Any = rank(tensor) if tensor.dims is None else len(tensor.dims)
    last = [axis + count if axis < 0 else axis for axis in axes]
    there: Any
    back: Any
    if tensor.dims is None:
        there = lookup("ConcatV2")([setdiff1d(range_of(count), convert_to_tensor(last))[0], last], 0)
        back = invert_permutation(there)
    else:
        there = np.array([*(d for d in range(count) if d not in last), *last], np.int32)
        back = np.argsort(there).astype(np.int32)
    values = lookup("Svd")(transpose(tensor, there), compute_uv=False)[0]
    return transpose(expand_dims(reduce_max(values, [-1], True), -1), back)
