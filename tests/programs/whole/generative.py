"""Programs that make things up: an autoencoder, a variational one, an adversarial pair."""

from __future__ import annotations

import numpy as np

from .registry import program, train


def shadows(count=96):
    """Return points of a line through eight dimensions, with little noise."""
    rng = np.random.RandomState(0)
    return (rng.uniform(-1, 1, (count, 1)) @ rng.randn(1, 8) + 0.02 * rng.randn(count, 8)).astype("f4")


def dense(tf, x, units, seed, activation=None, name=None):
    """Return a dense layer with seeded weights."""
    return tf.layers.dense(x, units, activation, kernel_initializer=tf.glorot_normal_initializer(seed=seed), name=name)


@program
def autoencoder(tf, at):
    data = shadows()
    x = tf.placeholder(tf.float32, [None, 8])
    with at(0):
        code = dense(tf, dense(tf, x, 6, 1, tf.nn.tanh), 1, 2)
    with at(1):
        again = dense(tf, dense(tf, code, 6, 3, tf.nn.tanh), 8, 4)
        loss = tf.reduce_mean(tf.pow(x - again, 2))
    step = tf.train.RMSPropOptimizer(0.01).minimize(loss)
    losses, _ = train(tf, step, loss, [{x: data}] * 200)
    assert losses[-1] < 0.1 * losses[0]
    return losses[:60]


@program
def variational_autoencoder(tf, at):
    data = shadows()
    tf.set_random_seed(7)
    x = tf.placeholder(tf.float32, [None, 8])
    with at(0):
        hidden = dense(tf, x, 12, 1, tf.nn.tanh)
        mean, log_variance = dense(tf, hidden, 2, 2), dense(tf, hidden, 2, 3)
        code = mean + tf.exp(0.5 * log_variance) * tf.random_normal(tf.shape(mean), seed=4)
    with at(1):
        again = dense(tf, dense(tf, code, 12, 5, tf.nn.tanh), 8, 6)
        reconstruction = tf.reduce_sum(tf.square(x - again), 1)
    divergence = -0.5 * tf.reduce_sum(1.0 + log_variance - tf.square(mean) - tf.exp(log_variance), 1)
    loss = tf.reduce_mean(10.0 * reconstruction + divergence)
    step = tf.train.AdamOptimizer(0.02).minimize(loss)
    losses, rest = train(tf, step, loss, [{x: data}] * 200, tf.reduce_mean(reconstruction))
    assert losses[-1] < 0.4 * losses[0] and rest < 0.5
    return losses[:40]


@program
def generative_adversarial_net(tf, at):
    """The generator learns the mean of the data from the discriminator alone."""
    rng = np.random.RandomState(1)
    real, noise = tf.placeholder(tf.float32, [None, 1]), tf.placeholder(tf.float32, [None, 1])
    with at(0), tf.variable_scope("generator"):
        made = dense(tf, noise, 1, 1, name="out")

    def judged(x):
        with tf.variable_scope("discriminator", reuse=tf.AUTO_REUSE):
            return dense(tf, dense(tf, x, 8, 2, tf.nn.tanh, "hidden"), 1, 3, name="out")

    def entropy(logits, label):
        labels = tf.fill(tf.shape(logits), label)
        return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits))

    with at(1):
        of_real, of_made = judged(real), judged(made)
        discriminator_loss = entropy(of_real, 0.9) + entropy(of_made, 0.0)
        generator_loss = entropy(of_made, 1.0)

    def step(loss, scope):
        variables = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope=scope)
        return tf.train.AdamOptimizer(0.02, beta1=0.5).minimize(loss, var_list=variables)

    steps = [step(discriminator_loss, "discriminator"), step(generator_loss, "generator")]
    trace = []
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(250):
            feed = {real: 2.0 + 0.3 * rng.randn(64, 1), noise: rng.randn(64, 1)}
            sess.run(steps[0], feed)
            trace.append(sess.run([generator_loss, steps[1]], feed)[0])
        samples = sess.run(made, {noise: rng.randn(200, 1)})
    assert abs(samples.mean() - 2.0) < 0.8
    return trace[:30]
