"""Decoupled weight decay: optimisers that shrink the weights themselves, and not by way of the gradients (AdamW)."""

from __future__ import annotations

from typing import Any

from ...ops.array import gather
from ...ops.core.convert import convert_to_tensor
from ...ops.core.graph import get_default_graph
from ...ops.core.indexed_slices import IndexedSlices
from ..train.adam import AdamOptimizer
from ..train.momentum import MomentumOptimizer


class DecoupledWeightDecayExtension:
    """To be mixed into an optimiser: subtracts `weight_decay` times the variable before each step.

    With sparse gradients only the rows that they have are shrunk. The decay is not multiplied by the learning rate: a schedule
    for the one wants the same schedule for the other.
    """

    def __init__(self, weight_decay: Any, **kwargs: Any) -> None:
        self._decay_var_list: set[Any] | None = None
        self._weight_decay = weight_decay
        super().__init__(**kwargs)

    def minimize(self, loss: Any, *args: Any, decay_var_list: Any = None, **kwargs: Any) -> Any:
        """Return an operation that shrinks the variables (those of `decay_var_list`, where it is given) and trains a step."""
        self._decay_var_list = set(decay_var_list) if decay_var_list else None
        return super().minimize(loss, *args, **kwargs)  # type: ignore[misc]

    def apply_gradients(self, grads_and_vars: Any, *args: Any, decay_var_list: Any = None, **kwargs: Any) -> Any:
        """Return an operation that shrinks the variables (those of `decay_var_list`, where it is given) and applies gradients."""
        self._decay_var_list = set(decay_var_list) if decay_var_list else self._decay_var_list
        return super().apply_gradients(grads_and_vars, *args, **kwargs)  # type: ignore[misc]

    def _prepare(self) -> None:
        given = self._weight_decay
        self._decay_tensor: Any = convert_to_tensor(given() if callable(given) else given, name="weight_decay")
        super()._prepare()  # type: ignore[misc]

    def _decays(self, var: Any) -> bool:
        return self._decay_var_list is None or var in self._decay_var_list

    def _shrunk(self, var: Any) -> list[Any]:
        if not self._decays(var):
            return []
        decay = self._typed(self._decay_tensor, var)  # type: ignore[attr-defined]
        return [var.assign_sub(decay * var, self._use_locking).op]  # type: ignore[attr-defined]

    def _shrunk_rows(self, var: Any, indices: Any) -> list[Any]:
        if not self._decays(var):
            return []
        decay = self._typed(self._decay_tensor, var)  # type: ignore[attr-defined]
        return [var.scatter_sub(IndexedSlices(decay * gather(var, indices), indices)).op]

    def _apply_dense(self, grad: Any, var: Any) -> Any:
        with get_default_graph().control_dependencies(self._shrunk(var)):
            return super()._apply_dense(grad, var)  # type: ignore[misc]

    def _resource_apply_dense(self, grad: Any, handle: Any) -> Any:
        with get_default_graph().control_dependencies(self._shrunk(handle)):
            return super()._resource_apply_dense(grad, handle)  # type: ignore[misc]

    def _apply_sparse(self, grad: Any, var: Any) -> Any:
        with get_default_graph().control_dependencies(self._shrunk_rows(var, grad.indices)):
            return super()._apply_sparse(grad, var)  # type: ignore[misc]

    def _resource_apply_sparse(self, grad: Any, handle: Any, indices: Any) -> Any:
        with get_default_graph().control_dependencies(self._shrunk_rows(handle, indices)):
            return super()._resource_apply_sparse(grad, handle, indices)  # type: ignore[misc]


def extend_with_decoupled_weight_decay(base_optimizer: type) -> type:
    """Return a class of optimiser with weight decay: `cls(weight_decay, …)` takes the arguments of `base_optimizer` after it."""

    class OptimizerWithDecoupledWeightDecay(DecoupledWeightDecayExtension, base_optimizer):  # type: ignore[misc]
        """The base optimiser with decoupled weight decay."""

        def __init__(self, weight_decay: Any, *args: Any, **kwargs: Any) -> None:
            self._decay_var_list = None
            self._weight_decay = weight_decay
            super(DecoupledWeightDecayExtension, self).__init__(*args, **kwargs)

    return OptimizerWithDecoupledWeightDecay


class AdamWOptimizer(DecoupledWeightDecayExtension, AdamOptimizer):
    """Adam with decoupled weight decay."""

    def __init__(
        self, weight_decay: Any, learning_rate: Any = 0.001, beta1: Any = 0.9, beta2: Any = 0.999, epsilon: Any = 1e-8,
        use_locking: bool = False, name: str = "AdamW",
    ) -> None:  # fmt: skip
        super().__init__(
            weight_decay, learning_rate=learning_rate, beta1=beta1, beta2=beta2, epsilon=epsilon, use_locking=use_locking,
            name=name,
        )  # fmt: skip


class MomentumWOptimizer(DecoupledWeightDecayExtension, MomentumOptimizer):
    """Momentum with decoupled weight decay."""

    def __init__(
        self, weight_decay: Any, learning_rate: Any, momentum: Any, use_locking: bool = False, name: str = "MomentumW",
        use_nesterov: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(
            weight_decay, learning_rate=learning_rate, momentum=momentum, use_locking=use_locking, name=name,
            use_nesterov=use_nesterov,
        )  # fmt: skip
