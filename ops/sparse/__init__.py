"""Sparse tensors: the ops on places and values that stand for a tensor of mostly empty elements."""

from .dense import sparse_placeholder, sparse_tensor_to_dense, sparse_to_dense
from .rows import sparse_fill_empty_rows, sparse_retain

__all__ = [
    "sparse_fill_empty_rows", "sparse_placeholder", "sparse_retain", "sparse_tensor_to_dense", "sparse_to_dense",
]  # fmt: skip
