"""tf.norm of vectors and of matrices against NumPy's, with shapes known and unknown, and what it refuses."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import millstream as tf

X = np.random.RandomState(0).randn(3, 4, 5)
VECTORS = itertools.product(["euclidean", 1, 2, 2.5, np.inf], [None, 0, -1])
MATRICES = itertools.product(["fro", "euclidean", 1, 2, np.inf], [(0, 1), [-1, 0], (-2, -1)])


def expected(order: Any, axis: Any, keep: bool) -> Any:
    """Return NumPy's norm; of all elements where no axis is given."""
    order = {"euclidean": "fro" if isinstance(axis, list | tuple) else 2}.get(order, order)
    if axis is None:
        found = np.linalg.norm(X.reshape(-1), order)
        return found.reshape(1, 1, 1) if keep else found
    return np.linalg.norm(X, order, tuple(axis) if isinstance(axis, list) else axis, keepdims=keep)


@pytest.mark.parametrize("known", [True, False])
def test_values(known: bool) -> None:
    x = tf.placeholder_with_default(X, X.shape if known else None)
    cases = [(*case, keep) for case in (*VECTORS, *MATRICES) for keep in (True, False)]
    with tf.Session() as session:
        found = session.run([tf.norm(x, order, axis, keepdims=keep) for order, axis, keep in cases])
    for case, value in zip(cases, found, strict=True):
        np.testing.assert_allclose(value, expected(*case), rtol=1e-9, err_msg=str(case))


def test_complex_norms_stay_complex() -> None:
    x = tf.constant([3 + 4j, 0], tf.complex64)
    with tf.Session() as session:
        assert session.run([tf.norm(x), tf.norm(x, 1)]) == [5 + 0j, 5.0]
    assert tf.norm(x).dtype == tf.complex64


@pytest.mark.parametrize(
    ("order", "axis"),
    [("fro", None), (3, (0, 1)), (0, None), (-1, 0), ("no", (0, 1)), (2, (0, 0)), (2, (0, 1, 2)), (2, [0]), (2, 0.5)],
)
def test_refusals(order: Any, axis: Any) -> None:
    with pytest.raises(ValueError, match="must be"):
        tf.norm(X, order, axis)
