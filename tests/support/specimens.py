"""Nodes of the op tables, each taken out of its graph: what it was given, and its attributes.

Here so that comparisons can change one thing of a node (a dtype, an attribute, its numbers) whatever public function
built it. A node becomes a row of its own: what it computes from arrays is asked of TensorFlow, as with the rows of the tables.
"""

import contextlib
import functools
import warnings
import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

import millstream as ms
from millstream.devices import simulated_gpus
from millstream.ops.core import dtypes
from millstream.ops.core.dtypes import DType
from millstream.ops.core.errors import OpError
from millstream.ops.core.node import Operation
from millstream.ops.core.registry import REGISTRY, arg_length
from support import opcheck, tables
from support.opcheck import Row
from support.opcheck_programs import Program
from support.specimen_cases import MORE

# What a float is multiplied by before it becomes a whole number: most of the tables' numbers lie around one.
SCALE = 5


@dataclass(frozen=True)
class Specimen:
    """A node by itself: `inputs` are its arrays in order, `label` and `error` are those of the row that it comes from."""

    op: str
    label: str
    inputs: tuple[Any, ...]
    attrs: dict[str, Any] = field(compare=False)
    error: float = 1.0

    def __str__(self) -> str:
        return str(self.row())

    def row(self) -> Row:
        """Return the row that builds the node alone; TensorFlow's values are all that it is compared with."""
        decl = REGISTRY[self.op]

        def build(*xs: Any) -> Any:
            found, start = [], 0
            for arg in decl.inputs:
                size = arg_length(arg, self.attrs)
                given = xs[start : start + size]
                found.append(list(given) if arg.is_list else given[0])
                start += size
            return list(decl.node(*found, **self.attrs).outputs)

        return Row(self.op, build, self.inputs, reference=lambda *xs: xs, error=self.error, label=self.label)

    def typed(self, attr: str) -> list[int]:
        """Return which inputs a type attribute types."""
        return [i for i, arg in enumerate(self._args()) if arg.type_attr == attr]

    def on_host(self) -> list[bool]:
        """Tell for every input whether it says how to compute: shapes, axes, sizes."""
        return [arg.name in REGISTRY[self.op].host for arg in self._args()]

    def _args(self) -> list[Any]:
        return [arg for arg in REGISTRY[self.op].inputs for _ in range(arg_length(arg, self.attrs))]

    def with_attr(self, name: str, value: Any) -> "Specimen":
        """Return the node with another value of an attribute; of a type attribute, with inputs of that type."""
        places = self.typed(name) if isinstance(value, DType) else []
        inputs = tuple(cast(x, value) if i in places else x for i, x in enumerate(self.inputs))
        return replace(self, inputs=inputs, attrs={**self.attrs, name: value})

    def redrawn(self, seed: int) -> "Specimen":
        """Return the node with other numbers: floats of the same spread, whole numbers from the same range."""
        rng = np.random.default_rng(zlib.crc32(f"{self} {seed}".encode()))
        inputs = tuple(x if host else draw(rng, x) for x, host in zip(self.inputs, self.on_host(), strict=True))
        return replace(self, inputs=inputs)


def draw(rng: np.random.Generator, array: Any) -> Any:
    """Return an array of the same dtype and shape with numbers drawn from its range; what is no number is shuffled."""
    if array.size == 0:
        return array
    if array.dtype.kind in "iu":
        return rng.integers(int(array.min()), int(array.max()), array.shape, endpoint=True).astype(array.dtype)
    if array.dtype.kind == "f" or array.dtype.name == "bfloat16":
        low, high = float(array.min()), float(array.max())
        return rng.uniform(low, high, array.shape).astype(array.dtype) if np.isfinite([low, high]).all() else array
    if array.dtype.kind == "c":
        return (draw(rng, array.real) + 1j * draw(rng, array.imag)).astype(array.dtype)
    return rng.permutation(array.ravel()).reshape(array.shape)


def cast(array: Any, dtype: DType) -> Any:
    """Return an array of another dtype; numbers that it cannot hold change their sign, texts become counts."""
    if array.dtype == dtype.np_dtype:
        return array
    plain = array[array.dtype.names[0]] if array.dtype.names else array
    if plain.dtype.kind == "O":
        plain = np.arange(plain.size).reshape(plain.shape)
    if dtype.name == "string":
        return np.array([str(item).encode() for item in plain.ravel().tolist()], object).reshape(plain.shape)
    if plain.dtype.kind == "c" and not dtype.is_complex:
        plain = plain.real
    if dtype.is_quantized:
        whole = cast(plain, dtypes.as_dtype(dtype.np_dtype[0]))
        return whole.view(dtype.np_dtype) if whole.ndim else np.array([whole]).view(dtype.np_dtype).reshape(())
    if dtype.is_integer and plain.dtype.kind not in "iub":
        plain = np.rint(np.asarray(plain, np.float64) * SCALE)
    with np.errstate(all="ignore"):
        return np.asarray(np.abs(plain) if dtype.is_unsigned and plain.dtype.kind != "b" else plain).astype(
            dtype.np_dtype
        )


def plain(op: Operation) -> bool:
    """Tell whether a node's inputs and outputs are values, no variables or handles, and it calls no functions."""
    calls = any(attr.kind in ("func", "list(func)") for attr in op.decl.attrs.values())
    return not calls and all(t.dtype.is_numpy_compatible and not t.dtype._is_ref_dtype for t in (*op.inputs, *op.outputs))


def waits(op: str) -> bool:
    """Tell whether an op may wait for what other nodes do."""
    return REGISTRY[op].blocking and REGISTRY[op].stateful


@functools.cache
def load() -> dict[str, list[Specimen]]:
    """Return the nodes of all tables by op type: those that a table is about, then those that derivatives are made of."""
    about: dict[str, list[Specimen]] = defaultdict(list)
    beside: dict[str, list[Specimen]] = defaultdict(list)
    rows, programs = tables.load()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for row in rows:
            for found in of_row(row):
                (about if found.op == row.op else beside)[found.op].append(found)
        for program in programs:
            if program.raises is None and not callable(program.inputs):
                about[program.op].extend(of_program(program))
    made = {op: [*about[op], *more(op), *beside[op]] for op in sorted({*about, *beside})}
    return {op: found for op, found in made.items() if found}


def of_row(row: Row) -> Iterator[Specimen]:
    """Yield the nodes that a row is about, in each of its dtypes, and those that its derivatives have beside it."""
    for dtype in row.dtypes if row.floating else (None,):
        arrays = row.arrays(dtype)
        with ms.Graph().as_default() as graph:
            xs = [ms.constant(array) for array in arrays]
            ys = opcheck._flat(row.build(*xs))
            forward = set(graph.get_operations())
            if row.gradient and dtype == "float32":
                derived([y for y in ys if y.dtype.is_floating], [x for x in xs if x.dtype.is_floating])
            for op in graph.get_operations():
                if (op.type == row.op or (op not in forward and backward(op))) and plain(op):
                    values = opcheck.evaluate(list(op.inputs))
                    yield Specimen(op.type, row.label, tuple(map(np.asarray, values)), dict(op.attrs), row.error)


def backward(op: Operation) -> bool:
    """Tell whether a node is of a type that derivatives are made for."""
    return "Grad" in op.type or "Backprop" in op.type


def derived(ys: list[Any], xs: list[Any]) -> None:
    """Add derivatives to the graph, where there are any."""
    with contextlib.suppress(LookupError, ValueError):
        ms.gradients(ys, xs)


def of_program(program: Program) -> Iterator[Specimen]:
    """Yield the nodes that a program is about, if they are no more than functions of values."""
    with ms.Graph().as_default() as graph, simulated_gpus(0), ms.Session() as session:
        program.build(*[ms.constant(np.asarray(array)) for array in program.inputs])  # type: ignore[union-attr]
        for op in [op for op in graph.get_operations() if op.type == program.op and plain(op)]:
            with contextlib.suppress(OpError):
                values = zip(session.run(list(op.inputs)), op.inputs, strict=True)
                yield Specimen(op.type, program.label, tuple(_array(v, t) for v, t in values), dict(op.attrs))


def more(op: str) -> list[Specimen]:
    """Return the nodes that no table has: of attributes that change the shapes or the number of the inputs."""
    return [whole(Specimen(op, f"more-{i}", *case)) for i, case in enumerate(MORE.get(op, ()))]


def whole(specimen: Specimen) -> Specimen:
    """Return a node with all attributes that it has when it is built."""
    with ms.Graph().as_default() as graph:
        specimen.row().build(*[ms.constant(array) for array in specimen.inputs])
        return replace(specimen, attrs=dict(graph.get_operations()[-1].attrs))


def _array(value: Any, tensor: Any) -> Any:
    return np.array(value, object) if tensor.dtype is dtypes.string else np.asarray(value)
