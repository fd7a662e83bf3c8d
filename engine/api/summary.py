"""`tf.summary`."""

from ...ops.core import protos as _protos
from ...ops.io.summaries import histogram_ as histogram
from ...ops.io.summaries import merge, merge_all
from ...ops.io.summaries import scalar_ as scalar
from ..summary import FileWriter, FileWriterCache

__all__ = ["FileWriter", "FileWriterCache", "histogram", "merge", "merge_all", "scalar"]


def __getattr__(name: str) -> object:
    if name in ("Event", "SessionLog", "Summary", "SummaryDescription", "TaggedRunMetadata"):
        return getattr(_protos, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
