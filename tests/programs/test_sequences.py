"""Recurrent programs: a character model that writes, attention that copies, lengths, and layers spread over GPUs."""

import contextlib

import numpy as np
import pytest

TEXT = "the mill turns the wheel, the wheel turns the stone, the stone grinds the grain. "


def character_model(tf, batch, steps, devices=(None, None), units=32):
    """A stack of two LSTMs over one-hot characters, trained on windows of a text; as in many char-RNN scripts."""
    vocabulary = sorted(set(TEXT))
    data = np.array([vocabulary.index(c) for c in TEXT * 8], "i4")
    x = tf.placeholder(tf.int32, [None, None], name="x")
    y = tf.placeholder(tf.int32, [None, None], name="y")
    keep = tf.placeholder_with_default(1.0, [], name="keep")
    cells = []
    for device in devices:
        cell = tf.nn.rnn_cell.BasicLSTMCell(units)
        cell = tf.nn.rnn_cell.DropoutWrapper(cell, output_keep_prob=keep, seed=1)
        cells.append(tf.nn.rnn_cell.DeviceWrapper(cell, device) if device else cell)
    stacked = tf.nn.rnn_cell.MultiRNNCell(cells)
    initial = stacked.zero_state(tf.shape(x)[0], tf.float32)
    start = tf.glorot_uniform_initializer(seed=7)
    with tf.variable_scope("chars", initializer=start):
        outputs, final = tf.nn.dynamic_rnn(stacked, tf.one_hot(x, len(vocabulary)), initial_state=initial)
        logits = tf.layers.dense(outputs, len(vocabulary), name="logits")
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
    optimizer = tf.train.AdamOptimizer(0.02)
    gradients, variables = zip(*optimizer.compute_gradients(loss), strict=True)
    clipped, _ = tf.clip_by_global_norm(gradients, 5.0)
    train = optimizer.apply_gradients(zip(clipped, variables, strict=True))

    def windows(rng):
        begins = rng.randint(0, len(data) - steps - 1, batch)
        rows = np.stack([data[b : b + steps + 1] for b in begins])
        return {x: rows[:, :-1], y: rows[:, 1:]}

    return vocabulary, x, initial, final, logits, loss, train, windows


def test_a_character_model_learns_to_write(tf):
    vocabulary, x, initial, final, logits, loss, train, windows = character_model(tf, 16, 16)
    best = tf.argmax(logits[:, -1], 1)
    rng = np.random.RandomState(0)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        first = sess.run(loss, windows(rng))
        for _ in range(120):
            sess.run(train, windows(rng))
        assert sess.run(loss, windows(rng)) < first / 5
        # Write: one character a run, the state handed from run to run.
        text = "the wheel turns"
        token, state = sess.run([best, final], {x: [[vocabulary.index(c) for c in text]]})
        for _ in range(10):
            text += vocabulary[token[0]]
            token, state = sess.run([best, final], {x: [token], initial: state})
        assert text == "the wheel turns the stone"


@pytest.mark.simulated_gpus(2)
def test_layers_on_two_gpus_learn_the_same(tf):
    losses = []
    for devices in ((None, None), ("/gpu:0", "/gpu:1")):
        tf.reset_default_graph()
        with tf.device("/cpu:0") if devices[0] is None else contextlib.nullcontext():
            _, _, _, _, _, loss, train, windows = character_model(tf, 8, 6, devices, units=12)
        rng = np.random.RandomState(1)
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            losses.append([sess.run([loss, train], windows(rng))[0] for _ in range(6)])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)


def test_the_longest_run_of_ones_with_lengths(tf):
    """Sequences of different lengths: whether a one was seen, told by the state at each one's end."""
    rng = np.random.RandomState(2)
    lengths = rng.randint(1, 9, 64)
    bits = (rng.rand(64, 8) < 0.2).astype("f4")
    seen = np.array([bits[i, :n].any() for i, n in enumerate(lengths)], "i4")
    x = tf.placeholder(tf.float32, [None, 8, 1])
    n = tf.placeholder(tf.int32, [None])
    y = tf.placeholder(tf.int32, [None])
    with tf.variable_scope("net", initializer=tf.glorot_uniform_initializer(seed=4)):
        _, state = tf.nn.dynamic_rnn(tf.nn.rnn_cell.GRUCell(12), x, sequence_length=n, dtype=tf.float32)
        logits = tf.layers.dense(state, 2)
    loss = tf.losses.sparse_softmax_cross_entropy(y, logits)
    train = tf.train.AdamOptimizer(0.05).minimize(loss)
    correct = tf.reduce_mean(tf.cast(tf.nn.in_top_k(logits, y, 1), tf.float32))
    feeds = {x: bits[:, :, None], n: lengths, y: seen}
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(60):
            sess.run(train, feeds)
        assert sess.run(correct, feeds) == 1.0


def copying_model(tf, batch, steps, symbols, units, attend):
    """Encoder and decoder with attention; symbol 0 ends, 1 begins."""
    seq2seq = tf.contrib.seq2seq
    source = tf.placeholder(tf.int32, [batch, steps])
    shifted = tf.concat([tf.fill([batch, 1], 1), source[:, :-1]], 1)
    start = tf.glorot_uniform_initializer(seed=11)

    def decoder(helper):
        with tf.variable_scope("decode", reuse=tf.AUTO_REUSE, initializer=start):
            mechanism = attend(units, memory)
            cell = seq2seq.AttentionWrapper(tf.nn.rnn_cell.GRUCell(units), mechanism, attention_layer_size=units)
            begin = cell.zero_state(batch, tf.float32).clone(cell_state=state)
            decoding = seq2seq.BasicDecoder(cell, helper, begin, tf.layers.Dense(symbols, use_bias=False, name="out"))
            return seq2seq.dynamic_decode(decoding, maximum_iterations=steps)[0]

    with tf.variable_scope("encode", initializer=start):
        embedding = tf.get_variable("embedding", [symbols, units])
        memory, state = tf.nn.dynamic_rnn(
            tf.nn.rnn_cell.GRUCell(units), tf.nn.embedding_lookup(embedding, source), dtype=tf.float32
        )
    helper = seq2seq.TrainingHelper(tf.nn.embedding_lookup(embedding, shifted), tf.fill([batch], steps))
    loss = seq2seq.sequence_loss(decoder(helper).rnn_output, source, tf.ones([batch, steps]))
    found = decoder(seq2seq.GreedyEmbeddingHelper(embedding, tf.fill([batch], 1), 0)).sample_id
    return source, loss, found


@pytest.mark.parametrize("kind", ["LuongAttention", "BahdanauAttention"])
def test_attention_learns_to_copy(tf, kind):
    attend = getattr(tf.contrib.seq2seq, kind)
    source, loss, found = copying_model(tf, 24, 5, 8, 24, attend)
    train = tf.train.AdamOptimizer(0.02).minimize(loss)
    rng = np.random.RandomState(3)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(250):
            sess.run(train, {source: rng.randint(2, 8, (24, 5))})
        fresh = rng.randint(2, 8, (24, 5))
        copied = sess.run(found, {source: fresh})
        assert copied.shape == fresh.shape and (copied == fresh).mean() > 0.9


def test_translation_with_buckets(tf):
    """The older way: lists of steps, buckets of lengths; the task is to give every symbol's successor."""
    legacy = tf.contrib.legacy_seq2seq
    buckets = [(2, 2), (4, 4)]
    encoder = [tf.placeholder(tf.int32, [None]) for _ in range(4)]
    targets = [tf.placeholder(tf.int32, [None]) for _ in range(4)]
    decoder = [tf.ones_like(targets[0]), *targets[:-1]]
    weights = [tf.ones_like(target, dtype=tf.float32) for target in targets]

    def model(ins, outs):
        cell = tf.nn.rnn_cell.GRUCell(20)
        return legacy.embedding_attention_seq2seq(ins, outs, cell, 8, 8, 20, feed_previous=False)

    with tf.variable_scope("model", initializer=tf.glorot_uniform_initializer(seed=5)):
        outputs, losses = legacy.model_with_buckets(encoder, decoder, targets, weights, buckets, model)
    trains = [tf.train.AdamOptimizer(0.02, name=f"adam{i}").minimize(loss) for i, loss in enumerate(losses)]
    rng = np.random.RandomState(6)

    def batch(length):
        rows = rng.randint(2, 7, (24, length))
        return dict(zip([*encoder[:length], *targets[:length]], [*rows.T, *(rows + 1).T], strict=True))

    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for i in range(120):
            sess.run(trains[i % 2], batch(buckets[i % 2][1]))
        assert sess.run(losses[0], batch(2)) < 0.2 and sess.run(losses[1], batch(4)) < 0.4
    assert len(outputs[0]) == 2 and len(outputs[1]) == 4
