"""Exponential moving averages: the values and names are TensorFlow's."""

import numpy as np
import pytest

import millstream as tf

pytestmark = pytest.mark.usefixtures("graph")


@pytest.fixture
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


# options, and the averages after one, two and three steps of v += 1 from [1, 2] (n += 2): of v, and of v squared.
RUNS = {
    "plain": ({}, [[1.1, 2.1], [1.29, 2.29], [1.561, 2.561]], [[0.4, 0.9], [1.26, 2.41], [2.734, 4.669]]),
    "num_updates": ({"num_updates": True}, [[1.75, 2.75], [2.5535715, 3.5535715], [3.3671875, 4.3671875]], None),
    "zero_debias": (
        {"zero_debias": True}, [[1.1, 2.1], [1.29, 2.29], [1.561, 2.561]],
        [[4.0, 9.0], [6.631579, 12.68421], [10.0885601, 17.2287788]]),
}  # fmt: skip


@pytest.mark.parametrize("use_resource", [False, True])
@pytest.mark.parametrize("case", RUNS)
def test_averages_go_where_tensorflows_go(case, use_resource):
    options, of_variable, of_tensor = RUNS[case]
    v = tf.Variable([1.0, 2.0], name="v", use_resource=use_resource)
    t = tf.square(v, name="t")
    n = tf.Variable(0, trainable=False)
    if "num_updates" in options:
        options = {"num_updates": n}
    ema = tf.train.ExponentialMovingAverage(0.9, **options)
    follow = ema.apply([v, t])
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for step in range(3):
            session.run([v.assign_add([1.0, 1.0]), n.assign_add(2)])
            session.run(follow)
            np.testing.assert_allclose(session.run(ema.average(v)), of_variable[step], rtol=1e-6)
            if of_tensor is not None:
                np.testing.assert_allclose(session.run(ema.average(t)), of_tensor[step], rtol=1e-6)


def test_names_and_collections():
    v, other = tf.Variable(1.0, name="v"), tf.Variable(2.0, name="other", trainable=False)
    t = tf.square(v, name="t")
    ema = tf.train.ExponentialMovingAverage(0.9, zero_debias=True, name="avg")
    assert ema.average_name(v) == "v/avg" and ema.average(v) is None and ema.name == "avg"
    follow = ema.apply([v, t])
    assert follow.name == "avg" and ema.average_name(v) == "v/avg" == ema.average(v).op.name
    assert tf.moving_average_variables() == [v] and tf.trainable_variables() == [v]
    restored = {
        "other": "other",
        "t/avg": "t/avg",
        "t/avg/biased": "t/avg/biased",
        "t/avg/local_step": "t/avg/local_step",
    }
    assert {k: x.op.name for k, x in ema.variables_to_restore().items()} == {"v/avg": "v", **restored}
    assert ema.variables_to_restore([other])["other/avg"] is other


def test_the_trainable_ones_by_default():
    v = tf.Variable(1.0)
    tf.Variable(1.0, trainable=False)
    ema = tf.train.ExponentialMovingAverage(0.5)
    ema.apply()
    assert list(tf.moving_average_variables()) == [v]


def test_counts_have_no_average():
    with pytest.raises(TypeError, match="The variables must be half, float, or double: Variable:0"):
        tf.train.ExponentialMovingAverage(0.9).apply([tf.Variable(1)])


@pytest.mark.simulated_gpus(1)
def test_averages_sit_with_their_variables():
    with tf.device("/gpu:0"):
        v = tf.Variable([1.0])
    ema = tf.train.ExponentialMovingAverage(0.9)
    follow = ema.apply([v])
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(follow)
        placed = session.placement(follow)
        assert placed[ema.average(v).op.name].assigned.endswith("GPU:0")
