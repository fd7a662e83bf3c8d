"""Patches of images and volumes against a loop over places, with gradients."""

import itertools

import numpy as np
import pytest

import millstream as tf
from millstream.ops import nn
from support.opcheck import Row, row_tests, table

RNG = np.random.default_rng(6)
IMAGES = RNG.normal(size=(2, 5, 6, 2))
VOLUMES = RNG.normal(size=(1, 4, 3, 5, 2))


def by_loop(x, sizes, strides, rates, padding):
    """Returns the patches, one place after the other."""
    spans = [(k - 1) * r + 1 for k, r in zip(sizes, rates, strict=True)]
    same = padding == "SAME"
    counts = [-(-n // s) if same else (n - w) // s + 1 for n, w, s in zip(x.shape[1:-1], spans, strides, strict=True)]
    missing = [max((c - 1) * s + w - n, 0) for c, s, w, n in zip(counts, strides, spans, x.shape[1:-1], strict=True)]
    x = np.pad(x, [(0, 0), *((m // 2, m - m // 2) for m in missing), (0, 0)])
    found = np.zeros((len(x), *counts, int(np.prod(sizes)) * x.shape[-1]), x.dtype)
    for place in itertools.product(*map(range, counts)):
        cut = tuple(slice(p * s, p * s + w, r) for p, s, w, r in zip(place, strides, spans, rates, strict=True))
        found[(slice(None), *place)] = x[(slice(None), *cut)].reshape(len(x), -1)
    return found


def image_row(sizes, strides, rates, padding, data=IMAGES):
    attributes = ([1, *sizes, 1], [1, *strides, 1], [1, *rates, 1], padding)
    return Row(
        "ExtractImagePatches",
        lambda x: tf.extract_image_patches(x, *attributes),
        [data],
        lambda x: by_loop(x, sizes, strides, rates, padding),
        gradient=data.dtype.kind == "f",
        unknown=False,
        label="-".join(map(str, (*sizes, *strides, *rates, padding, data.dtype))),
    )


def volume_row(sizes, strides, padding):
    return Row(
        "ExtractVolumePatches",
        lambda x: nn.extract_volume_patches(x, [1, *sizes, 1], [1, *strides, 1], padding),
        [VOLUMES],
        lambda x: by_loop(x, sizes, strides, (1, 1, 1), padding),
        gradient=True,
        unknown=False,
        label="-".join(map(str, (*sizes, *strides, padding))),
    )


ROWS = table(
    image_row((2, 3), (1, 1), (1, 1), "VALID"),
    image_row((2, 3), (2, 1), (1, 1), "SAME"),
    image_row((2, 2), (1, 2), (2, 3), "VALID"),
    image_row((3, 2), (2, 2), (2, 1), "SAME"),
    image_row((1, 1), (3, 4), (1, 1), "SAME"),
    image_row((2, 3), (1, 1), (1, 1), "SAME", IMAGES.astype(np.int32)),
    volume_row((2, 2, 3), (1, 1, 2), "VALID"),
    volume_row((3, 2, 2), (2, 1, 2), "SAME"),
)
test_forward, test_in_sessions, test_gradient = row_tests(ROWS)


def test_sizes_by_their_newer_name():
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None, None, 6, 2])
        one = [1, 1, 1, 1]
        assert tf.image.extract_image_patches(
            x, sizes=[1, 2, 2, 1], strides=one, rates=one, padding="VALID"
        ).shape.as_list() == [None, None, 5, 8]
        with pytest.raises(ValueError, match="Cannot specify both 'sizes' and 'ksizes'"):
            tf.extract_image_patches(x, one, one, one, "VALID", sizes=one)
        with pytest.raises(ValueError, match="across space"):
            tf.extract_image_patches(x, [2, 1, 1, 1], one, one, "VALID")
