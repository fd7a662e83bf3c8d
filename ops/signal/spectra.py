"""Spectra of signals over time, cosine transforms, and what hearing makes of spectra: mel scales and cepstra."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..array.broadcast import tile
from ..array.concat import concat, split
from ..array.fills import zeros_like
from ..array.padding import pad
from ..array.reshape import expand_dims, reshape
from ..array.shape_ops import shape
from ..core import dtypes, shapes
from ..core.convert import constant, convert_to_tensor
from ..core.dtypes import DType, as_dtype
from ..core.node import Tensor
from ..core.scopes import name_scope
from ..core.shape_rules import constant_value
from ..math.binary import maximum, minimum, multiply, realdiv, subtract
from ..math.complex import cast, real
from ..math.complex import complex as complex_of
from ..math.ranges import linspace
from ..math.ranges import range as tensor_range
from ..math.reduce import reduce_sum
from ..math.unary import ceil, exp, log, rsqrt, sqrt, square
from .frames import frame, overlap_and_add, scalar
from .transforms import irfft, rfft
from .windows import hann_window, vorbis_window

Window = Callable[..., Any]


def stft(
    signals: Any, frame_length: Any, frame_step: Any, fft_length: Any = None, window_fn: Window | None = hann_window,
    pad_end: bool = False, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return spectra of windowed frames of signals.

    Args:
      signals: [..., samples], float32 or float64.
      frame_length: samples in a frame.
      frame_step: samples between the beginnings of neighbouring frames.
      fft_length: samples that a transform takes; the next power of two from `frame_length` when None.
      window_fn: a function of a length and `dtype` that returns weights; None for no window.
      pad_end: whether frames that reach beyond the end are kept, filled with zeros.

    Returns:
      [..., frames, fft_length // 2 + 1], complex64 or complex128.
    """
    with name_scope(name, "stft", [signals, frame_length, frame_step]):
        x = convert_to_tensor(signals, name="signals")
        shapes.with_rank_at_least(x.dims, 1)
        length, step = scalar(frame_length, "frame_length"), scalar(frame_step, "frame_step")
        points = _power_of_two(length) if fft_length is None else scalar(fft_length, "fft_length")
        frames = frame(x, length, step, pad_end=pad_end)
        if window_fn is not None:
            frames = multiply(frames, window_fn(length, dtype=frames.dtype))
        return rfft(frames, [points])


def _power_of_two(length: Tensor) -> Tensor:
    """Return the smallest power of two that is not below a length."""
    known = constant_value(length)
    if known is not None:
        return convert_to_tensor(1 << max(0, int(known) - 1).bit_length(), dtypes.int32)
    exponent = ceil(realdiv(log(cast(length, dtypes.float32)), math.log(2.0)))
    return cast(exp(multiply(exponent, math.log(2.0))) + 0.5, dtypes.int32)


def inverse_stft(
    stfts: Any, frame_length: Any, frame_step: Any, fft_length: Any = None, window_fn: Window | None = hann_window,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return signals [..., samples] from the spectra [..., frames, bins] that `stft` gave.

    A signal comes back whole under `window_fn=inverse_stft_window_fn(frame_step, forward_window_fn)`.
    """
    with name_scope(name, "inverse_stft", [stfts]):
        spectra = convert_to_tensor(stfts, name="stfts")
        shapes.with_rank_at_least(spectra.dims, 2)
        length, step = scalar(frame_length, "frame_length"), scalar(frame_step, "frame_step")
        points = _power_of_two(length) if fft_length is None else scalar(fft_length, "fft_length")
        frames = _fitted(irfft(spectra, [points]), length, points)
        if window_fn is not None:
            frames = multiply(frames, window_fn(length, dtype=frames.dtype))
        return overlap_and_add(frames, step)


def _fitted(frames: Tensor, length: Tensor, points: Tensor) -> Tensor:
    """Return frames with exactly `length` samples: cut, or followed by zeros."""
    frames = frames[..., :length]
    wanted, found = constant_value(length), constant_value(points)
    if wanted is not None and found is not None and wanted <= found:
        return frames
    axes = tensor_range(shape(shape(frames))[0] - 1) * 0
    ends = concat([axes, [maximum(0, length - points)]], 0)
    return pad(frames, expand_dims(ends, 1) * [[0, 1]])


def inverse_stft_window_fn(
    frame_step: Any, forward_window_fn: Window = hann_window, name: str | None = None
) -> Callable[[Any, Any], Tensor]:
    """Return the window function under which `inverse_stft` undoes `stft` with `forward_window_fn`."""

    def inverse_window(frame_length: Any, dtype: Any) -> Tensor:
        with name_scope(name, "inverse_stft_window_fn", [forward_window_fn]):
            step = scalar(frame_step, "frame_step")
            length = scalar(frame_length, "frame_length")
            window = forward_window_fn(length, dtype=dtype)
            overlaps = (length + step - 1) // step
            padded = pad(square(window), [[0, overlaps * step - length]])
            total = reduce_sum(reshape(padded, [overlaps, step]), 0, keepdims=True)
            shares = reshape(tile(total, [overlaps, 1]), [overlaps * step])
            return realdiv(window, shares[:length])

    return inverse_window


def _half_length(frame_length: Any) -> tuple[Tensor, Tensor]:
    length = scalar(frame_length, "frame_length")
    known = constant_value(length)
    if known is not None and int(known) % 4:
        raise ValueError("The frame length must be a multiple of 4.")
    return length, length // 2


def mdct(
    signals: Any, frame_length: Any, window_fn: Window | None = vorbis_window, pad_end: bool = False,
    norm: str | None = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return modified cosine transforms [..., frames, frame_length / 2] of signals [..., samples]; frames overlap by half."""
    with name_scope(name, "mdct", [signals, frame_length]):
        x = convert_to_tensor(signals, name="signals")
        shapes.with_rank_at_least(x.dims, 1)
        length, half = _half_length(frame_length)
        frames = frame(x, length, half, pad_end=pad_end)
        if window_fn is not None:
            frames = multiply(frames, window_fn(length, dtype=frames.dtype))
        else:
            frames = multiply(frames, constant(math.sqrt(0.5), frames.dtype))
        quarters = split(frames, 4, axis=-1)
        first = -quarters[2][..., ::-1] - quarters[3]
        second = quarters[0] - quarters[1][..., ::-1]
        return dct(concat([first, second], -1), type=4, norm=norm)


def inverse_mdct(
    mdcts: Any, window_fn: Window | None = vorbis_window, norm: str | None = None, name: str | None = None
) -> Tensor:
    """Return signals [..., samples] from the transforms [..., frames, half] that `mdct` gave, with the same window."""
    with name_scope(name, "inverse_mdct", [mdcts]):
        x = convert_to_tensor(mdcts, name="mdcts")
        shapes.with_rank_at_least(x.dims, 2)
        half = shape(x)[-1]
        scale = constant(1.0, x.dtype) if norm == "ortho" else realdiv(constant(0.5, x.dtype), cast(half, x.dtype))
        folded = multiply(dct(x, type=4, norm=norm), scale)
        first, second = split(folded, 2, axis=-1)
        whole = concat([second, -second[..., ::-1], -first[..., ::-1], -first], -1)
        if window_fn is not None:
            whole = multiply(whole, window_fn(half * 2, dtype=x.dtype))
        else:
            whole = multiply(whole, constant(math.sqrt(0.5), x.dtype))
        return overlap_and_add(whole, half)


def dct(
    input: Any, type: int = 2, n: int | None = None, axis: int = -1, norm: str | None = None, name: str | None = None
) -> Tensor:
    """Return cosine transforms along the last axis.

    Args:
      input: [..., samples], float32 or float64.
      type: 1, 2, 3 or 4.
      n: the length that signals are cut or padded to; their own when None.
      axis: -1.
      norm: None, or "ortho" for orthonormal transforms (not for type 1).

    Raises:
      ValueError: for another type or norm, or type 1 of a single sample.
      NotImplementedError: for another axis.
    """
    _check_cosine(type, n, axis, norm)
    with name_scope(name, "dct", [input]):
        x = convert_to_tensor(input, name="input")
        x = x if x.dtype.base_dtype in (dtypes.float32, dtypes.float64) else cast(x, dtypes.float32)
        if n is not None:
            missing = maximum(0, n - shape(x)[-1])
            axes = tensor_range(shape(shape(x))[0] - 1) * 0
            x = pad(x[..., :n], expand_dims(concat([axes, [missing]], 0), 1) * [[0, 1]])
            x.set_shape([*x.dims[:-1], n] if x.dims is not None else None)
        if type == 1 and x.dims is not None and x.dims[-1] == 1:
            raise ValueError("DCT-I requires a dimension size greater than 1.")
        return _COSINES[type](x, norm)


def idct(
    input: Any, type: int = 2, n: int | None = None, axis: int = -1, norm: str | None = None, name: str | None = None
) -> Tensor:
    """Return the inverse of `dct`, up to a factor unless `norm` is "ortho"; arguments as of `dct`."""
    _check_cosine(type, n, axis, norm)
    return dct(input, type={1: 1, 2: 3, 3: 2, 4: 4}[type], n=n, axis=axis, norm=norm, name=name)


def _check_cosine(type: int, n: int | None, axis: int, norm: str | None) -> None:
    if axis != -1:
        raise NotImplementedError(f"axis must be -1. Got: {axis}")
    if n is not None and n < 1:
        raise ValueError("n should be a positive integer or None")
    if type not in (1, 2, 3, 4):
        raise ValueError("Types I, II, III and IV (I)DCT are supported.")
    if type == 1 and norm == "ortho":
        raise ValueError("Normalization is not supported for the Type-I DCT.")
    if norm not in (None, "ortho"):
        raise ValueError(f"Unknown normalization. Expected None or 'ortho', got: {norm}")


def _turns(count: Tensor, kind: DType, sign: float) -> Tensor:
    """Return 2 exp(sign i pi k / 2 count) for k below `count`."""
    angle = realdiv(multiply(cast(tensor_range(count), kind), constant(sign * math.pi / 2, kind)), cast(count, kind))
    return multiply(exp(complex_of(zeros_like(angle), angle)), 2.0)


def _norms(count: Tensor, first: Tensor, rest: Tensor) -> Tensor:
    """Return weights [count]: one for the first, one for the rest."""
    return concat([expand_dims(first, 0), tile(expand_dims(rest, 0), [count - 1])], 0)


def _cosine_1(x: Tensor, norm: str | None) -> Tensor:
    return real(rfft(concat([x, x[..., -2:0:-1]], -1)))


def _cosine_2(x: Tensor, norm: str | None) -> Tensor:
    kind, count = x.dtype.base_dtype, shape(x)[-1]
    spectrum = rfft(x, [count * 2])[..., :count]
    found = real(multiply(spectrum, _turns(count, kind, -1.0)))
    if norm is None:
        return found
    first = multiply(constant(0.5, kind), rsqrt(cast(count, kind)))
    return multiply(found, _norms(count, first, multiply(first, math.sqrt(2.0))))


def _cosine_3(x: Tensor, norm: str | None) -> Tensor:
    kind, count = x.dtype.base_dtype, shape(x)[-1]
    if norm is None:
        x = multiply(x, cast(count, kind))
    else:
        first = sqrt(cast(count, kind))
        x = multiply(x, _norms(count, first, multiply(first, math.sqrt(0.5))))
    turned = multiply(_turns(count, kind, 1.0), complex_of(x, zeros_like(x)))
    return irfft(turned, [count * 2])[..., :count]


def _cosine_4(x: Tensor, norm: str | None) -> Tensor:
    """Take every second value of a transform of twice the length."""
    kind, count = x.dtype.base_dtype, shape(x)[-1]
    axes = tensor_range(shape(shape(x))[0] - 1) * 0
    doubled = pad(x, expand_dims(concat([axes, [count]], 0), 1) * [[0, 1]])
    found = _cosine_2(doubled, None)[..., 1::2]
    if norm is None:
        return found
    return multiply(found, multiply(constant(math.sqrt(0.5), kind), rsqrt(cast(count, kind))))


_COSINES: dict[int, Callable[[Tensor, str | None], Tensor]] = {1: _cosine_1, 2: _cosine_2, 3: _cosine_3, 4: _cosine_4}

_BREAK_HERTZ = 700.0
_MELS_PER_LOG = 1127.0


def linear_to_mel_weight_matrix(
    num_mel_bins: Any = 20, num_spectrogram_bins: Any = 129, sample_rate: Any = 8000, lower_edge_hertz: float = 125.0,
    upper_edge_hertz: float = 3800.0, dtype: Any = dtypes.float32, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return the matrix [num_spectrogram_bins, num_mel_bins] that takes spectra to triangles of the mel scale.

    Args:
      num_mel_bins: how many triangles.
      num_spectrogram_bins: how many frequencies, from 0 to half of the sample rate.
      sample_rate: samples a second.
      lower_edge_hertz: where the first triangle begins.
      upper_edge_hertz: where the last triangle ends.
      dtype: a floating type.

    Raises:
      ValueError: for a count or a frequency out of range.
    """
    with name_scope(name, "linear_to_mel_weight_matrix"):
        kind = as_dtype(dtype)
        _check_mel(num_mel_bins, sample_rate, lower_edge_hertz, upper_edge_hertz, kind)
        nyquist = realdiv(cast(convert_to_tensor(sample_rate, name="sample_rate"), kind), 2.0)
        # The constant part of a spectrum belongs to no triangle.
        bins = expand_dims(_mel(linspace(constant(0.0, kind), nyquist, num_spectrogram_bins)[1:]), 1)
        low, high = (_mel(convert_to_tensor(edge, kind)) for edge in (lower_edge_hertz, upper_edge_hertz))
        edges = frame(linspace(low, high, num_mel_bins + 2), frame_length=3, frame_step=1)
        lower, centre, upper = (reshape(edge, [1, num_mel_bins]) for edge in split(edges, 3, axis=1))
        rising = realdiv(subtract(bins, lower), subtract(centre, lower))
        falling = realdiv(subtract(upper, bins), subtract(upper, centre))
        return pad(maximum(constant(0.0, kind), minimum(rising, falling)), [[1, 0], [0, 0]])


def _check_mel(bins: Any, rate: Any, low: float, high: float, kind: DType) -> None:
    if isinstance(bins, int) and bins <= 0:
        raise ValueError(f"num_mel_bins must be positive. Got: {bins}")
    if low < 0.0:
        raise ValueError(f"lower_edge_hertz must be non-negative. Got: {low}")
    if low >= high:
        raise ValueError(f"lower_edge_hertz {low:.1f} >= upper_edge_hertz {high:.1f}")
    if isinstance(rate, int | float) and rate <= 0:
        raise ValueError(f"sample_rate must be positive. Got: {rate}")
    if isinstance(rate, int | float) and high > rate / 2:
        raise ValueError(
            f"upper_edge_hertz must not be larger than the Nyquist frequency (sample_rate / 2). Got: {high}"
        )
    if not kind.is_floating:
        raise ValueError(f"dtype must be a floating point type. Got: {kind!r}")


def _mel(hertz: Tensor) -> Tensor:
    return multiply(log(1.0 + realdiv(hertz, _BREAK_HERTZ)), _MELS_PER_LOG)


def mfccs_from_log_mel_spectrograms(log_mel_spectrograms: Any, name: str | None = None) -> Tensor:
    """Return cepstral coefficients [..., mel_bins] of logarithms [..., mel_bins] of mel spectra.

    Raises:
      ValueError: when there are no mel bins.
    """
    with name_scope(name, "mfccs_from_log_mel_spectrograms", [log_mel_spectrograms]):
        x = convert_to_tensor(log_mel_spectrograms)
        if x.dims is not None and x.dims[-1] == 0:
            raise ValueError("num_mel_bins must be positive. Got: 0")
        bins = cast(shape(x)[-1], x.dtype)
        return multiply(dct(x, type=2), rsqrt(multiply(bins, 2.0)))
