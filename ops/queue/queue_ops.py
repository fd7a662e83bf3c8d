"""The ops on queues: those that stand for one, put in, take out and close. A handle is the session's queue itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..core.context import KernelContext
from ..core.dtypes import DType, int64
from ..core.node import Operation
from ..core.registry import op
from ..core.shape_rules import constant_value, no_outputs, scalar
from ..core.shapes import Shape
from .queues import PaddingQueue, PriorityQueue, Queue, ShuffleQueue

_KIND = "queue"


def _queue(ctx: KernelContext, container: str, shared_name: str, make: Any) -> Queue:
    name = shared_name or ctx.node.name
    return ctx.resource(_KIND, container, name, lambda: make(name))  # type: ignore[no-any-return]


@op("FIFOQueueV2", types="-> handle: resource", shape=scalar, stateful=True, devices="CPU", differentiable=False)
def fifo_queue_op(
    ctx: KernelContext, xp: Namespace, *, component_types: list[DType], shapes: list[Shape] = [],  # noqa: B006
    capacity: int = -1, container: str = "", shared_name: str = "",
) -> Queue:  # fmt: skip
    """Stand for a queue whose elements come out in the order in which they went in."""
    return _queue(ctx, container, shared_name, lambda name: Queue(name, component_types, shapes, capacity))


@op("PaddingFIFOQueueV2", types="-> handle: resource", shape=scalar, stateful=True, devices="CPU", differentiable=False)
def padding_fifo_queue_op(
    ctx: KernelContext, xp: Namespace, *, component_types: list[DType], shapes: list[Shape] = [],  # noqa: B006
    capacity: int = -1, container: str = "", shared_name: str = "",
) -> Queue:  # fmt: skip
    """Stand for a queue that fills up elements of different sizes when it stacks them."""
    return _queue(ctx, container, shared_name, lambda name: PaddingQueue(name, component_types, shapes, capacity))


@op(
    "RandomShuffleQueueV2",
    types="-> handle: resource",
    shape=scalar,
    stateful=True,
    devices="CPU",
    differentiable=False,
)
def random_shuffle_queue_op(
    ctx: KernelContext, xp: Namespace, *, component_types: list[DType], shapes: list[Shape] = [],  # noqa: B006
    capacity: int = -1, min_after_dequeue: int = 0, seed: int = 0, seed2: int = 0, container: str = "",
    shared_name: str = "",
) -> Queue:  # fmt: skip
    """Stand for a queue whose elements come out in random order."""

    def make(name: str) -> Queue:
        return ShuffleQueue(name, component_types, shapes, capacity, min_after_dequeue, (seed, seed2))

    return _queue(ctx, container, shared_name, make)


@op("PriorityQueueV2", types="-> handle: resource", shape=scalar, stateful=True, devices="CPU", differentiable=False)
def priority_queue_op(
    ctx: KernelContext, xp: Namespace, *, component_types: list[DType] = [], shapes: list[Shape], capacity: int = -1,  # noqa: B006
    container: str = "", shared_name: str = "",
) -> Queue:  # fmt: skip
    """Stand for a queue whose elements come out in the order of their first component, int64."""

    def make(name: str) -> Queue:
        return PriorityQueue(name, [int64, *component_types], [(), *shapes], capacity)

    return _queue(ctx, container, shared_name, make)


ENQUEUE = "handle: resource, components: [Tcomponents] ->"
DEQUEUE = "handle: resource -> components: [component_types]"
DEQUEUE_MANY = "handle: resource, n: int32 -> components: [component_types]"
WAITS: dict[str, Any] = {"stateful": True, "blocking": True, "devices": "CPU", "differentiable": False}


@op("QueueEnqueueV2", types=ENQUEUE, shape=no_outputs, **WAITS)
def enqueue_op(
    ctx: KernelContext, xp: Namespace, handle: Queue, components: list[Array], *, Tcomponents: list[DType],
    timeout_ms: int = -1,
) -> None:  # fmt: skip
    """Put an element into a queue, when there is room."""
    handle.enqueue(_own(components), ctx.cancellation)


@op("QueueEnqueueManyV2", types=ENQUEUE, shape=no_outputs, **WAITS)
def enqueue_many_op(
    ctx: KernelContext, xp: Namespace, handle: Queue, components: list[Array], *, Tcomponents: list[DType],
    timeout_ms: int = -1,
) -> None:  # fmt: skip
    """Put the slices of tensors along their first axis into a queue."""
    handle.enqueue_many(_own(components), ctx.cancellation)


def _own(components: list[Array]) -> tuple[Array, ...]:
    """Return copies: what waits in a queue outlives the run, whose feeds and variables are not its own."""
    return tuple(np.array(component) for component in components)


def _element_shapes(node: Operation) -> list[Shape]:
    """Return the shapes of a queue's components, as far as the node that stands for it tells."""
    maker = node.inputs[0].op
    while maker.type == "Identity":
        maker = maker.inputs[0].op
    known = list(maker.attrs.get("shapes", []))
    if maker.type == "PriorityQueueV2":
        known = [(), *known]
    return known or [None] * len(node.attrs["component_types"])


def _stacked_shapes(node: Operation) -> list[Shape]:
    count = constant_value(node.inputs[1]) if node.type == "QueueDequeueManyV2" else None
    first = None if count is None else int(count)
    return [None if shape is None else (first, *shape) for shape in _element_shapes(node)]


def _outputs(components: tuple[Array, ...]) -> Any:
    return list(components) if len(components) != 1 else components[0]


@op("QueueDequeueV2", types=DEQUEUE, shape=_element_shapes, **WAITS)
def dequeue_op(
    ctx: KernelContext, xp: Namespace, handle: Queue, *, component_types: list[DType], timeout_ms: int = -1
) -> Any:
    """Take an element from a queue, when there is one."""
    return _outputs(handle.dequeue(ctx.cancellation))


@op("QueueDequeueManyV2", types=DEQUEUE_MANY, shape=_stacked_shapes, **WAITS)
def dequeue_many_op(
    ctx: KernelContext, xp: Namespace, handle: Queue, n: Array, *, component_types: list[DType], timeout_ms: int = -1
) -> Any:
    """Take elements from a queue and stack them."""
    return _outputs(handle.dequeue_many(int(n), ctx.cancellation))


@op("QueueDequeueUpToV2", types=DEQUEUE_MANY, shape=_stacked_shapes, **WAITS)
def dequeue_up_to_op(
    ctx: KernelContext, xp: Namespace, handle: Queue, n: Array, *, component_types: list[DType], timeout_ms: int = -1
) -> Any:
    """Take elements from a queue and stack them; fewer when it is closed."""
    return _outputs(handle.dequeue_many(int(n), ctx.cancellation, up_to=True))


@op("QueueCloseV2", types="handle: resource ->", shape=no_outputs, stateful=True, devices="CPU", differentiable=False)
def close_op(xp: Namespace, handle: Queue, *, cancel_pending_enqueues: bool = False) -> None:
    """Close a queue."""
    handle.close(cancel_pending_enqueues)


@op(
    "QueueIsClosedV2", types="handle: resource -> is_closed: bool", shape=scalar, stateful=True, devices="CPU",
    differentiable=False,
)  # fmt: skip
def is_closed_op(xp: Namespace, handle: Queue) -> Array:
    """Tell whether a queue is closed."""
    return np.bool_(handle.closed)


@op(
    "QueueSizeV2",
    types="handle: resource -> size: int32",
    shape=scalar,
    stateful=True,
    devices="CPU",
    differentiable=False,
)
def size_op(xp: Namespace, handle: Queue) -> Array:
    """Tell how many elements are in a queue."""
    return np.int32(handle.size())
