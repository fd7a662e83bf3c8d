"""Layers tell the shape of outputs that they have not made, and make nothing for it."""

import pytest

import millstream as tf

layers = tf.layers
CASES = [
    (lambda: layers.Dense(5), [None, 3], [None, 5]),
    (lambda: layers.Dense(2, name="named", use_bias=False), [None, None, 7], [None, None, 2]),
    (lambda: layers.Conv2D(4, 3, 2), [None, 8, 9, 2], [None, 3, 4, 4]),
    (lambda: layers.Conv1D(4, 3, padding="same", data_format="channels_first"), [2, 3, 9], [2, 4, 9]),
    (lambda: layers.Conv2DTranspose(4, 3, 2), tf.TensorShape([1, 4, 4, 2]), [1, 9, 9, 4]),
    (lambda: layers.SeparableConv2D(6, 3), [1, 5, 5, 2], [1, 3, 3, 6]),
    (lambda: layers.MaxPooling2D(2, 2), [None, 8, 8, 3], [None, 4, 4, 3]),
    (lambda: layers.Flatten(), [2, 3, 4], [2, 12]),
    (lambda: layers.Dropout(0.5), (3, None), [3, None]),
    (lambda: layers.BatchNormalization(), [None, 4], [None, 4]),
]


@pytest.mark.parametrize(("make", "given", "wanted"), CASES)
def test_shapes_of_outputs(make, given, wanted):
    with tf.Graph().as_default() as graph:
        layer = make()
        assert layer.compute_output_shape(given).as_list() == wanted
        assert not layer.built
        assert (graph.get_operations(), tf.global_variables()) == ([], [])


def test_a_built_layer_keeps_its_variables():
    with tf.Graph().as_default():
        layer = layers.Dense(5, kernel_regularizer=tf.contrib.layers.l2_regularizer(0.1))
        layer(tf.zeros([2, 3]))
        before = list(layer.variables), list(layer.losses)
        assert layer.compute_output_shape([7, 3]).as_list() == [7, 5]
        assert (list(layer.variables), list(layer.losses)) == before
        assert layer.input.shape.as_list() == [2, 3]


def test_what_has_no_shape():
    class Nest(layers.Layer):
        def __init__(self):
            super().__init__()
            self.inside = {"dense": [layers.Dense(3)]}

    with tf.Graph().as_default():
        with pytest.raises(NotImplementedError, match="Layer nest holds other layers"):
            Nest().compute_output_shape([2, 2])
        with pytest.raises(ValueError, match="The last dimension of the inputs to `Dense` should be defined"):
            layers.Dense(3).compute_output_shape([2, None])
