"""Sums over the iterations of a loop that are one product: the gradient of a matrix that every iteration multiplies with.

Step by step it is a small product and a large sum each time. Pushing both factors on lists and multiplying once, after the
loop, gives the same sum in one product of as many rows as all iterations have together. Invariant: lists are pushed in one
order, so rows match.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.node import Operation, Tensor
from ..flow.list_rows import list_concat
from ..math.matmul import matmul_op
from ..nn.bias import bias_add_grad_op


def factors_of(grad: Any, body: Any) -> list[Tensor]:
    """Return the tensors of a loop body whose rows, over all iterations, give the sum of `grad`; none for other sums."""
    if not isinstance(grad, Tensor) or grad.op.region is not body:
        return []
    op = grad.op
    product = op.type == "MatMul" and op.attrs["transpose_a"] and not op.attrs["transpose_b"]
    rows = op.type == "BiasAddGrad" and op.attrs["data_format"] == "NHWC"
    fits = all(
        t.op.region is body and t.dims is not None and len(t.dims) == 2 and t.dims[1] is not None for t in op.inputs
    )
    return list(op.inputs) if (product or rows) and fits else []


def total_of(op: Operation, rows: list[Tensor]) -> Tensor:
    """Return the sum over all iterations of what `op` gives, from the rows of its inputs."""
    if op.type == "MatMul":
        return matmul_op(*rows, transpose_a=True, transpose_b=False)  # type: ignore[no-any-return]
    return bias_add_grad_op(*rows, data_format="NHWC")  # type: ignore[no-any-return]


def rows_of(handle: Tensor, like: Tensor) -> Tensor:
    """Return the elements of a list, matrices like `like`, on top of each other."""
    assert like.dims is not None
    with like.graph.colocate_with(like.op):
        return list_concat(  # type: ignore[no-any-return]
            handle, np.array([-1, like.dims[1]], np.int32), np.zeros(0, np.int64), element_dtype=like.dtype.base_dtype
        )[0]
