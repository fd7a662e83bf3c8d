"""Programs that use graphs for numerical work rather than for networks."""

import numpy as np
import pytest


def test_mandelbrot(tf):
    """Complex variables that a grouped step updates; the counts are those of a plain loop in NumPy."""
    ys, xs = np.mgrid[-1.3:1.3:0.05, -2:1:0.05]
    points = (xs + 1j * ys).astype(np.complex64)
    start = tf.constant(points)
    zs = tf.Variable(start)
    counts = tf.Variable(tf.zeros_like(start, tf.float32))
    moved = zs * zs + start
    inside = tf.abs(moved) < 4
    step = tf.group(zs.assign(tf.where(inside, moved, zs)), counts.assign_add(tf.cast(inside, tf.float32)))
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(30):
            sess.run(step)
        found = sess.run(counts)
    z, expected = points.copy(), np.zeros(points.shape)
    for _ in range(30):
        new = z * z + points
        expected += np.abs(new) < 4
        z = np.where(np.abs(new) < 4, new, z)
    # Points on the very edge may fall to either side, by the rounding of complex products.
    assert np.mean(found != expected) < 0.01


def test_kmeans(tf):
    rng = np.random.RandomState(3)
    centres = np.array([[0, 0], [5, 5], [0, 6]], "f4")
    points = np.concatenate([c + rng.randn(100, 2) * 0.5 for c in centres]).astype("f4")

    data = tf.constant(points)
    means = tf.Variable(points[[0, 100, 200]])
    distances = tf.reduce_sum(tf.square(tf.expand_dims(data, 1) - tf.expand_dims(means, 0)), axis=2)
    nearest = tf.argmin(distances, 1)
    totals = tf.unsorted_segment_sum(data, nearest, 3)
    sizes = tf.unsorted_segment_sum(tf.ones([300, 1]), nearest, 3)
    step = tf.assign(means, totals / tf.maximum(sizes, 1.0))
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(10):
            sess.run(step)
        np.testing.assert_allclose(sess.run(means), centres, atol=0.2)


def test_power_iteration_with_assign(tf):
    rng = np.random.RandomState(0)
    half = rng.randn(6, 6)
    matrix = half @ half.T
    vector = tf.Variable(np.ones([6, 1]))
    product = tf.matmul(tf.constant(matrix), vector)
    with tf.control_dependencies([vector.assign(product / tf.sqrt(tf.reduce_sum(product * product)))]):
        now = vector.read_value()
        value = tf.reduce_sum(now * tf.matmul(tf.constant(matrix), now))
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        found = [sess.run(value) for _ in range(200)][-1]
    assert found == pytest.approx(np.linalg.eigvalsh(matrix)[-1], rel=1e-6)


def test_newtons_method_by_second_derivatives(tf):
    """The Hessian row by row from gradients of gradients, and a step that solves it by hand."""
    w = tf.Variable([2.0, -1.0], dtype=tf.float64)
    loss = tf.reduce_sum(tf.exp(w)) + tf.square(w[0] - w[1]) + tf.reduce_sum(tf.square(w))
    (gradient,) = tf.gradients(loss, [w])
    hessian = tf.stack([tf.gradients(gradient[i], [w])[0] for i in range(2)])
    determinant = hessian[0, 0] * hessian[1, 1] - hessian[0, 1] * hessian[1, 0]
    turned = tf.stack([hessian[1, 1] * gradient[0] - hessian[0, 1] * gradient[1],
                       hessian[0, 0] * gradient[1] - hessian[1, 0] * gradient[0]])  # fmt: skip
    step = w.assign_sub(turned / determinant)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(8):
            sess.run(step)
        np.testing.assert_allclose(sess.run(gradient), 0, atol=1e-12)


def test_pi_by_darts(tf):
    tf.set_random_seed(5)
    xy = tf.random_uniform([10_000, 2])
    inside = tf.cast(tf.reduce_sum(tf.square(xy), 1) < 1.0, tf.float32)
    hits = tf.Variable(0.0)
    throw = hits.assign_add(tf.reduce_mean(inside))
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(50):
            sess.run(throw)
        assert 4 * sess.run(hits) / 50 == pytest.approx(np.pi, abs=0.02)


def test_bandit_learns_the_best_arm(tf):
    """Policy gradients: choose an arm, see a reward, make what was rewarded likelier."""
    rewards = np.array([0.1, 0.3, 0.9, 0.2])
    rng = np.random.RandomState(0)
    preferences = tf.Variable(tf.zeros([4]))
    policy = tf.nn.softmax(preferences)
    action, reward = tf.placeholder(tf.int32, []), tf.placeholder(tf.float32, [])
    loss = -tf.log(tf.gather(policy, action)) * reward
    train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(600):
            chances = sess.run(policy).astype("f8")
            arm = rng.choice(4, p=chances / chances.sum())
            sess.run(train, {action: arm, reward: float(rng.rand() < rewards[arm]) - 0.4})
        assert np.argmax(sess.run(policy)) == 2 and sess.run(policy).max() > 0.7


def test_game_of_life(tf):
    """A glider after four generations is the same glider one cell further down and to the right."""
    board = np.zeros((8, 8), "i4")
    board[[0, 1, 2, 2, 2], [1, 2, 0, 1, 2]] = 1
    cells = tf.Variable(board)

    def shifted(x, by, axis):
        size = 8 - by % 8
        parts = tf.split(x, [size, 8 - size], axis)
        return tf.concat([parts[1], parts[0]], axis)

    rows = cells + shifted(cells, 1, 0) + shifted(cells, -1, 0)
    around = rows + shifted(rows, 1, 1) + shifted(rows, -1, 1) - cells
    alive = tf.logical_or(tf.equal(around, 3), tf.logical_and(tf.equal(cells, 1), tf.equal(around, 2)))
    step = tf.assign(cells, tf.cast(alive, tf.int32))
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(4):
            sess.run(step)
        np.testing.assert_array_equal(sess.run(cells), np.roll(board, (1, 1), (0, 1)))
