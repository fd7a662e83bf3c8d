"""Systems of triangular matrices of which only the bands are stored, row by row of the matrix. On CPUs."""

from __future__ import annotations

import numpy as np

from ...devices.types import Array, Namespace
from ..array.diagonals import matrix_diag_part
from ..array.pack import stack
from ..array.shape_ops import shape
from ..core import shapes
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.shapes import Shape
from ..math.matmul import unbroadcast_batches
from ..math.unary import negative
from .matrices import TYPES, product
from .solving import SINGULAR


def _banded_shape(node: Operation) -> Shape:
    bands, rhs = (shapes.with_rank_at_least(tensor.dims, 2) for tensor in node.inputs)
    if bands is None or rhs is None:
        return None
    side = shapes.merge_dim(bands[-1], rhs[-2])
    batch = shapes.broadcast(bands[:-2], rhs[:-2])
    return None if batch is None else (*batch, side, rhs[-1])


def _shifted(bands: Array, by: int) -> Array:
    """Return bands whose row k has moved by k places, to the right for 1 and to the left for -1."""
    made = np.zeros_like(bands)
    count, side = bands.shape[-2:]
    for k in range(count):
        source, target = (slice(0, side - k), slice(k, side)) if by > 0 else (slice(k, side), slice(0, side - k))
        made[..., k, target] = bands[..., k, source]
    return made


def _forward(bands: Array, rhs: Array) -> Array:
    """Solve lower triangular systems, row after row; `bands[..., k, i]` is the element (i, i - k)."""
    count, side = bands.shape[-2:]
    made = np.zeros((*np.broadcast_shapes(bands.shape[:-2], rhs.shape[:-2]), *rhs.shape[-2:]), rhs.dtype)
    for i in range(side):
        row = rhs[..., i, :]
        for k in range(1, min(count, i + 1)):
            row = row - bands[..., k, i, None] * made[..., i - k, :]
        made[..., i, :] = row / bands[..., 0, i, None]
    return made


@op("BandedTriangularSolve", types="matrix: T, rhs: T -> output: T", T=TYPES, shape=_banded_shape, devices="CPU")
def banded_triangular_solve_op(
    xp: Namespace, matrix: Array, rhs: Array, *, lower: bool = True, adjoint: bool = False
) -> Array:
    """Returns the solutions of triangular systems of which the bands (..., bands, n) are given.

    Column i has elements of row i: the diagonal's in the first row, and those of lower diagonals below it; or, for upper
    matrices, the diagonal's in the last one, and those of upper diagonals above it.
    """
    if matrix.ndim < 2 or rhs.ndim < 2 or matrix.shape[-1] != rhs.shape[-2]:
        raise InvalidArgumentError(
            None, None, f"Input matrix and rhs are incompatible: {list(matrix.shape)} and {list(rhs.shape)}"
        )
    if not 1 <= matrix.shape[-2] <= max(matrix.shape[-1], 1):
        raise InvalidArgumentError(
            None, None, f"matrix must have between 1 and {matrix.shape[-1]} bands, has {matrix.shape[-2]}"
        )
    dtype = np.float32 if rhs.dtype == np.float16 else rhs.dtype
    bands, given = matrix.astype(dtype, copy=False), rhs.astype(dtype, copy=False)
    if not lower:
        bands = np.flip(bands, -2)
    if not np.all(bands[..., 0, :]):
        raise InvalidArgumentError(None, None, SINGULAR)
    if adjoint:
        bands = np.conj(_shifted(bands, -1 if lower else 1))
    if lower != adjoint:
        return _forward(bands, given).astype(rhs.dtype, copy=False)
    # Read from its end, an upper triangular system is a lower one.
    solved = np.flip(_forward(np.flip(bands, -1), np.flip(given, -2)), -2)
    return np.ascontiguousarray(solved).astype(rhs.dtype, copy=False)


@banded_triangular_solve_op.gradient
def _banded_gradient(op: Operation, dy: Tensor) -> list[Tensor]:
    (matrix, rhs), (y,) = op.inputs, op.outputs
    lower, turn = op.attrs["lower"], op.attrs["adjoint"]
    by_rhs = banded_triangular_solve_op(matrix, dy, lower=lower, adjoint=not turn)
    by_matrix = negative(product(y, by_rhs, adjoint_b=True) if turn else product(by_rhs, y, adjoint_b=True))
    most = shape(matrix)[-2] - 1
    band = matrix_diag_part(by_matrix, k=stack([-most, 0] if lower else [0, most]), align="LEFT_RIGHT")
    return [unbroadcast_batches(band, matrix, rhs), unbroadcast_batches(by_rhs, rhs, matrix)]
