"""A graph as it ran: nodes on the devices that they were assigned, copies as nodes between them.

TensorBoard colours nodes by the device that the graph says. Programs write their graph before anything is placed, so the
writer writes it once more when run metadata tells where its nodes were.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..runtime.tracing import COPY


def placed_graph(definition: Any, partitions: Iterable[Any]) -> Any:
    """Return a copy of a GraphDef with the devices, the copies and the inputs that partition graphs tell.

    What they do not tell of (nodes that did not run, bodies of functions) stays as it is; only the names of devices become
    whole, so that one device has one colour.
    """
    made = type(definition)()
    made.CopyFrom(definition)
    nodes = {node.name: node for node in made.node}
    for partition in partitions:
        for node in partition.node:
            known = nodes.get(node.name)
            if known is not None:
                known.device = node.device
                known.input[:] = node.input
            elif node.op == COPY:
                made.node.add().CopyFrom(node)
    whole = {node.device[node.device.index("/device:") :]: node.device for node in made.node if _is_whole(node.device)}
    for node in made.node:
        node.device = whole.get(node.device, node.device)
    return made


def _is_whole(device: str) -> bool:
    return device.startswith("/job:") and "/device:" in device
