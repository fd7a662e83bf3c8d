"""Files of images and arrays of pixels: JPEG, PNG, GIF and BMP, by Pillow. On CPUs.

Pillow is loaded by the first kernel that runs. PNG and BMP are exact; JPEG decoders differ from each other by a few steps of
256. An image is (height, width, channels); a GIF's frames are (frames, height, width, 3).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..core import dtypes
from ..core.dtypes import DType
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import OpDecl, op
from ..core.shape_rules import constant_value
from ..core.shapes import Shape, with_rank, with_rank_at_least
from .deep_png import is_deep, read_deep, write_deep

_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
_MAGIC = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG", b"GIF8": "GIF", b"BM": "BMP"}
_PLAIN = {"1": "L", "P": "RGB", "CMYK": "RGB", "YCbCr": "RGB"}
# What Pillow's decoders raise where a file breaks off or contradicts itself.
_STUMBLES = (
    OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, OverflowError, MemoryError, struct.error,
)  # fmt: skip
_COLOURS = ("RGB", "RGBA", "P", "PA")
_SHARES = np.array([9797, 19234, 3737], np.uint32)  # of red, green and blue
_MOST_PIXELS = 1 << 29
_BMP_PLAIN = (0, 3)


def _pillow() -> Any:
    return import_module("PIL.Image")


def _invalid(words: str) -> InvalidArgumentError:
    return InvalidArgumentError(None, None, words)


def _bytes(contents: Any) -> bytes:
    return np.asarray(contents, object).item()  # type: ignore[no-any-return]


def _format(data: bytes) -> str:
    for magic, name in _MAGIC.items():
        if data.startswith(magic):
            return name
    raise _invalid("Unknown image file format. One of JPEG, PNG, GIF, BMP required.")


@contextmanager
def _reading(data: bytes) -> Iterator[Any]:
    """Open a picture; whatever its decoder stumbles over while it is read becomes one error."""
    name = _format(data)
    pillow = _pillow()
    try:
        with pillow.open(io.BytesIO(data), formats=[name]) as picture:
            if name == "BMP":
                _check_bmp(data, *picture.size)
            yield picture
    except (*_STUMBLES, pillow.DecompressionBombError, pillow.DecompressionBombWarning) as error:
        raise _invalid(f"Invalid {name} data, size {len(data)}: {error}") from None


def _check_bmp(data: bytes, width: int, height: int) -> None:
    """Raise InvalidArgumentError where a file without compression is too short for its picture, before memory is taken."""
    bits, compression = struct.unpack_from("<HI", data, 28)
    least = width * height * bits // 8
    if compression in _BMP_PLAIN and least > len(data):
        raise _invalid(f"Incomplete bmp content, requires at least {least} bytes, got {len(data)} bytes")


def _opened(data: bytes, grey: bool = False) -> Any:
    """Return a picture; of a JPEG in colours its brightness alone where that is wanted, as the file has it."""
    with _reading(data) as picture:
        if grey and picture.format == "JPEG":
            picture.draft("L", None)
        picture.load()
        return picture.copy()


def _pixels(picture: Any, channels: int) -> Array:
    """Return a picture's pixels with so many channels, or with as many as it has for 0."""
    if picture.mode.startswith("I"):
        return _deep(picture, channels)
    mode = _MODES[channels] if channels else _PLAIN.get(picture.mode, picture.mode)
    if channels == 1 and picture.mode in _COLOURS:
        return _grey(np.array(picture.convert("RGB"), np.uint8))
    if picture.mode != mode:
        picture = picture.convert("RGBA").convert(mode) if picture.mode == "P" else picture.convert(mode)
    pixels = np.array(picture, np.uint8)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _grey(colours: Array) -> Array:
    """Return the brightness of pixels as libpng reckons it: shares of 1 / 2**15, cut off at 8 bits and rounded at 16."""
    total = colours[..., :3].astype(np.uint32) @ _SHARES + (0 if colours.dtype == np.uint8 else 1 << 14)
    return (total >> 15).astype(colours.dtype)[..., None]


def _deep(picture: Any, channels: int) -> Array:
    """Return the pixels of a grey picture of 16 bits."""
    return _with_channels(np.array(picture).astype(np.uint16)[..., None], channels)


def _with_channels(pixels: Array, channels: int) -> Array:
    """Return pixels of 16 bits with so many channels, or with as many as they have for 0."""
    had = pixels.shape[-1]
    if channels in (0, had):
        return pixels
    colours, solid = pixels[..., : had - (had + 1) % 2], np.full_like(pixels[..., :1], 65535)
    if channels < 3 < colours.shape[-1] + 1:
        colours = _grey(colours)
    elif channels > 2 and colours.shape[-1] == 1:
        colours = np.concatenate([colours] * 3, axis=-1)
    opacity = [] if channels % 2 else [pixels[..., -1:] if had % 2 == 0 else solid]
    return np.concatenate([colours, *opacity], axis=-1)


def _as_dtype(pixels: Array, dtype: DType, deeper: int = 256) -> Array:
    """Return whole pixels in another type; eight bits times `deeper` make sixteen, which fills the range for PNGs only."""
    wanted = dtype.np_dtype
    if pixels.dtype == wanted:
        return pixels
    if wanted.kind == "f":
        return pixels.astype(wanted) / wanted.type(np.iinfo(pixels.dtype).max)
    return pixels.astype(np.uint16) * np.uint16(deeper) if wanted == np.uint16 else (pixels >> 8).astype(np.uint8)


def decode(data: bytes, channels: int = 0, dtype: DType = dtypes.uint8) -> Array:
    """Return the pixels of a file; of a GIF, those of its first frame."""
    if channels not in (0, 1, 2, 3, 4):
        raise _invalid(f"channels must be 0, 1, 3 or 4, got {channels}")
    if is_deep(data):
        return _as_dtype(_with_channels(read_deep(data, _MOST_PIXELS), channels), dtype)
    deeper = 257 if _format(data) == "PNG" else 256
    return _as_dtype(_pixels(_opened(data, grey=channels == 1), channels), dtype, deeper)


def _frames(data: bytes) -> Array:
    with _reading(data) as picture:
        count, (width, height) = picture.n_frames, picture.size
        if count * width * height > _MOST_PIXELS:
            raise _invalid(
                f"Invalid GIF data, size {len(data)}: {count} frames of {height} x {width} pixels are too large"
            )
        made = np.empty((count, height, width, 3), np.uint8)
        for number in range(count):
            picture.seek(number)
            made[number] = np.asarray(picture.convert("RGB"))
        return made


def _decoded_shape(node: Operation) -> Shape:
    with_rank(node.inputs[0].dims, 0)
    return (None, None, node.attrs["channels"] or None)


@op("DecodeJpeg", types="contents: string -> image: uint8", shape=_decoded_shape, devices="CPU", differentiable=False)
def decode_jpeg_op(
    xp: Namespace, contents: Array, *, channels: int = 0, ratio: int = 1, fancy_upscaling: bool = True,
    try_recover_truncated: bool = False, acceptable_fraction: float = 1.0, dct_method: str = "",
) -> Array:  # fmt: skip
    """Returns the pixels of a JPEG, made smaller by `ratio`."""
    return _shrunk(_bytes(contents), channels, ratio)


def _shrunk(data: bytes, channels: int, ratio: int) -> Array:
    if ratio not in (1, 2, 4, 8):
        raise _invalid(f"ratio must be 1, 2, 4, or 8, got {ratio}")
    if ratio == 1 or _format(data) != "JPEG":
        return decode(data, channels)
    with _reading(data) as picture:
        full = picture.size
        # The decoder takes the greatest step down that leaves at least the size asked for, so sides are rounded down here;
        # what it cannot make of sides shorter than the ratio is made of the pixels.
        picture.draft("L" if channels == 1 else picture.mode, tuple(max(side // ratio, 1) for side in full))
        done = max(n for n in (1, 2, 4, 8) if n <= ratio and picture.size == tuple(-(-side // n) for side in full))
        return _pixels(picture if done == ratio else picture.reduce(ratio // done), channels)


@op("DecodePng", types="contents: string -> image: dtype", dtype=(dtypes.uint8, dtypes.uint16),
    defaults={"dtype": dtypes.uint8}, shape=_decoded_shape, devices="CPU", differentiable=False)  # fmt: skip
def decode_png_op(xp: Namespace, contents: Array, *, channels: int = 0, dtype: DType) -> Array:
    """Returns the pixels of a PNG."""
    return decode(_bytes(contents), channels, dtype)


@op("DecodeBmp", types="contents: string -> image: uint8", shape=_decoded_shape, devices="CPU", differentiable=False)
def decode_bmp_op(xp: Namespace, contents: Array, *, channels: int = 0) -> Array:
    """Returns the pixels of a BMP."""
    return decode(_bytes(contents), channels)


@op("DecodeGif", types="contents: string -> image: uint8", shape=lambda node: (None, None, None, 3), devices="CPU",
    differentiable=False)  # fmt: skip
def decode_gif_op(xp: Namespace, contents: Array) -> Array:
    """Returns the frames of a GIF."""
    return _frames(_bytes(contents))


def _any_image_shape(node: Operation) -> Shape:
    return None if node.attrs["expand_animations"] else (None, None, node.attrs["channels"] or None)


@op("DecodeImage", types="contents: string -> image: dtype", dtype=(dtypes.uint8, dtypes.uint16, dtypes.float32),
    defaults={"dtype": dtypes.uint8}, shape=_any_image_shape, devices="CPU", differentiable=False)  # fmt: skip
def decode_image_op(
    xp: Namespace, contents: Array, *, channels: int = 0, dtype: DType, expand_animations: bool = True
) -> Array:
    """Returns the pixels of a file of any format; a GIF's frames, where wanted."""
    data = _bytes(contents)
    if _format(data) == "GIF":
        frames = _as_dtype(_frames(data), dtype)
        return frames if expand_animations else frames[0]
    return decode(data, channels, dtype)


def _window_shape(node: Operation) -> Shape:
    window = constant_value(node.inputs[1])
    height, width = (None, None) if window is None else (int(n) for n in window[2:])
    return (height, width, node.attrs["channels"] or None)


@op("DecodeAndCropJpeg", types="contents: string, crop_window: int32 -> image: uint8", shape=_window_shape, devices="CPU",
    differentiable=False)  # fmt: skip
def decode_and_crop_jpeg_op(
    xp: Namespace, contents: Array, crop_window: Array, *, channels: int = 0, ratio: int = 1,
    fancy_upscaling: bool = True, try_recover_truncated: bool = False, acceptable_fraction: float = 1.0,
    dct_method: str = "",
) -> Array:  # fmt: skip
    """Returns a window of the pixels of a JPEG: its first row and column, height and width."""
    pixels = _shrunk(_bytes(contents), channels, ratio)
    top, left, height, width = (int(n) for n in crop_window)
    if (
        min(top, left) < 0
        or min(height, width) <= 0
        or top + height > pixels.shape[0]
        or left + width > pixels.shape[1]
    ):
        raise _invalid("Invalid JPEG data or crop window")
    return pixels[top : top + height, left : left + width].copy()


@op("ExtractJpegShape", types="contents: string -> image_shape: output_type", output_type=dtypes.INDEX,
    defaults={"output_type": dtypes.int32}, shape=lambda node: (3,), devices="CPU", differentiable=False)  # fmt: skip
def extract_jpeg_shape_op(xp: Namespace, contents: Array, *, output_type: DType) -> Array:
    """Returns height, width and channels of a JPEG."""
    width, height = (picture := _opened(_bytes(contents))).size
    return np.array([height, width, len(picture.getbands())], output_type.np_dtype)


def _file_shape(node: Operation) -> Shape:
    dims = with_rank_at_least(node.inputs[0].dims, 3)
    return None if dims is None else dims[:-3]


def _saved(pixels: Array, name: str, **options: Any) -> bytes:
    data = io.BytesIO()
    _pillow().fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(data, name, **options)
    return data.getvalue()


def _png(pixels: Array, compression: int) -> bytes:
    if pixels.dtype == np.uint16 and pixels.shape[-1] > 1:
        return write_deep(pixels, compression)
    return _saved(pixels, "PNG", compress_level=6 if compression < 0 else compression)


@op("EncodePng", types="image: T -> contents: string", T=(dtypes.uint8, dtypes.uint16), defaults={"T": dtypes.uint8},
    shape=_file_shape, devices="CPU", differentiable=False)  # fmt: skip
def encode_png_op(xp: Namespace, image: Array, *, compression: int = -1) -> Array:
    """Returns images as PNG files, one or a batch."""
    if image.ndim < 3 or image.shape[-1] not in _MODES:
        raise _invalid(f"image must have 1, 2, 3, or 4 channels, has shape {list(image.shape)}")
    flat = image.reshape(-1, *image.shape[-3:])
    made = np.empty(len(flat), object)
    made[:] = [_png(pixels, compression) for pixels in flat]
    return made.reshape(image.shape[:-3])


def _jpeg(pixels: Array, quality: int, **options: Any) -> Array:
    if pixels.ndim != 3 or pixels.shape[-1] not in (1, 3):
        raise _invalid(f"image must be 3-dimensional with 1 or 3 channels, has shape {list(pixels.shape)}")
    if not 0 <= quality <= 100:
        raise _invalid(f"quality must be in [0,100], got {quality}")
    return np.asarray(_saved(pixels, "JPEG", quality=quality, **options), object)


@op("EncodeJpeg", types="image: uint8 -> contents: string", shape=lambda node: (), devices="CPU", differentiable=False)
def encode_jpeg_op(
    xp: Namespace, image: Array, *, format: str = "", quality: int = 95, progressive: bool = False,
    optimize_size: bool = False, chroma_downsampling: bool = True, density_unit: str = "in", x_density: int = 300,
    y_density: int = 300, xmp_metadata: str = "",
) -> Array:  # fmt: skip
    """Returns an image as a JPEG file."""
    wanted = {"grayscale": 1, "rgb": 3}.get(format, image.shape[-1])
    if image.shape[-1] != wanted:
        raise _invalid(f"format {format!r} does not fit an image of {image.shape[-1]} channels")
    extra = {"xmp": xmp_metadata.encode()} if xmp_metadata else {}
    made = _jpeg(
        image, quality, progressive=progressive, optimize=optimize_size,
        subsampling=2 if chroma_downsampling and wanted == 3 else 0, dpi=(x_density, y_density), **extra,
    )  # fmt: skip
    return made if density_unit == "in" else np.asarray(_in_centimetres(made.item()), object)


def _in_centimetres(jpeg: bytes) -> bytes:
    """Return a JPEG whose density counts per centimetre: Pillow writes the unit, in the file's first segment, as inches."""
    unit = jpeg.index(b"JFIF") + len(b"JFIF\0") + 2
    return jpeg[:unit] + b"\2" + jpeg[unit + 1 :]


@op("EncodeJpegVariableQuality", types="images: uint8, quality: int32 -> contents: string", shape=lambda node: (),
    devices="CPU", differentiable=False)  # fmt: skip
def encode_jpeg_variable_quality_op(xp: Namespace, images: Array, quality: Array) -> Array:
    """Returns an image as a JPEG file of a quality that a tensor gives."""
    return _jpeg(images, int(quality))


def _decoder(decl: OpDecl, doc: str) -> Any:
    def decode_jpeg(
        contents: Any, channels: int = 0, ratio: int = 1, fancy_upscaling: bool = True,
        try_recover_truncated: bool = False, acceptable_fraction: float = 1, dct_method: str = "",
        name: str | None = None,
    ) -> Tensor:  # fmt: skip
        return decl(  # type: ignore[no-any-return]
            contents, channels=channels, ratio=ratio, fancy_upscaling=fancy_upscaling,
            try_recover_truncated=try_recover_truncated, acceptable_fraction=acceptable_fraction, dct_method=dct_method,
            name=name,
        )  # fmt: skip

    decode_jpeg.__doc__ = doc
    return decode_jpeg


decode_jpeg = _decoder(
    decode_jpeg_op, "Return the pixels of a JPEG, uint8 (height, width, channels); of all its channels for 0."
)


def decode_and_crop_jpeg(
    contents: Any, crop_window: Any, channels: int = 0, ratio: int = 1, fancy_upscaling: bool = True,
    try_recover_truncated: bool = False, acceptable_fraction: float = 1, dct_method: str = "", name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return a window of the pixels of a JPEG; `crop_window` is its first row and column, height and width."""
    return decode_and_crop_jpeg_op(  # type: ignore[no-any-return]
        contents, crop_window, channels=channels, ratio=ratio, fancy_upscaling=fancy_upscaling,
        try_recover_truncated=try_recover_truncated, acceptable_fraction=acceptable_fraction, dct_method=dct_method,
        name=name,
    )  # fmt: skip


def decode_png(contents: Any, channels: int = 0, dtype: Any = dtypes.uint8, name: str | None = None) -> Tensor:
    """Return the pixels of a PNG, uint8 or uint16 (height, width, channels)."""
    return decode_png_op(contents, channels=channels, dtype=dtype, name=name)  # type: ignore[no-any-return]


def decode_bmp(contents: Any, channels: int = 0, name: str | None = None) -> Tensor:
    """Return the pixels of a BMP, uint8 (height, width, channels)."""
    return decode_bmp_op(contents, channels=channels, name=name)  # type: ignore[no-any-return]


def decode_gif(contents: Any, name: str | None = None) -> Tensor:
    """Return the frames of a GIF, uint8 (frames, height, width, 3)."""
    return decode_gif_op(contents, name=name)  # type: ignore[no-any-return]


def decode_image(
    contents: Any, channels: int | None = None, dtype: Any = dtypes.uint8, name: str | None = None,
    expand_animations: bool = True,
) -> Tensor:  # fmt: skip
    """Return the pixels of a JPEG, PNG, GIF or BMP file; of a GIF all frames, in a dimension before the others.

    uint8 and uint16 span their whole ranges, floating types [0, 1].
    """
    return decode_image_op(  # type: ignore[no-any-return]
        contents, channels=channels or 0, dtype=dtype, expand_animations=expand_animations, name=name
    )


def extract_jpeg_shape(contents: Any, output_type: Any = dtypes.int32, name: str | None = None) -> Tensor:
    """Return height, width and channels of a JPEG without decoding it."""
    return extract_jpeg_shape_op(contents, output_type=output_type, name=name)  # type: ignore[no-any-return]


def encode_jpeg(
    image: Any, format: str = "", quality: int = 95, progressive: bool = False, optimize_size: bool = False,
    chroma_downsampling: bool = True, density_unit: str = "in", x_density: int = 300, y_density: int = 300,
    xmp_metadata: str = "", name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return an image, uint8 (height, width, 1 or 3), as a JPEG file in a string."""
    return encode_jpeg_op(  # type: ignore[no-any-return]
        image, format=format, quality=quality, progressive=progressive, optimize_size=optimize_size,
        chroma_downsampling=chroma_downsampling, density_unit=density_unit, x_density=x_density, y_density=y_density,
        xmp_metadata=xmp_metadata, name=name,
    )  # fmt: skip


def encode_png(image: Any, compression: int = -1, name: str | None = None) -> Tensor:
    """Return an image, uint8 or uint16 (height, width, channels), or a batch of them, as PNG files in strings."""
    return encode_png_op(image, compression=compression, name=name)  # type: ignore[no-any-return]
