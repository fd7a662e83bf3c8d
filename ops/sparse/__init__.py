"""Sparse tensors: the ops on places and values that stand for a tensor of mostly empty elements."""

from .dense import sparse_placeholder, sparse_tensor_to_dense, sparse_to_dense

__all__ = ["sparse_placeholder", "sparse_tensor_to_dense", "sparse_to_dense"]
