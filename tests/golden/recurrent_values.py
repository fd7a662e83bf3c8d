"""Writes recurrent_values.json: what TensorFlow computes for recurrent networks, with their variables and gradients.

Run with a Python that has TensorFlow and tf_keras: `TF_USE_LEGACY_KERAS=1 python tests/golden/recurrent_values.py`. Each
expression maps to the names and shapes of its variables and to its values, then the gradients of the sum of their squares;
variable number i holds `sin(i * n) / 2`, the inputs `cos(n)`. The test evaluates the same expressions.
"""

import json
import pathlib
from typing import Any

import numpy as np

EXPRESSIONS = (
    "run(cell.BasicLSTMCell(2), x, dtype=f)",
    "run(cell.BasicLSTMCell(2, forget_bias=0.5, activation=tf.nn.relu, name='mine'), x, sequence_length=[1, 3], dtype=f)",
    "run(cell.GRUCell(2), tf.transpose(x, [1, 0, 2]), sequence_length=[0, 2], dtype=f, time_major=True)",
    "run(cell.LSTMCell(5, True, 0.3, None, 2, 0.2, forget_bias=0.5), x, dtype=f)",
    "run(cell.LSTMCell(3, state_is_tuple=False, num_proj=2), x, dtype=f)",
    "run(cell.BasicLSTMCell(2, state_is_tuple=False), x, dtype=f)",
    "run(cell.GRUCell(3, bias_initializer=tf.zeros_initializer()), x, dtype=f, scope='outer')",
    "run(cell.BasicRNNCell(3, activation='relu'), x, dtype=f, sequence_length=[1, 2])",
    "run(cell.MultiRNNCell([cell.GRUCell(3), cell.BasicLSTMCell(2)]), x, dtype=f)",
    "run(cell.MultiRNNCell([cell.GRUCell(3), cell.GRUCell(2)], state_is_tuple=False), x, dtype=f)",
    "run(cell.ResidualWrapper(cell.GRUCell(3)), x, dtype=f)",
    "run(cell.DeviceWrapper(cell.GRUCell(3), '/cpu:0'), x, dtype=f)",
    "run(cell.DropoutWrapper(cell.GRUCell(3)), x, dtype=f)",
    "run(cell.BasicLSTMCell(2), x, initial_state=cell.LSTMStateTuple(x[:, 0, :2], x[:, 1, :2]))[0]",
    "tf.nn.bidirectional_dynamic_rnn(cell.GRUCell(2), cell.GRUCell(2), x, dtype=f)",
    "tf.nn.bidirectional_dynamic_rnn(cell.GRUCell(2), cell.BasicRNNCell(2), x, [3, 1], dtype=f)",
    "tf.nn.static_rnn(cell.BasicLSTMCell(2), tf.unstack(x, axis=1), dtype=f)",
    "tf.nn.static_rnn(cell.BasicLSTMCell(2), tf.unstack(x, axis=1), dtype=f, sequence_length=[2, 4])",
    "tf.nn.static_bidirectional_rnn(cell.BasicLSTMCell(2), cell.GRUCell(2), tf.unstack(x, axis=1), dtype=f)",
    "tf.nn.static_bidirectional_rnn(cell.GRUCell(2), cell.GRUCell(2), tf.unstack(x, axis=1), dtype=f, sequence_length=[2, 4])",
)


def flat(value: Any) -> list[Any]:
    """Returns the tensors of nested tuples and lists."""
    return [leaf for part in value for leaf in flat(part)] if isinstance(value, list | tuple) else [value]


def evaluate(tf: Any, expression: str, device: str | None = None) -> dict[str, Any]:
    """Returns the variables and the values of an expression."""
    with tf.Graph().as_default(), tf.device(device):
        x = tf.placeholder(tf.float32, [None, 4, 3])
        names = {"tf": tf, "cell": tf.nn.rnn_cell, "run": tf.nn.dynamic_rnn, "f": tf.float32, "x": x}
        tensors = flat(eval(expression, names))
        variables = tf.trainable_variables()
        loss = tf.add_n([tf.reduce_sum(tensor * tensor) for tensor in tensors])
        gradients = tf.gradients(loss, [*variables, x])
        with tf.Session() as session:
            for i, variable in enumerate(variables):
                dims = variable.shape.as_list()
                session.run(variable.assign(np.sin(np.arange(np.prod(dims)) * (i + 1.0)).reshape(dims) / 2))
            found = session.run([*tensors, *gradients], {x: np.cos(np.arange(24)).reshape(2, 4, 3)})
    return {
        "variables": [[variable.name, variable.shape.as_list()] for variable in variables],
        "values": [np.round(value.astype(float), 6).tolist() for value in found],
    }


if __name__ == "__main__":
    import tensorflow.compat.v1 as tensorflow

    tensorflow.disable_v2_behavior()
    tensorflow.disable_control_flow_v2()
    golden = {expression: evaluate(tensorflow, expression) for expression in EXPRESSIONS}
    path = pathlib.Path(__file__).with_name("recurrent_values.json")
    path.write_text(json.dumps(golden, indent=0).replace("\n", "") + "\n", encoding="utf-8")
