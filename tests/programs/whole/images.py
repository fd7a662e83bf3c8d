"""Convolutional nets on small pictures: bars that stand, lie or lean."""

from __future__ import annotations

import numpy as np

from .registry import program, train


def bars(count, seed=0):
    """Return noisy 8 x 8 pictures of a standing, lying or leaning bar, and which it is."""
    rng = np.random.RandomState(seed)
    pictures = 0.1 * rng.rand(count, 8, 8, 1).astype("f4")
    kinds = rng.randint(0, 3, count).astype("i4")
    for picture, kind, place in zip(pictures, kinds, rng.randint(0, 8, count), strict=True):
        if kind == 2:
            picture[np.arange(8), (np.arange(8) + place) % 8] += 1.0
        else:
            (picture if kind else picture.swapaxes(0, 1))[place] += 1.0
    return pictures, kinds


@program
def convnet_by_hand(tf, at):
    pictures, kinds = bars(96)
    x, y = tf.placeholder(tf.float32, [None, 8, 8, 1]), tf.placeholder(tf.int64, [None])
    keep = tf.placeholder_with_default(1.0, [])

    def weights(shape, seed):
        return tf.Variable(tf.truncated_normal(shape, stddev=0.2, seed=seed))

    with at(0):
        convolved = tf.nn.conv2d(x, weights([3, 3, 1, 8], 1), strides=[1, 1, 1, 1], padding="SAME")
        hidden = tf.nn.relu(tf.nn.bias_add(convolved, tf.Variable(tf.constant(0.1, shape=[8]))))
        pooled = tf.nn.max_pool(hidden, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")
    with at(1):
        flat = tf.nn.dropout(tf.reshape(pooled, [-1, 4 * 4 * 8]), keep)
        logits = tf.matmul(flat, weights([4 * 4 * 8, 3], 2)) + tf.Variable(tf.zeros([3]))
        one_hot = tf.one_hot(y, 3)
        loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(labels=one_hot, logits=logits))
    step = tf.train.AdamOptimizer(0.01).minimize(loss)
    accuracy = tf.reduce_mean(tf.cast(tf.equal(tf.argmax(logits, 1), y), tf.float32))
    losses, reached = train(tf, step, loss, [{x: pictures, y: kinds}] * 40, accuracy)
    assert reached > 0.95
    return losses[:25]


@program
def convnet_with_layers(tf, at):
    pictures, kinds = bars(96, seed=1)
    x, y = tf.placeholder(tf.float32, [None, 8, 8, 1]), tf.placeholder(tf.int32, [None])
    start = tf.variance_scaling_initializer(seed=5)
    with at(0):
        net = tf.layers.conv2d(x, 8, 3, padding="same", activation=tf.nn.relu, kernel_initializer=start)
        net = tf.layers.max_pooling2d(net, 2, 2)
    with at(1):
        net = tf.layers.conv2d(net, 8, 3, padding="same", activation=tf.nn.relu, kernel_initializer=start)
        net = tf.layers.average_pooling2d(net, 2, 2)
        logits = tf.layers.dense(tf.layers.flatten(net), 3, kernel_initializer=start)
        loss = tf.losses.sparse_softmax_cross_entropy(y, logits)
    step = tf.train.AdamOptimizer(0.01).minimize(loss)
    losses, found = train(tf, step, loss, [{x: pictures, y: kinds}] * 40, logits)
    assert (found.argmax(1) == kinds).mean() > 0.95
    return losses[:25]


@program
def batch_normalised_net(tf, at):
    pictures, kinds = bars(96, seed=2)
    x, y = tf.placeholder(tf.float32, [None, 8, 8, 1]), tf.placeholder(tf.int32, [None])
    training = tf.placeholder_with_default(False, [])
    with at(0):
        net = tf.layers.conv2d(x, 6, 3, use_bias=False, kernel_initializer=tf.glorot_uniform_initializer(seed=1))
        net = tf.nn.relu(tf.layers.batch_normalization(net, momentum=0.8, training=training))
    with at(1):
        flat = tf.layers.flatten(net)
        logits = tf.layers.dense(flat, 3, kernel_initializer=tf.glorot_uniform_initializer(seed=2))
        loss = tf.losses.sparse_softmax_cross_entropy(y, logits)
    updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
    assert len(updates) == 2
    with tf.control_dependencies(updates):
        step = tf.train.MomentumOptimizer(0.05, 0.9).minimize(loss)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        losses = [sess.run([loss, step], {x: pictures, y: kinds, training: True})[0] for _ in range(25)]
        found = sess.run(logits, {x: pictures})
    assert (found.argmax(1) == kinds).mean() > 0.95
    return losses[:15]


@program
def gram_losses_of_style_transfer(tf, at):
    """Paint a picture with the content of one and the textures of another, as a fixed random net sees them."""
    rng = np.random.RandomState(4)
    content, style = bars(1, seed=5)[0], bars(1, seed=8)[0]
    filters = tf.constant(0.4 * rng.randn(3, 3, 1, 6).astype("f4"))

    def features(picture):
        return tf.nn.relu(tf.nn.conv2d(picture, filters, [1, 1, 1, 1], "SAME"))

    def gram(feature):
        flat = tf.reshape(feature, [-1, 6])
        return tf.matmul(flat, flat, transpose_a=True) / 64.0

    picture = tf.get_variable("picture", initializer=content + 0.1 * rng.randn(1, 8, 8, 1).astype("f4"))
    with at(0):
        content_loss = tf.nn.l2_loss(features(picture) - features(tf.constant(content))) / 64.0
    with at(1):
        style_loss = tf.reduce_sum(tf.square(gram(features(picture)) - gram(features(tf.constant(style)))))
    loss = 0.1 * content_loss + 100.0 * style_loss
    step = tf.train.AdamOptimizer(0.05).minimize(loss, var_list=[picture])
    losses, last = train(tf, step, loss, [{}] * 60, [content_loss, style_loss])
    assert losses[-1] < 0.3 * losses[0] and np.isfinite(last).all()
    return losses[:40]


@program
def siamese_net_with_shared_variables(tf, at):
    pictures, kinds = bars(64, seed=3)
    left, right = tf.placeholder(tf.float32, [None, 8, 8, 1]), tf.placeholder(tf.float32, [None, 8, 8, 1])
    same = tf.placeholder(tf.float32, [None])

    def embed(x):
        with tf.variable_scope("embed", reuse=tf.AUTO_REUSE):
            net = tf.layers.conv2d(
                x, 6, 3, activation=tf.nn.relu, kernel_initializer=tf.glorot_uniform_initializer(seed=1), name="conv"
            )
            net = tf.reduce_max(net, [1, 2])
            return tf.layers.dense(net, 4, kernel_initializer=tf.glorot_uniform_initializer(seed=2), name="out")

    with at(0):
        one = embed(left)
    with at(1):
        other = embed(right)
    distance = tf.reduce_sum(tf.square(one - other), 1)
    contrast = same * distance + (1.0 - same) * tf.square(tf.maximum(1.5 - tf.sqrt(distance + 1e-6), 0.0))
    loss = tf.reduce_mean(contrast)
    step = tf.train.AdamOptimizer(0.02).minimize(loss)
    assert len(tf.trainable_variables()) == 4
    mates = np.random.RandomState(0).permutation(64)
    feed = {left: pictures, right: pictures[mates], same: (kinds == kinds[mates]).astype("f4")}
    losses, found = train(tf, step, loss, [feed] * 100, distance)
    assert found[kinds == kinds[mates]].mean() < 0.5 < found[kinds != kinds[mates]].mean()
    return losses[:40]
