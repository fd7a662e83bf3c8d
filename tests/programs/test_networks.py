"""Networks with hidden layers, each checked by what it learns."""

import numpy as np
import pytest


def dense(tf, x, width, name, activation=None):
    """A layer as programs wrote it before tf.layers."""
    with tf.variable_scope(name):
        wide = x.get_shape().as_list()[-1]
        w = tf.get_variable("W", [wide, width], initializer=tf.glorot_uniform_initializer(seed=3))
        b = tf.get_variable("b", [width], initializer=tf.constant_initializer(0.1))
        y = tf.nn.bias_add(tf.matmul(x, w), b)
        return activation(y) if activation else y


def digits():
    data = pytest.importorskip("sklearn.datasets").load_digits()
    return (data.data / 16.0).astype("f4"), data.target.astype("i4")


def test_xor(tf):
    inputs = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "f4")
    outputs = np.array([[0], [1], [1], [0]], "f4")
    x = tf.placeholder(tf.float32, [4, 2], name="x-input")
    y = tf.placeholder(tf.float32, [4, 1], name="y-input")
    hidden = dense(tf, x, 8, "hidden", tf.tanh)
    answer = dense(tf, hidden, 1, "answer", tf.sigmoid)
    cost = -tf.reduce_mean(y * tf.log(answer) + (1 - y) * tf.log(1 - answer))
    train = tf.train.MomentumOptimizer(0.5, 0.9).minimize(cost)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(300):
            sess.run(train, {x: inputs, y: outputs})
        np.testing.assert_array_equal(sess.run(answer, {x: inputs}).round(), outputs)


def test_mlp_reads_digits_in_epochs(tf):
    images, labels = digits()
    x = tf.placeholder(tf.float32, [None, 64])
    y = tf.placeholder(tf.int32, [None])
    keep = tf.placeholder_with_default(1.0, [])
    hidden = dense(tf, x, 64, "fc1", tf.nn.relu) * keep
    logits = dense(tf, hidden, 10, "fc2")
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits), name="loss")
    global_step = tf.Variable(0, trainable=False, name="global_step")
    train = tf.train.AdamOptimizer(5e-3).minimize(loss, global_step=global_step)
    accuracy = tf.reduce_mean(tf.cast(tf.equal(tf.cast(tf.argmax(logits, 1), tf.int32), y), tf.float32))
    assert [v.op.name for v in tf.trainable_variables()] == ["fc1/W", "fc1/b", "fc2/W", "fc2/b"]

    rng = np.random.RandomState(0)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        first = sess.run("loss:0", {x: images[:1400], y: labels[:1400]})
        for _ in range(15):
            order = rng.permutation(1400)
            for i in range(0, 1400, 50):
                batch = order[i : i + 50]
                sess.run([train, loss], {x: images[batch], y: labels[batch], keep: 1.0})
        assert sess.run(loss, {x: images[:1400], y: labels[:1400]}) < first / 20
        assert sess.run(accuracy, {x: images[1400:], y: labels[1400:]}) > 0.9
        assert sess.run(global_step) == 15 * 28


def test_autoencoder_keeps_what_matters(tf):
    """64 pixels through 8 numbers and back: better than the same number of principal components of noise."""
    images, _ = digits()
    x = tf.placeholder(tf.float32, [None, 64])
    code = dense(tf, dense(tf, x, 32, "encode1", tf.nn.sigmoid), 8, "encode2")
    back = dense(tf, dense(tf, code, 32, "decode1", tf.nn.sigmoid), 64, "decode2", tf.nn.sigmoid)
    loss = tf.reduce_mean(tf.square(back - x))
    train = tf.train.AdamOptimizer(0.01).minimize(loss)
    rng = np.random.RandomState(0)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(1000):
            sess.run(train, {x: images[rng.randint(0, len(images), 100)]})
        error = sess.run(loss, {x: images})
        middle = sess.run(code, {x: images[:3]})
        again = sess.run(back, {code: middle})
        np.testing.assert_allclose(again, sess.run(back, {x: images[:3]}), rtol=1e-5)
    assert error < 0.45 * images.var(0).mean()


def test_embeddings_factor_a_matrix(tf):
    """Rows gathered from two tables, so that gradients are IndexedSlices and an optimiser updates rows only."""
    rng = np.random.RandomState(0)
    truth = rng.randn(20, 3) @ rng.randn(3, 30)
    rows, columns = (index.ravel() for index in np.indices(truth.shape))
    seen = rng.rand(600) < 0.7

    user, item = tf.placeholder(tf.int32, [None]), tf.placeholder(tf.int64, [None])
    rating = tf.placeholder(tf.float32, [None])
    users = tf.get_variable("users", [20, 3], initializer=tf.random_normal_initializer(stddev=0.5, seed=1))
    items = tf.get_variable("items", [30, 3], initializer=tf.random_normal_initializer(stddev=0.5, seed=2))
    guess = tf.reduce_sum(tf.gather(users, user) * tf.gather(items, item), axis=1)
    loss = tf.reduce_mean(tf.square(guess - rating))
    optimizer = tf.train.AdamOptimizer(0.05)
    gradients = optimizer.compute_gradients(loss)
    assert all(type(gradient).__name__ == "IndexedSlices" for gradient, _ in gradients)
    train = optimizer.apply_gradients(gradients)

    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        known = {user: rows[seen], item: columns[seen], rating: truth.ravel()[seen]}
        for _ in range(600):
            sess.run(train, known)
        unknown = {user: rows[~seen], item: columns[~seen], rating: truth.ravel()[~seen]}
        assert sess.run(loss, known) < 0.01
        assert sess.run(loss, unknown) < 0.1 * truth.var()


def test_one_network_teaches_another(tf):
    """Two networks in scopes of their own; only the student's variables are trained, the teacher's stay."""
    rng = np.random.RandomState(0)
    x = tf.placeholder(tf.float32, [None, 5])
    with tf.variable_scope("teacher"):
        taught = dense(tf, dense(tf, x, 6, "hidden", tf.tanh), 2, "out")
    with tf.variable_scope("student"):
        learnt = dense(tf, dense(tf, x, 24, "hidden", tf.tanh), 2, "out")
    loss = tf.reduce_mean(tf.square(tf.stop_gradient(taught) - learnt))
    students = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope="student")
    train = tf.train.AdamOptimizer(0.01).minimize(loss, var_list=students)
    assert len(students) == 4
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        teacher = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope="teacher")
        before = sess.run(teacher)
        first = None
        for _ in range(400):
            reached, _ = sess.run([loss, train], {x: rng.randn(64, 5)})
            first = reached if first is None else first
        for kept, value in zip(before, sess.run(teacher), strict=True):
            np.testing.assert_array_equal(kept, value)
    assert reached < first / 20


def test_clipped_gradients_and_a_decaying_rate(tf):
    """A rate that is fed and gradients that are clipped by value: the banana valley is walked to its end."""
    x, y = tf.Variable(-1.0, dtype=tf.float64), tf.Variable(1.5, dtype=tf.float64)
    valley = tf.square(1.0 - x) + 10.0 * tf.square(y - tf.square(x))
    rate = tf.placeholder(tf.float64, [])
    optimizer = tf.train.GradientDescentOptimizer(rate)
    clipped = [(tf.clip_by_value(gradient, -5.0, 5.0), v) for gradient, v in optimizer.compute_gradients(valley)]
    train = optimizer.apply_gradients(clipped)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for step in range(4000):
            sess.run(train, {rate: 0.02 / (1 + step / 4000)})
        assert sess.run([x, y]) == pytest.approx([1.0, 1.0], abs=0.02)
