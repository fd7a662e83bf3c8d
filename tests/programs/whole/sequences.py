"""Recurrent programs: a classifier of sequences, a model of characters, a copier, a forecaster, a tagger both ways."""

from __future__ import annotations

import numpy as np

from .registry import program, train


def seeded(tf, seed=1):
    """Return a scope whose variables start from a seed of their own."""
    return tf.variable_scope("model", initializer=tf.random_uniform_initializer(-0.3, 0.3, seed=seed))


@program
def lstm_tells_rising_from_falling(tf, at):
    rng = np.random.RandomState(0)
    rising = rng.randint(0, 2, 64)
    walks = np.cumsum(rng.randn(64, 10, 1) * 0.5 + 0.4 * (2 * rising[:, None, None] - 1), 1).astype("f4")
    x, y = tf.placeholder(tf.float32, [None, 10, 1]), tf.placeholder(tf.int32, [None])
    with seeded(tf):
        with at(0):
            _, state = tf.nn.dynamic_rnn(tf.nn.rnn_cell.BasicLSTMCell(8), x, dtype=tf.float32)
        with at(1):
            logits = tf.layers.dense(state.h, 2)
            loss = tf.losses.sparse_softmax_cross_entropy(y, logits)
    step = tf.train.AdamOptimizer(0.05).minimize(loss)
    losses, found = train(tf, step, loss, [{x: walks, y: rising}] * 40, logits)
    assert (found.argmax(1) == rising).mean() > 0.9
    return losses[:25]


@program
def characters(tf, at):
    """A GRU reads a rhyme and says, letter by letter, how it goes on."""
    text = "she sells sea shells by the sea shore. " * 2
    letters = sorted(set(text))
    codes = np.array([letters.index(c) for c in text], "i4")
    width = 13
    inputs = codes[: len(codes) // width * width].reshape(-1, width)
    targets = np.roll(codes, -1)[: inputs.size].reshape(inputs.shape)
    x, y = tf.placeholder(tf.int32, [None, None]), tf.placeholder(tf.int32, [None, None])
    with seeded(tf, 2):
        with at(0):
            cell = tf.nn.rnn_cell.GRUCell(24)
            outputs, _ = tf.nn.dynamic_rnn(cell, tf.one_hot(x, len(letters)), dtype=tf.float32)
        with at(1):
            logits = tf.layers.dense(outputs, len(letters))
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
    optimizer = tf.train.AdamOptimizer(0.05)
    gradients, variables = zip(*optimizer.compute_gradients(loss), strict=True)
    clipped, _ = tf.clip_by_global_norm(gradients, 5.0)
    step = optimizer.apply_gradients(zip(clipped, variables, strict=True))
    losses, found = train(tf, step, loss, [{x: inputs, y: targets}] * 60, logits)
    assert (found.argmax(2) == targets).mean() > 0.85
    return losses[:25]


@program
def forecasts_of_a_wave(tf, at):
    """Two static layers with dropout between them, off for the forecast, and weights unrolled in time."""
    wave = np.sin(np.arange(120) * 0.3).astype("f4")
    windows = np.stack([wave[i : i + 8] for i in range(100)])
    following = wave[8:108]
    x, y = tf.placeholder(tf.float32, [None, 8]), tf.placeholder(tf.float32, [None])
    keep = tf.placeholder_with_default(1.0, [])
    with seeded(tf, 3):
        with at(0):
            cells = [
                tf.nn.rnn_cell.DropoutWrapper(tf.nn.rnn_cell.BasicRNNCell(10), output_keep_prob=keep) for _ in range(2)
            ]
            outputs, _ = tf.nn.static_rnn(
                tf.nn.rnn_cell.MultiRNNCell(cells), tf.unstack(tf.expand_dims(x, 2), axis=1), dtype=tf.float32
            )
        with at(1):
            predicted = tf.squeeze(tf.layers.dense(outputs[-1], 1), 1)
            loss = tf.reduce_mean(tf.square(predicted - y))
    step = tf.train.AdamOptimizer(0.02).minimize(loss)
    losses, _ = train(tf, step, loss, [{x: windows, y: following}] * 60)
    assert losses[-1] < 0.02
    return losses[:30]


@program
def sequence_to_sequence_copies(tf, at):
    """An encoder's state tells a decoder, which is given what it should have said, the whole sequence."""
    rng = np.random.RandomState(4)
    said = rng.randint(1, 5, (64, 3)).astype("i4")
    source, target = tf.placeholder(tf.int32, [None, 3]), tf.placeholder(tf.int32, [None, 3])
    with seeded(tf, 4):
        embedding = tf.get_variable("embedding", [5, 8])
        with at(0), tf.variable_scope("encoder"):
            looked = tf.nn.embedding_lookup(embedding, source)
            _, state = tf.nn.dynamic_rnn(tf.nn.rnn_cell.GRUCell(24), looked, dtype=tf.float32)
        with at(1), tf.variable_scope("decoder"):
            shifted = tf.concat([tf.zeros_like(target[:, :1]), target[:, :-1]], 1)
            given = tf.nn.embedding_lookup(embedding, shifted)
            outputs, _ = tf.nn.dynamic_rnn(tf.nn.rnn_cell.GRUCell(24), given, initial_state=state)
            logits = tf.layers.dense(outputs, 5)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=target, logits=logits))
    step = tf.train.AdamOptimizer(0.03).minimize(loss)
    losses, found = train(tf, step, loss, [{source: said, target: said}] * 100, logits)
    assert (found.argmax(2) == said).mean() > 0.9
    return losses[:25]


@program
def tags_from_both_sides(tf, at):
    """A tag depends on the letter before and the letter after; lengths differ."""
    rng = np.random.RandomState(5)
    letters = rng.randint(0, 2, (48, 7)).astype("i4")
    lengths = rng.randint(3, 8, 48).astype("i4")
    before, after = np.roll(letters, 1, 1), np.roll(letters, -1, 1)
    before[:, 0], after[np.arange(48), lengths - 1] = 0, 0
    after[:, -1] *= lengths < 7
    tags = before * 2 + after
    x, y, n = tf.placeholder(tf.int32, [None, 7]), tf.placeholder(tf.int32, [None, 7]), tf.placeholder(tf.int32, [None])
    with seeded(tf, 6):
        with at(0):
            outputs, _ = tf.nn.bidirectional_dynamic_rnn(
                tf.nn.rnn_cell.LSTMCell(10), tf.nn.rnn_cell.LSTMCell(10), tf.one_hot(x, 2), n, dtype=tf.float32
            )
        with at(1):
            logits = tf.layers.dense(tf.concat(outputs, 2), 4)
            entropies = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
        mask = tf.sequence_mask(n, 7, tf.float32)
        loss = tf.reduce_sum(entropies * mask) / tf.reduce_sum(mask)
    step = tf.train.AdamOptimizer(0.05).minimize(loss)
    losses, found = train(tf, step, loss, [{x: letters, y: tags, n: lengths}] * 50, logits)
    counted = np.arange(7) < lengths[:, None]
    assert (found.argmax(2) == tags)[counted].mean() > 0.9
    return losses[:20]
