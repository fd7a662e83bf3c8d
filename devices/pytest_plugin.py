"""The pytest plugin that gives tests simulated GPUs. It ships with the package and loads with every pytest run.

    pytest --simulated-gpus 2            # the whole run sees two simulated GPUs

    @pytest.mark.simulated_gpus(2, memory_limit=1 << 20)
    def test_fits(): ...

    def test_copies(simulated_gpus):     # the GPUs of the mark, else of the option, else two
        ... simulated_gpus.timeline() ...
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from . import registry

_DEFAULT_COUNT = 2


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --simulated-gpus."""
    group = parser.getgroup("millstream")
    group.addoption("--simulated-gpus", type=int, default=None, metavar="N", help="run with N simulated GPUs")


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark, and put the option's GPUs in force for the whole run."""
    config.addinivalue_line("markers", "simulated_gpus(n, memory_limit=None): run the test with n simulated GPUs")
    count = config.getoption("--simulated-gpus")
    if count is None:
        return
    if count < 0:
        raise pytest.UsageError(f"--simulated-gpus needs a count of 0 or more, got {count}")
    block = registry.simulated_gpus(count)
    block.__enter__()
    config.add_cleanup(lambda: block.__exit__(None, None, None))


@pytest.fixture(autouse=True)
def _millstream_marked_gpus(request: pytest.FixtureRequest) -> Iterator[registry.SimulatedSet | None]:
    """Put the mark's GPUs in force for one test."""
    mark = request.node.get_closest_marker("simulated_gpus")
    if mark is None:
        yield None
        return
    with registry.simulated_gpus(*mark.args, **mark.kwargs) as gpus:
        yield gpus


@pytest.fixture
def simulated_gpus(request: pytest.FixtureRequest, _millstream_marked_gpus: Any) -> Iterator[registry.SimulatedSet]:
    """Simulated GPUs, with their timeline: the mark's, else as many as the option says, else two."""
    if _millstream_marked_gpus is not None:
        yield _millstream_marked_gpus
        return
    count = request.config.getoption("--simulated-gpus")
    with registry.simulated_gpus(_DEFAULT_COUNT if count is None else count) as gpus:
        yield gpus
