"""Images: decoding and encoding, resizing, colours, boxes. Batches are (images, height, width, channels)."""

from .boxes import draw_bounding_boxes
from .codecs import (
    decode_and_crop_jpeg,
    decode_bmp,
    decode_gif,
    decode_image,
    decode_jpeg,
    decode_png,
    encode_jpeg,
    encode_png,
    extract_jpeg_shape,
)
from .colours import hsv_to_rgb, rgb_to_hsv
from .crops import crop_and_resize
from .glimpse import extract_glimpse
from .resize import resize_area, resize_bicubic, resize_bilinear, resize_nearest_neighbor
from .suppression import (
    combined_non_max_suppression,
    non_max_suppression,
    non_max_suppression_overlaps,
    non_max_suppression_padded,
    non_max_suppression_with_scores,
)

__all__ = [
    "combined_non_max_suppression", "crop_and_resize", "decode_and_crop_jpeg", "decode_bmp", "decode_gif",
    "decode_image", "decode_jpeg", "decode_png", "draw_bounding_boxes", "encode_jpeg", "encode_png",
    "extract_glimpse", "extract_jpeg_shape", "hsv_to_rgb", "non_max_suppression", "non_max_suppression_overlaps",
    "non_max_suppression_padded", "non_max_suppression_with_scores", "resize_area", "resize_bicubic",
    "resize_bilinear", "resize_nearest_neighbor", "rgb_to_hsv",
]  # fmt: skip
