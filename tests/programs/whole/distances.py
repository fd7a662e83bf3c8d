"""Programs about what is near: k-means, nearest neighbours, factors of a matrix of ratings, word vectors."""

from __future__ import annotations

import numpy as np

from .registry import program, train


def clouds(count=90):
    """Return points around three corners, and which corner each belongs to."""
    rng = np.random.RandomState(0)
    owners = np.arange(count) % 3
    corners = np.float32([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
    return (corners[owners] + 0.4 * rng.randn(count, 2)).astype("f4"), owners


@program
def k_means(tf, at):
    points, owners = clouds()
    centres = tf.Variable(points[:3] + 0.5, name="centres")
    with at(0):
        offsets = tf.expand_dims(tf.constant(points), 1) - tf.expand_dims(centres, 0)
        nearest = tf.argmin(tf.reduce_sum(tf.square(offsets), 2), 1)
    with at(1):
        sums = tf.unsorted_segment_sum(tf.constant(points), nearest, 3)
        counts = tf.unsorted_segment_sum(tf.ones([len(points)]), nearest, 3)
        means = sums / tf.maximum(tf.expand_dims(counts, 1), 1.0)
    moved = tf.reduce_sum(tf.abs(means - centres))
    with tf.control_dependencies([moved]):
        update = tf.assign(centres, means)
    way = []
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        while not way or way[-1] > 1e-4:
            way.append(sess.run([moved, update])[0])
        found = sess.run(nearest)
    assert len({(a, b) for a, b in zip(found, owners, strict=True)}) == 3 and len(way) < 20
    return way


@program
def nearest_neighbour(tf, at):
    points, owners = clouds(150)
    known, asked = points[:120], points[120:]
    x, candidates = tf.placeholder(tf.float32, [2]), tf.placeholder(tf.float32, [None, 2])
    with at(0):
        distance = tf.reduce_sum(tf.abs(tf.add(candidates, tf.negative(x))), reduction_indices=1)
    with at(1):
        nearest = tf.arg_min(distance, 0)
    with tf.Session() as sess:
        found = [sess.run(nearest, {x: point, candidates: known}) for point in asked]
    assert (owners[:120][found] == owners[120:]).all()
    return found


@program
def matrix_factorisation(tf, at):
    rng = np.random.RandomState(2)
    ratings = (rng.rand(12, 2) @ rng.rand(2, 9)).astype("f4")
    users, items = np.nonzero(rng.rand(12, 9) < 0.8)
    values = ratings[users, items]
    user, item, rating = (tf.placeholder(t, [None]) for t in (tf.int32, tf.int32, tf.float32))
    start = tf.random_uniform_initializer(0.1, 0.9, seed=3)
    with at(0):
        of_users = tf.nn.embedding_lookup(tf.get_variable("users", [12, 2], initializer=start), user)
    with at(1):
        of_items = tf.nn.embedding_lookup(tf.get_variable("items", [9, 2], initializer=start), item)
    loss = tf.losses.mean_squared_error(labels=rating, predictions=tf.reduce_sum(of_users * of_items, 1))
    step = tf.train.AdamOptimizer(0.05).minimize(loss)
    losses, _ = train(tf, step, loss, [{user: users, item: items, rating: values}] * 200)
    assert losses[-1] < 2e-3
    return losses[:100]


@program
def word_vectors_by_noise_contrast(tf, at):
    """Words of one sentence come close; noise is drawn by the frequencies that a sampler assumes."""
    rng = np.random.RandomState(3)
    topics = rng.randint(0, 3, 1500)
    centres, contexts = topics * 4 + rng.randint(0, 4, 1500), topics * 4 + rng.randint(0, 4, 1500)
    tf.set_random_seed(5)
    words, labels = tf.placeholder(tf.int32, [None]), tf.placeholder(tf.int64, [None, 1])
    with at(0):
        embeddings = tf.Variable(tf.random_uniform([12, 6], -1.0, 1.0, seed=1))
        rows = tf.nn.embedding_lookup(embeddings, words)
    weights, biases = tf.Variable(tf.truncated_normal([12, 6], stddev=0.4, seed=2)), tf.Variable(tf.zeros([12]))
    noise = tf.nn.log_uniform_candidate_sampler(labels, 1, 4, True, 12, seed=4)
    loss = tf.reduce_mean(tf.nn.nce_loss(weights, biases, labels, rows, 4, 12, sampled_values=noise))
    step = tf.train.GradientDescentOptimizer(0.5).minimize(loss)
    with at(1):
        unit = tf.nn.l2_normalize(embeddings, 1)
        likeness = tf.matmul(unit, unit, transpose_b=True)
    feeds = [{words: centres[i : i + 50], labels: contexts[i : i + 50, None]} for i in range(0, 1500, 50)] * 4
    losses, found = train(tf, step, loss, feeds, likeness)
    groups = np.arange(12) // 4
    alike = groups[:, None] == groups
    assert found[alike].mean() > found[~alike].mean() + 0.4
    return losses[:40]
