"""One program of an op table on TensorFlow: the graph that it builds runs there as a GraphDef, and gives what it gives here."""

import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import millstream as tf
from millstream.devices import simulated_gpus
from millstream.ops.core.graph import Graph
from millstream.ops.core.node import Operation
from millstream.ops.core.regions import Region
from support import oracle
from support.meanings import meaning
from support.opcheck_programs import Program, _as_array, _built, _session


def compare_program(program: Program, folder: pathlib.Path, change: Callable[[Graph], None] = lambda graph: None) -> None:
    """Compare what a program gives, or the class of the error that it ends with; `change` is done to its graph before.

    Raises:
      oracle.NothingToCompare: where TensorFlow cannot run it.
    """
    arrays = program.arrays(folder)
    with tf.Graph().as_default() as graph, simulated_gpus(0), _session(0) as session:
        outputs, feeds = _built(program, arrays, known=True)
        change(graph)
        theirs, failed = _outcome(lambda: oracle.Peer(graph).run([y.name for y in outputs], {}))
        ours, refused = _outcome(lambda: session.run(outputs, feeds))
    assert type(failed).__name__ == type(refused).__name__, f"TensorFlow ends with {failed!r}, we with {refused!r}"
    for y, one, other in zip(outputs if failed is None else [], ours, theirs, strict=True):
        mine, their = (_as_array(meaning(y.op.type, y.value_index, _as_array(value))) for value in (one, other))
        assert mine.shape == their.shape, f"{y}: shape {mine.shape}, TensorFlow's {their.shape}"
        assert mine.dtype == their.dtype, f"{y}: {mine.dtype}, TensorFlow's {their.dtype}"
        if mine.dtype.kind in "fcV":
            np.testing.assert_allclose(oracle.plain(mine), oracle.plain(their), rtol=1e-4, atol=1e-5, err_msg=str(y))
        else:
            np.testing.assert_array_equal(mine, their, err_msg=str(y))


def _outcome(run: Callable[[], list[Any]]) -> tuple[list[Any], Exception | None]:
    try:
        return run(), None
    except oracle.NothingToCompare:
        raise
    except Exception as error:
        return [], error


def nodes(graph: Graph) -> Iterator[Operation]:
    """Yield the nodes of a graph, and of the functions and branches that they call."""
    waiting = list(graph.get_operations())
    while waiting:
        op = waiting.pop()
        yield op
        for value in op.attrs.values():
            for region in value if isinstance(value, list) else [value]:
                if isinstance(region, Region):
                    waiting.extend(region.ops)
