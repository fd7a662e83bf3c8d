"""Lines that call NumPy itself where the facts that a kernel would look up are known: rank, axes, type, constants.

A table from op type to a rule, which gives an expression or None. Each expression computes bit for bit what the op's kernel
does; the kernels stay what other devices, unknown shapes and uncommon types get. Only for steps on a CPU.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...devices.product import multiplied, products
from ...ops.core import shapes
from ...ops.core.errors import InvalidArgumentError
from ...ops.math.reductions import normal_axes
from ...ops.state.small import store_scalar
from .ir import CELL, CONSTANT, Block, Step, Value

Bind = Callable[[Any, str], str]
Rule = Callable[[Step, list[str], Bind], str | None]

_FLOATS = frozenset({"float32", "float64"})


def allow_direct(block: Block) -> None:
    """Let the lines of a block, and of the blocks inside, rely on the shapes that are known; see `Step.direct`."""
    for step in block.steps:
        step.direct = step.kind == "kernel" and step.device.kind == "CPU" and not (step.entry and step.entry.label)
        for inner in step.blocks:
            allow_direct(inner)


def direct(step: Step, arguments: list[str], bind: Bind) -> str | None:
    """Return the expression that computes a step whose arguments are these expressions, or None to call its kernel."""
    rule = _RULES.get(step.op.type)
    return None if rule is None or not step.direct else rule(step, arguments, bind)


def with_arrays(step: Step, arguments: list[str], bind: Bind) -> list[str]:
    """Return the arguments of an element-wise step whose result is an array, its constant scalars bound as 0-d arrays.

    NumPy takes a 0-d array as it is, and makes one of a scalar at every call.
    """
    (made,) = step.outputs
    if not step.direct or made is None or not made.dims:
        return arguments
    return [
        bind(np.asarray(value.content), "scalar") if _scalar(value) else text
        for value, text in zip(step.args, arguments, strict=True)
    ]


def _scalar(value: Any) -> bool:
    return isinstance(value, Value) and value.kind == CONSTANT and np.ndim(value.content) == 0


def _axes(step: Step) -> tuple[int, ...] | None:
    """Return the axes of a reduction of floats, at least one; None where they are not known."""
    value, axes = step.args
    if value.dims is None or axes.kind != CONSTANT or value.dtype.name not in _FLOATS:
        return None
    try:
        return normal_axes(axes.content, len(value.dims)) or None
    except InvalidArgumentError:
        return None


def _reduction(step: Step, arguments: list[str], bind: Bind, ufunc: Any) -> str | None:
    axes = _axes(step)
    if axes is None:
        return None
    keep = ", None, None, True" if step.attrs["keep_dims"] else ""
    name = bind(ufunc.reduce, f"{ufunc.__name__}_reduce")
    if axes == (0,) and not keep:
        return f"{name}({arguments[0]})"
    return f"{name}({arguments[0]}, {axes[0] if len(axes) == 1 else axes}{keep})"


def _sum(step: Step, arguments: list[str], bind: Bind) -> str | None:
    return _reduction(step, arguments, bind, np.add)


def _mean(step: Step, arguments: list[str], bind: Bind) -> str | None:
    total = _reduction(step, arguments, bind, np.add)
    if total is None:
        return None
    dims, axes, (made,) = step.args[0].dims, _axes(step), step.outputs
    assert axes is not None and made is not None
    count = shapes.num_elements(tuple(dims[axis] for axis in axes))
    if count is None or made.dims is None:
        return None
    number = made.dtype.np_dtype.type(count)
    return f"{total} / {bind(np.asarray(number) if made.dims else number, 'count')}"


def _extreme(step: Step, arguments: list[str], bind: Bind) -> str | None:
    axes, dims = _axes(step), step.args[0].dims
    if axes is None or not all(dims[axis] for axis in axes):
        return None
    return _reduction(step, arguments, bind, np.maximum if step.op.type == "Max" else np.minimum)


def _product(step: Step, arguments: list[str], bind: Bind) -> str | None:
    a, b = (value.dims for value in step.args)
    if step.args[0].dtype.name not in _FLOATS or a is None or b is None or len(a) != 2 or len(b) != 2:
        return None
    turned_a, turned_b = step.attrs["transpose_a"], step.attrs["transpose_b"]
    inner = a[0] if turned_a else a[1]
    if inner is None or inner != (b[1] if turned_b else b[0]):
        return None
    left, right = f"{arguments[0]}{'.T' if turned_a else ''}", f"{arguments[1]}{'.T' if turned_b else ''}"
    known = shapes.is_static(a) and shapes.is_static(b)
    if _may_be_number(a) or _may_be_number(b):
        # `dot` takes such a factor for a scale, and 0 times NaN or infinity for 0.
        return f"{bind(np.matmul if known else products, 'matmul')}({left}, {right})"
    if not known:
        return f"{bind(multiplied, 'multiplied')}({left}, {right})"
    return f"{left}.dot({right})"


def _may_be_number(dims: shapes.Shape) -> bool:
    return dims is not None and all(n in (1, None) for n in dims)


def _relu(step: Step, arguments: list[str], bind: Bind) -> str | None:
    (value,) = step.args
    if not value.dims or value.dtype.name not in _FLOATS:
        return None
    zero = bind(np.zeros((), value.dtype.np_dtype), "zero")
    return f"{bind(np.maximum, 'maximum')}({arguments[0]}, {zero})"


def _relu_grad(step: Step, arguments: list[str], bind: Bind) -> str | None:
    grad, value = step.args
    if not value.dims or value.dims != grad.dims or value.dtype.name not in _FLOATS:
        return None
    return f"{arguments[0]} * ({arguments[1]} > {bind(np.zeros((), value.dtype.np_dtype), 'zero')})"


def _bias_add(step: Step, arguments: list[str], bind: Bind) -> str | None:
    value, bias = (v.dims for v in step.args)
    known = value is not None and len(value) >= 2 and bias is not None and value[-1] is not None and bias == value[-1:]
    return f"{arguments[0]} + {arguments[1]}" if known and step.attrs.get("data_format", "NHWC") == "NHWC" else None


def _reshape(step: Step, arguments: list[str], bind: Bind) -> str | None:
    value, (made,) = step.args[0], step.outputs
    if not value.dims or made is None or not made.dims or not shapes.is_static(made.dims):
        return None
    same = shapes.num_elements(value.dims) == shapes.num_elements(made.dims)
    return f"{arguments[0]}.reshape({made.dims})" if same else None


def _assign(step: Step, arguments: list[str], bind: Bind) -> str | None:
    cell, value = step.args
    if cell.kind != CELL or cell.content.shape != () or value.dims != () or value.dtype.name in ("string", "bfloat16"):
        return None
    return f"{bind(store_scalar, 'store')}({arguments[0]}, {arguments[1]})"


def _read(step: Step, arguments: list[str], bind: Bind) -> str | None:
    return f"{arguments[0]}.read()" if step.args[0].kind == CELL else None


_RULES: dict[str, Rule] = {
    "Assign": _assign,
    "AssignVariableOp": _assign,
    "BiasAdd": _bias_add,
    "ExpandDims": _reshape,
    "MatMul": _product,
    "Max": _extreme,
    "Mean": _mean,
    "Min": _extreme,
    "ReadVariableOp": _read,
    "Relu": _relu,
    "ReluGrad": _relu_grad,
    "Reshape": _reshape,
    "Squeeze": _reshape,
    "Sum": _sum,
}
