"""Functions of matrices that LAPACK does not name: the square root, the logarithm, and tridiagonal systems."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..array.concat import concat
from ..array.fills import zeros_like
from ..array.pack import stack
from ..array.reshape import expand_dims, reshape
from ..array.shape_ops import shape
from ..core import dtypes, lazy_scipy, shapes
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.shapes import Shape
from ..math.binary import add_v2 as add
from ..math.binary import multiply as mul
from ..math.complex import conj
from ..math.reduce import reduce_sum
from ..math.unary import negative
from .matrices import PRECISE, TYPES, adjoint, attach, check_square, eye_like, square
from .solving import matrix_solve


def _each_matrix(function: Any, x: Array) -> Array:
    made = np.empty_like(x)
    for index in np.ndindex(*x.shape[:-2]):
        made[index] = function(x[index])
    return made


@op("MatrixSquareRoot", types="input: T -> output: T", T=TYPES, shape=square)
def matrix_square_root_op(xp: Namespace, input: Array) -> Array:
    """Returns the principal square roots of square matrices."""
    ...


def square_root(xp: Namespace, input: Array) -> Array:
    """Take the root of each matrix; a real one has a real root, or one that is no number."""
    check_square(input, "MatrixSquareRoot")
    return _each_matrix(_real_root if input.dtype.kind == "f" else lazy_scipy.linalg().sqrtm, input)


def _real_root(x: Array) -> Array:
    root = lazy_scipy.linalg().sqrtm(x)
    return np.full_like(x, np.nan) if np.iscomplexobj(root) else root


attach(matrix_square_root_op, square_root, devices="CPU")


@matrix_square_root_op.gradient
def _square_root_gradient(op: Operation, dy: Tensor) -> Tensor:
    """Solve Sylvester's equation `rootᴴ X + X rootᴴ = dy` as one linear system."""
    (root,) = op.outputs
    turned, unit = adjoint(root), eye_like(root)
    left = _kronecker(turned, unit)
    right = _kronecker(unit, conj(root))
    solution = matrix_solve(add(left, right), reshape(dy, concat([shape(dy)[:-2], [-1, 1]], 0)))
    return reshape(solution, shape(dy))


def _kronecker(a: Tensor, b: Tensor) -> Tensor:
    """Return the Kronecker products of square matrices of one shape."""
    wide = mul(a[..., :, None, :, None], b[..., None, :, None, :])
    side = shape(a)[-1] * shape(a)[-1]
    return reshape(wide, concat([shape(a)[:-2], stack([side, side])], 0))


@op("MatrixLogarithm", types="input: T -> output: T", T=dtypes.COMPLEX, shape=square, devices="CPU")
def matrix_logarithm_op(xp: Namespace, input: Array) -> Array:
    """Returns the principal logarithms of complex square matrices."""
    check_square(input, "MatrixLogarithm")
    return _each_matrix(lazy_scipy.linalg().logm, input.astype(np.complex128)).astype(input.dtype)


@op("MatrixExponential", types="input: T -> output: T", T=TYPES, shape=square)
def matrix_exponential_op(xp: Namespace, input: Array) -> Array:
    """Returns the exponentials of square matrices (an op type that TensorFlow no longer builds)."""
    ...


def exponential(xp: Namespace, input: Array) -> Array:
    """Take the exponential of each matrix."""
    check_square(input, "MatrixExponential")
    return _each_matrix(lazy_scipy.linalg().expm, input)


attach(matrix_exponential_op, exponential, devices="CPU")


def _tridiagonal_shape(node: Operation) -> Shape:
    diagonals, rhs = node.inputs[0].dims, shapes.with_rank_at_least(node.inputs[1].dims, 2)
    if diagonals is None or rhs is None:
        return rhs
    if len(diagonals) < 2 or diagonals[-2] not in (3, None):
        raise ValueError(f"Expected 3 diagonals of shape [..., 3, M], got {shapes.format_shape(diagonals)}")
    side = shapes.merge_dim(diagonals[-1], rhs[-2])
    return (*shapes.merge(diagonals[:-2], rhs[:-2]), side, rhs[-1])  # type: ignore[misc]


@op("TridiagonalSolve", types="diagonals: T, rhs: T -> output: T", T=PRECISE, shape=_tridiagonal_shape, devices="CPU")
def tridiagonal_solve_op(
    xp: Namespace, diagonals: Array, rhs: Array, *, partial_pivoting: bool = True, perturb_singular: bool = False
) -> Array:
    """Returns the solutions of systems given by their three diagonals: above, on and below the main one."""
    if perturb_singular:
        raise InvalidArgumentError(
            None, None, "perturb_singular needs a GPU that has it: the host solves exactly or not at all"
        )
    banded = np.zeros_like(diagonals)
    banded[..., 0, 1:] = diagonals[..., 0, :-1]
    banded[..., 1, :] = diagonals[..., 1, :]
    banded[..., 2, :-1] = diagonals[..., 2, 1:]
    made = np.empty_like(rhs)
    for index in np.ndindex(*rhs.shape[:-2]):
        made[index] = _banded_solution(banded[index], rhs[index])
    return made


def _banded_solution(bands: Array, rhs: Array) -> Array:
    if bands.shape[-1] == 1:
        if not bands[1, 0]:
            raise InvalidArgumentError(None, None, "Input matrix is not invertible.")
        return rhs / bands[1, 0]
    try:
        return lazy_scipy.linalg().solve_banded((1, 1), bands, rhs, check_finite=False)
    except np.linalg.LinAlgError as error:
        raise InvalidArgumentError(None, None, "Input matrix is not invertible.") from error


@tridiagonal_solve_op.gradient
def _tridiagonal_gradient(op: Operation, dy: Tensor) -> list[Tensor]:
    diagonals, x = op.inputs[0], op.outputs[0]
    by_rhs = tridiagonal_solve_op(_transposed_diagonals(diagonals), dy, partial_pivoting=op.attrs["partial_pivoting"])
    above = reduce_sum(mul(by_rhs[..., :-1, :], conj(x[..., 1:, :])), -1)
    main = reduce_sum(mul(by_rhs, conj(x)), -1)
    below = reduce_sum(mul(by_rhs[..., 1:, :], conj(x[..., :-1, :])), -1)
    edge = zeros_like(main[..., :1])
    whole = stack([concat([above, edge], -1), main, concat([edge, below], -1)], axis=-2)
    return [negative(whole), by_rhs]


def _transposed_diagonals(diagonals: Tensor) -> Tensor:
    """Return the diagonals of the adjoint matrices: the outer two change places and move by one."""
    above, main, below = (conj(diagonals[..., i, :]) for i in range(3))
    edge = zeros_like(main[..., :1])
    return stack([concat([below[..., 1:], edge], -1), main, concat([edge, above[..., :-1]], -1)], axis=-2)


@op(
    "TridiagonalMatMul", types="superdiag: T, maindiag: T, subdiag: T, rhs: T -> output: T", T=PRECISE,
    shape=lambda node: node.inputs[3].dims,
)  # fmt: skip
def tridiagonal_matmul_op(xp: Namespace, superdiag: Array, maindiag: Array, subdiag: Array, rhs: Array) -> Array:
    """Returns the products of matrices given by their three diagonals [..., 1, M] with right-hand sides [..., M, N]."""
    above, main, below = (xp.swapaxes(x, -1, -2) for x in (superdiag, maindiag, subdiag))
    edge = xp.zeros_like(rhs[..., :1, :])
    return (
        main * rhs
        + above * xp.concatenate([rhs[..., 1:, :], edge], axis=-2)
        + below * xp.concatenate([edge, rhs[..., :-1, :]], axis=-2)
    )


@tridiagonal_matmul_op.gradient
def _tridiagonal_product_gradient(op: Operation, dy: Tensor) -> list[Tensor]:
    above, main, below, rhs = (conj(tensor) for tensor in op.inputs)
    edge = zeros_like(rhs[..., :1, :])
    up, down = concat([rhs[..., 1:, :], edge], -2), concat([edge, rhs[..., :-1, :]], -2)
    by_diagonals = [expand_dims(reduce_sum(mul(side, dy), -1), -2) for side in (up, rhs, down)]
    last = zeros_like(above[..., :1])
    lower = concat([last, above[..., :-1]], -1)
    upper = concat([below[..., 1:], last], -1)
    return [*by_diagonals, tridiagonal_matmul_op(upper, main, lower, dy)]


def sqrtm(input: Any, name: str | None = None) -> Tensor:
    """Return the principal square roots of square matrices [..., n, n]; NaN for real ones that have no real root."""
    return matrix_square_root_op(input, name=name)  # type: ignore[no-any-return]


def logm(input: Any, name: str | None = None) -> Tensor:
    """Return the principal logarithms of complex square matrices [..., n, n]."""
    return matrix_logarithm_op(input, name=name)  # type: ignore[no-any-return]
