"""Placement as sessions use it: policies, guards, fallbacks and variables over several plans, on simulated GPUs."""

import warnings

import numpy as np
import pytest

import millstream as tf


@pytest.fixture(autouse=True)
def gpus():
    with tf.devices.simulated_gpus(2), tf.Graph().as_default():
        yield


def test_a_session_keeps_the_policy_that_it_was_made_under():
    """x -> y, small: on the CPU for one session, on the GPU for the other"""
    y = tf.tanh(tf.placeholder(tf.float32, [2], name="x"), name="y")
    with tf.placement.use_policy(tf.placement.small_tensors_on_cpu()):
        small = tf.Session()
    plain = tf.Session()
    small.placement(y, ["x:0"]).assert_on("y", "/cpu:0")
    plain.placement(y, ["x:0"]).assert_on("y", "/gpu:0")
    assert plain.run(y, {"x:0": [0.0, 0.0]}).tolist() == [0.0, 0.0]


def test_a_fallback_warns_once_for_a_session():
    with tf.device("/gpu:7"):
        x = tf.placeholder(tf.float32, [], name="x")
        y = tf.tanh(x, name="y")
    z = tf.exp(y, name="z")
    with tf.Session(config=tf.ConfigProto(allow_soft_placement=True)) as sess:
        with pytest.warns(UserWarning, match="y .*there is no such device"):
            sess.run(y, {x: 0.0})
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            sess.run(z, {x: 0.0})


def test_every_plan_finds_a_variable_where_the_first_put_it():
    """v is made on GPU:0 by policy; a later plan asks for its update on the CPU, and the update follows v"""
    v = tf.Variable([1.0, 2.0], name="v")
    with tf.Session() as sess:
        sess.run(v.initializer)
        sess.placement(v.assign_add([1.0, 1.0])).assert_all_on("/gpu:0")
        np.testing.assert_array_equal(sess.run(v), [1.0, 2.0])


def test_a_guarded_run_has_touched_nothing():
    """x(fed) -> v(GPU:1) += x: the refused run leaves v as it was"""
    x = tf.placeholder(tf.float32, [2], name="x")
    with tf.device("/gpu:1"):
        v = tf.Variable([1.0, 2.0], name="v")
        update = v.assign_add(x)
    with tf.Session() as sess:
        sess.run(v.initializer)
        with tf.placement.transfer_guard("disallow"), pytest.raises(tf.errors.FailedPreconditionError, match="x:0"):
            sess.run(update, {x: [1.0, 1.0]})
        np.testing.assert_array_equal(sess.run(v), [1.0, 2.0])
        with tf.placement.transfer_guard("disallow", allow=["x:0"]):
            np.testing.assert_array_equal(sess.run(update, {x: [1.0, 1.0]}), [2.0, 3.0])


def test_a_shape_on_its_way_to_a_reshape_never_touches_a_gpu():
    """x -> y(GPU:0) -> reshape by y's own shape"""
    x = tf.placeholder(tf.float32, [None, 4], name="x")
    y = tf.tanh(x, name="y")
    z = tf.reshape(y, [tf.shape(y)[0] * 4], name="z")
    with tf.Session() as sess:
        sess.placement(z, [x]).assert_copies([("x:0", "/cpu:0", "/gpu:0")])
        assert sess.run(z, {x: np.zeros((3, 4))}).shape == (12,)


def test_fallbacks_warn_at_the_users_line():
    with tf.Graph().as_default(), tf.Session(config=tf.ConfigProto(allow_soft_placement=True)) as session:
        with tf.device("/gpu:7"):
            x = tf.constant(1.0) + 1.0
        with pytest.warns(UserWarning, match="there is no such device") as told:
            session.run(x)
    assert {warning.filename for warning in told} == {__file__}
