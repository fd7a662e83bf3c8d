"""Images, by composing other ops: crops and padding, flips, colours, sizes, and how alike two images are."""

from ..cropping import random_crop
from .colours import (
    adjust_brightness,
    adjust_contrast,
    adjust_gamma,
    adjust_hue,
    adjust_saturation,
    convert_image_dtype,
    grayscale_to_rgb,
    per_image_standardization,
    random_brightness,
    random_contrast,
    random_hue,
    random_saturation,
    rgb_to_grayscale,
    rgb_to_yiq,
    rgb_to_yuv,
    yiq_to_rgb,
    yuv_to_rgb,
)
from .edges import image_gradients, sobel_edges, total_variation
from .files import adjust_jpeg_quality, is_jpeg, random_jpeg_quality
from .flips import (
    flip_left_right,
    flip_up_down,
    random_flip_left_right,
    random_flip_up_down,
    rot90,
    transpose_image,
)
from .frames import central_crop, crop_to_bounding_box, pad_to_bounding_box, resize_image_with_crop_or_pad
from .likeness import psnr, ssim, ssim_multiscale
from .resizing import ResizeMethod, resize_image_with_pad, resize_images

__all__ = [
    "ResizeMethod", "adjust_brightness", "adjust_contrast", "adjust_gamma", "adjust_hue", "adjust_jpeg_quality",
    "adjust_saturation", "central_crop", "convert_image_dtype", "crop_to_bounding_box", "flip_left_right",
    "flip_up_down", "grayscale_to_rgb", "image_gradients", "is_jpeg", "pad_to_bounding_box",
    "per_image_standardization", "psnr", "random_brightness", "random_contrast", "random_crop",
    "random_flip_left_right", "random_flip_up_down", "random_hue", "random_jpeg_quality", "random_saturation",
    "resize_image_with_crop_or_pad", "resize_image_with_pad", "resize_images", "rgb_to_grayscale", "rgb_to_yiq",
    "rgb_to_yuv", "rot90", "sobel_edges", "ssim", "ssim_multiscale", "total_variation", "transpose_image",
    "yiq_to_rgb", "yuv_to_rgb",
]  # fmt: skip
