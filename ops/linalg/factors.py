"""Factorisations: Cholesky, QR, singular values, eigenvalues and LU, with their gradients.

Vectors of eigenvalues and singular values are unique up to a sign (a phase), which libraries choose differently.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..array.concat import concat
from ..array.diagonals import matrix_band_part, matrix_diag, matrix_diag_part, matrix_set_diag
from ..array.fills import zeros_like
from ..array.reshape import expand_dims
from ..array.scatter import one_hot
from ..array.shape_ops import shape
from ..core import dtypes, lazy_scipy, shapes
from ..core.convert import convert_to_tensor
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.shapes import Shape
from ..math.binary import add_v2 as add
from ..math.binary import div_no_nan_op
from ..math.binary import multiply as mul
from ..math.binary import subtract as sub
from ..math.complex import cast, conj, is_complex, real
from .matrices import (
    REAL_TYPES,
    TYPES,
    adjoint,
    attach,
    attach_half,
    check_square,
    eye_like,
    given,
    product,
    solved,
    square,
    square_dims,
    turned,
)
from .solving import matrix_solve, matrix_triangular_solve

_FAILED = "{} was not successful. The input might not be valid."


@op("Cholesky", types="input: T -> output: T", T=TYPES, shape=square)
def cholesky_op(xp: Namespace, input: Array) -> Array:
    """Returns the lower triangular factors of positive definite matrices, of which the lower triangle is read."""
    ...


def lower_factor(xp: Namespace, input: Array) -> Array:
    """Factor each matrix."""
    check_square(input, "Cholesky")
    return solved(_FAILED.format("Cholesky decomposition"), xp.linalg.cholesky, input)


attach(cholesky_op, lower_factor)


@cholesky_op.gradient
def _cholesky_gradient(op: Operation, dy: Tensor) -> Tensor:
    """Solve with the factor on both sides of the lower half of its product with `dy`."""
    (factor,) = op.outputs
    inverse = matrix_triangular_solve(factor, eye_like(factor))
    middle = product(factor, dy, adjoint_a=True)
    middle = matrix_band_part(matrix_set_diag(middle, mul(matrix_diag_part(middle), 0.5)), -1, 0)
    whole = product(product(inverse, middle, adjoint_a=True), inverse)
    return mul(add(whole, adjoint(whole)), 0.5)


def _factor_shape(node: Operation) -> Shape:
    return shapes.merge(square(node), node.inputs[1].dims)


def factor_gradient(xp: Namespace, l: Array, grad: Array) -> Array:  # noqa: E741
    """Compute what the gradient of Cholesky composes."""
    check_square(l, "CholeskyGrad")
    middle = xp.tril(xp.matmul(turned(l, xp), grad))
    middle = middle * (1 - xp.eye(l.shape[-1], dtype=l.dtype) / 2)
    inverse = xp.linalg.inv(xp.tril(l))
    whole = xp.matmul(xp.matmul(turned(inverse, xp), middle), inverse)
    return (whole + turned(whole, xp)) * l.dtype.type(0.5)


@op("CholeskyGrad", types="l: T, grad: T -> output: T", T=REAL_TYPES, shape=_factor_shape)
def cholesky_grad_op(xp: Namespace, l: Array, grad: Array) -> Array:  # noqa: E741
    """Returns the gradient of Cholesky where its value is `l`."""
    ...


attach(cholesky_grad_op, factor_gradient)


def _sides(node: Operation) -> tuple[tuple[int | None, ...], int | None, int | None, int | None] | None:
    """Return the batch, the height, the width and the smaller of the two, of matrices of known rank."""
    dims = shapes.with_rank_at_least(node.inputs[0].dims, 2)
    if dims is None:
        return None
    *batch, m, n = dims
    return tuple(batch), m, n, None if m is None or n is None else min(m, n)


def _qr_shapes(node: Operation) -> list[Shape]:
    sides = _sides(node)
    if sides is None:
        return [None, None]
    batch, m, n, short = sides
    inner = m if node.attrs["full_matrices"] else short
    return [(*batch, m, inner), (*batch, inner, n)]


@op("Qr", types="input: T -> q: T, r: T", T=TYPES, shape=_qr_shapes)
def qr_op(xp: Namespace, input: Array, *, full_matrices: bool = False) -> Any:
    """Returns orthogonal and upper triangular factors of matrices."""
    ...


def orthogonal_factors(xp: Namespace, input: Array, *, full_matrices: bool) -> tuple[Array, Array]:
    """Factor each matrix."""
    q, r = xp.linalg.qr(input, mode="complete" if full_matrices else "reduced")
    return q, r


attach(qr_op, orthogonal_factors)
attach_half(qr_op, orthogonal_factors)


@qr_op.gradient
def _qr_gradient(op: Operation, dq: Tensor | None, dr: Tensor | None) -> Tensor:
    (q, r), (x,) = op.outputs, op.inputs
    dq, dr = given(dq, q), given(dr, r)
    sides = _sides(op)
    if sides is None or sides[3] is None:
        raise NotImplementedError(f"The gradient of {op.name!r} (Qr) needs static matrix shapes, got {x.shape}")
    _, m, n, _ = sides
    assert m is not None and n is not None
    if m > n and op.attrs["full_matrices"]:
        raise NotImplementedError(
            f"The gradient of {op.name!r} (Qr) with full_matrices needs at least as many columns as rows"
        )
    if m >= n:
        return _tall_qr_gradient(q, r, dq, dr)
    right = dr[..., m:]
    left = _tall_qr_gradient(q, r[..., :m], add(dq, product(x[..., m:], right, adjoint_b=True)), dr[..., :m])
    return concat([left, product(q, right)], -1)


def _tall_qr_gradient(q: Tensor, r: Tensor, dq: Tensor, dr: Tensor) -> Tensor:
    qdq, rdr = product(q, dq, adjoint_a=True), product(r, dr, adjoint_b=True)
    skew = add(sub(qdq, adjoint(qdq)), sub(rdr, adjoint(rdr)))
    inside = product(q, add(dr, _divided(matrix_band_part(skew, -1, 0), r)))
    found = add(inside, _divided(sub(dq, product(q, qdq)), r))
    if not is_complex(found):
        return found
    phases = matrix_diag_part(sub(rdr, adjoint(qdq)))
    correction = matrix_diag(sub(phases, cast(real(phases), phases.dtype)))
    return add(found, _divided(product(q, adjoint(correction)), r))


def _divided(x: Tensor, r: Tensor) -> Tensor:
    """Return `x` times the inverse of the adjoint of the upper triangular `r`."""
    return adjoint(matrix_triangular_solve(r, adjoint(x), lower=False))


def eigen_shapes(node: Operation) -> list[Shape]:
    dims = square_dims(node.inputs[0].dims)
    values = None if dims is None else dims[:-1]
    return [values, dims if node.attrs["compute_v"] else (0,)]


@op("SelfAdjointEigV2", types="input: T -> e: T, v: T", T=TYPES, shape=eigen_shapes)
def self_adjoint_eig_op(xp: Namespace, input: Array, *, compute_v: bool = True) -> Any:
    """Returns the rising eigenvalues of self-adjoint matrices, and the eigenvectors as columns."""
    ...


def self_adjoint_eigenvalues(xp: Namespace, input: Array, *, compute_v: bool) -> tuple[Array, Array]:
    """Decompose each matrix, of which the lower triangle is read."""
    check_square(input, "SelfAdjointEigV2")
    failed = _FAILED.format("Self-adjoint eigen decomposition")
    if not compute_v:
        values = solved(failed, xp.linalg.eigvalsh, input)
        return values.astype(input.dtype), xp.empty((0,), input.dtype)
    values, vectors = solved(failed, xp.linalg.eigh, input)
    return values.astype(input.dtype), vectors


attach(self_adjoint_eig_op, self_adjoint_eigenvalues)


@self_adjoint_eig_op.gradient
def _self_adjoint_gradient(op: Operation, de: Tensor | None, dv: Tensor | None) -> Tensor:
    de = given(de, op.outputs[0])
    if op.attrs["compute_v"]:
        e, v = op.outputs
        dv = given(dv, v)
        apart = matrix_set_diag(_inverse_or_zero(sub(expand_dims(e, -2), expand_dims(e, -1))), zeros_like(e))
        middle = add(matrix_diag(de), mul(apart, product(v, dv, adjoint_a=True)))
    else:
        _, v = self_adjoint_eig_op(op.inputs[0])
        middle = matrix_diag(de)
    whole = product(v, product(middle, v, adjoint_b=True))
    lower = matrix_band_part(add(whole, adjoint(whole)), -1, 0)
    return matrix_set_diag(lower, mul(matrix_diag_part(lower), 0.5))


def _inverse_or_zero(x: Tensor) -> Tensor:
    """Return the reciprocal; 0 where there is none, as between equal eigenvalues."""
    return div_no_nan_op(add(zeros_like(x), 1), x)


def svd_shapes(node: Operation) -> list[Shape]:
    sides = _sides(node)
    if sides is None:
        return [None] * 3 if node.attrs["compute_uv"] else [None, (0,), (0,)]
    batch, m, n, short = sides
    values = (*batch, short)
    if not node.attrs["compute_uv"]:
        return [values, (0,), (0,)]
    full = node.attrs["full_matrices"]
    return [values, (*batch, m, m if full else short), (*batch, n, n if full else short)]


@op("Svd", types="input: T -> s: T, u: T, v: T", T=TYPES, shape=svd_shapes)
def svd_op(xp: Namespace, input: Array, *, compute_uv: bool = True, full_matrices: bool = False) -> Any:
    """Returns the falling singular values of matrices, and the singular vectors as columns."""
    ...


def singular_values(
    xp: Namespace, input: Array, *, compute_uv: bool, full_matrices: bool
) -> tuple[Array, Array, Array]:
    """Decompose each matrix."""
    failed = _FAILED.format("Singular value decomposition")
    if not compute_uv:
        values = solved(failed, lambda: xp.linalg.svd(input, compute_uv=False))
        return values.astype(input.dtype), xp.empty((0,), input.dtype), xp.empty((0,), input.dtype)
    u, values, v = solved(failed, lambda: xp.linalg.svd(input, full_matrices=full_matrices))
    return values.astype(input.dtype), u, turned(v, xp)


attach(svd_op, singular_values)


@svd_op.gradient
def _svd_gradient(op: Operation, ds: Tensor | None, du: Tensor | None, dv: Tensor | None) -> Tensor:
    (x,), (s, u, v) = op.inputs, op.outputs
    ds, du, dv = given(ds, s), given(du, u), given(dv, v)
    if not op.attrs["compute_uv"]:
        _, u, v = svd_op(x)
        return product(u, product(matrix_diag(ds), v, adjoint_b=True))
    sides, full = _sides(op), op.attrs["full_matrices"]
    if sides is None or sides[3] is None:
        raise NotImplementedError(f"The gradient of {op.name!r} (Svd) needs static matrix shapes, got {x.shape}")
    _, m, n, _ = sides
    assert m is not None and n is not None
    if full and abs(m - n) > 1:
        raise NotImplementedError(f"The gradient of {op.name!r} (Svd) with full_matrices needs nearly square ones")
    if m > n:
        return adjoint(_wide_svd_gradient(s, v, u, ds, dv, du, n, m, full))
    return _wide_svd_gradient(s, u, v, ds, du, dv, m, n, full)


def _wide_svd_gradient(
    s: Tensor, u: Tensor, v: Tensor, ds: Tensor, du: Tensor, dv: Tensor, m: int, n: int, full: bool
) -> Tensor:
    """Return the gradient for matrices [m, n] with m <= n."""
    sizes, squares = matrix_diag(s), mul(s, s)
    apart = matrix_set_diag(_inverse_or_zero(sub(expand_dims(squares, -2), expand_dims(squares, -1))), zeros_like(s))
    inverse = matrix_diag(_inverse_or_zero(s))
    first, dfirst = v[..., :, :m], dv[..., :, :m]
    by_u, by_v = mul(apart, product(u, du, adjoint_a=True)), mul(apart, product(first, dfirst, adjoint_a=True))
    middle = add(matrix_diag(ds), product(add(by_u, adjoint(by_u)), sizes))
    middle = add(middle, product(sizes, add(by_v, adjoint(by_v))))
    found = product(u, product(middle, first, adjoint_b=True))
    if m < n:
        rest = sub(adjoint(dfirst), product(product(dfirst, first, adjoint_a=True), first, adjoint_b=True))
        if full:
            crossing = product(first, dv[..., :, m:n], adjoint_a=True)
            rest = sub(rest, product(crossing, v[..., :, m:n], adjoint_b=True))
        found = add(found, product(product(u, inverse), rest))
    if is_complex(found):
        phases = matrix_diag_part(product(first, dfirst, adjoint_a=True))
        twist = mul(matrix_diag(sub(phases, conj(phases))), 0.5)
        found = add(found, product(u, product(product(inverse, twist), first, adjoint_b=True)))
    return found


def _lu_shapes(node: Operation) -> list[Shape]:
    dims = square_dims(node.inputs[0].dims)
    return [dims, None if dims is None else dims[:-1]]


@op(
    "Lu", types="input: T -> lu: T, p: output_idx_type", T=TYPES, output_idx_type=dtypes.INDEX, shape=_lu_shapes,
    defaults={"output_idx_type": dtypes.int32},
)  # fmt: skip
def lu_op(xp: Namespace, input: Array, *, output_idx_type: dtypes.DType) -> Any:
    """Returns lower and upper triangular factors packed in one matrix, and the permutation of the rows."""
    ...


def triangular_factors(xp: Namespace, input: Array, *, output_idx_type: dtypes.DType) -> tuple[Array, Array]:
    """Factor each matrix with partial pivoting."""
    check_square(input, "Lu")
    packed, order = np.empty_like(input), np.empty(input.shape[:-1], output_idx_type.np_dtype)
    for index in np.ndindex(*input.shape[:-2]):
        packed[index], swaps = lazy_scipy.linalg().lu_factor(input[index], check_finite=False)
        if not np.all(np.diagonal(packed[index])):
            raise InvalidArgumentError(None, None, "Input is not invertible.")
        rows = np.arange(input.shape[-1])
        for i, j in enumerate(swaps):
            rows[[i, j]] = rows[[j, i]]
        order[index] = rows
    return packed, order


attach(lu_op, triangular_factors, devices="CPU")


@lu_op.gradient
def _lu_gradient(op: Operation, dlu: Tensor, _: Tensor | None) -> Tensor:
    """Solve with both factors around what the strict lower and the upper triangle say, then undo the permutation."""
    packed, order = op.outputs
    diagonal = matrix_diag(matrix_diag_part(packed))
    lower = add(sub(matrix_band_part(packed, -1, 0), diagonal), eye_like(packed))
    upper, dupper = matrix_band_part(packed, 0, -1), matrix_band_part(dlu, 0, -1)
    below = matrix_band_part(product(lower, sub(dlu, dupper), adjoint_a=True), -1, 0)
    below = sub(below, matrix_diag(matrix_diag_part(below)))
    middle = add(below, matrix_band_part(product(dupper, upper, adjoint_b=True), 0, -1))
    found = _divided(matrix_triangular_solve(lower, middle, adjoint=True), upper)
    return product(cast(one_hot(order, shape(order)[-1]), found.dtype), found, adjoint_a=True)


@op(
    "Eig", types="input: T -> e: Tout, v: Tout", shape=eigen_shapes, devices="CPU",
    T=(dtypes.float32, dtypes.float64, dtypes.complex64, dtypes.complex128), Tout=dtypes.COMPLEX,
)  # fmt: skip
def eig_op(xp: Namespace, input: Array, *, Tout: dtypes.DType, compute_v: bool = True) -> tuple[Array, Array]:
    """Returns the eigenvalues of square matrices and the eigenvectors as columns, complex."""
    check_square(input, "Eig")
    if np.result_type(input.dtype, np.complex64) != Tout.np_dtype:
        raise InvalidArgumentError(None, None, f"Eigenvalues of {input.dtype} do not have the type {Tout.name}")
    failed = _FAILED.format("Eigen decomposition")
    if not compute_v:
        values = solved(failed, np.linalg.eigvals, input)
        return values.astype(Tout.np_dtype), np.empty((0,), Tout.np_dtype)
    values, vectors = solved(failed, np.linalg.eig, input)
    return values.astype(Tout.np_dtype), vectors.astype(Tout.np_dtype)


@eig_op.gradient
def _eig_gradient(op: Operation, de: Tensor | None, dv: Tensor | None) -> Tensor:
    (x,), (e, v) = op.inputs, op.outputs
    middle = matrix_diag(given(de, e))
    if not op.attrs["compute_v"]:
        _, v = eig_op(x, Tout=op.attrs["Tout"])
    elif dv is not None:
        apart = matrix_set_diag(_inverse_or_zero(sub(expand_dims(e, -2), expand_dims(e, -1))), zeros_like(e))
        inner = product(v, dv, adjoint_a=True)
        sizes = matrix_diag(cast(real(matrix_diag_part(inner)), v.dtype))
        middle = add(middle, mul(conj(apart), sub(inner, product(product(v, v, adjoint_a=True), sizes))))
    turned_v = adjoint(v)
    found = matrix_solve(turned_v, product(middle, turned_v))
    return found if is_complex(x) else cast(real(found), x.dtype)


def cholesky(input: Any, name: str | None = None) -> Tensor:
    """Return the lower triangular factors of positive definite matrices [..., n, n]; others fail when it runs."""
    return cholesky_op(input, name=name)  # type: ignore[no-any-return]


def qr(input: Any, full_matrices: bool = False, name: str | None = None) -> tuple[Tensor, Tensor]:
    """Return orthogonal factors [..., m, k] and upper triangular ones [..., k, n] of matrices [..., m, n]."""
    return qr_op.named(input, full_matrices=full_matrices, name=name)  # type: ignore[no-any-return]


def svd(
    tensor: Any, full_matrices: bool = False, compute_uv: bool = True, name: str | None = None
) -> Tensor | tuple[Tensor, Tensor, Tensor]:
    """Return the falling singular values of matrices [..., m, n], and unless refused the left and right vectors.

    `tensor` is `u @ diag(s) @ adjoint(v)`; unlike NumPy's, `v` is not transposed.
    """
    s, u, v = svd_op(tensor, compute_uv=compute_uv, full_matrices=full_matrices, name=name)
    return (real(s), u, v) if compute_uv else real(s)


def self_adjoint_eig(tensor: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """Return the rising eigenvalues [..., n] of self-adjoint matrices, and the eigenvectors as columns [..., n, n]."""
    e, v = self_adjoint_eig_op(tensor, compute_v=True, name=name)
    return e, v


def self_adjoint_eigvals(tensor: Any, name: str | None = None) -> Tensor:
    """Return the rising eigenvalues [..., n] of self-adjoint matrices."""
    e, _ = self_adjoint_eig_op(tensor, compute_v=False, name=name)
    return e  # type: ignore[no-any-return]


def lu(input: Any, output_idx_type: Any = dtypes.int32, name: str | None = None) -> tuple[Tensor, Tensor]:
    """Return the packed triangular factors of square matrices, and the permutations of their rows."""
    return lu_op.named(input, output_idx_type=output_idx_type, name=name)  # type: ignore[no-any-return]


def eig(tensor: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """Return the complex eigenvalues [..., n] of square matrices, and the eigenvectors as columns."""
    e, v = eig_op(tensor, Tout=_complex_of(tensor), compute_v=True, name=name)
    return e, v


def eigvals(tensor: Any, name: str | None = None) -> Tensor:
    """Return the complex eigenvalues [..., n] of square matrices."""
    e, _ = eig_op(tensor, Tout=_complex_of(tensor), compute_v=False, name=name)
    return e  # type: ignore[no-any-return]


def _complex_of(tensor: Any) -> dtypes.DType:
    base = convert_to_tensor(tensor).dtype.base_dtype
    return dtypes.complex128 if base in (dtypes.float64, dtypes.complex128) else dtypes.complex64
