"""The placement log: TensorFlow's lines, then the copies, each once, visible with and without logging configured."""

import logging
import subprocess
import sys

import pytest

from millstream.placement.log import PlacementLog, mapping_lines
from millstream.placement.placer import place
from support import toys
from support.toys import CPU0, GPU0, GPU1


@pytest.fixture(autouse=True)
def quiet_logger():
    """Give the logger its level back."""
    logger = logging.getLogger("millstream.placement")
    level = logger.level
    yield
    logger.setLevel(level)


def pipeline(graph):
    """x(CPU:0) -> b(GPU:0) -> c(GPU:1)"""
    with graph.device("/cpu:0"):
        x = toys.value(graph)
    with graph.device("/gpu:0"):
        b = toys.tanh(x, name="b")
    with graph.device("/gpu:1"):
        toys.tanh(b, name="c")


EXPECTED = [
    "Device mapping:",
    f"{GPU0} -> device: 0, name: simulated GPU",
    f"{GPU1} -> device: 1, name: simulated GPU",
    f"x: (Placeholder): {CPU0}",
    f"b: (Tanh): {GPU0}",
    f"c: (Tanh): {GPU1}",
    f"x:0: (Copy): {CPU0} -> {GPU0}, 8 bytes, host to device, for b (b runs there)",
    f"b:0: (Copy): {GPU0} -> {GPU1}, 8 bytes, device to device, for c (c runs there)",
]


def test_the_lines_are_these_and_come_once(graph, devices, caplog):
    pipeline(graph)
    with caplog.at_level(logging.INFO, "millstream.placement"):
        log = PlacementLog(devices)
        for _ in range(3):
            assignment = place(graph.get_operations(), devices, log=log)
            log.write(assignment.rows, assignment.copies)
    assert [record.getMessage() for record in caplog.records] == EXPECTED
    assert {record.name for record in caplog.records} == {"millstream.placement"}


def test_a_later_placement_writes_only_what_is_new(graph, devices, caplog):
    pipeline(graph)
    log = PlacementLog(devices)
    first = place(graph.get_operations(), devices)
    log.write(first.rows, first.copies)
    with graph.device("/gpu:1"):
        toys.tanh(graph.get_tensor_by_name("c:0"), name="d")
    caplog.clear()
    second = place(graph.get_operations(), devices)
    log.write(second.rows, second.copies)
    assert [record.getMessage() for record in caplog.records] == [f"d: (Tanh): {GPU1}"]


def test_a_log_that_is_off_writes_nothing(graph, devices, caplog):
    pipeline(graph)
    assignment = place(graph.get_operations(), devices)
    PlacementLog(devices, enabled=False).write(assignment.rows, assignment.copies)
    assert not caplog.records


def test_machines_without_gpus_say_so(cpu_devices):
    assert mapping_lines(cpu_devices) == ["Device mapping: no known devices."]


SCRIPT = """
import logging, sys
{configure}
from millstream.placement.log import emit
emit("b: (Mul): GPU:0")
"""


@pytest.mark.parametrize(
    ("configure", "expected"),
    [
        ("", "b: (Mul): GPU:0\n"),
        ("logging.basicConfig(format='LOG %(message)s')", "LOG b: (Mul): GPU:0\n"),
        ("logging.getLogger('millstream.placement').setLevel(logging.WARNING)", ""),
    ],
)
def test_the_log_is_seen_whether_or_not_logging_is_configured(configure, expected):
    script = SCRIPT.format(configure=configure)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == expected
