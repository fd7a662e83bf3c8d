"""Updates by OpenMP's team: what one thread computes, for every size, from several threads at once and after a fork."""

import multiprocessing
import threading
from functools import partial
from typing import Any

import numpy as np
import pytest

from millstream.devices import onednn
from millstream.devices.fusion import compiled, team
from millstream.devices.fusion.wholly import run_wholly
from millstream.devices.onednn.library import library
from millstream.ops.state import large
from millstream.ops.state.formulas import adam
from support.patience import PATIENCE
from support.teams import reached

pytestmark = pytest.mark.skipif(
    not (onednn.available() and compiled.available() and team.available()), reason="needs numba, oneDNN and two threads"
)
SCALARS = [np.float32(value) for value in (0.9, 0.999, 1e-3, 0.9, 0.999, 1e-8)]


@pytest.fixture(scope="module")
def update() -> Any:
    found = large.host_update(partial(adam, use_nesterov=False), *arrays(8, 0), SCALARS)
    assert found is not None
    for _ in range(2):
        found.in_place()
        compiled.settle()
    for _ in range(2):
        found.by_team(found.in_place())
        compiled.settle()
    assert found.by_team(found.in_place()) is not None
    return found


def arrays(size: int, seed: int) -> tuple[list[Any], Any]:
    rng = np.random.default_rng(seed)
    w, m, v, grad = (rng.random(size).astype("f4") for _ in range(4))
    return [w, m, v], grad


def by_one_thread(update: Any, size: int, seed: int) -> list[Any]:
    values, grad = arrays(size, seed)
    run_wholly(update.in_place().bind_in_place(update.items(values, grad, SCALARS), [(0, size)]), 1)
    return values


def by_team(update: Any, size: int, seed: int) -> list[Any]:
    values, grad = arrays(size, seed)
    update.by_team(update.in_place()).run(update.items(values, grad, SCALARS))
    return values


def agree(update: Any, size: int, seed: int) -> bool:
    pairs = zip(by_team(update, size, seed), by_one_thread(update, size, seed), strict=True)
    return all(np.array_equal(mine, theirs) for mine, theirs in pairs)


@pytest.mark.parametrize("size", [1, 15, 16, 17, 31, 32, 33, 1000, 4096, 200_704, 1_000_003])
def test_every_element_is_computed_once(update: Any, size: int) -> None:
    assert agree(update, size, size)


@pytest.mark.parametrize("threads", [1, 2, 3, 5])
def test_teams_of_any_size(update: Any, threads: int) -> None:
    omp = library().omp
    before = omp.omp_get_max_threads()
    kernel = update.by_team(update.in_place())
    omp.omp_set_num_threads(threads)
    try:
        assert (update.by_team(update.in_place()) is None) == (threads == 1)
        for size in (7, 5_000, 150_001):
            values, grad = arrays(size, 1)
            kernel.run(update.items(values, grad, SCALARS))
            for mine, theirs in zip(values, by_one_thread(update, size, 1), strict=True):
                np.testing.assert_array_equal(mine, theirs)
    finally:
        omp.omp_set_num_threads(before)


def test_several_threads_have_teams_of_their_own(update: Any) -> None:
    found: list[bool] = []
    threads = [
        threading.Thread(target=lambda seed=seed: found.append(all(agree(update, 200_000, seed) for _ in range(5))))
        for seed in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 4


def test_signals_never_reach_a_team(update: Any) -> None:
    found = reached(lambda: by_team(update, 200_000, 1))
    assert found and not any(found)


def _in_child(update: Any, answers: Any) -> None:
    answers.put((team.available(), update.by_team(update.in_place()) is None))


def test_a_child_has_none(update: Any) -> None:
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    child = context.Process(target=_in_child, args=(update, answers))
    child.start()
    assert answers.get(timeout=PATIENCE) == (False, True)
    child.join()


def test_integers_among_the_scalars_have_no_team(update: Any) -> None:
    program = update._body
    whole = type(program)((*program.inputs[:-1], np.dtype("i4")), program.lines, program.outputs, program.constants)
    assert team.request(whole, update._kinds, update.in_place()) is compiled.NEVER
