"""What a TensorArray's handle is while a graph runs: the elements, what was read and written, and the arrays of gradients.

Writing keeps a reference and reading hands it out, so that both take constant time; elements are copied once, when they are
stacked. State: `values` by index (the element; the shape of one that was cleared; None before it is written), `states` by index,
`gradients` by the name of the differentiation. Invariant: an element is written once, except in arrays of gradients, which
sum what is written until it is read: a gradient in a loop begins anew in each iteration.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...devices.types import Array, Namespace
from ..core.errors import InvalidArgumentError, OpError, UnimplementedError
from ..core.shapes import Shape, is_static

UNWRITTEN, WRITTEN, READ, CLEARED = range(4)


class ArrayStore:
    """The elements of one TensorArray in one run."""

    __slots__ = ("clears", "dtype", "gradients", "grows", "identical", "model", "name", "shape", "states", "values")

    def __init__(
        self, name: str, size: int, dtype: Any, shape: Shape = None, grows: bool = False, clears: bool = True,
        identical: bool = False, model: ArrayStore | None = None,
    ) -> None:  # fmt: skip
        if size < 0:
            raise InvalidArgumentError(None, None, f"Size should be >= 0. Got: {size}")
        self.name, self.dtype, self.shape = name, dtype, shape
        self.grows, self.clears, self.identical = grows, clears, identical
        self.model = model
        self.values: list[Any] = [None] * size
        self.states = bytearray(size)
        self.gradients: dict[str, ArrayStore] = {}

    def __len__(self) -> int:
        return len(self.values)

    def _fails(self, words: str, error: type[OpError] = InvalidArgumentError) -> OpError:
        return error(None, None, f"TensorArray {self.name}: {words}")

    # -- writing -------------------------------------------------------------------------------------------------------

    def write(self, xp: Namespace, index: Any, value: Array) -> None:
        """Make `value` an element; in an array of gradients, add it to the element."""
        i = int(index)
        if not 0 <= i < len(self.values):
            self._grow(i)
        state = self.states[i]
        if state != UNWRITTEN:
            if self.model is None:
                self._refuse(i, state)
            if state == WRITTEN:
                value = xp.add(self.values[i], value)
        elif value.shape != self.shape and (self.shape is not None or self.identical):
            self._check_shape(i, value)
        self.values[i] = value
        self.states[i] = WRITTEN

    def _grow(self, i: int) -> None:
        if i < 0 or not self.grows:
            raise self._fails(f"Tried to write to index {i} but array is not resizeable and size is: {len(self)}")
        more = i + 1 - len(self)
        self.values.extend([None] * more)
        self.states.extend(bytes(more))

    def _refuse(self, i: int, state: int) -> None:
        what = "written to" if state == WRITTEN else "read"
        raise self._fails(f"Could not write to TensorArray index {i} because it has already been {what}.")

    def _check_shape(self, i: int, value: Array) -> None:
        dims, wanted = value.shape, self.shape
        if wanted is None:
            self.shape = dims
            return
        if len(dims) != len(wanted) or any(w is not None and d != w for d, w in zip(dims, wanted, strict=True)):
            raise self._fails(
                f"Could not write to TensorArray index {i} because the value shape is {list(dims)} which is incompatible with "
                f"the TensorArray's inferred element shape: {_format(wanted)} (consider setting infer_shape=False)."
            )
        if self.identical:
            self.shape = dims

    def scatter(self, xp: Namespace, indices: Sequence[int], value: Array) -> None:
        """Make the rows of `value` the elements at `indices`."""
        if value.shape[:1] != (len(indices),):
            raise self._fails(
                f"Expected len(indices) == values.shape[0], but saw: {len(indices)} vs. {list(value.shape)[:1]}"
            )
        boxed = value.ndim == 1 and value.dtype.hasobject
        for row, i in enumerate(indices):
            self.write(xp, i, value[row, ...] if boxed else value[row])

    def split(self, xp: Namespace, value: Array, lengths: Sequence[int]) -> None:
        """Make consecutive pieces of `value`, of the lengths given, the elements."""
        total = sum(lengths)
        if not value.ndim:
            raise self._fails("Expected value to be at least a vector, but received shape: []")
        if total != value.shape[0]:
            raise self._fails(
                f"Expected sum of lengths to be equal to values.shape[0], but sum of lengths is {total} and value's shape "
                f"is: {list(value.shape)}"
            )
        if len(lengths) != len(self) and not self.grows:
            raise self._fails(
                f"TensorArray's size is not equal to the size of lengths ({len(self)} vs. {len(lengths)}), and the "
                "TensorArray is not marked as dynamically resizeable"
            )
        start = 0
        for i, length in enumerate(lengths):
            self.write(xp, i, value[start : start + length])
            start += length

    # -- reading -------------------------------------------------------------------------------------------------------

    def read(self, xp: Namespace, index: Any) -> Array:
        """Return an element; zeros for one that was never written where its shape is known."""
        i = int(index)
        if not 0 <= i < len(self.values):
            if self.model is None or i < 0:
                raise self._fails(f"Tried to read from index {i} but array size is: {len(self)}")
            self._grow(i)
        state = self.states[i]
        if state == UNWRITTEN or (state == CLEARED and self.model is not None):
            return xp.zeros(self.shape_at(i), self.dtype)
        if state == CLEARED:
            raise self._fails(
                f"Could not read index {i} twice because it was cleared after a previous read (perhaps try setting "
                "clear_after_read = false?)."
            )
        value = self.values[i]
        if self.clears:
            self.values[i] = value.shape
            self.states[i] = CLEARED
        else:
            self.states[i] = READ
        return value

    def shape_at(self, i: int) -> tuple[int, ...]:
        """Return the shape of an element, also of one that was cleared, or that only a gradient could have."""
        value = self.values[i] if i < len(self.values) else None
        if value is not None:
            return value if isinstance(value, tuple) else value.shape
        if is_static(self.shape):
            return self.shape  # type: ignore[return-value]
        if self.model is not None:
            return self.model.shape_at(i)
        raise self._fails(
            f"Could not read from TensorArray index {i}.  Furthermore, the element shape is not fully defined: "
            f"{_format(self.shape)}.  It is possible you are working with a resizeable TensorArray and stop_gradients is not "
            "allowing the gradients to be written.  If you set the full element_shape property on the forward TensorArray, "
            "the proper all-zeros tensor will be returned instead of incurring this error."
        )

    def gather(self, xp: Namespace, indices: Sequence[int], shape: Shape) -> Array:
        """Return the elements at `indices`, stacked."""
        if not len(indices):
            return xp.zeros((0, *self._shape_of_none(shape)), self.dtype)
        found = [self.read(xp, i) for i in indices]
        first = found[0].shape
        for index, value in zip(indices, found, strict=True):
            if value.shape != first:
                raise InvalidArgumentError(
                    None, None, f"TensorArray has inconsistent shapes.  Index {indices[0]} has shape: {list(first)} but index "
                    f"{index} has shape: {list(value.shape)}",
                )  # fmt: skip
        return xp.stack(found)

    def concat(self, xp: Namespace, shape_except0: Shape) -> tuple[Array, list[int]]:
        """Return the elements one after the other, and their lengths."""
        if not len(self):
            rest = self.shape[1:] if self.shape else shape_except0
            return xp.zeros((0, *self._shape_of_none(rest)), self.dtype), []
        found = [self.read(xp, i) for i in range(len(self))]
        first = found[0].shape
        for i, value in enumerate(found):
            if not value.ndim:
                raise self._fails(f"Concat saw a scalar shape at index {i} but requires at least vectors.")
            if value.shape[1:] != first[1:]:
                raise InvalidArgumentError(
                    None, None, f"TensorArray has inconsistent shapes.  Index 0 has (excepting dimension 0) shape: "
                    f"{list(first[1:])} but index {i} has (excepting dimension 0) shape: {list(value.shape[1:])}",
                )  # fmt: skip
        return xp.concatenate(found), [value.shape[0] for value in found]

    def _shape_of_none(self, shape: Shape) -> Any:
        known = next((dims for dims in (self.shape, shape) if is_static(dims)), None)
        if known is None:
            raise UnimplementedError(
                None, None, f"TensorArray has size zero, but element shape {_format(shape)} is not fully defined. "
                "Currently only static shapes are supported when packing zero-size TensorArrays.",
            )  # fmt: skip
        return known

    # -- gradients -----------------------------------------------------------------------------------------------------

    def gradient(self, source: str) -> ArrayStore:
        """Return the array that holds the gradients of the elements in the differentiation called `source`.

        What is written once has its gradient read once; that of a sum is read for each term, and so is kept.
        """
        found = self.gradients.get(source)
        if found is None:
            found = self.gradients[source] = ArrayStore(
                f"{self.name}@{source}", len(self), self.dtype, self.shape, True, self.model is None, model=self
            )
        return found


def _format(shape: Shape) -> str:
    return (
        "<unknown>"
        if shape is None
        else str(["?" if d is None else d for d in shape]).replace("'", "").replace(" ", "")
    )
