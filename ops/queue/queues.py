"""Queues of a session: elements wait in them for other runs, and runs wait for elements or for room.

One lock and one condition a queue. Every wait goes through the run's cancellation, so a timeout, close() or Ctrl-C ends it.
Runs that take several elements take turns, so that each gets a row of them; one that fails puts back what it took.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...devices.types import Array
from ..core import shapes as s
from ..core.context import Cancellation
from ..core.dtypes import DType
from ..core.errors import CancelledError, InvalidArgumentError, OutOfRangeError
from ..core.shapes import Shape
from ..random.simple_philox import SimplePhilox
from ..random.stream import PhiloxStream

Element = tuple[Array, ...]


class Queue:
    """First in, first out.

    State: `_held` the elements, `_closed`, `_refuses` whether waiting enqueues end too, `_taking` whether a run is taking.
    """

    kind = "FIFOQueue"

    def __init__(self, name: str, types: Sequence[DType], shapes: Sequence[Shape], capacity: int) -> None:
        self.name, self.types, self.shapes = name, tuple(types), tuple(shapes)
        self.capacity = capacity if capacity >= 0 else float("inf")
        self._condition = threading.Condition()
        self._held: Any = deque()
        self._closed = self._refuses = self._taking = False

    # -- putting in ------------------------------------------------------------------------------------------------

    def enqueue(self, element: Element, cancellation: Cancellation) -> None:
        """Put an element in, when there is room; CancelledError when the queue is closed."""
        self._check(element, self.shapes)
        with self._condition:
            self._refuse_if_closed()
            cancellation.wait(lambda: len(self._held) < self.capacity or self._refuses, self._condition)
            if self._refuses:
                raise CancelledError(None, None, "Enqueue operation was cancelled")
            self._put(element)
            self._condition.notify_all()

    def enqueue_many(self, batch: Element, cancellation: Cancellation) -> None:
        """Put in the slices of arrays along their first axis, one after the other."""
        sizes = {array.shape[0] if array.ndim else None for array in batch}
        if len(sizes) != 1 or None in sizes:
            found = [list(array.shape) for array in batch]
            raise InvalidArgumentError(
                None, None, f"All components must have the same size in the 0th dimension, got {found}"
            )
        self._check(batch, [None if shape is None else (None, *shape) for shape in self.shapes])
        for i in range(sizes.pop()):  # type: ignore[arg-type]
            self.enqueue(tuple(_element(array, i) for array in batch), cancellation)

    def _check(self, element: Element, expected: Sequence[Shape]) -> None:
        for i, (array, shape) in enumerate(zip(element, expected, strict=False)):
            if not s.compatible(shape, array.shape):
                raise InvalidArgumentError(
                    None, None,
                    f"Shape mismatch in tuple component {i}. Expected {s.format_brackets(shape)}, got "
                    f"{s.format_brackets(array.shape)} ({self.kind} {self.name!r})",
                )  # fmt: skip

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise CancelledError(None, None, f"{self.kind} '{self.name}' is closed.")

    # -- taking out ------------------------------------------------------------------------------------------------

    def dequeue(self, cancellation: Cancellation) -> Element:
        """Take an element, when there is one; OutOfRangeError when the queue is closed and empty."""
        (element,) = self._take(1, cancellation, up_to=False)
        return element

    def dequeue_many(self, count: int, cancellation: Cancellation, up_to: bool = False) -> Element:
        """Take elements and stack them; `up_to` takes what is left when the queue is closed.

        Raises:
          InvalidArgumentError: when the shapes of elements are not known. OutOfRangeError: when too few are left.
        """
        if count < 0:
            raise InvalidArgumentError(None, None, f"DequeueManyOp requested {count} < 0 elements")
        self._need_shapes()
        elements = self._take(count, cancellation, up_to)
        return tuple(self._stacked([e[i] for e in elements], i) for i in range(len(self.types)))

    def _need_shapes(self) -> None:
        if len(self.shapes) != len(self.types) or not all(map(s.is_static, self.shapes)):
            raise InvalidArgumentError(
                None, None,
                f"{self.kind}'s DequeueMany and DequeueUpTo require the components to have specified shapes.",
            )  # fmt: skip

    def _stacked(self, arrays: list[Array], component: int) -> Array:
        if arrays:
            return np.stack(arrays)
        return np.empty((0, *(self.shapes[component] or ())), self.types[component].np_dtype)

    def _take(self, count: int, cancellation: Cancellation, up_to: bool) -> list[Element]:
        taken: list[Element] = []
        with self._condition:
            cancellation.wait(lambda: not self._taking, self._condition)
            self._taking = True
            try:
                while len(taken) < count:
                    cancellation.wait(lambda: self._available() or self._closed, self._condition)
                    if not self._available() and not self._held:
                        if up_to and taken:
                            break
                        # A session that ends closes its queues, too: then that is the reason to tell.
                        cancellation.check()
                        raise self._too_few(count, len(taken))
                    taken.append(self._get())
                    self._condition.notify_all()
            except BaseException:
                self._put_back(taken)
                raise
            finally:
                self._taking = False
                self._condition.notify_all()
        return taken

    def _too_few(self, count: int, there: int) -> OutOfRangeError:
        return OutOfRangeError(
            None, None,
            f"{self.kind} '{self.name}' is closed and has insufficient elements (requested {count}, current size {there})",
        )  # fmt: skip

    # -- what kinds of queue do differently ------------------------------------------------------------------------

    def _available(self) -> bool:
        return bool(self._held)

    def _put(self, element: Element) -> None:
        self._held.append(element)

    def _get(self) -> Element:
        return self._held.popleft()  # type: ignore[no-any-return]

    def _put_back(self, elements: list[Element]) -> None:
        self._held.extendleft(reversed(elements))

    # -- the rest --------------------------------------------------------------------------------------------------

    def close(self, cancel_pending_enqueues: bool = False) -> None:
        """Take no more elements; those inside can be taken. Waiting enqueues go on unless they are cancelled."""
        with self._condition:
            self._closed = True
            self._refuses = self._refuses or cancel_pending_enqueues
            self._condition.notify_all()

    @property
    def closed(self) -> bool:
        """Whether the queue is closed."""
        return self._closed

    def size(self) -> int:
        """Return how many elements are inside."""
        return len(self._held)


def _element(array: Array, i: int) -> Array:
    return np.asarray(array[i], array.dtype)


class PaddingQueue(Queue):
    """First in, first out; elements of different sizes are filled up with zeros when they are stacked."""

    kind = "PaddingFIFOQueue"

    def _need_shapes(self) -> None:
        """Known ranks are enough, which the class of the front asks for."""

    def _stacked(self, arrays: list[Array], component: int) -> Array:
        shape = self.shapes[component] or ()
        largest = [max((a.shape[axis] for a in arrays), default=dim or 0) for axis, dim in enumerate(shape)]
        kind = self.types[component]
        empty: Any = b"" if kind.name == "string" else 0
        made = np.full((len(arrays), *largest), empty, kind.np_dtype)
        for i, array in enumerate(arrays):
            place: Any = (i, *(slice(0, size) for size in array.shape))
            made[place] = array
        return made


class ShuffleQueue(Queue):
    """Elements come out in random order, TensorFlow's for the same seeds; `keep` of them stay inside as long as more may come."""

    kind = "RandomShuffleQueue"

    def __init__(
        self,
        name: str,
        types: Sequence[DType],
        shapes: Sequence[Shape],
        capacity: int,
        keep: int,
        seeds: tuple[int, int],
    ) -> None:
        super().__init__(name, types, shapes, capacity)
        self._held: list[Element] = []
        self._keep = keep
        self._words = SimplePhilox(PhiloxStream(*seeds).key, 0, np.empty(0, np.uint32))

    def _available(self) -> bool:
        return len(self._held) > (0 if self._closed else self._keep)

    def _get(self) -> Element:
        last = len(self._held) - 1
        i = int(self._words.words(1)[0]) % (last + 1)
        self._held[i], self._held[last] = self._held[last], self._held[i]
        return self._held.pop()

    def _put_back(self, elements: list[Element]) -> None:
        self._held.extend(elements)


class PriorityQueue(Queue):
    """The element whose first component, an integer, is least comes out first."""

    kind = "PriorityQueue"

    def __init__(self, name: str, types: Sequence[DType], shapes: Sequence[Shape], capacity: int) -> None:
        super().__init__(name, types, shapes, capacity)
        self._held: list[Any] = []
        self._serial = itertools.count()

    def _put(self, element: Element) -> None:
        heapq.heappush(self._held, (int(element[0]), next(self._serial), element))

    def _get(self) -> Element:
        return heapq.heappop(self._held)[2]  # type: ignore[no-any-return]

    def _put_back(self, elements: list[Element]) -> None:
        for element in elements:
            self._put(element)
