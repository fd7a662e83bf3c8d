"""The modules that programs reach through `tf.contrib.slim`."""

import millstream as ms

slim = ms.contrib.slim


def test_initializers_and_regularizers_are_modules_of_slim():
    assert slim.initializers.xavier_initializer is ms.contrib.layers.xavier_initializer
    assert slim.regularizers.l2_regularizer is slim.l2_regularizer
    assert {"initializers", "regularizers"} <= set(slim.__all__)
