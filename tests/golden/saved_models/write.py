"""Writes the golden SavedModels beside this file, and what they compute: run it with a Python that has TensorFlow and tf_keras.

`python write.py` needs TF_USE_LEGACY_KERAS=1 in its environment, for the recurrent cells of TensorFlow 1.
"""

import json
import pathlib
import shutil

import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
HERE = pathlib.Path(__file__).parent
RNG = np.random.default_rng(3)


def conv_net():
    x = tf.placeholder(tf.float32, [None, 6, 6, 1], name="x")
    filters = tf.get_variable("filters", initializer=RNG.normal(size=(3, 3, 1, 2)).astype(np.float32))
    bias = tf.get_variable("bias", initializer=np.float32([0.1, -0.1]), use_resource=True)
    hidden = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, filters, [1, 1, 1, 1], "SAME"), bias))
    pooled = tf.nn.max_pool(hidden, [1, 2, 2, 1], [1, 2, 2, 1], "VALID")
    y = tf.nn.softmax(tf.reshape(pooled, [-1, 18]), name="y")
    return x, y, RNG.normal(size=(2, 6, 6, 1)).astype(np.float32)


def lstm():
    x = tf.placeholder(tf.float32, [2, 4, 3], name="x")
    cell = tf.nn.rnn_cell.BasicLSTMCell(5, name="cell")
    outputs, _ = tf.nn.dynamic_rnn(cell, x, sequence_length=[4, 2], dtype=tf.float32)
    return x, tf.identity(outputs, name="y"), RNG.normal(size=(2, 4, 3)).astype(np.float32)


def cond():
    x = tf.placeholder(tf.float32, [], name="x")
    w = tf.get_variable("w", initializer=3.0)
    y = tf.cond(x > 0.0, lambda: x * w, lambda: tf.cond(x < -5.0, lambda: -x, lambda: x - w))
    return x, tf.identity(y, name="y"), np.float32(2.5)


def write(name, build, control_flow_v2):
    (tf.enable_control_flow_v2 if control_flow_v2 else tf.disable_control_flow_v2)()
    target = HERE / name
    shutil.rmtree(target, ignore_errors=True)
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        x, y, value = build()
        session.run(tf.global_variables_initializer())
        tf.saved_model.simple_save(session, str(target), {"x": x}, {"y": y})
        result = session.run(y, {x: value})
        frozen = tf.graph_util.convert_variables_to_constants(session, session.graph.as_graph_def(), ["y"])
        (target / "frozen.pb").write_bytes(frozen.SerializeToString())
    return {"x": np.asarray(value).tolist(), "y": np.asarray(result).tolist()}


if __name__ == "__main__":
    cases = {"conv_net": (conv_net, False), "lstm_v2": (lstm, True), "cond_v2": (cond, True)}
    cases |= {"lstm_v1": (lstm, False), "cond_v1": (cond, False)}
    values = {name: write(name, *case) for name, case in cases.items()}
    (HERE / "values.json").write_text(json.dumps(values) + "\n")
