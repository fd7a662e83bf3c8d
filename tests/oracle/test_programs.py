"""Every program of the op tables, state, loops, lists, randomness, files and errors, against TensorFlow itself.

The graph that a program builds runs in TensorFlow as a GraphDef. Where the program ends with an error, TensorFlow's ends
with an error of the same class; where it draws numbers, they are TensorFlow's for its seeds.
"""

import pathlib
from typing import Any

import numpy as np
import pytest

import millstream as tf
from millstream.devices import simulated_gpus
from support import oracle, tables
from support.meanings import meaning
from support.opcheck_programs import Program, _as_array, _built, _session

if not oracle.available:
    pytest.skip("TensorFlow is not installed beside the project", allow_module_level=True)


@pytest.mark.parametrize("program", [p for p in tables.load()[1] if tables.measured(p)], ids=str)
def test_program(program: Program, tmp_path: pathlib.Path) -> None:
    arrays = program.arrays(tmp_path)
    with tf.Graph().as_default() as graph, simulated_gpus(0), _session(0) as session:
        outputs, feeds = _built(program, arrays, known=True)
        try:
            peer = oracle.Peer(graph)
            theirs = peer.run([y.name for y in outputs], {})
        except oracle.NothingToCompare as reason:
            pytest.skip(f"TensorFlow cannot run it: {str(reason)[:200]}")
        except Exception as error:
            assert program.raises is not None, error
            assert type(error).__name__ == program.raises[0].__name__
            return
        assert program.raises is None, "TensorFlow raises nothing"
        ours = [_as_array(value) for value in session.run(outputs, feeds)]
    for y, mine, their in zip(outputs, ours, theirs, strict=True):
        compare(*(_as_array(meaning(y.op.type, y.value_index, value)) for value in (mine, _as_array(their))), y)


def compare(mine: Any, theirs: Any, y: Any) -> None:
    """Compare a value with TensorFlow's: dtype, shape, numbers."""
    assert mine.shape == theirs.shape, f"{y}: shape {mine.shape}, TensorFlow's {theirs.shape}"
    assert mine.dtype == theirs.dtype, f"{y}: {mine.dtype}, TensorFlow's {theirs.dtype}"
    if mine.dtype.kind in "fcV":
        np.testing.assert_allclose(oracle.plain(mine), oracle.plain(theirs), rtol=1e-4, atol=1e-5, err_msg=str(y))
    else:
        np.testing.assert_array_equal(mine, theirs, err_msg=str(y))
