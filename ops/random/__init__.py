"""Random numbers: Philox 4x32-10, TensorFlow's distributions on it, and the ops that draw from them."""

from .public import (
    multinomial,
    random_categorical,
    random_gamma,
    random_normal,
    random_uniform,
    truncated_normal,
)
from .seeds import get_seed, set_random_seed
from .shuffle import random_shuffle

__all__ = [
    "get_seed",
    "multinomial",
    "random_categorical",
    "random_gamma",
    "random_normal",
    "random_shuffle",
    "random_uniform",
    "set_random_seed",
    "truncated_normal",
]
