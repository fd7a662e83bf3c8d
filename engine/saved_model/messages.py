"""The outer message of a SavedModel, which TensorBoard's protos lack: a version, and MetaGraphs as they are serialized."""

from __future__ import annotations

import os
import pathlib
from functools import cache
from importlib import import_module
from typing import Any

from ...ops.core import protos
from ...ops.core.own_protos import message_classes
from .names import FILENAME_PB, FILENAME_PBTXT, SCHEMA_VERSION

_TABLES = {"SavedModel": ("int64 saved_model_schema_version 1", "repeated bytes meta_graphs 2")}


@cache
def _saved_model() -> Any:
    return message_classes("millstream.saved_model", _TABLES).SavedModel


def serialized(meta_graphs: list[Any]) -> bytes:
    """Return the bytes of a SavedModel of these MetaGraphDefs."""
    made = _saved_model()(saved_model_schema_version=SCHEMA_VERSION)
    made.meta_graphs.extend(graph.SerializeToString() for graph in meta_graphs)
    return bytes(made.SerializeToString())


def as_text(meta_graphs: list[Any]) -> str:
    """Return the text of a SavedModel of these MetaGraphDefs."""
    text_format = import_module("google.protobuf.text_format")
    parts = [f"saved_model_schema_version: {SCHEMA_VERSION}\n"]
    for graph in meta_graphs:
        inner = text_format.MessageToString(graph, indent=2)
        parts.append(f"meta_graphs {{\n{inner}}}\n")
    return "".join(parts)


def read_meta_graphs(export_dir: str) -> list[Any]:
    """Return the MetaGraphDefs of the SavedModel in a folder.

    Raises:
      OSError: when there is none, or its file cannot be parsed; the message names the file.
    """
    binary, text = (os.path.join(export_dir, name) for name in (FILENAME_PB, FILENAME_PBTXT))
    if os.path.isfile(binary):
        decode_error = import_module("google.protobuf.message").DecodeError
        try:
            found = _saved_model().FromString(pathlib.Path(binary).read_bytes())
            return [protos.MetaGraphDef.FromString(data) for data in found.meta_graphs]
        except decode_error as error:
            raise OSError(f"Cannot parse file {binary}: {error}.") from error
    if os.path.isfile(text):
        return _from_text(text)
    raise OSError(f"SavedModel file does not exist at: {export_dir}{os.path.sep}{{{FILENAME_PBTXT}|{FILENAME_PB}}}")


def _from_text(path: str) -> list[Any]:
    """Read the blocks `meta_graphs {…}`, each of which is a MetaGraphDef's text."""
    text_format = import_module("google.protobuf.text_format")
    found: list[Any] = []
    lines: list[str] = []
    try:
        for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
            if line == "meta_graphs {":
                lines = []
            elif line == "}":
                found.append(text_format.Parse("\n".join(lines), protos.MetaGraphDef()))
            else:
                lines.append(line)
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise OSError(f"Cannot parse file {path}: {error}.") from error
    return found
