"""Fourier transforms over the last one, two and three axes: complex, and real ones with half of the spectrum.

Gradients follow from one fact: up to a factor, the adjoint of a transform is its inverse. A half spectrum counts its
inner frequencies twice, so real transforms weigh the last axis. Invariant: `fft_length` cuts inside the ops and pads
outside of them, as in TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..array.concat import concat
from ..array.fills import ones, zeros
from ..array.padding import pad
from ..array.shape_ops import shape
from ..core import dtypes, shapes
from ..core.convert import convert_to_tensor
from ..core.dtypes import DType
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import OpDecl, op
from ..core.scopes import name_scope
from ..core.shape_rules import constant_value_as_shape
from ..core.shapes import Shape
from ..math.binary import add_v2 as add
from ..math.binary import floor_div, floormod, maximum, minimum, multiply, realdiv, subtract
from ..math.complex import cast
from ..math.reduce import reduce_prod

SUFFIXES = {1: "", 2: "2D", 3: "3D"}
FULL_DEFAULTS = {"Tcomplex": dtypes.complex64}
HALF_DEFAULTS = {"Treal": dtypes.float32, "Tcomplex": dtypes.complex64}
REALS = (dtypes.float32, dtypes.float64)


def _axes(rank: int) -> tuple[int, ...]:
    return tuple(range(-rank, 0))


def _full_shape(rank: int) -> Callable[[Operation], Shape]:
    return lambda node: shapes.with_rank_at_least(node.inputs[0].dims, rank)


def _full(rank: int, inverse: bool) -> OpDecl:
    """Declare a complex transform."""

    def block(xp: Namespace, input: Array) -> Array:
        if not input.size:
            return xp.zeros(input.shape, input.dtype)
        transform = xp.fft.ifftn if inverse else xp.fft.fftn
        return transform(input, axes=_axes(rank)).astype(input.dtype, copy=False)

    block.__doc__ = f"Returns the {'inverse ' * inverse}Fourier transforms over the last {rank} axes."
    return op(
        ("IFFT" if inverse else "FFT") + SUFFIXES[rank], types="input: Tcomplex -> output: Tcomplex",
        Tcomplex=dtypes.COMPLEX, shape=_full_shape(rank), defaults=FULL_DEFAULTS,
    )(block)  # fmt: skip


def _points(x: Tensor, rank: int) -> Tensor:
    """Return how many points a transform of `x` has, as a number of its dtype."""
    return cast(cast(reduce_prod(shape(x)[-rank:]), x.dtype.base_dtype.real_dtype), x.dtype)


def _pair(rank: int) -> tuple[OpDecl, OpDecl]:
    """Declare a complex transform and its inverse, each the other's gradient."""
    forward, inverse = _full(rank, inverse=False), _full(rank, inverse=True)

    @forward.gradient
    def forward_gradient(op: Operation, dy: Tensor) -> Tensor:
        return multiply(inverse(dy), _points(dy, rank))

    @inverse.gradient
    def inverse_gradient(op: Operation, dy: Tensor) -> Tensor:
        return realdiv(forward(dy), _points(dy, rank))

    return forward, inverse


def _half_shape(rank: int, inverse: bool) -> Callable[[Operation], Shape]:
    def rule(node: Operation) -> Shape:
        dims = shapes.with_rank_at_least(node.inputs[0].dims, rank)
        shapes.merge(node.inputs[1].dims, (rank,))
        lengths = constant_value_as_shape(node.inputs[1])
        if dims is None:
            return None
        ends = (None,) * rank if lengths is None else lengths
        last = ends[-1]
        return (*dims[:-rank], *ends[:-1], last if inverse or not last else last // 2 + 1)

    return rule


def _cut(input: Array, sizes: tuple[int, ...]) -> Array:
    """Return the beginning of the last axes."""
    rank = len(sizes)
    if input.ndim < rank:
        raise InvalidArgumentError(None, None, f"Input must have rank of at least {rank} but got: {list(input.shape)}")
    for i, (found, wanted) in enumerate(zip(input.shape[-rank:], sizes, strict=True)):
        if found < wanted and input.size:
            words = f"Input dimension {input.ndim - rank + i} must have length of at least {wanted} but got: {found}"
            raise InvalidArgumentError(None, None, words)
    return input[(..., *(slice(0, size) for size in sizes))]


def _lengths(fft_length: Array, rank: int) -> tuple[int, ...]:
    lengths = tuple(int(n) for n in np.asarray(fft_length).ravel())
    if np.ndim(fft_length) != 1 or len(lengths) != rank:
        raise InvalidArgumentError(None, None, f"fft_length must have shape [{rank}]")
    if min(lengths) < 0:
        raise InvalidArgumentError(
            None, None, f"fft_length[{np.argmin(lengths)}] must be >= 0, but got: {min(lengths)}"
        )
    return lengths


def _real(rank: int) -> OpDecl:
    """Declare the transform of real numbers to half a spectrum."""

    def block(
        xp: Namespace,
        input: Array,
        fft_length: Array,
        *,
        Treal: DType = dtypes.float32,
        Tcomplex: DType = dtypes.complex64,
    ) -> Array:
        lengths = _lengths(fft_length, rank)
        source = _cut(input, lengths)
        if not source.size:
            last = lengths[-1] // 2 + 1 if lengths[-1] else 0
            return xp.zeros((*source.shape[:-rank], *lengths[:-1], last), Tcomplex.np_dtype)
        return xp.fft.rfftn(source, axes=_axes(rank)).astype(Tcomplex.np_dtype, copy=False)

    block.__doc__ = f"Returns the Fourier transforms of real numbers over the last {rank} axes: half of the spectra."
    return op(
        "RFFT" + SUFFIXES[rank], types="input: Treal, fft_length: int32 -> output: Tcomplex", Treal=REALS,
        Tcomplex=dtypes.COMPLEX, shape=_half_shape(rank, inverse=False), host="fft_length", defaults=HALF_DEFAULTS,
    )(block)  # fmt: skip


def _real_inverse(rank: int) -> OpDecl:
    """Declare the transform of half a spectrum to real numbers."""

    def block(
        xp: Namespace,
        input: Array,
        fft_length: Array,
        *,
        Treal: DType = dtypes.float32,
        Tcomplex: DType = dtypes.complex64,
    ) -> Array:
        lengths = _lengths(fft_length, rank)
        bins = lengths[-1] // 2 + 1 if lengths[-1] else 0
        source = _cut(input, (*lengths[:-1], bins))
        if not source.size:
            return xp.zeros((*source.shape[:-rank], *lengths), Treal.np_dtype)
        # An axis at a time: what several at once give for spectra of no real signal differs between libraries.
        for axis in range(-rank, -1):
            source = xp.fft.ifft(source, axis=axis)
        return xp.fft.irfft(source, n=lengths[-1], axis=-1).astype(Treal.np_dtype, copy=False)

    block.__doc__ = f"Returns the real numbers whose spectra over the last {rank} axes are given by half."
    return op(
        "IRFFT" + SUFFIXES[rank], types="input: Tcomplex, fft_length: int32 -> output: Treal", Treal=REALS,
        Tcomplex=dtypes.COMPLEX, shape=_half_shape(rank, inverse=True), host="fft_length", defaults=HALF_DEFAULTS,
    )(block)  # fmt: skip


def _weights(fft_length: Tensor, inner: float, kind: DType) -> Tensor:
    """Return a weight for each frequency of half a spectrum: `inner`, but 1 for those that have no twin."""
    last = fft_length[-1]
    even = subtract(1, floormod(last, 2))
    twins = maximum(subtract(floor_div(last, 2), even), 0)
    return concat([ones([1], kind), multiply(ones([twins], kind), inner), ones([even], kind)], 0)


def _fitted(gradient: Tensor, x: Tensor, rank: int) -> Tensor:
    """Return the gradient with zeros where the op had cut `x`."""
    if gradient.dims is not None and x.dims is not None:
        ends = x.dims[-rank:]
        if None not in ends and gradient.dims[-rank:] == ends:
            return gradient
    missing = maximum(subtract(shape(x), shape(gradient)), 0)
    return pad(gradient, _after(missing))


def _after(counts: Tensor) -> Tensor:
    """Return the paddings that put so many zeros after each axis."""
    stacked = concat([[shape(counts)[0]], [1]], 0)
    column = counts[:, None]
    return concat([zeros(stacked, dtypes.int32), column], 1)


def _half_pair(rank: int) -> tuple[OpDecl, OpDecl]:
    """Declare a real transform and its inverse, each in the other's gradient."""
    forward, inverse = _real(rank), _real_inverse(rank)

    @forward.gradient
    def forward_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
        x, fft_length = op.inputs
        kind = x.dtype.base_dtype
        weighted = multiply(dy, cast(_weights(fft_length, 0.5, kind), dy.dtype))
        size = cast(reduce_prod(fft_length), kind)
        return [_fitted(multiply(inverse(weighted, fft_length, Treal=kind), size), x, rank), None]

    @inverse.gradient
    def inverse_gradient(op: Operation, dy: Tensor) -> list[Tensor | None]:
        x, fft_length = op.inputs
        kind = dy.dtype.base_dtype
        spectrum = forward(dy, fft_length, Tcomplex=x.dtype.base_dtype)
        weights = realdiv(_weights(fft_length, 2.0, kind), cast(reduce_prod(fft_length), kind))
        return [_fitted(multiply(spectrum, cast(weights, spectrum.dtype)), x, rank), None]

    return forward, inverse


fft_op, ifft_op = _pair(1)
fft2d_op, ifft2d_op = _pair(2)
fft3d_op, ifft3d_op = _pair(3)
rfft_op, irfft_op = _half_pair(1)
rfft2d_op, irfft2d_op = _half_pair(2)
rfft3d_op, irfft3d_op = _half_pair(3)


def _public_full(decl: OpDecl) -> Callable[..., Tensor]:
    def transform(input: Any, name: str | None = None) -> Tensor:
        return decl(input, name=name)  # type: ignore[no-any-return]

    transform.__doc__ = decl.doc
    transform.__name__ = transform.__qualname__ = decl.name.lower()
    return transform


def _public_half(decl: OpDecl, rank: int, inverse: bool) -> Callable[..., Tensor]:
    title = decl.name.lower()

    def transform(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
        with name_scope(name, title, [input_tensor, fft_length]) as scope:
            x = convert_to_tensor(input_tensor, preferred_dtype=dtypes.complex64 if inverse else dtypes.float32)
            if inverse:
                other = {"Treal": x.dtype.base_dtype.real_dtype}
            else:
                x = x if x.dtype.base_dtype in REALS else cast(x, dtypes.float32)
                other = {"Tcomplex": dtypes.complex128 if x.dtype.base_dtype is dtypes.float64 else dtypes.complex64}
            lengths = _inferred(x, rank, inverse) if fft_length is None else convert_to_tensor(fft_length, dtypes.int32)
            return decl(_padded(x, lengths, rank, inverse), lengths, name=scope, **other)  # type: ignore[no-any-return]

    transform.__doc__ = f"""{(decl.doc or "").replace("Returns", "Return")}

    Args:
      input_tensor: {"complex" if inverse else "real"} numbers [..., {rank} axes].
      fft_length: {rank} numbers, the lengths that signals are cut or padded with zeros to; those of the input when None.
    """
    transform.__name__ = transform.__qualname__ = title
    return transform


def _inferred(x: Tensor, rank: int, inverse: bool) -> Tensor:
    """Return the lengths of the signals that `x` stands for."""
    dims = shapes.with_rank_at_least(x.dims, rank)
    if dims is None or None in dims[-rank:]:
        found = shape(x)[-rank:]
        return concat([found[:-1], maximum(0, multiply(2, subtract(found[-1:], 1)))], 0) if inverse else found
    sizes = [int(dim or 0) for dim in dims[-rank:]]
    if inverse:
        sizes[-1] = max(0, 2 * (sizes[-1] - 1))
    return convert_to_tensor(sizes, dtypes.int32, name="fft_length")


def _padded(x: Tensor, lengths: Tensor, rank: int, inverse: bool) -> Tensor:
    """Return `x` with zeros behind, where its axes are shorter than the transform."""
    shapes.with_rank_at_least(x.dims, rank)
    static = constant_value_as_shape(lengths)
    if static is not None and None not in static and x.dims is not None:
        sizes = [int(size or 0) for size in static]
        if inverse:
            sizes[-1] = sizes[-1] // 2 + 1 if sizes[-1] else 0
        if all(dim is not None and dim >= size for dim, size in zip(x.dims[-rank:], sizes, strict=True)):
            return x
    needed = lengths
    if inverse:
        bins = add(floor_div(lengths[-1:], 2), minimum(lengths[-1:], 1))
        needed = concat([lengths[:-1], bins], 0)
    dims = shape(x)
    missing = maximum(subtract(needed, dims[-rank:]), 0)
    return pad(x, _after(concat([zeros([subtract(shape(dims)[0], rank)], dtypes.int32), missing], 0)))


fft, ifft = _public_full(fft_op), _public_full(ifft_op)
fft2d, ifft2d = _public_full(fft2d_op), _public_full(ifft2d_op)
fft3d, ifft3d = _public_full(fft3d_op), _public_full(ifft3d_op)
rfft, irfft = _public_half(rfft_op, 1, inverse=False), _public_half(irfft_op, 1, inverse=True)
rfft2d, irfft2d = _public_half(rfft2d_op, 2, inverse=False), _public_half(irfft2d_op, 2, inverse=True)
rfft3d, irfft3d = _public_half(rfft3d_op, 3, inverse=False), _public_half(irfft3d_op, 3, inverse=True)
