"""Recurrent networks unrolled: one call of the cell for each input of a list."""

from __future__ import annotations

from typing import Any

from ...array import concat, identity, reverse_sequence, stack, unstack
from ...core.convert import constant, convert_to_tensor
from ...core.graph import get_default_graph
from ...core.node import Tensor
from ...flow.structure import flatten, pack
from ...math import greater_equal
from ...variables.scope import variable_scope
from .checks import check_cell
from .dynamic import _kept, _kept_state, first_state, lengths_of
from .rnn_cell import batch_of
from .state import sizes_of, zeros_of_size


def static_rnn(
    cell: Any, inputs: Any, initial_state: Any = None, dtype: Any = None, sequence_length: Any = None, scope: Any = None
) -> Any:
    """Run a cell over a list of inputs and return (list of outputs, final state).

    Args:
      cell: an RNNCell.
      inputs: a list of tensors [batch, n], or of nested structures of them; one for each step.
      initial_state: the state to begin with; the cell's zeros when None.
      dtype: the type of the state and the outputs; needed without `initial_state`.
      sequence_length: how many steps of each example count; an int vector [batch].
      scope: the variable scope, "rnn" when None.

    Raises:
      TypeError: when `cell` is no cell or `inputs` no list. ValueError: when there are no inputs, or their depth is not known.
    """
    check_cell("cell", cell)
    if not isinstance(inputs, list | tuple):
        raise TypeError("inputs must be a sequence")
    if not inputs:
        raise ValueError("inputs must not be empty")
    with variable_scope(scope or "rnn") as opened:
        steps = [pack(step, [convert_to_tensor(leaf) for leaf in flatten(step)]) for step in inputs]
        first = flatten(steps[0])[0]
        _check_depths(steps[0])
        state = first_state(cell, batch_of(first), initial_state, dtype)
        lengths = lengths_of(sequence_length)
        kinds = [flatten(state)[0].dtype.base_dtype] * len(sizes_of(cell.output_size))
        zeros = [] if lengths is None else [
            zeros_of_size(size, batch_of(first), kind)
            for size, kind in zip(sizes_of(cell.output_size), kinds, strict=True)
        ]  # fmt: skip
        outputs = []
        for time, step in enumerate(steps):
            if time > 0:
                opened.reuse_variables()
            made, new = cell(step, state)
            if lengths is not None:
                over = greater_equal(constant(time), lengths)
                made = pack(made, [_kept(over, zero, leaf) for zero, leaf in zip(zeros, flatten(made), strict=True)])
                new = pack(new, _kept_state(over, state, new))
            outputs.append(made)
            state = new
        return outputs, state


def _check_depths(step: Any) -> None:
    for leaf in flatten(step):
        if leaf.dims is not None and None in leaf.dims[1:]:
            raise ValueError(
                "Input size (dimension 1 of inputs) must be accessible via shape inference, but saw value None."
            )


def static_state_saving_rnn(
    cell: Any, inputs: Any, state_saver: Any, state_name: Any, sequence_length: Any = None, scope: Any = None
) -> Any:
    """Run a cell over a list of inputs, beginning with a saved state and saving the last one.

    Args:
      cell, inputs, sequence_length, scope: as in `static_rnn`.
      state_saver: an object with the methods `state(name)` and `save_state(name, value)`.
      state_name: the name of the state, or of its parts in its structure.

    Returns:
      (list of outputs, final state); the last output is to be had when the state is saved.
    """
    names = [state_name] if isinstance(state_name, str) else flatten(state_name)
    saved = [state_saver.state(name) for name in names]
    initial = saved[0] if isinstance(state_name, str) else pack(state_name, saved)
    if len(sizes_of(cell.state_size)) != len(names):
        raise ValueError(f"Number of states passed to state_saver ({len(names)}) does not match that of the cell")
    outputs, state = static_rnn(cell, inputs, initial_state=initial, sequence_length=sequence_length, scope=scope)
    saving = [state_saver.save_state(name, leaf) for name, leaf in zip(names, flatten(state), strict=True)]
    with get_default_graph().control_dependencies(saving):
        last = flatten(outputs[-1])
        outputs[-1] = pack(outputs[-1], [identity(leaf) for leaf in last])
        state = pack(state, [identity(leaf) for leaf in flatten(state)])
    return outputs, state


def static_bidirectional_rnn(
    cell_fw: Any, cell_bw: Any, inputs: Any, initial_state_fw: Any = None, initial_state_bw: Any = None, dtype: Any = None,
    sequence_length: Any = None, scope: Any = None,
) -> Any:  # fmt: skip
    """Run one cell forwards and another one backwards over a list of inputs.

    Args:
      cell_fw, cell_bw: the cells.
      initial_state_fw, initial_state_bw: the states to begin with.
      inputs, dtype, sequence_length: as in `static_rnn`.
      scope: the variable scope, "bidirectional_rnn" when None.

    Returns:
      (list of outputs, forwards and backwards beside each other; final state forwards; final state backwards).
    """
    check_cell("cell_fw", cell_fw)
    check_cell("cell_bw", cell_bw)
    if not isinstance(inputs, list | tuple):
        raise TypeError("inputs must be a sequence")
    if not inputs:
        raise ValueError("inputs must not be empty")
    with variable_scope(scope or "bidirectional_rnn"):
        with variable_scope("fw") as fw:
            forwards, state_fw = static_rnn(cell_fw, inputs, initial_state_fw, dtype, sequence_length, scope=fw)
        with variable_scope("bw") as bw:
            turned = _reversed(list(inputs), sequence_length)
            backwards, state_bw = static_rnn(cell_bw, turned, initial_state_bw, dtype, sequence_length, scope=bw)
    backwards = _reversed(backwards, sequence_length)
    outputs = [
        pack(a, [concat([x, y], 1) for x, y in zip(flatten(a), flatten(b), strict=True)])
        for a, b in zip(forwards, backwards, strict=True)
    ]
    return outputs, state_fw, state_bw


def _reversed(steps: list[Any], lengths: Any) -> list[Any]:
    """Return steps in the reverse order, each example only up to its length."""
    if lengths is None:
        return steps[::-1]
    columns = zip(*[flatten(step) for step in steps], strict=True)
    turned = [unstack(_turned(list(column), lengths), len(steps)) for column in columns]
    return [pack(step, list(leaves)) for step, leaves in zip(steps, zip(*turned, strict=True), strict=True)]


def _turned(column: list[Any], lengths: Any) -> Tensor:
    stacked = stack([convert_to_tensor(leaf) for leaf in column])
    return reverse_sequence(stacked, lengths, seq_axis=0, batch_axis=1)
