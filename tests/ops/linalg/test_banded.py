"""Triangular systems stored by their bands: held to the matrices written out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import millstream as tf
from support.opcheck import Row, row_tests, table

RNG = np.random.default_rng(7)
BANDS, RHS = RNG.uniform(0.5, 1.5, (2, 3, 5)), RNG.normal(size=(2, 5, 2))
COMPLEX = BANDS + 1j * RNG.uniform(size=(2, 3, 5))


def written_out(bands: Any, lower: bool) -> Any:
    count, side = bands.shape[-2:]
    made = np.zeros((*bands.shape[:-2], side, side), bands.dtype)
    for k in range(count):
        for i in range(side):
            j = i - k if lower else i + k
            if 0 <= j < side:
                made[..., i, j] = bands[..., k if lower else count - 1 - k, i]
    return made


def case(lower: bool, adjoint: bool, bands: Any = BANDS, rhs: Any = RHS, label: str = "", **options: Any) -> Row:
    def build(matrix: Any, given: Any) -> Any:
        return tf.raw_ops.BandedTriangularSolve(matrix=matrix, rhs=given, lower=lower, adjoint=adjoint)

    def reference(matrix: Any, given: Any) -> Any:
        full = written_out(matrix, lower)
        return np.linalg.solve(np.swapaxes(full, -1, -2).conj() if adjoint else full, given)

    name = label or f"{'lower' if lower else 'upper'}{'-adjoint' * adjoint}"
    return Row("BandedTriangularSolve", build, [bands, rhs], reference, label=name, error=20.0, **options)


ROWS = table(
    *(case(lower, adjoint, gradient=True) for lower in (True, False) for adjoint in (True, False)),
    case(True, False, BANDS[0], RHS, "broadcast", gradient=True),
    case(False, True, BANDS[:, :1], RHS[0], "diagonal", gradient=True),
    case(False, True, COMPLEX, RHS + 0j, "complex", dtypes=("complex64", "complex128")),
)
test_forward, test_in_sessions, test_gradient = row_tests(ROWS)


def test_half_precision_is_computed_in_single() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        found = session.run(tf.raw_ops.BandedTriangularSolve(matrix=BANDS.astype("f2"), rhs=RHS.astype("f2")))
        assert found.dtype == np.float16
        np.testing.assert_allclose(found, np.linalg.solve(written_out(BANDS, True), RHS), rtol=0.05, atol=0.05)


@pytest.mark.parametrize(
    ("bands", "rhs", "words"),
    [
        (BANDS * 0, RHS, "Input matrix is not invertible."),
        (BANDS[..., :4], RHS, "Input matrix and rhs are incompatible"),
        (BANDS[..., :2], RHS[:, :2], "must have between 1 and 2 bands, has 3"),
    ],
)
def test_systems_that_have_no_solution(bands: Any, rhs: Any, words: str) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        given = [tf.placeholder_with_default(array, None) for array in (bands, rhs)]
        with pytest.raises(tf.errors.InvalidArgumentError, match=words):
            session.run(tf.raw_ops.BandedTriangularSolve(matrix=given[0], rhs=given[1]))
