"""The gated recurrent unit as a single op, GRUBlockCell, and its gradient. One step each, float32, as in TensorFlow."""

from __future__ import annotations

from ...devices.types import Array, Namespace
from ..array import concat
from ..core import dtypes, shapes
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.shapes import Shape
from ..math import matmul
from ..math.matmul import product_of
from .bias import bias_add_grad_op
from .lstm_blocks import logistic

_TYPES = (dtypes.float32,)
_INPUTS = "x: T, h_prev: T, w_ru: T, w_c: T, b_ru: T, b_c: T"


def _check(x: Array, h_prev: Array, w_ru: Array, w_c: Array, b_ru: Array, b_c: Array) -> None:
    batch, inputs = x.shape
    units = h_prev.shape[1]
    rows = inputs + units
    wanted = (
        ("h_prev", h_prev, (batch, units)), ("w_ru", w_ru, (rows, 2 * units)), ("w_c", w_c, (rows, units)),
        ("b_ru", b_ru, (2 * units,)), ("b_c", b_c, (units,)),
    )  # fmt: skip
    for what, array, expected in wanted:
        if tuple(array.shape) != expected:
            raise InvalidArgumentError(
                None, None, f"GRUBlockCell: {what} has shape {list(array.shape)}, but must have {list(expected)} with "
                f"inputs of width {inputs} and a state of size {units}"
            )  # fmt: skip


def _cell_shapes(node: Operation) -> list[Shape]:
    (batch, _), (_, units) = (shapes.with_rank(node.inputs[k].dims, 2) for k in (0, 1))
    return [(batch, units)] * 4


@op("GRUBlockCell", types=f"{_INPUTS} -> r: T, u: T, c: T, h: T", T=_TYPES, shape=_cell_shapes)
def gru_block_cell_op(
    xp: Namespace, x: Array, h_prev: Array, w_ru: Array, w_c: Array, b_ru: Array, b_c: Array
) -> list[Array]:
    """Return the gates, the candidate and the output of one step: r, u, c, h."""
    _check(x, h_prev, w_ru, w_c, b_ru, b_c)
    units = h_prev.shape[1]
    gates = logistic(xp, product_of(xp, xp.concatenate([x, h_prev], axis=1), w_ru) + b_ru)
    r, u = xp.ascontiguousarray(gates[:, :units]), xp.ascontiguousarray(gates[:, units:])
    c = xp.tanh(product_of(xp, xp.concatenate([x, r * h_prev], axis=1), w_c) + b_c)
    return [r, u, c, u * h_prev + (1.0 - u) * c]


def _grad_shapes(node: Operation) -> list[Shape]:
    (batch, width), (_, units) = (shapes.with_rank(node.inputs[k].dims, 2) for k in (0, 1))
    return [(batch, width), (batch, units), (batch, units), (batch, None if units is None else 2 * units)]


@op(
    "GRUBlockCellGrad", types=f"{_INPUTS}, r: T, u: T, c: T, d_h: T -> d_x: T, d_h_prev: T, d_c_bar: T, d_r_bar_u_bar: T",
    T=_TYPES, shape=_grad_shapes,
)  # fmt: skip
def gru_block_cell_grad_op(
    xp: Namespace, x: Array, h_prev: Array, w_ru: Array, w_c: Array, b_ru: Array, b_c: Array, r: Array, u: Array,
    c: Array, d_h: Array,
) -> list[Array]:  # fmt: skip
    """Return the gradients of one step: by x, the state before, and the sums that the candidate and the gates are of."""
    width = x.shape[1]
    d_c_bar = d_h * (1.0 - u) * (1.0 - c * c)
    d_u_bar = d_h * (h_prev - c) * u * (1.0 - u)
    by_candidate = product_of(xp, d_c_bar, w_c.T)
    d_hr = by_candidate[:, width:]
    d_ru_bar = xp.concatenate([d_hr * h_prev * r * (1.0 - r), d_u_bar], axis=1)
    by_gates = product_of(xp, d_ru_bar, w_ru.T)
    d_h_prev = by_gates[:, width:] + d_hr * r + d_h * u
    return [by_gates[:, :width] + by_candidate[:, :width], d_h_prev, d_c_bar, d_ru_bar]


@gru_block_cell_op.gradient
def gru_block_cell_grad(op: Operation, *grads: Tensor | None) -> list[Tensor]:
    x, h_prev = op.inputs[:2]
    r, u, c, _ = op.outputs
    d_h = op.outputs[3] * 0.0 if grads[3] is None else grads[3]
    d_x, d_h_prev, d_c_bar, d_ru_bar = gru_block_cell_grad_op(*op.inputs, r, u, c, d_h)
    by_ru = matmul(concat([x, h_prev], 1), d_ru_bar, transpose_a=True)
    by_c = matmul(concat([x, h_prev * r], 1), d_c_bar, transpose_a=True)
    return [d_x, d_h_prev, by_ru, by_c, bias_add_grad_op(d_ru_bar), bias_add_grad_op(d_c_bar)]
