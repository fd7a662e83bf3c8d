"""`tf.contrib.opt`."""

from ...contrib.external import ExternalOptimizerInterface, ScipyOptimizerInterface
from ...contrib.optimizers import (
    AdaMaxOptimizer,
    AddSignOptimizer,
    LARSOptimizer,
    LazyAdamOptimizer,
    NadamOptimizer,
    PowerSignOptimizer,
)
from ...contrib.weight_decay import (
    AdamWOptimizer,
    DecoupledWeightDecayExtension,
    MomentumWOptimizer,
    extend_with_decoupled_weight_decay,
)
from ...contrib.wrappers import MovingAverageOptimizer, VariableClippingOptimizer

__all__ = [
    "AdaMaxOptimizer", "AdamWOptimizer", "AddSignOptimizer", "DecoupledWeightDecayExtension", "ExternalOptimizerInterface",
    "LARSOptimizer", "LazyAdamOptimizer", "MomentumWOptimizer", "MovingAverageOptimizer", "NadamOptimizer",
    "PowerSignOptimizer", "ScipyOptimizerInterface", "VariableClippingOptimizer", "extend_with_decoupled_weight_decay",
]  # fmt: skip
