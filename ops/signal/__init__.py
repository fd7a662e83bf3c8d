"""Signals: Fourier and cosine transforms, windows, frames, short-time spectra and mel scales.

`__all__` names what people type after `tf.`; the rest belongs to `tf.signal` and `tf.spectral`.
"""

from .transforms import fft, fft2d, fft3d, ifft, ifft2d, ifft3d
from .transforms import irfft as irfft
from .transforms import irfft2d as irfft2d
from .transforms import irfft3d as irfft3d
from .transforms import rfft as rfft
from .transforms import rfft2d as rfft2d
from .transforms import rfft3d as rfft3d

__all__ = ["fft", "fft2d", "fft3d", "ifft", "ifft2d", "ifft3d"]
