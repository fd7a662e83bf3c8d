"""oneDNN's kernel of matrix products: a further CPU kernel of MatMul, for large float32 products.

Below `LARGE` NumPy's BLAS is as quick. A node whose sizes are not all known is served where it may turn out to be large.
"""

from __future__ import annotations

from typing import Any

from ...devices import onednn
from ...devices.types import Array, Namespace
from ..core import dtypes
from ..core.node import Operation
from . import matmul

# Products of one number with another in a matrix product.
LARGE = 1 << 20
# Rows that a dimension of unknown length is taken to have, such as a batch's.
_ASSUMED = 64


def may_be_large(node: Operation) -> bool:
    """Tell whether a product is large for oneDNN, as far as static shapes tell, and oneDNN is there."""
    if node.attrs["T"] is not dtypes.float32:
        return False
    a, b = (tensor.dims or (None, None) for tensor in node.inputs)
    rows, inner = a[::-1] if node.attrs["transpose_a"] else a
    inner_b, columns = b[::-1] if node.attrs["transpose_b"] else b
    work = 1
    for length in (rows, inner_b if inner is None else inner, columns):
        work *= _ASSUMED if length is None else length
    return work >= LARGE and onednn.available()


@matmul.matmul_op.kernel("CPU", supports=may_be_large, label="matmul by oneDNN")
def matmul_onednn(xp: Namespace, a: Array, b: Array, *, transpose_a: bool, transpose_b: bool, **attrs: Any) -> Array:
    """Multiply by oneDNN where that pays."""
    x, y = a.T if transpose_a else a, b.T if transpose_b else b
    if x.ndim == 2 and y.ndim == 2 and x.shape[1] == y.shape[0] and x.size * y.shape[1] >= LARGE:
        return onednn.product(x, y)
    return matmul.multiply(xp, x, y)
