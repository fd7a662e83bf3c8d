"""`tf.contrib.tensorboard.plugins.projector`: telling TensorBoard which variables to show as points in space."""

from __future__ import annotations

import importlib
import os
from typing import Any

from google.protobuf import text_format

_FILE = "projector_config.pbtxt"
_MESSAGES = ("EmbeddingInfo", "ProjectorConfig", "SpriteMetadata")


def visualize_embeddings(summary_writer: Any, config: Any) -> None:
    """Write a ProjectorConfig beside the summaries of a writer.

    Raises:
      ValueError: when the writer writes to no folder.
    """
    folder = summary_writer.get_logdir()
    if folder is None:
        raise ValueError("Summary writer must have a logdir")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, _FILE), "w", encoding="utf-8") as file:
        file.write(text_format.MessageToString(config))


def __getattr__(name: str) -> Any:
    if name in _MESSAGES:
        return getattr(importlib.import_module("tensorboard.plugins.projector.projector_config_pb2"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
