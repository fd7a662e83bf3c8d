"""Products of large matrices on our own threads, with BLAS at one thread in each.

OpenBLAS's threads spin while they wait, for work and for each other: on a machine where anything else runs, our own
threads among it, a product then takes ten times as long. So BLAS's threads are left asleep.
"""

from __future__ import annotations

import numpy as np

from .blas import one_thread
from .threads import divide
from .types import Array

# Products of one number with another from which on handing a part to another thread pays.
LARGE = 1 << 22
# Rows or columns that BLAS takes at a time; parts are whole multiples of it.
_UNIT = 16


def product(a: Array, b: Array, out: Array) -> Array:
    """Write the product of two matrices to `out`, and return it."""
    rows, columns = out.shape
    if rows * columns * a.shape[1] < LARGE:
        return np.matmul(a, b, out=out)
    with one_thread():
        if rows >= columns:
            divide(lambda start, stop: np.matmul(a[start:stop], b, out=out[start:stop]), rows, _UNIT)
        else:
            divide(lambda start, stop: np.matmul(a, b[:, start:stop], out=out[:, start:stop]), columns, _UNIT)
    return out
