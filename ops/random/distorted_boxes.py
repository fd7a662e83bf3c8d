"""Random crops for training on images: windows of random size and shape that cover enough of an object's box.

The windows are TensorFlow's for its seeds: numbers are drawn in its order, in float32, halves rounded to even. Host only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..core import dtypes
from ..core.context import KernelContext
from ..core.convert import convert_to_tensor
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.scopes import name_scope
from ..core.shapes import Shape
from .simple_philox import SimplePhilox
from .stream import PhiloxStream

_TYPES = (dtypes.uint8, dtypes.int8, dtypes.int16, dtypes.int32, dtypes.int64)
_OUTPUTS = "begin: T, size: T, bboxes: float32"
_EPSILON = np.float32(1e-7)
_ASPECTS = [0.75, 1.3300000429153442]
_AREAS = [0.05000000074505806, 1.0]
_f = np.float32


@dataclass(frozen=True)
class Wishes:
    """What a window has to be like: its width over its height, its share of the image, its share of some box."""

    aspects: tuple[float, float]
    areas: tuple[float, float]
    covered: float
    attempts: int
    whole: bool

    def check(self) -> None:
        """Raise InvalidArgumentError for wishes that nothing satisfies."""
        if not 0 < self.aspects[0] <= self.aspects[1]:
            raise InvalidArgumentError(None, None, f"Aspect ratio range is invalid: {list(self.aspects)}")
        if not 0 < self.areas[0] <= self.areas[1] <= 1:
            raise InvalidArgumentError(None, None, f"Area range is invalid: {list(self.areas)}")
        if not 0 <= self.covered <= 1:
            raise InvalidArgumentError(None, None, f"Min object covered must be in [0, 1]: {self.covered}")


Window = tuple[int, int, int, int]


def _uniform(source: SimplePhilox, limit: int) -> int:
    """Return an integer below `limit`, without bias."""
    while True:
        found = source.integers32(1, limit)
        if found.size:
            return int(found[0])


def _unit(source: SimplePhilox) -> np.float32:
    bits = (source.words(1) & np.uint32(0x7FFFFF)) | np.uint32(127 << 23)
    return np.float32(bits.view(np.float32)[0] - np.float32(1))


def _heights(image: tuple[int, int], aspect: np.float32, areas: tuple[np.float32, np.float32]) -> tuple[int, int]:
    """Return the least and the greatest height of a window of this shape."""
    least, most = (round(math.sqrt(area / aspect)) for area in areas)
    if round(_f(most) * aspect) > image[1]:
        most = int((_f(image[1]) + _f(0.5) - _EPSILON) / aspect)
        if round(_f(most) * aspect) > image[1]:
            most -= 1
    most = min(most, image[0])
    return min(least, most), most


def _window(source: SimplePhilox, image: tuple[int, int], wishes: Wishes, aspect: np.float32) -> Window | None:
    """Draw one window: first row and column, height, width."""
    pixels = _f(image[0]) * _f(image[1])
    areas = _f(wishes.areas[0]) * pixels, _f(wishes.areas[1]) * pixels
    height, most = _heights(image, aspect, areas)
    if height < most:
        height += _uniform(source, most - height + 1)
    width = round(_f(height) * aspect)
    if height * width < areas[0]:
        height += 1
        width = round(_f(height) * aspect)
    if height * width > areas[1]:
        height -= 1
        width = round(_f(height) * aspect)
    fits = areas[0] <= height * width <= areas[1] and 0 < height <= image[0] and 0 < width <= image[1]
    if not fits:
        return None
    top = _uniform(source, image[0] - height) if height < image[0] else 0
    left = _uniform(source, image[1] - width) if width < image[1] else 0
    return top, left, height, width


def _covers(window: Window, boxes: list[Window], least: float) -> bool:
    """Tell whether the window shows enough of some box of pixels (top, left, bottom, right)."""
    top, left, height, width = window
    for first, start, last, end in boxes:
        area = _f(last - first) * _f(end - start)
        rows = min(last, top + height) - max(first, top)
        columns = min(end, left + width) - max(start, left)
        shared = _f(rows * columns) if rows > 0 and columns > 0 else _f(0)
        if area > 0 and shared / area >= least:
            return True
    return False


def _pixel_boxes(boxes: Array, image: tuple[int, int], wishes: Wishes) -> list[Window]:
    flat = boxes.reshape(-1, 4)
    if not len(flat):
        if not wishes.whole:
            raise InvalidArgumentError(
                None, None, "No bounding boxes provided as input. One must enable use_image_if_no_bounding_boxes if you wish "
                "to not provide any bounding boxes.",
            )  # fmt: skip
        return [(0, 0, *image)]
    if (flat < 0).any() or (flat > 1).any():
        raise InvalidArgumentError(None, None, "All bounding box coordinates must be in [0.0, 1.0]")
    scaled = (flat * np.array(image * 2, np.float32)).astype(np.int64)
    return [(int(box[0]), int(box[1]), int(box[2]), int(box[3])) for box in scaled]


def _sample(ctx: KernelContext, image_size: Array, boxes: Array, wishes: Wishes, seeds: tuple[int, int]) -> list[Array]:
    wishes.check()
    image = int(image_size[0]), int(image_size[1])
    targets = _pixel_boxes(boxes, image, wishes)
    stream = ctx.node_state(lambda: PhiloxStream(*seeds))
    source = SimplePhilox(stream.key, stream.reserve(wishes.attempts), np.empty(0, np.uint32))
    window: Window = (0, 0, *image)
    low, high = _f(wishes.aspects[0]), _f(wishes.aspects[1])
    for _ in range(wishes.attempts):
        aspect = _unit(source) * (high - low) + low
        drawn = _window(source, image, wishes, aspect)
        if drawn is not None and _covers(drawn, targets, wishes.covered):
            window = drawn
            break
    return _outputs(window, image, image_size.dtype)


def _outputs(window: Window, image: tuple[int, int], dtype: Any) -> list[Array]:
    top, left, height, width = window
    corners = np.array([top, left, top + height, left + width], np.float32) / np.array(image * 2, np.float32)
    begin, size = np.array([top, left, 0], dtype), np.array([height, width, -1]).astype(dtype)
    return [begin, size, corners.reshape(1, 1, 4)]


def _shapes(node: Operation) -> list[Shape]:
    return [(3,), (3,), (1, 1, 4)]


@op("SampleDistortedBoundingBox", types=f"image_size: T, bounding_boxes: float32 -> {_OUTPUTS}", T=_TYPES, shape=_shapes,
    stateful=True, devices="CPU", differentiable=False)  # fmt: skip
def sample_distorted_bounding_box_op(
    ctx: KernelContext, xp: Namespace, image_size: Array, bounding_boxes: Array, *, seed: int = 0, seed2: int = 0,
    min_object_covered: float = 0.10000000149011612, aspect_ratio_range: list[float] = _ASPECTS,
    area_range: list[float] = _AREAS, max_attempts: int = 100, use_image_if_no_bounding_boxes: bool = False,
) -> list[Array]:  # fmt: skip
    """Returns a random window's first row and column, its height and width, and its corners."""
    wishes = _wishes(aspect_ratio_range, area_range, min_object_covered, max_attempts, use_image_if_no_bounding_boxes)
    return _sample(ctx, image_size, bounding_boxes, wishes, (seed, seed2))


def _wishes(aspects: list[float], areas: list[float], covered: float, attempts: int, whole: bool) -> Wishes:
    return Wishes((aspects[0], aspects[1]), (areas[0], areas[1]), covered, attempts, whole)


@op(
    "SampleDistortedBoundingBoxV2", types=f"image_size: T, bounding_boxes: float32, min_object_covered: float32 -> {_OUTPUTS}",
    T=_TYPES, shape=_shapes, stateful=True, devices="CPU", differentiable=False,
)  # fmt: skip
def sample_distorted_bounding_box_v2_op(
    ctx: KernelContext, xp: Namespace, image_size: Array, bounding_boxes: Array, min_object_covered: Array, *,
    seed: int = 0, seed2: int = 0, aspect_ratio_range: list[float] = _ASPECTS,
    area_range: list[float] = _AREAS, max_attempts: int = 100, use_image_if_no_bounding_boxes: bool = False,
) -> list[Array]:  # fmt: skip
    """Returns a random window's first row and column, its height and width, and its corners."""
    wishes = _wishes(
        aspect_ratio_range, area_range, float(min_object_covered), max_attempts, use_image_if_no_bounding_boxes
    )
    return _sample(ctx, image_size, bounding_boxes, wishes, (seed, seed2))


def sample_distorted_bounding_box(
    image_size: Any, bounding_boxes: Any, seed: int | None = None, seed2: int | None = None,
    min_object_covered: Any = 0.1, aspect_ratio_range: Any = None, area_range: Any = None,
    max_attempts: int | None = None, use_image_if_no_bounding_boxes: bool | None = None, name: str | None = None,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """Return a random window of an image as arguments for `tf.slice`, (begin, size), and its corners (1, 1, 4).

    Args:
      image_size: (height, width, channels), of an integer type.
      bounding_boxes: float32 (images, boxes, 4): y1, x1, y2, x2 in [0, 1].
      seed, seed2: fix the windows when either is not 0, whatever the graph's seed.
      min_object_covered: the share of some box that the window has to show.
      aspect_ratio_range: least and greatest width over height, [0.75, 1.33].
      area_range: least and greatest share of the image, [0.05, 1].
      max_attempts: how many windows to draw before taking the whole image, 100.
      use_image_if_no_bounding_boxes: whether the whole image stands in for boxes where there are none.
    """
    given = {
        "aspect_ratio_range": aspect_ratio_range, "area_range": area_range, "max_attempts": max_attempts,
        "use_image_if_no_bounding_boxes": use_image_if_no_bounding_boxes,
    }  # fmt: skip
    attrs = {key: value for key, value in given.items() if value is not None}
    with name_scope(name, "sample_distorted_bounding_box"):
        covered = convert_to_tensor(min_object_covered, dtypes.float32, name="min_object_covered")
        return sample_distorted_bounding_box_v2_op.named(  # type: ignore[no-any-return]
            image_size, bounding_boxes, covered, seed=seed or 0, seed2=seed2 or 0, **attrs
        )
