"""Bidirectional networks on top of each other."""

from __future__ import annotations

from typing import Any

from ...array import concat
from ...variables.scope import variable_scope
from .dynamic import bidirectional_dynamic_rnn
from .static import static_bidirectional_rnn


def _check(cells_fw: Any, cells_bw: Any, states_fw: Any, states_bw: Any) -> None:
    if not cells_fw or not cells_bw:
        raise ValueError("Must specify at least one fw cell and one bw cell.")
    for what, cells in (("cells_fw", cells_fw), ("cells_bw", cells_bw)):
        if not isinstance(cells, list):
            raise ValueError(f"{what} must be a list of RNNCells (one per layer).")
    if len(cells_fw) != len(cells_bw):
        raise ValueError("Forward and Backward cells must have the same depth.")
    for what, states in (("initial_states_fw", states_fw), ("initial_states_bw", states_bw)):
        if states is not None and (not isinstance(states, list) or len(states) != len(cells_fw)):
            raise ValueError(f"{what} must be a list of state tensors (one per layer).")


def stack_bidirectional_rnn(
    cells_fw: Any, cells_bw: Any, inputs: Any, initial_states_fw: Any = None, initial_states_bw: Any = None, dtype: Any = None,
    sequence_length: Any = None, scope: Any = None,
) -> Any:  # fmt: skip
    """Run layers of `static_bidirectional_rnn`, each on the outputs of the one below.

    Returns:
      (list of the last layer's outputs, final states forwards by layer, final states backwards by layer).
    """
    _check(cells_fw, cells_bw, initial_states_fw, initial_states_bw)
    states_fw, states_bw, previous = [], [], inputs
    with variable_scope(scope or "stack_bidirectional_rnn"):
        for i, (fw, bw) in enumerate(zip(cells_fw, cells_bw, strict=True)):
            with variable_scope(f"cell_{i}") as cell_scope:
                previous, state_fw, state_bw = static_bidirectional_rnn(
                    fw, bw, previous, initial_states_fw[i] if initial_states_fw else None,
                    initial_states_bw[i] if initial_states_bw else None, dtype, sequence_length, cell_scope,
                )  # fmt: skip
            states_fw.append(state_fw)
            states_bw.append(state_bw)
    return previous, tuple(states_fw), tuple(states_bw)


def stack_bidirectional_dynamic_rnn(
    cells_fw: Any, cells_bw: Any, inputs: Any, initial_states_fw: Any = None, initial_states_bw: Any = None, dtype: Any = None,
    sequence_length: Any = None, parallel_iterations: int | None = None, time_major: bool = False, scope: Any = None,
    swap_memory: bool = False,
) -> Any:  # fmt: skip
    """Run layers of `bidirectional_dynamic_rnn`, each on the outputs of the one below.

    Returns:
      (the last layer's outputs, forwards and backwards beside each other; final states forwards by layer; backwards by layer).
    """
    _check(cells_fw, cells_bw, initial_states_fw, initial_states_bw)
    states_fw, states_bw, previous = [], [], inputs
    with variable_scope(scope or "stack_bidirectional_rnn"):
        for i, (fw, bw) in enumerate(zip(cells_fw, cells_bw, strict=True)):
            with variable_scope(f"cell_{i}"):
                outputs, (state_fw, state_bw) = bidirectional_dynamic_rnn(
                    fw, bw, previous, sequence_length, initial_states_fw[i] if initial_states_fw else None,
                    initial_states_bw[i] if initial_states_bw else None, dtype, parallel_iterations, swap_memory, time_major,
                )  # fmt: skip
                previous = concat(list(outputs), 2)
            states_fw.append(state_fw)
            states_bw.append(state_bw)
    return previous, tuple(states_fw), tuple(states_bw)
