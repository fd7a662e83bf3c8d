"""What keras lets programs name by text: activations, initialisers, regularisers and losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...ops import nn
from ...ops.array import reshape, shape
from ...ops.core.node import Tensor
from ...ops.math import abs as absolute
from ...ops.math import cast, clip_by_value, log, reduce_mean, reduce_sum, square, subtract
from ...ops.variables import initializers

EPSILON = 1e-7


class Regularizer:
    """Base class of regularisers, which return a loss for weights."""

    def __call__(self, x: Any) -> Any:
        """Return the loss: none."""
        return 0.0

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Return the regulariser of these arguments."""
        return cls(**config)


class L1L2(Regularizer):
    """A regulariser to `l1` times the sum of absolute weights plus `l2` times the sum of their squares."""

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1, self.l2 = float(l1), float(l2)

    def __call__(self, x: Any) -> Tensor | None:
        losses: list[Any] = []
        if self.l1:
            losses.append(self.l1 * reduce_sum(absolute(x)))
        if self.l2:
            losses.append(self.l2 * reduce_sum(square(x)))
        return None if not losses else losses[0] if len(losses) == 1 else losses[0] + losses[1]

    def get_config(self) -> dict[str, float]:
        """Return the arguments that make an equal regulariser."""
        return {"l1": self.l1, "l2": self.l2}


def l1(l: float = 0.01) -> L1L2:  # noqa: E741  (keras's own name)
    """Return a regulariser to `l` times the sum of absolute weights."""
    return L1L2(l1=l)


def l2(l: float = 0.01) -> L1L2:  # noqa: E741
    """Return a regulariser to `l` times the sum of squared weights."""
    return L1L2(l2=l)


def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    """Return the sum of both."""
    return L1L2(l1, l2)


def linear(x: Any) -> Any:
    """Return the input."""
    return x


ACTIVATIONS: dict[str, Any] = {
    "elu": nn.elu, "linear": linear, "relu": nn.relu, "selu": nn.selu, "sigmoid": nn.sigmoid, "softmax": nn.softmax,
    "softplus": nn.softplus, "softsign": nn.softsign, "tanh": nn.tanh,
}  # fmt: skip
INITIALIZERS: dict[str, Callable[[], Any]] = {
    "glorot_normal": initializers.GlorotNormal, "glorot_uniform": initializers.GlorotUniform,
    "he_normal": initializers.he_normal, "he_uniform": initializers.he_uniform, "identity": initializers.Identity,
    "lecun_normal": initializers.lecun_normal, "lecun_uniform": initializers.lecun_uniform, "ones": initializers.Ones,
    "orthogonal": initializers.Orthogonal, "random_normal": lambda: initializers.RandomNormal(stddev=0.05),
    "random_uniform": lambda: initializers.RandomUniform(-0.05, 0.05),
    "truncated_normal": lambda: initializers.TruncatedNormal(stddev=0.05), "zeros": initializers.Zeros,
}  # fmt: skip
REGULARIZERS: dict[str, Callable[[], Any]] = {"l1": l1, "l2": l2, "l1_l2": l1_l2}


def _probabilities(y: Any) -> Any:
    return clip_by_value(y, EPSILON, 1.0 - EPSILON)


def mean_squared_error(y_true: Any, y_pred: Any) -> Tensor:
    """Return the mean square of differences along the last axis."""
    return reduce_mean(square(subtract(y_pred, cast(y_true, y_pred.dtype))), axis=-1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Tensor:
    """Return the mean absolute difference along the last axis."""
    return reduce_mean(absolute(subtract(y_pred, cast(y_true, y_pred.dtype))), axis=-1)


def categorical_crossentropy(y_true: Any, y_pred: Any) -> Tensor:
    """Return the cross entropy of one-hot labels and probabilities."""
    total = y_pred / reduce_sum(y_pred, -1, keepdims=True)
    return -reduce_sum(cast(y_true, y_pred.dtype) * log(_probabilities(total)), -1)


def sparse_categorical_crossentropy(y_true: Any, y_pred: Any) -> Tensor:
    """Return the cross entropy of class indices and probabilities."""
    labels = reshape(cast(y_true, "int64"), shape(y_pred)[:-1])
    return nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=log(_probabilities(y_pred)))


def binary_crossentropy(y_true: Any, y_pred: Any) -> Tensor:
    """Return the mean cross entropy of probabilities of independent labels."""
    p, wanted = _probabilities(y_pred), cast(y_true, y_pred.dtype)
    return -reduce_mean(wanted * log(p) + (1.0 - wanted) * log(1.0 - p), axis=-1)


LOSSES: dict[str, Callable[[Any, Any], Tensor]] = {
    "binary_crossentropy": binary_crossentropy, "categorical_crossentropy": categorical_crossentropy,
    "mae": mean_absolute_error, "mean_absolute_error": mean_absolute_error, "mean_squared_error": mean_squared_error,
    "mse": mean_squared_error, "sparse_categorical_crossentropy": sparse_categorical_crossentropy,
}  # fmt: skip


def named(table: dict[str, Any], what: str, given: Any, make: bool = True) -> Any:
    """Return what a text names, made by calling where `make`; anything else as it is.

    Raises:
      ValueError: when the text names nothing.
    """
    if not isinstance(given, str):
        return given
    if given.lower() not in table:
        raise ValueError(f"Unknown {what}: {given}; known are {', '.join(table)}")
    found = table[given.lower()]
    return found() if make else found
