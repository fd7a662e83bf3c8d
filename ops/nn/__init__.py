"""Neural network ops: public names as people type them after `tf.nn.`."""

from ..math import sigmoid, tanh
from .activations import crelu, elu, leaky_relu, relu, relu6, selu, softplus, softsign, swish
from .bias import bias_add, in_top_k, l2_loss, relu_layer, xw_plus_b
from .conv import conv2d
from .cross_entropy import (
    sigmoid_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits_v2,
    sparse_softmax_cross_entropy_with_logits,
    weighted_cross_entropy_with_logits,
)
from .moments import batch_normalization, l2_normalize, moments, top_k, weighted_moments, zero_fraction
from .pool import avg_pool, max_pool
from .softmax import log_softmax, softmax

__all__ = [
    "avg_pool",
    "batch_normalization",
    "bias_add",
    "conv2d",
    "crelu",
    "elu",
    "in_top_k",
    "l2_loss",
    "l2_normalize",
    "leaky_relu",
    "log_softmax",
    "max_pool",
    "moments",
    "relu",
    "relu6",
    "relu_layer",
    "selu",
    "sigmoid",
    "sigmoid_cross_entropy_with_logits",
    "softmax",
    "softmax_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits_v2",
    "softplus",
    "softsign",
    "sparse_softmax_cross_entropy_with_logits",
    "swish",
    "tanh",
    "top_k",
    "weighted_cross_entropy_with_logits",
    "weighted_moments",
    "xw_plus_b",
    "zero_fraction",
]  # fmt: skip
