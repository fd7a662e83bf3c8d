"""Recurrent networks: cells, wrappers of cells, and the loops that run them over time."""

from .cells import BasicLSTMCell, BasicRNNCell, GRUCell, LSTMCell
from .dynamic import bidirectional_dynamic_rnn, dynamic_rnn
from .multi import MultiRNNCell
from .raw import raw_rnn
from .rnn_cell import RNNCell
from .state import LSTMStateTuple
from .static import static_bidirectional_rnn, static_rnn, static_state_saving_rnn
from .wrappers import DeviceWrapper, DropoutWrapper, ResidualWrapper

__all__ = [
    "BasicLSTMCell", "BasicRNNCell", "DeviceWrapper", "DropoutWrapper", "GRUCell", "LSTMCell", "LSTMStateTuple",
    "MultiRNNCell", "RNNCell", "ResidualWrapper", "bidirectional_dynamic_rnn", "dynamic_rnn", "raw_rnn",
    "static_bidirectional_rnn", "static_rnn", "static_state_saving_rnn",
]  # fmt: skip
