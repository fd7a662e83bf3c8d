"""Determinants, inverses and solutions of linear systems, with the older op types of batches beside them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..array.concat import concat
from ..array.diagonals import matrix_band_part
from ..array.reshape import reshape
from ..array.shape_ops import shape
from ..core import dtypes, lazy_scipy, shapes
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.shapes import Shape
from ..math.binary import multiply as mul
from ..math.complex import conj
from ..math.matmul import unbroadcast_batches
from ..math.unary import negative
from .matrices import TYPES, attach, attach_half, check_square, product, solved, square, square_dims, turned

SINGULAR = "Input matrix is not invertible."
SINGULAR_INVERSE = "Input is not invertible."


def without_matrix(node: Operation) -> Shape:
    dims = square_dims(node.inputs[0].dims)
    return None if dims is None else dims[:-2]


def _signs_and_logarithms(node: Operation) -> list[Shape]:
    return [without_matrix(node)] * 2


def determinant(xp: Namespace, input: Array) -> Array:
    """Compute the determinant of each matrix."""
    check_square(input, "MatrixDeterminant")
    return xp.asarray(xp.linalg.det(input), dtype=input.dtype)


@op("MatrixDeterminant", types="input: T -> output: T", T=TYPES, shape=without_matrix)
def matrix_determinant_op(xp: Namespace, input: Array) -> Array:
    """Returns the determinants of square matrices [..., n, n]."""
    ...


@op("LogMatrixDeterminant", types="input: T -> sign: T, log_abs_determinant: T", T=TYPES, shape=_signs_and_logarithms)
def log_matrix_determinant_op(xp: Namespace, input: Array) -> Any:
    """Returns the signs of determinants, and the logarithms of their absolute values."""
    ...


def sign_and_logarithm(xp: Namespace, input: Array) -> tuple[Array, Array]:
    """Compute the sign and the logarithm of the size of each determinant."""
    check_square(input, "LogMatrixDeterminant")
    sign, logarithm = xp.linalg.slogdet(input)
    return xp.asarray(sign, dtype=input.dtype), xp.asarray(logarithm).astype(input.dtype)


attach(matrix_determinant_op, determinant)
attach(log_matrix_determinant_op, sign_and_logarithm)


@matrix_determinant_op.gradient
def _determinant_gradient(op: Operation, dy: Tensor) -> Tensor:
    (x,), (y,) = op.inputs, op.outputs
    return mul(_as_matrices(mul(dy, conj(y))), matrix_inverse(x, adjoint=True))


@log_matrix_determinant_op.gradient
def _log_determinant_gradient(op: Operation, _: Tensor | None, dy: Tensor | None) -> Tensor | None:
    return None if dy is None else mul(_as_matrices(dy), matrix_inverse(op.inputs[0], adjoint=True))


def _as_matrices(x: Tensor) -> Tensor:
    return reshape(x, concat([shape(x), [1, 1]], 0))


@op("MatrixInverse", types="input: T -> output: T", T=TYPES, shape=square)
def matrix_inverse_op(xp: Namespace, input: Array, *, adjoint: bool = False) -> Array:
    """Returns the inverses of square matrices, or of their adjoints."""
    ...


def inverse(xp: Namespace, input: Array, *, adjoint: bool) -> Array:
    """Invert each matrix."""
    check_square(input, "MatrixInverse")
    return solved(SINGULAR_INVERSE, xp.linalg.inv, turned(input, xp) if adjoint else input)


attach(matrix_inverse_op, inverse)
attach_half(matrix_inverse_op, inverse)


@matrix_inverse_op.gradient
def _inverse_gradient(op: Operation, dy: Tensor) -> Tensor:
    (y,) = op.outputs
    if op.attrs["adjoint"]:
        return negative(product(y, product(dy, y, adjoint_a=True)))
    return negative(product(y, product(dy, y, adjoint_b=True), adjoint_a=True))


def solution_shape(node: Operation) -> Shape:
    matrix, rhs = square_dims(node.inputs[0].dims), shapes.with_rank_at_least(node.inputs[1].dims, 2)
    if matrix is None or rhs is None:
        return None
    shapes.merge_dim(matrix[-1], rhs[-2])
    return (*shapes.broadcast(matrix[:-2], rhs[:-2]), matrix[-1], rhs[-1])  # type: ignore[misc]


def _check_system(matrix: Array, rhs: Array, op: str) -> None:
    check_square(matrix, op)
    if rhs.ndim < 2 or rhs.shape[-2] != matrix.shape[-1]:
        raise InvalidArgumentError(
            None, None, f"Input matrix and rhs are incompatible: {list(matrix.shape)} and {list(rhs.shape)} ({op})"
        )


@op("MatrixSolve", types="matrix: T, rhs: T -> output: T", T=TYPES, shape=solution_shape)
def matrix_solve_op(xp: Namespace, matrix: Array, rhs: Array, *, adjoint: bool = False) -> Array:
    """Returns the solutions of `matrix @ output = rhs`, or of the adjoint matrices."""
    ...


def solution(xp: Namespace, matrix: Array, rhs: Array, *, adjoint: bool) -> Array:
    """Solve each system."""
    _check_system(matrix, rhs, "MatrixSolve")
    return solved(SINGULAR, xp.linalg.solve, turned(matrix, xp) if adjoint else matrix, rhs)


attach(matrix_solve_op, solution)


@matrix_solve_op.gradient
def _solution_gradient(op: Operation, dy: Tensor) -> list[Tensor]:
    (matrix, rhs), (y,), turn = op.inputs, op.outputs, op.attrs["adjoint"]
    by_rhs = matrix_solve_op(matrix, dy, adjoint=not turn)
    by_matrix = product(y, by_rhs, adjoint_b=True) if turn else product(by_rhs, y, adjoint_b=True)
    return [unbroadcast_batches(negative(by_matrix), matrix, rhs), unbroadcast_batches(by_rhs, rhs, matrix)]


@op("MatrixTriangularSolve", types="matrix: T, rhs: T -> output: T", T=(dtypes.bfloat16, *TYPES), shape=solution_shape)
def matrix_triangular_solve_op(
    xp: Namespace, matrix: Array, rhs: Array, *, lower: bool = True, adjoint: bool = False
) -> Array:
    """Returns the solutions of systems whose matrices are triangular; the other triangle is not looked at."""
    ...


def triangular_solution(xp: Namespace, matrix: Array, rhs: Array, *, lower: bool, adjoint: bool) -> Array:
    """Solve each system, with the part of the matrix that counts."""
    _check_system(matrix, rhs, "MatrixTriangularSolve")
    if xp is np and matrix.ndim == rhs.ndim == 2:
        if matrix.size and not np.all(np.diagonal(matrix)):
            raise InvalidArgumentError(None, None, SINGULAR)
        return lazy_scipy.linalg().solve_triangular(matrix, rhs, trans=2 * adjoint, lower=lower, check_finite=False)
    triangle = xp.tril(matrix) if lower else xp.triu(matrix)
    return solved(SINGULAR, xp.linalg.solve, turned(triangle, xp) if adjoint else triangle, rhs)


attach(matrix_triangular_solve_op, triangular_solution)


@matrix_triangular_solve_op.gradient
def _triangular_gradient(op: Operation, dy: Tensor) -> list[Tensor]:
    (matrix, rhs), (y,) = op.inputs, op.outputs
    lower, turn = op.attrs["lower"], op.attrs["adjoint"]
    by_rhs = matrix_triangular_solve_op(matrix, dy, lower=lower, adjoint=not turn)
    by_matrix = negative(product(y, by_rhs, adjoint_b=True) if turn else product(by_rhs, y, adjoint_b=True))
    triangle = matrix_band_part(by_matrix, -1, 0) if lower else matrix_band_part(by_matrix, 0, -1)
    return [unbroadcast_batches(triangle, matrix, rhs), unbroadcast_batches(by_rhs, rhs, matrix)]


OLD_TYPES = (dtypes.float64, dtypes.float32)


def matrix_determinant(input: Any, name: str | None = None) -> Tensor:
    """Return the determinants [...] of square matrices [..., n, n]."""
    return matrix_determinant_op(input, name=name)  # type: ignore[no-any-return]


def slogdet(input: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """Return the signs of determinants and the logarithms of their absolute values, each [...]."""
    return log_matrix_determinant_op.named(input, name=name)  # type: ignore[no-any-return]


def matrix_inverse(input: Any, adjoint: bool = False, name: str | None = None) -> Tensor:
    """Return the inverses of square matrices [..., n, n], or of their adjoints; a singular one fails when it runs."""
    return matrix_inverse_op(input, adjoint=adjoint, name=name)  # type: ignore[no-any-return]


def matrix_solve(matrix: Any, rhs: Any, adjoint: bool = False, name: str | None = None) -> Tensor:
    """Return the solutions [..., n, k] of systems with matrices [..., n, n] and right-hand sides [..., n, k]."""
    return matrix_solve_op(matrix, rhs, adjoint=adjoint, name=name)  # type: ignore[no-any-return]


def matrix_triangular_solve(
    matrix: Any, rhs: Any, lower: bool = True, adjoint: bool = False, name: str | None = None
) -> Tensor:
    """Return the solutions of triangular systems; the other triangle of the matrices is not looked at."""
    return matrix_triangular_solve_op(matrix, rhs, lower=lower, adjoint=adjoint, name=name)  # type: ignore[no-any-return]
