"""What every layer owes: inputs that fit its weights, variables made by `build` alone, updates and losses told apart."""

from __future__ import annotations

from typing import Any

import pytest

import millstream as tf

LAYERS: dict[str, tuple[Any, list[int], list[int], str]] = {
    "dense": (lambda: tf.layers.Dense(3), [2, 5], [2, 4], "axis -1 of input shape to have value 5 but received"),
    "rank": (lambda: tf.layers.Dense(3), [2, 5], [5], "expected min_ndim=2, found ndim=1"),
    "images": (lambda: tf.layers.Conv2D(3, 2), [1, 4, 4, 2], [1, 4, 4, 3], "axis -1 of input shape to have value 2"),
    "first": (
        lambda: tf.layers.Conv2D(3, 2, data_format="channels_first"),
        [1, 2, 4, 4],
        [1, 3, 4, 4],
        "axis 1 of input shape to have value 2",
    ),
    "transposed": (lambda: tf.layers.Conv2DTranspose(3, 2), [1, 4, 4, 2], [1, 4, 4, 3], "axis -1 of input shape"),
    "separable": (lambda: tf.layers.SeparableConv1D(3, 2), [1, 4, 2], [1, 4, 3], "axis -1 of input shape"),
    "pool": (lambda: tf.layers.MaxPooling2D(2, 2), [1, 4, 4, 2], [1, 4, 4], "expected ndim=4, found ndim=3"),
}


@pytest.mark.parametrize("case", LAYERS)
def test_inputs_fit_what_the_layer_was_made_for(case: str) -> None:
    make, first, second, words = LAYERS[case]
    with tf.Graph().as_default():
        layer = make()
        layer(tf.zeros(first))
        with pytest.raises(
            ValueError, match=f"Input 0 of layer {layer.name} is incompatible with the layer: .*{words}"
        ):
            layer(tf.zeros(second))


def test_whole_numbers_have_no_dense_layer() -> None:
    with tf.Graph().as_default(), pytest.raises(TypeError, match="non-floating point dtype"):
        tf.layers.dense(tf.constant([[1, 2]]), 3)


@pytest.mark.parametrize("dims", [[None, 7], (None, 7), tf.TensorShape([None, 7])])
def test_variables_are_made_before_the_first_call(dims: Any) -> None:
    with tf.Graph().as_default(), tf.variable_scope("outer"):
        layer = tf.layers.Dense(2)
        layer.build(dims)
        assert [v.name for v in layer.variables] == ["outer/dense/kernel:0", "outer/dense/bias:0"]
        assert layer(tf.zeros([3, 7])).name == "outer/dense/BiasAdd:0" and len(layer.variables) == 2
        assert layer.kernel.shape == (7, 2)


def test_updates_and_losses_of_inputs() -> None:
    class Counting(tf.layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.calls = self.add_weight("calls", [], initializer=tf.zeros_initializer(), trainable=False)

        def call(self, inputs: Any, **options: Any) -> Any:
            self.add_update(tf.assign_add(self.calls, 1.0))
            self.add_update(tf.assign_add(self.calls, tf.reduce_sum(inputs)), inputs=True)
            self.add_loss(tf.constant(1.0))
            self.add_loss(tf.reduce_sum(inputs), inputs=inputs)
            return inputs * 2.0

    with tf.Graph().as_default():
        layer, (one, other) = Counting(), (tf.zeros([2]), tf.ones([2]))
        layer(one), layer(other)
        updates, losses = layer.updates, layer.losses
        assert layer.get_updates_for(None) == [updates[0], updates[2]]
        assert layer.get_updates_for(one) == [updates[1]] and layer.get_updates_for([one, other]) == [
            updates[1],
            updates[3],
        ]
        assert layer.get_losses_for(None) == [losses[0], losses[2]] and layer.get_losses_for(other) == [losses[3]]
        normal = tf.layers.BatchNormalization()
        normal(one[None], training=True), normal(other[None], training=True)
        assert normal.get_updates_for(None) == [] and normal.get_updates_for(other) == normal.updates[2:]


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_sequences_are_pooled_as_images_of_one_column(data_format: str) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.constant([[[1.0], [4.0], [2.0], [9.0], [5.0]]])
        given = tf.transpose(x, [0, 2, 1]) if data_format == "channels_first" else x
        greatest = tf.layers.max_pooling1d(given, 2, 2, "same", data_format)
        mean = tf.layers.average_pooling1d(given, 3, 1, data_format=data_format)
        assert [greatest.name, mean.name] == ["max_pooling1d/Squeeze:0", "average_pooling1d/Squeeze:0"]
        assert session.run(greatest).ravel().tolist() == [4, 9, 5]
        assert session.run(mean).ravel().tolist() == pytest.approx([7 / 3, 5, 16 / 3])
