"""Functions of matrices that others compose: traces, logarithms of determinants, pseudo-inverses, ranks and norms."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..array.concat import concat
from ..array.diagonals import matrix_diag_part
from ..array.fills import zeros_like
from ..array.pack import stack, unstack
from ..array.reshape import expand_dims, squeeze
from ..array.shape_ops import shape
from ..array.transpose import matrix_transpose
from ..core import dtypes
from ..core.convert import convert_to_tensor
from ..core.node import Tensor
from ..core.scopes import name_scope
from ..math.binary import greater, multiply, realdiv
from ..math.complex import cast, conj, real
from ..math.matmul import matmul
from ..math.norms import norm
from ..math.reduce import reduce_max, reduce_sum
from ..math.select import where_v2
from ..math.unary import log
from .factors import cholesky, svd
from .functions import tridiagonal_matmul_op, tridiagonal_solve_op

FORMATS = ("compact", "sequence", "matrix")


def trace(x: Any, name: str | None = None) -> Tensor:
    """Return the sums [...] of the diagonals of matrices [..., m, n]."""
    with name_scope(name, "Trace", [x]) as scope:
        return reduce_sum(matrix_diag_part(convert_to_tensor(x, name="x")), [-1], name=scope)


def logdet(matrix: Any, name: str | None = None) -> Tensor:
    """Return the logarithms [...] of the determinants of positive definite matrices [..., n, n]."""
    with name_scope(name, "logdet", [matrix]):
        diagonal = real(matrix_diag_part(cholesky(matrix)))
        return multiply(reduce_sum(log(diagonal), [-1]), 2.0)


def pinv(a: Any, rcond: Any = None, validate_args: bool = False, name: str | None = None) -> Tensor:
    """Return the pseudo-inverses [..., n, m] of matrices [..., m, n].

    Args:
      rcond: singular values below it times the greatest count as 0; 10 * max(m, n) * epsilon when None.
      validate_args: accepted; ranks and dtypes are always checked while building.
    """
    with name_scope(name, "pinv", [a]):
        a = convert_to_tensor(a, name="a")
        s, u, v = svd(a, full_matrices=False, compute_uv=True)
        cutoff = multiply(_tolerance(a, 10.0) if rcond is None else convert_to_tensor(rcond, s.dtype), _largest(s))
        kept = greater(s, expand_dims(cutoff, -1))
        inverse = where_v2(kept, realdiv(cast(1.0, s.dtype), where_v2(kept, s, cast(1.0, s.dtype))), zeros_like(s))
        scaled = multiply(v, cast(expand_dims(inverse, -2), v.dtype))
        return matmul(scaled, u, adjoint_b=True)


def _largest(s: Tensor) -> Tensor:
    return reduce_max(s, -1)


def _tolerance(a: Tensor, factor: float) -> Tensor:
    kind = a.dtype.base_dtype.real_dtype
    dims = shape(a)[-2:]
    return multiply(cast(reduce_max(dims), kind), factor * float(np.finfo(kind.np_dtype).eps))


def matrix_rank(a: Any, tol: Any = None, validate_args: bool = False, name: str | None = None) -> Tensor:
    """Return how many singular values of each matrix [..., m, n] exceed `tol`, int32 [...].

    `tol` is max(m, n) * epsilon times the greatest singular value when None; `validate_args` is accepted.
    """
    with name_scope(name, "matrix_rank", [a]):
        a = convert_to_tensor(a, name="a")
        s = svd(a, compute_uv=False)
        assert isinstance(s, Tensor)
        cutoff = (
            multiply(_tolerance(a, 1.0), expand_dims(_largest(s), -1))
            if tol is None
            else convert_to_tensor(tol, s.dtype)
        )
        return reduce_sum(cast(greater(s, cutoff), dtypes.int32), -1)


def matvec(
    a: Any, b: Any, transpose_a: bool = False, adjoint_a: bool = False, a_is_sparse: bool = False,
    b_is_sparse: bool = False, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return the products [..., m] of matrices [..., m, n] and vectors [..., n]; the hints need no action."""
    with name_scope(name, "MatVec", [a, b]):
        columns = expand_dims(convert_to_tensor(b, name="b"), -1)
        return squeeze(matmul(a, columns, transpose_a=transpose_a, adjoint_a=adjoint_a), axis=[-1])


def normalize(tensor: Any, ord: Any = "euclidean", axis: Any = None, name: str | None = None) -> tuple[Tensor, Tensor]:
    """Return the tensor divided by its norm along `axis`, and that norm."""
    with name_scope(name, "normalize", [tensor]):
        tensor = convert_to_tensor(tensor)
        size = cast(norm(tensor, ord, axis, keepdims=True), tensor.dtype)
        return realdiv(tensor, size), size


def tridiagonal_solve(
    diagonals: Any, rhs: Any, diagonals_format: str = "compact", transpose_rhs: bool = False, conjugate_rhs: bool = False,
    name: str | None = None, partial_pivoting: bool = True, perturb_singular: bool = False,
) -> Tensor:  # fmt: skip
    """Return the solutions of tridiagonal systems.

    Args:
      diagonals: "compact", [..., 3, M]: above, on and below the main diagonal, the last and the first element of the outer
        ones unused; "sequence", those three as a list; or "matrix", [..., M, M].
      rhs: [..., M] or [..., M, K]; transposed or conjugated first when asked for.
      partial_pivoting: accepted; rows are always pivoted. perturb_singular: refused when it runs.
    """
    with name_scope(name, "tridiagonal_solve", [diagonals, rhs]):
        compact = stack(list(_three(diagonals, diagonals_format)), axis=-2)
        rhs = convert_to_tensor(rhs)
        vector = rhs.dims is not None and compact.dims is not None and len(rhs.dims) == len(compact.dims) - 1
        if transpose_rhs and not vector:
            rhs = matrix_transpose(rhs, conjugate=conjugate_rhs)
        elif conjugate_rhs:
            rhs = conj(rhs)
        solution = tridiagonal_solve_op(
            compact, expand_dims(rhs, -1) if vector else rhs, partial_pivoting=partial_pivoting,
            perturb_singular=perturb_singular,
        )  # fmt: skip
        return squeeze(solution, axis=[-1]) if vector else solution


def tridiagonal_matmul(diagonals: Any, rhs: Any, diagonals_format: str = "compact", name: str | None = None) -> Tensor:
    """Return the products of tridiagonal matrices, as `tridiagonal_solve` takes them, with `rhs` [..., M, N]."""
    with name_scope(name, "tridiagonal_matmul", [diagonals, rhs]):
        rows = [expand_dims(diagonal, -2) for diagonal in _three(diagonals, diagonals_format)]
        return tridiagonal_matmul_op(*rows, rhs)  # type: ignore[no-any-return]


def _three(diagonals: Any, form: str) -> tuple[Tensor, Tensor, Tensor]:
    """Return the diagonals above, on and below the main one, each [..., M]."""
    if form not in FORMATS:
        raise ValueError(f"Expected diagonals_format to be one of {', '.join(FORMATS)}, got {form!r}")
    if form == "compact":
        above, main, below = unstack(convert_to_tensor(diagonals), 3, axis=-2)
        return above, main, below
    if form == "sequence":
        above, main, below = (convert_to_tensor(diagonal) for diagonal in diagonals)
        edge = zeros_like(main[..., :1])
        return _full(above, main, edge, at_end=True), main, _full(below, main, edge, at_end=False)
    matrix = convert_to_tensor(diagonals)
    main = matrix_diag_part(matrix)
    edge = zeros_like(main[..., :1])
    above, below = matrix_diag_part(matrix[..., :-1, 1:]), matrix_diag_part(matrix[..., 1:, :-1])
    return concat([above, edge], -1), main, concat([edge, below], -1)


def _full(diagonal: Tensor, main: Tensor, edge: Tensor, at_end: bool) -> Tensor:
    """Return an outer diagonal with as many elements as the main one."""
    if diagonal.dims is not None and main.dims is not None and diagonal.dims[-1] == main.dims[-1]:
        return diagonal
    return concat([diagonal, edge] if at_end else [edge, diagonal], -1)
