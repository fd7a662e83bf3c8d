"""tf.layers: names and scopes as in TensorFlow 1, sharing, values, regularizers and errors."""

import numpy as np
import pytest

import millstream as tf


@pytest.fixture
def session():
    with tf.Graph().as_default(), tf.Session() as opened:
        yield opened


def names():
    return [v.name for v in tf.global_variables()]


def computed():
    """Return the names of the nodes that no initialiser or variable made."""
    kinds = {"MatMul", "BiasAdd", "Relu", "Reshape", "Identity"}
    return [op.name for op in tf.get_default_graph().get_operations() if op.type in kinds and not op.name.endswith("/read")]


def test_dense_computes_a_product_and_a_bias(session) -> None:
    x = tf.placeholder(tf.float32, [None, 3])
    y = tf.layers.dense(x, 2, tf.nn.relu, bias_initializer=tf.constant_initializer(0.5))
    assert y.shape.as_list() == [None, 2]
    assert y.name == "dense/Relu:0"
    session.run(tf.global_variables_initializer())
    kernel, bias = session.run(tf.trainable_variables())
    fed = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    np.testing.assert_allclose(session.run(y, {x: fed}), np.maximum(fed @ kernel + bias, 0), rtol=1e-5, atol=1e-6)
    assert bias.tolist() == [0.5, 0.5]
    assert abs(kernel).max() <= np.sqrt(6 / 5)


def test_scopes_are_unique_without_a_name() -> None:
    with tf.Graph().as_default():
        x = tf.zeros([2, 3])
        tf.layers.dense(x, 1)
        tf.layers.dense(x, 1)
        with tf.variable_scope("a"):
            tf.layers.dense(x, 1)
        tf.layers.dense(x, 1, name="fc", use_bias=False)
        assert names() == [
            "dense/kernel:0", "dense/bias:0", "dense_1/kernel:0", "dense_1/bias:0", "a/dense/kernel:0", "a/dense/bias:0",
            "fc/kernel:0",
        ]  # fmt: skip
        assert computed() == [
            "dense/MatMul", "dense/BiasAdd", "dense_1/MatMul", "dense_1/BiasAdd", "a/dense/MatMul", "a/dense/BiasAdd",
            "fc/MatMul",
        ]  # fmt: skip


def test_a_name_is_taken_once_and_shared_with_reuse() -> None:
    with tf.Graph().as_default():
        x = tf.zeros([2, 3])
        tf.layers.dense(x, 4, name="fc")
        with pytest.raises(ValueError, match="fc/kernel already exists"):
            tf.layers.dense(x, 4, name="fc")
        tf.layers.dense(x, 4, name="fc", reuse=True)
        with tf.variable_scope("", reuse=tf.AUTO_REUSE):
            tf.layers.dense(x, 4, name="fc")
        with pytest.raises(ValueError, match="shape"):
            tf.layers.dense(x, 5, name="fc", reuse=True)
        assert names() == ["fc/kernel:0", "fc/bias:0"]


def test_one_layer_keeps_its_variables() -> None:
    with tf.Graph().as_default():
        layer = tf.layers.Dense(4)
        with pytest.raises(ValueError, match="isn't built"):
            layer.count_params()
        first, second = layer(tf.zeros([2, 3])), layer.apply(tf.zeros([5, 3]))
        assert [v.name for v in layer.trainable_weights] == ["dense/kernel:0", "dense/bias:0"] == names()
        assert (first.name, second.name) == ("dense/BiasAdd:0", "dense/BiasAdd_1:0")
        assert layer.count_params() == 16
        assert layer.name == layer.scope_name == "dense"


def test_higher_ranks_multiply_their_last_dimension(session) -> None:
    x = tf.placeholder(tf.float32, [None, None, 3])
    y = tf.layers.dense(x, 2, kernel_initializer=tf.ones_initializer())
    assert y.shape.as_list() == [None, None, 2]
    session.run(tf.global_variables_initializer())
    fed = np.arange(24, dtype=np.float32).reshape(2, 4, 3)
    np.testing.assert_allclose(session.run(y, {x: fed}), np.repeat(fed.sum(-1, keepdims=True), 2, -1))


def test_regularizers_go_to_their_collection(session) -> None:
    layer = tf.layers.Dense(2, kernel_regularizer=lambda k: tf.reduce_sum(k) * 0.1, kernel_initializer=tf.ones_initializer())
    layer(tf.zeros([1, 3]))
    layer(tf.zeros([1, 3]))
    assert layer.losses == tf.losses.get_regularization_losses()
    assert len(layer.losses) == 1
    session.run(tf.global_variables_initializer())
    assert session.run(tf.losses.get_regularization_loss()) == pytest.approx(0.6)


def test_frozen_layers_are_not_trainable() -> None:
    with tf.Graph().as_default():
        layer = tf.layers.Dense(2, trainable=False)
        layer(tf.zeros([1, 3]))
        assert tf.trainable_variables() == [] == layer.trainable_variables
        assert len(layer.non_trainable_variables) == 2


@pytest.mark.parametrize(
    ("dims", "expected"),
    [([2, 3, 4], [2, 12]), ([None, 3, 4], [None, 12]), ([None, None, 4], [None, None]), ([3, None], [3, None]), ([5], [5, 1])],
)
def test_flatten(session, dims, expected) -> None:
    x = tf.placeholder(tf.float32, dims)
    y = tf.layers.flatten(x)
    assert y.shape.as_list() == expected
    fed = np.ones([d or 2 for d in dims])
    assert session.run(y, {x: fed}).shape == (fed.shape[0], fed.size // fed.shape[0])


def test_dropout_works_while_training_only(session) -> None:
    x = tf.ones([100])
    np.testing.assert_array_equal(session.run(tf.layers.dropout(x)), np.ones(100))
    assert set(session.run(tf.layers.dropout(x, 0.5, training=True))) == {0.0, 2.0}
    training = tf.placeholder_with_default(False, [])
    y = tf.layers.dropout(x, 0.5, training=training)
    np.testing.assert_array_equal(session.run(y), np.ones(100))
    assert set(session.run(y, {training: True})) == {0.0, 2.0}


@pytest.mark.parametrize(
    ("dims", "words"), [([2, None], "last dimension"), ([3], "min_ndim=2, found ndim=1"), (None, "last dimension")]
)
def test_dense_needs_a_known_last_dimension(dims, words) -> None:
    with tf.Graph().as_default(), pytest.raises(ValueError, match=words):
        tf.layers.dense(tf.placeholder(tf.float32, dims), 2)


def test_unknown_options_are_refused() -> None:
    with pytest.raises(TypeError, match="not understood: colour"):
        tf.layers.Dense(2, colour="red")


def test_layers_learn(session) -> None:
    x, y = tf.placeholder(tf.float32, [None, 1]), tf.placeholder(tf.float32, [None, 1])
    hidden = tf.layers.dense(x, 16, tf.nn.tanh, kernel_initializer=tf.glorot_uniform_initializer(seed=1))
    loss = tf.losses.mean_squared_error(y, tf.layers.dense(hidden, 1, kernel_initializer=tf.glorot_uniform_initializer(seed=2)))
    step = tf.train.AdamOptimizer(0.05).minimize(loss)
    session.run(tf.global_variables_initializer())
    fed = np.linspace(-2, 2, 64, dtype=np.float32)[:, None]
    for _ in range(200):
        session.run(step, {x: fed, y: np.sin(fed)})
    assert session.run(loss, {x: fed, y: np.sin(fed)}) < 0.01
