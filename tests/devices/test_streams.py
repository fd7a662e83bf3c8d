"""Order between streams of simulated GPUs, their virtual time, and what transfers guarantee.

Pictures: a column is a stream, time goes down, `*` is an event and `->` a wait for it.
"""

import itertools
import subprocess
import sys

import numpy as np
import pytest

from millstream.devices import (
    DeviceConfig,
    StreamOrderError,
    local_devices,
    simulated_gpus,
    transfer,
    transfer_async,
    transfers,
)

X = np.arange(8, dtype=np.float32)


def test_reading_on_another_stream_needs_an_event(gpu):
    """compute: x = ..          compute: x = .. *
    copy:    x + 1   (race)     copy:           -> x + 1"""
    x = gpu.xp.ones(4)
    message = r"is read on <copy .*without waiting for <compute .*where it was written"
    with gpu.on(gpu.copy_stream), pytest.raises(StreamOrderError, match=message):
        x + 1
    gpu.copy_stream.wait(gpu.compute_stream.record())
    with gpu.on(gpu.copy_stream):
        y = x + 1
    gpu.compute_stream.wait(gpu.copy_stream.record())
    assert gpu.get(y).tolist() == [2] * 4


def test_an_event_covers_only_what_came_before_it(gpu):
    event = gpu.compute_stream.record()
    x = gpu.xp.ones(4)
    gpu.copy_stream.wait(event)
    with gpu.on(gpu.copy_stream), pytest.raises(StreamOrderError):
        x + 1


def test_overwriting_what_another_stream_reads_needs_an_event(gpu):
    """compute: x = .. *            x += 1 (race)
    copy:              -> y = x"""
    x = gpu.xp.ones(4)
    gpu.copy_stream.wait(gpu.compute_stream.record())
    with gpu.on(gpu.copy_stream):
        y = x + 1
    with pytest.raises(StreamOrderError, match=r"is written on <compute .*where it was read"):
        x += 1
    with pytest.raises(StreamOrderError, match=r"is freed on <compute .*where it was read"):
        gpu.free(x)
    gpu.compute_stream.wait(gpu.copy_stream.record())
    x += 1
    del y


def test_dropping_what_another_stream_reads_is_reported_late(gpu):
    x = gpu.xp.ones(4)
    gpu.copy_stream.wait(gpu.compute_stream.record())
    with gpu.on(gpu.copy_stream):
        y = x + 1
    del x
    with pytest.raises(StreamOrderError, match="is freed on"):
        gpu.synchronize()
    gpu.compute_stream.wait(gpu.copy_stream.record())
    del y
    gpu.synchronize()


def test_waits_carry_over(gpus):
    """gpu0: x *      gpu1: -> *      copy of gpu0: -> x + 1"""
    first, second = gpus
    x = first.xp.ones(4)
    second.compute_stream.wait(first.compute_stream.record())
    first.copy_stream.wait(second.compute_stream.record())
    with first.on(first.copy_stream):
        y = x + 1
    first.compute_stream.wait(first.copy_stream.record())
    assert first.get(y).tolist() == [2.0] * 4


def test_what_the_host_waited_for_is_ordered(gpu):
    x = gpu.xp.ones(4)
    gpu.compute_stream.synchronize()
    with gpu.on(gpu.copy_stream):
        y = x + 1
    gpu.copy_stream.synchronize()
    assert gpu.get(y).tolist() == [2] * 4


def test_time_flows(gpus):
    first, second = gpus
    x = first.put(X)
    with first.label("double"):
        y = x * 2
    z = transfer(y, first, second)
    second.get(z)
    records = gpus.timeline()
    assert [(record.name, record.lane, record.device[-5:]) for record in records] == [
        ("put", "copy", "GPU:0"),
        ("double", "compute", "GPU:0"),
        ("receive", "copy", "GPU:1"),
        ("get", "copy", "GPU:1"),
    ]
    assert all(record.start_us < record.end_us and record.nbytes >= X.nbytes for record in records)
    assert all(earlier.end_us <= later.start_us for earlier, later in itertools.pairwise(records))
    (wait,) = gpus.host_waits()
    assert wait.why == "get" and wait.device.endswith("GPU:1") and wait.end_us == records[-1].end_us
    gpus.reset_timeline()
    assert gpus.timeline() == gpus.host_waits() == []


def test_two_gpus_work_side_by_side(gpus):
    big = np.ones(1 << 17, np.float32)
    arrays = [(device, device.put(big)) for device in gpus]
    for device, _ in arrays:
        device.synchronize()
    gpus.reset_timeline()
    for _, array in arrays:
        # Launching costs the host more than a kernel takes; a copy is long enough to overlap.
        array.set(big)
    first, second = gpus.timeline()
    assert second.start_us < first.end_us


def test_pending_copies_do_not_make_the_host_wait(gpus):
    gpu, cpu = gpus[0], local_devices()[0]
    x = gpu.put(X)
    pending = transfer_async(x, gpu, cpu)
    assert not pending.done and gpus.host_waits() == []
    following = x + 1
    with pytest.raises(StreamOrderError):
        x += 1
    np.testing.assert_array_equal(pending.wait(), X)
    assert pending.done and pending.wait() is pending.wait() and len(gpus.host_waits()) == 1
    x += 1
    np.testing.assert_array_equal(gpu.get(x), gpu.get(following))


def test_pending_copies_hold_what_they_read(gpus):
    gpu, cpu = gpus[0], local_devices()[0]
    x = gpu.put(X)
    pending = transfer_async(x, gpu, cpu)
    del x
    following = gpu.put(X) + 1
    np.testing.assert_array_equal(pending.wait(), X)
    np.testing.assert_array_equal(gpu.get(following), X + 1)


def test_a_copy_that_nobody_waits_for_is_waited_for_when_it_is_dropped(gpus):
    gpu, cpu = gpus[0], local_devices()[0]
    pending = transfer_async(gpu.put(X), gpu, cpu)
    del pending
    assert [wait.why for wait in gpus.host_waits()] == ["a copy that nobody waited for"]
    gpu.synchronize()


WAYS = [("CPU:0", "CPU:1"), ("CPU:0", "GPU:0"), ("GPU:0", "CPU:0"), ("GPU:0", "GPU:1"), ("GPU:1", "GPU:0")]


@pytest.mark.parametrize(("start", "end"), WAYS)
def test_transfers_copy_and_are_counted(start, end):
    with simulated_gpus(2):
        devices = {device.short_name: device for device in local_devices(DeviceConfig(device_count={"CPU": 2}))}
    source, destination = devices[start], devices[end]
    array = source.put(X)
    transfers.reset()
    copy = transfer(array, source, destination)
    array[...] = -1
    assert destination.owns(copy)
    np.testing.assert_array_equal(destination.get(copy), X)
    assert list(transfers.traffic) == [(source.name, destination.name)]
    assert (transfers.count, transfers.nbytes) == (1, 32)


def test_transfers_between_different_simulated_machines_go_through_the_host():
    with simulated_gpus(1) as one, simulated_gpus(1) as other:
        copy = transfer(one[0].put(X), one[0], other[0])
    assert other[0].owns(copy) and other[0].get(copy).tolist() == X.tolist()


def test_async_transfers_end_on_the_host(gpus):
    with pytest.raises(ValueError, match=r"copies to the host, got .*GPU:1"):
        transfer_async(gpus[0].put(X), gpus[0], gpus[1])


def test_scalars_travel(gpus):
    copy = transfer(np.float32(3), local_devices()[0], gpus[0])
    assert copy.shape == () and gpus[0].get(copy) == 3


ENDING = """
import gc, threading
from millstream.devices import local_devices, simulated_gpus
with simulated_gpus(1):
    (gpu,) = [device for device in local_devices() if "GPU" in str(device)]
gc.disable()
kept = [gpu.xp.ones(4), gpu.get_async(gpu.xp.ones(4))]
kept.append(kept)
machine = gpu.machine
del kept
held = threading.Event()
def hold(machine=machine, held=held):
    with machine.lock:
        held.set()
        threading.Event().wait()
threading.Thread(target=hold, daemon=True).start()
held.wait()
"""


def test_a_program_ends_though_a_thread_stopped_for_good_holds_the_clock():
    done = subprocess.run([sys.executable, "-c", ENDING], timeout=60, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
