"""Batch normalisation as a layer: variables, updates, training by constant and by tensor, renormalisation, refusals."""

import numpy as np
import pytest

import millstream as tf

RNG = np.random.default_rng(11)
IMAGES = RNG.uniform(2, 4, (6, 4, 3, 2)).astype("f4")
AXES = (0, 1, 2)
NAMES = [f"batch_normalization/{name}:0" for name in ("gamma", "beta", "moving_mean", "moving_variance")]
MOVED = ["batch_normalization/AssignMovingAvg", "batch_normalization/AssignMovingAvg_1"]


@pytest.fixture(autouse=True)
def fresh_graph():
    tf.reset_default_graph()


def names(things):
    return [thing.name for thing in things]


def run(fetches, **feeds):
    session = tf.Session()
    session.run(tf.global_variables_initializer())
    return session, session.run(fetches, feeds.get("feed"))


def normal(x, axes=AXES, epsilon=1e-3):
    mean, variance = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon)


@pytest.mark.parametrize("fused", [True, False, None])
def test_training_normalises_by_the_batch_and_moves_the_averages(fused):
    y = tf.layers.batch_normalization(tf.constant(IMAGES), training=True, fused=fused)
    assert names(tf.global_variables()) == NAMES
    assert names(tf.trainable_variables()) == NAMES[:2]
    updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
    assert names(updates) == MOVED
    session, (found, _) = run([y, updates])
    np.testing.assert_allclose(found, normal(IMAGES), rtol=1e-4, atol=1e-4)
    mean, variance = session.run(tf.global_variables()[2:])
    count = IMAGES.size / 2
    correction = count / (count - 1) if fused is not False else 1.0
    np.testing.assert_allclose(mean, 0.01 * IMAGES.mean(AXES), rtol=1e-4)
    np.testing.assert_allclose(variance, 0.99 + 0.01 * IMAGES.var(AXES) * correction, rtol=1e-4)


@pytest.mark.parametrize("fused", [True, False])
def test_inference_uses_the_averages_and_adds_no_updates(fused):
    y = tf.layers.batch_normalization(tf.constant(IMAGES), training=False, fused=fused)
    assert tf.get_collection(tf.GraphKeys.UPDATE_OPS) == []
    _, found = run(y)
    np.testing.assert_allclose(found, IMAGES / np.sqrt(1 + 1e-3), rtol=1e-5)


@pytest.mark.parametrize("options", [{"fused": True}, {"fused": False}, {"renorm": True}])
def test_a_tensor_says_whether_to_train(options):
    training = tf.placeholder(tf.bool, [])
    y = tf.layers.batch_normalization(tf.constant(IMAGES), training=training, **options)
    updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
    session, (found, _) = run([y, updates], feed={training: False})
    np.testing.assert_allclose(found, IMAGES / np.sqrt(1 + 1e-3), rtol=1e-5)
    np.testing.assert_array_equal(session.run(tf.global_variables()[2]), np.zeros(2))
    found, _ = session.run([y, updates], {training: True})
    assert (session.run(tf.global_variables()[2]) > 0).all()
    if "renorm" not in options:
        np.testing.assert_allclose(found, normal(IMAGES), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("axis", "others"), [(1, (0, 2, 3)), (-1, AXES), (2, (0, 1, 3)), ([1, 3], (0, 2))])
def test_any_axis_may_hold_the_channels(axis, others):
    y = tf.layers.batch_normalization(tf.constant(IMAGES), axis=axis, training=True)
    _, found = run(y)
    np.testing.assert_allclose(found, normal(IMAGES, others), rtol=1e-3, atol=1e-3)


def test_rows_are_normalised_too():
    rows = RNG.normal(3, 2, (50, 4)).astype("f4")
    y = tf.layers.batch_normalization(tf.constant(rows), training=True, center=False, scale=False)
    assert names(tf.global_variables()) == NAMES[2:]
    _, found = run(y)
    np.testing.assert_allclose(found, normal(rows, (0,)), rtol=1e-3, atol=1e-3)


def test_a_layer_is_used_again_with_its_variables():
    layer = tf.layers.BatchNormalization(name="norm")
    first, second = layer(tf.constant(IMAGES), training=True), layer(tf.constant(IMAGES), training=False)
    assert len(layer.variables) == 4 and len(layer.updates) == 2
    _, (one, other) = run([first, second])
    assert not np.allclose(one, other)


def test_renormalisation_corrects_towards_the_moving_values():
    y = tf.layers.batch_normalization(
        tf.constant(IMAGES), training=True, renorm=True, renorm_clipping={"rmin": 0.5, "rmax": 2.0, "dmax": 1.0}
    )
    session, (found, _) = run([y, tf.get_collection(tf.GraphKeys.UPDATE_OPS)])
    mean, stddev = IMAGES.mean(AXES), np.sqrt(IMAGES.var(AXES) + 1e-3)
    ratio, shift = np.clip(stddev, 0.5, 2.0), np.clip(mean, -1.0, 1.0)
    np.testing.assert_allclose(found, normal(IMAGES) * ratio + shift, rtol=1e-4, atol=1e-4)
    names_of = {v.op.name.rpartition("/")[2]: v for v in tf.global_variables()}
    np.testing.assert_allclose(session.run(names_of["renorm_mean"]), 0.01 * mean, rtol=1e-4)


@pytest.mark.parametrize("training", [True, False])
def test_averages_of_renormalisation_follow_the_batch(training):
    phase = tf.placeholder(tf.bool, [])
    layer = tf.layers.BatchNormalization(
        momentum=0.9, renorm=True, renorm_momentum=0.6, moving_variance_initializer=tf.constant_initializer(4.0)
    )
    layer(tf.constant(IMAGES), training=phase)
    names = ["gamma", "beta", "moving_mean", "moving_variance", "moving_stddev", "renorm_mean", "renorm_stddev"]
    assert [v.op.name.rpartition("/")[2] for v in layer.variables] == names
    session, _ = run(layer.updates, feed={phase: training})
    session.run(layer.updates, {phase: training})
    found = dict(zip(names, session.run(layer.variables), strict=True))
    mean, stddev = IMAGES.mean(AXES), np.sqrt(IMAGES.var(AXES) + 1e-3)
    kept, corrected = (0.9**2, 0.6**2) if training else (1, 1)
    np.testing.assert_allclose(found["moving_mean"], (1 - kept) * mean, rtol=1e-4)
    np.testing.assert_allclose(found["moving_stddev"], 2 * kept + (1 - kept) * stddev, rtol=1e-5)
    np.testing.assert_allclose(found["moving_variance"], found["moving_stddev"] ** 2 - (training and 1e-3), rtol=1e-5)
    np.testing.assert_allclose(found["renorm_mean"], (1 - corrected) * mean, rtol=1e-4)
    np.testing.assert_allclose(found["renorm_stddev"], 2 * corrected + (1 - corrected) * stddev, rtol=1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_virtual_batches_are_normalised_each_by_itself(training):
    given = RNG.normal(2, 3, (6, 5)).astype("f4")
    layer = tf.layers.BatchNormalization(virtual_batch_size=2, momentum=0.5)
    phase = tf.placeholder(tf.bool, [])
    outputs = layer(tf.constant(given), training=phase)
    assert outputs.shape.as_list() == [6, 5]
    assert [v.shape.as_list() for v in layer.variables] == [[1, 1, 5]] * 4
    session, (found, *_) = run([outputs, *layer.updates], feed={phase: training})
    parts = given.reshape(2, 3, 5)
    mean, variance = parts.mean(0), parts.var(0)
    wanted = ((parts - mean) / np.sqrt(variance + 1e-3)).reshape(6, 5) if training else given / np.sqrt(1 + 1e-3)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)
    moved = session.run(layer.moving_mean)[0, 0]
    np.testing.assert_allclose(moved, 0.5 * mean.mean(0) if training else 0 * moved, rtol=1e-4)


def test_virtual_batches_of_images_with_renormalisation():
    outputs = tf.layers.batch_normalization(tf.constant(IMAGES), training=True, virtual_batch_size=2, renorm=True)
    _, found = run(outputs)
    assert found.shape == IMAGES.shape and np.isfinite(found).all()


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("axis", [3, 1])
def test_adjustments_come_before_gamma_and_beta(training, axis):
    def adjust(dims):
        return tf.fill([dims[0], 1, 1, 1], 2.0), tf.fill([dims[0], 1, 1, 1], 0.5)

    given = IMAGES if axis == 3 else IMAGES.transpose(0, 3, 1, 2)
    phase = tf.placeholder(tf.bool, [])
    outputs = tf.layers.batch_normalization(
        tf.constant(given), axis, training=phase, adjustment=adjust, gamma_initializer=tf.constant_initializer(3.0),
        beta_initializer=tf.ones_initializer(),
    )  # fmt: skip
    _, found = run(outputs, feed={phase: training})
    found = found if axis == 3 else found.transpose(0, 2, 3, 1)
    wanted = (normal(IMAGES) * 2 + 0.5) * 3 + 1 if training else IMAGES / np.sqrt(1 + 1e-3) * 3 + 1
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-3)


def test_a_network_with_batch_normalisation_learns():
    x, labels = RNG.normal(0, 1, (64, 5)).astype("f4"), RNG.integers(0, 2, 64).astype("i4")
    x[:, 0] += 4 * labels
    hidden = tf.layers.batch_normalization(tf.layers.dense(tf.constant(x), 8), training=True)
    loss = tf.losses.sparse_softmax_cross_entropy(tf.constant(labels), tf.layers.dense(tf.nn.relu(hidden), 2))
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        train = tf.train.GradientDescentOptimizer(0.5).minimize(loss)
    session, first = run(loss)
    for _ in range(60):
        session.run(train)
    assert session.run(loss) < 0.3 * first


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"fused": True, "axis": 2}, ValueError, "fused=True only support"),
        ({"fused": True, "renorm": True}, ValueError, "Passing both"),
        ({"renorm": True, "renorm_clipping": {"max": 1}}, ValueError, "renorm_clipping"),
        ({"axis": 4}, ValueError, "Invalid axis"),
        ({"virtual_batch_size": 0}, ValueError, "must be a positive integer"),
        ({"virtual_batch_size": 2, "adjustment": print}, ValueError, "adjustment cannot be specified"),
        ({"virtual_batch_size": 2, "axis": 0}, ValueError, "batch dimension must be 0"),
        ({"virtual_batch_size": 2, "fused": True}, ValueError, "Passing both"),
        ({"adjustment": print, "fused": True}, ValueError, "Passing both"),
    ],
)
def test_what_cannot_be_is_refused(options, error, words):
    with pytest.raises(error, match=words):
        tf.layers.batch_normalization(tf.constant(IMAGES), **options)
