"""`tf.profiler`: parameters, arithmetic and time of a graph's nodes, summed by name scope or by type of op.

Parameters and arithmetic come from static shapes, times from the step_stats of a traced run. A node whose shape is not known
counts no arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from ...ops.core.graph import GraphKeys, get_default_graph
from ...ops.core.node import Operation

_VARIABLES = ("Variable", "VariableV2", "VarHandleOp")
_ORDERS = {"name", "micros", "params", "float_ops", "bytes", "occurrence", "depth"}


class ProfileOptionBuilder:
    """Puts the options of `profile` together; each `with_…` returns the builder."""

    def __init__(self, options: dict[str, Any] | None = None) -> None:
        self._options: dict[str, Any] = dict(options) if options is not None else {
            "max_depth": 100, "min_micros": 0, "min_bytes": 0, "min_params": 0, "min_float_ops": 0, "min_occurrence": 0,
            "order_by": "name", "account_type_regexes": [".*"], "select": ["micros"], "step": -1, "output": "stdout",
        }  # fmt: skip

    @staticmethod
    def trainable_variables_parameter() -> dict[str, Any]:
        """Return options that count the parameters of trainable variables."""
        return {
            "max_depth": 10000, "min_micros": 0, "min_bytes": 0, "min_params": 0, "min_float_ops": 0, "min_occurrence": 0,
            "order_by": "name", "account_type_regexes": ["_trainable_variables"], "select": ["params"], "step": -1,
            "output": "stdout",
        }  # fmt: skip

    @staticmethod
    def float_operation() -> dict[str, Any]:
        """Return options that count arithmetic on floats."""
        options = ProfileOptionBuilder.trainable_variables_parameter()
        return {
            **options, "min_float_ops": 1, "order_by": "float_ops", "account_type_regexes": [".*"], "select": ["float_ops"],
        }  # fmt: skip

    @staticmethod
    def time_and_memory(
        min_micros: int = 1, min_bytes: int = 1, min_accelerator_micros: int = 0, min_cpu_micros: int = 0,
        min_peak_bytes: int = 0, min_residual_bytes: int = 0, min_output_bytes: int = 0,
    ) -> dict[str, Any]:  # fmt: skip
        """Return options that sum execution times; the bytes that a node takes are not recorded."""
        options = ProfileOptionBuilder.trainable_variables_parameter()
        return {
            **options, "min_micros": min_micros, "min_bytes": min_bytes, "order_by": "micros",
            "account_type_regexes": [".*"], "select": ["micros"],
        }  # fmt: skip

    def build(self) -> dict[str, Any]:
        """Return the options."""
        return dict(self._options)

    def _with(self, **values: Any) -> ProfileOptionBuilder:
        self._options.update(values)
        return self

    def with_max_depth(self, max_depth: int) -> ProfileOptionBuilder:
        """Show scopes up to this depth."""
        return self._with(max_depth=max_depth)

    def with_min_execution_time(
        self, min_micros: int = 0, min_accelerator_micros: int = 0, min_cpu_micros: int = 0
    ) -> ProfileOptionBuilder:
        """Show what takes at least so many microseconds."""
        return self._with(min_micros=min_micros)

    def with_min_parameters(self, min_params: int) -> ProfileOptionBuilder:
        """Show what has at least so many parameters."""
        return self._with(min_params=min_params)

    def with_min_float_operations(self, min_float_ops: int) -> ProfileOptionBuilder:
        """Show what has at least so many operations on floats."""
        return self._with(min_float_ops=min_float_ops)

    def with_step(self, step: int) -> ProfileOptionBuilder:
        """Accept a step; there is one run to a profile."""
        return self._with(step=step)

    def with_stdout_output(self) -> ProfileOptionBuilder:
        """Print to standard output."""
        return self._with(output="stdout")

    def with_empty_output(self) -> ProfileOptionBuilder:
        """Print nothing."""
        return self._with(output="none")

    def with_file_output(self, outfile: str) -> ProfileOptionBuilder:
        """Write to a file."""
        return self._with(output=f"file:outfile={outfile}")

    def order_by(self, attribute: str) -> ProfileOptionBuilder:
        """Order by "name", "micros", "params" or "float_ops", the greatest first."""
        if attribute not in _ORDERS:
            raise ValueError(f"order_by takes one of {', '.join(sorted(_ORDERS))}, not {attribute!r}")
        return self._with(order_by=attribute)

    def select(self, attributes: Iterable[str]) -> ProfileOptionBuilder:
        """Show these columns: "micros", "params", "float_ops"."""
        return self._with(select=list(attributes))


@dataclass
class ProfileNode:
    """One scope, node or type of op: its own numbers and those of all below it."""

    name: str
    exec_micros: int = 0
    parameters: int = 0
    float_ops: int = 0
    children: list[ProfileNode] = field(default_factory=list)

    def _total(self, key: str) -> int:
        return int(getattr(self, key)) + sum(child._total(key) for child in self.children)

    @property
    def total_exec_micros(self) -> int:
        """Microseconds of this and all below."""
        return self._total("exec_micros")

    @property
    def total_parameters(self) -> int:
        """Parameters of this and all below."""
        return self._total("parameters")

    @property
    def total_float_ops(self) -> int:
        """Operations on floats of this and all below."""
        return self._total("float_ops")


def profile(
    graph: Any = None, run_meta: Any = None, op_log: Any = None, cmd: str = "scope", options: Any = None
) -> ProfileNode:
    """Return, and print, the numbers of a graph's nodes: a tree by name scope, or with `cmd="op"` a list by type of op.

    Args:
      graph: the default graph by default.
      run_meta: RunMetadata of a traced run, for times.
      options: what a ProfileOptionBuilder gives; times by default.

    Raises:
      ValueError: for other commands.
    """
    if cmd not in ("scope", "graph", "op"):
        raise ValueError(f"profile has cmd 'scope', 'graph' and 'op', not {cmd!r}")
    options = options or ProfileOptionBuilder.time_and_memory()
    graph = graph or get_default_graph()
    micros = _micros(run_meta)
    trained = {v.op.name for v in graph.get_collection(GraphKeys.TRAINABLE_VARIABLES)}
    only_trained = options["account_type_regexes"] == ["_trainable_variables"]
    root = ProfileNode("_TFProfRoot")
    for op in graph.get_operations():
        if only_trained and op.name not in trained:
            continue
        parts = [op.type] if cmd == "op" else op.name.split("/")
        node = root
        for i in range(len(parts)):
            node = _child(node, "/".join(parts[: i + 1]))
        node.exec_micros += micros.get(op.name, 0)
        node.parameters += _size(op) if op.type in _VARIABLES else 0
        node.float_ops += _arithmetic(op)
    _write("\n".join(_lines(root, options, 0)) + "\n", options["output"])
    return root


def _child(node: ProfileNode, name: str) -> ProfileNode:
    for child in node.children:
        if child.name == name:
            return child
    node.children.append(ProfileNode(name))
    return node.children[-1]


def _micros(run_meta: Any) -> dict[str, int]:
    found: dict[str, int] = {}
    for device in run_meta.step_stats.dev_stats if run_meta is not None else ():
        for stats in device.node_stats:
            found[stats.node_name] = found.get(stats.node_name, 0) + int(stats.all_end_rel_micros)
    return found


def _product(dims: Any) -> int:
    return 0 if dims is None or None in dims else math.prod(dims)


def _size(op: Operation) -> int:
    return _product(op.attrs.get("shape"))


def _matmul(op: Operation) -> int:
    inner = (op.inputs[0].dims or (None,))[0 if op.attrs.get("transpose_a") else -1]
    return 2 * _product(op.outputs[0].dims) * (inner or 0)


def _convolution(op: Operation) -> int:
    filters = op.inputs[1].dims
    return 2 * _product(op.outputs[0].dims) * _product(None if filters is None else filters[:-1])


_ARITHMETIC: dict[str, Callable[[Operation], int]] = {
    "MatMul": _matmul, "Conv2D": _convolution, "Conv3D": _convolution,
    **{
        kind: lambda op: _product(op.outputs[0].dims)
        for kind in ("Add", "AddV2", "BiasAdd", "Maximum", "Minimum", "Mul", "Neg", "RealDiv", "Rsqrt", "Square", "Sub")
    },
}  # fmt: skip


def _arithmetic(op: Operation) -> int:
    count = _ARITHMETIC.get(op.type)
    return count(op) if count is not None and op.outputs[0].dtype.base_dtype.is_floating else 0


_COLUMNS = {
    "micros": ("total_exec_micros", "us"), "params": ("total_parameters", " params"), "float_ops": ("total_float_ops", " flops"),
}  # fmt: skip


def _lines(node: ProfileNode, options: dict[str, Any], depth: int) -> list[str]:
    columns = [_COLUMNS[key] for key in options["select"] if key in _COLUMNS]
    shown = ", ".join(f"{getattr(node, name):,}{unit}" for name, unit in columns)
    lines = [f"{'  ' * depth}{node.name} ({shown})"]
    if depth >= options["max_depth"]:
        return lines
    order = options["order_by"]
    children = sorted(node.children, key=lambda child: child.name)
    if order in _COLUMNS:
        children.sort(key=lambda child: -getattr(child, _COLUMNS[order][0]))
    for child in children:
        least = {
            "micros": options["min_micros"],
            "params": options["min_params"],
            "float_ops": options["min_float_ops"],
        }
        if all(getattr(child, _COLUMNS[key][0]) >= least[key] for key in options["select"] if key in _COLUMNS):
            lines += _lines(child, options, depth + 1)
    return lines


def _write(text: str, output: str) -> None:
    if output == "stdout":
        print(text, end="")
    elif output.startswith("file:outfile="):
        with open(output.removeprefix("file:outfile="), "w", encoding="utf-8") as file:
            file.write(text)
