"""The op types that TensorFlow had for batches of matrices, before every op took batches; for graphs that were written then."""

from __future__ import annotations

from ...devices.types import Array, Namespace
from ..core import dtypes
from ..core.node import Operation
from ..core.registry import op
from ..core.shapes import Shape
from . import factors
from .matrices import PRECISE, attach, square, square_dims
from .solving import (
    OLD_TYPES,
    determinant,
    inverse,
    solution,
    solution_shape,
    triangular_solution,
    without_matrix,
)


@op("BatchMatrixInverse", types="input: T -> output: T", T=OLD_TYPES, shape=square)
def batch_matrix_inverse_op(xp: Namespace, input: Array, *, adjoint: bool = False) -> Array:
    """Returns the inverses of square matrices."""
    return inverse(xp, input, adjoint=adjoint)


@op("BatchMatrixDeterminant", types="input: T -> output: T", T=PRECISE, shape=without_matrix)
def batch_matrix_determinant_op(xp: Namespace, input: Array) -> Array:
    """Returns the determinants of square matrices."""
    return determinant(xp, input)


@op("BatchMatrixSolve", types="matrix: T, rhs: T -> output: T", T=OLD_TYPES, shape=solution_shape)
def batch_matrix_solve_op(xp: Namespace, matrix: Array, rhs: Array, *, adjoint: bool = False) -> Array:
    """Returns the solutions of linear systems."""
    return solution(xp, matrix, rhs, adjoint=adjoint)


@op("BatchMatrixTriangularSolve", types="matrix: T, rhs: T -> output: T", T=OLD_TYPES, shape=solution_shape)
def batch_matrix_triangular_solve_op(
    xp: Namespace, matrix: Array, rhs: Array, *, lower: bool = True, adjoint: bool = False
) -> Array:
    """Returns the solutions of triangular systems."""
    return triangular_solution(xp, matrix, rhs, lower=lower, adjoint=adjoint)


@op("BatchCholesky", types="input: T -> output: T", T=OLD_TYPES, shape=square)
def batch_cholesky_op(xp: Namespace, input: Array) -> Array:
    """Returns the lower triangular factors of positive definite matrices."""
    return factors.lower_factor(xp, input)


@op("BatchCholeskyGrad", types="l: T, grad: T -> output: T", T=(dtypes.float32, dtypes.float64), shape=square)
def batch_cholesky_grad_op(xp: Namespace, l: Array, grad: Array) -> Array:  # noqa: E741
    """Returns the gradient of the lower triangular factor."""
    return factors.factor_gradient(xp, l, grad)


@op("BatchSelfAdjointEigV2", types="input: T -> e: T, v: T", T=OLD_TYPES, shape=factors.eigen_shapes)
def batch_self_adjoint_eig_v2_op(xp: Namespace, input: Array, *, compute_v: bool = True) -> tuple[Array, Array]:
    """Returns the eigenvalues and eigenvectors of self-adjoint matrices."""
    return factors.self_adjoint_eigenvalues(xp, input, compute_v=compute_v)


def _stacked_shape(node: Operation) -> Shape:
    """Eigenvalues stand above the eigenvectors."""
    dims = square_dims(node.inputs[0].dims)
    return None if dims is None else (*dims[:-2], None if dims[-1] is None else dims[-1] + 1, dims[-1])


def _stacked(xp: Namespace, input: Array) -> Array:
    values, vectors = factors.self_adjoint_eigenvalues(xp, input, compute_v=True)
    return xp.concatenate([xp.expand_dims(values, -2), vectors], axis=-2)


@op("BatchSelfAdjointEig", types="input: T -> output: T", T=OLD_TYPES, shape=_stacked_shape)
def batch_self_adjoint_eig_op(xp: Namespace, input: Array) -> Array:
    """Returns a row of eigenvalues above the eigenvectors."""
    return _stacked(xp, input)


@op("SelfAdjointEig", types="input: T -> output: T", T=(*OLD_TYPES, dtypes.half), shape=_stacked_shape)
def self_adjoint_eig_v1_op(xp: Namespace, input: Array) -> Array:
    """Returns a row of eigenvalues above the eigenvectors."""
    ...


attach(self_adjoint_eig_v1_op, _stacked)


@op("BatchSvd", types="input: T -> s: T, u: T, v: T", T=PRECISE, shape=factors.svd_shapes)
def batch_svd_op(
    xp: Namespace, input: Array, *, compute_uv: bool = True, full_matrices: bool = False
) -> tuple[Array, Array, Array]:
    """Returns the singular values and vectors of matrices."""
    return factors.singular_values(xp, input, compute_uv=compute_uv, full_matrices=full_matrices)
