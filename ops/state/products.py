"""Gradients that are large products of matrices, handed to an optimiser's update as their factors.

The update makes the product as it needs it: piece by piece where it runs in compiled code, else as a whole.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..core.registry import Kernel
from ..math.large_products import is_large


class Product:
    """The product of two matrices that are to be multiplied: its shape and dtype, and `array()`, which makes it."""

    __slots__ = ("_make", "dtype", "left", "right", "shape")

    def __init__(self, left: Array, right: Array, make: Callable[[], Array]) -> None:
        self.left, self.right, self._make = left, right, make
        self.shape, self.dtype = (left.shape[0], right.shape[1]), left.dtype

    def array(self) -> Array:
        """Return the product, made by the op's own kernel."""
        return self._make()


def update_by_product(
    xp: Namespace, *inputs: Any, product: Kernel, update: Kernel, options: dict[str, Any], gradient: int,
    transpose_a: bool, transpose_b: bool,
) -> Any:  # fmt: skip
    """Run an optimiser's kernel by a gradient that is a product.

    `inputs` are those of the `update`, without the `gradient`, which is its input of that number, and then the two factors;
    `options` are the update's attributes, `product` the product's own kernel that takes memory.
    """
    *given, a, b = inputs
    x, y = a.T if transpose_a else a, b.T if transpose_b else b

    def make() -> Array:
        return product(xp, np.empty, a, b, transpose_a=transpose_a, transpose_b=transpose_b)

    given.insert(gradient, Product(x, y, make) if is_large(x, y) else make())
    return update(xp, *given, **options)
