"""The programs that scripts/bench times: each is written once, against TensorFlow 1's API, with the module as `tf`.

A workload's `build` makes a graph and a session and returns a step: a function of no arguments that runs it once and
returns a number. Both sides must return the same number, so a row can only compare equal work. Only NumPy is imported,
for this file runs in the peer's Python as well.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

Step = Callable[[], float]
TEN_MILLION = 10_000_000
NODES = 10_000


@dataclass(frozen=True)
class Workload:
    """One row of the table.

    `before`, where there is one, runs untimed before each step and its result is the step's argument. `products` marks
    rows whose time is spent in matrix products, which is BLAS's time and not this project's.
    """

    name: str
    title: str
    build: Callable[[Any], Callable[..., float]]
    before: Callable[[Any], Any] | None = None
    products: bool = False


def session(tf: Any) -> Any:
    """Return a session of the default graph with its variables initialised."""
    sess = tf.Session()
    sess.run(tf.global_variables_initializer())
    return sess


# Small graphs


def one_op(tf: Any) -> Step:
    x = tf.placeholder(tf.float32, [])
    y = x + 1.0
    sess, value = session(tf), np.float32(2.0)
    return lambda: float(sess.run(y, {x: value}))


def chain(tf: Any, x: Any, ops: int) -> Any:
    """Return `ops` alternating products and sums of `x`: nothing in it is constant, so nobody can fold it."""
    y = x
    for _ in range(ops // 2):
        y = y * x + x
    return y


def scalar_chain(tf: Any) -> Step:
    x = tf.placeholder(tf.float32, [])
    y = chain(tf, x, 1000)
    sess, value = session(tf), np.float32(0.5)
    return lambda: float(sess.run(y, {x: value}))


def vector_chain(tf: Any) -> Step:
    x = tf.placeholder(tf.float32, [1000])
    y = chain(tf, x, 200)
    sess, value = session(tf), np.linspace(0.1, 0.5, 1000, dtype="f4")
    return lambda: float(sess.run(y, {x: value})[-1])


def while_loop(tf: Any) -> Step:
    start = tf.placeholder(tf.float32, [])
    _, y = tf.while_loop(lambda i, y: i < 1000, lambda i, y: (i + 1, y * 0.5 + 1.0), [tf.constant(0), start])
    sess, value = session(tf), np.float32(3.0)
    return lambda: float(sess.run(y, {start: value}))


# Training steps


def linear_regression(tf: Any) -> Step:
    x, y = tf.placeholder(tf.float32, [None]), tf.placeholder(tf.float32, [None])
    w, b = tf.Variable(0.0), tf.Variable(0.0)
    loss = tf.reduce_mean(tf.square(x * w + b - y))
    train = tf.train.GradientDescentOptimizer(0.01).minimize(loss)
    sess = session(tf)
    inputs = np.linspace(-1, 1, 100, dtype="f4")
    feed = {x: inputs, y: 3 * inputs + 1}
    return lambda: float(sess.run([loss, train], feed)[0])


def mlp(tf: Any, sizes: tuple[int, ...], batch: int, optimizer: Any) -> Step:
    """Return a training step of a network of dense layers with relu between them and softmax cross entropy."""
    rng = np.random.RandomState(0)
    x, labels = tf.placeholder(tf.float32, [None, sizes[0]]), tf.placeholder(tf.int32, [None])
    y = x
    for i, (wide, narrow) in enumerate(pairwise(sizes)):
        weights = tf.Variable((rng.randn(wide, narrow) / wide**0.5).astype("f4"))
        y = tf.matmul(y, weights) + tf.Variable(tf.zeros([narrow]))
        y = tf.nn.relu(y) if i + 2 < len(sizes) else y
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=y))
    train = optimizer.minimize(loss)
    sess = session(tf)
    feed = {x: rng.randn(batch, sizes[0]).astype("f4"), labels: rng.randint(0, sizes[-1], batch).astype("i4")}
    return lambda: float(sess.run([loss, train], feed)[0])


def tiny_mlp_adam(tf: Any) -> Step:
    return mlp(tf, (32, 32, 4), 16, tf.train.AdamOptimizer(1e-4))


def mnist_mlp_sgd(tf: Any) -> Step:
    return mlp(tf, (784, 256, 10), 128, tf.train.GradientDescentOptimizer(1e-4))


def mnist_mlp_adam(tf: Any) -> Step:
    return mlp(tf, (784, 256, 10), 128, tf.train.AdamOptimizer(1e-6))


def large_mlp(tf: Any) -> Step:
    return mlp(tf, (1024, 1024, 1000), 1024, tf.train.GradientDescentOptimizer(1e-4))


def lenet_adam(tf: Any) -> Step:
    """Return a training step of two convolutions with pools and two dense layers, on 64 images of 28x28."""
    rng = np.random.RandomState(0)

    def weights(*dims: int) -> Any:
        return tf.Variable((rng.randn(*dims) / np.prod(dims[:-1]) ** 0.5).astype("f4"))

    x, labels = tf.placeholder(tf.float32, [None, 28, 28, 1]), tf.placeholder(tf.int32, [None])
    y = x
    for depth, made in ((1, 32), (32, 64)):
        y = tf.nn.conv2d(y, weights(5, 5, depth, made), [1, 1, 1, 1], "SAME")
        y = tf.nn.relu(tf.nn.bias_add(y, tf.Variable(tf.zeros([made]))))
        y = tf.nn.max_pool(y, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
    y = tf.reshape(y, [-1, 7 * 7 * 64])
    y = tf.nn.relu(tf.matmul(y, weights(7 * 7 * 64, 512)) + tf.Variable(tf.zeros([512])))
    y = tf.matmul(y, weights(512, 10)) + tf.Variable(tf.zeros([10]))
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=y))
    train = tf.train.AdamOptimizer(1e-6).minimize(loss)
    sess = session(tf)
    feed = {x: rng.rand(64, 28, 28, 1).astype("f4"), labels: rng.randint(0, 10, 64).astype("i4")}
    return lambda: float(sess.run([loss, train], feed)[0])


def lstm(tf: Any) -> Step:
    """Return a training step of an LSTM of 128 units on 64 sequences of 20 vectors, which says what class each one is of."""
    # TensorFlow 2 keeps these cells in its older Keras, which it takes when it is asked to before it looks for them.
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    rng, batch, steps, units = np.random.RandomState(0), 64, 20, 128
    x, labels = tf.placeholder(tf.float32, [batch, steps, units]), tf.placeholder(tf.int32, [batch])
    kernel = (rng.randn(2 * units, 4 * units) / (2 * units) ** 0.5).astype("f4")
    with tf.variable_scope("rnn", initializer=tf.constant_initializer(kernel)):
        cell = tf.nn.rnn_cell.BasicLSTMCell(units)
        _, state = tf.nn.dynamic_rnn(cell, x, dtype=tf.float32, scope=tf.get_variable_scope())
    weights = tf.Variable((rng.randn(units, 10) / units**0.5).astype("f4"))
    logits = tf.matmul(state.h, weights)
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
    train = tf.train.GradientDescentOptimizer(1e-4).minimize(loss)
    sess = session(tf)
    feed = {x: rng.randn(batch, steps, units).astype("f4"), labels: rng.randint(0, 10, batch).astype("i4")}
    return lambda: float(sess.run([loss, train], feed)[0])


def word2vec(tf: Any) -> Step:
    """Return a training step of word vectors by noise-contrastive estimation: 50,000 words, 64 of them drawn."""
    rng, words, width = np.random.RandomState(0), 50_000, 128
    center, target = tf.placeholder(tf.int32, [128]), tf.placeholder(tf.int64, [128, 1])
    vectors = tf.Variable(rng.uniform(-1, 1, (words, width)).astype("f4"))
    weights, biases = tf.Variable((rng.randn(words, width) / width**0.5).astype("f4")), tf.Variable(tf.zeros([words]))
    drawn = tf.nn.log_uniform_candidate_sampler(target, 1, 64, True, words, seed=1)
    losses = tf.nn.nce_loss(
        weights, biases, target, tf.nn.embedding_lookup(vectors, center), 64, words, sampled_values=drawn
    )
    loss = tf.reduce_mean(losses)
    train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
    sess = session(tf)
    common = (rng.pareto(1.0, (2, 128)) * 10).astype("i4") % words
    feed = {center: common[0], target: common[1][:, None].astype("i8")}
    return lambda: float(sess.run([loss, train], feed)[0])


# Large arrays


def large(tf: Any, scale: float) -> Any:
    """Return a variable of ten million floats between 0 and `scale`."""
    return tf.Variable(tf.range(TEN_MILLION, dtype=tf.float32) * (scale / TEN_MILLION))


def large_chain(tf: Any, x: Any) -> Any:
    """Return the sum of twelve element-wise ops over `x`."""
    y = tf.tanh(x * 0.5 + 0.1)
    y = tf.exp(y * y) - 1.0
    y = tf.sqrt(y * x + 1.0)
    return tf.reduce_mean(tf.sigmoid(y) * x)


def elementwise(tf: Any) -> Step:
    y = large_chain(tf, large(tf, 1.0))
    sess = session(tf)
    return lambda: float(sess.run(y))


def elementwise_gradient(tf: Any) -> Step:
    x = large(tf, 1.0)
    y = large_chain(tf, x)
    (gradient,) = tf.gradients(y, [x])
    last = gradient[-1]
    sess = session(tf)
    return lambda: float(sum(sess.run([y, last])))


def adam_update(tf: Any) -> Step:
    x, gradient = large(tf, 1.0), large(tf, 1e-3)
    with tf.control_dependencies([tf.train.AdamOptimizer(1e-6).apply_gradients([(gradient, x)])]):
        last = x.read_value()[-1]
    sess = session(tf)
    return lambda: float(sess.run(last))


def matmul(tf: Any) -> Step:
    rng = np.random.RandomState(0)
    a, b = (tf.Variable(rng.rand(1024, 1024).astype("f4")) for _ in range(2))
    product = tf.matmul(a, b)
    corner = product[0, 0]
    sess = session(tf)
    return lambda: float(sess.run([corner, product.op])[0])


def feed_and_fetch(tf: Any) -> Step:
    x = tf.placeholder(tf.float32, [None])
    y = x + 1.0
    sess, value = session(tf), np.arange(TEN_MILLION, dtype="f4")
    return lambda: float(sess.run(y, {x: value})[-1])


# Building, and the first run


def ten_thousand_nodes(tf: Any) -> tuple[Any, Any]:
    """Build a graph of 10,000 nodes and return (placeholder, last node): the graph that both rows use."""
    x = tf.placeholder(tf.float32, [8, 8])
    y = x
    for _ in range((NODES - 1) // 4):
        y = tf.matmul(tf.tanh(y * x + x), x)
    return x, y


def building(tf: Any) -> Callable[..., float]:
    def step(_: Any) -> float:
        with tf.Graph().as_default() as graph:
            ten_thousand_nodes(tf)
        return float(len(graph.get_operations()))

    return step


def collected(tf: Any) -> None:
    """Free the graph of the turn before, which is cyclic garbage on both sides.

    Else the garbage collector does so within the next turn's clock or the one after it, as its counters happen to stand, and
    walks over everything that the process has loaded: twice the time of building, or five times where numba is loaded, and
    a tenth of TensorFlow's. A program that builds its graph once never pays that.
    """
    gc.collect()


def first_run(tf: Any) -> Callable[..., float]:
    value = np.full([8, 8], 0.05, "f4")

    def step(prepared: Any) -> float:
        sess, x, y = prepared
        return float(sess.run(y, {x: value})[0, 0])

    return step


def fresh_session(tf: Any) -> Any:
    collected(tf)
    with tf.Graph().as_default():
        x, y = ten_thousand_nodes(tf)
        return tf.Session(), x, y


# Input pipelines


WORKLOADS = (
    Workload("one_op", "one op, fed and fetched", one_op),
    Workload("scalar_chain", "scalar chain of 1,000 ops", scalar_chain),
    Workload("vector_chain", "chain of 200 ops on 1,000 floats", vector_chain),
    Workload("while_loop", "while_loop of 1,000 steps", while_loop),
    Workload("linear_regression", "linear-regression step", linear_regression),
    Workload("tiny_mlp_adam", "MLP 16x32-32-4, Adam", tiny_mlp_adam),
    Workload("mnist_mlp_sgd", "MLP 128x784-256-10, SGD", mnist_mlp_sgd, products=True),
    Workload("mnist_mlp_adam", "MLP 128x784-256-10, Adam", mnist_mlp_adam, products=True),
    Workload("large_mlp", "MLP 1024x1024-1024-1000, SGD", large_mlp, products=True),
    Workload("lenet_adam", "LeNet on 64 images, Adam", lenet_adam, products=True),
    Workload("lstm", "LSTM 64x20x128, SGD", lstm, products=True),
    Workload("word2vec", "word2vec NCE step", word2vec),
    Workload("elementwise", "12-op chain on 10M floats", elementwise),
    Workload("elementwise_gradient", "the same with its gradient", elementwise_gradient),
    Workload("adam_update", "Adam update of 10M floats", adam_update),
    Workload("matmul", "matmul 1024x1024", matmul, products=True),
    Workload("feed_and_fetch", "feeding and fetching 40 MB", feed_and_fetch),
    Workload("building", "building 10,000 nodes", building, before=collected),
    Workload("first_run", "first run of 10,000 nodes", first_run, before=fresh_session),
)
BY_NAME = {workload.name: workload for workload in WORKLOADS}
