"""Products without BLAS's threads: the same as NumPy's, for every layout and stack, and BLAS's threads as before."""

import numpy as np
import pytest

from millstream.devices import blas, simulated_namespace
from millstream.devices import product as product_module
from millstream.devices.product import LARGE, MEDIUM, multiplied, product, products

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


def threads_inside(monkeypatch):
    """Return a list to which every call of `np.matmul` by products adds how many threads BLAS has just then."""
    seen, matmul = [], np.matmul

    def watched(*args, **kwargs):
        seen.append(max(found["num_threads"] for found in blas.libraries()))
        return matmul(*args, **kwargs)

    monkeypatch.setattr(np, "matmul", watched)
    return seen


STACKS = [
    ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((7, 1, 2, 3), (6, 3, 2)), ((0, 2, 3), (0, 3, 4)),
    ((3, 0), (0, 4)), ((2, 130, 128), (128, 140)), ((3, 128, 128), (128, 130)), ((64, 40, 50), (64, 50, 40)),
    ((1, 1, 300, 200), (200, 300)), ((1, 90, 20, 50), (4, 1, 50, 20)), ((2, 1, 80, 90), (9, 90, 80)),
]  # fmt: skip


@pytest.mark.parametrize("dims", STACKS)
@pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "c8"])
def test_stacks_are_numpys_and_large_ones_leave_blas_s_threads_asleep(dims, dtype, monkeypatch):
    a, b = (RNG.normal(size=shape).round(1).astype(dtype) for shape in dims)
    a = np.swapaxes(np.ascontiguousarray(np.swapaxes(a, -1, -2)), -1, -2)
    wanted, given = np.matmul(a.real.astype("f8"), b.real.astype("f8")), []
    threads = [found["num_threads"] for found in blas.libraries()]

    def empty(shape, kind):
        given.append(np.empty(shape, kind))
        return given[0]

    seen = threads_inside(monkeypatch)
    made = products(a, b, empty)
    assert made.dtype == a.dtype and made.shape == wanted.shape
    assert given == [] if dtype == "i4" else made is given[0]
    np.testing.assert_allclose(made, wanted.astype(dtype), rtol=1e-3, atol=1e-3)
    one = a.shape[-2] * a.shape[-1] * b.shape[-1]
    if dtype != "i4" and (one >= MEDIUM or wanted.size * a.shape[-1] >= LARGE):
        assert set(seen) == {1}
    assert [found["num_threads"] for found in blas.libraries()] == threads
    if a.ndim == b.ndim == 2:
        np.testing.assert_allclose(multiplied(a, b), made, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dims", [((2, 3), (4, 5)), ((5, 2, 3), (4, 3, 4)), ((3,), (2, 3)), ((2, 3), ())])
def test_what_does_not_fit_is_told_as_numpy_does(dims):
    a, b = (np.ones(shape, "f4") for shape in dims)
    with pytest.raises(ValueError, match=r"matmul|broadcast"):
        products(a, b)


MULTIPLY = {
    "matmul": lambda xp, x: xp.matmul(x, x), "matmul to": lambda xp, x: xp.matmul(x, x, out=xp.empty_like(x)),
    "dot": lambda xp, x: xp.dot(x, x), "inner": lambda xp, x: xp.inner(x, x.T), "operator": lambda xp, x: x @ x,
    "tensordot": lambda xp, x: xp.tensordot(x, x, 1), "einsum": lambda xp, x: xp.einsum("ij,jk->ik", x, x),
}  # fmt: skip


@pytest.mark.parametrize("name", MULTIPLY)
def test_simulated_gpus_leave_blas_s_threads_asleep(name, gpu, monkeypatch):
    limits = []

    def limit():
        limits.append(blas.one_thread())
        return limits[-1]

    for module in (simulated_namespace, product_module):
        monkeypatch.setattr(module, "one_thread", limit)
    x = RNG.normal(size=(90, 90)).astype("f4")
    made = gpu.get(MULTIPLY[name](gpu.xp, gpu.put(x)))
    assert limits
    np.testing.assert_allclose(made, x @ x, rtol=1e-3, atol=1e-3)
