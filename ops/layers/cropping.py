"""Random crops: slices of a tensor at places that are drawn."""

from __future__ import annotations

from typing import Any

from ..array import identity, shape
from ..array import slice as slice_
from ..core.convert import convert_to_tensor
from ..core.node import Tensor
from ..core.scopes import control_dependencies, name_scope
from ..core.shape_rules import constant_value
from ..math import greater_equal, mod, reduce_all
from ..random import random_uniform
from .assertions import Assert


def random_crop(value: Any, size: Any, seed: int | None = None, name: str | None = None) -> Tensor:
    """Return a slice of shape `size` of `value`, at a place that is uniformly random.

    Args:
      value: a tensor.
      size: a vector with a size for every dimension; the whole dimension to keep it.
      seed: for the place.

    Raises:
      ValueError: when the static shape is smaller than `size`. InvalidArgumentError: when the actual one is.
    """
    with name_scope(name, "random_crop", [t for t in (value, size) if isinstance(t, Tensor)]) as scope:
        tensor = convert_to_tensor(value, name="value")
        wanted = convert_to_tensor(size, "int32", name="size")
        _check_static(tensor, wanted)
        actual = shape(tensor)
        check = Assert(reduce_all(greater_equal(actual, wanted)), ["Need value.shape >= size, got ", actual, wanted])
        with control_dependencies([check]):
            actual = identity(actual)
        places = actual - wanted + 1
        drawn = random_uniform(shape(actual), dtype="int32", maxval=2**31 - 1, seed=seed)
        cropped: Tensor = slice_(tensor, mod(drawn, places), wanted, name=scope)
        return cropped


def _check_static(tensor: Tensor, size: Tensor) -> None:
    wanted = constant_value(size)
    if wanted is None or tensor.dims is None:
        return
    if wanted.shape != (len(tensor.dims),):
        raise ValueError(
            f"size must have one entry for each of the {len(tensor.dims)} dimensions, got {wanted.tolist()}"
        )
    if any(d is not None and d < w for d, w in zip(tensor.dims, wanted.tolist(), strict=True)):
        raise ValueError(f"Need value.shape >= size, got {tensor.shape} and {wanted.tolist()}")
