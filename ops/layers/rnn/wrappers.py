"""Wrappers: cells that change what goes into another cell, and what comes out. They open no variable scope of their own."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from ...core import dtypes
from ...core.convert import convert_to_tensor
from ...core.dtypes import as_dtype
from ...core.graph import get_default_graph
from ...core.node import Tensor
from ...core.scopes import name_scope
from ...flow.structure import check_same, flatten, pack
from ...flow.tensor_array import TensorArray
from ...math import divide, floor
from ...random import random_uniform
from ..dropout import dropout
from .checks import check_cell
from .rnn_cell import RNNCell
from .state import LSTMStateTuple, map_sizes, size_dims


class Wrapper(RNNCell):
    """A cell around another one, whose sizes, variables and zero state are its own."""

    def __init__(self, cell: Any, **options: Any) -> None:
        super().__init__(**options)
        check_cell("cell", cell)
        self._cell = cell

    @property
    def wrapped_cell(self) -> Any:
        """The cell inside."""
        return self._cell

    @property
    def state_size(self) -> Any:
        """The sizes of the cell's state."""
        return self._cell.state_size

    @property
    def output_size(self) -> Any:
        """The size of the cell's outputs."""
        return self._cell.output_size

    @property
    def trainable_variables(self) -> list[Any]:
        """The cell's variables that training changes."""
        return list(getattr(self._cell, "trainable_variables", ()))

    @property
    def non_trainable_variables(self) -> list[Any]:
        """The cell's variables that training leaves alone."""
        return list(getattr(self._cell, "non_trainable_variables", ()))

    trainable_weights = trainable_variables
    non_trainable_weights = non_trainable_variables

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """Return the cell's zero state."""
        with name_scope(f"{type(self).__name__}ZeroState", values=[]):
            return self._cell.zero_state(batch_size, dtype)


def _keeps_c(state: Any) -> Any:
    """Say which parts of a state dropout may touch: the memory of an LSTM and arrays stay whole."""
    if isinstance(state, LSTMStateTuple):
        return LSTMStateTuple(c=False, h=True)
    if isinstance(state, dict):
        return {key: _keeps_c(part) for key, part in state.items()}
    if isinstance(state, list | tuple):
        return [_keeps_c(part) for part in state]
    return not isinstance(state, TensorArray)


class DropoutWrapper(Wrapper):
    """A cell with dropout on its inputs, outputs and states.

    Args:
      cell: the cell.
      input_keep_prob, output_keep_prob, state_keep_prob: the probability to keep an element; numbers or scalar tensors.
      variational_recurrent: whether the same elements are dropped in every step of a run; needs `dtype`, and `input_size`
        where inputs are dropped.
      input_size: the sizes of the inputs, without the batch.
      dtype: the type of inputs, state and outputs.
      seed: for the random choices.
      dropout_state_filter_visitor: a function of a state that says which parts may be dropped, as a structure of bools.

    Raises:
      TypeError: when `cell` is no cell. ValueError: when a probability is out of range, or something is missing.
    """

    def __init__(
        self, cell: Any, input_keep_prob: Any = 1.0, output_keep_prob: Any = 1.0, state_keep_prob: Any = 1.0,
        variational_recurrent: bool = False, input_size: Any = None, dtype: Any = None, seed: int | None = None,
        dropout_state_filter_visitor: Callable[[Any], Any] | None = None, **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(cell, dtype=dtype, **options)
        if dropout_state_filter_visitor is not None and not callable(dropout_state_filter_visitor):
            raise TypeError("dropout_state_filter_visitor must be callable")
        self._filter = dropout_state_filter_visitor or _keeps_c
        self._input_keep_prob = _probability("input_keep_prob", input_keep_prob)
        self._output_keep_prob = _probability("output_keep_prob", output_keep_prob)
        self._state_keep_prob = _probability("state_keep_prob", state_keep_prob)
        self._seed, self._variational = seed, variational_recurrent
        self._noise: dict[str, list[Tensor]] = {}
        if variational_recurrent:
            self._draw(input_size, dtype)

    def _draw(self, input_size: Any, dtype: Any) -> None:
        """Draw the noise that all steps of a run share."""
        if dtype is None:
            raise ValueError("When variational_recurrent=True, dtype must be provided")
        if _drops(self._input_keep_prob):
            if input_size is None:
                raise ValueError(
                    "When variational_recurrent=True and input_keep_prob < 1.0 or is unknown, input_size must be provided"
                )
            self._noise["input"] = self._noises(input_size, "input", dtype)
        self._noise["state"] = self._noises(self._cell.state_size, "state", dtype)
        self._noise["output"] = self._noises(self._cell.output_size, "output", dtype)

    def _noises(self, sizes: Any, salt: str, dtype: Any) -> list[Tensor]:
        found: list[Tensor] = []

        def draw(size: Any) -> None:
            shape = [1, *size_dims(size)]
            found.append(random_uniform(shape, seed=self._seed_for(salt, len(found)), dtype=as_dtype(dtype)))

        map_sizes(draw, sizes)
        return found

    def _seed_for(self, salt: str, index: int) -> int | None:
        if self._seed is None:
            return None
        text = f"{self._seed}{salt}_{index}".encode()
        digest = import_module("hashlib").md5(text, usedforsecurity=False).hexdigest()
        return int(digest[:8], 16) & 0x7FFFFFFF

    def _dropped(self, structure: Any, salt: str, keep_prob: Any, touched: Any = True) -> Any:
        leaves = flatten(structure)
        flags = [bool(flag) for flag in flatten(touched)] if not isinstance(touched, bool) else [touched] * len(leaves)
        result = []
        for index, (leaf, flag) in enumerate(zip(leaves, flags, strict=True)):
            result.append(self._drop_one(leaf, salt, index, keep_prob) if flag else leaf)
        return pack(structure, result)

    def _drop_one(self, value: Tensor, salt: str, index: int, keep_prob: Any) -> Tensor:
        if not self._variational:
            return dropout(value, keep_prob=keep_prob, seed=self._seed_for(salt, index))
        kept = convert_to_tensor(keep_prob, value.dtype.base_dtype)
        found: Tensor = divide(value, kept) * floor(self._noise[salt][index] + kept)
        found.set_shape(value.dims)
        return found

    def __call__(self, inputs: Any, state: Any, scope: Any = None, **options: Any) -> Any:  # type: ignore[override]
        """Return the cell's outputs and next state, with some elements dropped."""
        if _drops(self._input_keep_prob):
            inputs = self._dropped(inputs, "input", self._input_keep_prob)
        outputs, new = self._cell(inputs, state, **_scope(scope), **options)
        if _drops(self._state_keep_prob):
            new = self._dropped(new, "state", self._state_keep_prob, self._filter(new))
        if _drops(self._output_keep_prob):
            outputs = self._dropped(outputs, "output", self._output_keep_prob)
        return outputs, new


def _scope(scope: Any) -> dict[str, Any]:
    return {} if scope is None else {"scope": scope}


def _probability(name: str, value: Any) -> Any:
    if isinstance(value, int | float) and not 0 < value <= 1:
        raise ValueError(f"Parameter {name} must be between 0 and 1: {value:g}")
    return float(value) if isinstance(value, int | float) else convert_to_tensor(value, dtypes.float32)


def _drops(keep_prob: Any) -> bool:
    return not isinstance(keep_prob, float) or keep_prob < 1


class ResidualWrapper(Wrapper):
    """A cell whose inputs are added to its outputs.

    Args:
      cell: the cell.
      residual_fn: a function of inputs and outputs, instead of their sum.

    Raises:
      ValueError: when inputs and outputs have other structures or shapes.
    """

    def __init__(self, cell: Any, residual_fn: Callable[[Any, Any], Any] | None = None, **options: Any) -> None:
        super().__init__(cell, **options)
        self._residual_fn = residual_fn

    def __call__(self, inputs: Any, state: Any, scope: Any = None, **options: Any) -> Any:  # type: ignore[override]
        """Return the cell's outputs with the inputs added, and its next state."""
        outputs, new = self._cell(inputs, state, **_scope(scope), **options)
        return (self._residual_fn or _sum)(inputs, outputs), new


def _sum(inputs: Any, outputs: Any) -> Any:
    check_same(inputs, outputs)
    pairs = list(zip(flatten(inputs), flatten(outputs), strict=True))
    for given, made in pairs:
        given.shape.assert_is_compatible_with(made.shape)
    return pack(outputs, [given + made for given, made in pairs])


class DeviceWrapper(Wrapper):
    """A cell whose nodes ask for a device.

    Args:
      cell: the cell.
      device: a name, or a function of a node.
    """

    def __init__(self, cell: Any, device: Any, **options: Any) -> None:
        super().__init__(cell, **options)
        self._device = device

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """Return the cell's zero state, on the device."""
        with name_scope("DeviceWrapperZeroState", values=[]), get_default_graph().device(self._device):
            return self._cell.zero_state(batch_size, dtype)

    def __call__(self, inputs: Any, state: Any, scope: Any = None, **options: Any) -> Any:  # type: ignore[override]
        """Return the cell's outputs and next state, computed on the device."""
        with get_default_graph().device(self._device):
            return self._cell(inputs, state, **_scope(scope), **options)
