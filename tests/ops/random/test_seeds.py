"""Which pair of seeds an op gets, by TensorFlow's table."""

import pytest

from millstream.ops.core import build  # noqa: F401 -- teaches declarations to build nodes
from millstream.ops.core.convert import constant
from millstream.ops.core.graph import Graph
from millstream.ops.random import seeds
from millstream.ops.random.shuffle import random_shuffle

LIMIT = 2**31 - 1


@pytest.mark.parametrize(
    ("graph_seed", "op_seed", "nodes", "expected"),
    [
        (None, None, 0, (None, None)),
        (None, 7, 3, (seeds.DEFAULT_GRAPH_SEED, 7)),
        (None, 0, 3, (seeds.DEFAULT_GRAPH_SEED, 0)),
        (1, None, 3, (1, 3)),
        (1, None, 0, (1, 0)),
        (1, 7, 3, (1, 7)),
        (0, 0, 3, (0, LIMIT)),
        (0, None, 0, (0, LIMIT)),
        (LIMIT, LIMIT, 0, (0, LIMIT)),
        (LIMIT + 5, -1, 0, (5, LIMIT - 1)),
    ],
)
def test_table(graph_seed, op_seed, nodes, expected):
    with Graph().as_default():
        if graph_seed is not None:
            seeds.set_random_seed(graph_seed)
        for _ in range(nodes):
            constant(1)
        assert seeds.get_seed(op_seed) == expected


def test_a_node_holds_its_seeds():
    with Graph().as_default():
        shuffled = random_shuffle([1, 2, 3], seed=12)
        free = random_shuffle([1, 2, 3], name="free")
    assert (shuffled.op.attrs["seed"], shuffled.op.attrs["seed2"]) == (seeds.DEFAULT_GRAPH_SEED, 12)
    assert (free.op.attrs["seed"], free.op.attrs["seed2"]) == (0, 0)
    assert free.op.name == "free" and shuffled.dims == (3,)
