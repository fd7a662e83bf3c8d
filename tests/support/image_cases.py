"""Cases of functions of images, for us and for TensorFlow alike: a name, and a function from the module to tensors.

Run as a program by a Python that has TensorFlow, this file writes what TensorFlow computes to tests/golden/images.npz.
"""

import pathlib
from typing import Any

import numpy as np

GOLDEN = pathlib.Path(__file__).parents[1] / "golden" / "images.npz"
RANDOM = np.random.default_rng(7)
IMAGE = RANDOM.uniform(0, 1, (6, 9, 3)).astype(np.float32)
BATCH = RANDOM.uniform(0, 1, (2, 12, 15, 3)).astype(np.float32)
NOISY = np.clip(BATCH + RANDOM.uniform(-0.1, 0.1, BATCH.shape), 0, 1).astype(np.float32)
BYTES = RANDOM.integers(0, 256, (5, 8, 3), dtype=np.uint8)
LARGE = RANDOM.uniform(0, 1, (1, 40, 45, 1)).astype(np.float32)
BOX = np.array([[[0.1, 0.2, 0.7, 0.9]]], np.float32)

CASES: dict[str, Any] = {
    "crop": lambda tf: tf.image.crop_to_bounding_box(IMAGE, 1, 2, 3, 4),
    "pad": lambda tf: tf.image.pad_to_bounding_box(BATCH, 1, 2, 15, 20),
    "crop_or_pad": lambda tf: tf.image.resize_image_with_crop_or_pad(IMAGE, 9, 4),
    "crop_or_pad even": lambda tf: tf.image.resize_image_with_crop_or_pad(BATCH, 7, 20),
    "crop_or_pad tensors": lambda tf: tf.image.resize_image_with_crop_or_pad(
        BATCH, tf.constant(7) + 0, tf.constant(20) + 0
    ),
    "central_crop": lambda tf: tf.image.central_crop(IMAGE, 0.5),
    "central_crop batch": lambda tf: tf.image.central_crop(BATCH, 0.3),
    "flip_left_right": lambda tf: tf.image.flip_left_right(BATCH),
    "flip_up_down": lambda tf: tf.image.flip_up_down(IMAGE),
    "random_flip": lambda tf: tf.image.random_flip_left_right(IMAGE, seed=3),
    "random_flip up": lambda tf: tf.image.random_flip_up_down(IMAGE, seed=4),
    "random_flip batch": lambda tf: tf.image.random_flip_left_right(BATCH, seed=5),
    "transpose": lambda tf: tf.image.transpose_image(BATCH),
    **{f"rot90 {k}": (lambda tf, k=k: tf.image.rot90(BATCH, k)) for k in (0, 1, 2, 3, 5)},
    "rot90 one": lambda tf: tf.image.rot90(IMAGE),
    "brightness": lambda tf: tf.image.adjust_brightness(IMAGE, 0.2),
    "brightness bytes": lambda tf: tf.image.adjust_brightness(BYTES, 0.2),
    "contrast": lambda tf: tf.image.adjust_contrast(BATCH, 1.5),
    "contrast bytes": lambda tf: tf.image.adjust_contrast(BYTES, 1.5),
    "gamma": lambda tf: tf.image.adjust_gamma(IMAGE, 0.7, 1.1),
    "hue": lambda tf: tf.image.adjust_hue(IMAGE, 0.2),
    "hue bytes": lambda tf: tf.image.adjust_hue(BYTES, -0.3),
    "saturation": lambda tf: tf.image.adjust_saturation(IMAGE, 1.7),
    "random_brightness": lambda tf: tf.image.random_brightness(IMAGE, 0.3, seed=1),
    "random_contrast": lambda tf: tf.image.random_contrast(IMAGE, 0.2, 1.8, seed=1),
    "random_saturation": lambda tf: tf.image.random_saturation(IMAGE, 0.2, 1.8, seed=1),
    "random_hue": lambda tf: tf.image.random_hue(IMAGE, 0.3, seed=1),
    "grey": lambda tf: tf.image.rgb_to_grayscale(IMAGE),
    "grey bytes": lambda tf: tf.image.rgb_to_grayscale(BYTES),
    "colour": lambda tf: tf.image.grayscale_to_rgb(tf.constant(LARGE)),
    "standardization": lambda tf: tf.image.per_image_standardization(BATCH),
    "standardization bytes": lambda tf: tf.image.per_image_standardization(BYTES),
    "rgb_to_yiq": lambda tf: tf.image.rgb_to_yiq(tf.constant(IMAGE)),
    "yiq_to_rgb": lambda tf: tf.image.yiq_to_rgb(tf.constant(IMAGE)),
    "rgb_to_yuv": lambda tf: tf.image.rgb_to_yuv(tf.constant(IMAGE)),
    "yuv_to_rgb": lambda tf: tf.image.yuv_to_rgb(tf.constant(IMAGE)),
    "to uint8": lambda tf: tf.image.convert_image_dtype(IMAGE * 1.2, "uint8", saturate=True),
    "to float": lambda tf: tf.image.convert_image_dtype(BYTES, "float32"),
    "to int16": lambda tf: tf.image.convert_image_dtype(BYTES, "int16"),
    "from int16": lambda tf: tf.image.convert_image_dtype(BYTES.astype(np.int16) * 100, "uint8"),
    "gradients": lambda tf: tf.image.image_gradients(tf.constant(BATCH)),
    "sobel": lambda tf: tf.image.sobel_edges(tf.constant(BATCH)),
    "variation": lambda tf: tf.image.total_variation(tf.constant(BATCH)),
    "variation one": lambda tf: tf.image.total_variation(tf.constant(IMAGE)),
    "psnr": lambda tf: tf.image.psnr(tf.constant(BATCH), tf.constant(NOISY), 1.0),
    "ssim": lambda tf: tf.image.ssim(tf.constant(BATCH), tf.constant(NOISY), 1.0),
    "ssim_multiscale": lambda tf: tf.image.ssim_multiscale(
        tf.constant(LARGE), tf.constant(LARGE * 0.9), 1.0, power_factors=(0.3, 0.7), filter_size=7
    ),
    **{f"resize {m}": (lambda tf, m=m: tf.image.resize_images(IMAGE, [4, 5], method=m)) for m in range(4)},
    "resize in proportion": lambda tf: tf.image.resize_images(BATCH, [6, 6], preserve_aspect_ratio=True),
    "resize same": lambda tf: tf.image.resize_images(BYTES, [5, 8]),
    "resize with pad": lambda tf: tf.image.resize_image_with_pad(IMAGE, 8, 8),
    "random_crop": lambda tf: tf.image.random_crop(IMAGE, [3, 3, 3], seed=6),
    **{
        f"distorted {seed}": (lambda tf, seed=seed: tf.image.sample_distorted_bounding_box([60, 90, 3], BOX, seed=seed))
        for seed in (1, 2, 3, 4)
    },
    "distorted shapes": lambda tf: tf.image.sample_distorted_bounding_box(
        [200, 123, 3], BOX, seed=9, min_object_covered=0.9, aspect_ratio_range=[0.3, 3.0], area_range=[0.05, 0.9]
    ),
}


def compute(tf: Any, name: str) -> list[Any]:
    """Return the values of a case as arrays."""
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(11)
        tensors = CASES[name](tf)
        tensors = list(tensors) if isinstance(tensors, list | tuple) else [tensors]
        return [np.asarray(value) for value in session.run(tensors)]


def main() -> None:
    """Write the golden file."""
    import tensorflow.compat.v1 as tf

    tf.disable_v2_behavior()
    found = {f"{name}/{i}": value for name in CASES for i, value in enumerate(compute(tf, name))}
    np.savez_compressed(GOLDEN, **found)


if __name__ == "__main__":
    main()
