"""Non-maximum suppression: the best-scored boxes of which none overlaps a better one too much. On the CPU."""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..core import dtypes
from ..core.convert import convert_to_tensor
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.scopes import name_scope
from ..core.shape_rules import constant_value
from ..core.shapes import Shape, merge_dim, with_rank

_FLOATS = (dtypes.half, dtypes.float32)
_TYPES: dict[str, Any] = {"T": _FLOATS, "T_threshold": _FLOATS}
_DEFAULTS = {"T": dtypes.float32, "T_threshold": dtypes.float32}
_INPUTS = "boxes: T, scores: T, max_output_size: int32, iou_threshold: T_threshold"


def overlaps(boxes: Array) -> Array:
    """Return the intersection of each pair of boxes over their union, float32 (boxes, boxes); 0 for empty boxes."""
    corners = boxes.astype(np.float32)
    low, high = np.minimum(corners[:, :2], corners[:, 2:]), np.maximum(corners[:, :2], corners[:, 2:])
    area = np.prod(high - low, axis=1)
    sides = np.minimum(high[:, None], high[None]) - np.maximum(low[:, None], low[None])
    common = np.prod(np.maximum(sides, 0), axis=2)
    union = area[:, None] + area[None] - common
    usable = (area[:, None] > 0) & (area[None] > 0)
    return np.where(usable, common / np.where(usable, union, 1), 0).astype(np.float32)


def select(
    similarity: Array, scores: Array, most: int, threshold: float, least: float = -np.inf, sigma: float = 0.0
) -> tuple[list[int], list[float]]:
    """Return the boxes chosen, best first, and their scores, which overlaps lower where `sigma` is positive."""
    queue = [(-float(score), i, 0) for i, score in enumerate(scores) if score > least]
    heapq.heapify(queue)
    chosen: list[int] = []
    kept: list[float] = []
    while len(chosen) < most and queue:
        cost, box, seen = heapq.heappop(queue)
        score, dropped = -cost, False
        for other in reversed(chosen[seen:]):
            shared = float(similarity[box, other])
            score *= _weight(shared, threshold, sigma)
            dropped = shared > threshold and not sigma
            if dropped or score <= least:
                break
        if dropped or score <= least:
            continue
        if -score == cost:
            chosen.append(box)
            kept.append(score)
        else:
            heapq.heappush(queue, (-score, box, len(chosen)))
    return chosen, kept


def _weight(shared: float, threshold: float, sigma: float) -> float:
    """Return what is left of a score beside a better box."""
    if shared > threshold and not sigma:
        return 0.0
    return float(np.exp(-0.5 * shared * shared / sigma)) if sigma else 1.0


def _check(boxes: Array, scores: Array, threshold: float) -> None:
    if not 0 <= threshold <= 1:
        raise InvalidArgumentError(None, None, "iou_threshold must be in [0, 1]")
    if boxes.shape != (len(scores), 4):
        raise InvalidArgumentError(None, None, f"boxes must be {[len(scores), 4]}, are {list(boxes.shape)}")


def _suppressed(boxes: Array, scores: Array, most: Any, threshold: Any, least: Any = -np.inf) -> Array:
    _check(boxes, scores, float(threshold))
    chosen, _ = select(overlaps(boxes), scores, int(most), float(threshold), float(least))
    return np.array(chosen, np.int32)


def _check_shapes(node: Operation) -> None:
    """Raise ValueError for boxes that are not (boxes, 4), or other scores than one each."""
    boxes, scores = with_rank(node.inputs[0].dims, 2), with_rank(node.inputs[1].dims, 1)
    merge_dim(boxes[0], scores[0])
    if boxes[1] not in (None, 4):
        raise ValueError(f"Dimension must be 4 but is {boxes[1]}")


def _some(node: Operation) -> Shape:
    _check_shapes(node)
    return (None,)


def _some_of_square(node: Operation) -> Shape:
    overlaps, scores = with_rank(node.inputs[0].dims, 2), with_rank(node.inputs[1].dims, 1)
    merge_dim(merge_dim(overlaps[0], scores[0]), overlaps[1])
    return (None,)


@op("NonMaxSuppression", types="boxes: float32, scores: float32, max_output_size: int32 -> selected_indices: int32",
    shape=_some, devices="CPU", differentiable=False)  # fmt: skip
def non_max_suppression_op(
    xp: Namespace, boxes: Array, scores: Array, max_output_size: Array, *, iou_threshold: float = 0.5
) -> Array:
    """Returns which boxes are chosen, best first."""
    return _suppressed(boxes, scores, max_output_size, iou_threshold)


@op("NonMaxSuppressionV2", types=f"{_INPUTS} -> selected_indices: int32", shape=_some, devices="CPU", defaults=_DEFAULTS,
    differentiable=False, **_TYPES)  # fmt: skip
def non_max_suppression_v2_op(
    xp: Namespace, boxes: Array, scores: Array, max_output_size: Array, iou_threshold: Array
) -> Array:
    """Returns which boxes are chosen, best first."""
    return _suppressed(boxes, scores, max_output_size, iou_threshold)


@op("NonMaxSuppressionV3", types=f"{_INPUTS}, score_threshold: T_threshold -> selected_indices: int32", shape=_some,
    devices="CPU", defaults=_DEFAULTS, **_TYPES)  # fmt: skip
def non_max_suppression_v3_op(
    xp: Namespace, boxes: Array, scores: Array, max_output_size: Array, iou_threshold: Array, score_threshold: Array
) -> Array:
    """Returns which boxes with a score above the threshold are chosen, best first."""
    return _suppressed(boxes, scores, max_output_size, iou_threshold, score_threshold)


def _padded_shapes(node: Operation) -> list[Shape]:
    _check_shapes(node)
    most = constant_value(node.inputs[2]) if node.attrs["pad_to_max_output_size"] else None
    size: Shape = (None if most is None else int(most),)
    return [*[size] * (len(node.decl.outputs) - 1), ()]


def _padded(values: list[Any], dtype: Any, most: int, pad: bool) -> Array:
    made = np.zeros(most if pad else len(values), dtype)
    made[: len(values)] = values
    return made


@op(
    "NonMaxSuppressionV4", shape=_padded_shapes, devices="CPU", defaults=_DEFAULTS, **_TYPES,
    types=f"{_INPUTS}, score_threshold: T_threshold -> selected_indices: int32, valid_outputs: int32",
)  # fmt: skip
def non_max_suppression_v4_op(
    xp: Namespace, boxes: Array, scores: Array, max_output_size: Array, iou_threshold: Array, score_threshold: Array, *,
    pad_to_max_output_size: bool = False,
) -> list[Array]:  # fmt: skip
    """Returns which boxes are chosen, best first and zeros after them, and how many they are."""
    chosen = _suppressed(boxes, scores, max_output_size, iou_threshold, score_threshold)
    made = _padded(chosen.tolist(), np.int32, int(max_output_size), pad_to_max_output_size)
    return [made, np.array(len(chosen), np.int32)]


@op(
    "NonMaxSuppressionV5", shape=_padded_shapes, devices="CPU", T=_FLOATS, defaults={"T": dtypes.float32},
    types="boxes: T, scores: T, max_output_size: int32, iou_threshold: T, score_threshold: T, soft_nms_sigma: T "
    "-> selected_indices: int32, selected_scores: T, valid_outputs: int32",
)  # fmt: skip
def non_max_suppression_v5_op(
    xp: Namespace, boxes: Array, scores: Array, max_output_size: Array, iou_threshold: Array, score_threshold: Array,
    soft_nms_sigma: Array, *, pad_to_max_output_size: bool = False,
) -> list[Array]:  # fmt: skip
    """Returns which boxes are chosen, their scores, and how many they are; overlaps may lower scores instead of dropping."""
    _check(boxes, scores, float(iou_threshold))
    limits = float(iou_threshold), float(score_threshold), float(soft_nms_sigma)
    most = int(max_output_size)
    chosen, kept = select(overlaps(boxes), scores, most, *limits)
    indices = _padded(chosen, np.int32, most, pad_to_max_output_size)
    return [indices, _padded(kept, scores.dtype, most, pad_to_max_output_size), np.array(len(chosen), np.int32)]


@op(
    "NonMaxSuppressionWithOverlaps", shape=_some_of_square, devices="CPU", differentiable=False,
    types="overlaps: float32, scores: float32, max_output_size: int32, overlap_threshold: float32, score_threshold: float32 "
    "-> selected_indices: int32",
)  # fmt: skip
def non_max_suppression_with_overlaps_op(
    xp: Namespace, overlaps: Array, scores: Array, max_output_size: Array, overlap_threshold: Array,
    score_threshold: Array,
) -> Array:  # fmt: skip
    """Returns which boxes are chosen, best first, by the overlaps given."""
    if overlaps.shape != (len(scores), len(scores)):
        raise InvalidArgumentError(None, None, "overlaps must be square and fit the scores")
    chosen, _ = select(overlaps, scores, int(max_output_size), float(overlap_threshold), float(score_threshold))
    return np.array(chosen, np.int32)


def _combined_shapes(node: Operation) -> list[Shape]:
    boxes, scores = with_rank(node.inputs[0].dims, 4), with_rank(node.inputs[1].dims, 3)
    batch = merge_dim(boxes[0], scores[0])
    merge_dim(boxes[1], scores[1])
    each, total = (constant_value(tensor) for tensor in node.inputs[2:4])
    size = None if total is None else int(total)
    if node.attrs["pad_per_class"] and size is not None:
        classes = scores[2]
        size = None if each is None or classes is None else min(size, int(each) * classes)
    return [(batch, size, 4), (batch, size), (batch, size), (batch,)]


@op(
    "CombinedNonMaxSuppression", shape=_combined_shapes, devices="CPU",
    types="boxes: float32, scores: float32, max_output_size_per_class: int32, max_total_size: int32, iou_threshold: float32, "
    "score_threshold: float32 -> nmsed_boxes: float32, nmsed_scores: float32, nmsed_classes: float32, valid_detections: int32",
)  # fmt: skip
def combined_non_max_suppression_op(
    xp: Namespace, boxes: Array, scores: Array, max_output_size_per_class: Array, max_total_size: Array,
    iou_threshold: Array, score_threshold: Array, *, pad_per_class: bool = False, clip_boxes: bool = True,
) -> list[Array]:  # fmt: skip
    """Returns the best boxes of all classes, image by image."""
    each, total = int(max_output_size_per_class), int(max_total_size)
    classes = scores.shape[2]
    size = min(total, each * classes) if pad_per_class else total
    made = [np.zeros((len(boxes), size, *rest), np.float32) for rest in ((4,), (), ())]
    counts = np.zeros(len(boxes), np.int32)
    for i, (own, points) in enumerate(zip(boxes, scores, strict=True)):
        found: list[tuple[float, int, int]] = []
        for kind in range(classes):
            places = own[:, kind % own.shape[1]]
            chosen, kept = select(overlaps(places), points[:, kind], each, float(iou_threshold), float(score_threshold))
            found += [(-score, kind, box) for score, box in zip(kept, chosen, strict=True)]
        found = sorted(found, key=lambda item: item[0])[:size]
        counts[i] = len(found)
        for j, (cost, kind, box) in enumerate(found):
            corners = own[box, kind % own.shape[1]]
            made[0][i, j], made[1][i, j], made[2][i, j] = np.clip(corners, 0, 1) if clip_boxes else corners, -cost, kind
    return [*made, counts]


def non_max_suppression(
    boxes: Any, scores: Any, max_output_size: Any, iou_threshold: Any = 0.5, score_threshold: Any = float("-inf"),
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return which boxes are chosen, best first, int32 (at most `max_output_size`,).

    Args:
      boxes: (boxes, 4): two opposite corners each, y1, x1, y2, x2.
      scores: (boxes,).
      max_output_size: int32.
      iou_threshold: in [0, 1]; a box that shares more than this with a better one is dropped.
      score_threshold: boxes of this score or less are dropped.
    """
    with name_scope(name, "non_max_suppression"):
        limits = _limit(iou_threshold, "iou_threshold"), _limit(score_threshold, "score_threshold")
        return non_max_suppression_v3_op(boxes, scores, max_output_size, *limits)  # type: ignore[no-any-return]


def _limit(value: Any, name: str) -> Tensor:
    return value if isinstance(value, Tensor) else convert_to_tensor(value, dtypes.float32, name=name)


def non_max_suppression_padded(
    boxes: Any, scores: Any, max_output_size: Any, iou_threshold: Any = 0.5, score_threshold: Any = float("-inf"),
    pad_to_max_output_size: bool = False, name: str | None = None, sorted_input: bool = False,
    canonicalized_coordinates: bool = False, tile_size: int = 512,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Return which boxes are chosen, zeros after them up to `max_output_size` where wanted, and how many they are.

    The last three arguments promise properties of the input that make other implementations faster.
    """
    with name_scope(name, "non_max_suppression_padded"):
        limits = _limit(iou_threshold, "iou_threshold"), _limit(score_threshold, "score_threshold")
        chosen, count = non_max_suppression_v4_op(
            boxes, scores, max_output_size, *limits, pad_to_max_output_size=pad_to_max_output_size
        )
        return chosen, count


def non_max_suppression_with_scores(
    boxes: Any, scores: Any, max_output_size: Any, iou_threshold: Any = 0.5, score_threshold: Any = float("-inf"),
    soft_nms_sigma: Any = 0.0, name: str | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Return which boxes are chosen and their scores; a positive `soft_nms_sigma` lowers scores by overlaps."""
    with name_scope(name, "non_max_suppression_with_scores"):
        tensor = convert_to_tensor(scores)
        dtype = tensor.dtype.base_dtype
        limits = [convert_to_tensor(v, dtype) for v in (iou_threshold, score_threshold, soft_nms_sigma)]
        chosen, kept, _ = non_max_suppression_v5_op(boxes, tensor, max_output_size, *limits)
        return chosen, kept


def non_max_suppression_overlaps(
    overlaps: Any, scores: Any, max_output_size: Any, overlap_threshold: Any = 0.5,
    score_threshold: Any = float("-inf"), name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return which boxes are chosen, best first, where `overlaps` (boxes, boxes) tells how much each pair shares."""
    with name_scope(name, "non_max_suppression_overlaps"):
        limits = _limit(overlap_threshold, "overlap_threshold"), _limit(score_threshold, "score_threshold")
        return non_max_suppression_with_overlaps_op(overlaps, scores, max_output_size, *limits)  # type: ignore[no-any-return]


def combined_non_max_suppression(
    boxes: Any, scores: Any, max_output_size_per_class: Any, max_total_size: Any, iou_threshold: Any = 0.5,
    score_threshold: Any = float("-inf"), pad_per_class: bool = False, clip_boxes: bool = True, name: str | None = None,
) -> Any:  # fmt: skip
    """Return boxes, scores, classes and counts of the best boxes of all classes, for each image of a batch.

    Args:
      boxes: float32 (images, boxes, classes or 1, 4).
      scores: float32 (images, boxes, classes).
    """
    with name_scope(name, "combined_non_max_suppression"):
        limits = _limit(iou_threshold, "iou_threshold"), _limit(score_threshold, "score_threshold")
        return combined_non_max_suppression_op.named(
            boxes, scores, max_output_size_per_class, max_total_size, *limits, pad_per_class=pad_per_class,
            clip_boxes=clip_boxes,
        )  # fmt: skip
