"""What the loops over time ask of cells and inputs, with TensorFlow's words."""

from __future__ import annotations

from typing import Any


def check_cell(name: str, cell: Any) -> None:
    """Raise TypeError unless `cell` has what a cell needs; programs' own cells need not derive from RNNCell."""
    lacks = []
    if not hasattr(type(cell), "output_size") and not hasattr(cell, "output_size"):
        lacks.append("'output_size' property is missing")
    if not hasattr(type(cell), "state_size") and not hasattr(cell, "state_size"):
        lacks.append("'state_size' property is missing")
    if not hasattr(cell, "zero_state") and not hasattr(cell, "get_initial_state"):
        lacks.append("either 'zero_state' or 'get_initial_state' method is required")
    if not callable(cell):
        lacks.append("is not callable")
    if lacks:
        raise TypeError(f"The argument {name!r} ({cell}) is not an RNNCell: {', '.join(lacks)}.")
