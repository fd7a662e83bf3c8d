"""Images turned over and turned round, always or by chance; one image, or a batch of which each is treated by itself."""

from __future__ import annotations

from typing import Any

from ...array import rank, reverse, shape, transpose
from ...array import reshape as reshape_
from ...core import dtypes
from ...core.convert import convert_to_tensor
from ...core.node import Tensor
from ...core.scopes import name_scope
from ...flow import case, cond
from ...math import cast, equal, less, mod, round
from ...random import random_uniform
from .batches import image_of


def _by_rank(image: Tensor, single: Any, batch: Any) -> Tensor:
    """Return what one of two functions makes, by the rank, which a run may have to tell."""
    if image.dims is None:
        return cond(equal(rank(image), 3), single, batch)  # type: ignore[no-any-return]
    return single() if len(image.dims) == 3 else batch()  # type: ignore[no-any-return]


def _flip(image: Any, axis: int, name: str) -> Tensor:
    with name_scope(None, name, [image]):
        whole = image_of(image)
        return _by_rank(whole, lambda: reverse(whole, [axis]), lambda: reverse(whole, [axis + 1]))


def flip_left_right(image: Any) -> Tensor:
    """Return images with left and right exchanged: (height, width, channels), or a batch."""
    return _flip(image, 1, "flip_left_right")


def flip_up_down(image: Any) -> Tensor:
    """Return images with top and bottom exchanged: (height, width, channels), or a batch."""
    return _flip(image, 0, "flip_up_down")


def _random_flip(image: Any, axis: int, seed: int | None, name: str) -> Tensor:
    with name_scope(None, name, [image]) as scope:
        whole = image_of(image)

        def single() -> Tensor:
            drawn = random_uniform([], 0, 1.0, seed=seed)
            chosen = cond(less(drawn, 0.5), lambda: reverse(whole, [axis]), lambda: whole, name=scope)
            chosen.set_shape(whole.shape)
            return chosen  # type: ignore[no-any-return]

        def batch() -> Tensor:
            count = shape(whole)[0]
            drawn = round(reshape_(random_uniform([count], 0, 1.0, seed=seed), [count, 1, 1, 1]))
            flips = cast(drawn, whole.dtype)
            return flips * reverse(whole, [axis + 1]) + (1 - flips) * whole

        return _by_rank(whole, single, batch)


def random_flip_left_right(image: Any, seed: int | None = None) -> Tensor:
    """Return an image, or each of a batch, with left and right exchanged in half of the cases."""
    return _random_flip(image, 1, seed, "random_flip_left_right")


def random_flip_up_down(image: Any, seed: int | None = None) -> Tensor:
    """Return an image, or each of a batch, with top and bottom exchanged in half of the cases."""
    return _random_flip(image, 0, seed, "random_flip_up_down")


def transpose_image(image: Any, name: str | None = None) -> Tensor:
    """Return images with rows and columns exchanged."""
    with name_scope(name, "transpose", [image]):
        whole = image_of(image)
        return _by_rank(whole, lambda: transpose(whole, [1, 0, 2]), lambda: transpose(whole, [0, 2, 1, 3]))


def rot90(image: Any, k: Any = 1, name: str | None = None) -> Tensor:
    """Return images turned by `k` quarters, counter-clockwise; `k` may be a tensor, int32 ()."""
    with name_scope(name, "rot90", [image]) as scope:
        whole = image_of(image)
        turns = mod(convert_to_tensor(k, dtypes.int32, name="k"), 4)
        made = _by_rank(whole, lambda: _turned(whole, turns, 0, scope), lambda: _turned(whole, turns, 1, scope))
        if whole.dims is not None:
            made.set_shape([*whole.dims[:-3], None, None, whole.dims[-1]])
        return made


def _turned(image: Tensor, turns: Tensor, first: int, scope: str) -> Tensor:
    """Turn the two axes that begin at `first`."""
    order = [1, 0, 2] if first == 0 else [0, 2, 1, 3]
    ways = [
        (equal(turns, 1), lambda: transpose(reverse(image, [first + 1]), order)),
        (equal(turns, 2), lambda: reverse(image, [first, first + 1])),
        (equal(turns, 3), lambda: reverse(transpose(image, order), [first + 1])),
    ]
    return case(ways, default=lambda: image, exclusive=True, name=scope)  # type: ignore[no-any-return]
