"""Signals: Fourier and cosine transforms, windows, frames, short-time spectra and mel scales.

`__all__` names what people type after `tf.`; the rest belongs to `tf.signal` and `tf.spectral`.
"""

from .audio import audio_spectrogram as audio_spectrogram
from .audio import mfcc as mfcc
from .frames import fftshift as fftshift
from .frames import frame as frame
from .frames import ifftshift as ifftshift
from .frames import overlap_and_add as overlap_and_add
from .spectra import dct as dct
from .spectra import idct as idct
from .spectra import inverse_mdct as inverse_mdct
from .spectra import inverse_stft as inverse_stft
from .spectra import inverse_stft_window_fn as inverse_stft_window_fn
from .spectra import linear_to_mel_weight_matrix as linear_to_mel_weight_matrix
from .spectra import mdct as mdct
from .spectra import mfccs_from_log_mel_spectrograms as mfccs_from_log_mel_spectrograms
from .spectra import stft as stft
from .transforms import fft, fft2d, fft3d, ifft, ifft2d, ifft3d
from .transforms import irfft as irfft
from .transforms import irfft2d as irfft2d
from .transforms import irfft3d as irfft3d
from .transforms import rfft as rfft
from .transforms import rfft2d as rfft2d
from .transforms import rfft3d as rfft3d
from .windows import hamming_window as hamming_window
from .windows import hann_window as hann_window
from .windows import kaiser_bessel_derived_window as kaiser_bessel_derived_window
from .windows import kaiser_window as kaiser_window
from .windows import vorbis_window as vorbis_window

__all__ = ["fft", "fft2d", "fft3d", "ifft", "ifft2d", "ifft3d"]
