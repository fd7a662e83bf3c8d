"""The seeds of the random ops: the graph's and the op's, combined by TensorFlow's rules.

Invariant: the same program gives the same pair as TensorFlow, which numbers the ops that have no seed of their own by
how many nodes the graph has when they are made.
"""

from __future__ import annotations

from typing import Any

from ..core.graph import get_default_graph

DEFAULT_GRAPH_SEED = 87654321
_LIMIT = 2**31 - 1


def get_seed(op_seed: int | None) -> tuple[int | None, int | None]:
    """Return the pair of seeds of an op that is made now with `op_seed`; (None, None) when nothing is fixed.

    With a graph seed only, the op's comes from its place in the graph; with an op seed only, the graph's is
    DEFAULT_GRAPH_SEED. (0, 0), which would ask for other numbers each time, becomes (0, 2**31 - 1).
    """
    graph = get_default_graph()
    if graph.seed is None and op_seed is None:
        return None, None
    graph_seed = DEFAULT_GRAPH_SEED if graph.seed is None else graph.seed % _LIMIT
    seeds = graph_seed, (len(graph._ops) if op_seed is None else op_seed) % _LIMIT
    return (0, _LIMIT) if seeds == (0, 0) else seeds


def seed_attrs(op_seed: int | None) -> dict[str, Any]:
    """Return `get_seed` as the attributes of a node: zeros when nothing is fixed."""
    seed, seed2 = get_seed(op_seed)
    return {"seed": seed or 0, "seed2": seed2 or 0}


def set_random_seed(seed: int) -> None:
    """Set the default graph's seed; None makes ops without a seed of their own draw other numbers each time."""
    get_default_graph().seed = seed
