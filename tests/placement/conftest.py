"""Fixtures: a graph made default, devices, and a short way to place."""

import pytest

from millstream.devices import local_devices, simulated_gpus
from millstream.devices.registry import DeviceConfig
from millstream.ops.core.graph import Graph
from millstream.placement.placer import place
from millstream.placement.report import Placement


@pytest.fixture
def graph():
    with Graph().as_default() as made:
        yield made


@pytest.fixture(scope="session")
def devices():
    """Two CPUs and two simulated GPUs."""
    with simulated_gpus(2):
        return local_devices(DeviceConfig(device_count={"CPU": 2}))


@pytest.fixture(scope="session")
def cpu_devices():
    with simulated_gpus(0):
        return local_devices()


@pytest.fixture
def placed(graph, devices):
    """A function that places the whole graph and returns the Placement."""

    def run(on=devices, **options):
        return Placement.of(place(graph.get_operations(), on, **options))

    return run
