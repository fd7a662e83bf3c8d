"""Linear models: the first programs of every tutorial, each checked by what it learns."""

import numpy as np
import pytest


def test_linear_regression_finds_the_line(tf):
    rng = np.random.RandomState(0)
    xs = rng.rand(200).astype("f4")
    ys = 3.0 * xs - 1.0 + 0.01 * rng.randn(200).astype("f4")

    x = tf.placeholder("float", name="X")
    y = tf.placeholder("float", name="Y")
    w = tf.Variable(rng.randn(), dtype=tf.float32, name="weight")
    b = tf.Variable(rng.randn(), dtype=tf.float32, name="bias")
    cost = tf.reduce_sum(tf.pow(tf.add(tf.multiply(x, w), b) - y, 2)) / (2 * len(xs))
    train = tf.train.GradientDescentOptimizer(0.5).minimize(cost)

    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(400):
            sess.run(train, feed_dict={x: xs, y: ys})
        slope, offset = sess.run([w, b])
    assert slope == pytest.approx(3.0, abs=0.02) and offset == pytest.approx(-1.0, abs=0.02)


def test_one_example_at_a_time(tf):
    """The form of the oldest tutorial: a scalar placeholder, one run for each example."""
    xs, ys = np.arange(1.0, 6.0), 2.0 * np.arange(1.0, 6.0) + 1.0
    x, y = tf.placeholder(tf.float64), tf.placeholder(tf.float64)
    w, b = tf.Variable(0.0, dtype=tf.float64), tf.Variable(0.0, dtype=tf.float64)
    loss = tf.square(w * x + b - y)
    train = tf.train.GradientDescentOptimizer(0.01).minimize(loss)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(500):
            for one_x, one_y in zip(xs, ys, strict=True):
                sess.run(train, {x: one_x, y: one_y})
        assert sess.run(w * 10.0 + b) == pytest.approx(21.0, abs=0.1)


def test_normal_equations_agree_with_descent(tf):
    rng = np.random.RandomState(1)
    features = rng.randn(100, 3).astype("f4")
    target = features @ np.array([[1.0], [-2.0], [0.5]], "f4") + 0.1 * rng.randn(100, 1).astype("f4")
    ridge = 0.1

    x, y = tf.constant(features), tf.constant(target)
    w = tf.get_variable("w", [3, 1], initializer=tf.zeros_initializer())
    loss = tf.reduce_sum(tf.square(tf.matmul(x, w) - y)) + ridge * tf.reduce_sum(tf.square(w))
    train = tf.train.MomentumOptimizer(1e-3, 0.9).minimize(loss)
    exact = np.linalg.solve(features.T @ features + ridge * np.eye(3), features.T @ target)

    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(300):
            sess.run(train)
        np.testing.assert_allclose(sess.run(w), exact, rtol=1e-3)


def test_logistic_regression_tells_tumours_apart(tf):
    data = pytest.importorskip("sklearn.datasets").load_breast_cancer()
    features = ((data.data - data.data.mean(0)) / data.data.std(0)).astype("f4")
    labels = data.target.astype("f4")[:, None]

    x = tf.placeholder(tf.float32, [None, 30])
    y = tf.placeholder(tf.float32, [None, 1])
    with tf.variable_scope("model"):
        w = tf.get_variable("w", [30, 1], initializer=tf.random_normal_initializer(stddev=0.01, seed=1))
        b = tf.get_variable("b", [1], initializer=tf.zeros_initializer())
    logits = tf.matmul(x, w) + b
    loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=logits))
    train = tf.train.AdamOptimizer(0.05).minimize(loss)
    predicted = tf.cast(tf.nn.sigmoid(logits) > 0.5, tf.float32)
    accuracy = tf.reduce_mean(tf.cast(tf.equal(predicted, y), tf.float32))

    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(150):
            sess.run(train, {x: features[::2], y: labels[::2]})
        assert sess.run(accuracy, {x: features[1::2], y: labels[1::2]}) > 0.95


def test_softmax_regression_reads_digits(tf):
    """The first program of the MNIST tutorial, with one-hot labels and random batches, on scikit-learn's digits."""
    data = pytest.importorskip("sklearn.datasets").load_digits()
    images, labels = (data.data / 16.0).astype("f4"), data.target
    x = tf.placeholder(tf.float32, [None, 64])
    y_ = tf.placeholder(tf.float32, [None, 10])
    w = tf.Variable(tf.zeros([64, 10]))
    b = tf.Variable(tf.zeros([10]))
    y = tf.nn.softmax(tf.matmul(x, w) + b)
    cross_entropy = tf.reduce_mean(-tf.reduce_sum(y_ * tf.log(y), reduction_indices=[1]))
    train_step = tf.train.GradientDescentOptimizer(0.5).minimize(cross_entropy)
    correct_prediction = tf.equal(tf.argmax(y, 1), tf.argmax(y_, 1))
    accuracy = tf.reduce_mean(tf.cast(correct_prediction, tf.float32))

    rng = np.random.RandomState(0)
    one_hot = np.eye(10, dtype="f4")[labels]
    sess = tf.InteractiveSession()
    tf.global_variables_initializer().run()
    for _ in range(400):
        batch = rng.randint(0, 1400, 100)
        sess.run(train_step, feed_dict={x: images[batch], y_: one_hot[batch]})
    reached = accuracy.eval({x: images[1400:], y_: one_hot[1400:]})
    sess.close()
    assert reached > 0.85
