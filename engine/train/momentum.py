"""Momentum, plain and Nesterov's."""

from __future__ import annotations

from typing import Any

from .slotted import SlottedOptimizer


class MomentumOptimizer(SlottedOptimizer):
    """Adds up gradients with decay `momentum`, and moves by the sum times the learning rate."""

    _step = "Momentum"
    _slot_names = ("momentum",)

    def __init__(
        self,
        learning_rate: Any,
        momentum: Any,
        use_locking: bool = False,
        name: str = "Momentum",
        use_nesterov: bool = False,
    ) -> None:
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._momentum = momentum
        self._use_nesterov = use_nesterov

    def _settings(self) -> tuple[tuple[str, str, Any], ...]:
        return ("lr", "learning_rate", self._learning_rate), ("momentum", "momentum", self._momentum)

    def _attrs(self) -> dict[str, Any]:
        return {"use_locking": self._use_locking, "use_nesterov": self._use_nesterov}
