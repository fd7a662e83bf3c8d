"""Ops that wait: a kernel that blocks ends with its run, and nodes that do not depend on it have run by then."""

import threading
import time

import pytest

import millstream as tf
from millstream.ops.core.registry import REGISTRY, op


@pytest.fixture
def barrier():
    """A toy op under TensorFlow's name that waits for ever; `waiting` is set once it does."""
    waiting = threading.Event()

    def nothing(node):
        return []

    @op("Barrier", types="->", shape=nothing, blocking=True, stateful=True, devices="CPU")
    def wait(ctx, xp):
        condition = threading.Condition()
        with condition:
            waiting.set()
            ctx.cancellation.wait(lambda: False, condition)

    wait.waiting = waiting
    yield wait
    del REGISTRY["Barrier"]


def test_a_blocked_run_times_out_after_all_that_could_run(barrier):
    with tf.Graph().as_default(), tf.Session() as sess:
        blocked = barrier.node()
        count = tf.Variable(0)
        add = tf.assign_add(count, 1)
        sess.run(tf.global_variables_initializer())
        with pytest.raises(tf.errors.DeadlineExceededError):
            sess.run([blocked, add], options=tf.RunOptions(timeout_in_ms=100))
        assert sess.run(count) == 1


def test_close_ends_a_blocked_run(barrier):
    with tf.Graph().as_default():
        sess, blocked, raised = tf.Session(), barrier.node(), []

        def work():
            try:
                sess.run(blocked)
            except Exception as error:
                raised.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        assert barrier.waiting.wait(10)
        began = time.monotonic()
        sess.close()
        thread.join(10)
        assert not thread.is_alive() and time.monotonic() - began < 5
        assert isinstance(raised[0], tf.errors.CancelledError)
