"""Programs about derivatives: second order, custom gradients, decays and averages, restarts from checkpoints."""

from __future__ import annotations

import tempfile

import numpy as np

from .registry import program, train


@program
def newton_by_the_hessian(tf, at):
    """Newton's steps find the smallest value of a quartic bowl, which plain descent of this size would miss."""
    x = tf.Variable([2.0, -1.5])
    with at(0):
        value = tf.reduce_sum(tf.pow(x, 4) + tf.square(x) + x) + tf.square(x[0] - 2.0 * x[1])
        (gradient,) = tf.gradients(value, [x])
    with at(1):
        (hessian,) = tf.hessians(value, x)
    move = tf.matrix_solve(hessian, tf.expand_dims(gradient, 1))
    step = tf.assign_sub(x, tf.squeeze(move, 1))
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        values = [sess.run([value, step])[0] for _ in range(10)]
        slope = sess.run(gradient)
    assert np.abs(slope).max() < 1e-3 and values[-1] < values[0]
    return values


@program
def softmax_with_a_custom_gradient(tf, at):
    rng = np.random.RandomState(1)
    data = rng.randn(80, 4).astype("f4")
    labels = np.eye(3, dtype="f4")[np.argmax(data @ rng.randn(4, 3), 1)]

    @tf.custom_gradient
    def entropy(logits, truth):
        probabilities = tf.exp(logits - tf.reduce_logsumexp(logits, 1, keepdims=True))
        losses = -tf.reduce_sum(truth * tf.log(probabilities + 1e-12), 1)

        def derivative(upstream):
            return tf.expand_dims(upstream, 1) * (probabilities - truth), None

        return losses, derivative

    x, y = tf.placeholder(tf.float32, [None, 4]), tf.placeholder(tf.float32, [None, 3])
    with at(0):
        logits = tf.matmul(x, tf.Variable(tf.zeros([4, 3])))
    with at(1):
        loss = tf.reduce_mean(entropy(logits, y))
        official = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(labels=y, logits=logits))
    step = tf.train.GradientDescentOptimizer(2.0).minimize(loss)
    ours, theirs = tf.gradients(loss, logits)[0], tf.gradients(official, logits)[0]
    losses, both = train(tf, step, loss, [{x: data, y: labels}] * 60, [ours, theirs])
    np.testing.assert_allclose(*both, atol=1e-6)
    assert losses[-1] < 0.3 * losses[0]
    return losses


@program
def decaying_rate_and_moving_average(tf, at):
    """Descent with noise: the average of the weights ends nearer to the goal than their last values."""
    rng = np.random.RandomState(2)
    goal = np.float32([1.0, -2.0, 0.5, 3.0])
    noise = tf.placeholder(tf.float32, [4])
    count = tf.train.get_or_create_global_step()
    rate = tf.train.exponential_decay(0.3, count, 20, 0.9, staircase=True)
    with at(0):
        w = tf.get_variable("w", [4], initializer=tf.zeros_initializer())
        loss = tf.reduce_sum(tf.square(w - goal)) + tf.reduce_sum(noise * w)
    descend = tf.train.GradientDescentOptimizer(rate).minimize(loss, global_step=count)
    average = tf.train.ExponentialMovingAverage(0.95, num_updates=count)
    with tf.control_dependencies([descend]):
        step = average.apply([w])
    with at(1):
        distances = tf.stack([tf.norm(w - goal), tf.norm(average.average(w) - goal)])
    feeds = [{noise: rng.randn(4)} for _ in range(100)]
    losses, (last, mean) = train(tf, step, loss, feeds, distances)
    assert mean < 0.6 * last
    return [*losses, last, mean]


@program
def checkpoint_and_resume(tf, at):
    """Training that is interrupted and restored ends where training in one go ends, slots and counters included."""
    rng = np.random.RandomState(3)
    data = rng.randn(40, 5).astype("f4")
    goal = np.tanh(data @ rng.randn(5, 1)).astype("f4")
    x, y = tf.placeholder(tf.float32, [None, 5]), tf.placeholder(tf.float32, [None, 1])
    with at(0):
        w = tf.get_variable("w", [5, 1], initializer=tf.zeros_initializer())
    with at(1):
        loss = tf.reduce_mean(tf.square(tf.tanh(tf.matmul(x, w)) - y))
    count = tf.train.create_global_step()
    step = tf.train.AdamOptimizer(0.05).minimize(loss, global_step=count)
    saver = tf.train.Saver(max_to_keep=2)
    feed = {x: data, y: goal}

    def run(sess, steps):
        return [sess.run([loss, step], feed)[0] for _ in range(steps)]

    with tempfile.TemporaryDirectory() as folder:
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            whole = run(sess, 40)
            sess.run(tf.global_variables_initializer())
            first = run(sess, 20)
            saver.save(sess, f"{folder}/model", global_step=count)
        with tf.Session() as sess:
            saver.restore(sess, tf.train.latest_checkpoint(folder))
            assert tf.train.global_step(sess, count) == 20
            second = run(sess, 20)
    np.testing.assert_allclose(first + second, whole, rtol=1e-5)
    assert whole[-1] < 0.3 * whole[0]
    return whole
