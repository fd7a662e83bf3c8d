"""Adam: moments of the gradient, with their bias corrected by running powers of the decays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...ops.core.graph import get_default_graph
from ...ops.core.node import Tensor
from ...ops.math import sqrt
from ...ops.state import group
from ...ops.state.public import assign, assign_sub, scatter_add
from .slotted import SlottedOptimizer


class AdamOptimizer(SlottedOptimizer):
    """Moves by the first moment over the root of the second, both averaged with decays `beta1` and `beta2`.

    With sparse gradients the moments of every row decay, and every row moves, as in TensorFlow.
    """

    _step = "Adam"
    _slot_names = ("m", "v")

    def __init__(
        self, learning_rate: Any = 0.001, beta1: Any = 0.9, beta2: Any = 0.999, epsilon: Any = 1e-8, use_locking: bool = False,
        name: str = "Adam",
    ) -> None:  # fmt: skip
        super().__init__(use_locking, name)
        self._lr = learning_rate
        self._beta1 = beta1
        self._beta2 = beta2
        self._epsilon = epsilon

    def _settings(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("lr", "learning_rate", self._lr), ("beta1", "beta1", self._beta1), ("beta2", "beta2", self._beta2),
            ("epsilon", "epsilon", self._epsilon),
        )  # fmt: skip

    def _get_beta_accumulators(self) -> tuple[Any, Any]:
        return self._get_non_slot_variable("beta1_power"), self._get_non_slot_variable("beta2_power")

    def _create_slots(self, var_list: list[Any]) -> None:
        first = min(var_list, key=lambda v: v.name)
        for name, value in (("beta1_power", self._beta1), ("beta2_power", self._beta2)):
            self._create_non_slot_variable(self._call_if_callable(value), name, first)
        super()._create_slots(var_list)

    def _extras(self, var: Any) -> dict[str, Any]:
        beta1_power, beta2_power = self._get_beta_accumulators()
        return {"beta1_power": self._typed(beta1_power, var), "beta2_power": self._typed(beta2_power, var)}

    def _apply_sparse(self, grad: Any, var: Any) -> Any:
        return self._apply_rows(grad.values, var, grad.indices, scatter_add)

    def _resource_apply_sparse(self, grad: Any, handle: Any, indices: Any) -> Any:
        return self._apply_rows(grad, handle, indices, scatter_add)

    def _apply_rows(self, grad: Any, var: Any, indices: Any, add_rows: Callable[..., Any]) -> Any:
        known = {key: self._typed(tensor, var) for key, tensor in self._tensors.items()}
        powers = self._extras(var)
        rate = known["lr"] * sqrt(1 - powers["beta2_power"]) / (1 - powers["beta1_power"])
        m = self._decayed(self.get_slot(var, "m"), known["beta1"], grad * (1 - known["beta1"]), indices, add_rows)
        v = self._decayed(
            self.get_slot(var, "v"), known["beta2"], grad * grad * (1 - known["beta2"]), indices, add_rows
        )
        root = sqrt(v)
        moved = assign_sub(var, rate * m / (root + known["epsilon"]), use_locking=self._use_locking)
        return group(moved, m, v)

    def _decayed(self, slot: Any, decay: Any, added: Any, indices: Any, add_rows: Callable[..., Any]) -> Any:
        whole = assign(slot, slot * decay, use_locking=self._use_locking)
        with get_default_graph().control_dependencies([whole]):
            return add_rows(slot, indices, added)

    def _finish(self, update_ops: list[Any], name_scope: str) -> Any:
        graph = get_default_graph()
        with graph.control_dependencies(update_ops):
            beta1_power, beta2_power = self._get_beta_accumulators()
            with graph.colocate_with(beta1_power):
                powers = [self._advanced(beta1_power, "beta1"), self._advanced(beta2_power, "beta2")]
        return group(*update_ops, *powers, name=name_scope)

    def _advanced(self, power: Any, decay: str) -> Any:
        value: Tensor = power * self._tensors[decay]
        return power.assign(value, use_locking=self._use_locking)
