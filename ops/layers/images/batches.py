"""What functions of images share: one image or a batch, sizes that are known or not, and checks of either.

Sizes that are known while building stay Python's integers, so that what is computed from them is known, too.
"""

from __future__ import annotations

import builtins
from typing import Any

from ...array import expand_dims, identity, shape, squeeze
from ...core.convert import convert_to_tensor
from ...core.node import Operation, Tensor
from ...core.scopes import control_dependencies
from ...math import maximum, minimum
from ..assertions import Assert

Size = Any


def image_of(value: Any) -> Tensor:
    """Return an image or a batch as a tensor; ValueError for another rank, where it is known."""
    image = convert_to_tensor(value, name="image")
    if image.dims is not None and len(image.dims) not in (3, 4):
        raise ValueError(f"'image' (shape {image.shape}) must have either 3 or 4 dimensions.")
    return image


def as_batch(image: Tensor) -> tuple[Tensor, bool]:
    """Return a batch, and whether it was made of a single image; one of unknown rank counts as single."""
    if image.dims is not None and len(image.dims) == 4:
        return image, False
    batch = expand_dims(image, 0)
    if image.dims is None:
        batch.set_shape([None] * 4)
    return batch, True


def unbatched(batch: Tensor, single: bool) -> Tensor:
    """Return the image of a batch that was made of one."""
    return squeeze(batch, axis=[0]) if single else batch


def size_of(batch: Tensor, axis: int) -> Size:
    """Return a dimension: an integer where it is known, else a tensor."""
    known = None if batch.dims is None else batch.dims[axis]
    return shape(batch)[axis] if known is None else known


def greater(one: Size, other: Size) -> Size:
    """Return the greater of two sizes."""
    dynamic = isinstance(one, Tensor) or isinstance(other, Tensor)
    return maximum(one, other) if dynamic else builtins.max(one, other)


def less(one: Size, other: Size) -> Size:
    """Return the smaller of two sizes."""
    dynamic = isinstance(one, Tensor) or isinstance(other, Tensor)
    return minimum(one, other) if dynamic else builtins.min(one, other)


def known(size: Size) -> int | None:
    """Return a size that is known, None for a tensor."""
    return None if isinstance(size, Tensor) else int(size)


def require(batch: Tensor, *conditions: tuple[Any, str]) -> Tensor:
    """Return the batch, once all conditions hold; those that are known and do not raise ValueError at once."""
    checks: list[Operation] = []
    for condition, words in conditions:
        if isinstance(condition, Tensor):
            checks.append(Assert(condition, [words]))
        elif not condition:
            raise ValueError(words)
    if not checks:
        return batch
    with control_dependencies(checks):
        held: Tensor = identity(batch)
        return held
