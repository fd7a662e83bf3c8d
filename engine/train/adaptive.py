"""Optimisers that scale each element by the history of its gradients: Adagrad, RMSProp, Adadelta and FTRL."""

from __future__ import annotations

from typing import Any

from ...ops.array import ones_like
from ...ops.core.convert import constant
from ...ops.core.graph import get_default_graph
from ...ops.math import multiply
from ...ops.variables.initializers import Constant, Ones
from .slotted import SlottedOptimizer

Settings = tuple[tuple[str, str, Any], ...]


class AdagradOptimizer(SlottedOptimizer):
    """Divides by the root of the sum of squared gradients."""

    _step = "Adagrad"
    _slot_names = ("accumulator",)

    def __init__(
        self,
        learning_rate: Any,
        initial_accumulator_value: float = 0.1,
        use_locking: bool = False,
        name: str = "Adagrad",
    ) -> None:
        if initial_accumulator_value <= 0.0:
            raise ValueError(f"initial_accumulator_value must be positive: {initial_accumulator_value}")
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._initial_accumulator_value = initial_accumulator_value

    def _settings(self) -> Settings:
        return (("lr", "learning_rate", self._learning_rate),)

    def _create_slots(self, var_list: list[Any]) -> None:
        for var in var_list:
            dtype = var.dtype.base_dtype
            initializer: Any = Constant(self._initial_accumulator_value, dtype)
            if not var.shape.is_fully_defined():
                initializer = multiply(ones_like(var), constant(self._initial_accumulator_value, dtype))
                self._get_or_make_slot(var, initializer, "accumulator", self._name)
            else:
                self._get_or_make_slot_with_initializer(var, initializer, var.shape, dtype, "accumulator", self._name)


class ProximalAdagradOptimizer(AdagradOptimizer):
    """Adagrad followed by the proximal step of L1 and L2 regularisation."""

    _step = "ProximalAdagrad"

    def __init__(
        self, learning_rate: Any, initial_accumulator_value: float = 0.1, l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0, use_locking: bool = False, name: str = "ProximalAdagrad",
    ) -> None:  # fmt: skip
        super().__init__(learning_rate, initial_accumulator_value, use_locking, name)
        self._l1 = l1_regularization_strength
        self._l2 = l2_regularization_strength

    def _create_slots(self, var_list: list[Any]) -> None:
        for var in var_list:
            with get_default_graph().colocate_with(var):
                initial = constant(self._initial_accumulator_value, var.dtype.base_dtype, var.shape)
            self._get_or_make_slot(var, initial, "accumulator", self._name)

    def _settings(self) -> Settings:
        return (
            ("lr", "learning_rate", self._learning_rate), ("l1", "l1_regularization_strength", self._l1),
            ("l2", "l2_regularization_strength", self._l2),
        )  # fmt: skip


class RMSPropOptimizer(SlottedOptimizer):
    """Divides by the root of a running mean of squared gradients; `centered` subtracts the mean first."""

    def __init__(
        self, learning_rate: Any, decay: Any = 0.9, momentum: Any = 0.0, epsilon: Any = 1e-10, use_locking: bool = False,
        centered: bool = False, name: str = "RMSProp",
    ) -> None:  # fmt: skip
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._decay = decay
        self._momentum = momentum
        self._epsilon = epsilon
        self._centered = centered
        self._step = "CenteredRMSProp" if centered else "RMSProp"
        self._slot_names = ("mg", "rms", "momentum") if centered else ("rms", "momentum")

    def _settings(self) -> Settings:
        return (
            ("lr", "learning_rate", self._learning_rate), ("rho", "decay", self._decay),
            ("momentum", "momentum", self._momentum), ("epsilon", "epsilon", self._epsilon),
        )  # fmt: skip

    def _create_slots(self, var_list: list[Any]) -> None:
        for var in var_list:
            dtype = var.dtype.base_dtype
            if var.shape.is_fully_defined():
                self._get_or_make_slot_with_initializer(var, Ones(dtype), var.shape, dtype, "rms", self._name)
            else:
                self._get_or_make_slot(var, ones_like(var), "rms", self._name)
            if self._centered:
                self._zeros_slot(var, "mg", self._name)
            self._zeros_slot(var, "momentum", self._name)


class AdadeltaOptimizer(SlottedOptimizer):
    """Scales by the ratio of running means of squared updates and squared gradients."""

    _step = "Adadelta"
    _slot_names = ("accum", "accum_update")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: Any = 0.95,
        epsilon: Any = 1e-8,
        use_locking: bool = False,
        name: str = "Adadelta",
    ) -> None:
        super().__init__(use_locking, name)
        self._lr = learning_rate
        self._rho = rho
        self._epsilon = epsilon

    def _settings(self) -> Settings:
        return ("lr", "lr", self._lr), ("rho", "rho", self._rho), ("epsilon", "epsilon", self._epsilon)


class FtrlOptimizer(SlottedOptimizer):
    """Follows the regularised leader: L1 gives weights that are exactly zero."""

    _slot_names = ("accum", "linear")

    def __init__(
        self, learning_rate: Any, learning_rate_power: float = -0.5, initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0, l2_regularization_strength: float = 0.0, use_locking: bool = False,
        name: str = "Ftrl", accum_name: str | None = None, linear_name: str | None = None,
        l2_shrinkage_regularization_strength: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(use_locking, name)
        for words, value in (
            ("initial_accumulator_value", initial_accumulator_value), ("l1_regularization_strength", l1_regularization_strength),
            ("l2_regularization_strength", l2_regularization_strength),
            ("l2_shrinkage_regularization_strength", l2_shrinkage_regularization_strength),
        ):  # fmt: skip
            if value < 0.0:
                raise ValueError(f"{words} {value:f} needs to be positive or zero")
        if learning_rate_power > 0.0:
            raise ValueError(f"learning_rate_power {learning_rate_power:f} needs to be negative or zero")
        self._values = {
            "lr": learning_rate, "l1": l1_regularization_strength, "l2": l2_regularization_strength,
            "l2_shrinkage": l2_shrinkage_regularization_strength, "lr_power": learning_rate_power,
        }  # fmt: skip
        self._initial_accumulator_value = initial_accumulator_value
        self._op_names = accum_name or name, linear_name or name
        self._step = "FtrlV2" if l2_shrinkage_regularization_strength > 0 else "Ftrl"

    def _settings(self) -> Settings:
        names = {
            "lr": "learning_rate", "l1": "l1_regularization_strength", "l2": "l2_regularization_strength",
            "l2_shrinkage": "l2_shrinkage_regularization_strength", "lr_power": "learning_rate_power",
        }  # fmt: skip
        return tuple((key, name, self._values[key]) for key, name in names.items())

    def _create_slots(self, var_list: list[Any]) -> None:
        for var in var_list:
            dtype = var.dtype.base_dtype
            initial = Constant(self._initial_accumulator_value, dtype)
            self._get_or_make_slot_with_initializer(var, initial, var.shape, dtype, "accum", self._op_names[0])
            self._zeros_slot(var, "linear", self._op_names[1])
