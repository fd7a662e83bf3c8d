"""The same for ops that keep something, call functions or wait: which dtypes and values of attributes programs compare.

What tables of programs, of variables and of containers have counts as it is, for tests beside this one run them all. A flag
or a word that none has is set in the first program of the op. What is missing then fails, unless a table says why.
"""

import functools
import pathlib
import tempfile
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import millstream as ms
from millstream.ops.core.graph import Graph
from millstream.ops.core.registry import REGISTRY
from support import demands, oracle, specimens, tables
from support.demands import Seen
from support.kept_cases import KEPT
from support.opcheck_programs import Program
from support.program_comparison import compare_program, nodes
from support.state_cases import CASES
from support.uncovered import NO_MEASURE_OF_VALUES, UNCOVERED

if not oracle.available:
    pytest.skip("TensorFlow is not installed beside the project", allow_module_level=True)

OPS = [op for op in sorted(REGISTRY) if op not in specimens.load() or specimens.waits(op)]


@functools.cache
def seen_in_programs() -> dict[str, Seen]:
    """Return what is compared of each op type as the tables have it."""
    found = {op: Seen() for op in REGISTRY}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for build in (*programs(pathlib.Path(folder)), *(functools.partial(case.build, case) for case in (*CASES, *KEPT))):
            with Graph().as_default() as graph:
                build()
                for op in nodes(graph):
                    found[op.type].add(op.attrs)
    return found


def programs(folder: pathlib.Path) -> Iterator[Callable[[], Any]]:
    """Yield what builds each program that TensorFlow is a measure of."""
    for number, program in enumerate(filter(tables.measured, tables.load()[1])):
        own = folder / str(number)
        own.mkdir()
        yield functools.partial(built, program, own)


def built(program: Program, folder: pathlib.Path) -> None:
    """Build a program."""
    program.build(*[ms.constant(array) for array in program.arrays(folder)])


def setting(op: str, name: str, value: Any) -> Callable[[Graph], None]:
    """Return what gives an attribute of all nodes of a type another value."""

    def change(graph: Graph) -> None:
        for node in nodes(graph):
            if node.type == op:
                node.attrs = {**node.attrs, name: value}

    return change


def first(op: str) -> Program | None:
    """Return a program of an op type that ends well."""
    return next((p for p in tables.load()[1] if p.op == op and tables.measured(p) and p.raises is None), None)


@pytest.mark.parametrize("op", [op for op in OPS if op not in NO_MEASURE_OF_VALUES])
def test_every_value(op: str, tmp_path: pathlib.Path) -> None:
    seen, program = seen_in_programs()[op], first(op)
    for name, left in demands.without(seen.missing(op), UNCOVERED, op).items():
        kind = demands.FACTS[op].attrs[name].type
        for text in left if program and isinstance(left, list) and kind in ("bool", "string") else ():
            compare_program(program, tmp_path, setting(op, name, text == "True" if kind == "bool" else text[1:-1]))
            seen.values.setdefault(name, set()).add(text)
    assert demands.without(seen.missing(op), UNCOVERED, op) == {}
