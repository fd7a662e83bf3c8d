"""The messages of a checkpoint's index and of its state file."""

from __future__ import annotations

from functools import cache
from typing import Any

from ..core.own_protos import message_classes

_TABLES = {
    "Version": ("int32 producer 1", "int32 min_consumer 2"),
    "Header": ("int32 num_shards 1", "int32 endianness 2", "Version version 3"),
    "Dim": ("int64 size 1", "string name 2"),
    "Shape": ("repeated Dim dim 2",),
    "Extent": ("int64 start 1", "int64 length 2 in has_length"),
    "Slice": ("repeated Extent extent 1",),
    "Entry": (
        "int32 dtype 1", "Shape shape 2", "int32 shard_id 3", "int64 offset 4", "int64 size 5", "fixed32 crc32c 6",
        "repeated Slice slices 7",
    ),
    "CheckpointState": (
        "string model_checkpoint_path 1", "repeated string all_model_checkpoint_paths 2",
        "packed double all_model_checkpoint_timestamps 3", "double last_preserved_timestamp 4",
    ),
}  # fmt: skip


@cache
def messages() -> Any:
    """Return the message classes as attributes: Header, Entry, CheckpointState and what they hold."""
    return message_classes("millstream.checkpoint", _TABLES)
