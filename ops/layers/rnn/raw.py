"""`raw_rnn`: the loop over time with everything that varies left to a function of the program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...array import fill
from ...core import dtypes
from ...core.convert import constant, convert_to_tensor
from ...core.node import Tensor
from ...flow import TensorArray, while_loop
from ...flow.structure import flatten, pack
from ...math import add, logical_not, logical_or, reduce_all
from ...variables.scope import variable_scope
from .checks import check_cell
from .dynamic import _kept, _parts
from .rnn_cell import batch_of
from .state import map_sizes, sizes_of, zeros_of_size

LoopFunction = Callable[[Any, Any, Any, Any], Any]


def raw_rnn(
    cell: Any,
    loop_fn: LoopFunction,
    parallel_iterations: int | None = None,
    swap_memory: bool = False,
    scope: Any = None,
) -> Any:
    """Run a cell until `loop_fn` says that all examples are finished.

    Args:
      cell: an RNNCell.
      loop_fn: a function of (time, cell output, cell state, loop state) that returns (finished [batch], next input,
        next cell state, what to emit, next loop state). At time 0 output, state and loop state are None; what it then emits
        gives the structure and shapes (None: those of the cell's output).
      scope: the variable scope, "rnn" when None.
      parallel_iterations, swap_memory: hints that need no action here.

    Returns:
      (TensorArrays of what was emitted, final state, final loop state).

    Raises:
      TypeError: when `cell` is no cell or `loop_fn` cannot be called.
    """
    check_cell("cell", cell)
    if not callable(loop_fn):
        raise TypeError("loop_fn must be a callable")
    with variable_scope(scope or "rnn"):
        time = constant(0, dtypes.int32)
        done, inputs, state, like, loop_state = loop_fn(time, None, None, None)
        inputs = pack(inputs, [convert_to_tensor(leaf) for leaf in flatten(inputs)])
        state = pack(state, [convert_to_tensor(leaf) for leaf in flatten(state)])
        batch = batch_of(flatten(inputs)[0])
        emitted = _Emitted(cell, like, flatten(state)[0], batch)
        arrays = [TensorArray(kind, size=0, dynamic_size=True, element_shape=dims) for kind, dims in emitted.described]
        carries = loop_state is not None
        done = convert_to_tensor(done)
        if done.dims == ():
            done = fill([batch], done)
        _, _, _, arrays, state, carried = while_loop(
            lambda time, done, *_: logical_not(reduce_all(done)), _step_of(cell, loop_fn, emitted, carries),
            [time, done, inputs, arrays, state, loop_state if carries else constant(0)],
            parallel_iterations=parallel_iterations or 32, swap_memory=swap_memory,
        )  # fmt: skip
        return emitted.pack(arrays), state, carried if carries else None


def _step_of(cell: Any, loop_fn: LoopFunction, emitted: _Emitted, carries: bool) -> Callable[..., Any]:
    """Return the body of the loop; finished examples keep their state and emit zeros."""

    def step(time: Tensor, done: Tensor, inputs: Any, arrays: list[TensorArray], state: Any, carried: Any) -> Any:
        output, new = cell(inputs, state)
        after = add(time, 1)
        over, next_inputs, next_state, emit, next_carried = loop_fn(after, output, new, carried if carries else None)
        values = zip(emitted.zeros, emitted.of(emit, output), strict=True)
        kept = [_kept(done, zero, value) for zero, value in values]
        arrays = [array.write(time, value) for array, value in zip(arrays, kept, strict=True)]
        leaves = [
            leaf.flow if isinstance(leaf, TensorArray) else _kept(done, before, leaf)
            for before, leaf in zip(_parts(state), _parts(next_state), strict=True)
        ]
        finished = logical_or(over, done)
        return after, finished, next_inputs, arrays, pack(state, leaves), next_carried if carries else carried

    return step


class _Emitted:
    """What a raw loop emits: structure, types, shapes, and the zeros that stand for it in finished examples."""

    def __init__(self, cell: Any, like: Any, state: Tensor, batch: Any) -> None:
        self.like, self.sizes = like, cell.output_size
        static = batch if isinstance(batch, int) else None
        if like is None:
            kind = state.dtype.base_dtype
            self.zeros = [zeros_of_size(size, batch, kind) for size in sizes_of(self.sizes)]
        else:
            leaves = [convert_to_tensor(leaf) for leaf in flatten(like)]
            self.zeros = [_zeros_like_rows(leaf, batch) for leaf in leaves]
        self.described = [(zero.dtype.base_dtype, _with_batch(zero, static)) for zero in self.zeros]

    def of(self, emit: Any, output: Any) -> list[Tensor]:
        """Return the tensors that were emitted in a step."""
        return [convert_to_tensor(leaf) for leaf in flatten(output if emit is None else emit)]

    def pack(self, arrays: list[TensorArray]) -> Any:
        """Return the arrays in the structure of what is emitted."""
        if self.like is not None:
            return arrays[0] if isinstance(self.like, Tensor) else pack(self.like, arrays)
        queue = iter(arrays)
        return map_sizes(lambda _: next(queue), self.sizes)


def _zeros_like_rows(leaf: Tensor, batch: Any) -> Tensor:
    """Return zeros like `leaf` for a whole batch: what is emitted at time 0 is one example."""
    return zeros_of_size(leaf.shape, batch, leaf.dtype.base_dtype)


def _with_batch(zero: Tensor, batch: int | None) -> Any:
    return None if zero.dims is None else (batch, *zero.dims[1:])
