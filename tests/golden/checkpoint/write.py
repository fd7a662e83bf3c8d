"""Writes the golden checkpoint and its graph beside this file: run it with a Python that has TensorFlow."""

import os
import pathlib

import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
HERE = pathlib.Path(__file__).parent

tf.get_variable("weights", initializer=np.arange(6, dtype=np.float32).reshape(2, 3))
tf.get_variable("step", initializer=np.int64(7), use_resource=True, trainable=False)
tf.Variable(["mill", "", "stream"], name="words")
tf.Variable(tf.cast([1.5, -2.0], tf.bfloat16), name="half")


def numbered(shape, dtype=None, partition_info=None):
    """Returns the part's own rows of the numbers from 0."""
    start = partition_info.var_offset[0] * shape[1]
    return tf.constant(np.arange(start, start + shape[0] * shape[1]).reshape(shape), dtype)


tf.get_variable("parts", [5, 2], partitioner=tf.fixed_size_partitioner(2), initializer=numbered)
x = tf.placeholder(tf.float32, [None, 2], name="x")
y = tf.matmul(x, tf.get_default_graph().get_tensor_by_name("weights:0"), name="y")
tf.add_to_collection("outputs", y)
saver = tf.train.Saver()
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    os.chdir(HERE)
    saver.save(session, "./model", write_state=False)
