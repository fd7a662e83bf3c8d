"""LSTMs as single ops: one step (LSTMBlockCell), whole sequences (BlockLSTM), and their gradients.

TensorFlow's fused cells, with their layouts: one matrix for inputs and state together makes the four gates side by side, in the
order i, ci, f, o (BlockLSTMV2: i, f, ci, o). A step keeps all that its gradient needs, so forward and backward are one loop of
NumPy calls each. Gradients of the second order do not exist, as in TensorFlow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...devices.types import Array, Namespace
from ..array import concat, getitem, shape
from ..core import dtypes, shapes
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import OpDecl, op
from ..core.shapes import Shape
from ..math import matmul
from ..math.matmul import product_of
from .bias import bias_add_grad_op

_TYPES = (dtypes.half, dtypes.float32)
_WEIGHTS = "w: T, wci: T, wcf: T, wco: T, b: T"
_STATES = "i: T, cs: T, f: T, o: T, ci: T, co: T"
_ICFO, _IFCO = (0, 1, 2, 3), (0, 2, 1, 3)


@dataclass(frozen=True)
class Weights:
    """What a step multiplies with: the matrix and its bias, and the peepholes of three gates (None without)."""

    w: Array
    b: Array
    peepholes: tuple[Array, Array, Array] | None
    order: tuple[int, int, int, int] = _ICFO


def logistic(xp: Namespace, x: Array) -> Array:
    """Return the sigmoid of x in x's type."""
    return 0.5 * xp.tanh(0.5 * x) + 0.5


def _gates(z: Array, order: tuple[int, int, int, int]) -> list[Array]:
    """Return the columns of i, ci, f and o."""
    units = z.shape[1] // 4
    return [z[:, place * units : (place + 1) * units] for place in order]


def step(
    xp: Namespace, x: Array, cs_prev: Array, h_prev: Array, weights: Weights, forget_bias: float, cell_clip: float
) -> list[Array]:
    """Return i, cs, f, o, ci, co, h of one step."""
    z = product_of(xp, xp.concatenate([x, h_prev], axis=1), weights.w) + weights.b
    i, ci, f, o = _gates(z, weights.order)
    f = f + forget_bias
    if weights.peepholes is not None:
        i, f = i + cs_prev * weights.peepholes[0], f + cs_prev * weights.peepholes[1]
    i, f, ci = logistic(xp, i), logistic(xp, f), xp.tanh(ci)
    cs = ci * i + cs_prev * f
    if cell_clip > 0:
        cs = xp.clip(cs, -cell_clip, cell_clip)
    co = xp.tanh(cs)
    o = logistic(xp, o + cs * weights.peepholes[2] if weights.peepholes is not None else o)
    return [i, cs, f, o, ci, co, o * co]


def step_back(xp: Namespace, cs_prev: Array, kept: list[Array], cs_grad: Array, h_grad: Array, weights: Weights) -> Any:
    """Return the gradient by the state before, and by what the gates i, ci, f, o were made of, for one step."""
    i, _, f, o, ci, co = kept
    do = o * (1.0 - o) * h_grad * co
    dcs = (1.0 - co * co) * h_grad * o + cs_grad
    if weights.peepholes is not None:
        dcs = dcs + do * weights.peepholes[2]
    di, df, dci = i * (1.0 - i) * dcs * ci, f * (1.0 - f) * dcs * cs_prev, (1.0 - ci * ci) * dcs * i
    before = dcs * f
    if weights.peepholes is not None:
        before = before + di * weights.peepholes[0] + df * weights.peepholes[1]
    return before, (di, dci, df, do)


def _peephole_grads(xp: Namespace, cs_prev: Array, cs: Array, gates: Any, weights: Weights) -> list[Array]:
    """Return the gradients of the three peepholes; zeros where there are none."""
    di, _, df, do = gates
    if weights.peepholes is None:
        return [xp.zeros(di.shape[1], di.dtype) for _ in range(3)]
    return [(di * cs_prev).sum(0), (df * cs_prev).sum(0), (do * cs).sum(0)]


def _joined(xp: Namespace, gates: Any, order: tuple[int, int, int, int]) -> Array:
    columns: list[Any] = [None] * 4
    for place, gate in zip(order, gates, strict=True):
        columns[place] = gate
    return xp.concatenate(columns, axis=1)


def _check(name: str, batch: int, inputs: int, cs_prev: Array, h_prev: Array, w: Array, b: Array) -> None:
    units = cs_prev.shape[-1]
    wanted = (
        ("cs_prev", cs_prev.shape, (batch, units)),
        ("h_prev", h_prev.shape, (batch, units)),
        ("w", w.shape, (inputs + units, 4 * units)),
        ("b", b.shape, (4 * units,)),
    )
    for what, found, expected in wanted:
        if tuple(found) != expected:
            raise InvalidArgumentError(
                None, None, f"{name}: {what} has shape {list(found)}, but must have {list(expected)} with inputs of "
                f"width {inputs} and a state of size {units}"
            )  # fmt: skip


def _cell_shapes(node: Operation) -> list[Shape]:
    (batch, _), (_, units) = (shapes.with_rank(node.inputs[k].dims, 2) for k in (0, 1))
    return [(batch, units)] * 7


def _sequence_shapes(node: Operation) -> list[Shape]:
    time, batch, _ = shapes.with_rank(node.inputs[1].dims, 3)
    (width,) = shapes.with_rank(node.inputs[8].dims, 1)
    return [(time, batch, None if width is None else width // 4)] * 7


def _weights(
    w: Array, wci: Array, wcf: Array, wco: Array, b: Array, peephole: bool, order: tuple[int, int, int, int] = _ICFO
) -> Weights:
    return Weights(w, b, (wci, wcf, wco) if peephole else None, order)


@op("LSTMBlockCell", types=f"x: T, cs_prev: T, h_prev: T, {_WEIGHTS} -> {_STATES}, h: T", T=_TYPES, shape=_cell_shapes)
def lstm_block_cell_op(
    xp: Namespace, x: Array, cs_prev: Array, h_prev: Array, w: Array, wci: Array, wcf: Array, wco: Array, b: Array, *,
    forget_bias: float = 1.0, cell_clip: float = 3.0, use_peephole: bool = False,
) -> list[Array]:  # fmt: skip
    """Return the gates, the state and the output of one step: i, cs, f, o, ci, co, h."""
    _check("LSTMBlockCell", x.shape[0], x.shape[1], cs_prev, h_prev, w, b)
    weights = _weights(w, wci, wcf, wco, b, use_peephole)
    return step(xp, x, cs_prev, h_prev, weights, forget_bias, cell_clip)


def _cell_grad_shapes(node: Operation) -> list[Shape]:
    batch, units = shapes.with_rank(node.inputs[1].dims, 2)
    return [(batch, units), (batch, None if units is None else 4 * units), *[(units,)] * 3]


@op(
    "LSTMBlockCellGrad",
    types=f"x: T, cs_prev: T, h_prev: T, {_WEIGHTS}, {_STATES}, cs_grad: T, h_grad: T "
    "-> cs_prev_grad: T, dicfo: T, wci_grad: T, wcf_grad: T, wco_grad: T",
    T=_TYPES, shape=_cell_grad_shapes,
)  # fmt: skip
def lstm_block_cell_grad_op(
    xp: Namespace, x: Array, cs_prev: Array, h_prev: Array, w: Array, wci: Array, wcf: Array, wco: Array, b: Array,
    i: Array, cs: Array, f: Array, o: Array, ci: Array, co: Array, cs_grad: Array, h_grad: Array, *, use_peephole: bool,
) -> list[Array]:  # fmt: skip
    """Return the gradients of one step: by the state before, by the gates' sums, by the peepholes."""
    weights = _weights(w, wci, wcf, wco, b, use_peephole)
    before, gates = step_back(xp, cs_prev, [i, cs, f, o, ci, co], cs_grad, h_grad, weights)
    return [before, _joined(xp, gates, _ICFO), *_peephole_grads(xp, cs_prev, cs, gates, weights)]


def _filled(grads: tuple[Tensor | None, ...], outputs: tuple[Tensor, ...], *places: int) -> list[Tensor]:
    return [outputs[k] * 0.0 if grads[k] is None else grads[k] for k in places]  # type: ignore[misc]


@lstm_block_cell_op.gradient
def lstm_block_cell_grad(op: Operation, *grads: Tensor | None) -> list[Tensor]:
    x, _, h_prev, w, *_ = op.inputs
    cs_grad, h_grad = _filled(grads, tuple(op.outputs), 1, 6)
    before, dicfo, wci_grad, wcf_grad, wco_grad = lstm_block_cell_grad_op(
        *op.inputs, *op.outputs[:6], cs_grad, h_grad, use_peephole=op.get_attr("use_peephole")
    )
    joined = matmul(dicfo, w, transpose_b=True)
    width = getitem(shape(x), 1)
    w_grad = matmul(concat([x, h_prev], 1), dicfo, transpose_a=True)
    by_input = getitem(joined, (slice(None), slice(None, width)))
    by_state = getitem(joined, (slice(None), slice(width, None)))
    return [by_input, before, by_state, w_grad, wci_grad, wcf_grad, wco_grad, bias_add_grad_op(dicfo)]


def _run(
    xp: Namespace, length: Array, x: Array, cs: Array, h: Array, weights: Weights, forget_bias: float, cell_clip: float
) -> list[Array]:
    """Return what all steps give, each as [time, batch, units]; zeros after the last step."""
    last, units = int(length), cs.shape[-1]
    if not 0 <= last <= x.shape[0]:
        raise InvalidArgumentError(None, None, f"seq_len_max must be between 0 and {x.shape[0]}, got {last}")
    _check("BlockLSTM", x.shape[1], x.shape[2], cs, h, weights.w, weights.b)
    kept = [xp.zeros((*x.shape[:2], units), x.dtype) for _ in range(7)]
    for t in range(last):
        for whole, part in zip(kept, step(xp, x[t], cs, h, weights, forget_bias, cell_clip), strict=True):
            whole[t] = part
        cs, h = kept[1][t], kept[6][t]
    return kept


@op(
    "BlockLSTM", types=f"seq_len_max: int64, x: T, cs_prev: T, h_prev: T, {_WEIGHTS} -> {_STATES}, h: T", T=_TYPES,
    shape=_sequence_shapes, host="seq_len_max",
)  # fmt: skip
def block_lstm_op(
    xp: Namespace, seq_len_max: Array, x: Array, cs_prev: Array, h_prev: Array, w: Array, wci: Array, wcf: Array,
    wco: Array, b: Array, *, forget_bias: float = 1.0, cell_clip: float = 3.0, use_peephole: bool = False,
) -> list[Array]:  # fmt: skip
    """Return the gates, states and outputs of `seq_len_max` steps over x [time, batch, n]; zeros after them."""
    weights = _weights(w, wci, wcf, wco, b, use_peephole)
    return _run(xp, seq_len_max, x, cs_prev, h_prev, weights, forget_bias, cell_clip)


@op(
    "BlockLSTMV2", types=f"seq_len_max: int64, x: T, cs_prev: T, h_prev: T, {_WEIGHTS} -> {_STATES}, h: T", T=_TYPES,
    shape=_sequence_shapes, host="seq_len_max",
)  # fmt: skip
def block_lstm_v2_op(
    xp: Namespace, seq_len_max: Array, x: Array, cs_prev: Array, h_prev: Array, w: Array, wci: Array, wcf: Array,
    wco: Array, b: Array, *, cell_clip: float = 0.0, use_peephole: bool = False,
) -> list[Array]:  # fmt: skip
    """Return what BlockLSTM does, with the gates in the order i, f, ci, o and no bias of the forget gate."""
    return _run(xp, seq_len_max, x, cs_prev, h_prev, _weights(w, wci, wcf, wco, b, use_peephole, _IFCO), 0.0, cell_clip)


def _sequence_grad_shapes(node: Operation) -> list[Shape]:
    return [tensor.dims for tensor in node.inputs[1:9]]


def _run_back(
    xp: Namespace, length: Array, x: Array, start: tuple[Array, Array], weights: Weights, kept: list[Array], h: Array,
    cs_grad: Array, h_grad: Array,
) -> list[Array]:  # fmt: skip
    """Return the gradients by x, the first state and output, the matrix, the peepholes and the bias."""
    width, last = x.shape[2], int(length)
    x_grad, w_grad, b_grad = xp.zeros_like(x), xp.zeros_like(weights.w), xp.zeros_like(weights.b)
    peepholes = [xp.zeros(start[0].shape[1], x.dtype) for _ in range(3)]
    by_cs, by_h = xp.zeros_like(start[0]), xp.zeros_like(start[1])
    for t in reversed(range(last)):
        cs_prev, h_prev = (kept[1][t - 1], h[t - 1]) if t else start
        parts = [part[t] for part in kept]
        by_cs, gates = step_back(xp, cs_prev, parts, by_cs + cs_grad[t], by_h + h_grad[t], weights)
        joined = _joined(xp, gates, weights.order)
        by_both = product_of(xp, joined, weights.w.T)
        x_grad[t], by_h = by_both[:, :width], by_both[:, width:]
        w_grad = w_grad + product_of(xp, xp.concatenate([x[t], h_prev], axis=1).T, joined)
        b_grad = b_grad + joined.sum(0)
        found = _peephole_grads(xp, cs_prev, parts[1], gates, weights)
        peepholes = [total + part for total, part in zip(peepholes, found, strict=True)]
    return [x_grad, by_cs, by_h, w_grad, *peepholes, b_grad]


_GRADS = ", ".join(f"{what}_grad: T" for what in ("x", "cs_prev", "h_prev", "w", "wci", "wcf", "wco", "b"))


def _sequence_grad(name: str, order: tuple[int, int, int, int]) -> OpDecl:
    @op(
        name,
        types=f"seq_len_max: int64, x: T, cs_prev: T, h_prev: T, {_WEIGHTS}, {_STATES}, h: T, cs_grad: T, h_grad: T "
        f"-> {_GRADS}",
        T=_TYPES, shape=_sequence_grad_shapes, host="seq_len_max",
    )  # fmt: skip
    def declared(
        xp: Namespace, seq_len_max: Array, x: Array, cs_prev: Array, h_prev: Array, w: Array, wci: Array, wcf: Array,
        wco: Array, b: Array, i: Array, cs: Array, f: Array, o: Array, ci: Array, co: Array, h: Array, cs_grad: Array,
        h_grad: Array, *, use_peephole: bool,
    ) -> list[Array]:  # fmt: skip
        """Return the gradients of a whole sequence."""
        weights = _weights(w, wci, wcf, wco, b, use_peephole, order)
        kept = [i, cs, f, o, ci, co]
        return _run_back(xp, seq_len_max, x, (cs_prev, h_prev), weights, kept, h, cs_grad, h_grad)

    return declared


block_lstm_grad_op = _sequence_grad("BlockLSTMGrad", _ICFO)
block_lstm_grad_v2_op = _sequence_grad("BlockLSTMGradV2", _IFCO)


def _sequence_gradient(decl: OpDecl, grad: OpDecl) -> None:
    @decl.gradient
    def block_lstm_grad(op: Operation, *grads: Tensor | None) -> list[Tensor | None]:
        cs_grad, h_grad = _filled(grads, tuple(op.outputs), 1, 6)
        found = grad(*op.inputs, *op.outputs, cs_grad, h_grad, use_peephole=op.get_attr("use_peephole"))
        return [None, *found]


_sequence_gradient(block_lstm_op, block_lstm_grad_op)
_sequence_gradient(block_lstm_v2_op, block_lstm_grad_v2_op)
