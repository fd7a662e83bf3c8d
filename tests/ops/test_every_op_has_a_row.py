"""The guard of the op tables: an op without a row fails, unless it is on a list that only shrinks.

tests/ops/unchecked.txt lists the op types that tables of rows do not reach: those with state, whose tests run them in
sessions, and those that still lack a row. An op that has got a row is to leave the list.
"""

import importlib.util
import pathlib

import pytest

import millstream  # noqa: F401  (declares every op)
from millstream.ops.core.registry import REGISTRY
from support import opcheck

HERE = pathlib.Path(__file__).parent
UNCHECKED = frozenset((HERE / "unchecked.txt").read_text().split())


@pytest.fixture(scope="module")
def checked() -> set[str]:
    """Returns the op types with a row, having loaded every module that declares a table."""
    for path in sorted(HERE.rglob("test_*.py")):
        if path != pathlib.Path(__file__) and "opcheck" in path.read_text(encoding="utf-8"):
            spec = importlib.util.spec_from_file_location(f"table_{path.parent.name}_{path.stem}", path)
            assert spec is not None and spec.loader is not None
            spec.loader.exec_module(importlib.util.module_from_spec(spec))
    return opcheck.CHECKED


def test_every_op_has_a_row(checked: set[str]) -> None:
    assert sorted(REGISTRY.keys() - checked - UNCHECKED) == []


def test_the_list_only_shrinks(checked: set[str]) -> None:
    assert sorted(UNCHECKED & checked) == []
