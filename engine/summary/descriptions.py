"""Small things of `tf.summary`: what a TensorSummary node says of itself, and TensorFlow 2's summaries, which are not here."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ...ops.core import protos
from ...ops.core.errors import UnimplementedError
from ...ops.core.graph import get_default_graph


def get_summary_description(node_def: Any) -> Any:
    """Return the SummaryDescription that a TensorSummary's NodeDef holds.

    Raises:
      ValueError: for nodes of another type.
    """
    if node_def.op != "TensorSummary":
        raise ValueError(f"Can't get_summary_description on {node_def.op}")
    text = node_def.attr["description"].s.decode()
    parsed: Any = import_module("google.protobuf.json_format").Parse(text or "{}", protos.SummaryDescription())
    return parsed


def all_v2_summary_ops() -> list[Any]:
    """Return the nodes that TensorFlow 2's summary functions added to the graph: always none."""
    return [op for op in get_default_graph().get_operations() if op.type.startswith("WriteSummary")]


def initialize(graph: Any = None, session: Any = None) -> None:
    """Refuse: writers that live in the graph belong to TensorFlow 2's summaries.

    Raises:
      UnimplementedError: always; it names what takes its place.
    """
    raise UnimplementedError(
        None, None,
        "tf.summary.initialize readies writers that live in the graph (tf.contrib.summary), which are not here: "
        "write what tf.summary.merge_all() returns with a tf.summary.FileWriter",
    )  # fmt: skip
