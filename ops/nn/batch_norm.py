"""Batch normalisation fused into one op, in TensorFlow's three versions, with the ops of its gradients.

In training, images are normalised by their own mean and variance, which are handed back (the variance with Bessel's
correction) beside those that the gradient needs; in inference by the mean and variance that are given. All of it is computed in
float32. The kernels share two functions, `normalised` and `gradients`, for any rank and place of the channels.
"""

from __future__ import annotations

from typing import Any

from ...devices.types import Array, Namespace
from ..array.reshape import reshape
from ..core import dtypes, shapes
from ..core.convert import constant, convert_to_tensor
from ..core.errors import InvalidArgumentError
from ..core.graph import get_default_graph
from ..core.node import Operation, Tensor
from ..core.registry import OpDecl, op
from ..core.shapes import Shape
from ..math.complex import cast
from ..math.reduce import reduce_mean, reduce_sum
from ..math.unary import rsqrt
from . import batch_norm_cpu

NARROW = (dtypes.float16, dtypes.bfloat16, dtypes.float32)
SINGLE = (dtypes.float32,)
FORWARD = "x: T, scale: {U}, offset: {U}, mean: {U}, variance: {U} -> y: T, batch_mean: {U}, batch_variance: {U}, "
# The float32 next to 0.0001, as OpDefs keep it.
DEFAULT_EPSILON = 9.999999747378752e-05
# cuDNN refuses smaller ones.
LEAST_EPSILON = 1.001e-5


def channel_axis(rank: int, data_format: str) -> int:
    """Return which axis holds the channels."""
    return 1 if data_format.startswith("NC") else rank - 1


def _forward_shape(node: Operation) -> list[Shape]:
    dims, layout = node.inputs[0].dims, node.attrs["data_format"]
    dims = shapes.with_rank(dims, len(layout))
    axis = channel_axis(len(layout), layout)
    channels = dims[axis]
    for tensor in node.inputs[1:] if not node.attrs["is_training"] else node.inputs[1:3]:
        channels = shapes.merge_dim(channels, shapes.with_rank(tensor.dims, 1)[0])
    found: list[Shape] = [(*dims[:axis], channels, *dims[axis + 1 :]), *[(channels,)] * 4]
    return [*found, None] if len(node.outputs) == 6 or node.type.endswith("V3") else found


def _gradient_shape(node: Operation) -> list[Shape]:
    layout = node.attrs["data_format"]
    dims = shapes.merge(*(shapes.with_rank(tensor.dims, len(layout)) for tensor in node.inputs[:2]))
    assert dims is not None
    channels = dims[channel_axis(len(layout), layout)]
    return [dims, (channels,), (channels,), (0,), (0,)]


def _rows(xp: Namespace, x: Array, data_format: str) -> Array:
    """Return images as a float32 matrix with a column for each channel."""
    last = xp.moveaxis(x, 1, -1) if data_format.startswith("NC") else x
    return xp.ascontiguousarray(last).reshape(-1, last.shape[-1]).astype("f4", copy=False)


def _like(xp: Namespace, rows: Array, x: Array, data_format: str) -> Array:
    """Return such a matrix in the shape and dtype of `x`."""
    if not data_format.startswith("NC"):
        return rows.reshape(x.shape).astype(x.dtype, copy=False)
    last = rows.reshape((x.shape[0], *x.shape[2:], x.shape[1])).astype(x.dtype, copy=False)
    return xp.ascontiguousarray(xp.moveaxis(last, -1, 1))


class _Generic:
    """What the kernels ask of a device, over any array namespace."""

    @staticmethod
    def statistics(xp: Namespace, x: Array) -> tuple[Array, Array]:
        count = x.dtype.type(x.shape[0])
        mean = xp.sum(x, axis=0) / count
        return mean, xp.sum(xp.square(x - mean), axis=0) / count

    @staticmethod
    def scaled(xp: Namespace, x: Array, mean: Array, factor: Array, shift: Array) -> Array:
        return (x - mean) * factor + shift

    @staticmethod
    def gradient_sums(xp: Namespace, x: Array, dy: Array, mean: Array) -> Any:
        return xp.sum(dy, axis=0), xp.sum(dy * (x - mean), axis=0)

    @staticmethod
    def combined(xp: Namespace, x: Array, dy: Array, mean: Array, by_dy: Array, by_x: Array, shift: Array) -> Array:
        return dy * by_dy + (x - mean) * by_x + shift


class _InBlocks:
    """The same on the CPU, block by block."""

    @staticmethod
    def statistics(xp: Namespace, x: Array) -> tuple[Array, Array]:
        return batch_norm_cpu.statistics(x)

    @staticmethod
    def scaled(xp: Namespace, x: Array, mean: Array, factor: Array, shift: Array) -> Array:
        return batch_norm_cpu.scaled(x, mean, factor, shift)

    @staticmethod
    def gradient_sums(xp: Namespace, x: Array, dy: Array, mean: Array) -> Any:
        return batch_norm_cpu.gradient_sums(x, dy, mean)

    @staticmethod
    def combined(xp: Namespace, x: Array, dy: Array, mean: Array, by_dy: Array, by_x: Array, shift: Array) -> Array:
        return batch_norm_cpu.combined(x, dy, mean, by_dy, by_x, shift)


def normalised(xp: Namespace, arrays: tuple[Array, ...], attrs: dict[str, Any], way: Any) -> list[Array]:
    """Return y, the mean and variance to keep, and the two that the gradient needs."""
    x, scale, offset, mean, variance = arrays
    training, epsilon, share = attrs["is_training"], attrs["epsilon"], attrs["exponential_avg_factor"]
    rows = _rows(xp, x, attrs["data_format"])
    channels = rows.shape[1]
    if scale.shape != (channels,) or offset.shape != (channels,) or (not training and mean.shape != (channels,)):
        raise InvalidArgumentError(
            None, None, f"scale, offset, mean and variance must have {channels} elements, as there are channels"
        )
    single = rows.dtype.type
    used, spread = way.statistics(xp, rows) if training and rows.size else (mean, variance)
    if training and not rows.size:
        used = spread = xp.full((channels,), single("nan"))
    factor = scale * (single(1) / xp.sqrt(spread + single(epsilon)))
    y = _like(xp, way.scaled(xp, rows, used, factor, offset), x, attrs["data_format"])
    if not training:
        return [y, xp.array(mean), xp.array(variance), xp.array(mean), xp.array(variance)]
    return trained(xp, y, (used, spread), (mean, variance), rows.shape[0], share)


def trained(
    xp: Namespace, y: Array, batch: tuple[Array, Array], known: tuple[Array, Array], count: int, share: float
) -> list[Array]:
    """Return what a training step hands back: `batch` and `known` are pairs of mean and variance, `share` the batch's weight."""
    (used, spread), (mean, variance) = batch, known
    single = spread.dtype.type
    unbiased = spread * single(count / max(count - 1, 1))
    kept = [used, unbiased]
    if share != 1.0 and mean.shape == used.shape:
        kept = [old * single(1 - share) + new * single(share) for old, new in zip((mean, variance), kept, strict=True)]
    return [y, xp.array(kept[0]), kept[1], used, spread]


def gradients(xp: Namespace, arrays: tuple[Array, ...], attrs: dict[str, Any], way: Any) -> list[Array]:
    """Return the gradients by x, scale and offset, and two empty arrays."""
    dy, x, scale, mean, variance = arrays
    rows, given = (_rows(xp, array, attrs["data_format"]) for array in (x, dy))
    single = rows.dtype.type
    inverse = single(1) / xp.sqrt(variance + single(attrs["epsilon"]))
    nothing = [xp.zeros((0,), "f4"), xp.zeros((0,), "f4")]
    if not rows.size:
        return [xp.array(x), xp.zeros(scale.shape, "f4"), xp.zeros(scale.shape, "f4"), *nothing]
    total, dot = way.gradient_sums(xp, rows, given, mean)
    factor = scale * inverse
    if attrs["is_training"]:
        count = single(rows.shape[0])
        by_x, shift = -factor * inverse * inverse * dot / count, -factor * total / count
        dx = way.combined(xp, rows, given, mean, factor, by_x, shift)
    else:
        dx = given * factor
    return [_like(xp, dx, x, attrs["data_format"]), dot * inverse, total, *nothing]


def _attrs(epsilon: float, data_format: str, is_training: bool, exponential_avg_factor: float = 1.0) -> dict[str, Any]:
    return {
        "epsilon": epsilon, "data_format": data_format, "is_training": is_training,
        "exponential_avg_factor": exponential_avg_factor,
    }  # fmt: skip


@op(
    "FusedBatchNorm",
    types=FORWARD.format(U="T") + "reserve_space_1: T, reserve_space_2: T",
    T=SINGLE,
    shape=_forward_shape,
)
def fused_batch_norm_v1_op(
    xp: Namespace, x: Array, scale: Array, offset: Array, mean: Array, variance: Array, *, epsilon: float = DEFAULT_EPSILON,
    exponential_avg_factor: float = 1.0, data_format: str = "NHWC", is_training: bool = True,
) -> list[Array]:  # fmt: skip
    """Returns images normalised for each channel, scaled and shifted, with the mean and variance that were used."""
    attrs = _attrs(epsilon, data_format, is_training, exponential_avg_factor)
    return normalised(xp, (x, scale, offset, mean, variance), attrs, _Generic)


@op(
    "FusedBatchNormV2", types=FORWARD.format(U="U") + "reserve_space_1: U, reserve_space_2: U", T=NARROW, U=SINGLE,
    shape=_forward_shape,
)  # fmt: skip
def fused_batch_norm_v2_op(
    xp: Namespace, x: Array, scale: Array, offset: Array, mean: Array, variance: Array, *, epsilon: float = DEFAULT_EPSILON,
    exponential_avg_factor: float = 1.0, data_format: str = "NHWC", is_training: bool = True,
) -> list[Array]:  # fmt: skip
    """Returns what FusedBatchNorm does, also for 16-bit images."""
    attrs = _attrs(epsilon, data_format, is_training, exponential_avg_factor)
    return normalised(xp, (x, scale, offset, mean, variance), attrs, _Generic)


@op(
    "FusedBatchNormV3", types=FORWARD.format(U="U") + "reserve_space_1: U, reserve_space_2: U, reserve_space_3: U",
    T=NARROW, U=(dtypes.bfloat16, dtypes.float32), shape=_forward_shape,
)  # fmt: skip
def fused_batch_norm_op(
    xp: Namespace, x: Array, scale: Array, offset: Array, mean: Array, variance: Array, *, epsilon: float = DEFAULT_EPSILON,
    exponential_avg_factor: float = 1.0, data_format: str = "NHWC", is_training: bool = True,
) -> list[Array]:  # fmt: skip
    """Returns what FusedBatchNormV2 does, also for volumes, and an empty array that cuDNN would use."""
    attrs = _attrs(epsilon, data_format, is_training, exponential_avg_factor)
    return _v3(xp, (x, scale, offset, mean, variance), attrs, _Generic)


def _v3(xp: Namespace, arrays: tuple[Array, ...], attrs: dict[str, Any], way: Any) -> list[Array]:
    kind = arrays[1].dtype
    y, *others = normalised(xp, (arrays[0], *(array.astype("f4", copy=False) for array in arrays[1:])), attrs, way)
    return [y, *(array.astype(kind, copy=False) for array in others), xp.zeros((0,), kind)]


@op(
    "FusedBatchNormGrad", T=SINGLE, shape=_gradient_shape,
    types="y_backprop: T, x: T, scale: T, reserve_space_1: T, reserve_space_2: T -> "
    "x_backprop: T, scale_backprop: T, offset_backprop: T, reserve_space_3: T, reserve_space_4: T",
)  # fmt: skip
def fused_batch_norm_grad_v1_op(
    xp: Namespace, y_backprop: Array, x: Array, scale: Array, reserve_space_1: Array, reserve_space_2: Array, *,
    epsilon: float = DEFAULT_EPSILON, data_format: str = "NHWC", is_training: bool = True,
) -> list[Array]:  # fmt: skip
    """Returns the gradients of batch normalisation by the images, the scale and the offset."""
    arrays = (y_backprop, x, scale, reserve_space_1, reserve_space_2)
    return gradients(xp, arrays, _attrs(epsilon, data_format, is_training), _Generic)


@op(
    "FusedBatchNormGradV2", T=NARROW, U=SINGLE, shape=_gradient_shape,
    types="y_backprop: T, x: T, scale: float32, reserve_space_1: U, reserve_space_2: U -> "
    "x_backprop: T, scale_backprop: U, offset_backprop: U, reserve_space_3: U, reserve_space_4: U",
)  # fmt: skip
def fused_batch_norm_grad_v2_op(
    xp: Namespace, y_backprop: Array, x: Array, scale: Array, reserve_space_1: Array, reserve_space_2: Array, *,
    epsilon: float = DEFAULT_EPSILON, data_format: str = "NHWC", is_training: bool = True,
) -> list[Array]:  # fmt: skip
    """Returns what FusedBatchNormGrad does, also for 16-bit images."""
    arrays = (y_backprop, x, scale, reserve_space_1, reserve_space_2)
    return gradients(xp, arrays, _attrs(epsilon, data_format, is_training), _Generic)


@op(
    "FusedBatchNormGradV3", T=NARROW, U=SINGLE, shape=_gradient_shape,
    types="y_backprop: T, x: T, scale: float32, reserve_space_1: U, reserve_space_2: U, reserve_space_3: U -> "
    "x_backprop: T, scale_backprop: U, offset_backprop: U, reserve_space_4: U, reserve_space_5: U",
)  # fmt: skip
def fused_batch_norm_grad_op(
    xp: Namespace, y_backprop: Array, x: Array, scale: Array, reserve_space_1: Array, reserve_space_2: Array,
    reserve_space_3: Array, *, epsilon: float = DEFAULT_EPSILON, data_format: str = "NHWC", is_training: bool = True,
) -> list[Array]:  # fmt: skip
    """Returns what FusedBatchNormGradV2 does, also for volumes."""
    arrays = (y_backprop, x, scale, reserve_space_1, reserve_space_2)
    return gradients(xp, arrays, _attrs(epsilon, data_format, is_training), _Generic)


def _forward_in_blocks(xp: Namespace, *arrays: Array, **attrs: Any) -> list[Array]:
    return normalised(xp, arrays, attrs, _InBlocks)


def _forward_v3_in_blocks(xp: Namespace, *arrays: Array, **attrs: Any) -> list[Array]:
    return _v3(xp, arrays, attrs, _InBlocks)


def _gradients_in_blocks(xp: Namespace, *arrays: Array, **attrs: Any) -> list[Array]:
    return gradients(xp, arrays[:5], attrs, _InBlocks)


for _decl, _kernel in (
    (fused_batch_norm_v1_op, _forward_in_blocks), (fused_batch_norm_v2_op, _forward_in_blocks),
    (fused_batch_norm_op, _forward_v3_in_blocks), (fused_batch_norm_grad_v1_op, _gradients_in_blocks),
    (fused_batch_norm_grad_v2_op, _gradients_in_blocks), (fused_batch_norm_grad_op, _gradients_in_blocks),
):  # fmt: skip
    _decl.kernel("CPU", label="batch normalisation in blocks")(_kernel)


# Gradients


def _gradient_attrs(op: Operation) -> dict[str, Any]:
    return {name: op.attrs[name] for name in ("epsilon", "data_format", "is_training")}


def _first_order(decl: OpDecl) -> Any:
    def gradient(op: Operation, dy: Tensor | None, *others: Tensor | None) -> list[Tensor | None]:
        if dy is None:
            return [None] * 5
        x, scale = op.inputs[:2]
        used = op.outputs[3:5] if op.attrs["is_training"] else op.inputs[3:5]
        more = op.outputs[5:6] if len(decl.inputs) == 6 else []
        found = decl(dy, x, scale, *used, *more, **_gradient_attrs(op))
        return [*found[:3], None, None]

    return gradient


fused_batch_norm_v1_op.gradient(_first_order(fused_batch_norm_grad_v1_op))
fused_batch_norm_v2_op.gradient(_first_order(fused_batch_norm_grad_v2_op))
fused_batch_norm_op.gradient(_first_order(fused_batch_norm_grad_op))


class _Channels:
    """Means and sums over all axes but the channels', and channels in the shape that spreads over the images."""

    def __init__(self, op: Operation) -> None:
        self.rank, layout = len(op.attrs["data_format"]), op.attrs["data_format"]
        self.axis = channel_axis(self.rank, layout)
        self.others = [i for i in range(self.rank) if i != self.axis]

    def mean(self, x: Tensor) -> Tensor:
        return reduce_mean(x, self.others, True)

    def sum(self, x: Tensor) -> Tensor:
        return reduce_sum(x, self.others)

    def spread(self, channels: Tensor) -> Tensor:
        return reshape(channels, [-1 if i == self.axis else 1 for i in range(self.rank)])


def _second_order(op: Operation, *given: Tensor | None) -> list[Tensor | None]:
    """Differentiate the gradients: `given` belong to those by the images, the scale and the offset."""
    over = _Channels(op)
    dy, x = (cast(tensor, dtypes.float32) for tensor in op.inputs[:2])
    scale, mean, variance = (over.spread(tensor) for tensor in op.inputs[2:5])
    inverse = rsqrt(variance + op.attrs["epsilon"])
    away = (x - mean) * inverse
    zero = constant(0.0)
    a = zero * x if given[0] is None else cast(given[0], dtypes.float32)
    b, c = (zero if tensor is None else over.spread(tensor) for tensor in given[1:3])
    if op.attrs["is_training"]:
        found = _in_training(over, (dy, away, scale * inverse, inverse), a, b)
    else:
        found = scale * inverse * a, b * inverse * dy, over.sum(a * inverse * dy)
    by_dy = found[0] + b * away + c
    kind = op.inputs[1].dtype.base_dtype
    return [cast(by_dy, kind), cast(found[1], kind), found[2], *[None] * (len(op.inputs) - 3)]


def _in_training(over: _Channels, known: tuple[Tensor, ...], a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients by dy, x and scale; the mean and variance depend on x.

    With P(u) = u - mean(u) - away * mean(u * away), the gradient by the images is factor * P(dy), the one by the scale
    sum(dy * away), and the derivative of a sum over g * away by the images is inverse * P(g).
    """
    dy, away, factor, inverse = known
    dot_dy, dot_a = over.mean(dy * away), over.mean(a * away)
    plain_dy, plain_a = (u - over.mean(u) - away * dot for u, dot in ((dy, dot_dy), (a, dot_a)))
    together = over.mean(a * plain_dy)
    by_x = b * inverse * plain_dy - factor * inverse * (away * together + plain_a * dot_dy + plain_dy * dot_a)
    return factor * plain_a, by_x, over.sum(a * inverse * plain_dy)


for _decl in (fused_batch_norm_grad_v1_op, fused_batch_norm_grad_v2_op, fused_batch_norm_grad_op):
    _decl.gradient(_second_order)


def fused_batch_norm(
    x: Any, scale: Any, offset: Any, mean: Any = None, variance: Any = None, epsilon: float = 0.001,
    data_format: str = "NHWC", is_training: bool = True, name: str | None = None, exponential_avg_factor: float = 1.0,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """Return images normalised for each channel, and the mean and variance, in training those of the batch.

    Args:
      x: images of rank 4 (or volumes of rank 5), float32 or a 16-bit float.
      scale, offset: float32, an element for each channel. mean, variance: likewise; needed unless `is_training`.
      exponential_avg_factor: the weight of the batch in the mean and variance that are returned.

    Raises:
      ValueError: when mean or variance is missing.
    """
    if (not is_training or exponential_avg_factor != 1.0) and (mean is None or variance is None):
        raise ValueError(
            "Both `mean` and `variance` must be a 1D tensor when `is_training` is False or `exponential_avg_factor` != 1.0."
        )
    known = [constant([], dtypes.float32) if value is None else value for value in (mean, variance)]
    with get_default_graph().name_scope(name or "FusedBatchNormV3") as scope:
        images = convert_to_tensor(x, name="input")
        factors = [
            convert_to_tensor(value, dtypes.float32, name=n) for value, n in ((scale, "scale"), (offset, "offset"))
        ]
        found = fused_batch_norm_op(
            images, *factors, *known, epsilon=max(epsilon, LEAST_EPSILON), data_format=data_format,
            is_training=is_training, exponential_avg_factor=exponential_avg_factor, name=scope,
        )  # fmt: skip
        return found[0], found[1], found[2]
