"""Adding borders: Pad, PadV2, MirrorPad and the gradient of that."""

from __future__ import annotations

from typing import Any

from ...devices.types import Array, Namespace
from ..core import dtypes, shapes
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.shape_rules import constant_value
from ..core.shapes import Shape

_PADDINGS = {"Tpaddings": dtypes.int32}


def _paddings(node: Operation) -> tuple[int | None, Any]:
    """Return the rank that the paddings fix, and their value where it is known while building."""
    rows, columns = shapes.with_rank(node.inputs[1].dims, 2)
    shapes.merge_dim(columns, 2)
    value = constant_value(node.inputs[1])
    if value is not None and (value < 0).any():
        raise ValueError(f"Paddings must be non-negative, got {value.tolist()}")
    return rows, value


def _grown(node: Operation, sign: int) -> Shape:
    rank, value = _paddings(node)
    dims = node.inputs[0].dims
    if dims is None:
        return None if rank is None else (None,) * rank
    if rank is not None and rank != len(dims):
        raise ValueError(f"Shape must be rank {rank} but is rank {len(dims)}")
    if value is None:
        return (None,) * len(dims)
    return tuple(None if d is None else d + sign * int(a + b) for d, (a, b) in zip(dims, value, strict=True))


def _padded(node: Operation) -> Shape:
    return _grown(node, 1)


def _run_paddings(x: Array, paddings: Array) -> list[list[int]]:
    pairs: list[list[int]] = paddings.reshape(-1, 2).tolist()
    if len(pairs) != x.ndim:
        raise InvalidArgumentError(
            None, None, f"The first dimension of paddings must be the rank of inputs[{len(pairs)},2] {list(x.shape)}"
        )
    for before, after in pairs:
        if before < 0 or after < 0:
            raise InvalidArgumentError(None, None, f"Paddings must be non-negative: {before} {after}")
    return pairs


def _surround(xp: Namespace, x: Array, paddings: Array, value: Any) -> Array:
    pairs = _run_paddings(x, paddings)
    whole = xp.empty([before + n + after for n, (before, after) in zip(x.shape, pairs, strict=True)], x.dtype)
    whole[...] = value
    whole[(*(slice(before, before + n) for n, (before, _) in zip(x.shape, pairs, strict=True)), ...)] = x
    return whole


@op(
    "Pad",
    types="input: T, paddings: Tpaddings -> output: T",
    Tpaddings=dtypes.INDEX,
    defaults=_PADDINGS,
    shape=_padded,
    host="paddings",
)
def pad_op(xp: Namespace, x: Array, paddings: Array) -> Array:
    """Return the input with zeros around it."""
    return _surround(xp, x, paddings, b"" if x.dtype == object else 0)


@op(
    "PadV2",
    types="input: T, paddings: Tpaddings, constant_values: T -> output: T",
    Tpaddings=dtypes.INDEX,
    defaults=_PADDINGS,
    shape=_padded,
    host="paddings",
)
def pad_v2_op(xp: Namespace, x: Array, paddings: Array, constant_values: Array) -> Array:
    """Return the input with one value around it."""
    return _surround(xp, x, paddings, constant_values)


def _check_mirror(dims: tuple[int, ...], pairs: list[list[int]], mode: str) -> None:
    for axis, (n, (before, after)) in enumerate(zip(dims, pairs, strict=True)):
        limit = n - (mode == "REFLECT")
        if before > limit or after > limit:
            raise InvalidArgumentError(
                None, None, f"paddings must be {'less' if mode == 'REFLECT' else 'no greater'} than the dimension size: "
                f"{before}, {after} {'not less' if mode == 'REFLECT' else 'greater'} than {n} (dimension {axis})",
            )  # fmt: skip


@op(
    "MirrorPad",
    types="input: T, paddings: Tpaddings -> output: T",
    Tpaddings=dtypes.INDEX,
    defaults=_PADDINGS,
    shape=_padded,
    host="paddings",
)
def mirror_pad_op(xp: Namespace, x: Array, paddings: Array, *, mode: str) -> Array:
    """Return the input with its mirror image around it; REFLECT leaves the border itself out."""
    pairs = _run_paddings(x, paddings)
    _check_mirror(x.shape, pairs, mode)
    return xp.pad(x, pairs, mode="reflect" if mode == "REFLECT" else "symmetric")


@op(
    "MirrorPadGrad",
    types="input: T, paddings: Tpaddings -> output: T",
    Tpaddings=dtypes.INDEX,
    defaults=_PADDINGS,
    shape=lambda node: _grown(node, -1),
    host="paddings",
    aliases="output=input",
)
def mirror_pad_grad_op(xp: Namespace, dy: Array, paddings: Array, *, mode: str) -> Array:
    """Return the input without its borders, folded back onto what they were mirror images of."""
    skip = int(mode == "REFLECT")
    for axis, (before, after) in enumerate(_run_paddings(dy, paddings)):
        lead = (slice(None),) * axis
        stop = dy.shape[axis] - after
        inner = dy[(*lead, slice(before, stop))].copy()
        n = inner.shape[axis]
        if before:
            inner[(*lead, slice(skip, skip + before))] += dy[
                (*lead, slice(before - 1, None, -1) if before else slice(0))
            ]
        if after:
            inner[(*lead, slice(n - skip - after, n - skip))] += dy[(*lead, slice(None, stop - 1, -1))]
        dy = inner
    return dy


@mirror_pad_op.gradient
def mirror_pad_gradient(op: Operation, dy: Tensor) -> list[Any]:
    return [mirror_pad_grad_op(dy, op.inputs[1], mode=op.attrs["mode"]), None]


@mirror_pad_grad_op.gradient
def mirror_pad_grad_gradient(op: Operation, dy: Tensor) -> list[Any]:
    return [mirror_pad_op(dy, op.inputs[1], mode=op.attrs["mode"]), None]


def pad(
    tensor: Any, paddings: Any, mode: str = "CONSTANT", name: str | None = None, constant_values: Any = 0
) -> Tensor:
    """Return a tensor with borders added.

    Args:
      tensor: the tensor.
      paddings: an integer tensor of shape [rank, 2]: how much to add before and after, for each dimension.
      mode: "CONSTANT", "REFLECT" or "SYMMETRIC".
      name: the node's name.
      constant_values: the scalar to fill with in mode "CONSTANT".

    Raises:
      ValueError: for an unknown mode.
    """
    mode = mode.upper()
    if mode == "CONSTANT":
        if isinstance(constant_values, Tensor) or constant_values != 0:
            return pad_v2_op(tensor, paddings, constant_values, name=name)  # type: ignore[no-any-return]
        return pad_op(tensor, paddings, name=name)  # type: ignore[no-any-return]
    if mode not in ("REFLECT", "SYMMETRIC"):
        raise ValueError(f"Unknown padding mode: {mode}")
    return mirror_pad_op(tensor, paddings, mode=mode, name=name)  # type: ignore[no-any-return]
