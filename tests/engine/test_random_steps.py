"""Random training steps over arrays large enough to fuse, to run in pieces and to live in kept memory, against the interpreter.

Each example runs several times, with feeds of several sizes in turn, from one session; what earlier runs fetched is looked
at again at the end, since memory that is used again must never be a caller's.
"""

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import millstream as tf
from support.interpreter import interpret

EXAMPLES = int(os.environ.get("MILLSTREAM_EXAMPLES", "25"))
RELAXED = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
COLUMNS = 130
ROWS = (140, 3, 600, 131, 140)
KINDS = st.sampled_from(["unary", "binary", "scalar", "row", "column", "reduce", "matmul", "select", "cast", "reuse"])
STEPS = st.lists(st.tuples(KINDS, *[st.integers(0, 99)] * 3), min_size=2, max_size=12)
UNARY = [tf.tanh, tf.square, tf.negative, tf.nn.relu, tf.identity, tf.abs, tf.sigmoid, tf.exp, tf.sqrt, tf.nn.softmax]
BINARY = [tf.add, tf.multiply, tf.subtract, tf.maximum, tf.minimum, tf.squared_difference]
REDUCTIONS = [tf.reduce_sum, tf.reduce_max, tf.reduce_mean, tf.reduce_min]


def apply(kind, made, weights, a, b, c):
    """Add one operation; every result has the shape of the fed array and stays small."""
    x, y = made[a % len(made)], made[b % len(made)]
    if kind == "unary":
        function = UNARY[c % len(UNARY)]
        return function(tf.abs(x) + 0.5) if function is tf.sqrt else function(tf.clip_by_value(x, -3.0, 3.0))
    if kind == "binary":
        return BINARY[c % len(BINARY)](x, y) * 0.5
    if kind == "scalar":
        return x * (0.25 + c / 100) + 0.5
    if kind == "row":
        return tf.nn.bias_add(x, weights["bias"]) if c % 2 else x * weights["bias"]
    if kind == "column":
        return x - tf.reduce_mean(x, axis=1, keepdims=True)
    if kind == "reduce":
        return x * 0.1 + REDUCTIONS[c % len(REDUCTIONS)](y, axis=[None, 0][c % 2], keepdims=bool(c % 3)) * 0.01
    if kind == "matmul":
        return tf.matmul(x, weights["matrix"]) / 10.0
    if kind == "select":
        return tf.where(x > y, x, y * 0.5)
    if kind == "cast":
        return tf.cast(tf.cast(x, tf.float64) * 2.0, tf.float32) * tf.cast(y > 0.0, tf.float32)
    return tf.reshape(tf.reshape(x, [-1]), tf.shape(x)) + tf.transpose(tf.transpose(y))


def build(steps):
    """Return the fed tensor, the variables, the loss with some values on the way, and the gradients."""
    random = np.random.default_rng(len(steps))
    fed = tf.placeholder(tf.float32, [None, COLUMNS], name="fed")
    weights = {
        "bias": tf.get_variable("bias", initializer=random.normal(size=COLUMNS).astype("f4") * 0.1),
        "matrix": tf.get_variable("matrix", initializer=random.normal(size=(COLUMNS, COLUMNS)).astype("f4") * 0.1),
    }
    made = [fed, fed * 0.5]
    for step in steps:
        made.append(apply(step[0], made, weights, *step[1:]))
    loss = tf.reduce_mean(tf.tanh(made[-1])) + 1e-3 * sum(tf.reduce_sum(tf.square(w)) for w in weights.values())
    gradients = tf.gradients(loss, [fed, *weights.values()])
    fetches = [loss, made[-1], made[len(made) // 2], *gradients]
    return fed, list(weights.values()), fetches


def close(found, wanted):
    np.testing.assert_allclose(found, wanted, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("compiling", ["0", "1"], ids=["blocks", "compiled"])
def test_values_and_gradients(compiling, monkeypatch):
    monkeypatch.setenv("MILLSTREAM_COMPILE", compiling)

    @given(STEPS)
    @RELAXED
    def check(steps):
        with tf.Graph().as_default(), np.errstate(all="ignore"), tf.Session() as session:
            fed, variables, fetches = build(steps)
            session.run(tf.global_variables_initializer())
            values = session.run(variables)
            kept = []
            for turn, rows in enumerate(ROWS):
                value = np.random.default_rng(turn).normal(size=(rows, COLUMNS)).astype("f4")
                feeds = {fed: value, **dict(zip(variables, values, strict=True))}
                expected = interpret(fetches, {key if key is fed else key.value(): x for key, x in feeds.items()})
                kept.append((session.run(fetches, {fed: value}), expected))
            for found, expected in kept:
                for one, wanted in zip(found, expected, strict=True):
                    assert one.dtype == wanted.dtype
                    close(one, wanted)

    check()
