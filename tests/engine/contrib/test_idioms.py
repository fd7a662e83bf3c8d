"""What programs with tf.contrib do around their models: loops of training and evaluation, fine-tuning, counting variables."""

import numpy as np
import pytest

import millstream as tf

slim, layers, training = tf.contrib.slim, tf.contrib.layers, tf.contrib.training


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as opened:
        tf.set_random_seed(1)
        yield opened


def run(*values, feeds=None):
    with tf.Session() as session:
        session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        found = session.run(values, feeds)
    return found[0] if len(found) == 1 else found


def step():
    """Return an operation that takes a fifth off a variable, which begins as ones, and gives the loss before."""
    weights = tf.get_variable("weights", [2], initializer=tf.ones_initializer())
    return training.create_train_op(tf.reduce_sum(weights * weights), tf.train.GradientDescentOptimizer(0.1))


def test_training_and_evaluating(tmp_path):
    folder = str(tmp_path)
    last = training.train(step(), folder, hooks=[tf.train.StopAtStepHook(2)], save_checkpoint_secs=1000)
    np.testing.assert_allclose(last, 2 * 0.8**2, rtol=1e-5)
    path = training.wait_for_new_checkpoint(folder, timeout=0)
    assert path == tf.train.latest_checkpoint(folder) and path.endswith("-2")
    assert training.wait_for_new_checkpoint(folder, path, seconds_to_sleep=0.01, timeout=0.01) is None
    for evaluate, options in (
        (training.evaluate_once, {"checkpoint_path": path}),
        (training.evaluate_repeatedly, {"checkpoint_dir": folder, "max_number_of_evaluations": 1, "timeout": 5}),
    ):
        with tf.Graph().as_default():
            weights = tf.get_variable("weights", [2])
            tf.train.get_or_create_global_step()
            hooks = [training.StopAfterNEvalsHook(3)]
            last = [weights, training.get_or_create_eval_step()]
            final = evaluate(eval_ops=tf.reduce_sum(weights), final_ops=last, hooks=hooks, **options)
            np.testing.assert_allclose(final[0], [0.64, 0.64], rtol=1e-5)
            assert final[1] == 3


@pytest.mark.parametrize("given", [{"save_summaries_steps": None}, {"save_checkpoint_secs": None}])
def test_training_without_a_folder_saves_nothing(given):
    with pytest.raises(ValueError, match="logdir cannot be None when save_"):
        training.train(step(), None, **given)


def test_slims_loop_may_write_no_summaries(tmp_path):
    loss = slim.learning.train(
        step(), str(tmp_path), number_of_steps=2, save_summaries_secs=None, save_interval_secs=None
    )
    np.testing.assert_allclose(loss, 2 * 0.8**2, rtol=1e-5)


def test_slim_restores_what_is_there(tmp_path):
    source = slim.variable("a", [2], initializer=tf.ones_initializer())
    with tf.Session() as session:
        session.run(source.initializer)
        path = tf.train.Saver().save(session, str(tmp_path / "model"))
    with tf.Graph().as_default(), tf.Session() as session:
        target = slim.variable("a", [2], initializer=tf.zeros_initializer())
        session.run(target.initializer)
        slim.assign_from_checkpoint_fn(path, slim.get_variables_to_restore())(session)
        assert session.run(target).tolist() == [1.0, 1.0]
    assert slim.metrics.aggregate_metric_map is tf.contrib.metrics.aggregate_metric_map


def test_sizes_of_models(capsys):
    slim.fully_connected(tf.ones([1, 3]), 2, scope="fit")
    assert slim.model_analyzer.analyze_vars(tf.trainable_variables(), print_info=True) == (8, 32)
    lines = capsys.readouterr().out.splitlines()
    assert lines[3:] == [
        "fit/weights:0 (float32_ref 3x2) [6, bytes: 24]", "fit/biases:0 (float32_ref 2) [2, bytes: 8]",
        "Total size of variables: 8", "Total bytes of variables: 32",
    ]  # fmt: skip
    assert slim.analyze_ops(tf.get_default_graph()) > 8 and not capsys.readouterr().out


IMAGES = np.arange(2 * 3 * 4 * 2, dtype="f").reshape(2, 3, 4, 2)


def test_images_as_sequences():
    sequence = layers.images_to_sequence(IMAGES)
    found, back, first = run(
        sequence, layers.sequence_to_images(sequence, 3), layers.sequence_to_images(sequence, 3, "channels_first")
    )
    np.testing.assert_array_equal(found, IMAGES.reshape(6, 4, 2).transpose(1, 0, 2))
    np.testing.assert_array_equal(back, IMAGES)
    np.testing.assert_array_equal(first, IMAGES.transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(run(layers.images_to_sequence(IMAGES.transpose(0, 3, 1, 2), "NCHW")), found)


def test_groups_of_units():
    given = np.float32([[1, 5, 2, 3], [4, 0, 7, 6]])
    assert run(layers.maxout(given, 2)).tolist() == [[5, 3], [4, 7]]
    rows = tf.placeholder_with_default(given, [None, 4])
    assert run(layers.maxout(rows, 1)).tolist() == [[5], [7]]
    with pytest.raises(ValueError, match=r"number of features\(4\) is not a multiple of num_units\(3\)"):
        layers.maxout(given, 3)


def test_bags_of_words():
    ids = tf.constant([[1, 2, 0], [3, 0, 0]])
    sparse = layers.dense_to_sparse(ids, outputs_collections="made")
    assert run(sparse).values.tolist() == [1, 2, 3]
    table = tf.constant_initializer(np.arange(8).reshape(4, 2))
    bags = [
        layers.bow_encoder(given, 4, 2, initializer=table, scope="bag", reuse=tf.AUTO_REUSE, **options)
        for given, options in ((ids, {}), (sparse, {}), (ids, {"sparse_lookup": False}))
    ]
    assert [v.op.name for v in tf.model_variables()] == ["bag/embeddings"]
    dense, same, mean = run(*bags)
    assert dense.tolist() == same.tolist() == [[3, 4], [6, 7]]
    assert mean.tolist() == [[2, 3], [2, 3]]
    with pytest.raises(TypeError, match="expected to be dense"):
        layers.bow_encoder(sparse, 4, 2, sparse_lookup=False)


def test_gradients_of_another_size():
    x = tf.constant([1.0, 2.0])
    assert run(tf.gradients(layers.scale_gradient(x * x, 3.0), x)[0]).tolist() == [6.0, 12.0]


def test_convolutions_of_channels_by_themselves_and_transposed_ones():
    ones = {"weights_initializer": tf.ones_initializer(), "activation_fn": None}
    found = run(layers.conv2d_in_plane(IMAGES, [1, 2], padding="VALID", scope="plane", **ones))
    np.testing.assert_array_equal(found, IMAGES[:, :, 1:] + IMAGES[:, :, :-1])
    assert [v.shape.as_list() for v in tf.model_variables("plane")] == [[1, 2, 1, 1], [2]]
    volumes = np.ones([1, 2, 2, 2, 3], "f")
    for layout in "NDHWC", "NCDHW":
        given = volumes if layout == "NDHWC" else volumes.transpose(0, 4, 1, 2, 3)
        grown = layers.conv3d_transpose(given, 1, 2, stride=2, data_format=layout, **ones)
        assert run(tf.reduce_sum(grown)) == 3 * 4**3 and grown.shape.num_elements() == 4**3
    with slim.arg_scope([layers.conv3d_transpose], scope="volume"):
        assert layers.conv3d_transpose(volumes, 1, 2).op.name.startswith("volume/")
