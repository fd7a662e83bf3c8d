"""The bench's parts that need no peer: rows written by hand compute what graphs compute, and the table is kept and checked."""

import json

import numpy as np
import pytest

import millstream as tf


@pytest.fixture
def bench(monkeypatch, root):
    """Imports a module of scripts/benchmarks by name."""
    monkeypatch.syspath_prepend(str(root / "scripts" / "benchmarks"))
    return __import__


@pytest.mark.parametrize("name", ["one_op", "linear_regression", "tiny_mlp_adam"])
def test_rows_by_hand_are_the_same_work(bench, name):
    build_of = bench("catalogue").build_of
    with tf.Graph().as_default():
        ours = build_of(tf, name)()
        by_hand = build_of(np, name)()
        np.testing.assert_allclose([ours() for _ in range(3)], [by_hand() for _ in range(3)], rtol=1e-5)


def test_what_is_written_by_hand_are_rows(bench):
    catalogue, torch = bench("catalogue"), bench("by_torch")
    trained = {"tiny_mlp_adam", "mnist_mlp_sgd", "mnist_mlp_adam", "large_mlp", "lenet_adam", "lstm"}
    chains = {"one_op", "linear_regression", "elementwise", "elementwise_gradient", "adam_update", "matmul"}
    assert trained | chains <= catalogue.BY_NAME.keys()
    for name in trained | chains:
        assert catalogue.build_of(np, name) is not None and hasattr(torch, name)
    assert catalogue.build_of(np, "while_loop") is None


def test_targets_are_of_rows(bench):
    catalogue, report = bench("catalogue"), bench("report")
    assert report.TARGETS.keys() <= catalogue.BY_NAME.keys() | {"import", "import_memory"}
    assert "    0.05   " in report.line(row("one_op", [1.0], [2.0]))


def row(name, ours, peer, error=""):
    return {
        "name": name, "title": name, "seconds": {"ours": ours, "peer": peer}, "errors": {"peer": error} if error else {},
    }  # fmt: skip


def test_ratios_are_kept_and_compared(bench, tmp_path, capsys):
    report, table = bench("report"), tmp_path / "table.json"
    rows = [
        row("fast", [1.0, 2.0, 3.0], [2.0, 4.0, 6.0]),
        row("odd", [1.0], [1.0], error="computed 1 here and 2 there"),
    ]
    report.save({"machine": {}, "sides": {}, "rows": rows}, table)
    report.save({"machine": {}, "sides": {}, "rows": [row("other", [3.0], [1.0])]}, table)
    assert json.loads(table.read_text())["ratios"] == {"fast": 0.5, "other": 3.0}
    assert report.check({"rows": [row("fast", [0.7], [1.0]), row("new", [9.0], [1.0])]}, table, 0.5) == 0
    assert report.check({"rows": [row("fast", [0.8], [1.0])]}, table, 0.5) == 1
    assert "fast: ratio 0.800, committed 0.500" in capsys.readouterr().err
    assert report.check({"rows": rows}, table, 0.5) == 1
    assert "odd: computed 1 here" in capsys.readouterr().err
