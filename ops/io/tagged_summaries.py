"""`tf.contrib.deprecated`'s summaries: the tag is what the caller says, not the node's name."""

from __future__ import annotations

from typing import Any

from ..core.graph import GraphKeys, get_default_graph
from ..core.node import Tensor
from ..core.scopes import name_scope
from .media_summaries import audio_summary_v2 as audio_op
from .media_summaries import image_summary as image_op
from .summaries import add_to, typed
from .summaries import histogram_summary as histogram_op
from .summaries import merge_summary as merge_op
from .summaries import scalar_summary as scalar_op

__all__ = [
    "audio_summary", "histogram_summary", "image_summary", "merge_all_summaries", "merge_summary", "scalar_summary",
]  # fmt: skip


def scalar_summary(tags: Any, values: Any, collections: Any = None, name: str | None = None) -> Tensor:
    """Create a summary of numbers, each under its tag; both have the same shape."""
    with name_scope(name, "ScalarSummary", [tags, values]) as scope:
        return add_to(scalar_op(tags, typed(values, "values"), name=scope), collections)


def histogram_summary(tag: Any, values: Any, collections: Any = None, name: str | None = None) -> Tensor:
    """Create a summary of a tensor's histogram."""
    with name_scope(name, "HistogramSummary", [tag, values]) as scope:
        return add_to(histogram_op(tag, typed(values, "values"), name=scope), collections)


def image_summary(
    tag: Any, tensor: Any, max_images: int = 3, collections: Any = None, name: str | None = None
) -> Tensor:
    """Create a summary of the first images of a batch, (batch, height, width, 1, 3 or 4)."""
    with name_scope(name, "ImageSummary", [tag, tensor]) as scope:
        return add_to(image_op(tag, tensor, max_images=max_images, name=scope), collections)


def audio_summary(
    tag: Any, tensor: Any, sample_rate: Any, max_outputs: int = 3, collections: Any = None, name: str | None = None
) -> Tensor:
    """Create a summary of the first sounds of a batch, (batch, frames) or (batch, frames, channels)."""
    with name_scope(name, "AudioSummary", [tag, tensor]) as scope:
        return add_to(audio_op(tag, tensor, sample_rate, max_outputs=max_outputs, name=scope), collections)


def merge_summary(inputs: Any, collections: Any = None, name: str | None = None) -> Tensor:
    """Create a summary of all summaries in `inputs`, which is in no collection unless `collections` says so."""
    with name_scope(name, "MergeSummary", inputs):
        return add_to(merge_op(list(inputs), name=name), collections or ())


def merge_all_summaries(key: str = GraphKeys.SUMMARIES) -> Tensor | None:
    """Create a summary of all summaries in a collection; None when it has none."""
    found = get_default_graph().get_collection(key)
    return merge_summary(found) if found else None
