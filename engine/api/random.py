"""`tf.random`."""

from ...ops.random import (
    get_seed,
    multinomial,
    random_categorical,
    random_gamma,
    random_normal,
    random_shuffle,
    random_uniform,
    set_random_seed,
    truncated_normal,
)

categorical = random_categorical
gamma = random_gamma
normal = random_normal
shuffle = random_shuffle
uniform = random_uniform

__all__ = [
    "categorical", "gamma", "get_seed", "multinomial", "normal", "set_random_seed", "shuffle", "truncated_normal", "uniform",
]  # fmt: skip
