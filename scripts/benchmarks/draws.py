"""The rows of random numbers: a small draw, a large one, and a layer that drops out. As `workloads`, for either side."""

from __future__ import annotations

from typing import Any

import numpy as np
from workloads import Step, Workload, session

SEED = 7


def four_uniforms(tf: Any) -> Step:
    drawn = tf.random_uniform([4], seed=SEED)
    sess = session(tf)
    return lambda: float(sess.run(drawn)[0])


def many_normals(tf: Any) -> Step:
    last = tf.random_normal([4_000_000], seed=SEED)[-1]
    sess = session(tf)
    return lambda: float(sess.run(last))


def dropout(tf: Any) -> Step:
    x = tf.placeholder(tf.float32, [None, 1024])
    kept = tf.nn.dropout(x, rate=0.4, seed=SEED)
    sess, value = session(tf), np.ones((128, 1024), "f4")
    return lambda: float(sess.run(kept, {x: value})[0, :8].sum())


WORKLOADS = (
    Workload("four_uniforms", "4 uniform floats", four_uniforms),
    Workload("many_normals", "4 million normals", many_normals),
    Workload("dropout", "dropout of 128x1024", dropout),
)
