"""Writes tests/golden/opdefs.json.gz: what TensorFlow's registry says of every op, as plain JSON.

Run it with a Python that has TensorFlow: `python scripts/opdefs.py`. The tests hold Millstream's declarations against
this file, so they need no TensorFlow. Facts that are absent or false are left out, to keep the file small; the same
registry always gives the same bytes.
"""

import gzip
import json
import pathlib
import sys
from typing import Any

import tensorflow as tf
from tensorflow.core.framework import op_def_pb2, types_pb2
from tensorflow.python.client import pywrap_tf_session

TARGET = pathlib.Path(__file__).parents[1] / "tests" / "golden" / "opdefs.json.gz"
FLAGS = ("is_stateful", "is_commutative", "is_aggregate", "allows_uninitialized_input")


def type_name(number: int) -> str:
    """Returns TensorFlow's short name of a DataType: `float32`, `string_ref`."""
    return str(tf.dtypes.as_dtype(number).name) if number else types_pb2.DataType.Name(number)


def plain(value: Any) -> Any:
    """Returns an AttrValue as plain JSON: types by name, shapes as lists (None: unknown rank), bytes as text."""
    kind = value.WhichOneof("value")
    if kind == "list":
        return plain_list(value.list)
    return None if kind is None else SCALARS[kind](getattr(value, kind))


def plain_list(values: Any) -> list[Any]:
    """Returns an AttrValue.ListValue as a list of plain JSON."""
    return [SCALARS[field.name](item) for field, items in values.ListFields() for item in items]


def plain_shape(shape: Any) -> list[int] | None:
    return None if shape.unknown_rank else [dim.size for dim in shape.dim]


def plain_tensor(tensor: Any) -> dict[str, Any]:
    return {"tensor": tf.make_ndarray(tensor).tolist(), "dtype": type_name(tensor.dtype)}


SCALARS = {
    "s": lambda text: text.decode("utf-8", "backslashreplace"),
    "i": int,
    "f": float,
    "b": bool,
    "type": type_name,
    "shape": plain_shape,
    "tensor": plain_tensor,
    "func": lambda function: {"func": function.name},
}


def argument(arg: Any) -> dict[str, Any]:
    """Returns an ArgDef's facts."""
    facts = {
        "name": arg.name,
        "type": type_name(arg.type) if arg.type else "",
        "type_attr": arg.type_attr,
        "number_attr": arg.number_attr,
        "type_list_attr": arg.type_list_attr,
        "is_ref": arg.is_ref,
    }
    return {key: value for key, value in facts.items() if value}


def attribute(attr: Any) -> dict[str, Any]:
    """Returns an AttrDef's facts; `default` is there only when the attr has one, and may be null."""
    facts: dict[str, Any] = {"name": attr.name, "type": attr.type}
    if attr.HasField("default_value"):
        facts["default"] = plain(attr.default_value)
    if attr.HasField("allowed_values"):
        facts["allowed"] = plain(attr.allowed_values)
    if attr.has_minimum:
        facts["minimum"] = attr.minimum
    return facts


def op_facts(op: Any) -> dict[str, Any]:
    """Returns an OpDef's facts."""
    facts: dict[str, Any] = {
        "inputs": [argument(arg) for arg in op.input_arg],
        "outputs": [argument(arg) for arg in op.output_arg],
        "attrs": [attribute(attr) for attr in op.attr],
        "control_outputs": list(op.control_output),
        "deprecated_since": op.deprecation.version,
        **{flag: getattr(op, flag) for flag in FLAGS},
    }
    return {key: value for key, value in facts.items() if value}


def main() -> None:
    registry = op_def_pb2.OpList()
    registry.ParseFromString(pywrap_tf_session.TF_GetBuffer(pywrap_tf_session.TF_GetAllOpList()))
    ops = {op.name: op_facts(op) for op in sorted(registry.op, key=lambda op: op.name)}
    document = {"tensorflow": tf.__version__, "ops": ops}
    text = json.dumps(document, separators=(",", ":"), sort_keys=True, allow_nan=True)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
    print(f"{TARGET}: {len(ops)} ops of TensorFlow {tf.__version__}, {TARGET.stat().st_size} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
