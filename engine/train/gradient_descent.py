"""Gradient descent, plain and proximal: optimisers that keep no variables."""

from __future__ import annotations

from typing import Any

from ...ops.core.convert import convert_to_tensor
from ...ops.core.indexed_slices import IndexedSlices
from ...ops.state.apply import APPLY
from ...ops.state.rows import SCATTER
from .optimizer import Optimizer


class GradientDescentOptimizer(Optimizer):
    """Subtracts the gradient times the learning rate."""

    def __init__(self, learning_rate: Any, use_locking: bool = False, name: str = "GradientDescent") -> None:
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate

    def _prepare(self) -> None:
        self._rate = convert_to_tensor(self._call_if_callable(self._learning_rate), name="learning_rate")

    def _apply_dense(self, grad: Any, var: Any) -> Any:
        rate = self._typed(self._rate, var)
        return APPLY["ApplyGradientDescent"].node(var, rate, grad, use_locking=self._use_locking)

    def _resource_apply_dense(self, grad: Any, handle: Any) -> Any:
        rate = self._typed(self._rate, handle)
        return APPLY["ResourceApplyGradientDescent"].node(handle.handle, rate, grad, use_locking=self._use_locking)

    def _apply_sparse_duplicate_indices(self, grad: Any, var: Any) -> Any:
        delta = IndexedSlices(grad.values * self._typed(self._rate, var), grad.indices, grad.dense_shape)
        return var.scatter_sub(delta, use_locking=self._use_locking)

    def _resource_apply_sparse_duplicate_indices(self, grad: Any, handle: Any, indices: Any) -> Any:
        return SCATTER["Add"][1].node(handle.handle, indices, -grad * self._typed(self._rate, handle))


class ProximalGradientDescentOptimizer(Optimizer):
    """Gradient descent followed by the proximal step of L1 and L2 regularisation."""

    def __init__(
        self, learning_rate: Any, l1_regularization_strength: float = 0.0, l2_regularization_strength: float = 0.0,
        use_locking: bool = False, name: str = "ProximalGradientDescent",
    ) -> None:  # fmt: skip
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._l1 = l1_regularization_strength
        self._l2 = l2_regularization_strength

    def _prepare(self) -> None:
        self._rates = (
            convert_to_tensor(self._learning_rate, name="learning_rate"),
            convert_to_tensor(self._l1, name="l1_regularization_strength"),
            convert_to_tensor(self._l2, name="l2_regularization_strength"),
        )

    def _settings(self, var: Any) -> list[Any]:
        return [self._typed(rate, var) for rate in self._rates]

    def _apply_dense(self, grad: Any, var: Any) -> Any:
        decl = APPLY["ApplyProximalGradientDescent"]
        return decl.node(var, *self._settings(var), grad, use_locking=self._use_locking)

    def _resource_apply_dense(self, grad: Any, handle: Any) -> Any:
        decl = APPLY["ResourceApplyProximalGradientDescent"]
        return decl.node(handle.handle, *self._settings(handle), grad, use_locking=self._use_locking)

    def _apply_sparse(self, grad: Any, var: Any) -> Any:
        decl = APPLY["SparseApplyProximalGradientDescent"]
        return decl.node(var, *self._settings(var), grad.values, grad.indices, use_locking=self._use_locking)

    def _resource_apply_sparse(self, grad: Any, handle: Any, indices: Any) -> Any:
        decl = APPLY["ResourceSparseApplyProximalGradientDescent"]
        return decl.node(handle.handle, *self._settings(handle), grad, indices, use_locking=self._use_locking)
