"""Golden cases of the core's value types: expressions, and what TensorFlow answered (see golden/core_values.py)."""

from __future__ import annotations

import json
import pathlib
from types import SimpleNamespace
from typing import Any

import numpy as np

from millstream.ops.core import dtypes, protos, shapes, tensor_proto

GOLDEN: dict[str, Any] = json.loads(
    (pathlib.Path(__file__).parents[1] / "golden" / "core_values.json").read_text(encoding="utf-8")
)

_TF = SimpleNamespace(
    **{name: made for name, made in vars(dtypes).items() if isinstance(made, dtypes.DType)},
    as_dtype=dtypes.as_dtype,
    dimension_value=shapes.dimension_value,
    dimension_at_index=shapes.dimension_at_index,
)


def evaluate(case: str) -> Any:
    """Returns the value of a golden case's expression."""
    names = {
        "tf": _TF, "np": np, "D": shapes.Dimension, "S": shapes.TensorShape, "M": tensor_proto.make_tensor_proto,
        "TensorProto": protos.TensorProto,
    }  # fmt: skip
    return eval(case, names)


def cases(table: str, *, errors: bool, except_for: Any = ()) -> list[tuple[str, str]]:
    """Returns the (expression, answer) pairs of one table: those that raise, or those that do not."""
    rows = GOLDEN[table].items()
    return [(case, answer) for case, answer in rows if answer.startswith("!") is errors and case not in except_for]
