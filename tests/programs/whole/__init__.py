"""Whole programs in the manner of TensorFlow 1's tutorials, one function each, listed in PROGRAMS."""

from . import decisions, distances, generative, images, models, optimization, pipelines, sequences
from .registry import PROGRAMS

__all__ = [
    "PROGRAMS",
    "decisions",
    "distances",
    "generative",
    "images",
    "models",
    "optimization",
    "pipelines",
    "sequences",
]
