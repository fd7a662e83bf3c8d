"""Exactly which copies a placement needs: one for each tensor and destination, and none that nobody needs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from millstream.devices import local_devices, simulated_gpus
from millstream.devices.registry import DeviceConfig
from millstream.ops.core import dtypes
from millstream.ops.core.graph import Graph
from millstream.placement.placer import place
from support import toys
from support.toys import CPU0, CPU1, GPU0, GPU1


def diamond(graph):
    """x(CPU:0, fed) -> b(GPU:0) -> c, d (GPU:1) -> e(CPU:0)"""
    with graph.device("/cpu:0"):
        x = toys.value(graph)
    with graph.device("/gpu:0"):
        b = toys.mul(x, x, name="b")
    with graph.device("/gpu:1"):
        c, d = toys.tanh(b, name="c"), toys.tanh(b, name="d")
    with graph.device("/cpu:0"):
        toys.mul(c, d, name="e")
    return x


def test_one_copy_for_each_tensor_and_destination(graph, placed):
    copies = placed(feeds=[diamond(graph)]).copies
    assert [(c.tensor, c.source, c.destination, c.consumers, c.nbytes, c.direction) for c in copies] == [
        ("x:0", CPU0, GPU0, ("b",), 8, "host to device"),
        ("b:0", GPU0, GPU1, ("c", "d"), 8, "device to device"),
        ("c:0", GPU1, CPU0, ("e",), 8, "device to host"),
        ("d:0", GPU1, CPU0, ("e",), 8, "device to host"),
    ]
    assert [copy.cause for copy in copies] == ["fed on the host", "c runs there", "e runs there", "e runs there"]
    assert all(copy.implied for copy in copies)


def test_cpus_copy_too(graph, placed):
    """x(CPU:0) -> y(CPU:1)"""
    with graph.device("/cpu:0"):
        x = toys.value(graph)
    with graph.device("/cpu:1"):
        toys.tanh(x, name="y")
    (copy,) = placed().copies
    assert (copy.source, copy.destination, copy.direction) == (CPU0, CPU1, "host to host")


def test_host_arguments_are_wanted_on_the_host(graph, placed):
    """n(GPU:0, big) -> r's shape(GPU:0): read in host memory"""
    x = toys.value(graph)
    n = toys.identity(toys.value(graph, (100,), dtypes.int32, "dims"), name="n")
    with graph.device("/gpu:0"):
        toys.reshape(x, n, name="r")
    copies = {c.tensor: (c.source, c.destination, c.cause) for c in placed().copies}
    assert copies == {"n:0": (GPU0, CPU0, "r reads it in host memory")}


def test_a_host_output_of_a_gpu_is_on_the_host_already(graph, placed):
    """y(GPU:0) -> s(shape, on the GPU, its value on the host) -> w(CPU only)"""
    s = toys.shape_of(toys.tanh(toys.value(graph), name="y"), name="s")
    toys.cpu_only(s, name="w")
    assert placed().copies == []


def test_feeds_go_from_the_host_to_every_device_that_reads_them(graph, placed):
    """x(fed, pinned to GPU:0) -> a(GPU:0), b(GPU:1): the first copy is what the user asked for"""
    with graph.device("/gpu:0"):
        x = toys.value(graph)
        toys.tanh(x, name="a")
    with graph.device("/gpu:1"):
        toys.tanh(x, name="b")
    copies = placed(feeds=[x]).copies
    assert [(c.source, c.destination, c.implied) for c in copies] == [(CPU0, GPU0, False), (CPU0, GPU1, True)]
    assert copies[0].cause == "fed to a placeholder that is pinned there"


def test_feeding_a_computed_tensor_replaces_its_node(graph, devices):
    """y(GPU:0, fed instead of computed) -> z(GPU:0)"""
    x = toys.value(graph)
    y = toys.tanh(x, name="y")
    z = toys.tanh(y, name="z")
    assignment = place([z.op], devices, feeds=[y])
    assert [row.node for row in assignment.rows] == ["z"]
    assert [(c.tensor, c.source, c.destination) for c in assignment.copies] == [("y:0", CPU0, GPU0)]


def test_a_pinned_identity_is_a_copy_that_was_asked_for(graph, placed):
    """y(GPU:0) -> moved(identity pinned to GPU:1) -> z(GPU:1)"""
    y = toys.tanh(toys.value(graph), name="y")
    with graph.device("/gpu:1"):
        toys.tanh(toys.identity(y, name="moved"), name="z")
    (copy,) = placed().copies
    assert (copy.tensor, copy.implied) == ("y:0", False)
    assert copy.cause == "moved by an identity that is pinned there"


def test_constants_stay_resident_where_they_are_read(graph, placed):
    with graph.device("/cpu:0"):
        c = toys.const(dtype=dtypes.float32, shape=(2,), name="c")
    with graph.device("/gpu:0"):
        toys.tanh(c, name="y")
    assert placed().copies == []


@pytest.mark.parametrize(
    ("shape", "dtype", "nbytes"),
    [
        ((2, 3), dtypes.float64, 48),
        ((), dtypes.bool, 1),
        ((None, 3), dtypes.float32, None),
        (None, dtypes.float32, None),
    ],
)
def test_bytes_are_told_where_the_static_shape_does(graph, placed, shape, dtype, nbytes):
    with graph.device("/cpu:0"):
        x = toys.value(graph, shape, dtype)
    with graph.device("/gpu:0"):
        toys.identity(x, name="y")
    assert placed().copies[0].nbytes == nbytes


PINS = ("", "/cpu:0", "/cpu:1", "/gpu:0", "/gpu:1")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99), st.sampled_from(PINS)), min_size=1, max_size=30))
def test_every_argument_is_where_it_is_wanted_after_the_copies(nodes):
    """A random graph, randomly pinned: after the copies no kernel meets an array of another device; no copy is idle."""
    with simulated_gpus(2):
        devices = local_devices(DeviceConfig(device_count={"CPU": 2}))
    graph = Graph()
    tensors = [toys.value(graph)]
    for number, (a, b, pin) in enumerate(nodes):
        with graph.as_default(), graph.device(pin):
            tensors.append(toys.mul(tensors[a % len(tensors)], tensors[b % len(tensors)], name=f"n{number}"))
    assignment = place(graph.get_operations(), devices, feeds=tensors[:1])
    there = {(copy.value, copy.target) for copy in assignment.copies}
    assert len(there) == len(assignment.copies)
    used = set()
    for op in graph.get_operations()[1:]:
        device = assignment.device_of[op]
        for tensor in op.inputs:
            if assignment.home(tensor) is not device:
                assert (tensor, device) in there
                used.add((tensor, device))
    assert used == there
