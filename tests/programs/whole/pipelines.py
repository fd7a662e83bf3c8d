"""Programs around training: queues that feed it, and an estimator that runs it."""

from __future__ import annotations

import tempfile

import numpy as np
import pytest

from .registry import program


@program
def queues_feed_training(tf, at):
    """Slices of arrays go through a queue, a batch is taken, threads are joined at the end."""
    rng = np.random.RandomState(0)
    data = rng.randn(40, 3).astype("f4")
    goal = (data @ np.float32([1.0, -2.0, 0.5])).astype("f4")
    one, its_goal = tf.train.slice_input_producer([tf.constant(data), tf.constant(goal)], shuffle=False)
    x, y = tf.train.batch([one, its_goal], batch_size=20)
    with at(0):
        w = tf.get_variable("w", [3, 1], initializer=tf.zeros_initializer())
        predicted = tf.squeeze(tf.matmul(x, w), 1)
    with at(1):
        loss = tf.reduce_mean(tf.square(predicted - y))
    step = tf.train.GradientDescentOptimizer(0.2).minimize(loss)
    with tf.Session() as sess:
        sess.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        coordinator = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(sess=sess, coord=coordinator)
        losses = [sess.run([loss, step])[0] for _ in range(60)]
        coordinator.request_stop()
        coordinator.join(threads)
        found = sess.run(w)[:, 0]
    np.testing.assert_allclose(found, [1.0, -2.0, 0.5], atol=1e-2)
    return losses


@program
def estimator_trains_and_predicts(tf, at):
    if not hasattr(tf, "estimator"):
        pytest.skip("TensorFlow 2 has no tf.estimator")
    rng = np.random.RandomState(1)
    data = rng.randn(60, 2).astype("f4")
    labels = (data.sum(1) > 0).astype("i4")

    def model(features, labels, mode, params):
        with at(0):
            hidden = tf.layers.dense(
                features["x"], params["units"], tf.nn.tanh, kernel_initializer=tf.glorot_uniform_initializer(1)
            )
        with at(1):
            logits = tf.layers.dense(hidden, 2, kernel_initializer=tf.glorot_uniform_initializer(2))
        classes = tf.argmax(logits, 1)
        if mode == tf.estimator.ModeKeys.PREDICT:
            return tf.estimator.EstimatorSpec(mode, predictions={"class": classes})
        loss = tf.losses.sparse_softmax_cross_entropy(labels, logits)
        if mode == tf.estimator.ModeKeys.EVAL:
            return tf.estimator.EstimatorSpec(
                mode, loss=loss, eval_metric_ops={"accuracy": tf.metrics.accuracy(labels, classes)}
            )
        step = tf.train.AdamOptimizer(0.1).minimize(loss, global_step=tf.train.get_global_step())
        return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=step)

    def inputs(epochs):
        return tf.estimator.inputs.numpy_input_fn({"x": data}, labels, batch_size=20, num_epochs=epochs, shuffle=False)

    with tempfile.TemporaryDirectory() as folder:
        estimator = tf.estimator.Estimator(model, model_dir=folder, params={"units": 8})
        estimator.train(inputs(None), steps=60)
        scores = estimator.evaluate(inputs(1))
        found = [row["class"] for row in estimator.predict(inputs(1))]
    assert scores["accuracy"] > 0.95 and scores["global_step"] == 60 and (found == labels).mean() > 0.95
    return [scores["loss"], scores["accuracy"]]
