"""`tf.FIFOQueue` and its relatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..array import gather, stack
from ..core.convert import convert_to_tensor
from ..core.dtypes import DType, as_dtype, int64
from ..core.node import Operation, Tensor
from ..core.scopes import name_scope
from ..core.shapes import as_shape
from ..core.tensor_shape import TensorShape
from ..random.seeds import seed_attrs
from . import queue_ops as ops


class QueueBase:
    """A queue of tuples of tensors, which lives in the session.

    Args:
      dtypes: the types of an element's components. shapes: their shapes, None when unknown.
      names: names of the components; elements are dicts then. queue_ref: the handle.
    """

    def __init__(self, dtypes: Any, shapes: Any, names: Any, queue_ref: Tensor) -> None:
        self._dtypes: list[DType] = [as_dtype(d) for d in _listed(dtypes)]
        given = [None] * len(self._dtypes) if shapes is None else shapes
        self._shapes: list[TensorShape] = [as_shape(shape) for shape in given]
        self._names = None if names is None else list(_listed(names))
        for what, found in (("shapes", self._shapes), ("names", self._names)):
            _same_length(what, found, self._dtypes)
        self._queue_ref = queue_ref
        self._name: str = queue_ref.op.name.rpartition("/")[2]

    @staticmethod
    def from_list(index: Any, queues: Sequence[QueueBase]) -> QueueBase:
        """Return the queue that stands at `index`, a scalar tensor of int32 or int64, when a graph is run.

        Raises:
          TypeError: when `queues` are no queues, or their components differ in type.
          ValueError: when there are none, or their components differ in name.
        """
        if not queues or not isinstance(queues, list | tuple) or not all(isinstance(q, QueueBase) for q in queues):
            raise TypeError("A list of queues expected")
        dtypes, names = queues[0].dtypes, queues[0].names
        if any(queue.dtypes != dtypes for queue in queues):
            raise TypeError("Queues do not have matching component dtypes.")
        if any(queue.names != names for queue in queues):
            raise TypeError("Queues do not have matching component names.")
        shapes = [_common([queue.shapes[i] for queue in queues]) for i in range(len(dtypes))]
        return QueueBase(dtypes, shapes, names, gather(stack([queue.queue_ref for queue in queues]), index))

    @property
    def queue_ref(self) -> Tensor:
        """The handle."""
        return self._queue_ref

    @property
    def name(self) -> str:
        """The name of the node that stands for the queue."""
        return self._queue_ref.op.name

    @property
    def dtypes(self) -> list[DType]:
        """The types of an element's components."""
        return self._dtypes

    @property
    def shapes(self) -> list[TensorShape]:
        """The shapes of an element's components."""
        return self._shapes

    @property
    def names(self) -> list[str] | None:
        """The names of an element's components."""
        return self._names

    # -- elements --------------------------------------------------------------------------------------------------

    def _components(self, vals: Any) -> list[Tensor]:
        """Return the tensors of an element, checked."""
        if isinstance(vals, dict):
            if self._names is None:
                raise ValueError("Queue must have names to enqueue a dictionary")
            if sorted(self._names) != sorted(vals):
                raise ValueError(
                    "Keys in dictionary to enqueue do not match names of Queue.  "
                    f"Dictionary: {sorted(vals)},Queue: {sorted(self._names)}"
                )
            vals = [vals[name] for name in self._names]
        elif self._names is not None:
            raise ValueError("You must enqueue a dictionary in a Queue with names")
        items = list(vals) if isinstance(vals, list | tuple) else [vals]
        if len(items) != len(self._dtypes):
            raise ValueError(f"Expected {len(self._dtypes)} components for queue {self.name!r}, got {len(items)}")
        pairs = enumerate(zip(items, self._dtypes, strict=True))
        return [convert_to_tensor(item, dtype, name=f"component_{i}") for i, (item, dtype) in pairs]

    def _element(self, tensors: Any) -> Any:
        found = tensors if isinstance(tensors, list) else [tensors]
        if self._names is not None:
            return dict(zip(self._names, found, strict=True))
        return found[0] if len(found) == 1 else found

    def enqueue(self, vals: Any, name: str | None = None) -> Operation:
        """Return an Operation that puts an element in: a tensor, a tuple of them, or a dict where there are names."""
        with name_scope(name, f"{self._name}_enqueue", []) as scope:
            tensors = self._components(vals)
            for tensor, shape in zip(tensors, self._shapes, strict=True):
                tensor.get_shape().assert_is_compatible_with(shape)
            return ops.enqueue_op.node(self._queue_ref, tensors, name=scope)

    def enqueue_many(self, vals: Any, name: str | None = None) -> Operation:
        """Return an Operation that puts in the slices of tensors along their first axis."""
        with name_scope(name, f"{self._name}_EnqueueMany", []) as scope:
            tensors = self._components(vals)
            for tensor, shape in zip(tensors, self._shapes, strict=True):
                tensor.get_shape().with_rank_at_least(1)[1:].assert_is_compatible_with(shape)
            return ops.enqueue_many_op.node(self._queue_ref, tensors, name=scope)

    def dequeue(self, name: str | None = None) -> Any:
        """Return an element: a tensor, a list of them, or a dict where there are names."""
        name = name or f"{self._name}_Dequeue"
        return self._element(ops.dequeue_op(self._queue_ref, component_types=self._dtypes, name=name))

    def dequeue_many(self, n: Any, name: str | None = None) -> Any:
        """Return `n` elements, stacked; it fails when the queue is closed and has fewer."""
        name = name or f"{self._name}_DequeueMany"
        return self._element(ops.dequeue_many_op(self._queue_ref, n, component_types=self._dtypes, name=name))

    def dequeue_up_to(self, n: Any, name: str | None = None) -> Any:
        """Return `n` elements, stacked; fewer when the queue is closed."""
        name = name or f"{self._name}_DequeueUpTo"
        return self._element(ops.dequeue_up_to_op(self._queue_ref, n, component_types=self._dtypes, name=name))

    def close(self, cancel_pending_enqueues: bool = False, name: str | None = None) -> Operation:
        """Return an Operation that closes the queue, and if asked ends enqueues that wait."""
        name = name or f"{self._name}_Close"
        return ops.close_op.node(self._queue_ref, cancel_pending_enqueues=cancel_pending_enqueues, name=name)

    def is_closed(self, name: str | None = None) -> Tensor:
        """Return whether the queue is closed."""
        return ops.is_closed_op(self._queue_ref, name=name or f"{self._name}_is_closed")  # type: ignore[no-any-return]

    def size(self, name: str | None = None) -> Tensor:
        """Return how many elements are inside, int32."""
        return ops.size_op(self._queue_ref, name=name or f"{self._name}_Size")  # type: ignore[no-any-return]


def _common(shapes: list[TensorShape]) -> TensorShape:
    """Return the shape that all of these are compatible with, as much of it as they agree on."""
    ranks = {shape.ndims for shape in shapes}
    if len(ranks) != 1 or None in ranks:
        return TensorShape(None)
    columns = zip(*(shape.as_list() for shape in shapes), strict=True)
    return TensorShape([sizes[0] if len(set(sizes)) == 1 else None for sizes in columns])


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _shape_list(shapes: Any, dtypes: list[Any], padded: bool = False) -> list[Any]:
    """Return one shape for each component, [] when they are unknown.

    Raises:
      ValueError: for a shape that is not fully defined, or, where elements are padded, has no rank.
    """
    if shapes is None:
        return []
    given = [shapes] if isinstance(shapes, TensorShape) or not _holds_shapes(shapes) else list(shapes)
    _same_length("shapes", given, dtypes)
    found = [as_shape(shape) for shape in given]
    if not padded and not all(shape.is_fully_defined() for shape in found):
        raise ValueError(f"All shapes must be fully defined: {found}")
    if any(shape.ndims is None for shape in found):
        raise ValueError(f"All shapes must have a defined rank: {found}")
    return found


def _same_length(what: str, found: Any, dtypes: list[Any]) -> None:
    if found is not None and len(found) != len(dtypes):
        raise ValueError(f"Queue {what} must have the same length as dtypes, received {len(found)} for {len(dtypes)}")


def _holds_shapes(shapes: Any) -> bool:
    """Tell a list of shapes from one shape, which is a list of numbers."""
    return any(isinstance(shape, TensorShape | list | tuple) for shape in shapes)


def _dims(shapes: list[TensorShape]) -> list[Any]:
    return [None if shape.ndims is None else tuple(shape.as_list()) for shape in shapes]


class FIFOQueue(QueueBase):
    """A queue whose elements come out in the order in which they went in.

    Args:
      capacity: how many elements it holds, -1 for any number. dtypes, shapes, names: of an element's components.
      shared_name: queues of one session with one shared name are one queue.
    """

    def __init__(
        self, capacity: int, dtypes: Any, shapes: Any = None, names: Any = None, shared_name: str | None = None,
        name: str = "fifo_queue",
    ) -> None:  # fmt: skip
        kinds, known = _listed(dtypes), _shape_list(shapes, _listed(dtypes))
        handle = ops.fifo_queue_op(
            component_types=kinds, shapes=_dims(known), capacity=capacity, shared_name=shared_name or "", name=name
        )
        super().__init__(kinds, known or None, names, handle)


class PaddingFIFOQueue(QueueBase):
    """A queue that fills up elements of different sizes with zeros when it stacks them; `shapes` need known ranks."""

    def __init__(
        self, capacity: int, dtypes: Any, shapes: Any, names: Any = None, shared_name: str | None = None,
        name: str = "padding_fifo_queue",
    ) -> None:  # fmt: skip
        kinds, known = _listed(dtypes), _shape_list(shapes, _listed(dtypes), padded=True)
        if len(known) != len(kinds):
            raise ValueError(
                f"Shapes must be provided for all components, but received {len(kinds)} dtypes and {len(known)} shapes."
            )
        handle = ops.padding_fifo_queue_op(
            component_types=kinds, shapes=_dims(known), capacity=capacity, shared_name=shared_name or "", name=name
        )
        super().__init__(kinds, known, names, handle)


class RandomShuffleQueue(QueueBase):
    """A queue whose elements come out in random order.

    Args:
      min_after_dequeue: how many elements stay inside, for the sake of that order, until the queue is closed.
      seed: with the graph's seed, makes the order repeat.
    """

    def __init__(
        self, capacity: int, min_after_dequeue: int, dtypes: Any, shapes: Any = None, names: Any = None,
        seed: int | None = None, shared_name: str | None = None, name: str = "random_shuffle_queue",
    ) -> None:  # fmt: skip
        kinds, known = _listed(dtypes), _shape_list(shapes, _listed(dtypes))
        handle = ops.random_shuffle_queue_op(
            component_types=kinds, shapes=_dims(known), capacity=capacity, min_after_dequeue=min_after_dequeue,
            shared_name=shared_name or "", name=name, **seed_attrs(seed),
        )  # fmt: skip
        super().__init__(kinds, known or None, names, handle)


class PriorityQueue(QueueBase):
    """A queue whose elements come out in the order of their first component, int64, which is not named in `types`."""

    def __init__(
        self, capacity: int, types: Any, shapes: Any = None, names: Any = None, shared_name: str | None = None,
        name: str = "priority_queue",
    ) -> None:  # fmt: skip
        kinds = _listed(types)
        known = _shape_list(shapes, kinds) if shapes is not None else [as_shape(())] * len(kinds)
        handle = ops.priority_queue_op(
            component_types=kinds, shapes=_dims(known), capacity=capacity, shared_name=shared_name or "", name=name
        )
        super().__init__([int64, *kinds], [as_shape(()), *known], names, handle)
