"""Networks of convolutions, each checked by what it learns."""

import numpy as np
import pytest


def digits():
    data = pytest.importorskip("sklearn.datasets").load_digits()
    return (data.images / 16.0).astype("f4")[..., None], data.target.astype("i4")


def accuracy_of(tf, logits, y):
    return tf.reduce_mean(tf.cast(tf.equal(tf.cast(tf.argmax(logits, 1), tf.int32), y), tf.float32))


def conv_relu(tf, inputs, filters, k_size, stride, padding, scope_name):
    """A layer as courses taught it: variables by get_variable in a scope that may be used again."""
    with tf.variable_scope(scope_name, reuse=tf.AUTO_REUSE) as scope:
        channels = inputs.shape[-1]
        kernel = tf.get_variable("kernel", [k_size, k_size, channels, filters],
                                 initializer=tf.truncated_normal_initializer(stddev=0.1, seed=filters))  # fmt: skip
        biases = tf.get_variable("biases", [filters], initializer=tf.constant_initializer(0.0))
        conv = tf.nn.conv2d(inputs, kernel, strides=[1, stride, stride, 1], padding=padding)
        return tf.nn.relu(conv + biases, name=scope.name)


def test_convnet_reads_digits(tf):
    images, labels = digits()
    x = tf.placeholder(tf.float32, [None, 8, 8, 1])
    y = tf.placeholder(tf.int32, [None])
    conv1 = conv_relu(tf, x, 8, 3, 1, "SAME", "conv1")
    pool1 = tf.nn.max_pool(conv1, [1, 2, 2, 1], [1, 2, 2, 1], "SAME", name="pool1")
    conv2 = conv_relu(tf, pool1, 16, 3, 1, "SAME", "conv2")
    pool2 = tf.nn.max_pool(conv2, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
    features = tf.reshape(pool2, [-1, 2 * 2 * 16])
    w = tf.get_variable("fc/w", [64, 10], initializer=tf.glorot_uniform_initializer(seed=1))
    logits = tf.matmul(features, w) + tf.get_variable("fc/b", [10], initializer=tf.zeros_initializer())
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
    train = tf.train.AdamOptimizer(0.01).minimize(loss)
    accuracy = accuracy_of(tf, logits, y)
    rng = np.random.RandomState(0)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(3):
            order = rng.permutation(1400)
            for i in range(0, 1400, 50):
                sess.run(train, {x: images[order[i : i + 50]], y: labels[order[i : i + 50]]})
        assert sess.run(accuracy, {x: images[1400:], y: labels[1400:]}) > 0.85


def test_layers_with_batches_measured_by_metrics(tf):
    """tf.layers' separable and strided convolutions, tf.losses with a regularizer, tf.metrics over batches."""
    images, labels = digits()
    tf.set_random_seed(7)
    x = tf.placeholder(tf.float32, [None, 8, 8, 1])
    y = tf.placeholder(tf.int32, [None])
    net = tf.layers.conv2d(
        x, 8, 3, padding="same", activation=tf.nn.relu, kernel_regularizer=lambda w: 1e-4 * tf.nn.l2_loss(w)
    )
    net = tf.layers.separable_conv2d(net, 16, 3, strides=2, padding="same", activation=tf.nn.relu)
    net = tf.layers.average_pooling2d(net, 2, 2)
    logits = tf.layers.dense(tf.layers.flatten(net), 10)
    tf.losses.sparse_softmax_cross_entropy(labels=y, logits=logits)
    total = tf.losses.get_total_loss()
    assert len(tf.losses.get_losses()) == 1 and len(tf.losses.get_regularization_losses()) == 1
    train = tf.train.AdamOptimizer(0.02).minimize(total)
    value, update = tf.metrics.accuracy(y, tf.argmax(logits, 1))
    rng = np.random.RandomState(0)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(4):
            order = rng.permutation(1400)
            for i in range(0, 1400, 50):
                sess.run(train, {x: images[order[i : i + 50]], y: labels[order[i : i + 50]]})
        sess.run(tf.local_variables_initializer())
        for i in range(1400, 1797, 100):
            sess.run(update, {x: images[i : i + 100], y: labels[i : i + 100]})
        assert sess.run(value) > 0.75


def test_convolutional_autoencoder(tf):
    """Strided convolutions down to 2x2 and transposed ones back; the image returns through 32 of its 64 numbers."""
    images, _ = digits()
    tf.set_random_seed(3)
    x = tf.placeholder(tf.float32, [None, 8, 8, 1])
    code = tf.layers.conv2d(x, 16, 3, 2, "same", activation=tf.nn.elu, name="down1")
    code = tf.layers.conv2d(code, 8, 3, 2, "same", name="down2")
    back = tf.layers.conv2d_transpose(code, 16, 3, 2, "same", activation=tf.nn.elu, name="up1")
    back = tf.layers.conv2d_transpose(back, 1, 3, 2, "same", name="up2")
    assert code.shape.as_list() == [None, 2, 2, 8] and back.shape.as_list() == [None, 8, 8, 1]
    loss = tf.losses.mean_squared_error(x, back)
    train = tf.train.AdamOptimizer(0.01).minimize(loss)
    rng = np.random.RandomState(0)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(4):
            order = rng.permutation(1400)
            for i in range(0, 1400, 50):
                sess.run(train, {x: images[order[i : i + 50]]})
        assert sess.run(loss, {x: images[1400:]}) < 0.35 * images[1400:].var()


def test_sequences_of_symbols_by_convolutions_and_ctc(tf):
    """Frames to labels without an alignment: a 1-D convolution learns to spell with CTC, and a beam search reads it."""
    rng = np.random.RandomState(0)
    tf.set_random_seed(5)
    shapes = rng.randn(3, 4).astype("f4")

    def example():
        word = rng.randint(0, 3, rng.randint(2, 5))
        frames = np.zeros((16, 4), "f4")
        for i, letter in enumerate(word):
            frames[4 * i : 4 * i + 2] = shapes[letter]
        return frames + 0.1 * rng.randn(16, 4).astype("f4"), word

    def batch(size):
        pairs = [example() for _ in range(size)]
        places = [(i, j) for i, (_, word) in enumerate(pairs) for j in range(len(word))]
        values = np.concatenate([word for _, word in pairs]).astype("i4")
        return np.stack([frames for frames, _ in pairs]), (np.array(places), values, np.array([size, 4])), pairs

    x = tf.placeholder(tf.float32, [None, 16, 4])
    labels = tf.sparse_placeholder(tf.int32)
    hidden = tf.layers.conv1d(x, 16, 3, padding="same", activation=tf.nn.relu)
    logits = tf.transpose(tf.layers.dense(hidden, 4), [1, 0, 2])
    lengths = tf.fill([tf.shape(x)[0]], 16)
    loss = tf.reduce_mean(tf.nn.ctc_loss(labels, logits, lengths))
    train = tf.train.AdamOptimizer(0.02).minimize(loss)
    decoded, _ = tf.nn.ctc_beam_search_decoder(logits, lengths, beam_width=8, merge_repeated=False)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(120):
            frames, sparse, _ = batch(16)
            sess.run(train, {x: frames, labels: sparse})
        frames, _, pairs = batch(30)
        found = sess.run(decoded[0], {x: frames})
        words = [found.values[found.indices[:, 0] == i].tolist() for i in range(30)]
    assert sum(word == pair[1].tolist() for word, pair in zip(words, pairs, strict=True)) >= 27
