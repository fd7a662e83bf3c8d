"""Diagonals and bands: Diag, DiagPart, MatrixDiag, MatrixDiagPart, MatrixSetDiag and MatrixBandPart."""

from __future__ import annotations

from typing import Any

from ...devices.types import Array, Namespace
from ..core import dtypes, shapes
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import lookup, op
from ..core.shape_rules import same_shape
from ..core.shapes import Shape
from .band_diagonals import (
    matrix_diag_part_v2,
    matrix_diag_part_v3,
    matrix_diag_v2,
    matrix_diag_v3,
    matrix_set_diag_v2,
    matrix_set_diag_v3,
)

_DIAG_TYPES = (
    dtypes.bfloat16,
    dtypes.half,
    dtypes.float32,
    dtypes.float64,
    dtypes.int32,
    dtypes.int64,
    *dtypes.COMPLEX,
)


def _doubled(node: Operation) -> Shape:
    dims = shapes.with_rank_at_least(node.inputs[0].dims, 1)
    return None if dims is None else dims + dims


@op("Diag", types="diagonal: T -> output: T", T=_DIAG_TYPES, shape=_doubled)
def diag_op(xp: Namespace, diagonal: Array) -> Array:
    """Return zeros of twice the rank with the input on the diagonal."""
    flat = diagonal.reshape(-1)
    return xp.diag(flat).reshape(diagonal.shape * 2)


def _halved(node: Operation) -> Shape:
    dims = node.inputs[0].dims
    if dims is None:
        return None
    if len(dims) % 2 or not dims:
        raise ValueError(f"Input must have even and non-zero rank, input rank is {len(dims)}")
    return shapes.merge(dims[: len(dims) // 2], dims[len(dims) // 2 :])


@op("DiagPart", types="input: T -> diagonal: T", T=_DIAG_TYPES, shape=_halved)
def diag_part_op(xp: Namespace, x: Array) -> Array:
    """Return the diagonal of an array whose shape is twice the same."""
    half = x.shape[: x.ndim // 2]
    if x.shape[x.ndim // 2 :] != half:
        raise InvalidArgumentError(
            None, None, f"Invalid shape {shapes.format_brackets(x.shape)}: the two halves must be equal"
        )
    count = shapes.product(half) or 0
    return xp.diagonal(x.reshape((count, count))).reshape(half).copy()


@diag_op.gradient
def diag_grad(op: Operation, dy: Tensor) -> Tensor:
    return diag_part(dy)


@diag_part_op.gradient
def diag_part_grad(op: Operation, dy: Tensor) -> Tensor:
    return diag(dy)


def _matrices_of(node: Operation) -> Shape:
    dims = shapes.with_rank_at_least(node.inputs[0].dims, 1)
    return None if dims is None else (*dims, dims[-1])


def _where_diagonal(xp: Namespace, rows: int, columns: int) -> Array:
    return xp.arange(rows)[:, None] == xp.arange(columns)[None, :]


@op("MatrixDiag", types="diagonal: T -> output: T", shape=_matrices_of)
def matrix_diag_op(xp: Namespace, diagonal: Array) -> Array:
    """Return matrices with the vectors of the input on their diagonals."""
    size = diagonal.shape[-1]
    return xp.where(_where_diagonal(xp, size, size), diagonal[..., None], xp.zeros((), diagonal.dtype))


def _diagonals_of(node: Operation) -> Shape:
    dims = shapes.with_rank_at_least(node.inputs[0].dims, 2)
    if dims is None:
        return None
    rows, columns = dims[-2:]
    return (*dims[:-2], None if rows is None or columns is None else min(rows, columns))


@op("MatrixDiagPart", types="input: T -> diagonal: T", shape=_diagonals_of)
def matrix_diag_part_op(xp: Namespace, x: Array) -> Array:
    """Return the diagonals of matrices."""
    return xp.diagonal(x, 0, x.ndim - 2, x.ndim - 1).copy()


def _set_diag_shape(node: Operation) -> Shape:
    x, diagonal = (t.dims for t in node.inputs)
    if x is not None and diagonal is not None:
        shapes.merge(x[:-2], diagonal[:-1])
    return x


@op("MatrixSetDiag", types="input: T, diagonal: T -> output: T", shape=_set_diag_shape)
def matrix_set_diag_op(xp: Namespace, x: Array, diagonal: Array) -> Array:
    """Return matrices with other diagonals."""
    rows, columns = x.shape[-2:]
    if diagonal.shape != (*x.shape[:-2], min(rows, columns)):
        found = f"{shapes.format_brackets(diagonal.shape)} for matrices {shapes.format_brackets(x.shape)}"
        raise InvalidArgumentError(
            None, None, f"must have diagonal.shape == input.shape[:-2] + min(input.shape[-2:]), but received {found}"
        )
    made = x.copy()
    along = xp.arange(min(rows, columns))
    made[..., along, along] = diagonal
    return made


@matrix_diag_op.gradient
def matrix_diag_grad(op: Operation, dy: Tensor) -> Tensor:
    return matrix_diag_part(dy)


@matrix_diag_part_op.gradient
def matrix_diag_part_grad(op: Operation, dy: Tensor) -> Tensor:
    dims = op.inputs[0].dims
    if dims is not None and dims[-1] == dims[-2] and dims[-1] is not None:
        return matrix_diag(dy)
    return matrix_set_diag(lookup("ZerosLike")(op.inputs[0]), dy)


@matrix_set_diag_op.gradient
def matrix_set_diag_grad(op: Operation, dy: Tensor) -> list[Any]:
    cleared = matrix_set_diag(dy, lookup("ZerosLike")(op.inputs[1]))
    return [cleared, matrix_diag_part(dy)]


@op(
    "MatrixBandPart",
    types="input: T, num_lower: Tindex, num_upper: Tindex -> band: T",
    Tindex=dtypes.INDEX,
    defaults={"Tindex": dtypes.int64},
    shape=same_shape,
    host="num_lower num_upper",
)
def matrix_band_part_op(xp: Namespace, x: Array, num_lower: Array, num_upper: Array) -> Array:
    """Return matrices with zeros outside of a band around the diagonal."""
    rows, columns = x.shape[-2:]
    lower, upper = int(num_lower), int(num_upper)
    if lower > rows or upper > columns:
        raise InvalidArgumentError(
            None,
            None,
            f"num_lower ({lower}) and num_upper ({upper}) must be at most the number of rows ({rows}) and columns ({columns})",
        )
    distance = xp.arange(rows)[:, None] - xp.arange(columns)[None, :]
    inside = (distance <= (rows if lower < 0 else lower)) & (-distance <= (columns if upper < 0 else upper))
    return xp.where(inside, x, xp.zeros((), x.dtype))


@matrix_band_part_op.gradient
def matrix_band_part_grad(op: Operation, dy: Tensor) -> list[Any]:
    return [matrix_band_part(dy, op.inputs[1], op.inputs[2]), None, None]


def diag(diagonal: Any, name: str | None = None) -> Tensor:
    """Return a tensor of twice the rank with `diagonal` on its diagonal and zeros elsewhere."""
    return diag_op(diagonal, name=name)  # type: ignore[no-any-return]


def diag_part(input: Any, name: str | None = None) -> Tensor:
    """Return the diagonal of a tensor whose shape is [D1, ..., Dk, D1, ..., Dk]."""
    return diag_part_op(input, name=name)  # type: ignore[no-any-return]


def matrix_diag(
    diagonal: Any, name: str = "diag", k: Any = 0, num_rows: Any = -1, num_cols: Any = -1, padding_value: Any = 0,
    align: str | None = None,
) -> Tensor:  # fmt: skip
    """Return matrices [..., n, n] with the vectors [..., n] on their diagonals.

    Args:
      diagonal: vectors, or [..., number of diagonals, longest] where `k` names several.
      name: the node's name.
      k: which diagonal: 0 the main one, negative ones below; or the lowest and the highest of several.
      num_rows, num_cols: the size of the matrices, -1 for what the diagonals need.
      padding_value: what stands beside the diagonals.
      align: at which side the rows of shorter diagonals are padded, as in "RIGHT_LEFT" (above, below); they begin at the
        left when None.
    """
    if _is_plain(k, align) and _is(num_rows, -1) and _is(num_cols, -1) and _is(padding_value, 0):
        return matrix_diag_op(diagonal, name=name)  # type: ignore[no-any-return]
    decl, options = (matrix_diag_v2, {}) if align is None else (matrix_diag_v3, {"align": align})
    return decl(diagonal, k, num_rows, num_cols, padding_value, name=name, **options)  # type: ignore[no-any-return]


def matrix_diag_part(
    input: Any, name: str = "diag_part", k: Any = 0, padding_value: Any = 0, align: str | None = None
) -> Tensor:
    """Return the diagonals of matrices [..., m, n] as vectors [..., min(m, n)]; `k` and the rest as for `matrix_diag`."""
    if _is_plain(k, align) and _is(padding_value, 0):
        return matrix_diag_part_op(input, name=name)  # type: ignore[no-any-return]
    decl, options = (matrix_diag_part_v2, {}) if align is None else (matrix_diag_part_v3, {"align": align})
    return decl(input, k, padding_value, name=name, **options)  # type: ignore[no-any-return]


def matrix_set_diag(input: Any, diagonal: Any, name: str = "set_diag", k: Any = 0, align: str | None = None) -> Tensor:
    """Return matrices with `diagonal` in place of their diagonals; `k` and `align` as for `matrix_diag`."""
    if _is_plain(k, align):
        return matrix_set_diag_op(input, diagonal, name=name)  # type: ignore[no-any-return]
    decl, options = (matrix_set_diag_v2, {}) if align is None else (matrix_set_diag_v3, {"align": align})
    return decl(input, diagonal, k, name=name, **options)  # type: ignore[no-any-return]


def _is(value: Any, number: int) -> bool:
    return isinstance(value, int | float) and value == number


def _is_plain(k: Any, align: str | None) -> bool:
    """Tell whether the main diagonal alone is meant, which the ops of version 1 serve."""
    return align is None and _is(k, 0)


def matrix_band_part(input: Any, num_lower: Any, num_upper: Any, name: str | None = None) -> Tensor:
    """Return matrices with zeros outside of a band: `num_lower` below and `num_upper` above the diagonal, all when negative."""
    return matrix_band_part_op(input, num_lower, num_upper, name=name)  # type: ignore[no-any-return]
