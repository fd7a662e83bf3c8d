"""Pictures made smaller while they are read, windows of known size, and boxes whose shapes do not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import millstream as tf

BOXES, SCORES = np.array([[0, 0, 1, 1], [0, 0.1, 1, 1.1], [2, 2, 3, 3]], "f"), np.array([0.5, 0.9, 0.7], "f")


@pytest.mark.parametrize(("height", "width"), [(7, 9), (16, 16), (17, 33), (3, 50), (1, 1)])
def test_jpegs_are_read_smaller(height: int, width: int) -> None:
    ramp = np.add.outer(np.arange(height) * 5, np.arange(width) * 3)[..., None] + [0, 20, 40]
    with tf.Graph().as_default(), tf.Session() as session:
        data = session.run(tf.image.encode_jpeg(ramp.astype(np.uint8), quality=100, chroma_downsampling=False))
        for ratio in (1, 2, 4, 8):
            found = session.run(tf.image.decode_jpeg(data, ratio=ratio))
            assert found.shape == (-(-height // ratio), -(-width // ratio), 3)
            assert found.mean() == pytest.approx(ramp.mean(), abs=5 * ratio)
        window = tf.image.decode_and_crop_jpeg(data, [0, 0, 1, 1], channels=3)
        assert window.shape.as_list() == [1, 1, 3] == list(session.run(window).shape)


def names(results: Any) -> list[str]:
    return [tensor.op.name for tensor in results]


def test_suppression_stands_in_a_scope_of_its_own() -> None:
    image = tf.image
    with tf.Graph().as_default():
        one = image.non_max_suppression(BOXES, SCORES, 2), image.non_max_suppression(BOXES, SCORES, 2, name="mine")
        assert names(one) == ["non_max_suppression/NonMaxSuppressionV3", "mine/NonMaxSuppressionV3"]
        assert names(image.non_max_suppression_with_scores(BOXES, SCORES, 2))[0] == (
            "non_max_suppression_with_scores/NonMaxSuppressionV5"
        )
        overlaps = image.non_max_suppression_overlaps(np.eye(3, dtype="f"), SCORES, 2)
        assert overlaps.op.name == "non_max_suppression_overlaps/NonMaxSuppressionWithOverlaps"
        found = image.combined_non_max_suppression(
            BOXES[None, :, None], np.stack([SCORES, SCORES], -1)[None], 2, 7, pad_per_class=True
        )
        assert found[0].shape.as_list() == [1, 4, 4]
        assert found[0].op.name == "combined_non_max_suppression/CombinedNonMaxSuppression"


REFUSED: dict[str, tuple[Any, str]] = {
    "scores": (lambda: tf.image.non_max_suppression(BOXES, SCORES[:2], 2), "must be equal, but are 3 and 2"),
    "rank": (lambda: tf.image.non_max_suppression(BOXES[0], SCORES, 2), "must be rank 2 but is rank 1"),
    "corners": (lambda: tf.image.non_max_suppression(BOXES[:, :3], SCORES, 2), "must be 4 but is 3"),
    "padded": (lambda: tf.image.non_max_suppression_padded(BOXES, SCORES[None], 2), "must be rank 1 but is rank 2"),
    "square": (lambda: tf.image.non_max_suppression_overlaps(BOXES, SCORES, 2), "must be equal, but are 3 and 4"),
    "combined": (lambda: tf.image.combined_non_max_suppression(BOXES, SCORES[None, :, None], 2, 2), "must be rank 4"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_boxes_that_do_not_fit(case: str) -> None:
    build, words = REFUSED[case]
    with tf.Graph().as_default(), pytest.raises(ValueError, match=words):
        build()


def test_a_box_of_no_image() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        crops = tf.image.crop_and_resize(np.zeros((1, 4, 4, 1), "f"), [[0, 0, 1, 1]], [1], [2, 2])
        with pytest.raises(tf.errors.OutOfRangeError, match="box_index has values outside"):
            session.run(crops)
