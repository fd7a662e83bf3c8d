"""Least squares: systems with more equations than unknowns or fewer, regularised when asked for."""

from __future__ import annotations

from typing import Any

from ...devices.types import Array, Namespace
from ..core import dtypes, shapes
from ..core.convert import convert_to_tensor
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.scopes import name_scope
from ..core.shapes import Shape
from ..math.binary import add_v2 as add
from ..math.binary import multiply as mul
from ..math.binary import subtract as sub
from ..math.complex import cast
from ..math.unary import negative
from .factors import cholesky
from .matrices import TYPES, adjoint, attach, eye_like, product, solved, turned
from .solving import OLD_TYPES, matrix_triangular_solve

TYPE = "matrix: T, rhs: T, l2_regularizer: float64 -> output: T"


def _solution_shape(node: Operation) -> Shape:
    matrix, rhs = (shapes.with_rank_at_least(tensor.dims, 2) for tensor in node.inputs[:2])
    shapes.with_rank(node.inputs[2].dims, 0)
    if matrix is None or rhs is None:
        return None
    shapes.merge_dim(matrix[-2], rhs[-2])
    return (*shapes.merge(matrix[:-2], rhs[:-2]), matrix[-1], rhs[-1])  # type: ignore[misc]


def least_squares(xp: Namespace, matrix: Array, rhs: Array, l2_regularizer: Array, *, fast: bool) -> Array:
    """Solve the normal equations when `fast`, else by the pseudo-inverse of each matrix."""
    if matrix.ndim < 2 or rhs.ndim < 2 or matrix.shape[-2] != rhs.shape[-2]:
        raise InvalidArgumentError(
            None,
            None,
            f"Input matrix and rhs are incompatible: {list(matrix.shape)} and {list(rhs.shape)} (MatrixSolveLs)",
        )
    if not fast:
        return xp.matmul(xp.linalg.pinv(matrix), rhs)
    rows, columns = matrix.shape[-2:]
    back = turned(matrix, xp)
    gram = xp.matmul(back, matrix) if rows >= columns else xp.matmul(matrix, back)
    gram = gram + xp.eye(min(rows, columns), dtype=matrix.dtype) * matrix.dtype.type(float(l2_regularizer))
    message = "Input matrix was rank deficient or ill-conditioned. Try setting fast=False or provide a larger l2_regularizer > 0."
    solved(message, xp.linalg.cholesky, gram)
    if rows >= columns:
        return xp.linalg.solve(gram, xp.matmul(back, rhs))
    return xp.matmul(back, xp.linalg.solve(gram, rhs))


@op("MatrixSolveLs", types=TYPE, T=TYPES, shape=_solution_shape, host="l2_regularizer")
def matrix_solve_ls_op(xp: Namespace, matrix: Array, rhs: Array, l2_regularizer: Array, *, fast: bool = True) -> Array:
    """Returns what comes nearest to solving the systems, in least squares."""
    ...


attach(matrix_solve_ls_op, least_squares)


@op("BatchMatrixSolveLs", types=TYPE, T=OLD_TYPES, shape=_solution_shape, host="l2_regularizer")
def batch_matrix_solve_ls_op(
    xp: Namespace, matrix: Array, rhs: Array, l2_regularizer: Array, *, fast: bool = True
) -> Array:
    """Returns what comes nearest to solving the systems (the older op type)."""
    return least_squares(xp, matrix, rhs, l2_regularizer, fast=fast)


@matrix_solve_ls_op.gradient
def _least_squares_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
    (a, b, l2), (x,) = op.inputs, op.outputs
    if not op.attrs["fast"]:
        raise ValueError(f"The gradient of {op.name!r} (MatrixSolveLs) is not defined for fast=False")
    if a.dims is None or None in a.dims[-2:]:
        raise ValueError(f"The gradient of {op.name!r} (MatrixSolveLs) needs static matrix shapes, got {a.shape}")
    rows, columns = a.dims[-2:]
    tall = int(rows or 0) >= int(columns or 0)
    gram = product(a, a, adjoint_a=True) if tall else product(a, a, adjoint_b=True)
    factor = cholesky(add(gram, mul(cast(l2, a.dtype), eye_like(gram))))
    if tall:
        z = cholesky_solve(factor, dy)
        xzt = product(x, z, adjoint_b=True)
        by_a = sub(product(b, z, adjoint_b=True), product(a, add(xzt, adjoint(xzt))))
        return [by_a, product(a, z), None]
    by_b = cholesky_solve(factor, product(a, dy))
    middle = cholesky_solve(factor, b)
    across = negative(product(by_b, product(middle, a, adjoint_a=True)))
    rest = sub(dy, product(a, by_b, adjoint_a=True))
    return [add(across, product(middle, rest, adjoint_b=True)), by_b, None]


def cholesky_solve(chol: Any, rhs: Any, name: str | None = None) -> Tensor:
    """Return the solutions of systems whose matrices have the lower triangular factors `chol`."""
    with name_scope(name, "cholesky_solve", [chol, rhs]):
        first = matrix_triangular_solve(chol, rhs, adjoint=False, lower=True)
        return matrix_triangular_solve(chol, first, adjoint=True, lower=True)


def matrix_solve_ls(
    matrix: Any, rhs: Any, l2_regularizer: Any = 0.0, fast: bool = True, name: str | None = None
) -> Tensor:
    """Return what minimises the squares of `matrix @ output - rhs`, plus `l2_regularizer` times those of `output`.

    Args:
      matrix: [..., m, n]. rhs: [..., m, k].
      l2_regularizer: a scalar from 0; only where `fast`.
      fast: solve the normal equations; otherwise a complete orthogonal decomposition serves matrices of any rank.

    Returns:
      [..., n, k]: of several solutions the least.
    """
    regulariser = convert_to_tensor(l2_regularizer, dtypes.float64)
    return matrix_solve_ls_op(matrix, rhs, regulariser, fast=fast, name=name)  # type: ignore[no-any-return]
