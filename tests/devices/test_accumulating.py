"""Products that are added to what is there: NumPy's numbers for every layout, by OpenBLAS's function and without it."""

import numpy as np
import pytest

from millstream.devices import accumulating
from millstream.devices.accumulating import add_products

RNG = np.random.default_rng(12)
LAYOUTS = {
    "rows": lambda make, r, c: make(r, c),
    "columns": lambda make, r, c: make(c, r).T,
    "part of rows": lambda make, r, c: make(r + 2, c + 3)[1 : r + 1, 2 : c + 2],
    "part of columns": lambda make, r, c: make(c + 3, r + 1)[2 : c + 2, :r].T,
    "every other row": lambda make, r, c: make(2 * r, c)[::2],
    "every other number": lambda make, r, c: make(r, 2 * c)[:, ::2],
    "backwards": lambda make, r, c: make(r, c)[::-1],
}


def numbers(*dims):
    return 3 * RNG.normal(size=dims)


@pytest.mark.parametrize("by", ["OpenBLAS", "NumPy"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_products_are_added_in_every_layout(layout, by, monkeypatch):
    if by == "NumPy":
        monkeypatch.setattr(accumulating, "_function", lambda kind: None)
    for dtype in ("f4", "f8", "i4"):

        def make(*dims, dtype=dtype):
            return numbers(*dims).astype(dtype)

        for rows, inner, columns in ((3, 4, 5), (1, 4, 1), (4, 1, 3), (1, 1, 1), (0, 2, 3), (2, 0, 3), (17, 33, 9)):
            a = [LAYOUTS[layout](make, rows, inner) for _ in range(3)]
            b, b_each = LAYOUTS[layout](make, inner, columns), make(3, inner, columns)
            one, each = make(rows, columns), make(3, rows, columns)
            wanted_one = one + sum(x.astype("f8") @ y for x, y in zip(a, b_each.astype("f8"), strict=True))
            wanted_each = each + np.stack([x.astype("f8") @ b for x in a])
            add_products(a, b_each, one)
            add_products(a, b, each)
            tolerance = {"rtol": 1e-4, "atol": 1e-3} if dtype == "f4" else {"rtol": 1e-11, "atol": 1e-11}
            np.testing.assert_allclose(one, wanted_one, **tolerance)
            np.testing.assert_allclose(each, wanted_each, **tolerance)


def test_memory_between_rows_is_left_alone():
    whole = np.full((4, 9), 7.0, "f4")
    a, b = numbers(4, 3).astype("f4"), numbers(3, 5).astype("f4")
    add_products([a], b, whole[:, 2:7])
    np.testing.assert_allclose(whole[:, 2:7], 7 + a @ b, rtol=1e-5)
    assert (whole[:, [0, 1, 7, 8]] == 7).all()


def test_a_library_that_computes_something_else_is_not_used(monkeypatch):
    monkeypatch.setattr(accumulating, "_is_right", lambda function, dtype: False)
    assert accumulating._function.__wrapped__("f") is None
    monkeypatch.setattr(accumulating.blas, "openblas", lambda: [])
    assert accumulating._function.__wrapped__("d") is None
