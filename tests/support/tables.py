"""Loads every table of op checks, for the tests that go over all of them at once."""

import functools
import importlib.util
import pathlib
import sys

from support import opcheck, opcheck_programs

OPS = pathlib.Path(__file__).parents[1] / "ops"

# Programs where TensorFlow is no measure, by reason.
NO_MEASURE = {
    "ExperimentalMapDataset": "TensorFlow 2 has no kernel for it",
    "AllCandidateSampler-beyond": "TensorFlow 2 refuses candidates that 1.15 took",
    "FixedLengthRecordReaderV2-nothing": "TensorFlow makes records of no bytes without end",
    "RandomPoissonV2-negative": "TensorFlow draws without end or meaning at such rates",
}


def measured(program: opcheck_programs.Program) -> bool:
    """Tell whether TensorFlow can be asked; the table names programs and op types."""
    return not {str(program), program.op} & NO_MEASURE.keys()


@functools.cache
def load() -> tuple[list[opcheck.Row], list[opcheck_programs.Program]]:
    """Return the rows and the programs of all tables."""
    for path in sorted(OPS.rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if "opcheck" in text:
            name = f"table_{path.parent.name}_{path.stem}"
            spec = importlib.util.spec_from_file_location(name, path)
            assert spec is not None and spec.loader is not None
            sys.modules[name] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(sys.modules[name])
    rows = list({id(row): row for row in opcheck.ROWS}.values())
    return rows, list({id(program): program for program in opcheck_programs.PROGRAMS}.values())
