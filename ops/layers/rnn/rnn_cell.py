"""`RNNCell`: what one step of a recurrent network is, and the variable scope that all steps share.

A cell is a layer of two arguments. Its variables are made in the first call, in a scope of their own within the one that is
then open. Programs derive from RNNCell and write either `call(inputs, state)` or
`__call__(inputs, state, scope)`.
"""

from __future__ import annotations

from typing import Any

from ...array import shape
from ...core import dtypes
from ...core.convert import convert_to_tensor
from ...core.dtypes import as_dtype
from ...core.node import Tensor
from ...core.scopes import name_scope
from ...core.shapes import TensorShape
from ...math import sigmoid, tanh
from ...nn import activations as _activations
from ..base import Layer
from ..input_spec import check_inputs
from .state import zeros_of

_ACTIVATIONS = {"tanh": tanh, "sigmoid": sigmoid, "linear": lambda x: x}


def activation_of(given: Any) -> Any:
    """Return an activation function: `tanh` for None, the one of that name for a string.

    Raises:
      ValueError: when no activation has the name.
    """
    if given is None:
        return tanh
    if not isinstance(given, str):
        return given
    found = _ACTIVATIONS.get(given) or getattr(_activations, given, None)
    if found is None:
        raise ValueError(f"Unknown activation function: {given}")
    return found


class RNNCell(Layer):
    """One step of a recurrent network: from inputs [batch, n] and a state to outputs [batch, output_size] and the next state.

    Derived classes say `state_size` and `output_size`, and compute in `call(inputs, state)`.

    Args:
      trainable, name, dtype: as in `Layer`.
    """

    def __init__(self, trainable: bool = True, name: str | None = None, dtype: Any = None, **options: Any) -> None:
        super().__init__(trainable, name, dtype, **options)
        self._is_tf_rnn_cell = True

    @property
    def state_size(self) -> Any:
        """The sizes of the state, in its structure."""
        raise NotImplementedError("Abstract method")

    @property
    def output_size(self) -> Any:
        """The size of the outputs."""
        raise NotImplementedError("Abstract method")

    def __call__(self, inputs: Any, state: Any, scope: Any = None, **options: Any) -> Any:  # type: ignore[override]
        """Return (outputs, next state), making the variables in the first call.

        Args:
          inputs: a tensor [batch, n], or a structure of such.
          state: the state, of sizes `state_size`.
          scope: the variable scope to make variables in.
        """
        self._ready()
        with self._inside(scope):
            given = convert_to_tensor(inputs) if not isinstance(inputs, list | tuple | dict) else inputs
            self._make(given)
            result = self.call(given, state, **options)
            self._regularize(result[0])
        return result

    def _ready(self) -> None:
        """Finish what a derived class left out that does not call this class's __init__."""
        if "_variables" not in self.__dict__:
            RNNCell.__init__(self)

    def _make(self, inputs: Any) -> None:
        first = inputs if isinstance(inputs, Tensor) else None
        if first is not None:
            check_inputs(self.input_spec, [first], self.name)
        if self.built:
            return
        if self.dtype is None:
            self.dtype = first.dtype.base_dtype if first is not None else dtypes.float32
        self.build(first.shape if first is not None else TensorShape(None))
        self.built = True

    def build(self, inputs_shape: Any) -> None:
        """Make the variables for inputs of this shape."""

    def call(self, inputs: Any, state: Any, **options: Any) -> Any:  # type: ignore[override]
        """Return (outputs, next state); derived classes say how."""
        raise NotImplementedError(f"{type(self).__name__} has no `call`")

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """Return zeros as the first state, of shapes [batch_size, size].

        Args:
          batch_size: an int or a scalar tensor.
          dtype: the type of the state.
        """
        with name_scope(f"{type(self).__name__}ZeroState", values=[]):
            return zeros_of(self.state_size, batch_size, as_dtype(dtype))

    def get_initial_state(self, inputs: Any = None, batch_size: Any = None, dtype: Any = None) -> Any:
        """Return the first state for `inputs` or for a batch size and type.

        Raises:
          ValueError: when neither tells the batch size and the type.
        """
        if inputs is not None:
            tensor = convert_to_tensor(inputs)
            batch_size = batch_of(tensor)
            dtype = tensor.dtype
        if batch_size is None or dtype is None:
            raise ValueError(
                "batch_size and dtype cannot be None while constructing initial state: batch_size="
                f"{batch_size}, dtype={dtype}"
            )
        return self.zero_state(batch_size, dtype)


def batch_of(tensor: Tensor) -> Any:
    """Return the first dimension of a tensor, as an int where it is known."""
    from_shape = tensor.dims[0] if tensor.dims else None
    return shape(tensor)[0] if from_shape is None else from_shape


class OfUnits:
    """What a cell is besides whose state and outputs are vectors of `_num_units` numbers each."""

    _num_units: int

    @property
    def state_size(self) -> Any:
        """The size of the state."""
        return self._num_units

    @property
    def output_size(self) -> Any:
        """The size of the outputs."""
        return self._num_units
