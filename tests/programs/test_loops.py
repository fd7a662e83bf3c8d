"""Programs whose control flow is in the graph: while_loop and cond, some of them differentiated through."""

import numpy as np
import pytest

TEXT = b"the quick brown fox jumps over the lazy dog and the mill turns on"


def test_counting_characters(tf):
    """A loop over a text, one character a turn, that counts each letter in a vector it carries."""
    text = tf.constant(np.frombuffer(TEXT, "u1").astype("i4"))

    def body(i, counts):
        return i + 1, counts + tf.one_hot(text[i], 128, dtype=tf.int32)

    length = tf.shape(text)[0]
    turns, counts = tf.while_loop(lambda i, counts: i < length, body, [tf.constant(0), tf.zeros([128], tf.int32)])
    with tf.Session() as sess:
        assert sess.run(turns) == len(TEXT)
        np.testing.assert_array_equal(sess.run(counts), np.bincount(np.frombuffer(TEXT, "u1"), minlength=128))


def test_bigram_model_learns_a_text(tf):
    """A table of logits by previous character, trained on the losses that a loop adds up."""
    letters = sorted(set(TEXT))
    codes = np.array([letters.index(c) for c in TEXT], "i4")
    text = tf.placeholder(tf.int32, [None])
    table = tf.get_variable("table", [len(letters)] * 2, initializer=tf.zeros_initializer())

    def body(i, total):
        logits = tf.gather(table, text[i : i + 1])
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=text[i + 1 : i + 2], logits=logits)
        return i + 1, total + loss[0]

    last = tf.size(text) - 1
    _, total = tf.while_loop(lambda i, total: i < last, body, [0, 0.0])
    loss = total / tf.cast(last, tf.float32)
    train = tf.train.AdamOptimizer(0.3).minimize(loss)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        first = sess.run(loss, {text: codes})
        for _ in range(60):
            sess.run(train, {text: codes})
        reached = sess.run(loss, {text: codes})
    counts = np.zeros([len(letters)] * 2)
    np.add.at(counts, (codes[:-1], codes[1:]), 1)
    rows = counts.sum(1, keepdims=True)
    best = -(counts * np.log(np.maximum(counts, 1e-9) / np.maximum(rows, 1))).sum() / counts.sum()
    assert first == pytest.approx(np.log(len(letters)), rel=1e-4)
    assert reached == pytest.approx(best, abs=0.05)


def test_recurrent_network_remembers_the_first_bit(tf):
    """A recurrent cell in a loop, trained through time: the answer depends on the first of twelve inputs."""
    rng = np.random.RandomState(0)
    inputs = tf.placeholder(tf.float32, [12, None, 1])
    labels = tf.placeholder(tf.float32, [None])
    with tf.variable_scope("cell", initializer=tf.random_normal_initializer(stddev=0.3, seed=4)):
        w_in, w_out = tf.get_variable("w_in", [1, 8]), tf.get_variable("w_out", [8, 1])
        w_state = tf.get_variable("w_state", [8, 8], initializer=tf.constant_initializer(np.eye(8)))
    start = tf.zeros(tf.stack([tf.shape(inputs)[1], 8]))

    def body(t, state):
        return t + 1, tf.tanh(tf.matmul(inputs[t], w_in) + tf.matmul(state, w_state))

    _, state = tf.while_loop(
        lambda t, state: t < 12, body, [tf.constant(0), start],
        shape_invariants=[tf.TensorShape([]), tf.TensorShape([None, 8])],
    )  # fmt: skip
    logits = tf.squeeze(tf.matmul(state, w_out), [1])
    loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits))
    train = tf.train.AdamOptimizer(0.02).minimize(loss)
    right = tf.reduce_mean(tf.cast(tf.equal(logits > 0, labels > 0.5), tf.float32))
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(150):
            bits = rng.choice([-1.0, 1.0], (12, 64, 1))
            sess.run(train, {inputs: bits, labels: bits[0, :, 0] > 0})
        bits = rng.choice([-1.0, 1.0], (12, 500, 1))
        assert sess.run(right, {inputs: bits, labels: bits[0, :, 0] > 0}) > 0.95


def test_newton_until_it_stops(tf):
    """A loop that ends by its values, not by a counter, with its derivative."""
    a = tf.placeholder(tf.float64, [])

    def improve(x, before):
        return (x + a / x) / 2.0, x

    root, _ = tf.while_loop(lambda x, before: tf.abs(x - before) > 1e-12, improve, [a, a + 1.0])
    (slope,) = tf.gradients(root, a)
    with tf.Session() as sess:
        assert sess.run(root, {a: 2.0}) == pytest.approx(2**0.5, rel=1e-12)
        assert sess.run(slope, {a: 9.0}) == pytest.approx(1 / 6, rel=1e-9)


def test_loop_in_a_loop(tf):
    """Primes by trial division: for each number a loop over its possible divisors, and a cond that counts."""

    def divides(n):
        return tf.while_loop(lambda d: tf.not_equal(tf.floormod(n, d), 0), lambda d: d + 1, [tf.constant(2)])

    def body(n, count):
        return n + 1, tf.cond(tf.equal(divides(n), n), lambda: count + 1, lambda: count)

    limit = tf.placeholder(tf.int32, [])
    _, count = tf.while_loop(lambda n, count: n < limit, body, [tf.constant(2), tf.constant(0)])
    with tf.Session() as sess:
        assert sess.run(count, {limit: 100}) == 25
        assert sess.run(count, {limit: 3}) == 1


def test_cond_switches_the_rate_of_learning(tf):
    step = tf.Variable(0, trainable=False)
    x = tf.Variable(10.0)
    rate = tf.cond(step < 5, lambda: tf.constant(0.5), lambda: tf.constant(0.05))
    train = tf.train.GradientDescentOptimizer(rate).minimize(tf.square(x) / 2.0, global_step=step)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        values = []
        for _ in range(8):
            sess.run(train)
            values.append(sess.run(x))
    expected = np.cumprod([0.5] * 5 + [0.95] * 3) * 10
    np.testing.assert_allclose(values, expected, rtol=1e-5)


def test_branches_with_state_run_one_side_only(tf):
    """Each side of a cond counts for itself; only the side that was taken may have counted."""
    even, odd = tf.Variable(0), tf.Variable(0)
    n = tf.placeholder(tf.int32, [])
    tell = tf.cond(tf.equal(tf.floormod(n, 2), 0), lambda: tf.assign_add(even, 1), lambda: tf.assign_add(odd, 1))
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for value in range(5):
            sess.run(tell, {n: value})
        assert sess.run([even, odd]) == [3, 2]
