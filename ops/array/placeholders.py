"""Placeholders: tensors whose values are fed.

A Placeholder's kernel runs only when nobody fed it, and then says so in TensorFlow's words.
"""

from __future__ import annotations

from typing import Any

from ...devices.types import Array, Namespace
from ..core import shapes
from ..core.context import KernelContext
from ..core.dtypes import DType
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.shape_rules import of_attr
from ..core.shapes import Shape


def _not_fed(ctx: KernelContext, dtype: DType, shape: Shape) -> InvalidArgumentError:
    known = "" if not shape else f" and shape {shapes.format_brackets(shape)}"
    return InvalidArgumentError(
        None,
        None,
        f"You must feed a value for placeholder tensor '{ctx.node.name}' with dtype {_short_name(dtype)}{known}",
    )


def _short_name(dtype: DType) -> str:
    """Return the dtype as TensorFlow's run-time messages call it."""
    return {"float32": "float", "float64": "double", "float16": "half"}.get(dtype.name, dtype.name)


@op("Placeholder", types="-> output: dtype", shape=of_attr("shape"))
def placeholder_op(ctx: KernelContext, xp: Namespace, *, dtype: DType, shape: Shape = None) -> Array:
    """Fail: the value of a placeholder is fed."""
    raise _not_fed(ctx, dtype, shape)


@op("PlaceholderV2", types="-> output: dtype", shape=of_attr("shape"))
def placeholder_v2_op(ctx: KernelContext, xp: Namespace, *, dtype: DType, shape: Shape) -> Array:
    """Fail: the value of a placeholder is fed."""
    raise _not_fed(ctx, dtype, shape)


def _default_shape(node: Operation) -> Shape:
    shapes.merge(node.inputs[0].dims, node.attrs["shape"])
    return node.attrs["shape"]  # type: ignore[no-any-return]


@op(
    "PlaceholderWithDefault",
    types="input: dtype -> output: dtype",
    shape=_default_shape,
    aliases="output=input",
    static_value=lambda node: None,
)
def placeholder_with_default_op(xp: Namespace, x: Array, *, shape: Shape) -> Array:
    """Return the input, which is the value where none is fed."""
    return x


placeholder_op.differentiable = placeholder_v2_op.differentiable = False


@placeholder_with_default_op.gradient
def placeholder_with_default_grad(op: Operation, dy: Tensor) -> Tensor:
    return dy


def placeholder(dtype: Any, shape: Any = None, name: str | None = None) -> Tensor:
    """Return a tensor whose value is fed at each run.

    Args:
      dtype: the type of its elements.
      shape: its static shape; None for any shape.
      name: the node's name.

    Raises:
      InvalidArgumentError: at a run that needs the tensor and does not feed it.
    """
    return placeholder_op(dtype=dtype, shape=shape, name=name)  # type: ignore[no-any-return]


def placeholder_with_default(input: Any, shape: Any, name: str | None = None) -> Tensor:
    """Return a tensor that has the value of `input` where none is fed; `shape` may be less precise than the input's."""
    return placeholder_with_default_op(input, shape=shape, name=name)  # type: ignore[no-any-return]
