"""Conditionals and loops written as TensorFlow 1 writes them: Switch and Merge, Enter and Exit.

TensorFlow's functions take no references, so an If or While whose regions use a variable's reference cannot be written as a
functional op. Its nodes then stand among all others, in the form that TensorFlow 1 knows. Invariant: output `i` is called
`output_name(op, i)`, whatever is written first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import graphdef
from .dtypes import DType
from .node import Operation, Tensor
from .regions import Region, captures_of

Resolve = Callable[[Tensor], str]
WriteNode = Callable[[Operation, Any, Any, Resolve, Callable[[Operation], list[str]]], None]


def is_old(op: Operation) -> bool:
    """Tell whether a node has to be written in TensorFlow 1's form: whether its regions use references from around them."""
    return bool(op.regions) and any(tensor.dtype._is_ref_dtype for tensor in captures_of(op))


def input_name(tensor: Tensor) -> str:
    """Return how a NodeDef writes an input from its own level."""
    return output_name(tensor.op, tensor.index) if is_old(tensor.op) else graphdef.input_name(tensor)


def output_name(op: Operation, index: int) -> str:
    """Return what the node is called that hands out an output of a node in TensorFlow 1's form."""
    if not index:
        return op.name
    name = f"{op.name}_{index}"
    while name in op.graph._by_name:
        name += "_"
    return name


def control_names(op: Operation) -> list[str]:
    """Return what a NodeDef writes for waiting for a node: all that hands its outputs out; nothing for a parameter."""
    if op.type == "_Arg":
        return []
    names = [output_name(op, i) for i in range(len(op.outputs))] if is_old(op) else []
    return [f"^{name}" for name in names or [op.name]]


class _Level:
    """A branch or a loop that is being written.

    `known` are the names of values from around it, made by `enter` where they are missing; `pivot` is the node that tells that
    the level runs, and `constant` the names that do not tell it.
    """

    def __init__(
        self, region: Region, known: dict[Tensor, str], enter: Resolve, pivot: str, constant: set[str]
    ) -> None:
        self.region, self.known, self.enter, self.pivot, self.constant = region, known, enter, pivot, constant

    def resolve(self, tensor: Tensor) -> str:
        """Return the name of a value on this level."""
        if tensor in self.known:
            return self.known[tensor]
        if tensor.op.region is self.region:
            return input_name(tensor)
        self.known[tensor] = self.enter(tensor)
        return self.known[tensor]

    def waiting(self, op: Operation) -> list[str]:
        """Return what to write for waiting for a node of this level: for a loop variable, what stands for it."""
        return [f"^{self.known[op.outputs[0]]}"] if op.type == "_Arg" else control_names(op)


class OldWriter:
    """Writes nodes into a GraphDef; `write_node` writes what is no control flow."""

    def __init__(self, message: Any, write_node: WriteNode) -> None:
        self.nodes, self.library, self.write_node = message.node, message.library, write_node

    def write(self, op: Operation, resolve: Resolve, around: _Level | None = None) -> None:
        """Write a node of any type; `resolve` names its inputs."""
        if not is_old(op):
            node = self.nodes.add()
            self.write_node(op, node, self.library, resolve, control_names if around is None else around.waiting)
            self._bind(node, around)
        elif "body" in op.decl.attrs:
            self._loop(op, resolve, around)
        else:
            self._conditional(op, resolve, around)

    def _bind(self, node: Any, around: _Level | None) -> None:
        """Let a node wait for its level where nothing that it takes tells that the level runs."""
        data = [text for text in node.input if not text.startswith("^")]
        if around is not None and all(text in around.constant for text in data):
            node.input.append(f"^{around.pivot}")

    def _add(
        self, kind: str, name: str, inputs: list[str], dtype: DType | None, around: _Level | None, **attrs: Any
    ) -> str:
        node = self.nodes.add(op=kind, name=name)
        node.input.extend(inputs)
        if dtype is not None:
            node.attr["T"].type = dtype.base_dtype.as_datatype_enum
        for key, value in attrs.items():
            graphdef.set_attr(node.attr[key], {int: "int", str: "string", bool: "bool"}[type(value)], value)
        self._bind(node, around)
        return name

    def _region(self, level: _Level) -> None:
        for op in level.region.ops:
            if op.type != "_Arg":
                self.write(op, level.resolve, level)

    # -- conditionals ---------------------------------------------------------------------------------------------------

    def _conditional(self, op: Operation, resolve: Resolve, around: _Level | None) -> None:
        predicate, kind = resolve(op.inputs[0]), op.inputs[0].dtype
        switch = self._add("Switch", f"{op.name}/switch", [predicate, predicate, *_controls(op)], kind, around)
        written = []
        for region, side, suffix in ((op.regions[1], "f", ""), (op.regions[0], "t", ":1")):
            pivot = self._add("Identity", f"{op.name}/switch_{side}", [switch + suffix], kind, None)
            level = _Level(region, {}, lambda tensor: "", pivot, set())
            level.enter = self._switching(op, level, predicate, resolve, around, suffix)
            self._region(level)
            written.append([level.resolve(tensor) for tensor in region.results])
        for i, pair in enumerate(zip(*written, strict=True)):
            self._add("Merge", output_name(op, i), list(pair), op.outputs[i].dtype, None, N=2)

    def _switching(
        self, op: Operation, level: _Level, predicate: str, resolve: Resolve, around: _Level | None, suffix: str
    ) -> Resolve:
        """Return what brings a value into a branch."""

        def enter(tensor: Tensor) -> str:
            ref = "Ref" if tensor.dtype._is_ref_dtype else ""
            name = f"{level.pivot}/Switch_{len(level.known)}"
            return self._add(f"{ref}Switch", name, [resolve(tensor), predicate], tensor.dtype, around) + suffix

        return enter

    # -- loops ----------------------------------------------------------------------------------------------------------

    def _loop(self, op: Operation, resolve: Resolve, around: _Level | None) -> None:
        condition, body = op.regions
        frame = {"frame_name": f"{op.name}/context", "parallel_iterations": int(op.attrs["parallel_iterations"])}
        types = [tensor.dtype for tensor in op.inputs]
        merges = [f"{op.name}/Merge_{i}" for i in range(len(types))]
        for i, tensor in enumerate(op.inputs):
            given = [resolve(tensor), *_controls(op)]
            start = self._add("Enter", f"{op.name}/Enter_{i}", given, types[i], around, is_constant=False, **frame)
            self._add("Merge", merges[i], [start, f"{op.name}/NextIteration_{i}"], types[i], None, N=2)
        constant: set[str] = set()
        known: dict[Tensor, str] = {}

        def enter(tensor: Tensor) -> str:
            if tensor not in known:
                ref = "Ref" if tensor.dtype._is_ref_dtype else ""
                name = f"{op.name}/Constant_{len(known)}"
                known[tensor] = self._add(
                    f"{ref}Enter", name, [resolve(tensor)], tensor.dtype, around, is_constant=True, **frame
                )
                constant.add(name)
            return known[tensor]

        level = _Level(condition, dict(zip(condition.params, merges, strict=True)), enter, merges[0], constant)
        self._region(level)
        test = self._add("LoopCond", f"{op.name}/LoopCond", [level.resolve(condition.results[0])], None, None)
        values = []
        for i, merge in enumerate(merges):
            switch = self._add("Switch", f"{op.name}/Switch_{i}", [merge, test], types[i], None)
            self._add("Exit", output_name(op, i), [switch], types[i], None)
            values.append(self._add("Identity", f"{op.name}/Identity_{i}", [f"{switch}:1"], types[i], None))
        level = _Level(body, dict(zip(body.params, values, strict=True)), enter, values[0], constant)
        self._region(level)
        for i, tensor in enumerate(body.results):
            self._add("NextIteration", f"{op.name}/NextIteration_{i}", [level.resolve(tensor)], types[i], level)


def _controls(op: Operation) -> list[str]:
    """Return what a conditional or loop waits for, and what the nodes in it wait for on its own level."""
    found = [c for o in (op, *_inner(op)) for c in o.control_inputs if c.region is op.region]
    return [name for c in dict.fromkeys(found) for name in control_names(c)]


def _inner(op: Operation) -> list[Operation]:
    return [found for region in op.regions for o in region.ops for found in (o, *_inner(o))]
