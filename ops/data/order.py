"""Datasets that pass elements on as they are: repeated, taken, skipped, joined, zipped, sharded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

from ...devices.types import Array, Namespace
from ..core import errors
from ..core.dtypes import DType
from ..core.shapes import Shape
from .pipeline import Data, Element, Scope, data_op


@dataclass(frozen=True)
class Repeat:
    """The elements of a dataset `count` times over, forever when that is negative."""

    source: Data
    count: int

    def iterate(self, scope: Scope) -> Iterator[Element]:
        """Return an iterator that starts the source anew at its end."""
        return _Repeated(self.source, self.count, scope)


class _Repeated:
    __slots__ = ("_any", "_input", "_left", "_scope", "_source")

    def __init__(self, source: Data, count: int, scope: Scope) -> None:
        self._source, self._left, self._scope = source, count, scope
        self._input: Iterator[Element] = iter(())
        self._any = True

    def __iter__(self) -> Iterator[Element]:
        return self

    def __next__(self) -> Element:
        while True:
            for element in self._input:
                self._any = True
                return element
            # An endless repetition of nothing is nothing.
            if not self._left or (self._left < 0 and not self._any):
                raise StopIteration
            self._left -= 1
            self._any = False
            self._input = self._source.iterate(self._scope)


@dataclass(frozen=True)
class Take:
    """The first `count` elements, all when that is negative."""

    source: Data
    count: int

    def iterate(self, scope: Scope) -> Iterator[Element]:
        """Return an iterator over the beginning."""
        return islice(self.source.iterate(scope), self.count if self.count >= 0 else None)


@dataclass(frozen=True)
class Skip:
    """All but the first `count` elements, none when that is negative."""

    source: Data
    count: int

    def iterate(self, scope: Scope) -> Iterator[Element]:
        """Return an iterator over the rest."""
        return iter(()) if self.count < 0 else islice(self.source.iterate(scope), self.count, None)


@dataclass(frozen=True)
class Shard:
    """Every `count`-th element, from number `index` on."""

    source: Data
    count: int
    index: int

    def iterate(self, scope: Scope) -> Iterator[Element]:
        """Return an iterator over the shard."""
        return islice(self.source.iterate(scope), self.index, None, self.count)


@dataclass(frozen=True)
class Joined:
    """The elements of one dataset and then those of another."""

    first: Data
    second: Data

    def iterate(self, scope: Scope) -> Iterator[Element]:
        """Return an iterator over both."""
        return chain.from_iterable(data.iterate(scope) for data in (self.first, self.second))


@dataclass(frozen=True)
class Zipped:
    """Elements of several datasets side by side, as long as all have one."""

    sources: tuple[Data, ...]

    def iterate(self, scope: Scope) -> Iterator[Element]:
        """Return an iterator over the joined elements."""
        return map(_joined, *[source.iterate(scope) for source in self.sources])


def _joined(*elements: Element) -> Element:
    return tuple(chain.from_iterable(elements))


@data_op("RepeatDataset", "input_dataset: variant, count: int64")
def repeat_dataset(
    xp: Namespace, input_dataset: Data, count: Array, *, output_types: list[DType], output_shapes: list[Shape],
    metadata: str = "",
) -> Repeat:  # fmt: skip
    """Repeat a dataset."""
    return Repeat(input_dataset, int(count))


@data_op("TakeDataset", "input_dataset: variant, count: int64")
def take_dataset(
    xp: Namespace, input_dataset: Data, count: Array, *, output_types: list[DType], output_shapes: list[Shape],
    metadata: str = "",
) -> Take:  # fmt: skip
    """Keep the first elements."""
    return Take(input_dataset, int(count))


@data_op("SkipDataset", "input_dataset: variant, count: int64")
def skip_dataset(
    xp: Namespace, input_dataset: Data, count: Array, *, output_types: list[DType], output_shapes: list[Shape],
    metadata: str = "",
) -> Skip:  # fmt: skip
    """Leave the first elements out."""
    return Skip(input_dataset, int(count))


@data_op("ShardDataset", "input_dataset: variant, num_shards: int64, index: int64")
def shard_dataset(
    xp: Namespace, input_dataset: Data, num_shards: Array, index: Array, *, require_non_empty: bool = False,
    output_types: list[DType], output_shapes: list[Shape], metadata: str = "",
) -> Shard:  # fmt: skip
    """Keep every n-th element."""
    count, place = int(num_shards), int(index)
    if count <= 0:
        raise errors.InvalidArgumentError(
            None, None, f"Number of shards must be greater than zero (currently num_shards = {count})."
        )
    if not 0 <= place < count:
        raise errors.InvalidArgumentError(
            None, None, f"Index must be between 0 and {count - 1} (currently index = {place})."
        )
    return Shard(input_dataset, count, place)


@data_op("ConcatenateDataset", "input_dataset: variant, another_dataset: variant")
def concatenate_dataset(
    xp: Namespace, input_dataset: Data, another_dataset: Data, *, output_types: list[DType], output_shapes: list[Shape],
    metadata: str = "",
) -> Joined:  # fmt: skip
    """Put one dataset after another."""
    return Joined(input_dataset, another_dataset)


@data_op("ZipDataset", "input_datasets: N*variant")
def zip_dataset(
    xp: Namespace, input_datasets: list[Data], *, output_types: list[DType], output_shapes: list[Shape], N: int,
    metadata: str = "",
) -> Zipped:  # fmt: skip
    """Put the elements of datasets side by side."""
    return Zipped(tuple(input_datasets))
