"""Gradients of the element-wise ops of one input, one line each, composed of public ops so that every order works.

Conjugates matter for complex tensors only; `conj` of a real tensor is the tensor itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from ..array.fills import zeros_like
from ..core.node import Operation, Tensor
from ..core.registry import lookup
from . import unary as f
from .binary import add_v2 as add
from .binary import div_no_nan_op
from .binary import multiply as mul
from .binary import realdiv as div
from .binary import subtract as sub
from .broadcasting import unbroadcast
from .complex import complex, conj, imag, is_complex, real
from .special import digamma, exp_minus_square

Rule = Callable[[Tensor, Tensor, Tensor], "Tensor | None"]


def one_minus(x: Tensor) -> Tensor:
    """Return `1 - x` in the dtype of `x`."""
    return add(f.negative(x), 1)


def _sign_gradient(x: Tensor, y: Tensor, dy: Tensor) -> Tensor | None:
    return zeros_like(dy) if not is_complex(x) else None


# Each rule takes the input (conjugated), the output (conjugated) and the incoming gradient.
RULES: dict[str, Rule] = {
    "Neg": lambda x, y, dy: f.negative(dy),
    "Abs": lambda x, y, dy: mul(dy, f.sign(x)),
    "Sign": _sign_gradient,
    "Square": lambda x, y, dy: mul(dy, mul(x, 2)),
    "Sqrt": lambda x, y, dy: f.sqrt_grad(y, dy),
    "Rsqrt": lambda x, y, dy: f.rsqrt_grad(y, dy),
    "Exp": lambda x, y, dy: mul(dy, y),
    "Expm1": lambda x, y, dy: mul(dy, f.exp(x)),
    "Log": lambda x, y, dy: mul(dy, f.reciprocal(x)),
    "Log1p": lambda x, y, dy: mul(dy, f.reciprocal(add(x, 1))),
    "Sin": lambda x, y, dy: mul(dy, f.cos(x)),
    "Cos": lambda x, y, dy: f.negative(mul(dy, f.sin(x))),
    "Tan": lambda x, y, dy: mul(dy, f.square(f.reciprocal(f.cos(x)))),
    "Asin": lambda x, y, dy: div(dy, f.sqrt(one_minus(f.square(x)))),
    "Acos": lambda x, y, dy: f.negative(div(dy, f.sqrt(one_minus(f.square(x))))),
    "Atan": lambda x, y, dy: div(dy, add(f.square(x), 1)),
    "Sinh": lambda x, y, dy: mul(dy, f.cosh(x)),
    "Cosh": lambda x, y, dy: mul(dy, f.sinh(x)),
    "Tanh": lambda x, y, dy: f.tanh_grad(y, dy),
    "Asinh": lambda x, y, dy: div(dy, f.cosh(y)),
    "Acosh": lambda x, y, dy: div(dy, f.sinh(y)),
    "Atanh": lambda x, y, dy: div(dy, one_minus(f.square(x))),
    "Sigmoid": lambda x, y, dy: f.sigmoid_grad(y, dy),
    "Floor": lambda x, y, dy: None,
    "Ceil": lambda x, y, dy: None,
    "Round": lambda x, y, dy: None,
    "Rint": lambda x, y, dy: None,
    "Reciprocal": lambda x, y, dy: f.reciprocal_grad(y, dy),
    "Inv": lambda x, y, dy: f.inv_grad(y, dy),
    "Erf": lambda x, y, dy: mul(dy, mul(exp_minus_square(x), 2 / math.sqrt(math.pi))),
    "Erfc": lambda x, y, dy: mul(dy, mul(exp_minus_square(x), -2 / math.sqrt(math.pi))),
    "Erfinv": lambda x, y, dy: mul(dy, mul(f.exp(f.square(y)), math.sqrt(math.pi) / 2)),
    "Ndtri": lambda x, y, dy: mul(dy, mul(f.exp(mul(f.square(y), 0.5)), math.sqrt(2 * math.pi))),
    "Lgamma": lambda x, y, dy: mul(dy, digamma(x)),
    "Conj": lambda x, y, dy: conj(dy),
}


def _attach(name: str, rule: Rule) -> None:
    def gradient(op: Operation, dy: Tensor) -> Tensor | None:
        return rule(conj(op.inputs[0]), conj(op.outputs[0]), dy)

    lookup(name).gradient(gradient)


for _name, _rule in RULES.items():
    _attach(_name, _rule)


@lookup("TanhGrad").gradient
def _tanh_grad_gradient(op: Operation, dz: Tensor) -> list[Tensor]:
    y, dy = (conj(tensor) for tensor in op.inputs)
    return [mul(mul(dz, mul(dy, y)), -2), f.tanh_grad(y, dz)]


@lookup("SigmoidGrad").gradient
def _sigmoid_grad_gradient(op: Operation, dz: Tensor) -> list[Tensor]:
    y, dy = (conj(tensor) for tensor in op.inputs)
    weighted = mul(dz, dy)
    return [sub(weighted, mul(mul(weighted, y), 2)), f.sigmoid_grad(y, dz)]


@lookup("SqrtGrad").gradient
def _sqrt_grad_gradient(op: Operation, dz: Tensor) -> list[Tensor]:
    weighted = div(dz, op.inputs[0])
    return [f.negative(mul(conj(weighted), op.outputs[0])), mul(weighted, 0.5)]


@lookup("RsqrtGrad").gradient
def _rsqrt_grad_gradient(op: Operation, dz: Tensor) -> list[Tensor]:
    y, dy = (conj(tensor) for tensor in op.inputs)
    return [mul(mul(mul(dy, dz), f.square(y)), -1.5), f.rsqrt_grad(y, dz)]


def _inverse_grad_gradient(op: Operation, dz: Tensor) -> list[Tensor]:
    y, dy = (conj(tensor) for tensor in op.inputs)
    return [mul(mul(mul(dy, dz), y), -2), f.reciprocal_grad(y, dz)]


lookup("ReciprocalGrad").gradient(_inverse_grad_gradient)
lookup("InvGrad").gradient(_inverse_grad_gradient)


@lookup("Complex").gradient
def _complex_gradient(op: Operation, dz: Tensor) -> list[Tensor | None]:
    return [*unbroadcast(op, real(dz), imag(dz))]


@lookup("Real").gradient
def _real_gradient(op: Operation, dy: Tensor) -> Tensor:
    return complex(dy, zeros_like(dy))


@lookup("Imag").gradient
def _imag_gradient(op: Operation, dy: Tensor) -> Tensor:
    return complex(zeros_like(dy), dy)


@lookup("Angle").gradient
def _angle_gradient(op: Operation, dy: Tensor) -> Tensor:
    (z,) = op.inputs
    inverse = f.reciprocal(complex(imag(z), real(z)))
    return f.negative(mul(complex(dy, zeros_like(dy)), inverse))


@lookup("ComplexAbs").gradient
def _complex_abs_gradient(op: Operation, dy: Tensor) -> Tensor:
    (magnitude,) = op.outputs
    ratio = div_no_nan_op(dy, magnitude)
    return mul(complex(ratio, zeros_like(ratio)), op.inputs[0])
