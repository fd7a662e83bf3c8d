"""Matrix products: MatMul, the batched ones, and what composes them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...devices.product import products
from ...devices.types import Array, Empty, Namespace
from ..array.pack import stack
from ..array.reshape import reshape
from ..array.shape_ops import shape
from ..array.transpose import transpose
from ..core import dtypes, shapes
from ..core.build import build
from ..core.convert import convert_to_tensor
from ..core.dtypes import DType
from ..core.errors import InvalidArgumentError
from ..core.graph import get_default_graph
from ..core.node import Operation, Tensor
from ..core.registry import OpDecl, lookup, op
from ..core.shapes import Shape
from .complex import conj
from .declare import FLOATING
from .reductions import sum_op

MATMUL_TYPES = FLOATING + dtypes.INDEX + dtypes.COMPLEX + (dtypes.uint8, dtypes.uint16, dtypes.uint32, dtypes.uint64)
BATCH_TYPES = FLOATING + dtypes.INDEX + dtypes.COMPLEX
BATCH_V2_TYPES = (*MATMUL_TYPES, dtypes.int16)
V3_OUT = (*BATCH_TYPES, dtypes.int16)
V3_TYPES = (*V3_OUT, dtypes.uint8, dtypes.int8)


def _matmul_shape(node: Operation) -> Shape:
    first, second = node.inputs
    rows, inner = shapes.with_rank(first.dims, 2)
    other, columns = shapes.with_rank(second.dims, 2)
    if node.attrs["transpose_a"]:
        rows, inner = inner, rows
    if node.attrs["transpose_b"]:
        other, columns = columns, other
    if inner != other:
        shapes.merge_dim(inner, other)
    return (rows, columns)


def product_of(xp: Namespace, a: Array, b: Array) -> Array:
    """Multiply matrices, or those in two stacks; 16-bit floats in 32 bits, as GPUs' namespaces do by themselves."""
    if xp is not np:
        return xp.matmul(a, b)
    if a.dtype.itemsize == 2 and a.dtype.kind in "fV":
        return products(a.astype("f4"), b.astype("f4")).astype(a.dtype)
    return products(a, b)


def _check(a: Array, b: Array, batched: bool) -> None:
    if not batched and (a.ndim != 2 or b.ndim != 2):
        which, array = ("a", a) if a.ndim != 2 else ("b", b)
        place = "ab".index(which)
        found = shapes.format_brackets(array.shape)
        raise InvalidArgumentError(None, None, f"In[{place}] is not a matrix. Instead it has shape {found}")
    if a.shape[-1] != b.shape[-2]:
        first, second = shapes.format_brackets(a.shape), shapes.format_brackets(b.shape)
        raise InvalidArgumentError(None, None, f"Matrix size-incompatible: In[0]: {first}, In[1]: {second}")


def multiply(xp: Namespace, a: Array, b: Array) -> Array:
    """Return the product of two matrices; InvalidArgumentError where their shapes do not fit."""
    _check(a, b, batched=False)
    return product_of(xp, a, b)


@op("MatMul", types="a: T, b: T -> product: T", T=MATMUL_TYPES, shape=_matmul_shape)
def matmul_op(
    xp: Namespace, a: Array, b: Array, *, transpose_a: bool = False, transpose_b: bool = False, grad_a: bool = False,
    grad_b: bool = False,
) -> Array:  # fmt: skip
    """Returns the product of two matrices, either of them transposed first when asked for."""
    return multiply(xp, a.T if transpose_a else a, b.T if transpose_b else b)


@matmul_op.writes_into
def _matmul_into(
    xp: Namespace, empty: Empty, a: Array, b: Array, *, transpose_a: bool, transpose_b: bool, grad_a: bool, grad_b: bool
) -> Array:
    a = a.T if transpose_a else a
    b = b.T if transpose_b else b
    _check(a, b, batched=False)
    if a.dtype.itemsize == 2:
        return product_of(xp, a, b)
    return xp.matmul(a, b, out=empty((a.shape[0], b.shape[1]), a.dtype))


@matmul_op.gradient
def _matmul_gradient(op: Operation, dy: Tensor) -> list[Tensor]:
    a, b = (conj(tensor) for tensor in op.inputs)
    ta, tb = op.attrs["transpose_a"], op.attrs["transpose_b"]

    def product(x: Tensor, y: Tensor, tx: bool, ty: bool) -> Tensor:
        return matmul_op(x, y, transpose_a=tx, transpose_b=ty)  # type: ignore[no-any-return]

    return [
        product(b, dy, tb, True) if ta else product(dy, b, False, not tb),
        product(dy, a, True, ta) if tb else product(a, dy, not ta, False),
    ]


@op("SparseMatMul", types="a: Ta, b: Tb -> product: float32", Ta=(dtypes.float32, dtypes.bfloat16),
    Tb=(dtypes.float32, dtypes.bfloat16), defaults={"Ta": dtypes.float32, "Tb": dtypes.float32}, shape=_matmul_shape,
    devices="CPU")  # fmt: skip
def sparse_matmul_op(
    xp: Namespace, a: Array, b: Array, *, transpose_a: bool = False, transpose_b: bool = False, a_is_sparse: bool = False,
    b_is_sparse: bool = False,
) -> Array:  # fmt: skip
    """Returns the product, float32, of two dense matrices that may hold many zeros: what is a hint on how to multiply."""
    a, b = a.astype("f4", copy=False), b.astype("f4", copy=False)
    return multiply(xp, a.T if transpose_a else a, b.T if transpose_b else b)


@sparse_matmul_op.gradient
def _sparse_matmul_gradient(op: Operation, dy: Tensor) -> list[Tensor]:
    (a, b), attrs = op.inputs, op.attrs
    ta, tb, sa, sb = (attrs[name] for name in ("transpose_a", "transpose_b", "a_is_sparse", "b_is_sparse"))

    def product(x: Tensor, y: Tensor, tx: bool, ty: bool, sx: bool, sy: bool, dtype: DType) -> Tensor:
        made = sparse_matmul_op(x, y, transpose_a=tx, transpose_b=ty, a_is_sparse=sx, b_is_sparse=sy)
        return made if dtype is dtypes.float32 else lookup("Cast")(made, DstT=dtype)  # type: ignore[no-any-return]

    first, second = a.dtype.base_dtype, b.dtype.base_dtype
    return [
        product(b, dy, tb, True, sb, False, first) if ta else product(dy, b, False, not tb, False, sb, first),
        product(dy, a, True, ta, False, sa, second) if tb else product(a, dy, not ta, False, sa, False, second),
    ]


def _batch_shape(node: Operation) -> Shape:
    x, y = (shapes.with_rank_at_least(tensor.dims, 2) for tensor in node.inputs)
    if x is None or y is None:
        return None
    rows, inner = x[-2:][::-1] if node.attrs["adj_x"] else x[-2:]
    inner_y, columns = y[-2:][::-1] if node.attrs["adj_y"] else y[-2:]
    shapes.merge_dim(inner, inner_y)
    batch = shapes.merge(x[:-2], y[:-2]) if node.type == "BatchMatMul" else shapes.broadcast(x[:-2], y[:-2])
    assert batch is not None
    return (*batch, rows, columns)


def _adjoint(xp: Namespace, x: Array) -> Array:
    turned = xp.swapaxes(x, -1, -2)
    return xp.conj(turned) if x.dtype.kind == "c" else turned


def _batch_product(xp: Namespace, x: Array, y: Array, adj_x: bool, adj_y: bool) -> Array:
    x = _adjoint(xp, x) if adj_x else x
    y = _adjoint(xp, y) if adj_y else y
    _check(x, y, batched=True)
    return product_of(xp, x, y)


@op("BatchMatMul", types="x: T, y: T -> output: T", T=BATCH_TYPES, shape=_batch_shape)
def batch_matmul_v1_op(
    xp: Namespace,
    x: Array,
    y: Array,
    *,
    adj_x: bool = False,
    adj_y: bool = False,
    grad_x: bool = False,
    grad_y: bool = False,
) -> Array:
    """Returns the products of the matrices in two batches of one shape."""
    return _batch_product(xp, x, y, adj_x, adj_y)


@op("BatchMatMulV2", types="x: T, y: T -> output: T", T=BATCH_V2_TYPES, shape=_batch_shape)
def batch_matmul_op(
    xp: Namespace,
    x: Array,
    y: Array,
    *,
    adj_x: bool = False,
    adj_y: bool = False,
    grad_x: bool = False,
    grad_y: bool = False,
) -> Array:
    """Returns the products of the matrices in two batches that broadcast."""
    return _batch_product(xp, x, y, adj_x, adj_y)


@op("BatchMatMulV3", types="x: Ta, y: Tb -> output: Tout", Ta=V3_TYPES, Tb=V3_TYPES, Tout=V3_OUT, shape=_batch_shape)
def batch_matmul_v3_op(
    xp: Namespace, x: Array, y: Array, *, Tout: DType, adj_x: bool = False, adj_y: bool = False, grad_x: bool = False,
    grad_y: bool = False,
) -> Array:  # fmt: skip
    """Returns the products of the matrices in two batches, computed in `Tout`."""
    return _batch_product(xp, x.astype(Tout.np_dtype), y.astype(Tout.np_dtype), adj_x, adj_y)


@batch_matmul_v1_op.writes_into
@batch_matmul_op.writes_into
def _batch_into(xp: Namespace, empty: Empty, x: Array, y: Array, *, adj_x: bool, adj_y: bool, **unused: bool) -> Array:
    x = _adjoint(xp, x) if adj_x else x
    y = _adjoint(xp, y) if adj_y else y
    _check(x, y, batched=True)
    return product_of(xp, x, y) if x.dtype.itemsize == 2 else products(x, y, empty)


def _batch_gradients(op: Operation, dy: Tensor) -> list[Tensor]:
    x, y = op.inputs
    adj_x, adj_y = op.attrs["adj_x"], op.attrs["adj_y"]
    decl: OpDecl = op.decl

    def product(into: Tensor, a: Tensor, b: Tensor, adj_a: bool, adj_b: bool) -> Tensor:
        kind: dict[str, Any] = {"Tout": into.dtype} if decl is batch_matmul_v3_op else {}
        return decl(a, b, adj_x=adj_a, adj_y=adj_b, **kind)  # type: ignore[no-any-return]

    return [
        product(x, y, dy, adj_y, True) if adj_x else product(x, dy, y, False, not adj_y),
        product(y, dy, x, True, adj_x) if adj_y else product(y, x, dy, not adj_x, False),
    ]


@batch_matmul_v1_op.gradient
def _batch_v1_gradient(op: Operation, dy: Tensor) -> list[Tensor]:
    return _batch_gradients(op, dy)


@batch_matmul_v3_op.gradient
@batch_matmul_op.gradient
def _batch_v2_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
    gradients = _batch_gradients(op, dy)
    x, y = (tensor.dims for tensor in op.inputs)
    if x is not None and y is not None and x[:-2] == y[:-2] and shapes.is_static(x[:-2]):
        return [*gradients]
    return [unbroadcast_batches(gradient, op.inputs[i], op.inputs[1 - i]) for i, gradient in enumerate(gradients)]


def unbroadcast_batches(gradient: Tensor, x: Tensor, other: Tensor) -> Tensor:
    """Return `gradient` summed over the batch axes along which the matrices of `x` were repeated."""
    batch, theirs = (shape(tensor)[:-2] for tensor in (x, other))
    axes, _ = lookup("BroadcastGradientArgs")(batch, theirs)
    return reshape(sum_op(gradient, axes), shape(x))


def _is_matrix(value: Any) -> bool:
    """Tell whether a value is a tensor of rank 2: a product of two such is one node, for which no scope needs to be opened."""
    return type(value) is Tensor and value.dims is not None and len(value.dims) == 2


def matmul(
    a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False, adjoint_a: bool = False, adjoint_b: bool = False,
    a_is_sparse: bool = False, b_is_sparse: bool = False, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return the product of two matrices, or of the matrices in two batches.

    Args:
      a, b: tensors of one type and rank 2 at least.
      transpose_a, transpose_b: transpose the last two axes first. adjoint_a, adjoint_b: conjugate them, too.
      a_is_sparse, b_is_sparse: whether many elements are zero; matrices of float32 or bfloat16 go to SparseMatMul then, which
        only CPUs have.

    Raises:
      ValueError: when both transposition and adjoint are asked for, or the shapes do not fit.
    """
    sparse = a_is_sparse or b_is_sparse
    if not (adjoint_a or adjoint_b or sparse) and _is_matrix(a) and _is_matrix(b):
        plain = transpose_a is False and transpose_b is False
        turned = {} if plain else {"transpose_a": transpose_a, "transpose_b": transpose_b}
        return build(matmul_op, (a, b), turned, name).outputs[0]
    for letter, flipped, adjoint in (("a", transpose_a, adjoint_a), ("b", transpose_b, adjoint_b)):
        if flipped and adjoint:
            raise ValueError(f"Only one of `transpose_{letter}` and `adjoint_{letter}` can be True.")
    with get_default_graph().name_scope(name or "MatMul") as scope:
        a = convert_to_tensor(a, name="a")
        b = convert_to_tensor(b, dtype_hint=a.dtype.base_dtype, name="b")
        batched = (a.dims is None or len(a.dims) > 2) and (b.dims is None or len(b.dims) > 2)
        if batched and not sparse:
            a, b = (conj(a) if transpose_a else a), (conj(b) if transpose_b else b)
            return batch_matmul_op(a, b, adj_x=transpose_a or adjoint_a, adj_y=transpose_b or adjoint_b, name=scope)  # type: ignore[no-any-return]
        a, b = (conj(a) if adjoint_a else a), (conj(b) if adjoint_b else b)
        turned = {"transpose_a": transpose_a or adjoint_a, "transpose_b": transpose_b or adjoint_b}
        if sparse and {a.dtype.base_dtype, b.dtype.base_dtype} <= {dtypes.float32, dtypes.bfloat16}:
            made = sparse_matmul_op(a, b, **turned, a_is_sparse=a_is_sparse, b_is_sparse=b_is_sparse, name=scope)
            narrow = a.dtype.base_dtype is b.dtype.base_dtype is dtypes.bfloat16
            return lookup("Cast")(made, DstT=dtypes.bfloat16) if narrow else made  # type: ignore[no-any-return]
        return matmul_op(a, b, **turned, name=scope)  # type: ignore[no-any-return]


def tensordot(a: Any, b: Any, axes: Any, name: str | None = None) -> Tensor:
    """Return the product of two tensors summed over pairs of axes.

    Args:
      a, b: tensors of known rank and one type.
      axes: how many of the last axes of `a` meet the first ones of `b`, or a pair of lists of axes.

    Raises:
      ValueError: when a rank is unknown, or the axes do not pair up.
    """
    with get_default_graph().name_scope(name or "Tensordot") as scope:
        a = convert_to_tensor(a, name="a")
        b = convert_to_tensor(b, dtype_hint=a.dtype.base_dtype, name="b")
        if a.dims is None or b.dims is None:
            raise ValueError(f"tensordot needs tensors of known rank, got {a.shape} and {b.shape}")
        mine, theirs = _paired_axes(axes, len(a.dims), len(b.dims))
        kept = [i for i in range(len(a.dims)) if i not in mine]
        others = [i for i in range(len(b.dims)) if i not in theirs]
        left = _as_matrix(a, [*kept, *mine], [a.dims[i] for i in mine], last=True)
        right = _as_matrix(b, [*theirs, *others], [b.dims[i] for i in theirs], last=False)
        outer = [_length(a, i) for i in kept] + [_length(b, i) for i in others]
        return reshape(matmul(left, right), stack(outer) if outer else [], name=scope)


def _paired_axes(axes: Any, rank_a: int, rank_b: int) -> tuple[list[int], list[int]]:
    if isinstance(axes, int):
        if not 0 <= axes <= min(rank_a, rank_b):
            raise ValueError(f"`axes` must be between 0 and the ranks {rank_a} and {rank_b}, got {axes}")
        return list(range(rank_a - axes, rank_a)), list(range(axes))
    if len(axes) != 2:
        raise ValueError(f"`axes` must be an integer or have length 2, got {axes}")
    mine, theirs = ([side] if isinstance(side, int) else list(side) for side in axes)
    if len(mine) != len(theirs):
        raise ValueError(f"Different number of contraction axes for `a` and `b`, {len(mine)} != {len(theirs)}.")
    return [i % rank_a for i in mine], [i % rank_b for i in theirs]


def _as_matrix(tensor: Tensor, order: list[int], inner: list[int | None], last: bool) -> Tensor:
    """Return a tensor with its axes in `order` as a matrix whose last (or first) axis holds the summed ones."""
    turned = tensor if order == sorted(order) else transpose(tensor, order)
    count: Any = shapes.product(inner)
    if count is None:
        places = order[-len(inner) :] if last else order[: len(inner)]
        count = lookup("Prod")(stack([_length(tensor, i) for i in places]), [0])
    return reshape(turned, stack([-1, count] if last else [count, -1]))


def _length(tensor: Tensor, axis: int) -> Any:
    """Return the length of an axis: a number where it is known, else a scalar."""
    assert tensor.dims is not None
    known = tensor.dims[axis]
    return shape(tensor)[axis] if known is None else known
