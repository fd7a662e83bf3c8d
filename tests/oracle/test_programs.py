"""Every program of the op tables, state, loops, lists, randomness, files and errors, against TensorFlow itself.

The graph that a program builds runs in TensorFlow as a GraphDef. Where the program ends with an error, TensorFlow's ends
with an error of the same class; where it draws numbers, they are TensorFlow's for its seeds.
"""

import pathlib

import pytest

from support import oracle, tables
from support.opcheck_programs import Program
from support.program_comparison import compare_program

if not oracle.available:
    pytest.skip("TensorFlow is not installed beside the project", allow_module_level=True)


@pytest.mark.parametrize("program", [p for p in tables.load()[1] if tables.measured(p)], ids=str)
def test_program(program: Program, tmp_path: pathlib.Path) -> None:
    try:
        compare_program(program, tmp_path)
    except oracle.NothingToCompare as reason:
        pytest.skip(f"TensorFlow cannot run it: {str(reason)[:200]}")
