"""Fixtures for every test, and what holds for all of them."""

import builtins
import gc
import os
import pathlib
import re

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from millstream.devices.fusion import compiled
from millstream.engine.compiler import plan
from support.patience import PATIENCE

pytest_plugins = ["pytester"]

# No example fails for a slow machine.
settings.register_profile("patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


# Where groups and programs are compiled in the background, as they are outside of tests. Anywhere else that takes time, and numba
# changes the process's filters of warnings under whatever test runs beside it. MILLSTREAM_COMPILE in the environment overrides.
COMPILED = tuple(
    f"tests/{place}"
    for place in (
        "devices/fusion/", "engine/compiler/rewrite/test_descent.py", "engine/compiler/test_joining.py",
        "engine/compiler/test_nesting.py", "engine/test_buffers.py", "engine/test_large_interrupts.py",
        "engine/test_random_steps.py", "engine/test_soak.py", "ops/random/test_different.py", "ops/random/test_native.py",
        "ops/state/",
    )
)  # fmt: skip
GIVEN = os.environ.get("MILLSTREAM_COMPILE")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Turn the compiler on or off."""
    wanted = GIVEN or ("1" if item.nodeid.startswith(COMPILED) else "0")
    os.environ["MILLSTREAM_COMPILE"] = wanted
    compiled.available.cache_clear()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Let no compilation reach into the next test."""
    compiled.settle(PATIENCE)


# What emitted programs read and never make: noted as they are compiled, whether or not the line is ever run.
UNMADE: list[str] = []


def execute_and_look(code, scope):
    """Define a program, and note the values that it takes from nowhere: Python looks for them among the globals."""
    builtins.exec(code, scope)
    used = {name for inner in code.co_consts for name in getattr(inner, "co_names", ())}
    # A program run by flags raises before it comes to a value that no branch makes.
    if not any(name.startswith("flag_") for name in used):
        UNMADE.extend(name for name in used if re.match(r"v\d", name) and name not in scope)


plan.exec = execute_and_look


class Looking(plan.Emitter):
    """An emitter that notes names which stand for two values of a program: one would be read for the other."""

    def program(self, block, feeds):
        """Return the source of a block."""
        by_name = {}
        for value in {*feeds, *block.results, *values_in(block)}:
            other = by_name.setdefault(value.name, value)
            if value.kind in ("local", "constant", "feed") and not alike(value, other):
                UNMADE.append(f"{value.name} is {value.kind} and {other.kind}: {value.label}, {other.label}")
        return super().program(block, feeds)


def values_in(block):
    """Yield the values of a block and of the blocks inside."""
    for step in block.steps:
        yield from (value for value in (*step.flat_args(), *step.outputs) if value is not None)
        for inner in step.blocks:
            yield from inner.results
            yield from values_in(inner)


def alike(value, other):
    """Tell whether two values are one, or one and the same number."""
    both = value.kind == other.kind == "constant"
    return value is other or (both and np.asarray(value.content).tobytes() == np.asarray(other.content).tobytes())


plan.Emitter = Looking


@pytest.fixture(autouse=True)
def whole_programs():
    """Fail where a program reads a value that it does not make, or may read another for it."""
    yield
    found, UNMADE[:] = list(UNMADE), []
    assert not found


def pytest_collection_finish() -> None:
    """Keep tests and modules, which all stay, out of the garbage collector's way: a quarter of a second each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def root() -> pathlib.Path:
    """Returns the repository's folder."""
    return pathlib.Path(__file__).parents[1]
