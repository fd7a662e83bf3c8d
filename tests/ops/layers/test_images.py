"""Functions of images against TensorFlow's own numbers (tests/golden/images.npz), random ones for the same seeds."""

import numpy as np
import pytest

import millstream as tf
from millstream.ops.core.registry import lookup
from millstream.ops.layers import images
from support.image_cases import BYTES, CASES, GOLDEN, IMAGE, compute
from support.opcheck_programs import Program, program_table, program_tests


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN) as file:
        return dict(file)


@pytest.mark.parametrize("name", CASES)
def test_numbers_are_tensorflows(name, golden) -> None:
    for i, value in enumerate(compute(tf, name)):
        wanted = golden[f"{name}/{i}"]
        assert value.dtype == wanted.dtype
        assert value.shape == wanted.shape
        if value.dtype.kind == "f":
            np.testing.assert_allclose(value, wanted, rtol=2e-5, atol=2e-5)
        else:
            np.testing.assert_array_equal(value, wanted)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: images.crop_to_bounding_box(IMAGE, 5, 0, 2, 2), "height must be >= target"),
        (lambda: images.pad_to_bounding_box(IMAGE, 0, 0, 2, 20), "height must be <= target"),
        (lambda: images.central_crop(IMAGE, 1.5), "within"),
        (lambda: images.resize_images(IMAGE, [2, 2, 2]), "2 elements"),
        (lambda: images.resize_images(IMAGE, [2, 2], method=9), "not implemented"),
        (lambda: images.flip_left_right(IMAGE[0]), "either 3 or 4"),
        (lambda: images.random_hue(IMAGE, 0.6), "<= 0.5"),
        (lambda: images.random_contrast(IMAGE, 2, 1), "upper must be > lower"),
        (lambda: images.random_brightness(IMAGE, -1), "non-negative"),
        (lambda: images.grayscale_to_rgb(IMAGE), "size 1"),
        (lambda: images.random_jpeg_quality(IMAGE, 90, 80), "less than"),
    ],
)
def test_wrong_arguments_are_refused_while_building(build, words) -> None:
    with tf.Graph().as_default(), pytest.raises(ValueError, match=words):
        build()


def test_unknown_sizes_are_checked_at_a_run() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        image = tf.placeholder(tf.float32, [None, None, 3])
        cropped = tf.image.crop_to_bounding_box(image, 2, 2, 5, 5)
        framed = tf.image.resize_image_with_crop_or_pad(image, 7, 4)
        assert framed.shape.as_list() == [7, 4, 3]
        assert session.run(framed, {image: IMAGE}).shape == (7, 4, 3)
        with pytest.raises(tf.errors.InvalidArgumentError):
            session.run(cropped, {image: IMAGE})


def test_jpegs_lose_little() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        smooth = tf.image.resize_images(BYTES, [40, 40]) / 255
        kept = tf.image.adjust_jpeg_quality(smooth, 95)
        one, other = session.run([smooth, kept])
        assert np.abs(one - other).mean() < 0.02
        assert session.run(tf.image.is_jpeg(tf.image.encode_jpeg(BYTES)))
        assert not session.run(tf.image.is_jpeg("GIF89a"))


BOX = np.array([[[0.1, 0.2, 0.7, 0.9]]], np.float32)


def inside(values, arrays):
    begin, size, corners = values
    assert (begin[:2] + size[:2] <= arrays[0][:2]).all()
    np.testing.assert_allclose(corners[0, 0, :2] * arrays[0][:2], begin[:2], atol=1e-4)


def old_sample(size, boxes):
    return lookup("SampleDistortedBoundingBox")(size, boxes, seed=3, seed2=4)


PROGRAMS = program_table(
    Program(
        "SampleDistortedBoundingBoxV2", lambda size, boxes: images_sample(size, boxes), [np.array([60, 90, 3], "i4"), BOX],
        check=inside, random=True,
    ),
    Program("SampleDistortedBoundingBox", old_sample, [np.array([60, 90, 3], "i4"), BOX], check=inside, random=True),
)  # fmt: skip


def images_sample(size, boxes):
    return list(tf.image.sample_distorted_bounding_box(size, boxes, seed=5))


(test_programs,) = program_tests(PROGRAMS)
