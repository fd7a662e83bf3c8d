"""`tf.nn`."""

from ...ops.layers.nn import *  # noqa: F403
from ...ops.layers.rnn import bidirectional_dynamic_rnn as bidirectional_dynamic_rnn
from ...ops.layers.rnn import dynamic_rnn as dynamic_rnn
from ...ops.layers.rnn import raw_rnn as raw_rnn
from ...ops.layers.rnn import static_bidirectional_rnn as static_bidirectional_rnn
from ...ops.layers.rnn import static_rnn as static_rnn
from ...ops.layers.rnn import static_state_saving_rnn as static_state_saving_rnn
from ...ops.nn import *  # noqa: F403
from . import rnn_cell as rnn_cell
