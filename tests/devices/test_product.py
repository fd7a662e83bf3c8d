"""Products on our own threads: the same as NumPy's, for every layout, and BLAS's threads as before."""

import numpy as np
import pytest

from millstream.devices import blas
from millstream.devices.product import LARGE, product

RNG = np.random.default_rng(2)


@pytest.mark.parametrize(
    "dims", [(3, 4, 5), (300, 200, 100), (40, 1000, 300), (1, 3000, 2000), (2000, 3000, 1), (257, 129, 131)]
)
@pytest.mark.parametrize("turned", [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_products_are_numpys(dims, turned, dtype):
    m, k, n = dims
    a = RNG.normal(size=(k, m)).astype(dtype).T if turned[0] else RNG.normal(size=(m, k)).astype(dtype)
    b = RNG.normal(size=(n, k)).astype(dtype).T if turned[1] else RNG.normal(size=(k, n)).astype(dtype)
    out = np.empty((m, n), dtype)
    threads = [found["num_threads"] for found in blas.libraries()]
    assert product(a, b, out) is out
    tolerance = 1e-3 if dtype == "f4" else 1e-11
    np.testing.assert_allclose(out, a.astype("f8") @ b.astype("f8"), rtol=tolerance, atol=tolerance)
    assert [found["num_threads"] for found in blas.libraries()] == threads


def test_both_ways_are_tried():
    assert 3 * 4 * 5 < LARGE <= 300 * 200 * 100
