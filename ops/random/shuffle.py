"""RandomShuffle: a random order of the first dimension.

The order is drawn on the host, where swapping is sequential anyway, and applied where the value is.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..core.context import KernelContext
from ..core.node import Tensor
from ..core.registry import op
from ..core.shape_rules import same_shape
from . import philox
from .draw import stream_of
from .sampling import counters
from .seeds import seed_attrs
from .stream import PhiloxStream


def random_order(stream: PhiloxStream, size: int) -> Array:
    """Return a random permutation of range(size), intp (size,), by Fisher and Yates with a word for each swap."""
    blocks = -(-(size - 1) // 4)
    words = philox.words(stream.key, counters(stream.reserve(blocks), 0, blocks, 1)).reshape(-1)[: size - 1]
    partners = np.arange(size - 1) + words % np.arange(size, 1, -1)
    order = list(range(size))
    for i, j in enumerate(partners.tolist()):
        order[i], order[j] = order[j], order[i]
    return np.array(order, np.intp)


@op("RandomShuffle", types="value: T -> output: T", shape=same_shape, stateful=True, differentiable=False)
def random_shuffle_op(ctx: KernelContext, xp: Namespace, value: Array, *, seed: int = 0, seed2: int = 0) -> Array:
    """Returns `value` with the rows of its first dimension in a random order."""
    if value.ndim == 0 or value.shape[0] <= 1 or value.size <= 1:
        return value.copy()
    order = random_order(stream_of(ctx, seed, seed2), value.shape[0])
    return xp.take(value, ctx.device.put(order), axis=0)


def random_shuffle(value: Any, seed: int | None = None, name: str | None = None) -> Tensor:
    """Returns `value` with the rows of its first dimension in a random order."""
    shuffled: Tensor = random_shuffle_op(value, name=name, **seed_attrs(seed))
    return shuffled
