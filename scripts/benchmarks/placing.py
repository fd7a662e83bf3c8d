"""Times the placer alone on graphs of 10,000 to 100,000 nodes over two simulated GPUs, in a fresh process; prints JSON.

Linear growth shows as the same microseconds a node in every row.
"""

import gc
import json
import time

import millstream as tf
from millstream.placement.placer import place

SIZES = (10_000, 20_000, 50_000, 100_000)
REPEATS = 3


def graph_of(nodes: int) -> tf.Graph:
    """Return a graph of so many nodes whose chain moves between two GPUs every hundred nodes."""
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [4])
        y = x
        for i in range((nodes - 1) // 2):
            with tf.device(f"/gpu:{i // 50 % 2}" if i % 3 else None):
                y = tf.tanh(y) + x
    return graph


def seconds(nodes: int) -> float:
    """Return the least time of placing a graph of so many nodes."""
    graph = graph_of(nodes)
    devices = tf.devices.local_devices()
    operations = graph.get_operations()
    feeds = [operations[0].outputs[0]]
    best = float("inf")
    for _ in range(REPEATS):
        gc.collect()
        began = time.perf_counter()
        place(operations, devices, feeds=feeds, fetches=[operations[-1]])
        best = min(best, time.perf_counter() - began)
    return best


if __name__ == "__main__":
    with tf.devices.simulated_gpus(2):
        print(json.dumps({str(nodes): seconds(nodes) for nodes in SIZES}))
