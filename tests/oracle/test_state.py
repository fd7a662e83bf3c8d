"""Every op on variables against TensorFlow itself: the same graph, the same steps, what was fetched and what is held after.

TensorFlow rounds half precision after each operation of its own; how far results may differ follows from the dtype.
"""

from typing import Any

import numpy as np
import pytest

import millstream as tf
from millstream.devices import simulated_gpus
from support import oracle
from support.kept_cases import KEPT
from support.opcheck_programs import _as_array, _session
from support.state_cases import CASES, StateCase

if not oracle.available:
    pytest.skip("TensorFlow is not installed beside the project", allow_module_level=True)

TOLERANCE = {"float16": 4e-3, "bfloat16": 3e-2, "float32": 1e-5, "float64": 1e-12, "complex64": 1e-5, "complex128": 1e-12}


@pytest.mark.parametrize("case", [*CASES, *KEPT], ids=str)
def test_state(case: StateCase) -> None:
    with tf.Graph().as_default() as graph, simulated_gpus(0), _session(0) as session:
        steps = case.build(case)
        assert case.op in {op.type for op in graph.get_operations()}
        try:
            theirs = oracle.Peer(graph).run_steps([[item.name for item in step] for step in steps], {})
        except oracle.NothingToCompare as reason:
            pytest.skip(f"TensorFlow cannot run it: {str(reason)[:200]}")
        ours = [session.run(step) for step in steps]
    for step, mine, their in zip(steps, ours, theirs, strict=True):
        for item, one, other in zip(step, mine, their, strict=True):
            assert (one is None) == (other is None)
            if one is not None:
                compare(_as_array(one), _as_array(other), f"{item}")


def compare(mine: Any, theirs: Any, what: str) -> None:
    """Compare a value with TensorFlow's: dtype, shape, numbers."""
    if mine.dtype.names:  # TensorFlow hands quantised numbers out as whole ones
        mine = mine[mine.dtype.names[0]]
    assert mine.shape == theirs.shape, f"{what}: shape {mine.shape}, TensorFlow's {theirs.shape}"
    assert mine.dtype == theirs.dtype, f"{what}: {mine.dtype}, TensorFlow's {theirs.dtype}"
    if mine.dtype.kind == "O":
        np.testing.assert_array_equal(mine, theirs, err_msg=what)
        return
    error = TOLERANCE.get(mine.dtype.name, 0.0)
    np.testing.assert_allclose(oracle.plain(mine), oracle.plain(theirs), rtol=error, atol=error, err_msg=what)
