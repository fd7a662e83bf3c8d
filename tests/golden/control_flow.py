"""Writes control_flow.pb: a loop with a conditional inside, as TensorFlow's functional ops. Run with TensorFlow's Python:

    python tests/golden/control_flow.py
"""

import pathlib

import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.enable_control_flow_v2()
x = tf.placeholder(tf.float32, [], name="x")
_, z = tf.while_loop(
    lambda i, z: i < 4, lambda i, z: (i + 1, z * x + tf.cond(z > 5.0, lambda: x * x, lambda: x)), [0, x]
)
tf.identity(z, name="out")
pathlib.Path(__file__).with_suffix(".pb").write_bytes(tf.get_default_graph().as_graph_def().SerializeToString())
