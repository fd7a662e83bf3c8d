"""Large temporaries are written to the same memory run after run, and nobody outside the run ever sees that memory change."""

import gc
import os
import threading
import tracemalloc

import numpy as np
import pytest

import millstream as tf
from millstream.devices.fusion import compiled
from millstream.engine.runtime.buffers import LARGE, Frame, FramePool, in_frame

SIDE = 768
MATRIX = np.full((SIDE, SIDE), 1 / SIDE, "f4")


def products(tf, x, count=6):
    """A chain of matrix products whose every result is large and needed for one step only."""
    y = x
    for _ in range(count):
        y = tf.nn.bias_add(tf.matmul(y, x), tf.ones([SIDE]))
    return y


def settle(sess, *args):
    """Run until the plan has found out what is large and what shapes come again, and nothing is compiled any more."""
    for _ in range(12):
        sess.run(*args)
    compiled.settle()
    return sess.run(*args)


# What a plan tells


def test_a_plan_tells_its_peak_and_its_buffers():
    """
        x -> a = x @ x -> b = a @ x -> c = b @ x -> the sum, which is fetched

    At most two of a, b and c are alive at once; c may lie where a lay.
    """
    x = tf.placeholder(tf.float32, [SIDE, SIDE], name="x")
    a = tf.matmul(x, x, name="a")
    b = tf.matmul(a, x, name="b")
    c = tf.matmul(b, x, name="c")
    total = tf.reduce_sum(c)
    with tf.Session() as sess:
        plan = sess.plan(total, [x])
    assert [buffer.values for buffer in plan.buffers] == [("a:0", "c:0"), ("b:0",)]
    assert [buffer.nbytes for buffer in plan.buffers] == [MATRIX.nbytes] * 2
    assert 2 * MATRIX.nbytes <= plan.peak_bytes() < 2 * MATRIX.nbytes + 1024


def test_unknown_dimensions_make_sizes_unknown():
    x = tf.placeholder(tf.float32, [None, 100], name="x")
    y = tf.matmul(tf.matmul(x, tf.ones([100, 100])), tf.ones([100, 3]))
    with tf.Session() as sess:
        plan = sess.plan(y, [x])
    assert plan.peak_bytes() is None
    assert plan.peak_bytes(unknown=10) == 10 * 100 * 4 + 10 * 3 * 4
    assert [buffer.nbytes for buffer in plan.buffers] == [None]


def test_small_temporaries_and_fetches_have_no_buffer():
    x = tf.placeholder(tf.float32, [SIDE, SIDE])
    small = tf.placeholder(tf.float32, [8, 8])
    with tf.Session() as sess:
        assert sess.plan(tf.matmul(x, x), [x]).buffers == ()
        assert sess.plan(tf.reduce_sum(tf.matmul(small, small)), [small]).buffers == ()


def test_a_fetched_view_of_all_of_an_array_keeps_it_out_of_the_buffers():
    x = tf.placeholder(tf.float32, [SIDE, SIDE])
    y = tf.matmul(x, x)
    with tf.Session() as sess:
        assert sess.plan(tf.reshape(y, [-1]), [x]).buffers == ()
        assert len(sess.plan(y[0, 0], [x]).buffers) == 1


def test_memory_that_a_loop_reads_outlives_its_last_round():
    """`y` is made before the loop and read in every round, so nothing made inside may lie where it lies."""
    x = tf.placeholder(tf.float32, [SIDE, SIDE])
    y = tf.matmul(x, x, name="outside")
    _, total = tf.while_loop(
        lambda i, t: i < 3, lambda i, t: (i + 1, t + tf.reduce_sum(tf.matmul(tf.matmul(y, y), y))), [0, 0.0]
    )
    with tf.Session() as sess:
        plan = sess.plan(total, [x])
        found = settle(sess, total, {x: MATRIX})
    assert all("outside:0" not in buffer.values or len(buffer.values) == 1 for buffer in plan.buffers)
    assert found == pytest.approx(3 * MATRIX.sum(), rel=1e-4)


# What a run allocates


def largest_growth(run, times=3):
    """Return by how many bytes memory grows at most while `run` runs."""
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(times):
            run()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("dims", [[SIDE, SIDE], [None, None]], ids=["known", "unknown"])
def test_a_repeated_run_allocates_nothing_large(dims):
    x = tf.placeholder(tf.float32, dims)
    total = tf.reduce_sum(products(tf, x))
    with tf.Session() as sess:
        settle(sess, total, {x: MATRIX})
        assert largest_growth(lambda: sess.run(total, {x: MATRIX})) < LARGE


def test_a_repeated_training_step_allocates_less_than_its_temporaries():
    x = tf.placeholder(tf.float32, [None, SIDE])
    weights = [tf.Variable(tf.random_normal([SIDE, SIDE], stddev=0.02, seed=i)) for i in range(3)]
    y = x
    for weight in weights:
        y = tf.nn.relu(tf.matmul(y, weight))
    loss = tf.reduce_mean(tf.square(y))
    train = tf.train.GradientDescentOptimizer(1e-3).minimize(loss)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        settle(sess, [loss, train], {x: MATRIX})
        grown = largest_growth(lambda: sess.run([loss, train], {x: MATRIX}))
        assert grown < sess.plan([loss, train], [x]).peak_bytes(unknown=SIDE)


def test_the_first_large_feed_of_a_plan_that_saw_small_ones_is_right():
    x = tf.placeholder(tf.float32, [None, None])
    total = tf.reduce_sum(tf.matmul(tf.matmul(x, x), x))
    with tf.Session() as sess:
        for side in (2, 2, 3, SIDE, 2, SIDE + 1, SIDE):
            value = np.full((side, side), 1 / side, "f4")
            assert sess.run(total, {x: value}) == pytest.approx(side, rel=1e-4)


# Whose memory it is


def test_fetched_arrays_stay_as_they_were():
    x = tf.placeholder(tf.float32, [SIDE, SIDE])
    y = tf.matmul(x, x)
    fetched = [y, y[:4], tf.transpose(y), tf.reduce_sum(tf.matmul(y, y))]
    with tf.Session() as sess:
        kept = [sess.run(fetched, {x: MATRIX * i}) for i in range(1, 8)]
    for i, values in enumerate(kept, 1):
        for value in values[:3]:
            np.testing.assert_allclose(value, i * i / SIDE, rtol=1e-4)
            assert value.flags.writeable


def test_what_a_python_function_keeps_stays_as_it_was():
    held = []

    def keep(value):
        held.append(value)
        return value

    x = tf.placeholder(tf.float32, [SIDE, SIDE])
    total = tf.reduce_sum(tf.py_func(keep, [tf.matmul(x, x)], tf.float32, stateful=True))
    with tf.Session() as sess:
        for i in range(1, 7):
            sess.run(total, {x: MATRIX * i})
    for i, value in enumerate(held, 1):
        np.testing.assert_allclose(value, i * i / SIDE, rtol=1e-4)


def test_a_failed_run_leaves_the_next_ones_right():
    x = tf.placeholder(tf.float32, [SIDE, SIDE])
    y = tf.matmul(x, x)

    def fail_on_ones(value):
        if value[0, 0] > 1:
            raise RuntimeError("too large")
        return value

    total = tf.reduce_sum(tf.matmul(tf.py_func(fail_on_ones, [y], tf.float32), y))
    with tf.Session() as sess:
        errors = []
        for i in range(8):
            if i % 2:
                with pytest.raises(tf.errors.UnknownError, match="too large") as caught:
                    sess.run(total, {x: MATRIX * SIDE})
                errors.append(caught)
            else:
                assert sess.run(total, {x: MATRIX}) == pytest.approx(SIDE, rel=1e-3)


def test_threads_never_share_memory():
    x = tf.placeholder(tf.float32, [SIDE, SIDE])
    total = products(tf, x, 3)[0, :3]
    wrong = []
    with tf.Session() as sess:
        expected = {i: sess.run(total, {x: MATRIX * i}) for i in range(1, 5)}

        def work(i):
            for _ in range(8):
                found = sess.run(total, {x: MATRIX * i})
                if not np.array_equal(found, expected[i]):
                    wrong.append((i, found))

        threads = [threading.Thread(target=work, args=(i,)) for i in expected]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not wrong


def test_a_closed_session_keeps_no_memory():
    x = tf.placeholder(tf.float32, [SIDE, SIDE])
    total = tf.reduce_sum(products(tf, x))
    sess = tf.Session()
    settle(sess, total, {x: MATRIX})
    frames = sess._frames
    assert frames.nbytes >= MATRIX.nbytes
    sess.close()
    assert frames.nbytes == 0


# Frames by themselves


def test_a_frame_gives_the_same_memory_again_when_nobody_refers_to_it():
    frame = Frame()
    first = frame.take(0, (512, 1024), np.float32)
    where = first.ctypes.data
    assert where % 64 == 0
    del first
    again = frame.take(0, (1024, 256), np.float64)
    assert again.ctypes.data == where
    assert again.shape == (1024, 256) and again.dtype == np.float64


@pytest.mark.parametrize("hold", [lambda a: a, lambda a: a[5:], lambda a: a.T, lambda a: memoryview(a), lambda a: [a]])
def test_a_frame_never_gives_memory_that_is_referred_to(hold):
    frame = Frame()
    first = frame.take(0, (512, 1024), np.float32)
    first[...] = 1
    held = hold(first)
    del first
    frame.take(0, (512, 1024), np.float32)[...] = 2
    assert (np.asarray(held) == 1).all()


def test_small_and_unplanned_arrays_are_new():
    frame = Frame()
    assert frame.take(0, (4,), np.float32).flags.owndata
    assert frame.take(None, (512, 1024), np.float32).flags.owndata
    assert frame.nbytes == 0


def test_a_frame_comes_back_after_an_error():
    frames = FramePool()

    def fail(run, frame):
        frame.take(0, (LARGE,), np.uint8)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        in_frame(fail, frames)(None)
    assert frames.nbytes > LARGE


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forking needs Unix")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_begins_with_no_frames():
    frames = FramePool()
    frame = frames.check_out()
    frame.take(0, (LARGE,), np.uint8)
    frames.check_in(frame)
    child = os.fork()
    if not child:
        os._exit(0 if frames.nbytes == 0 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert frames.nbytes > LARGE
