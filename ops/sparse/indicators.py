"""Sparse tensors of ids: turned to dense indicators, and merged with values; how far sequences are from each other."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..array import concat, expand_dims, gather, listdiff, ones_like, reshape
from ..core import dtypes
from ..core.convert import convert_to_tensor
from ..core.errors import InvalidArgumentError
from ..core.indexed_slices import IndexedSlices
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.scopes import name_scope
from ..core.shape_rules import constant_value_as_shape
from ..core.shapes import Shape
from ..core.sparse_tensor import SparseTensor, as_sparse
from ..math import cast
from .dense import sparse_tensor_to_dense
from .layout import sparse_reorder


def sparse_merge(
    sp_ids: Any, sp_values: Any, vocab_size: Any, name: str | None = None, already_sorted: bool = False
) -> SparseTensor:
    """Return a sparse tensor with values at the places that ids of the same shape name in a new last dimension.

    Args:
      sp_ids: a SparseTensor of ids, or a list of them for several dimensions.
      sp_values: a SparseTensor of the same places.
      vocab_size: how many ids there are, or a list of such numbers.
      already_sorted: whether the places come in order, so that they need not be sorted.
    """
    with name_scope(name, "SparseMerge"):
        ids = [as_sparse(each) for each in (sp_ids if isinstance(sp_ids, list) else [sp_ids])]
        sizes = vocab_size if isinstance(vocab_size, list) else [vocab_size]
        if len(ids) != len(sizes):
            raise ValueError("sp_ids and vocab_size have to have equal lengths.")
        values = as_sparse(sp_values)
        columns = [expand_dims(cast(each.values, dtypes.int64), 1) for each in ids]
        places = concat([ids[0].indices[:, :-1], *columns], 1)
        dims = [reshape(cast(convert_to_tensor(size), dtypes.int64), [1]) for size in sizes]
        merged = SparseTensor(places, values.values, concat([ids[0].dense_shape[:-1], *dims], 0))
        if already_sorted:
            return merged
        return sparse_reorder(merged)


def sparse_to_indicator(sp_input: Any, vocab_size: Any, name: str | None = None) -> Tensor:
    """Return, bool (…, vocab_size), which ids each innermost row of a sparse tensor of ids has."""
    sparse = as_sparse(sp_input)
    with name_scope(name, "SparseToIndicator"):
        held = SparseTensor(sparse.indices, cast(ones_like(sparse.values), dtypes.bool), sparse.dense_shape)
        merged = sparse_merge(sparse, held, vocab_size)
        return sparse_tensor_to_dense(merged, default_value=False, validate_indices=False)


def sparse_mask(a: Any, mask_indices: Any, name: str | None = None) -> IndexedSlices:
    """Return IndexedSlices without the rows whose indices `mask_indices` names."""
    with name_scope(name, "sparse_mask"):
        kept, places = listdiff(a.indices, mask_indices)
        return IndexedSlices(gather(a.values, places), kept, a.dense_shape)


def _distance_shape(node: Operation) -> Shape:
    guess, truth = constant_value_as_shape(node.inputs[2]), constant_value_as_shape(node.inputs[5])
    if guess is None or truth is None:
        return None
    pairs = zip(guess[:-1], truth[:-1], strict=True)
    return tuple(None if a is None or b is None else max(a, b) for a, b in pairs)


def _sequences(indices: Array, values: Array) -> dict[tuple[int, ...], list[Any]]:
    found: dict[tuple[int, ...], list[Any]] = {}
    for place, value in zip(indices[:, :-1].tolist(), values.tolist(), strict=True):
        found.setdefault(tuple(place), []).append(value)
    return found


def _levenshtein(one: list[Any], other: list[Any]) -> int:
    line = list(range(len(other) + 1))
    for i, mine in enumerate(one, 1):
        corner, line[0] = line[0], i
        for j, theirs in enumerate(other, 1):
            corner, line[j] = line[j], min(line[j] + 1, line[j - 1] + 1, corner + (mine != theirs))
    return line[-1]


@op(
    "EditDistance", shape=_distance_shape, devices="CPU", differentiable=False,
    types="hypothesis_indices: int64, hypothesis_values: T, hypothesis_shape: int64, truth_indices: int64, truth_values: T, "
    "truth_shape: int64 -> output: float32",
)  # fmt: skip
def edit_distance_op(
    xp: Namespace, hypothesis_indices: Array, hypothesis_values: Array, hypothesis_shape: Array, truth_indices: Array,
    truth_values: Array, truth_shape: Array, *, normalize: bool = True,
) -> Array:  # fmt: skip
    """Returns the least number of insertions, deletions and exchanges from each hypothesis to its truth."""
    if len(hypothesis_shape) != len(truth_shape):
        raise InvalidArgumentError(None, None, f"Expected truth_shape and hypothesis_shape to have same rank, but got "
                                   f"{len(truth_shape)} and {len(hypothesis_shape)}")  # fmt: skip
    guesses, truths = _sequences(hypothesis_indices, hypothesis_values), _sequences(truth_indices, truth_values)
    made = np.zeros(tuple(np.maximum(hypothesis_shape, truth_shape)[:-1].tolist()), np.float32)
    for place in guesses.keys() | truths.keys():
        guess, truth = guesses.get(place, []), truths.get(place, [])
        distance = float(_levenshtein(guess, truth))
        if normalize:
            distance = distance / len(truth) if truth else float("inf")
        made[place] = distance
    return made


def edit_distance(hypothesis: Any, truth: Any, normalize: bool = True, name: str = "edit_distance") -> Tensor:
    """Return the Levenshtein distance of each innermost row of two sparse tensors, float32.

    Args:
      normalize: whether to divide by the truth's length; infinite where that is 0 and the hypothesis is not empty.

    Raises:
      TypeError: when either is not sparse.
    """
    guess, true = as_sparse(hypothesis), as_sparse(truth)
    return edit_distance_op(  # type: ignore[no-any-return]
        guess.indices, guess.values, guess.dense_shape, true.indices, true.values, true.dense_shape,
        normalize=normalize, name=name,
    )  # fmt: skip
