"""tf.keras: layers in graphs, models that learn, and the small helpers."""

import numpy as np
import pytest

import millstream as tf

keras = tf.keras
RANDOM = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        tf.set_random_seed(1)
        np.random.seed(1)
        yield graph
        keras.backend.clear_session()


def images():
    x = RANDOM.random((64, 8, 8, 1)).astype("f4")
    y = (RANDOM.random(64) > 0.5).astype("i8")
    x[y == 1, :4] += 0.5
    return x, y


def test_a_sequential_model_learns(capsys):
    model = keras.Sequential([
        keras.layers.Conv2D(4, 3, activation="relu", input_shape=(8, 8, 1)), keras.layers.MaxPooling2D(),
        keras.layers.Flatten(), keras.layers.Dropout(0.1),
        keras.layers.Dense(2, activation="softmax", kernel_regularizer=keras.regularizers.l2(1e-4)),
    ])  # fmt: skip
    x, y = images()
    model.compile(tf.train.AdamOptimizer(0.01), "sparse_categorical_crossentropy", ["accuracy"])
    record = model.fit(x, y, epochs=15, verbose=0, validation_data=(x, y))
    assert record.history["loss"][-1] < 0.5 * record.history["loss"][0] and len(record.epoch) == 15
    loss, accuracy = model.evaluate(x, y, verbose=0)
    assert accuracy > 0.9 and record.history["val_acc"][-1] == pytest.approx(accuracy)
    assert model.predict(x).shape == (64, 2) and model.count_params() == 40 + 74
    assert [v.op.name for v in model.variables] == ["conv2d/kernel", "conv2d/bias", "dense/kernel", "dense/bias"]
    model.summary()
    assert "Total params: 114" in capsys.readouterr().out
    weights = model.get_weights()
    model.set_weights([0 * w for w in weights])
    np.testing.assert_allclose(model.predict(x), 0.5)
    assert model.train_on_batch(x, y)[0] > loss


def test_a_functional_model():
    inputs = keras.Input((3,))
    hidden = keras.layers.Dense(4, activation="tanh", name="hidden")(inputs)
    outputs = keras.layers.Dense(1)(keras.layers.concatenate([hidden, inputs]))
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "mse")
    x = RANDOM.random((32, 3))
    losses = model.fit(x, x.sum(1, keepdims=True), epochs=30, verbose=0).history["loss"]
    assert losses[-1] < 0.2 * losses[0]
    assert [layer.name for layer in model.layers] == ["hidden", "concatenate", "dense"]
    again = model(tf.zeros([2, 3]))
    assert again.shape.as_list() == [2, 1] and len(tf.trainable_variables()) == 4
    assert keras.backend.get_session().run(again).shape == (2, 1)


def test_a_model_of_its_own_class():
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.first = keras.layers.Dense(8, activation="relu")
            self.second = keras.layers.Dense(1, activation="sigmoid")

        def call(self, inputs):
            return self.second(self.first(inputs))

    x, net = RANDOM.normal(size=(64, 2)).astype("f4"), Net()
    y = (x[:, :1] > 0).astype("f4")
    net.compile(tf.train.AdamOptimizer(0.05), "binary_crossentropy", ["accuracy"])
    net.fit(x, y, epochs=20, verbose=0)
    assert net.evaluate(x, y, verbose=0)[1] > 0.9 and len(net.trainable_variables) == 4


def test_layers_stand_in_graphs():
    x = tf.placeholder(tf.float32, [None, 4])
    y = keras.layers.Dense(3, kernel_initializer="ones", use_bias=False)(x)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run(y, {x: [[1, 2, 3, 4]]}).tolist() == [[10, 10, 10]]


def test_batch_normalisation_follows_while_training():
    model = keras.Sequential([keras.layers.BatchNormalization(momentum=0.5, input_shape=(2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.array([[4.0, 8.0], [6.0, 8.0]], "f4")
    model.train_on_batch(x, np.zeros((2, 1), "f4"))
    moving = model.layers[0].get_weights()[2]
    np.testing.assert_allclose(moving, [2.5, 4], rtol=1e-5)
    model.evaluate(x, np.zeros((2, 1)), verbose=0)
    np.testing.assert_allclose(model.layers[0].get_weights()[2], moving)


LAYERS = {
    "Embedding": (lambda x: keras.layers.Embedding(5, 3)(tf.cast(x, tf.int32)), [2, 4, 3]),
    "Reshape": (lambda x: keras.layers.Reshape((2, 2))(x), [2, 2, 2]),
    "Activation": (lambda x: keras.layers.Activation("relu")(x), [2, 4]),
    "Lambda": (lambda x: keras.layers.Lambda(lambda t: t[:, :2])(x), [2, 2]),
    "Add": (lambda x: keras.layers.Add()([x, x]), [2, 4]),
    "Multiply": (lambda x: keras.layers.Multiply()([x, x]), [2, 4]),
    "GlobalAveragePooling2D": (lambda x: keras.layers.GlobalAveragePooling2D()(tf.reshape(x, [2, 2, 2, 1])), [2, 1]),
    "AveragePooling2D": (lambda x: keras.layers.AveragePooling2D((2, 2))(tf.reshape(x, [2, 2, 2, 1])), [2, 1, 1, 1]),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name):
    build, shape = LAYERS[name]
    y = build(tf.ones([2, 4]))
    assert list(keras.backend.get_session().run(y).shape) == shape


X = np.array([[0.2, 0.8], [0.6, 0.4]], "f4")
LOSSES = {
    "mse": (X, X + 1, [1, 1]),
    "mae": (X, X + 2, [2, 2]),
    "categorical_crossentropy": (np.eye(2), X, -np.log([0.2, 0.4])),
    "sparse_categorical_crossentropy": (np.array([1, 0]), X, -np.log([0.8, 0.6])),
    "binary_crossentropy": (np.eye(2), X, -np.log([0.2 * 0.2, 0.4 * 0.4]) / 2),
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses(name):
    labels, predictions, expected = LOSSES[name]
    with tf.Session() as session:
        found = session.run(getattr(keras.losses, name)(tf.constant(labels), tf.constant(predictions, tf.float32)))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_helpers(tmp_path):
    assert keras.backend.epsilon() == 1e-7 and keras.utils.to_categorical([0, 2]).tolist() == [[1, 0, 0], [0, 0, 1]]
    sparse = keras.backend.ctc_label_dense_to_sparse(tf.constant([[1, 2, 0], [3, 0, 0]]), tf.constant([2, 1]))
    with tf.Session() as session:
        found = session.run(sparse)
        assert session.run(keras.regularizers.l1_l2(0.5, 0.25)(tf.constant([2.0, -2.0]))) == 4
    assert found.values.tolist() == [1, 2, 3] and found.indices.tolist() == [[0, 0], [0, 1], [1, 0]]
    arrays = {name: np.arange(3) for name in ("x_train", "y_train", "x_test", "y_test")}
    np.savez(tmp_path / "mnist.npz", **arrays)
    (x, _), _ = keras.datasets.mnist.load_data(str(tmp_path / "mnist.npz"))
    assert x.tolist() == [0, 1, 2]


def test_refusals(tmp_path):
    with pytest.raises(ValueError, match="Unknown activation function: rely"):
        keras.layers.Dense(3, activation="rely")
    with pytest.raises(RuntimeError, match="You must compile your model"):
        keras.Sequential([keras.layers.Dense(1, input_shape=(2,))]).fit(np.ones((2, 2)), np.ones((2, 1)))
    with pytest.raises(FileNotFoundError, match="nothing is downloaded"):
        keras.datasets.mnist.load_data(str(tmp_path / "no.npz"))


def test_regularizers_have_a_base():
    kind = keras.regularizers.Regularizer
    made = keras.regularizers.l1(0.5)
    assert isinstance(made, kind) and type(made).from_config(made.get_config()).l1 == 0.5
    assert kind()(None) == 0.0
