"""`tf.train`: optimisers and what training programs keep."""

from .adagrad_da import AdagradDAOptimizer
from .adam import AdamOptimizer
from .adaptive import AdadeltaOptimizer, AdagradOptimizer, FtrlOptimizer, ProximalAdagradOptimizer, RMSPropOptimizer
from .gradient_descent import GradientDescentOptimizer, ProximalGradientDescentOptimizer
from .learning_rate_decay import *  # noqa: F403
from .learning_rate_decay import __all__ as _decays
from .momentum import MomentumOptimizer
from .moving_averages import ExponentialMovingAverage
from .optimizer import Optimizer
from .training_util import (
    assert_global_step,
    create_global_step,
    get_global_step,
    get_or_create_global_step,
    global_step,
)

__all__ = [
    "AdadeltaOptimizer", "AdagradDAOptimizer", "AdagradOptimizer", "AdamOptimizer", "ExponentialMovingAverage", "FtrlOptimizer",
    "GradientDescentOptimizer", "MomentumOptimizer", "Optimizer", "ProximalAdagradOptimizer",
    "ProximalGradientDescentOptimizer", "RMSPropOptimizer", "assert_global_step", "create_global_step", "get_global_step",
    "get_or_create_global_step", "global_step", *_decays,
]  # fmt: skip
