"""Summary ops of pictures, sound, text and whole tensors.

Pictures are PNG files, which Pillow writes, and sound is 16-bit WAV; both are loaded when the first one is written. Pixels and
samples are scaled as TensorFlow scales them, so that the same run looks and sounds the same in TensorBoard.
"""

from __future__ import annotations

import io
from importlib import import_module
from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..core import dtypes, errors, protos
from ..core.context import KernelContext
from ..core.convert import constant
from ..core.dtypes import as_dtype
from ..core.node import Tensor
from ..core.registry import op
from ..core.shape_rules import scalar
from ..core.tensor_proto import content_proto
from .summaries import add_to, scope_of, serialised, tag_of, typed

_BAD_COLOR = np.array([255, 0, 0, 255], np.uint8)
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_LOUDEST = 32768
# TensorFlow shows a picture as black whose greatest number is less.
_ALMOST_NOTHING = 1e-6
_NONE: list[str] = []


def _invalid(message: str) -> errors.InvalidArgumentError:
    return errors.InvalidArgumentError(None, None, message)


def _text(value: Array) -> str:
    return bytes(np.asarray(value, object).item()).decode()


def _tags(tag: Array, kind: str, count: int, most: int) -> list[str]:
    """Return a tag for each part: numbered, unless there may be one only."""
    base = f"{_text(tag)}/{kind}"
    return [base] if most == 1 else [f"{base}/{i}" for i in range(count)]


@op(
    "ImageSummary", types="tag: string, tensor: T -> summary: string", shape=scalar, devices="CPU", differentiable=False,
    T=(dtypes.uint8, dtypes.float32, dtypes.float16, dtypes.float64), defaults={"T": dtypes.float32},
)  # fmt: skip
def image_summary(
    xp: Namespace, tag: Array, tensor: Array, *, max_images: int = 3, bad_color: Array = _BAD_COLOR
) -> Array:
    """Return a Summary of the first pictures of a batch (batch, height, width, 1, 3 or 4 channels)."""
    if tensor.ndim != 4 or tensor.shape[-1] not in _MODES:
        dims = ",".join(map(str, tensor.shape))
        raise _invalid(f"Tensor must be 4-D with last dim 1, 3, or 4, not [{dims}]")
    pictures = tensor[:max_images]
    return serialised(*(
        {"tag": name, "image": _picture(pixels, bad_color)}
        for name, pixels in zip(_tags(tag, "image", len(pictures), max_images), pictures, strict=False)
    ))  # fmt: skip


def _picture(pixels: Array, bad_color: Array) -> Any:
    height, width, channels = pixels.shape
    data = io.BytesIO()
    shown = pixels if pixels.dtype == np.uint8 else _as_bytes(pixels, bad_color[:channels])
    flat = np.ascontiguousarray(shown[..., 0] if channels == 1 else shown)
    import_module("PIL.Image").frombytes(_MODES[channels], (width, height), flat.tobytes()).save(data, "PNG")
    return protos.Summary.Image(
        height=height, width=width, colorspace=channels, encoded_image_string=data.getvalue()
    )  # fmt: skip


def _as_bytes(pixels: Array, bad_color: Array) -> Array:
    """Return floats as bytes: from 0 where none is negative, else around 128; `bad_color` where one is not finite."""
    kind = pixels.dtype.type
    bad = ~np.isfinite(pixels).all(axis=-1)
    values = np.where(bad[..., None], kind(0), pixels)
    known = pixels[~bad]
    lowest, highest = known.min(initial=np.inf), known.max(initial=-np.inf)
    offset, room = (128, 127) if lowest < 0 else (0, 255)
    most = max(abs(lowest), abs(highest)) if lowest < 0 else highest
    scale = kind(room / most) if most >= _ALMOST_NOTHING else kind(0)
    result = (values * scale + kind(offset)).astype(np.uint8)
    result[bad] = bad_color
    return result


def wav(samples: Array, rate: float) -> bytes:
    """Return (frames, channels) of numbers from -1 to 1 as a WAV file of 16 bits."""
    levels = np.clip(np.rint(samples.astype(np.float64) * _LOUDEST), -_LOUDEST, _LOUDEST - 1).astype("<i2")
    data = io.BytesIO()
    with import_module("wave").open(data, "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(int(rate))
        file.writeframes(levels.tobytes())
    return data.getvalue()


def _sound_summary(tag: Array, tensor: Array, rate: float, most: int) -> Array:
    if tensor.ndim not in (2, 3):
        dims = ",".join(map(str, tensor.shape))
        raise _invalid(f"Tensor must be 3-D or 2-D, got: [{dims}]")
    if rate <= 0:
        raise _invalid("sample_rate must be > 0")
    sounds = tensor[:most] if tensor.ndim == 3 else tensor[:most, :, None]
    return serialised(*(
        {
            "tag": name,
            "audio": protos.Summary.Audio(
                sample_rate=rate, num_channels=samples.shape[1], length_frames=samples.shape[0],
                encoded_audio_string=wav(samples, rate), content_type="audio/wav",
            ),
        }
        for name, samples in zip(_tags(tag, "audio", len(sounds), most), sounds, strict=False)
    ))  # fmt: skip


@op(
    "AudioSummaryV2", types="tag: string, tensor: float32, sample_rate: float32 -> summary: string", shape=scalar, devices="CPU",
    differentiable=False,
)  # fmt: skip
def audio_summary_v2(xp: Namespace, tag: Array, tensor: Array, sample_rate: Array, *, max_outputs: int = 3) -> Array:
    """Return a Summary of the first sounds of a batch: (batch, frames) or (batch, frames, channels), from -1 to 1."""
    return _sound_summary(tag, tensor, float(sample_rate), max_outputs)


@op(
    "AudioSummary", types="tag: string, tensor: float32 -> summary: string", shape=scalar, devices="CPU", differentiable=False,
)  # fmt: skip
def audio_summary(xp: Namespace, tag: Array, tensor: Array, *, sample_rate: float, max_outputs: int = 3) -> Array:
    """Return a Summary of sounds whose rate, in hertz, the graph knows."""
    return _sound_summary(tag, tensor, sample_rate, max_outputs)


@op(
    "TensorSummaryV2", types="tag: string, tensor: T, serialized_summary_metadata: string -> summary: string", shape=scalar,
    devices="CPU", differentiable=False,
)  # fmt: skip
def tensor_summary_v2(xp: Namespace, tag: Array, tensor: Array, serialized_summary_metadata: Array) -> Array:
    """Return a Summary of a whole tensor, with what a plugin of TensorBoard has to know to show it."""
    metadata = protos.SummaryMetadata.FromString(np.asarray(serialized_summary_metadata, object).item())
    return serialised(
        {"tag": _text(tag), "tensor": content_proto(tensor, as_dtype(tensor.dtype)), "metadata": metadata}
    )


@op(
    "TensorSummary",
    types="tensor: T -> summary: string",
    shape=scalar,
    devices="CPU",
    differentiable=False,
    blocking=True,
)
def tensor_summary_v1(
    ctx: KernelContext, xp: Namespace, tensor: Array, *, description: str = "", labels: list[str] = _NONE,
    display_name: str = "",
) -> Array:  # fmt: skip
    """Return a Summary of a whole tensor that has no tag but its node's name, so no node stands for another one."""
    return serialised({"node_name": ctx.node.name, "tensor": content_proto(tensor, as_dtype(tensor.dtype))})


def image(name: str, tensor: Any, max_outputs: int = 3, collections: Any = None, family: str | None = None) -> Tensor:
    """Create a summary of pictures; its tags are `name/image`, or `name/image/0`, `name/image/1` and so on.

    Args:
      name: the node's name. family: a prefix that groups tags.
      tensor: (batch, height, width, 1, 3 or 4 channels), uint8 or floats; floats are scaled to 0 … 255 picture by picture.
      max_outputs: how many pictures of a batch to write.
      collections: where to add the summary, GraphKeys.SUMMARIES by default.
    """
    with scope_of(name, family) as scope:
        return add_to(
            image_summary(tag_of(scope, family), typed(tensor, "tensor"), max_images=max_outputs, name=scope),
            collections,
        )


def audio(
    name: str, tensor: Any, sample_rate: Any, max_outputs: int = 3, collections: Any = None, family: str | None = None
) -> Tensor:
    """Create a summary of sound: (batch, frames) or (batch, frames, channels) from -1 to 1, `sample_rate` in hertz."""
    with scope_of(name, family) as scope:
        rate = (
            constant(sample_rate, dtypes.float32, name="sample_rate")
            if not isinstance(sample_rate, Tensor)
            else sample_rate
        )
        made = audio_summary_v2(tag_of(scope, family), tensor, rate, max_outputs=max_outputs, name=scope)
        return add_to(made, collections)


def text(name: str, tensor: Tensor, collections: Any = None) -> Tensor:
    """Create a summary of strings, which TensorBoard shows as Markdown; up to two dimensions make a table.

    Raises:
      ValueError: when the tensor holds no strings.
    """
    if tensor.dtype.base_dtype is not dtypes.string:
        raise ValueError(f"Expected tensor {tensor.name} to have dtype string, got {tensor.dtype!r}")
    metadata = protos.SummaryMetadata(plugin_data=protos.SummaryMetadata.PluginData(plugin_name="text"))
    return tensor_summary(name, tensor, collections=collections, summary_metadata=metadata)


def tensor_summary(
    name: str, tensor: Any, summary_description: Any = None, collections: Any = None, summary_metadata: Any = None,
    family: str | None = None, display_name: str | None = None,
) -> Tensor:  # fmt: skip
    """Create a summary of a whole tensor.

    Args:
      summary_metadata: a SummaryMetadata that names the plugin of TensorBoard which shows it.
      summary_description: what readers tell of it, in Markdown; the hint of a SummaryDescription is taken for that.
      display_name: what readers call it.
    """
    metadata = protos.SummaryMetadata()
    if summary_metadata is not None:
        metadata.CopyFrom(summary_metadata)
    if display_name is not None:
        metadata.display_name = display_name
    if summary_description is not None:
        metadata.summary_description = getattr(summary_description, "type_hint", summary_description)
    with scope_of(name, family) as scope:
        described = constant(metadata.SerializeToString(), name="serialized_summary_metadata")
        return add_to(tensor_summary_v2(tag_of(scope, family), tensor, described, name=scope), collections)
