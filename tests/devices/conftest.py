"""Simulated GPUs for the tests of this folder."""

import pytest

from millstream.devices import simulated_gpus


@pytest.fixture
def gpus():
    """Two simulated GPUs with 1 MiB each."""
    with simulated_gpus(2, memory_limit=1 << 20) as made:
        yield made


@pytest.fixture
def gpu(gpus):
    """The first of two simulated GPUs."""
    return gpus[0]
