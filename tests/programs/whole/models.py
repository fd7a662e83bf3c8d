"""The first programs of every tutorial: lines, classes, polynomials, a multi-layer perceptron, towers."""

from __future__ import annotations

import numpy as np

from .registry import program, train


@program
def linear_regression_with_placeholders(tf, at):
    rng = np.random.RandomState(0)
    xs = rng.rand(100).astype("f4")
    ys = 3.0 * xs - 1.0 + 0.01 * rng.randn(100).astype("f4")
    x, y = tf.placeholder(tf.float32, name="X"), tf.placeholder(tf.float32, name="Y")
    with at(0):
        w = tf.Variable(0.0, name="weight")
        predicted = tf.multiply(x, w)
    with at(1):
        b = tf.Variable(0.0, name="bias")
        loss = tf.reduce_mean(tf.square(predicted + b - y))
    step = tf.train.GradientDescentOptimizer(0.5).minimize(loss)
    losses, (slope, offset) = train(tf, step, loss, [{x: xs, y: ys}] * 150, [w, b])
    assert abs(slope - 3.0) < 0.05 and abs(offset + 1.0) < 0.05
    return [*losses, slope, offset]


@program
def linear_regression_with_a_dataset(tf, at):
    rng = np.random.RandomState(0)
    xs = rng.rand(64, 2).astype("f4")
    ys = (xs @ np.float32([[2.0], [-1.0]]) + 0.5).astype("f4")
    dataset = tf.data.Dataset.from_tensor_slices((xs, ys)).shuffle(64, seed=3).batch(16)
    iterator = dataset.make_initializable_iterator()
    x, y = iterator.get_next()
    with at(0):
        w = tf.get_variable("w", [2, 1], initializer=tf.zeros_initializer())
        product = tf.matmul(x, w)
    with at(1):
        b = tf.get_variable("b", [1], initializer=tf.zeros_initializer())
        loss = tf.reduce_mean(tf.squared_difference(product + b, y))
    step = tf.train.GradientDescentOptimizer(0.3).minimize(loss)
    seen = []
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(60):
            sess.run(iterator.initializer)
            count = 0
            while True:
                try:
                    sess.run(step)
                    count += 1
                except tf.errors.OutOfRangeError:
                    break
            seen.append(count)
        found = np.append(*sess.run([w, b]))
    assert seen == [4] * 60
    np.testing.assert_allclose(found, [2.0, -1.0, 0.5], atol=0.05)
    return found


@program
def logistic_regression(tf, at):
    rng = np.random.RandomState(1)
    points = rng.randn(200, 2).astype("f4")
    labels = (points @ np.float32([1.0, 2.0]) > 0.3).astype("f4")[:, None]
    x, y = tf.placeholder(tf.float32, [None, 2]), tf.placeholder(tf.float32, [None, 1])
    with at(0):
        w, b = tf.Variable(tf.zeros([2, 1])), tf.Variable(tf.zeros([1]))
        logits = tf.nn.xw_plus_b(x, w, b)
    with at(1):
        loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=logits))
        right = tf.equal(tf.cast(tf.sigmoid(logits) > 0.5, tf.float32), y)
        accuracy = tf.reduce_mean(tf.cast(right, tf.float32))
    step = tf.train.GradientDescentOptimizer(1.0).minimize(loss)
    losses, reached = train(tf, step, loss, [{x: points, y: labels}] * 100, accuracy)
    assert reached > 0.95
    return losses


@program
def polynomial_regression(tf, at):
    xs = np.linspace(-1, 1, 60).astype("f4")
    ys = (1.0 - 2.0 * xs + 3.0 * xs**3).astype("f4")
    x, y = tf.placeholder(tf.float32, [None]), tf.placeholder(tf.float32, [None])
    predicted = tf.Variable(0.0, name="bias")
    terms = []
    for power in range(1, 4):
        with at(power):
            terms.append(tf.multiply(tf.pow(x, power), tf.Variable(0.0, name=f"weight_{power}")))
    predicted = tf.add_n(terms) + predicted
    loss = tf.reduce_mean(tf.square(predicted - y))
    step = tf.train.AdamOptimizer(0.1).minimize(loss)
    losses, found = train(tf, step, loss, [{x: xs, y: ys}] * 300, tf.trainable_variables())
    np.testing.assert_allclose(found, [1.0, -2.0, 0.0, 3.0], atol=0.1)
    return losses


@program
def multi_layer_perceptron(tf, at):
    rng = np.random.RandomState(2)
    points = rng.uniform(-1, 1, (256, 2)).astype("f4")
    rings = (np.sqrt((points**2).sum(1)) * 2.5).astype("i4")
    x, y = tf.placeholder(tf.float32, [None, 2]), tf.placeholder(tf.int32, [None])
    with at(0):
        first = tf.layers.dense(x, 24, tf.nn.relu, kernel_initializer=tf.glorot_uniform_initializer(seed=1))
        second = tf.layers.dense(first, 24, tf.nn.relu, kernel_initializer=tf.glorot_uniform_initializer(seed=2))
    with at(1):
        logits = tf.layers.dense(second, 4, kernel_initializer=tf.glorot_uniform_initializer(seed=3))
        loss = tf.losses.sparse_softmax_cross_entropy(labels=y, logits=logits)
        accuracy = tf.reduce_mean(tf.to_float(tf.nn.in_top_k(logits, y, 1)))
    step = tf.train.AdamOptimizer(0.02).minimize(loss)
    losses, reached = train(tf, step, loss, [{x: points, y: rings}] * 150, accuracy)
    assert reached > 0.9
    return losses[:60]


@program
def towers_with_averaged_gradients(tf, at):
    rng = np.random.RandomState(3)
    data = rng.randn(64, 6).astype("f4")
    labels = np.argmax(data @ rng.randn(6, 3), 1).astype("i4")
    x, y = tf.placeholder(tf.float32, [64, 6]), tf.placeholder(tf.int32, [64])
    optimizer = tf.train.MomentumOptimizer(0.3, 0.9)
    gradients, losses = [], []
    for i, (part, part_labels) in enumerate(zip(tf.split(x, 2), tf.split(y, 2), strict=True)):
        with at(i), tf.name_scope(f"tower_{i}"), tf.variable_scope("net", reuse=i > 0):
            w = tf.get_variable("w", [6, 3], initializer=tf.random_normal_initializer(stddev=0.1, seed=4))
            entropies = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=part_labels, logits=tf.matmul(part, w))
            losses.append(tf.reduce_mean(entropies))
            gradients.append(optimizer.compute_gradients(losses[-1], [w]))
    averaged = [(tf.add_n([g for g, _ in pairs]) / 2.0, pairs[0][1]) for pairs in zip(*gradients, strict=True)]
    step = optimizer.apply_gradients(averaged)
    reached, _ = train(tf, step, tf.add_n(losses) / 2.0, [{x: data, y: labels}] * 60)
    assert len(tf.trainable_variables()) == 1 and reached[-1] < 0.25 * reached[0]
    return reached
