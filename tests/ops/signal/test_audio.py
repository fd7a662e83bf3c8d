"""Spectrograms and cepstral coefficients of sound: held to sums written out, and their refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import millstream as tf
from support.opcheck import Row, row_tests, table

AUDIO = tf.contrib.framework.python.ops.audio_ops
RNG = np.random.default_rng(3)
SAMPLES, SQUARES = RNG.normal(size=(50, 2)).astype("f"), RNG.normal(size=(2, 3, 33)).astype("f") ** 2


def spectrogram(samples: Any, window: int = 12, stride: int = 5, power: int = 1) -> Any:
    """Take windows one by one, and frequencies by their definition."""
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    turns = np.exp(-2j * np.pi * np.outer(np.arange(9), np.arange(window)) / 16)
    starts = range(0, len(samples) - window + 1, stride)
    return np.array([[np.abs(turns @ (hann * samples[s : s + window, c])) ** power for s in starts] for c in (0, 1)])


def mel(hertz: float) -> float:
    return 1127 * float(np.log1p(hertz / 700))


def coefficients(
    squares: Any, rate: int, count: int = 5, wanted: int = 4, low: float = 50.0, high: float = 900.0
) -> Any:
    """Share each frequency between the two nearest of `count` centres, then take logarithms and cosines."""
    step = rate / 2 / (squares.shape[-1] - 1)
    centres = [mel(low) + i * (mel(high) - mel(low)) / (count + 1) for i in range(count + 2)]
    channels = np.zeros((*squares.shape[:-1], count))
    for i in range(int(1.5 + low / step), int(high / step) + 1):
        right = next(k for k in range(1, count + 2) if centres[k] >= mel(i * step))
        share = (centres[right] - mel(i * step)) / (centres[right] - centres[right - 1])
        for k, part in ((right - 1, share), (right, 1 - share)):
            if 1 <= k <= count:
                channels[..., k - 1] += part * np.sqrt(squares[..., i])
    cosines = np.cos(np.pi / count * np.outer(np.arange(wanted), np.arange(count) + 0.5)) * np.sqrt(2 / count)
    return np.log(np.maximum(channels, 1e-12)) @ cosines.T


ROWS = table(
    Row("AudioSpectrogram", lambda x: AUDIO.audio_spectrogram(x, 12, 5), [SAMPLES], spectrogram, dtypes=("float32",),
        error=20.0),
    Row("AudioSpectrogram", lambda x: AUDIO.audio_spectrogram(x, 12, 5, True), [SAMPLES],
        lambda x: spectrogram(x, power=2), dtypes=("float32",), error=20.0, label="squared"),
    Row("Mfcc", lambda x, rate: AUDIO.mfcc(x, rate, 900.0, 50.0, 5, 4), [SQUARES, np.array(2000, "i4")],
        coefficients, dtypes=("float32",), error=50.0),
)  # fmt: skip
test_forward, test_in_sessions = row_tests(ROWS)[:2]


def test_sound_that_is_too_short_has_no_windows() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        found = AUDIO.audio_spectrogram(SAMPLES[:10], 12, 5)
        assert found.shape.as_list() == [2, 0, 9] == list(session.run(found).shape)


@pytest.mark.parametrize(
    ("window", "stride", "words"), [(1, 2, "window size must be > 1"), (4, 0, "stride must be strictly")]
)
def test_windows_that_cannot_slide(window: int, stride: int, words: str) -> None:
    with tf.Graph().as_default(), pytest.raises(ValueError, match=words):
        AUDIO.audio_spectrogram(SAMPLES, window, stride)


REFUSED = [{"upper_frequency_limit": 1200}, {"dct_coefficient_count": 50}, {"filterbank_channel_count": 0},
           {"lower_frequency_limit": -1.0}, {"sample_rate": -1}]  # fmt: skip


@pytest.mark.parametrize("options", REFUSED, ids=lambda options: next(iter(options)))
def test_limits_that_the_spectrogram_does_not_reach(options: dict[str, Any]) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        found = AUDIO.mfcc(SQUARES, **{"sample_rate": 2000, "upper_frequency_limit": 900.0} | options)
        with pytest.raises(tf.errors.InvalidArgumentError, match="Mfcc initialization failed for channel count 33"):
            session.run(found)
