"""The optimisers' update ops against TensorFlow's numbers, on the CPU and on a simulated GPU; and that no step is torn."""

import gzip
import json
import pathlib

import numpy as np
import pytest

from millstream.devices import simulated_gpus
from millstream.devices.cpu import CpuDevice
from millstream.devices.fusion import compiled, group
from millstream.ops.core.errors import FailedPreconditionError, InvalidArgumentError
from millstream.ops.core.registry import lookup
from millstream.ops.state import updates
from millstream.ops.state.apply import APPLY
from support import opcheck
from support.cells import held, make_cell, run

GOLDEN = pathlib.Path(__file__).parents[2] / "golden" / "apply_ops.json.gz"
CASES = json.loads(gzip.decompress(GOLDEN.read_bytes()))
opcheck.CHECKED.update(case["op"] for case in CASES)


def test_every_update_op_has_golden_numbers():
    assert {case["op"] for case in CASES} == set(APPLY)


def _arrays(case):
    kinds = {"indices": "i4", "global_step": "i8"}
    return {name: np.array(value, kinds.get(name, "f8")) for name, value in case["inputs"].items()}


def _apply(case, device, variant=np.array):
    decl, arrays = lookup(case["op"]), _arrays(case)
    inputs = [arrays[arg.name] for arg in decl.inputs]
    cells = {
        arg.name: make_cell(variant(value), device, arg.name, serial=i)
        for i, (arg, value) in enumerate(zip(decl.inputs, inputs, strict=True))
        if arg.name in case["after"]
    }
    result = run(
        case["op"], *[cells.get(arg.name, arrays[arg.name]) for arg in decl.inputs], device=device, **case["attrs"]
    )
    assert result is (cells["var"] if decl.outputs else None)
    return {name: held(cell) for name, cell in cells.items()}


def _label(case):
    return "-".join([case["op"], *(name for name, on in case["attrs"].items() if on), *_twice(case)])


def _twice(case):
    rows = case["inputs"].get("indices", [])
    return ["twice"] if len(rows) != len(set(rows)) else []


@pytest.mark.parametrize("case", CASES, ids=_label)
def test_updates_agree_with_tensorflow(case):
    found = _apply(case, CpuDevice())
    for name, value in case["after"].items():
        np.testing.assert_allclose(found[name], value, rtol=1e-12, atol=1e-14, err_msg=name)


@pytest.mark.parametrize("case", [case for case in CASES if not _twice(case)], ids=_label)
def test_updates_on_a_simulated_gpu(case):
    with simulated_gpus(1) as gpus:
        found = _apply(case, gpus[0])
    for name, value in case["after"].items():
        np.testing.assert_allclose(found[name], value, rtol=1e-12, atol=1e-14, err_msg=name)


DENSE = [case for case in CASES if "indices" not in case["inputs"]]


@pytest.mark.parametrize("case", DENSE, ids=_label)
def test_large_variables_are_updated_in_pieces_with_the_same_result(case, monkeypatch):
    monkeypatch.setattr(updates, "_LARGE", 1)
    monkeypatch.setattr(group, "BLOCK", 5)
    monkeypatch.setattr(compiled, "available", lambda: False)
    whole = {name: np.array(value) for name, value in case["after"].items()}
    for name, value in _apply(case, CpuDevice()).items():
        np.testing.assert_allclose(value, whole[name], rtol=1e-12, atol=1e-14)


def _adam(var, m, v, grad):
    scalars = [np.float32(x) for x in (0.9, 0.99, 0.1, 0.9, 0.99, 1e-8)]
    return run("ApplyAdam", var, m, v, *scalars, grad)


def _three(size=4):
    return [
        make_cell(np.full(size, x, "f4"), name=n, serial=i) for i, (n, x) in enumerate((("var", 1), ("m", 2), ("v", 3)))
    ]


def test_a_slot_without_a_value_changes_nothing():
    var, m, _ = _three()
    with pytest.raises(FailedPreconditionError, match="Attempting to use uninitialized value v"):
        _adam(var, m, make_cell(None, name="v"), np.ones(4, "f4"))
    assert held(var).tolist() == [1] * 4 and held(m).tolist() == [2] * 4


def test_a_wrong_shape_changes_nothing():
    cells = _three()
    with pytest.raises(InvalidArgumentError, match="do not have the same shape"):
        _adam(*cells, np.ones(5, "f4"))
    assert [held(c)[0] for c in cells] == [1, 2, 3]


def test_a_rate_that_is_no_scalar_is_refused():
    with pytest.raises(InvalidArgumentError, match=r"alpha is not a scalar: \[2\]"):
        run("ApplyGradientDescent", make_cell([1.0, 2.0]), np.ones(2, "f4"), np.ones(2, "f4"))


@pytest.mark.parametrize("size", [4, 1 << 17])
@pytest.mark.parametrize("fault", [MemoryError, KeyboardInterrupt, ZeroDivisionError])
def test_a_fault_at_any_step_of_adam_leaves_every_variable_whole(size, fault):
    """The fault strikes at the first, second, … call of the namespace until none is left to strike."""
    struck, step = True, 0
    while struck:
        cells = _three(size)
        xp = _Faulty(step, fault)
        scalars = [np.float32(x) for x in (0.9, 0.99, 0.1, 0.9, 0.99, 1e-8)]
        try:
            lookup("ApplyAdam").kernels_for("CPU")[0].function(xp, *cells, *scalars, np.ones(size, "f4"))
            struck = False
        except fault:
            assert [set(held(c).tolist()) for c in cells] == [{1.0}, {2.0}, {3.0}]
        step += 1
    assert step > 3 and all(len(set(held(c).tolist())) == 1 for c in cells) and held(cells[1])[0] != 2


class _Faulty:
    """NumPy until a number of calls was made; then an exception."""

    def __init__(self, after, fault):
        self._left, self._fault = after, fault

    def __getattr__(self, name):
        function = getattr(np, name)

        def call(*args, **kwargs):
            if self._left == 0:
                raise self._fault
            self._left -= 1
            return function(*args, **kwargs)

        return call
