"""What simulated GPUs' clocks and RunMetadata tell of a run: overlap, waits, lanes."""

import json
import time

import numpy as np
import pytest

import millstream as tf
from millstream.devices import simulated_gpus

SIZE = 1024


def towers(count=2, layers=3):
    """Build one chain of products for each GPU and a sum on the host.

    x -> matmul -> matmul -> matmul   (gpu:0) --+
    x -> matmul -> matmul -> matmul   (gpu:1) --+-> add (cpu:0)
    """
    with tf.device("/cpu:0"):
        x = tf.placeholder(tf.float32, [SIZE, SIZE])
    ends = []
    for index in range(count):
        with tf.device(f"/gpu:{index}"):
            y = tf.identity(x)
            for layer in range(layers):
                y = tf.matmul(y, y, name=f"tower{index}_layer{layer}")
            ends.append(y)
    with tf.device("/cpu:0"):
        return x, tf.add_n(ends)


@pytest.fixture
def gpus():
    with simulated_gpus(2) as made, tf.Graph().as_default():
        yield made


def given():
    return np.full((SIZE, SIZE), 1e-3, "f4")


def kernels(records, device):
    return [r for r in records if device in r.device and r.kind == "kernel"]


def test_two_towers_overlap(gpus):
    x, y = towers()
    with tf.Session() as sess:
        sess.run(y, {x: given()})
        gpus[0].machine.reset()
        sess.run(y, {x: given()})
    records = list(gpus[0].machine.timeline)
    first, second = (kernels(records, f"GPU:{i}") for i in (0, 1))
    assert first and second
    assert min(r.start_us for r in second) < max(r.end_us for r in first)
    assert min(r.start_us for r in first) < max(r.end_us for r in second)


def small_towers(count, layers=6, size=256):
    """Build chains of small products, one for each GPU, one after the other: launching costs more than they do."""
    x = tf.placeholder(tf.float32, [size, size])
    ends = []
    for index in range(count):
        with tf.device(f"/gpu:{index}"):
            y = tf.identity(x)
            for layer in range(layers):
                y = tf.matmul(y, y, name=f"tower{index}_layer{layer}")
            ends.append(tf.reduce_sum(y))
    return x, ends


def launches(source):
    """Return to which tower each product of a plan's program belongs, in order."""
    lines = [
        line for line in source.splitlines() if "(MatMul)" in line and "get_async" not in line and ".wait()" not in line
    ]
    return [int(line.split("# tower")[1][0]) for line in lines]


def test_small_towers_overlap_too(gpus):
    x, ends = small_towers(2)
    with tf.Session() as sess:
        feed = {x: np.full((256, 256), 1e-3, "f4")}
        sess.run(ends, feed)
        gpus[0].machine.reset()
        sess.run(ends, feed)
        order = launches(sess.plan(ends, [x]).source)
    assert order == [0, 1] * 6
    first, second = (kernels(list(gpus[0].machine.timeline), f"GPU:{i}") for i in (0, 1))
    assert min(r.start_us for r in second) < sorted(r.start_us for r in first)[2]
    assert min(r.start_us for r in first) < max(r.end_us for r in second)


def test_gpus_take_turns_and_the_order_is_the_same_every_time():
    with simulated_gpus(3), tf.Graph().as_default():
        x, ends = small_towers(3)
        orders = []
        for fetches in (ends, ends, ends[::-1]):
            with tf.Session() as sess:
                orders.append(launches(sess.plan(fetches, [x]).source))
    assert orders == [[0, 1, 2] * 6] * 3


def test_a_longer_tower_goes_on_alone(gpus):
    x, (first, _) = small_towers(2, layers=2)
    with tf.device("/gpu:1"):
        y = tf.identity(x)
        for layer in range(4):
            y = tf.matmul(y, y, name=f"tower1_more{layer}")
    with tf.Session() as sess:
        assert launches(sess.plan([first, y], [x]).source) == [0, 1, 0, 1, 1, 1]


def steps_of(source):
    """Return the launches of products and the host's waits in the order of a plan's program."""
    lines = [
        line for line in source.splitlines() if ".wait()" in line or ("(MatMul)" in line and "get_async" not in line)
    ]
    return ["wait" if ".wait()" in line else "launch" for line in lines]


def test_the_host_waits_only_where_it_first_uses_a_value(gpus):
    x, y = towers()
    with tf.Session() as sess:
        sess.run(y, {x: given()})
        gpus[0].machine.reset()
        sess.run(y, {x: given()})
        source = sess.plan(y, [x]).source
    assert len(gpus[0].machine.host_waits) == 2
    assert steps_of(source) == ["launch"] * 6 + ["wait"] * 2


def test_launches_that_need_no_wait_come_before_it(gpus):
    """The host's value of GPU 0 is needed by a print on the CPU, not by what GPU 1 goes on with."""
    x = tf.placeholder(tf.float32, [SIZE, SIZE])
    with tf.device("/gpu:0"):
        a = tf.matmul(x, x)
    with tf.device("/cpu:0"):
        b = tf.reduce_sum(a)
    with tf.device("/gpu:1"):
        c = tf.matmul(tf.matmul(x, x), x)
    with tf.Session() as sess:
        source = sess.plan([b, c], [x]).source
    assert steps_of(source) == sorted(steps_of(source))


def full_trace(sess, fetches, feeds):
    metadata = tf.RunMetadata()
    sess.run(fetches, feeds, options=tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE), run_metadata=metadata)
    return metadata


def test_metadata_tells_what_ran_on_each_device(gpus):
    x, y = towers()
    with tf.Session() as sess:
        metadata = full_trace(sess, y, {x: given()})
    lanes = {device.device: [n.node_name for n in device.node_stats] for device in metadata.step_stats.dev_stats}
    for index in (0, 1):
        names = next(names for lane, names in lanes.items() if lane.endswith(f"GPU:{index}"))
        assert [name for name in names if "layer" in name] == [f"tower{index}_layer{i}" for i in range(3)]
    copies = [name for lane, names in lanes.items() if "copies" in lane for name in names]
    assert len(copies) >= 4
    partitions = {node.device for graph in metadata.partition_graphs for node in graph.node}
    assert len(partitions) == len(metadata.partition_graphs) == 3


def test_a_traced_run_gives_the_same_values(gpus):
    x, y = towers()
    with tf.Session() as sess:
        plain = sess.run(y, {x: given()})
        traced = sess.run(y, {x: given()}, tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE), tf.RunMetadata())
    np.testing.assert_array_equal(plain, traced)


def test_loops_and_branches_are_traced_too():
    with tf.Graph().as_default(), tf.Session() as sess:
        p = tf.placeholder(tf.int32, [])
        y = tf.while_loop(
            lambda i: i < 3, lambda i: tf.cond(p > 0, lambda: tf.add(i, p, name="inside"), lambda: i + 2), [0]
        )
        metadata = full_trace(sess, y, {p: 1})
    names = [n.node_name for device in metadata.step_stats.dev_stats for n in device.node_stats]
    assert len([name for name in names if name.endswith("inside")]) == 3


def test_steps_are_timed_by_the_wall_clock_and_exactly_long():
    def wait():
        time.sleep(0.05)
        return 1.0

    with tf.Graph().as_default(), tf.Session() as sess:
        y = tf.py_func(wait, [], tf.float64, name="wait") + 1.0
        before = time.time()
        metadata = full_trace(sess, y, {})
        after = time.time()
    stats = [n for device in metadata.step_stats.dev_stats for n in device.node_stats]
    assert len(stats) >= 2
    for n in stats:
        assert before - 0.01 <= n.all_start_micros / 1e6 <= after
        assert abs(n.all_start_nanos / 1e3 - n.all_start_micros) < 2
        assert abs(n.op_end_rel_nanos / 1e3 - n.op_end_rel_micros) <= 1
    (waited,) = [n for n in stats if n.node_name == "wait"]
    assert 0.05 <= waited.op_end_rel_micros / 1e6 <= after - before


def test_chromes_trace_has_a_process_for_each_lane(gpus, tmp_path):
    x, y = towers()
    with tf.Session() as sess:
        metadata = full_trace(sess, y, {x: given()})
    path = tmp_path / "trace.json"
    tf.write_chrome_trace(metadata, path)
    events = json.loads(path.read_text())["traceEvents"]
    named = {event["pid"]: event["args"]["name"] for event in events if event["ph"] == "M"}
    done = [event for event in events if event["ph"] == "X"]
    assert {event["pid"] for event in done} <= set(named)
    assert all(event["dur"] >= 1 and event["ts"] > 0 for event in done)
    assert json.loads(tf.chrome_trace(metadata.step_stats))["traceEvents"] == events
