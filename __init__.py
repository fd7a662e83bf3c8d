"""Millstream: TensorFlow 1's programming model on NumPy and CuPy."""

from . import devices as devices
