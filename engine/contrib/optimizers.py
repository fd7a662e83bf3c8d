"""`tf.contrib.opt`: relatives of Adam and momentum."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ...ops.array import gather
from ...ops.core.convert import constant, convert_to_tensor
from ...ops.core.indexed_slices import IndexedSlices
from ...ops.math import abs as absolute
from ...ops.math import greater, maximum, reduce_sum, sqrt, square, where
from ...ops.state import group
from ...ops.state.apply import APPLY
from ...ops.state.public import scatter_update
from ..train.adam import AdamOptimizer
from ..train.optimizer import Optimizer
from ..train.slots import is_resource
from ..train.slotted import SlottedOptimizer


def _moved_rows(var: Any, indices: Any, change: Any) -> Any:
    return var.scatter_sub(IndexedSlices(change, indices)).op


class LazyAdamOptimizer(AdamOptimizer):
    """Adam that leaves the moments of rows without a gradient as they are; for large sparse variables."""

    def _apply_rows(self, grad: Any, var: Any, indices: Any, add_rows: Callable[..., Any]) -> Any:
        known = {key: self._typed(tensor, var) for key, tensor in self._tensors.items()}
        powers = self._extras(var)
        rate = known["lr"] * sqrt(1 - powers["beta2_power"]) / (1 - powers["beta1_power"])
        slots = self.get_slot(var, "m"), self.get_slot(var, "v")
        m = known["beta1"] * gather(slots[0], indices) + (1 - known["beta1"]) * grad
        v = known["beta2"] * gather(slots[1], indices) + (1 - known["beta2"]) * square(grad)
        kept = [scatter_update(slot, indices, rows) for slot, rows in zip(slots, (m, v), strict=True)]
        return group(*kept, _moved_rows(var, indices, rate * m / (sqrt(v) + known["epsilon"])))


class NadamOptimizer(AdamOptimizer):
    """Adam with Nesterov's momentum."""

    def _attrs(self) -> dict[str, Any]:
        return {**super()._attrs(), "use_nesterov": True}

    def _apply_rows(self, grad: Any, var: Any, indices: Any, add_rows: Callable[..., Any]) -> Any:
        known = {key: self._typed(tensor, var) for key, tensor in self._tensors.items()}
        powers = self._extras(var)
        rate = known["lr"] * sqrt(1 - powers["beta2_power"]) / (1 - powers["beta1_power"])
        part = grad * (1 - known["beta1"])
        m = self._decayed(self.get_slot(var, "m"), known["beta1"], part, indices, add_rows)
        v = self._decayed(
            self.get_slot(var, "v"), known["beta2"], grad * grad * (1 - known["beta2"]), indices, add_rows
        )
        ahead = part + known["beta1"] * gather(m, indices)
        return group(m, v, _moved_rows(var, indices, rate * ahead / (sqrt(gather(v, indices)) + known["epsilon"])))


class AdaMaxOptimizer(AdamOptimizer):
    """Adam with the greatest gradient of the past, which decays, in place of the second moment."""

    _step = "AdaMax"

    def __init__(
        self, learning_rate: Any = 0.001, beta1: Any = 0.9, beta2: Any = 0.999, epsilon: Any = 1e-8, use_locking: bool = False,
        name: str = "AdaMax",
    ) -> None:  # fmt: skip
        super().__init__(learning_rate, beta1, beta2, epsilon, use_locking, name)

    def _apply_rows(self, grad: Any, var: Any, indices: Any, add_rows: Callable[..., Any]) -> Any:
        known = {key: self._typed(tensor, var) for key, tensor in self._tensors.items()}
        slots = self.get_slot(var, "m"), self.get_slot(var, "v")
        m = known["beta1"] * gather(slots[0], indices) + (1 - known["beta1"]) * grad
        v = maximum(known["beta2"] * gather(slots[1], indices), absolute(grad))
        kept = [scatter_update(slot, indices, rows) for slot, rows in zip(slots, (m, v), strict=True)]
        rate = known["lr"] / (1 - self._extras(var)["beta1_power"])
        return group(*kept, _moved_rows(var, indices, rate * m / (v + known["epsilon"])))


class LARSOptimizer(Optimizer):
    """Momentum whose rate is scaled, layer by layer, by the ratio of the weights' norm to the gradient's.

    Args:
      weight_decay: added to the gradient as `weight_decay * variable`.
      eeta: the trust in a layer.
      skip_list: parts of names of variables that are neither scaled nor decayed.
    """

    def __init__(
        self, learning_rate: Any, momentum: float = 0.9, weight_decay: float = 0.0001, eeta: float = 0.001,
        epsilon: float = 0.0, name: str = "LARSOptimizer", skip_list: Any = None, use_nesterov: bool = False,
    ) -> None:  # fmt: skip
        if momentum < 0.0:
            raise ValueError(f"momentum should be positive: {momentum}")
        if weight_decay < 0.0:
            raise ValueError(f"weight_decay should be positive: {weight_decay}")
        super().__init__(False, name)
        self._learning_rate, self._momentum, self._weight_decay = learning_rate, momentum, weight_decay
        self._eeta, self._epsilon, self._skip_list, self._nesterov = eeta, epsilon, skip_list, use_nesterov

    def _create_slots(self, var_list: list[Any]) -> None:
        for var in var_list:
            self._zeros_slot(var, "momentum", self._name)

    def _prepare(self) -> None:
        self._rate = convert_to_tensor(self._call_if_callable(self._learning_rate), name="learning_rate")
        self._momentum_tensor = convert_to_tensor(self._call_if_callable(self._momentum), name="momentum")

    def compute_lr(self, grad: Any, var: Any) -> tuple[Any, Any]:
        """Return the rate for a variable, and its gradient with weight decay."""
        rate = self._typed(self._rate, var)
        if self._skip_list is not None and any(part in var.name for part in self._skip_list):
            return rate, grad
        weights, slope = (sqrt(reduce_sum(square(t))) for t in (var.value(), grad))
        one = constant(1.0, weights.dtype)
        trust = self._eeta * weights / (slope + self._weight_decay * weights + self._epsilon)
        trust = where(greater(weights, 0), where(greater(slope, 0), trust, one), one)
        return rate * trust, grad + self._weight_decay * var

    def _step(self, grad: Any, var: Any) -> Any:
        rate, grad = self.compute_lr(grad, var)
        prefix = "ResourceApply" if is_resource(var) else "Apply"
        variables = [var, self.get_slot(var, "momentum")]
        held = [v.handle for v in variables] if is_resource(var) else variables
        return APPLY[f"{prefix}Momentum"].node(
            *held, rate, grad, self._typed(self._momentum_tensor, var), use_locking=False, use_nesterov=self._nesterov
        )

    def _apply_dense(self, grad: Any, var: Any) -> Any:
        return self._step(grad, var)

    def _resource_apply_dense(self, grad: Any, handle: Any) -> Any:
        return self._step(grad, handle)


class _SignOptimizer(SlottedOptimizer):
    """An optimiser that moves more where the gradient agrees in sign with its mean."""

    _slot_names = ("m",)

    def __init__(self, learning_rate: Any, beta: float, sign_decay_fn: Any, use_locking: bool, name: str) -> None:
        super().__init__(use_locking, name)
        self._lr, self._beta, self._sign_decay_fn = learning_rate, beta, sign_decay_fn
        self._global_step: Any = None

    def apply_gradients(self, grads_and_vars: Any, global_step: Any = None, name: str | None = None) -> Any:
        """Return an operation that applies gradients; a decay of the sign's weight needs `global_step`."""
        if self._sign_decay_fn is not None and global_step is None:
            raise ValueError("global_step is required for the sign_decay_fn")
        self._global_step = global_step
        return super().apply_gradients(grads_and_vars, global_step=global_step, name=name)

    def _sign_decay(self) -> Any:
        return 1.0 if self._sign_decay_fn is None else self._sign_decay_fn(self._global_step)


class AddSignOptimizer(_SignOptimizer):
    """Moves by `gradient * (alpha + decay * sign(gradient) * sign(mean gradient))`."""

    _step = "AddSign"

    def __init__(
        self, learning_rate: Any = 0.1, alpha: float = 1.0, beta: float = 0.9, sign_decay_fn: Any = None,
        use_locking: bool = False, name: str = "AddSignOptimizer",
    ) -> None:  # fmt: skip
        super().__init__(learning_rate, beta, sign_decay_fn, use_locking, name)
        self._alpha = alpha

    def _settings(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("lr", "learning_rate", self._lr), ("beta", "beta", self._beta), ("alpha", "alpha", self._alpha),
            ("sign_decay", "sign_decay", self._sign_decay()),
        )  # fmt: skip


class PowerSignOptimizer(_SignOptimizer):
    """Moves by `gradient * base ** (decay * sign(gradient) * sign(mean gradient))`."""

    _step = "PowerSign"

    def __init__(
        self, learning_rate: Any = 0.1, base: float = math.e, beta: float = 0.9, sign_decay_fn: Any = None,
        use_locking: bool = False, name: str = "PowerSignOptimizer",
    ) -> None:  # fmt: skip
        super().__init__(learning_rate, beta, sign_decay_fn, use_locking, name)
        self._logbase = math.log(base)

    def _settings(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("lr", "learning_rate", self._lr), ("beta", "beta", self._beta), ("logbase", "logbase", self._logbase),
            ("sign_decay", "sign_decay", self._sign_decay()),
        )  # fmt: skip
