"""`tf.summary`."""

from ...ops.core import protos as _protos
from ...ops.io.media_summaries import audio, image, tensor_summary, text
from ...ops.io.summaries import histogram_ as histogram
from ...ops.io.summaries import merge, merge_all
from ...ops.io.summaries import scalar_ as scalar
from ..summary import FileWriter, FileWriterCache, all_v2_summary_ops, get_summary_description, initialize

_MESSAGES = ("Event", "SessionLog", "Summary", "SummaryDescription", "TaggedRunMetadata")

__all__ = [
    "FileWriter", "FileWriterCache", "all_v2_summary_ops", "audio", "get_summary_description", "histogram", "image",
    "initialize", "merge", "merge_all", "scalar", "tensor_summary", "text",
]  # fmt: skip


def __getattr__(name: str) -> object:
    if name in _MESSAGES:
        return getattr(_protos, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
