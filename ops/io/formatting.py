"""StringFormat and what is made of it: tensors put into a template as text, in rows and brackets as NumPy shows them.

TensorFlow's own format, because people compare logs. Of an axis longer than twice the limit the elements at both ends are shown.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..core.convert import convert_to_tensor
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.shape_rules import scalar
from ..core.sparse_tensor import SparseTensor
from .messages import print_v2_op
from .summarize import escape, number_text

_LINES = "\n"


def shown(array: Array, edge: int) -> str:
    """Return an array as text, with `edge` elements at both ends of every axis, or all for a negative one."""
    array = np.asarray(array)
    if array.ndim and array.shape[0] and (edge == 0 or (array.size == 0 and array.ndim > 1)):
        return f"[{_LINES * (array.ndim - 1)} ...]"
    return _nested(array, edge, 0)


def _nested(array: Array, edge: int, depth: int) -> str:
    if array.ndim == 0:
        return _element(array)
    count = array.shape[0]
    if edge < 0 or count <= 2 * edge:
        parts = [_nested(array[i, ...], edge, depth + 1) for i in range(count)]
    else:
        ends = [_nested(array[i, ...], edge, depth + 1) for i in (*range(edge), *range(count - edge, count))]
        parts = [*ends[:edge], "...", *ends[edge:]]
    between = " " if array.ndim == 1 else _LINES * (array.ndim - 1) + " " * (depth + 1)
    return f"[{between.join(parts)}]"


def _element(value: Array) -> str:
    if value.dtype == object:
        return f'"{_printable(value.item())}"'
    if value.dtype.kind == "c":
        return "?"
    if value.dtype.kind in "biu":
        return str(int(value))
    return number_text(value[()] if value.dtype == np.float64 else np.float32(value))


def _printable(value: bytes) -> str:
    """Return bytes with C's escapes for what is not printable; other scripts' characters stay."""
    return (
        "".join(escape(bytes([byte])) if byte < 0x80 else chr(byte) for byte in value)
        .encode("latin-1")
        .decode("utf-8", "surrogateescape")
    )


@op("StringFormat", types="inputs: [T] -> output: string", shape=scalar, devices="CPU")
def string_format_op(
    xp: Namespace, inputs: list[Array], *, template: str = "%s", placeholder: str = "%s", summarize: int = 3
) -> Array:
    """Return the template with the inputs' texts in place of its placeholders."""
    pieces = template.split(placeholder)
    if len(pieces) != len(inputs) + 1:
        raise InvalidArgumentError(
            None, None, f"num placeholders in template and num inputs must match: {len(pieces) - 1} vs. {len(inputs)}"
        )
    texts = [*(shown(array, summarize) for array in inputs), ""]
    result = np.empty((), object)
    result[()] = "".join(part for pair in zip(pieces, texts, strict=True) for part in pair).encode(
        "utf-8", "surrogateescape"
    )
    return result


def string_format(
    template: str, inputs: Any, placeholder: str = "{}", summarize: int = 3, name: str | None = None
) -> Tensor:
    """Return a string: `template` with the values of tensors in place of its placeholders.

    Args:
      template: text with as many placeholders as there are inputs.
      inputs: one tensor, or a list of tensors, of any shapes and dtypes.
      placeholder: what stands for a tensor in the template.
      summarize: how many elements to show at both ends of every axis; -1 for all.

    Raises:
      ValueError: when the numbers of placeholders and of inputs differ.
    """
    values = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
    if template.count(placeholder) != len(values):
        raise ValueError(
            f"The template expects {template.count(placeholder)} tensors, but the inputs only has {len(values)}. "
            "Please ensure the number of placeholders in template matches inputs length."
        )
    made: Tensor = string_format_op(
        [convert_to_tensor(value) for value in values], template=template, placeholder=placeholder,
        summarize=summarize, name=name,
    )  # fmt: skip
    return made


_NAMED_STREAMS = {"sys.stdout": "stdout", "sys.stderr": "stderr"}


def _stream(output_stream: Any) -> str:
    if output_stream in (None, sys.stderr):
        return "stderr"
    if output_stream is sys.stdout:
        return "stdout"
    if isinstance(output_stream, str) and output_stream.startswith("file://"):
        return output_stream
    named = _NAMED_STREAMS.get(str(output_stream), output_stream)
    if named not in ("stdout", "stderr"):
        raise ValueError(
            f"Unsupported output stream, logging level, or file: {output_stream}. Supported streams are sys.stdout, "
            "sys.stderr and file:// followed by a path."
        )
    return str(named)


def _place(item: tuple[Any, Any]) -> tuple[str, Any]:
    """Return what sorts a dict's items by their keys, of whatever types."""
    return str(type(item[0])), item[0]


def _template(value: Any, tensors: list[Any], mark: str) -> str:
    """Return the text of a structure with a mark for each tensor in it, and append the tensors."""
    if isinstance(value, dict):
        parts = (f"{key!r}: {_template(item, tensors, mark)}" for key, item in sorted(value.items(), key=_place))
        return "{" + ", ".join(parts) + "}"
    if isinstance(value, list | tuple):
        inner = ", ".join(_template(item, tensors, mark) for item in value)
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' if len(value) == 1 else ''})"
    if isinstance(value, SparseTensor):
        tensors.extend([value.indices, value.values, value.dense_shape])
        return f"'SparseTensor(indices={mark}, values={mark}, shape={mark})'"
    if isinstance(value, Tensor) or hasattr(value, "_as_graph_element"):
        tensors.append(value)
        return mark
    return repr(value)


def print_tensors(*inputs: Any, **kwargs: Any) -> Operation:
    """Create an operation that prints its inputs whenever it runs: tensors' values, and all else as text.

    Args:
      inputs: tensors, anything else, and lists, tuples and dicts of these.
      output_stream: `sys.stderr` (the default), `sys.stdout`, or "file://" and a path, to which is appended.
      summarize: how many elements to show at both ends of every axis of a tensor (3); -1 for all.
      sep: what stands between inputs (" ").
      end: what is printed at the end (a new line).
      name: the operation's name.
    """
    unknown = kwargs.keys() - {"output_stream", "summarize", "sep", "end", "name"}
    if unknown:
        raise ValueError(f"Unrecognized keyword arguments for tf.print: {', '.join(sorted(unknown))}")
    stream = _stream(kwargs.get("output_stream"))
    text = repr(inputs)
    mark = next(mark for mark in ("{}", *(f"{{}}{i}" for i in range(len(text) + 1))) if mark not in text)
    tensors: list[Any] = []
    pieces = [item if isinstance(item, str) else _template(item, tensors, mark) for item in inputs]
    template = kwargs.get("sep", " ").join(pieces)
    made = string_format(template, tensors, mark, kwargs.get("summarize", 3), kwargs.get("name"))
    node = print_v2_op(made, output_stream=stream, end=kwargs.get("end", "\n"), name=kwargs.get("name"))
    assert isinstance(node, Operation)
    return node
