"""AdagradDA: Adagrad by dual averaging, which makes sparse linear models; it needs the global step."""

from __future__ import annotations

from typing import Any

from ...ops.array import identity
from ...ops.core.convert import constant
from ...ops.core.graph import get_default_graph
from ...ops.math import cast
from .slotted import SlottedOptimizer


class AdagradDAOptimizer(SlottedOptimizer):
    """Weighs the sum of all gradients by the root of the sum of their squares; L1 gives weights that are exactly zero.

    `global_step` counts the steps that were taken; the caller has it counted up, by `minimize(…, global_step=…)`.
    """

    _step = "AdagradDA"
    _slot_names = ("gradient_accumulator", "gradient_squared_accumulator")

    def __init__(
        self, learning_rate: Any, global_step: Any, initial_gradient_squared_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0, l2_regularization_strength: float = 0.0, use_locking: bool = False,
        name: str = "AdagradDA",
    ) -> None:  # fmt: skip
        if initial_gradient_squared_accumulator_value <= 0.0:
            raise ValueError(
                f"initial_gradient_squared_accumulator_value must be positive: {initial_gradient_squared_accumulator_value}"
            )
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._global_step = global_step
        self._start = initial_gradient_squared_accumulator_value
        self._l1 = l1_regularization_strength
        self._l2 = l2_regularization_strength

    def _settings(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("lr", "learning_rate", self._learning_rate), ("l1", "l1_regularization_strength", self._l1),
            ("l2", "l2_regularization_strength", self._l2),
        )  # fmt: skip

    def _create_slots(self, var_list: list[Any]) -> None:
        for var in var_list:
            dtype = var.dtype.base_dtype
            with get_default_graph().colocate_with(var):
                starts = [constant(value, dtype, var.shape) for value in (0.0, self._start)]
            for slot, start in zip(self._slot_names, starts, strict=True):
                self._get_or_make_slot(var, start, slot, self._name)

    def _prepare(self) -> None:
        super()._prepare()
        with get_default_graph().colocate_with(self._tensors["lr"]):
            self._next_step = identity(self._global_step) + 1

    def _extras(self, var: Any) -> dict[str, Any]:
        return {"global_step": cast(self._next_step, "int64")}
