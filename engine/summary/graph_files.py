"""`tf.train.write_graph`: a GraphDef as a file, text or binary."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any


def write_graph(graph_or_graph_def: Any, logdir: Any, name: str, as_text: bool = True) -> str:
    """Write a Graph or GraphDef to the file `name` in `logdir`, made if it is missing, and return its path.

    The file is replaced in one step: a reader finds the old one or the new one, whole.
    """
    definition = graph_or_graph_def
    if hasattr(definition, "as_graph_def"):
        definition = definition.as_graph_def()
    folder = os.fspath(logdir)
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, name)
    text = import_module("google.protobuf.text_format").MessageToString(definition).encode() if as_text else None
    temporary = f"{path}.tmp{os.getpid()}"
    with open(temporary, "wb") as file:
        file.write(definition.SerializeToString() if text is None else text)
    os.replace(temporary, path)
    return path
