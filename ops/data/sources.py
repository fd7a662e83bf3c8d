"""Datasets that begin a pipeline: tensors, slices of tensors, ranges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..core import errors
from ..core.context import KernelContext
from ..core.dtypes import DType
from ..core.shapes import Shape
from .pipeline import Element, Scope, data_op


@dataclass(frozen=True)
class Whole:
    """One element: the tensors themselves."""

    components: Element

    def iterate(self, scope: Scope) -> Iterator[Element]:
        """Return the iterator over the one element."""
        return iter((self.components,))


@dataclass(frozen=True)
class Slices:
    """The rows of tensors of the same first dimension."""

    components: tuple[Array, ...]

    def __len__(self) -> int:
        return len(self.components[0])

    def iterate(self, scope: Scope) -> Iterator[Element]:
        """Return an iterator over the rows."""
        return zip(*self.components, strict=True)


@dataclass(frozen=True)
class Numbers:
    """The numbers of a range, as elements of one component."""

    numbers: range
    dtype: Any

    def iterate(self, scope: Scope) -> Iterator[Element]:
        """Return an iterator over the numbers."""
        return zip(map(self.dtype, self.numbers), strict=True)


def _kept(ctx: KernelContext, components: list[Array]) -> tuple[Array, ...]:
    """Return arrays that outlive the run: what was computed or fed is copied, for it is not the dataset's."""
    inputs = ctx.node.inputs
    return tuple(
        value if tensor.op.type == "Const" or not isinstance(value, np.ndarray) else value.copy()
        for value, tensor in zip(components, inputs, strict=True)
    )


@data_op("TensorDataset", "components: [Toutput_types]", stateful=True)
def tensor_dataset(
    ctx: KernelContext, xp: Namespace, components: list[Array], *, Toutput_types: list[DType], output_shapes: list[Shape],
    metadata: str = "",
) -> Whole:  # fmt: skip
    """Make the dataset of one element, the tensors."""
    return Whole(_kept(ctx, components))


@data_op("TensorSliceDataset", "components: [Toutput_types]", stateful=True)
def tensor_slice_dataset(
    ctx: KernelContext, xp: Namespace, components: list[Array], *, Toutput_types: list[DType], output_shapes: list[Shape],
    is_files: bool = False, metadata: str = "", replicate_on_split: bool = False,
) -> Slices:  # fmt: skip
    """Make the dataset of the rows of tensors."""
    sizes = {np.shape(value)[:1] for value in components}
    if len(sizes) > 1 or () in sizes:
        raise errors.InvalidArgumentError(
            None, None, f"All components must have the same size in the 0th dimension, but they have {sorted(sizes)}"
        )
    return Slices(_kept(ctx, components))


@data_op("RangeDataset", "start: int64, stop: int64, step: int64", stateful=True)
def range_dataset(
    xp: Namespace, start: Array, stop: Array, step: Array, *, output_types: list[DType], output_shapes: list[Shape],
    metadata: str = "", replicate_on_split: bool = False,
) -> Numbers:  # fmt: skip
    """Make the dataset of a range of numbers."""
    if not step:
        raise errors.InvalidArgumentError(None, None, "step must be a non-zero integer.")
    return Numbers(range(int(start), int(stop), int(step)), output_types[0].np_dtype.type)
