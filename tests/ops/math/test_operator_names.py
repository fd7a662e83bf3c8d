"""Operators between tensors make one node each, named as TensorFlow names it; others open a scope for what they convert."""

import pytest

import millstream as tf


def test_names_of_operators_and_products():
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [2, 2])
        with tf.name_scope("s"):
            x + x, x - x, x * x, x % x, x // x, x**x, x @ x, x * x, x / x, x * 2.0, 2.0 * x
            tf.matmul(x, x), tf.matmul(x, x, name="m"), tf.matmul(x, x, name="m"), tf.matmul(x, x, adjoint_b=True)
        names = [op.name for op in graph.get_operations()][1:]
    assert names == [
        *("s/add", "s/sub", "s/mul", "s/mod", "s/floordiv", "s/pow", "s/matmul", "s/mul_1", "s/truediv"),
        *("s/mul_2/y", "s/mul_2", "s/mul_3/x", "s/mul_3"),
        *("s/MatMul_1", "s/m", "s/m_1", "s/MatMul_2"),
    ]


def test_what_is_no_tensor_may_know_what_to_do_with_one():
    class Factor:
        def __rmul__(self, other):
            return "by", other

    with tf.Graph().as_default():
        x, v = tf.constant(1.0), tf.get_variable("v", [])
        assert x * Factor() == ("by", x)
        assert (v * Factor())[0] == "by"
        with pytest.raises(TypeError, match="Factor"):
            x - Factor()
