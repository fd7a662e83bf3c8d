"""IndexedSlices: a sparse gradient, as some rows of a larger tensor.

`values[i]` belongs to row `indices[i]`; rows may repeat, and then add up. What reads a few rows (gather) gets its gradient
in this form, so that an update touches those rows only.
"""

from __future__ import annotations

from collections import namedtuple
from typing import Any

from .dtypes import DType
from .node import Operation, Tensor
from .shape_rules import constant_value_as_shape
from .shapes import TensorShape, to_public

IndexedSlicesValue = namedtuple("IndexedSlicesValue", ["values", "indices", "dense_shape"])


class IndexedSlices:
    """Rows of a tensor.

    `values` has shape [n, ...], `indices` [n] (int32 or int64); `dense_shape`, which may be None, is the shape of the whole.
    """

    def __init__(self, values: Tensor, indices: Tensor, dense_shape: Tensor | None = None) -> None:
        self._values, self._indices, self._dense_shape = values, indices, dense_shape

    @property
    def values(self) -> Tensor:
        """The rows."""
        return self._values

    @property
    def indices(self) -> Tensor:
        """Which rows of the whole they are."""
        return self._indices

    @property
    def dense_shape(self) -> Tensor | None:
        """The whole's shape, None where it is not known."""
        return self._dense_shape

    @property
    def dtype(self) -> DType:
        """The rows' element type."""
        return self._values.dtype

    @property
    def name(self) -> str:
        """The name of `values`."""
        return self._values.name

    @property
    def op(self) -> Operation:
        """The operation that makes `values`."""
        return self._values.op

    _as_control_input = op

    @property
    def device(self) -> str:
        """The device requested for `values`."""
        return self._values.device

    @property
    def graph(self) -> Any:
        """The graph that holds the tensors."""
        return self._values.graph

    @property
    def shape(self) -> TensorShape:
        """The whole's static shape."""
        return to_public(None if self._dense_shape is None else constant_value_as_shape(self._dense_shape))

    def _fetch_parts(self) -> Any:
        parts = [self._values, self._indices]
        if self._dense_shape is None:
            return parts, lambda v: IndexedSlicesValue(v[0], v[1], None)
        return [*parts, self._dense_shape], lambda v: IndexedSlicesValue(*v)

    def _feed_parts(self, value: Any) -> list[tuple[Tensor, Any]]:
        tensors = [t for t in (self._values, self._indices, self._dense_shape) if t is not None]
        values = [None] * len(tensors) if value is None else value
        return [(tensor, item) for tensor, item in zip(tensors, values, strict=False)]

    def _with_values(self, values: Tensor) -> IndexedSlices:
        """Return other values in the same rows."""
        return IndexedSlices(values, self._indices, self._dense_shape)

    def __neg__(self) -> IndexedSlices:
        return self._with_values(-self._values)

    def __str__(self) -> str:
        dense = f", dense_shape={self._dense_shape}" if self._dense_shape is not None else ""
        return f"IndexedSlices(indices={self._indices}, values={self._values}{dense})"

    __repr__ = __str__
