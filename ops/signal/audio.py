"""Sound as keyword spotters see it: spectrograms, and mel-frequency cepstral coefficients of them. On CPUs.

Both are single ops because models are stored with them. They compute in float64 and return float32.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.shapes import Shape, with_rank

# What counts as silence, so that its logarithm is finite.
_FLOOR = 1e-12


def _bins(window: int) -> int:
    """Return how many frequencies the transform of a window has: its length is the next power of two."""
    return 1 + (1 << max(window - 1, 0).bit_length()) // 2


def _spectrogram_shape(node: Operation) -> Shape:
    length, channels = with_rank(node.inputs[0].dims, 2)
    window, stride = node.attrs["window_size"], node.attrs["stride"]
    if window < 2:
        raise ValueError(f"window size must be > 1, got {window}")
    if stride < 1:
        raise ValueError(f"stride must be strictly positive, got {stride}")
    count = None if length is None else _windows(length, window, stride)
    return (channels, count, _bins(window))


def _windows(length: int, window: int, stride: int) -> int:
    return 0 if length < window else 1 + (length - window) // stride


@op("AudioSpectrogram", types="input: float32 -> spectrogram: float32", shape=_spectrogram_shape, devices="CPU")
def audio_spectrogram_op(
    xp: Namespace, input: Array, *, window_size: int, stride: int, magnitude_squared: bool = False
) -> Array:
    """Returns (channels, windows, frequencies): the magnitudes of a Hann window that slides over samples (n, channels)."""
    if input.ndim != 2:
        raise InvalidArgumentError(None, None, f"input must be 2-dimensional: {list(input.shape)}")
    count, bins = _windows(len(input), window_size, stride), _bins(window_size)
    places = stride * np.arange(count)[:, None] + np.arange(window_size)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window_size) / window_size)
    frames = input.T[:, places].astype(np.float64) * hann
    found = np.fft.rfft(frames, 2 * (bins - 1))
    squares: Array = found.real**2 + found.imag**2
    return (squares if magnitude_squared else np.sqrt(squares)).astype(np.float32)


def _mel(frequency: Array | float) -> Array:
    return 1127.0 * np.log1p(np.asarray(frequency) / 700.0)


def _filters(bins: int, rate: int, count: int, low: float, high: float) -> Array:
    """Return (bins, count): the triangles, equal on the mel scale, that each frequency's magnitude is shared among."""
    step = 0.5 * rate / (bins - 1)
    first, last = int(1.5 + low / step), int(high / step)
    lowest, span = _mel(low), _mel(high) - _mel(low)
    centers = lowest + span / (count + 1) * np.arange(1, count + 2)
    places = np.arange(first, last + 1)
    mels = _mel(places * step)
    above = np.minimum(np.searchsorted(centers, mels, side="left"), count)
    before = np.where(above > 0, centers[above - 1], lowest)
    share = (centers[above] - mels) / (centers[above] - before)
    made = np.zeros((bins, count))
    falls, rises = above > 0, above < count
    made[places[falls], above[falls] - 1] = share[falls]
    made[places[rises], above[rises]] += 1 - share[rises]
    return made


def _mfcc_shape(node: Operation) -> Shape:
    channels, samples, _ = with_rank(node.inputs[0].dims, 3)
    with_rank(node.inputs[1].dims, 0)
    return (channels, samples, node.attrs["dct_coefficient_count"])


@op("Mfcc", types="spectrogram: float32, sample_rate: int32 -> output: float32", shape=_mfcc_shape, devices="CPU")
def mfcc_op(
    xp: Namespace, spectrogram: Array, sample_rate: Array, *, upper_frequency_limit: float = 4000.0,
    lower_frequency_limit: float = 20.0, filterbank_channel_count: int = 40, dct_coefficient_count: int = 13,
) -> Array:  # fmt: skip
    """Returns the first cosine coefficients of the logarithms of mel-scaled magnitudes, of squared spectra (.., .., bins)."""
    rate, count, wanted = int(sample_rate), filterbank_channel_count, dct_coefficient_count
    if spectrogram.ndim != 3:
        raise InvalidArgumentError(None, None, f"spectrogram must be 3-dimensional: {list(spectrogram.shape)}")
    bins = spectrogram.shape[2]
    low, high = lower_frequency_limit, upper_frequency_limit
    fits = bins > 1 and rate > 0 and count > 0 and 0 <= low < high and 1 <= wanted <= count
    if not fits or int(high / (0.5 * rate / (bins - 1))) >= bins:
        raise InvalidArgumentError(
            None, None, f"Mfcc initialization failed for channel count {bins}, sample rate {rate}, lower_frequency_limit {low}, "
            f"upper_frequency_limit {high}, filterbank_channel_count {count}, dct_coefficient_count {wanted}",
        )  # fmt: skip
    mel = np.sqrt(spectrogram.astype(np.float64)) @ _filters(bins, rate, count, low, high)
    angles = np.pi / count * np.outer(np.arange(wanted), np.arange(count) + 0.5)
    cosines = math.sqrt(2.0 / count) * np.cos(angles)
    return (np.log(np.maximum(mel, _FLOOR)) @ cosines.T).astype(np.float32)


def audio_spectrogram(
    input: Any, window_size: int, stride: int, magnitude_squared: bool = False, name: str | None = None
) -> Tensor:
    """Return the magnitudes of frequencies over time, float32 (channels, windows, frequencies).

    Args:
      input: samples, float32 (n, channels), as `decode_wav` gives them.
      window_size: how many samples a window sees; spectra are those of the next power of two.
      stride: how far the window moves. magnitude_squared: whether magnitudes are squared, as `mfcc` wants them.

    Raises:
      ValueError: for windows of less than two samples, and strides that are not positive.
    """
    return audio_spectrogram_op(  # type: ignore[no-any-return]
        input, window_size=window_size, stride=stride, magnitude_squared=magnitude_squared, name=name
    )


def mfcc(
    spectrogram: Any, sample_rate: Any, upper_frequency_limit: float = 4000, lower_frequency_limit: float = 20,
    filterbank_channel_count: int = 40, dct_coefficient_count: int = 13, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return mel-frequency cepstral coefficients, float32 (channels, windows, dct_coefficient_count).

    Args:
      spectrogram: squared magnitudes (channels, windows, frequencies). sample_rate: int32, samples a second.
      upper_frequency_limit, lower_frequency_limit: what the mel scale's channels span, in hertz.
      filterbank_channel_count: how many channels there are.

    Raises:
      InvalidArgumentError: in a run, for limits that the spectrogram does not reach, and more coefficients than channels.
    """
    return mfcc_op(  # type: ignore[no-any-return]
        spectrogram, sample_rate, upper_frequency_limit=float(upper_frequency_limit),
        lower_frequency_limit=float(lower_frequency_limit), filterbank_channel_count=filterbank_channel_count,
        dct_coefficient_count=dct_coefficient_count, name=name,
    )  # fmt: skip
