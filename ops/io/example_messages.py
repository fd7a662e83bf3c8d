"""The messages Example and SequenceExample, under a name of our own, so that TensorFlow's can be loaded beside them."""

from __future__ import annotations

from functools import cache
from typing import Any

from ..core.own_protos import message_classes

NAMES = (
    "BytesList", "Example", "Feature", "FeatureList", "FeatureLists", "Features", "FloatList", "Int64List", "SequenceExample",
)  # fmt: skip
_TABLES = {
    "BytesList": ("repeated bytes value 1",),
    "FloatList": ("packed float value 1",),
    "Int64List": ("packed int64 value 1",),
    "Feature": ("BytesList bytes_list 1 in kind", "FloatList float_list 2 in kind", "Int64List int64_list 3 in kind"),
    "Features": ("map<string, Feature> feature 1",),
    "Example": ("Features features 1",),
    "FeatureList": ("repeated Feature feature 1",),
    "FeatureLists": ("map<string, FeatureList> feature_list 1",),
    "SequenceExample": ("Features context 1", "FeatureLists feature_lists 2"),
}


@cache
def messages() -> Any:
    """Return the message classes as attributes."""
    return message_classes("millstream.example", _TABLES)
