"""`MultiRNNCell`: cells on top of each other, each in a variable scope `cell_0`, `cell_1` …"""

from __future__ import annotations

from typing import Any

from ...array import concat
from ...array import slice as slice_
from ...core.scopes import name_scope
from ...variables.scope import variable_scope
from .checks import check_cell
from .rnn_cell import RNNCell
from .state import is_size, size_dims


class MultiRNNCell(RNNCell):
    """Cells on top of each other: the outputs of each are the inputs of the next.

    Args:
      cells: the cells, lowest first; a cell that occurs several times shares its variables.
      state_is_tuple: whether the state is a tuple of the cells' states; else they are concatenated to one tensor.

    Raises:
      ValueError: when there are no cells, or one of them has a tuple for its state though `state_is_tuple` is false.
      TypeError: when `cells` is no list of cells.
    """

    def __init__(self, cells: Any, state_is_tuple: bool = True) -> None:
        super().__init__()
        if not cells:
            raise ValueError("Must specify at least one cell for MultiRNNCell.")
        if not isinstance(cells, list | tuple):
            raise TypeError(f"cells must be a list or tuple, but saw: {cells}.")
        for index, cell in enumerate(cells):
            check_cell(f"cell_{index}", cell)
        self._cells = list(cells)
        self._state_is_tuple = state_is_tuple
        if not state_is_tuple and any(not is_size(cell.state_size) for cell in cells):
            raise ValueError(
                f"Some cells return tuples of states, but the flag state_is_tuple is not set.  State sizes are: "
                f"{[cell.state_size for cell in cells]}"
            )

    @property
    def state_size(self) -> Any:
        """The cells' sizes as a tuple, or their sum."""
        sizes = tuple(cell.state_size for cell in self._cells)
        return sizes if self._state_is_tuple else sum(sizes)

    @property
    def output_size(self) -> Any:
        """The size of the last cell's outputs."""
        return self._cells[-1].output_size

    @property
    def trainable_variables(self) -> list[Any]:
        """The variables of all cells that training changes."""
        return _once(v for cell in self._cells for v in getattr(cell, "trainable_variables", ()))

    @property
    def non_trainable_variables(self) -> list[Any]:
        """The variables of all cells that training leaves alone."""
        return _once(v for cell in self._cells for v in getattr(cell, "non_trainable_variables", ()))

    trainable_weights = trainable_variables
    non_trainable_weights = non_trainable_variables

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """Return the cells' zero states."""
        with name_scope("MultiRNNCellZeroState", values=[]):
            if self._state_is_tuple:
                return tuple(cell.zero_state(batch_size, dtype) for cell in self._cells)
            return super().zero_state(batch_size, dtype)

    def call(self, inputs: Any, state: Any, **options: Any) -> Any:  # type: ignore[override]
        """Run the inputs through all cells."""
        position, states = 0, []
        for index, cell in enumerate(self._cells):
            with variable_scope(f"cell_{index}"):
                if self._state_is_tuple:
                    if not isinstance(state, list | tuple):
                        raise ValueError(
                            f"Expected state to be a tuple of length {len(self.state_size)}, but received: {state}"
                        )
                    own = state[index]
                else:
                    (width,) = size_dims(cell.state_size)
                    own = slice_(state, [0, position], [-1, width])
                    position += width or 0
                inputs, new = cell(inputs, own)
                states.append(new)
        return inputs, tuple(states) if self._state_is_tuple else concat(states, 1)


def _once(variables: Any) -> list[Any]:
    return list({id(variable): variable for variable in variables}.values())
