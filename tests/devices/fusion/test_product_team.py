"""Updates by products made piece by piece: what the whole gradient gives, for all layouts and sizes, also by hand."""

import ctypes
from functools import partial
from typing import Any

import numpy as np
import pytest

from millstream.devices import onednn
from millstream.devices.fusion import compiled, product_team, team
from millstream.ops.state import large
from millstream.ops.state.formulas import adam
from support.teams import reached

pytestmark = pytest.mark.skipif(
    not (onednn.available() and compiled.available() and team.available()), reason="needs numba, oneDNN and two threads"
)
SCALARS = [np.float32(value) for value in (0.9, 0.999, 1e-3, 0.9, 0.999, 1e-8)]
FORMULA = partial(adam, use_nesterov=False)


@pytest.fixture(scope="module")
def update() -> Any:
    ones = [np.ones(8, np.float32)] * 4
    found = large.host_update(FORMULA, ones[:3], ones[3], SCALARS)
    assert found is not None
    for ask in (found.in_place, lambda: found.by_product(found.in_place())):
        for _ in range(2):
            ask()
            compiled.settle()
    return found


def check(together: Any, update: Any, left: Any, right: Any) -> None:
    rng = np.random.default_rng(5)
    values = [rng.random((len(left), right.shape[1])).astype("f4") for _ in range(3)]
    wanted = FORMULA(np, *values, left @ right, *SCALARS)
    together.run([value.reshape(-1) for value in values], update.scalars(SCALARS), left, right)
    for made, want in zip(values, wanted, strict=True):
        np.testing.assert_allclose(made, want, rtol=1e-4, atol=1e-5)


def factors(rows: int, inner: int, columns: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(rows)
    return rng.standard_normal((rows, inner)).astype("f4"), rng.standard_normal((inner, columns)).astype("f4")


@pytest.mark.parametrize("sizes", [(1, 3, 140_000), (3, 5, 70_001), (701, 9, 301), (140_000, 2, 1)])
@pytest.mark.parametrize("layout", ["rows", "columns", "parts of rows", "parts of columns"])
def test_pieces_are_the_whole(update: Any, sizes: tuple[int, int, int], layout: str) -> None:
    left, right = factors(*sizes)
    if layout == "columns":
        left = np.asfortranarray(left)
    elif layout == "parts of rows":
        left, right = (np.concatenate([array, array], 1)[:, : array.shape[1]] for array in (left, right))
    elif layout == "parts of columns":
        left = np.concatenate([left.T, left.T], 1)[:, : len(left)].T
    assert product_team.takes(left, right)
    check(update.by_product(update.in_place()), update, left, right)


def test_what_onednn_refuses_is_made_by_hand(update: Any) -> None:
    kinds = [ctypes.c_int8 if k is ctypes.c_char else k for k in onednn.library.library().functions["sgemm"].argtypes]
    calls: list[int] = []

    @ctypes.CFUNCTYPE(ctypes.c_int, *kinds)
    def refuse(*arguments: Any) -> int:
        calls.append(arguments[2])
        return 1

    together = product_team.made(len(update.scalars(SCALARS)), update.in_place(), 3, refuse)
    for turn in (np.ascontiguousarray, np.asfortranarray):
        left, right = factors(1001, 3, 150)
        check(together, update, turn(left), right)
    assert sum(calls) == 2 * 1001


def test_signals_never_reach_a_team(update: Any) -> None:
    found = reached(lambda: check(update.by_product(update.in_place()), update, *factors(701, 9, 301)))
    assert found and not any(found)


@pytest.mark.parametrize(
    "left, right",
    [
        (np.ones((400, 8), "f8"), np.ones((8, 400), "f8")),
        (np.ones((400, 16), "f4")[:, ::2], np.ones((8, 400), "f4")),
        (np.ones((400, 8), "f4"), np.ones((400, 8), "f4").T),
        (np.ones((300, 8), "f4"), np.ones((8, 300), "f4")),
        (np.broadcast_to(np.float32(1), (400, 8)), np.ones((8, 400), "f4")),
    ],
)
def test_what_is_not_taken(left: Any, right: Any) -> None:
    assert not product_team.takes(left, right)
