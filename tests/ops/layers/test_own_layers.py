"""Layers that programs derive themselves from tf.layers.Layer and its classes."""

import pytest

import millstream as tf


class Scale(tf.layers.Layer):
    """One factor for each channel, with a loss and an update."""

    def build(self, input_shape):
        width = input_shape[-1].value
        assert input_shape.as_list() == [None, 3]
        self.factor = self.add_variable("factor", [width], initializer=tf.constant_initializer(2.0))
        self.seen = self.add_weight("seen", [], initializer=tf.zeros_initializer(), trainable=False)
        super().build(input_shape)

    def call(self, inputs):
        self.add_loss(tf.reduce_sum(self.factor))
        self.add_update(tf.assign_add(self.seen, 1.0))
        return inputs * self.factor


def test_layer_of_ones_own() -> None:
    with tf.Graph().as_default() as graph, tf.Session() as session:
        x = tf.placeholder(tf.float32, [None, 3])
        layer = Scale(name="own")
        y = layer(x)
        assert [v.name for v in layer.variables] == ["own/factor:0", "own/seen:0"]
        assert (layer.input, layer.output, layer.graph, layer.built) == (x, y, graph, True)
        assert tf.losses.get_regularization_losses() == layer.losses
        assert tf.get_collection(tf.GraphKeys.UPDATE_OPS) == layer.updates
        session.run(tf.global_variables_initializer())
        session.run(layer.updates)
        assert session.run([y, layer.losses[0], layer.seen], {x: [[1, 2, 3]]})[1:] == [6.0, 1.0]


def test_connections() -> None:
    with tf.Graph().as_default():
        layer = tf.layers.Dense(2)
        with pytest.raises(AttributeError, match="is not connected"):
            _ = layer.input
        layer(tf.zeros([1, 3]))
        layer(tf.zeros([1, 3]))
        with pytest.raises(AttributeError, match="called 2 times"):
            _ = layer.output


def test_derived_from_dense() -> None:
    class Doubled(tf.layers.Dense):
        def build(self, input_shape):
            super().build(input_shape)
            assert self.built and self.kernel.shape.as_list() == [3, 4]

        def call(self, inputs):
            return 2.0 * super().call(inputs)

    with tf.Graph().as_default(), tf.Session() as session:
        y = Doubled(4, kernel_initializer=tf.ones_initializer())(tf.ones([1, 3]))
        session.run(tf.global_variables_initializer())
        assert session.run(y).tolist() == [[6.0] * 4]
