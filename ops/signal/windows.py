"""Windows: weights that fade a frame in and out."""

from __future__ import annotations

import math
from typing import Any

from ..array.concat import concat
from ..array.fills import ones
from ..core import dtypes
from ..core.convert import constant, convert_to_tensor
from ..core.dtypes import as_dtype
from ..core.node import Tensor
from ..core.scopes import name_scope
from ..core.shape_rules import constant_value
from ..math.binary import multiply, realdiv, subtract
from ..math.complex import cast
from ..math.ranges import range as tensor_range
from ..math.reduce import reduce_sum
from ..math.scans import cumsum
from ..math.special import bessel_i0
from ..math.unary import cos, sin, sqrt, square


def hann_window(
    window_length: Any, periodic: Any = True, dtype: Any = dtypes.float32, name: str | None = None
) -> Tensor:
    """Return a raised cosine [window_length] that begins at 0.

    Args:
      window_length: a 0-D integer.
      periodic: whether the window leaves out its last point, as spectra ask for; where the length is odd, it never does.
      dtype: a floating type.
    """
    with name_scope(name, "hann_window", [window_length, periodic]):
        return _raised_cosine(window_length, periodic, dtype, 0.5, 0.5)


def hamming_window(
    window_length: Any, periodic: Any = True, dtype: Any = dtypes.float32, name: str | None = None
) -> Tensor:
    """Return a raised cosine [window_length] that begins at 0.08; arguments as of `hann_window`."""
    with name_scope(name, "hamming_window", [window_length, periodic]):
        return _raised_cosine(window_length, periodic, dtype, 0.54, 0.46)


def _floating(dtype: Any) -> Any:
    kind = as_dtype(dtype)
    if not kind.is_floating:
        raise ValueError(f"dtype must be a floating point type. Found {kind!r}")
    return kind


def _points(window_length: Any) -> tuple[Tensor, int | None]:
    """Return a window's length as a 0-D int32, and its value where it is known."""
    length = cast(convert_to_tensor(window_length, name="window_length"), dtypes.int32)
    if length.dims not in (None, ()):
        raise ValueError(f"Shape must be rank 0 but is rank {len(length.dims or ())}")
    known = constant_value(length)
    return length, None if known is None else int(known)


def _raised_cosine(window_length: Any, periodic: Any, dtype: Any, mean: float, swing: float) -> Tensor:
    kind = _floating(dtype)
    length, known = _points(window_length)
    if known == 1:
        return ones([1], kind)
    wraps = cast(convert_to_tensor(periodic, dtypes.bool, name="periodic"), dtypes.int32)
    period = cast(length + wraps * (1 - length % 2) - 1, kind)
    angle = multiply(realdiv(constant(2 * math.pi, kind), period), cast(tensor_range(length), kind))
    return cast(subtract(constant(mean, kind), multiply(constant(swing, kind), cos(angle))), kind)


def kaiser_window(window_length: Any, beta: Any = 12.0, dtype: Any = dtypes.float32, name: str | None = None) -> Tensor:
    """Return a Kaiser window [window_length]; the greater `beta`, the narrower."""
    with name_scope(name, "kaiser_window"):
        kind = _floating(dtype)
        length, known = _points(window_length)
        if known == 1:
            return ones([1], kind)
        half = realdiv(cast(length - 1, kind), 2.0)
        place = realdiv(subtract(cast(tensor_range(length), kind), half), half)
        sharpness = convert_to_tensor(beta, kind, name="beta")
        inside = multiply(sharpness, sqrt(subtract(constant(1.0, kind), square(place))))
        return realdiv(bessel_i0(inside), bessel_i0(sharpness))


def kaiser_bessel_derived_window(
    window_length: Any, beta: Any = 12.0, dtype: Any = dtypes.float32, name: str | None = None
) -> Tensor:
    """Return the window [window_length] whose halves' squares add to 1, made of a Kaiser window's sums."""
    with name_scope(name, "kaiser_bessel_derived_window"):
        half = _points(window_length)[0] // 2
        kaiser = kaiser_window(half + 1, beta, dtype)
        rising = sqrt(realdiv(cumsum(kaiser)[:-1], reduce_sum(kaiser)))
        return concat([rising, rising[::-1]], 0)


def vorbis_window(window_length: Any, dtype: Any = dtypes.float32, name: str | None = None) -> Tensor:
    """Return the window [window_length] of the Vorbis codec, whose halves' squares add to 1."""
    with name_scope(name, "vorbis_window"):
        kind = _floating(dtype)
        length, _ = _points(window_length)
        place = realdiv(cast(tensor_range(length), kind) + 0.5, cast(length, kind))
        return sin(multiply(constant(math.pi / 2, kind), square(sin(multiply(constant(math.pi, kind), place)))))
