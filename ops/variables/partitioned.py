"""PartitionedVariable: one variable in several, cut along an axis.

The parts are variables of their own, `NAME/part_0` and so on, which may sit on different devices; each knows its place in the
whole, so that checkpoints hold the whole. Where a tensor is wanted the parts are concatenated.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ..array import concat, identity
from ..array import slice as slice_of
from ..core.convert import convert_to_tensor, register_tensor_conversion_function
from ..core.dtypes import DType
from ..core.graph import get_default_graph
from ..core.node import Tensor
from ..core.shapes import TensorShape, as_shape
from .base import OPERATORS, SliceInfo, Variable

__all__ = ["PartitionInfo", "PartitionedVariable"]


@dataclass(frozen=True)
class PartitionInfo:
    """What an initialiser is told of a part: the shape of the whole, and where the part begins."""

    full_shape: list[int]
    var_offset: list[int]

    def __post_init__(self) -> None:
        if len(self.var_offset) != len(self.full_shape):
            raise ValueError(
                f"Expected equal length, but `var_offset` is of length {len(self.var_offset)} while full_shape is of length "
                f"{len(self.full_shape)}."
            )
        for offset, size in zip(self.var_offset, self.full_shape, strict=True):
            if not 0 <= offset < size:
                raise ValueError(
                    f"Expected 0 <= offset < shape but found offset={offset}, shape={size} for var_offset={self.var_offset}, "
                    f"full_shape={self.full_shape}"
                )

    def single_offset(self, shape: Any) -> int:
        """Return where a part of this shape begins on the axis that is cut; 0 when none is."""
        axis = self.single_slice_dim(shape)
        return 0 if axis is None else self.var_offset[axis]

    def single_slice_dim(self, shape: Any) -> int | None:
        """Return the axis that is cut, or None; ValueError when several are."""
        sizes = as_shape(shape).as_list()
        cut = [axis for axis, (size, full) in enumerate(zip(sizes, self.full_shape, strict=True)) if size != full]
        if len(cut) > 1:
            raise ValueError(
                f"Cannot use single_slice_dim() with shape {shape} and full_shape {self.full_shape} since slice dim could be "
                f"either dim {cut[0]} or {cut[1]}"
            )
        return cut[0] if cut else None


class PartitionedVariable:
    """The parts of a variable in order, and the whole where a tensor is wanted.

    Args:
      name, shape, dtype: of the whole.
      variable_list: the parts.
      partitions: the number of parts along each axis.
    """

    def __init__(self, name: str, shape: Any, dtype: Any, variable_list: list[Any], partitions: Any) -> None:
        if not isinstance(variable_list, list | tuple):
            raise TypeError(f"variable_list is not a list or tuple: {variable_list}")
        if not isinstance(partitions, list | tuple):
            raise TypeError(f"partitions is not a list or tuple: {partitions}")
        if not all(p >= 1 for p in partitions):
            raise ValueError(f"partition values must be positive: {partitions}")
        if not variable_list:
            raise ValueError("variable_list may not be empty")
        self._name, self._shape, self._dtype = name, as_shape(shape), dtype
        self._variable_list = list(variable_list)
        self._partitions = list(partitions)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._variable_list)

    def __len__(self) -> int:
        return len(self._variable_list)

    @property
    def name(self) -> str:
        """The name of the whole."""
        return self._name

    @property
    def dtype(self) -> DType:
        """The element type."""
        return self._dtype  # type: ignore[no-any-return]

    @property
    def shape(self) -> TensorShape:
        """The shape of the whole."""
        return self._shape

    def get_shape(self) -> TensorShape:
        """Return the shape of the whole."""
        return self._shape

    def _get_variable_list(self) -> list[Any]:
        return self._variable_list

    def _get_partitions(self) -> list[int]:
        return self._partitions

    def _axis(self) -> int:
        return next((axis for axis, count in enumerate(self._partitions) if count > 1), 0)

    def as_tensor(self) -> Tensor:
        """Return the whole as a tensor: the parts, concatenated."""
        graph = get_default_graph()
        with graph.name_scope(f"{self._name}/ConcatPartitions/"):
            whole = concat(self._variable_list, self._axis()) if len(self) > 1 else self._variable_list[0]
        with graph.name_scope(None):
            return identity(whole, name=self._name)  # type: ignore[no-any-return]

    def _written(self, method: str, value: Any, use_locking: bool, name: str | None, read_value: bool) -> list[Any]:
        """Give each part its slice of a value by one of its methods."""
        tensor = convert_to_tensor(value, self._dtype)
        written = []
        for part in self._variable_list:
            info = part._get_save_slice_info()
            own = slice_of(tensor, info.var_offset, info.var_shape)
            written.append(getattr(part, method)(own, use_locking=use_locking, name=name, read_value=read_value))
        return written

    def assign(
        self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> list[Any]:
        """Return nodes, one a part, that give the variable `value`."""
        return self._written("assign", value, use_locking, name, read_value)

    def assign_add(
        self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> list[Any]:
        """Return nodes, one a part, that add `value` to the variable."""
        return self._written("assign_add", value, use_locking, name, read_value)

    def assign_sub(
        self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> list[Any]:
        """Return nodes, one a part, that subtract `value` from the variable."""
        return self._written("assign_sub", value, use_locking, name, read_value)


def _operator(name: str) -> Callable[..., Any]:
    def run(self: PartitionedVariable, *args: Any) -> Any:
        return getattr(Tensor, name)(self.as_tensor(), *args)

    run.__name__ = name
    return run


for _name in (*OPERATORS, "__getitem__"):
    setattr(PartitionedVariable, _name, _operator(_name))


def checked_partitions(partitioner: Any, shape: TensorShape, dtype: DType) -> tuple[list[int], int]:
    """Return the number of parts along each axis, and the axis that is cut.

    Raises:
      ValueError: when the shape is not fully defined or scalar, or the partitioner cuts it in an impossible way.
    """
    if not shape.is_fully_defined():
        raise ValueError(f"Shape of a new partitioned variable must be fully defined, but instead was {shape}.")
    sizes = shape.as_list()
    if not sizes:
        raise ValueError(f"A partitioned Variable must have rank at least 1, shape: {shape}")
    found = partitioner(shape=shape, dtype=dtype)
    if not isinstance(found, list | tuple):
        raise ValueError(f"Partitioner must return a sequence, but saw: {found}")
    if len(found) != len(sizes):
        raise ValueError(
            f"Partitioner returned a partition list that does not match the Variable's rank: {found} vs. {shape}"
        )
    if any(count < 1 for count in found):
        raise ValueError(f"Partitioner returned zero partitions for some axes: {found}")
    cut = [axis for axis, count in enumerate(found) if count > 1]
    if len(cut) > 1:
        raise ValueError(f"Can only slice a variable along one dimension: shape: {shape}, partitioning: {list(found)}")
    return list(found), cut[0] if cut else 0


def part_places(sizes: list[int], axis: int, count: int) -> Iterator[tuple[list[int], list[int]]]:
    """Yield (offset, shape) of each part; the first ones are one longer where the axis does not divide evenly."""
    each, longer = divmod(sizes[axis], count)
    lengths = [each + (i < longer) for i in range(count)]
    for start, length in zip(itertools.accumulate([0, *lengths]), lengths, strict=False):
        offset, shape = [0] * len(sizes), list(sizes)
        offset[axis], shape[axis] = start, length
        yield offset, shape


def place_part(part: Variable, name: str, full_shape: list[int], offset: list[int], shape: list[int]) -> None:
    """Tell a variable which part of the whole it is."""
    part._set_save_slice_info(SliceInfo(name, full_shape, offset, shape))


def _convert(value: PartitionedVariable, dtype: Any = None, name: str | None = None, as_ref: bool = False) -> Any:
    if dtype is not None and not dtype.is_compatible_with(value.dtype):
        raise ValueError(
            f"Incompatible type conversion requested to type '{dtype.name}' for variable of type '{value.dtype.name}'"
        )
    if as_ref:
        raise NotImplementedError("PartitionedVariable doesn't support being used as a reference.")
    return value.as_tensor()


register_tensor_conversion_function(PartitionedVariable, _convert, 0)
