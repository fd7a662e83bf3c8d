"""The modules of `tensorflow.core` that programs import: protocol buffers, from where this package has each.

Invariant: a message that a program gets here is the class that the package itself reads and writes.
"""

from __future__ import annotations

from types import ModuleType, SimpleNamespace

from ...ops.core import protos
from ...ops.io import example_messages

PROTO_FOLDERS = (["example"], ["framework"], ["profiler"], ["protobuf"], ["util"])


def proto_module(leaf: str) -> ModuleType | SimpleNamespace | None:
    """Return what has the messages of a module such as "graph_pb2", None when they are not here."""
    if leaf in ("example_pb2", "feature_pb2"):
        messages = example_messages.messages()
        return SimpleNamespace(**{name: getattr(messages, name) for name in example_messages.NAMES})
    try:
        return protos.load(leaf)
    except ModuleNotFoundError:
        return None
