"""How the tables of element-wise ops are written: one line an op, from which declaration and public function follow.

A line names TensorFlow's op type, the ufunc that computes it under the same name in NumPy and CuPy, its dtypes and its
CUDA expression. Invariant: an op that has a `fuse` entry computes exactly what that ufunc computes, for every dtype that
it takes, and checks nothing; the compiler calls the ufunc in its place.
"""

from __future__ import annotations

import functools
import re
from typing import Any, Protocol

from ...devices.types import Array, Namespace
from ..core import dtypes
from ..core.build import build
from ..core.dtypes import DType
from ..core.node import Tensor
from ..core.registry import OpDecl, Ufunc, op
from ..core.shape_rules import broadcast, same_shape
from ..core.sparse_tensor import SparseTensor

Types = tuple[DType, ...]

FLOATING = dtypes.FLOATING
INEXACT = dtypes.INEXACT
SIGNED = dtypes.SIGNED
INTEGERS = dtypes.INTEGERS
REAL = dtypes.REAL
NUMERIC = dtypes.NUMERIC
SIGNED_NUMERIC = FLOATING + SIGNED + dtypes.COMPLEX
QUANTIZED = (dtypes.qint8, dtypes.quint8, dtypes.qint32, dtypes.qint16, dtypes.quint16)
NUMBERS = NUMERIC + QUANTIZED


class Unary(Protocol):
    """A public function of one tensor."""

    def __call__(self, x: Any, name: str | None = None) -> Tensor:
        """Build the op on `x`."""


class Binary(Protocol):
    """A public function of two tensors that broadcast."""

    def __call__(self, x: Any, y: Any, name: str | None = None) -> Tensor:
        """Build the op on `x` and `y`."""


# Programs show functions by their names (`activation.__name__`): the op's in Python's manner, but for these.
_FUNCTIONS = {"Mul": "multiply", "Neg": "negative", "Sub": "subtract"}
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def public_unary(decl: OpDecl) -> Unary:
    """Return the public function of a declared op of one input, with TensorFlow's signature."""

    def function(x: Any, name: str | None = None) -> Tensor:
        return build(decl, (x,), {}, name).outputs[0]

    return _named(function, decl)  # type: ignore[no-any-return]


def public_binary(decl: OpDecl) -> Binary:
    """Return the public function of a declared op of two inputs, with TensorFlow's signature."""

    def function(x: Any, y: Any, name: str | None = None) -> Tensor:
        return build(decl, (x, y), {}, name).outputs[0]

    return _named(function, decl)  # type: ignore[no-any-return]


def over_values(function: Unary) -> Unary:
    """Return a public function that takes SparseTensors, too, and computes with the values of these."""

    @functools.wraps(function)
    def of_either(x: Any, name: str | None = None) -> Any:
        return x._with_values(function(x.values, name)) if isinstance(x, SparseTensor) else function(x, name)

    return of_either


def _named(function: Any, decl: OpDecl) -> Any:
    """Give a function the op's name and, for calls by keyword, the names of its inputs: `relu(features=…)`."""
    names = tuple(argument.name for argument in decl.inputs)
    code = function.__code__
    annotations = dict(zip(names, ["Any"] * len(names), strict=True)) | {"name": "str | None", "return": "Tensor"}
    function.__code__ = code.replace(co_varnames=(*names, *code.co_varnames[len(names) :]))
    function.__annotations__ = annotations
    function.__doc__ = decl.doc
    function.__name__ = function.__qualname__ = _FUNCTIONS.get(decl.name) or _WORDS.sub("_", decl.name).lower()
    return function


def unary(
    name: str, ufunc: str, allowed: Types | None, cuda: str, doc: str, *, operator: str = "", types: str = "x: T -> y: T",
    differentiable: bool = True, fused: bool = True,
) -> Unary:  # fmt: skip
    """Declare an element-wise op of one input that a ufunc computes; `allowed` is None where `types` fixes the dtype."""

    def block(xp: Namespace, x: Array) -> Array:
        return getattr(xp, ufunc)(x)

    block.__doc__ = doc
    restrictions: dict[str, Any] = {} if allowed is None else {"T": allowed}
    fuse = Ufunc(ufunc, cuda, operator) if fused else None
    return public_unary(
        op(name, types=types, shape=same_shape, fuse=fuse, differentiable=differentiable, **restrictions)(block)
    )


def binary(
    name: str, ufunc: str, allowed: Types | None, cuda: str, doc: str, *, operator: str = "", types: str = "x: T, y: T -> z: T",
    commutative: bool = False, aggregate: bool = False, differentiable: bool = True,
) -> Binary:  # fmt: skip
    """Declare an element-wise op of two inputs that a ufunc computes."""

    def block(xp: Namespace, x: Array, y: Array) -> Array:
        return getattr(xp, ufunc)(x, y)

    block.__doc__ = doc
    restrictions: dict[str, Any] = {} if allowed is None else {"T": allowed}
    declare = op(
        name, types=types, shape=broadcast, fuse=Ufunc(ufunc, cuda, operator), commutative=commutative, aggregate=aggregate,
        differentiable=differentiable, **restrictions,
    )  # fmt: skip
    return public_binary(declare(block))
