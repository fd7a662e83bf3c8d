"""contrib.layers and slim: names, shapes, collections and values of each layer."""

import numpy as np
import pytest

import millstream as tf

layers = tf.contrib.layers
slim = tf.contrib.slim


def names():
    return [v.op.name for v in tf.global_variables()]


def x(*shape):
    return tf.placeholder(tf.float32, [None, *shape])


# a layer, the names of its variables, its static shape, the name of its output
LAYERS = {
    "fully_connected": (
        lambda: layers.fully_connected(x(3), 4), ["fully_connected/weights", "fully_connected/biases"], [None, 4],
        "fully_connected/Relu"),
    "linear": (
        lambda: layers.linear(x(3), 4, scope="out"), ["out/weights", "out/biases"], [None, 4], "out/BiasAdd"),
    "fully_connected, rank 3": (
        lambda: layers.fully_connected(x(5, 3), 4, biases_initializer=None), ["fully_connected/weights"], [None, 5, 4], None),
    "conv2d": (
        lambda: layers.conv2d(x(8, 8, 3), 4, [3, 3], stride=2), ["Conv/weights", "Conv/biases"], [None, 4, 4, 4], "Conv/Relu"),
    "conv2d, NCHW": (
        lambda: layers.conv2d(x(3, 8, 8), 4, 3, data_format="NCHW", padding="VALID"), ["Conv/weights", "Conv/biases"],
        [None, 4, 6, 6], "Conv/Relu"),
    "conv1d": (lambda: layers.conv1d(x(8, 3), 4, 3), ["Conv/weights", "Conv/biases"], [None, 8, 4], None),
    "conv2d_transpose": (
        lambda: layers.conv2d_transpose(x(4, 4, 3), 2, 3, stride=2),
        ["Conv2d_transpose/weights", "Conv2d_transpose/biases"], [None, 8, 8, 2], None),
    "separable_conv2d": (
        lambda: layers.separable_conv2d(x(8, 8, 3), 5, 3, depth_multiplier=2),
        [f"SeparableConv2d/{n}" for n in ("depthwise_weights", "pointwise_weights", "biases")], [None, 8, 8, 5], None),
    "depthwise": (
        lambda: layers.separable_conv2d(x(8, 8, 3), None, 3, depth_multiplier=2),
        ["SeparableConv2d/depthwise_weights", "SeparableConv2d/biases"], [None, 8, 8, 6], None),
    "max_pool2d": (lambda: layers.max_pool2d(x(8, 8, 3), 2), [], [None, 4, 4, 3], None),
    "avg_pool2d": (lambda: layers.avg_pool2d(x(8, 8, 3), [2, 2], 1, "SAME"), [], [None, 8, 8, 3], None),
    "flatten": (lambda: layers.flatten(x(4, 3)), [], [None, 12], None),
    "dropout": (lambda: layers.dropout(x(4), 0.5), [], [None, 4], None),
    "one_hot": (lambda: layers.one_hot_encoding(tf.placeholder(tf.int32, [None]), 3), [], [None, 3], None),
    "batch_norm": (
        lambda: layers.batch_norm(x(4), scale=True),
        [f"BatchNorm/{n}" for n in ("beta", "gamma", "moving_mean", "moving_variance")], [None, 4], None),
    "layer_norm": (lambda: layers.layer_norm(x(4)), ["LayerNorm/beta", "LayerNorm/gamma"], [None, 4], None),
    "instance_norm": (
        lambda: layers.instance_norm(x(4, 4, 2)), ["InstanceNorm/beta", "InstanceNorm/gamma"], [None, 4, 4, 2], None),
    "group_norm": (
        lambda: layers.group_norm(x(4, 4, 6), 3), ["GroupNorm/beta", "GroupNorm/gamma"], [None, 4, 4, 6], None),
    "bias_add": (lambda: layers.bias_add(x(4)), ["BiasAdd/biases"], [None, 4], None),
    "embed_sequence": (
        lambda: layers.embed_sequence(tf.placeholder(tf.int32, [None, 5]), 7, 3), ["EmbedSequence/embeddings"], [None, 5, 3],
        None),
    "softmax": (lambda: layers.softmax(x(4)), [], [None, 4], None),
    "unit_norm": (lambda: layers.unit_norm(x(4), 1), [], [None, 4], None),
    "repeat": (
        lambda: layers.repeat(x(4), 2, layers.fully_connected, 3, scope="fc"),
        [f"fc/fc_{i}/{n}" for i in (1, 2) for n in ("weights", "biases")], [None, 3], None),
    "stack": (
        lambda: layers.stack(x(4), layers.fully_connected, [5, 6], scope="fc"),
        [f"fc/fc_{i}/{n}" for i in (1, 2) for n in ("weights", "biases")], [None, 6], None),
    "spatial_softmax": (
        lambda: layers.spatial_softmax(x(4, 4, 2)), ["spatial_softmax/temperature"], [None, 4], None),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_names_and_shapes(name):
    build, variables, shape, output = LAYERS[name]
    y = build()
    assert names() == variables and y.shape.as_list() == shape
    assert output is None or y.op.name == output
    assert [v.op.name for v in tf.model_variables()] == variables
    feeds = {
        op.outputs[0]: np.ones([2, *op.outputs[0].shape.as_list()[1:]], op.outputs[0].dtype.as_numpy_dtype)
        for op in tf.get_default_graph().get_operations() if op.type == "Placeholder"
    }  # fmt: skip
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        found = session.run(y, feeds)
        assert list(found.shape) == [2 if d is None else d for d in shape] and np.isfinite(found).all()


def test_a_fully_connected_layer_multiplies():
    inputs = np.array([[1.0, -2.0]], "f4")
    y = layers.fully_connected(
        tf.constant(inputs), 2, weights_initializer=tf.constant_initializer([[1.0, 2.0], [3.0, -4.0]])
    )
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run(y).tolist() == [[0, 10]]


def test_what_a_layer_is_given_by_scopes_and_collections():
    given = {
        "weights_regularizer": slim.l2_regularizer(0.5), "normalizer_fn": slim.batch_norm, "outputs_collections": "ends",
        "variables_collections": {"weights": ["w"]},
    }  # fmt: skip
    with slim.arg_scope([slim.conv2d, slim.fully_connected], **given):
        y = slim.conv2d(x(8, 8, 3), 4, [3, 3], scope="one")
        slim.fully_connected(slim.flatten(y), 2, scope="two")
    assert [v.op.name for v in tf.get_collection("w")] == ["one/weights", "two/weights"]
    assert len(tf.losses.get_regularization_losses()) == 2
    assert "one/BatchNorm/beta" in names() and "one/biases" not in names()
    assert list(layers.utils.convert_collection_to_dict("ends")) == ["one", "two"]
    assert len(tf.get_collection(tf.GraphKeys.UPDATE_OPS)) == 4
    assert [v.op.name for v in slim.get_model_variables("two", "weights")] == ["two/weights"]


def test_sharing():
    for reuse in (None, True):
        layers.fully_connected(x(3), 4, scope="a", reuse=reuse)
        layers.conv2d(x(8, 8, 3), 4, 3, scope="b", reuse=reuse)
    assert names() == ["a/weights", "a/biases", "b/weights", "b/biases"]
    with pytest.raises(ValueError, match="Variable a/weights already exists"):
        layers.fully_connected(x(3), 4, scope="a")


BATCH = np.array([[1.0, 2.0], [3.0, 6.0], [5.0, 4.0]], "f4")


@pytest.mark.parametrize("fused, factor", [(None, 3 / 2), (False, 1)])
def test_batch_norm_trains_and_follows(fused, factor):
    y = layers.batch_norm(tf.constant(BATCH), decay=0.9, is_training=True, fused=fused)
    updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        found = session.run(y)
        np.testing.assert_allclose(found, (BATCH - BATCH.mean(0)) / np.sqrt(BATCH.var(0) + 0.001), rtol=1e-5)
        session.run(updates)
        mean, variance = session.run(tf.global_variables()[-2:])
        np.testing.assert_allclose(mean, 0.1 * BATCH.mean(0), rtol=1e-5)
        np.testing.assert_allclose(variance, 0.9 + 0.1 * factor * BATCH.var(0), rtol=1e-5)


@pytest.mark.parametrize("collections", [None, "updates"])
def test_batch_norm_by_a_tensor(collections):
    training = tf.placeholder(tf.bool, [])
    y = layers.batch_norm(tf.constant(BATCH), decay=0.9, is_training=training, updates_collections=collections)
    updates = tf.get_collection("updates") if collections else []
    mean = tf.global_variables()[-2]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run([y, updates], {training: False})
        np.testing.assert_allclose(session.run(mean), [0, 0])
        found, _ = session.run([y, updates], {training: True})
        np.testing.assert_allclose(found, (BATCH - BATCH.mean(0)) / np.sqrt(BATCH.var(0) + 0.001), rtol=1e-4)
        np.testing.assert_allclose(session.run(mean), 0.1 * BATCH.mean(0), rtol=1e-5)


def test_batch_norm_with_weights():
    y = layers.batch_norm(
        tf.constant(BATCH), is_training=True, batch_weights=tf.constant([1.0, 1.0, 0.0]), updates_collections=None
    )
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        kept = BATCH[:2]
        np.testing.assert_allclose(session.run(y), (BATCH - kept.mean(0)) / np.sqrt(kept.var(0) + 0.001), rtol=1e-4)


def test_layer_and_group_norms():
    data = np.random.default_rng(0).normal(size=(2, 3, 3, 4)).astype("f4")
    whole = layers.layer_norm(tf.constant(data))
    space = layers.instance_norm(tf.constant(data))
    groups = layers.group_norm(tf.constant(data), groups=2)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for tensor, view in ((whole, data.reshape(2, -1)), (space, data.transpose(0, 3, 1, 2).reshape(8, 9))):
            found = session.run(tensor)
            expected = (view - view.mean(1, keepdims=True)) / view.std(1, keepdims=True)
            if tensor is space:
                found = found.transpose(0, 3, 1, 2)
            np.testing.assert_allclose(found.reshape(view.shape), expected, atol=1e-4)
        apart = data.reshape(2, 9, 2, 2)
        expected = (apart - apart.mean((1, 3), keepdims=True)) / apart.std((1, 3), keepdims=True)
        np.testing.assert_allclose(session.run(groups).reshape(apart.shape), expected, atol=1e-4)


@pytest.mark.parametrize(
    "build, words",
    [
        (lambda: layers.fully_connected(x(3), "4"), "num_outputs type should be one of"),
        (lambda: layers.conv2d(x(3), 4, 3), "Convolution expects input with rank 4, got 2"),
        (lambda: layers.batch_norm(x(3), data_format="NWC"), "data_format has to be either NCHW or NHWC"),
        (lambda: layers.group_norm(x(4, 4, 6), 4), "Invalid groups 4 for 6 channels"),
        (lambda: layers.layer_norm(x(4), begin_norm_axis=2), r"must be < rank\(inputs\)"),
        (lambda: layers.unit_norm(x(4), 2), "dim must be positive but smaller than the input rank"),
        (lambda: layers.embed_sequence(x(4)), "Must specify vocab size and embedding dimension"),
        (lambda: layers.l2_regularizer(1), "scale cannot be an integer: 1"),
        (lambda: layers.l1_regularizer(-1.0), "Setting a scale less than 0 on a regularizer: -1"),
    ],
)
def test_refusals(build, words):
    with pytest.raises(ValueError, match=words):
        build()


@pytest.mark.parametrize(
    "regularizer, value",
    [
        (layers.l1_regularizer(0.5), 3.0), (layers.l2_regularizer(0.5), 5.0), (layers.l1_l2_regularizer(0.5, 0.5), 8.0),
        (layers.sum_regularizer([layers.l1_regularizer(0.5), None]), 3.0), (layers.l2_regularizer(0.0), None),
    ],
)  # fmt: skip
def test_regularizers(regularizer, value):
    loss = regularizer(tf.constant([2.0, -4.0]))
    if value is None:
        assert loss is None
    else:
        with tf.Session() as session:
            assert session.run(loss) == value


def test_applying_a_regularizer():
    weights = [tf.Variable([2.0]), tf.Variable([4.0])]
    total = layers.apply_regularization(layers.l1_regularizer(0.5), weights)
    assert tf.losses.get_regularization_losses() == [total]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run(total) == 3


@pytest.mark.parametrize(
    "initializer, deviation, bound",
    [
        (layers.xavier_initializer(seed=1), np.sqrt(2 / 700), np.sqrt(6 / 700)),
        (layers.xavier_initializer(uniform=False, seed=1), np.sqrt(2 / 700), None),
        (layers.variance_scaling_initializer(seed=1), np.sqrt(2 / 400), None),
        (layers.variance_scaling_initializer(1.0, "FAN_OUT", uniform=True, seed=1), np.sqrt(1 / 300), np.sqrt(3 / 300)),
    ],
)
def test_initialisers(initializer, deviation, bound):
    with tf.Session() as session:
        found = session.run(initializer([400, 300]))
    assert found.std() == pytest.approx(deviation, rel=0.03)
    assert bound is None or np.abs(found).max() <= bound


@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_renormalises_as_the_core_layer_does(training: bool) -> None:
    given = np.random.RandomState(3).normal(2, 3, (8, 4)).astype("f")
    options = {"renorm": True, "renorm_clipping": {"rmax": 3.0, "rmin": 0.1, "dmax": 5.0}}
    with tf.Graph().as_default(), tf.Session() as session:
        one = tf.contrib.layers.batch_norm(
            given,
            decay=0.9,
            scale=True,
            is_training=training,
            renorm_decay=0.8,
            variables_collections=["mine"],
            **options,
        )
        other = tf.layers.batch_normalization(
            given, momentum=0.9, training=training, renorm_momentum=0.8, name="plain", **options
        )
        names = {v.op.name for v in tf.global_variables() if v.op.name.startswith("BatchNorm/")}
        assert names == {f"BatchNorm/{n}" for n in (
            "beta", "gamma", "moving_mean", "moving_variance", "moving_stddev", "renorm_mean", "renorm_stddev")}  # fmt: skip
        assert {v.op.name for v in tf.get_collection("mine")} == names
        assert {v.op.name for v in tf.contrib.framework.get_model_variables()} >= names
        session.run(tf.global_variables_initializer())
        updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
        assert len(updates) == (4 if training else 0)
        for _ in range(3):
            session.run(updates)
        np.testing.assert_allclose(*session.run([one, other]), rtol=1e-5)


def test_batch_norm_is_adjusted() -> None:
    given = np.random.RandomState(3).normal(2, 3, (8, 4)).astype("f")
    with tf.Graph().as_default(), tf.Session() as session:
        made = tf.contrib.layers.batch_norm(
            given, center=False, adjustment=lambda dims: (tf.ones(dims) * 2.0, tf.ones(dims))
        )
        session.run(tf.global_variables_initializer())
        wanted = (given - given.mean(0)) / np.sqrt(given.var(0) + 1e-3) * 2 + 1
        np.testing.assert_allclose(session.run(made), wanted, rtol=1e-3, atol=1e-3)
        with pytest.raises(ValueError, match="not supported with batch_weights"):
            tf.contrib.layers.batch_norm(given, renorm=True, updates_collections=None)


@pytest.mark.parametrize("chosen", [False, True])
@pytest.mark.parametrize("collection", [None, tf.GraphKeys.UPDATE_OPS])
def test_the_moving_mean_of_batch_norm_can_begin_without_bias(chosen: bool, collection) -> None:
    given = np.random.RandomState(0).randn(8, 3).astype("f") + 2
    with tf.Graph().as_default(), tf.Session() as session:
        training = tf.placeholder_with_default(True, []) if chosen else True
        made = tf.contrib.layers.batch_norm(
            given, decay=0.5, is_training=training, zero_debias_moving_mean=True, updates_collections=collection
        )
        session.run(tf.global_variables_initializer())
        mean, variance = (next(v for v in tf.global_variables() if v.op.name == f"BatchNorm/moving_{what}")
                          for what in ("mean", "variance"))  # fmt: skip
        if chosen:
            session.run([made, *tf.get_collection(tf.GraphKeys.UPDATE_OPS)], {training: False})
            np.testing.assert_array_equal(session.run(mean), np.zeros(3))
        for _ in range(2):
            session.run([made, *tf.get_collection(tf.GraphKeys.UPDATE_OPS)])
        np.testing.assert_allclose(session.run(mean), given.mean(0), rtol=1e-5)
        np.testing.assert_allclose(session.run(variance), 0.25 + 0.75 * given.var(0), rtol=1e-5)
