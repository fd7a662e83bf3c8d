"""Optimisers whose whole step is one op with slots: the methods that they share.

A kind of optimiser names the op, its slots and its settings in the op's order; dense and sparse gradients, ref and
resource variables are then the four forms of one call.
"""

from __future__ import annotations

from typing import Any

from ...ops.core.convert import convert_to_tensor
from ...ops.state.apply import APPLY, STEPS
from .optimizer import Optimizer
from .slots import is_resource

_INPUTS = {step.name: step.rest.split() for step in STEPS}


class SlottedOptimizer(Optimizer):
    """The base of optimisers that are one Apply… op.

    `_step` is the op's name without its prefix, `_slot_names` the slots in the op's order. `_settings()` returns
    (name of the op's input, node's name, value) in the order in which the constants are made, `_attrs()` the
    op's attributes.
    """

    _step: str
    _slot_names: tuple[str, ...] = ()

    def _settings(self) -> tuple[tuple[str, str, Any], ...]:
        raise NotImplementedError

    def _attrs(self) -> dict[str, Any]:
        return {"use_locking": self._use_locking}

    def _create_slots(self, var_list: list[Any]) -> None:
        for var in var_list:
            for slot in self._slot_names:
                self._zeros_slot(var, slot, self._name)

    def _prepare(self) -> None:
        self._tensors = {
            key: convert_to_tensor(self._call_if_callable(value), name=name) for key, name, value in self._settings()
        }

    def _extras(self, var: Any) -> dict[str, Any]:
        """Return inputs of the op that are neither slots nor settings."""
        return {}

    def _apply(self, prefix: str, var: Any, grad: Any, indices: Any = None) -> Any:
        variables = [var, *(self.get_slot(var, slot) for slot in self._slot_names)]
        held = [v.handle for v in variables] if is_resource(var) else variables
        known = {key: self._typed(tensor, var) for key, tensor in self._tensors.items()} | self._extras(var)
        rest: list[Any] = []
        for name in _INPUTS[self._step]:
            if name not in ("grad", "delta"):
                rest.append(known[name])
            else:
                rest += [grad] if indices is None else [grad, indices]
        return APPLY[prefix + self._step].node(*held, *rest, **self._attrs())

    def _apply_dense(self, grad: Any, var: Any) -> Any:
        return self._apply("Apply", var, grad)

    def _resource_apply_dense(self, grad: Any, handle: Any) -> Any:
        return self._apply("ResourceApply", handle, grad)

    def _apply_sparse(self, grad: Any, var: Any) -> Any:
        return self._apply("SparseApply", var, grad.values, grad.indices)

    def _resource_apply_sparse(self, grad: Any, handle: Any, indices: Any) -> Any:
        return self._apply("ResourceSparseApply", handle, grad, indices)
