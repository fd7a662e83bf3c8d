"""Sketches whose rows a team of threads computes give the same numbers as on one thread, to the bit."""

import multiprocessing
import threading

import numpy as np
import pytest

from millstream.devices import onednn
from millstream.devices.fusion import compiled, nest_kernel, nest_rows, nest_team, team
from millstream.devices.fusion.nests import COLUMNS, ROWS, Sketch
from millstream.devices.fusion.program import Line
from support.patience import PATIENCE
from support.teams import reached

pytestmark = pytest.mark.skipif(
    not (onednn.available() and compiled.available() and team.available()), reason="needs numba, oneDNN and two threads"
)
F4, ROW_COUNT, WIDTH = np.dtype("f4"), 37, 12


def refuse(*arrays):
    raise ValueError("left to NumPy")


def by_team(sketch, outputs):
    """Return what computes a sketch by a team, however little there is to do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nest_team, "LEAST", 0.0)
        kernel = nest_kernel.make(sketch, sketch.finish(outputs), by_team=True)
    assert kernel._table is not None
    return kernel.bind(refuse)


def line(name, count=2):
    return Line("", name, ("",) * count, (F4,) * count, F4, getattr(np, name))


def program():
    """Return a sketch with an item of every kind, in step with its rows and out of step, and what to hand back."""
    sketch = Sketch()
    compute = sketch.compute
    x, table, bias = (sketch.input(shape, F4) for shape in ((ROW_COUNT, WIDTH), (9, WIDTH), (WIDTH,)))
    number, labels = sketch.input((), F4), sketch.input((ROW_COUNT,), np.dtype("i8"))
    half = compute(line("multiply"), [number, np.float32(0.5)])
    taken = sketch.take(table, labels)
    moved = compute(line("add"), [compute(line("multiply"), [x, half]), sketch.spread(bias, x.shape)])
    powers = compute(line("exp", 1), [compute(line("minimum"), [moved, taken])])
    shares = compute(line("true_divide"), [powers, sketch.reduce(powers, "sum", (1,), True)])
    left, right = sketch.part(shares, (0, 0), (ROW_COUNT, 5)), sketch.part(shares, (0, 5), (ROW_COUNT, 5))
    beside = sketch.join([right, compute(line("subtract"), [left, right])], 1)
    stacked = sketch.join([shares, powers], 0)
    shifted = compute(line("multiply"), [sketch.part(shares, (1, 0), (ROW_COUNT - 1, WIDTH)), np.float32(3)])
    first = compute(line("add"), [powers, sketch.spread(sketch.part(shares, (0, 0), (1, WIDTH)), powers.shape)])
    sums = sketch.reduce(shares, "sum", (0,), False)
    total = sketch.reduce(compute(line("tanh", 1), [beside]), "sum", (0, 1), False)
    last = compute(line("multiply"), [compute(line("add"), [shares, sketch.spread(sums, x.shape)]), total])
    again = sketch.take(shares, labels)
    marks = [sketch.mark(labels, 9, side) for side in (ROWS, COLUMNS)]
    turned = compute(line("negative", 1), [sketch.reshape(shares, (WIDTH, ROW_COUNT))])
    outputs = [shares, beside, stacked, shifted, first, sums, total, last, again, *marks, turned, half, moved]
    return sketch, outputs


def arrays(seed):
    rng = np.random.default_rng(seed)
    x, table, bias = (rng.normal(size=shape).astype("f4") for shape in ((ROW_COUNT, WIDTH), (9, WIDTH), (WIDTH,)))
    return x, table, bias, np.float32(rng.normal()), rng.integers(0, 9, ROW_COUNT)


def expected(x, table, bias, number, labels):
    """Return what the program's outputs are by NumPy."""
    half, three = np.float32(number * np.float32(0.5)), np.float32(3)
    moved = x * half + bias
    powers = np.exp(np.minimum(moved, table[labels]))
    shares = powers / np.add.reduce(powers, 1, keepdims=True)
    beside = np.concatenate([shares[:, 5:10], shares[:, :5] - shares[:, 5:10]], 1)
    sums, total = np.add.reduce(shares, 0), np.add.reduce(np.tanh(beside), None)
    marks = labels[:, None] == np.arange(9)
    yield from (shares, beside, np.concatenate([shares, powers]), shares[1:] * three, powers + shares[:1], sums, total)
    yield from ((shares + sums) * total, shares[labels], marks, np.ascontiguousarray(marks.T))
    yield from (-shares.reshape(WIDTH, ROW_COUNT), half, moved)


def agrees(group, seed):
    given = arrays(seed)
    return all(
        a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
        for a, b in zip(group(*given), expected(*given), strict=True)
    )


@pytest.fixture(scope="module")
def group():
    return by_team(*program())


def test_what_waits_for_other_rows_is_late():
    sketch, outputs = program()
    rows = nest_rows.Rows(sketch)
    shares, beside, stacked, shifted, first, sums, total, last, again, by_rows, by_columns, turned, half, moved = (
        outputs
    )
    assert rows.count == ROW_COUNT
    assert all(item in rows for item in (shares, beside, by_rows, half, moved))
    assert not any(item in rows for item in (stacked, shifted, first, sums, total, last, again, by_columns, turned))


def test_a_team_computes_the_same(group):
    assert all(agrees(group, seed) for seed in range(20))


def test_a_team_gives_up_where_one_thread_does(group):
    for place in (0, ROW_COUNT - 1):
        *given, labels = arrays(1)
        labels[place] = 9
        with pytest.raises(ValueError, match="left to NumPy"):
            group(*given, labels)
    assert agrees(group, 2)


def test_several_threads_call_one_kernel(group):
    found = []

    def call(seed):
        found.append(all(agrees(group, seed) for _ in range(20)))

    threads = [threading.Thread(target=call, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert found == [True] * 4


def test_signals_never_reach_a_team(group):
    found = reached(lambda: agrees(group, 4))
    assert found and not any(found)


def _in_child(group, answers):
    answers.put(agrees(group, 3))


def test_a_child_computes_alone(group):
    assert agrees(group, 3)
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    child = context.Process(target=_in_child, args=(group, answers))
    child.start()
    assert answers.get(timeout=PATIENCE)
    child.join(PATIENCE)
    assert child.exitcode == 0


def test_little_work_is_left_to_one_thread():
    sketch, _ = program()
    assert nest_team.rows_of(sketch) is None
    sketch = Sketch()
    x = sketch.input((64, 512), F4)
    for _ in range(4):
        x = sketch.compute(line("tanh", 1), [x])
    assert nest_team.rows_of(sketch) is not None
