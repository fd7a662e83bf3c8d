"""Watching a program: wishes reach its sessions, and what they did reaches the observer."""

import json

import pytest

import millstream as tf
from millstream.engine import observe


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default():
        yield


def test_nobody_watches_by_default():
    assert observe.current() is None


def test_blocks_nest():
    with observe.observing(observe.Wishes()) as outer:
        with observe.observing(observe.Wishes()) as inner:
            assert observe.current() is inner
        assert observe.current() is outer
    assert observe.current() is None


def test_wishes_are_added_to_a_copy_of_the_configuration():
    config = tf.ConfigProto(operation_timeout_in_ms=7)
    wished = observe.Observer(observe.Wishes(log_device_placement=True, soft=True)).configure(config)
    assert wished.log_device_placement and wished.allow_soft_placement and wished.operation_timeout_in_ms == 7
    assert not config.log_device_placement and not config.allow_soft_placement


@pytest.mark.parametrize("own", [True, False])
def test_no_wish_leaves_the_programs_own_choice(own):
    config = tf.ConfigProto(allow_soft_placement=own, log_device_placement=own)
    wished = observe.Observer(observe.Wishes()).configure(config)
    assert wished.allow_soft_placement is own and wished.log_device_placement is own


def test_strict_takes_softness_away():
    config = tf.ConfigProto(allow_soft_placement=True)
    assert not observe.Observer(observe.Wishes(soft=False)).configure(config).allow_soft_placement


def test_every_plan_is_reported_once():
    x = tf.placeholder(tf.float32, [], name="x")
    y = tf.add(x, 1.0, name="y")
    with observe.observing(observe.Wishes(placement=True)) as observer, tf.Session() as sess:
        for value in (1.0, 2.0):
            sess.run(y, {x: value})
        sess.run(y * 2.0, {x: 1.0})
    first, second = json.loads(observer.placements())
    assert first["fetches"] == ["y:0"] and second["fetches"] == ["mul:0"]
    assert "y" in {row["node"] for row in first["placement"]["nodes"]}


def test_all_runs_of_all_sessions_are_traced():
    x = tf.placeholder(tf.float32, [2])
    y = tf.tanh(x, name="y")
    with observe.observing(observe.Wishes(trace=True)) as observer:
        for _ in range(2):
            with tf.Session() as sess:
                sess.run(y, {x: [1.0, 2.0]})
    events = [event for event in json.loads(observer.trace())["traceEvents"] if event["ph"] == "X"]
    tanhs = [event for event in events if event["name"] == "y"]
    assert len(tanhs) == 2 and tanhs[0]["ts"] + tanhs[0]["dur"] <= tanhs[1]["ts"] + 1
    assert {event["pid"] for event in events} == {0}


def test_sessions_made_before_are_not_watched():
    y = tf.constant(1.0) + 1.0
    with tf.Session() as sess, observe.observing(observe.Wishes(placement=True, trace=True)) as observer:
        sess.run(y)
    assert json.loads(observer.placements()) == []
    assert json.loads(observer.trace())["traceEvents"] == []
