"""Gradients of the special functions of several arguments, and of the derivatives of gamma."""

from __future__ import annotations

from ..array.fills import zeros_like
from ..core.node import Operation, Tensor
from ..core.registry import lookup
from . import special as s
from . import unary as f
from .binary import add_v2 as add
from .binary import equal, xlogy
from .binary import multiply as mul
from .binary import realdiv as div
from .binary import subtract as sub
from .broadcasting import unbroadcast
from .select import where


@lookup("Digamma").gradient
def _digamma_gradient(op: Operation, dy: Tensor) -> Tensor:
    (x,) = op.inputs
    return mul(dy, s.polygamma(add(zeros_like(x), 1), x))


@lookup("Polygamma").gradient
def _polygamma_gradient(op: Operation, dz: Tensor) -> list[Tensor | None]:
    order, x = op.inputs
    _, dx = unbroadcast(op, dz, mul(dz, s.polygamma(add(order, 1), x)))
    return [None, dx]


@lookup("Zeta").gradient
def _zeta_gradient(op: Operation, dz: Tensor) -> list[Tensor | None]:
    x, q = op.inputs
    _, dq = unbroadcast(op, dz, mul(dz, f.negative(mul(x, s.zeta(add(x, 1), q)))))
    return [None, dq]


def _gamma_density(a: Tensor, x: Tensor) -> Tensor:
    """Return the derivative of `igamma(a, x)` with respect to `x`."""
    return f.exp(sub(sub(xlogy(sub(a, 1), x), x), s.lgamma(a)))


@lookup("Igamma").gradient
def _igamma_gradient(op: Operation, dz: Tensor) -> list[Tensor | None]:
    a, x = op.inputs
    return [*unbroadcast(op, mul(dz, s.igamma_grad_a(a, x)), mul(dz, _gamma_density(a, x)))]


@lookup("Igammac").gradient
def _igammac_gradient(op: Operation, dz: Tensor) -> list[Tensor | None]:
    a, x = op.inputs
    down = f.negative(dz)
    return [*unbroadcast(op, mul(down, s.igamma_grad_a(a, x)), mul(down, _gamma_density(a, x)))]


@lookup("Betainc").gradient
def _betainc_gradient(op: Operation, dz: Tensor) -> list[Tensor | None]:
    a, b, x = op.inputs
    log_beta = sub(add(s.lgamma(a), s.lgamma(b)), s.lgamma(add(a, b)))
    powers = add(xlogy(sub(b, 1), add(f.negative(x), 1)), xlogy(sub(a, 1), x))
    return [None, None, mul(dz, f.exp(sub(powers, log_beta)))]


@lookup("BesselI0").gradient
def _bessel_i0_gradient(op: Operation, dy: Tensor) -> Tensor:
    return mul(dy, s.bessel_i1(op.inputs[0]))


@lookup("BesselI0e").gradient
def _bessel_i0e_gradient(op: Operation, dy: Tensor) -> Tensor:
    (x,), (y,) = op.inputs, op.outputs
    return mul(dy, sub(s.bessel_i1e(x), mul(f.sign(x), y)))


def _ratio_at(x: Tensor, y: Tensor) -> Tensor:
    """Return `y / x`, with its limit 0.5 at 0."""
    zero = equal(x, zeros_like(x))
    return where(zero, add(zeros_like(x), 0.5), div(y, where(zero, add(zeros_like(x), 1), x)))


@lookup("BesselI1").gradient
def _bessel_i1_gradient(op: Operation, dy: Tensor) -> Tensor:
    (x,), (y,) = op.inputs, op.outputs
    return mul(dy, sub(s.bessel_i0(x), _ratio_at(x, y)))


@lookup("BesselI1e").gradient
def _bessel_i1e_gradient(op: Operation, dy: Tensor) -> Tensor:
    (x,), (y,) = op.inputs, op.outputs
    return mul(dy, sub(sub(s.bessel_i0e(x), mul(f.sign(x), y)), _ratio_at(x, y)))
