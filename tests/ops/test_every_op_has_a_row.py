"""The guard of the op tables: an op without a row fails.

Rows of values are in tables of `support.opcheck`, programs with state, control flow, files or randomness in tables of
`support.opcheck_programs`; both record the op types that they check.
"""

import importlib.util
import pathlib

import millstream  # noqa: F401  (declares every op)
from millstream.ops.core.registry import REGISTRY
from support import opcheck

HERE = pathlib.Path(__file__).parent


def checked() -> set[str]:
    """Returns the op types with a row, having loaded every module that declares a table."""
    for path in sorted(HERE.rglob("test_*.py")):
        if path != pathlib.Path(__file__) and "opcheck" in path.read_text(encoding="utf-8"):
            spec = importlib.util.spec_from_file_location(f"table_{path.parent.name}_{path.stem}", path)
            assert spec is not None and spec.loader is not None
            spec.loader.exec_module(importlib.util.module_from_spec(spec))
    return opcheck.CHECKED


def test_every_op_has_a_row() -> None:
    assert sorted(REGISTRY.keys() - checked()) == []
