"""Matrices: factorisations, determinants, inverses, linear systems and functions of matrices.

`__all__` names what people type after `tf.`; the rest belongs to `tf.linalg`.
"""

from .banded import banded_triangular_solve_op as _banded_triangular_solve_op
from .einsum import einsum
from .factors import cholesky, qr, self_adjoint_eig, self_adjoint_eigvals, svd
from .factors import eig as eig
from .factors import eigvals as eigvals
from .factors import lu as lu
from .functions import logm as logm
from .functions import sqrtm as sqrtm
from .least_squares import cholesky_solve, matrix_solve_ls
from .matrices import adjoint as adjoint
from .matrices import eye
from .old import batch_cholesky_op as _batch_cholesky_op
from .public import logdet as logdet
from .public import matrix_rank as matrix_rank
from .public import matvec as matvec
from .public import normalize as normalize
from .public import pinv as pinv
from .public import trace
from .public import tridiagonal_matmul as tridiagonal_matmul
from .public import tridiagonal_solve as tridiagonal_solve
from .solving import matrix_determinant, matrix_inverse, matrix_solve, matrix_triangular_solve
from .solving import slogdet as slogdet
from .tridiagonal import eigh_tridiagonal as eigh_tridiagonal

matrix_square_root = sqrtm

_ATTACHED = (_banded_triangular_solve_op, _batch_cholesky_op)

__all__ = [
    "cholesky",
    "cholesky_solve",
    "einsum",
    "eye",
    "matrix_determinant",
    "matrix_inverse",
    "matrix_solve",
    "matrix_solve_ls",
    "matrix_square_root",
    "matrix_triangular_solve",
    "qr",
    "self_adjoint_eig",
    "self_adjoint_eigvals",
    "svd",
    "trace",
]
