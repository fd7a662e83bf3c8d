"""The sparse cross entropy on a GPU: labels that are no class give NaN, as in TensorFlow's kernel there.

The host's kernel refuses such labels; to find them here, the host would have to wait for the card in every step.
"""

from __future__ import annotations

from ...devices.types import Array, Namespace
from .softmax import log_softmax_op, sparse_softmax_cross_entropy_op

_log_softmax = log_softmax_op.kernels_for("GPU")[0].function


@sparse_softmax_cross_entropy_op.kernel("GPU")
def sparse_cross_entropy(xp: Namespace, features: Array, labels: Array) -> tuple[Array, Array]:
    """The cross entropy of each row with its one true class, and its gradient by the logits."""
    classes = features.shape[1]
    column = labels[:, None]
    chosen = xp.arange(classes) == column
    outside = (column < 0) | (column >= classes)
    logarithms = _log_softmax(xp, features)
    kind = logarithms.dtype.type
    loss = xp.where(outside, kind(float("nan")), -xp.sum(xp.where(chosen, logarithms, kind(0)), axis=-1, keepdims=True))
    backprop = xp.where(outside, kind(float("nan")), xp.exp(logarithms) - chosen)
    return loss[:, 0].astype(features.dtype, copy=False), backprop.astype(features.dtype, copy=False)
