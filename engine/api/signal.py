"""`tf.signal`: transforms, windows, frames and spectra; also `tf.contrib.signal`."""

from ...ops.signal import (
    fftshift,
    frame,
    hamming_window,
    hann_window,
    ifftshift,
    inverse_mdct,
    inverse_stft,
    inverse_stft_window_fn,
    kaiser_bessel_derived_window,
    kaiser_window,
    linear_to_mel_weight_matrix,
    mdct,
    mfccs_from_log_mel_spectrograms,
    overlap_and_add,
    stft,
    vorbis_window,
)
from .spectral import *  # noqa: F403
from .spectral import __all__ as _transforms

__all__ = [
    *_transforms, "fftshift", "frame", "hamming_window", "hann_window", "ifftshift", "inverse_mdct", "inverse_stft",
    "inverse_stft_window_fn", "kaiser_bessel_derived_window", "kaiser_window", "linear_to_mel_weight_matrix", "mdct",
    "mfccs_from_log_mel_spectrograms", "overlap_and_add", "stft", "vorbis_window",
]  # fmt: skip
