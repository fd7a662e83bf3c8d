"""Adding up the gradients that reach one tensor, dense or as rows, and turning rows into dense tensors where asked."""

from __future__ import annotations

import warnings
from typing import Any

from ..array.concat import concat
from ..array.reshape import reshape
from ..core.convert import register_tensor_conversion_function
from ..core.graph import get_default_graph
from ..core.indexed_slices import IndexedSlices
from ..core.node import Tensor
from ..core.shape_rules import constant_value
from ..math.add_n import add_n
from ..math.segments import unsorted_segment_sum

_LARGE_ELEMENTS = 100_000_000


class AggregationMethod:
    """How `gradients` adds up; every method gives the same sum here, by AddN in one pass."""

    ADD_N = 0
    DEFAULT = ADD_N
    EXPERIMENTAL_TREE = 1
    EXPERIMENTAL_ACCUMULATE_N = 2


def total(gradients: list[Any]) -> Any:
    """Return the sum of gradients: the only one, an AddN, or all rows together; None for none."""
    found = [g for g in gradients if g is not None]
    if len(found) < 2:
        return found[0] if found else None
    if all(isinstance(g, IndexedSlices) for g in found):
        return _all_rows(found)
    return add_n([densify(g) for g in found])


def _all_rows(slices: list[IndexedSlices]) -> IndexedSlices:
    with get_default_graph().name_scope("gradients_rows"):
        values = concat([s.values for s in slices], 0, name="values")
        indices = concat([reshape(s.indices, [-1]) for s in slices], 0, name="indices")
    return IndexedSlices(values, indices, next((s.dense_shape for s in slices if s.dense_shape is not None), None))


def densify(gradient: Any) -> Any:
    """Return a gradient as a tensor.

    Raises:
      ValueError: when rows do not say how many there are in all.
    """
    if not isinstance(gradient, IndexedSlices):
        return gradient
    if gradient.dense_shape is None:
        raise ValueError(f"Tensor conversion requested for IndexedSlices without dense_shape: {gradient}")
    _warn_if_large(gradient)
    dense: Tensor = unsorted_segment_sum(gradient.values, gradient.indices, gradient.dense_shape[0])  # type: ignore[index]
    return dense


def _warn_if_large(gradient: IndexedSlices) -> None:
    assert gradient.dense_shape is not None
    dims = constant_value(gradient.dense_shape)
    size = None if dims is None else int(dims.prod())
    if size is not None and size >= _LARGE_ELEMENTS:
        warnings.warn(
            f"Converting sparse IndexedSlices to a dense Tensor with {size} elements. This may consume a large amount of memory.",
            UserWarning,
            stacklevel=4,
        )


def _convert(value: Any, dtype: Any = None, name: str | None = None, as_ref: bool = False) -> Any:
    return densify(value)


register_tensor_conversion_function(IndexedSlices, _convert)
