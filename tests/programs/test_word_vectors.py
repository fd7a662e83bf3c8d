"""Word vectors, by noise-contrastive estimation and by sampled softmax, on a language made for the test."""

import numpy as np
import pytest

GROUPS, WORDS, WIDTH, BATCH = 10, 200, 16, 64


def pairs(rng, size):
    """Return words and words near them: of the same group, frequent ones more often."""
    group = rng.randint(0, GROUPS, size)
    chance = 1.0 / np.arange(1, WORDS // GROUPS + 1)
    members = rng.choice(WORDS // GROUPS, (2, size), p=chance / chance.sum())
    return members * GROUPS + group


def vectors_of(tf, loss_function, steps=1500):
    """Train, and return the vectors and how the loss went."""
    tf.set_random_seed(2)
    center, target = tf.placeholder(tf.int32, [BATCH]), tf.placeholder(tf.int32, [BATCH, 1])
    matrix = tf.get_variable("vectors", [WORDS, WIDTH], initializer=tf.random_uniform_initializer(-1, 1, seed=3))
    weights = tf.get_variable(
        "weights", [WORDS, WIDTH], initializer=tf.truncated_normal_initializer(stddev=WIDTH**-0.5, seed=4)
    )
    biases = tf.get_variable("biases", [WORDS], initializer=tf.zeros_initializer())
    embedded = tf.nn.embedding_lookup(matrix, center)
    losses = loss_function(
        weights=weights, biases=biases, labels=target, inputs=embedded, num_sampled=20, num_classes=WORDS
    )
    loss = tf.reduce_mean(losses)
    train = tf.train.GradientDescentOptimizer(0.5).minimize(loss)
    normalized = matrix / tf.sqrt(tf.reduce_sum(tf.square(matrix), 1, keepdims=True))
    similarity = tf.matmul(normalized, normalized, transpose_b=True)
    rng, history = np.random.RandomState(0), []
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(steps):
            words, near = pairs(rng, BATCH)
            history.append(sess.run([loss, train], {center: words, target: near[:, None]})[0])
        return sess.run(similarity), history


@pytest.mark.parametrize("name", ["nce_loss", "sampled_softmax_loss"])
def test_words_of_a_group_come_close(tf, name):
    similarity, history = vectors_of(tf, getattr(tf.nn, name))
    assert np.mean(history[-100:]) < 0.8 * np.mean(history[:100])
    frequent = np.arange(5 * GROUPS)
    near = similarity[np.ix_(frequent, frequent)]
    np.fill_diagonal(near, -1)
    same = near.argmax(axis=1) % GROUPS == frequent % GROUPS
    assert same.mean() > 0.8
