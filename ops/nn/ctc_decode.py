"""Decoders of connectionist temporal classification: the likeliest class at each time, and a search over prefixes.

The search keeps the `beam_width` likeliest label sequences. Each is a node of a tree (`_Prefix`), with the log-probability of
having come to it by a blank or by its label; both advance time by time.
"""

from __future__ import annotations

import heapq
import itertools
from typing import Any, NamedTuple

import numpy as np

from ...devices.types import Array, Namespace
from ..core import dtypes, shapes
from ..core.errors import FailedPreconditionError, InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.shapes import Shape
from ..core.sparse_tensor import SparseTensor

_NEVER = -np.inf
TYPES = (dtypes.float32, dtypes.float64)


class _Chance(NamedTuple):
    total: float = _NEVER
    blank: float = _NEVER
    label: float = _NEVER


class _Prefix:
    """A label sequence: its last label and the sequence before it; `now` and `before` are its chances."""

    __slots__ = ("before", "children", "label", "now", "parent")

    def __init__(self, parent: _Prefix | None, label: int) -> None:
        self.parent, self.label = parent, label
        self.children: dict[int, _Prefix] = {}
        self.before = self.now = _Chance()

    def labels(self, merge: bool) -> list[int]:
        """Return the labels in order; equal neighbours once where `merge`."""
        found: list[int] = []
        node, behind = self, -1
        while node.parent is not None:
            if not merge or node.label != behind:
                found.append(node.label)
            node, behind = node.parent, node.label
        return found[::-1]


class _Beam:
    """The likeliest prefixes, at most `width`."""

    def __init__(self, width: int) -> None:
        self._width, self._count = width, itertools.count()
        self._heap: list[tuple[float, int, _Prefix]] = []

    def least(self) -> float:
        """Return what a prefix must exceed to come in."""
        return self._heap[0][0] if len(self._heap) == self._width else _NEVER

    def push(self, prefix: _Prefix) -> None:
        """Take a prefix in; the least likely one falls out when there are too many, and has no chance any more."""
        heapq.heappush(self._heap, (prefix.now.total, -next(self._count), prefix))
        if len(self._heap) > self._width:
            heapq.heappop(self._heap)[2].now = _Chance()

    def ordered(self) -> list[_Prefix]:
        """Return the prefixes, the likeliest first."""
        return [entry[2] for entry in sorted(self._heap, reverse=True)]


def _again(prefix: _Prefix, scores: list[float], blank: int) -> _Chance:
    """Return the chance that a prefix stays what it is: by its label again, by its parent's growth, or by a blank."""
    label = prefix.before.label
    parent = prefix.parent
    if parent is not None:
        if parent.now.total != _NEVER:
            grown = parent.before.blank if prefix.label == parent.label else parent.before.total
            label = float(np.logaddexp(label, grown))
        label += scores[prefix.label]
    by_blank = prefix.before.total + scores[blank]
    return _Chance(float(np.logaddexp(by_blank, label)), by_blank, label)


def _step(beam: _Beam, width: int, row: Array, blank: int) -> _Beam:
    """Return the beam one time later."""
    scores = row.tolist()
    prefixes = beam.ordered()
    grown = _Beam(width)
    for prefix in prefixes:
        prefix.before = prefix.now
    for prefix in prefixes:
        prefix.now = _again(prefix, scores, blank)
        grown.push(prefix)
    for prefix in prefixes:
        if prefix.before.total > grown.least():
            _grow(grown, prefix, row, blank)
    return grown


def _grow(beam: _Beam, prefix: _Prefix, row: Array, blank: int) -> None:
    """Take the prefixes that are one label longer into the beam, where they are likely enough."""
    totals = row + prefix.before.total
    if prefix.label >= 0:
        totals[prefix.label] = row[prefix.label] + prefix.before.blank
    totals[blank] = _NEVER
    likely = np.flatnonzero(totals > beam.least()).tolist()
    for label in sorted({*likely, *prefix.children}):
        child = prefix.children.get(label)
        if child is not None and child.now.total != _NEVER:
            continue
        chance = float(totals[label])
        if chance > beam.least():
            if child is None:
                child = prefix.children[label] = _Prefix(prefix, label)
            child.now = _Chance(chance, _NEVER, chance)
            beam.push(child)
        elif child is not None:
            # It fell out in this step, and does not grow any more: TensorFlow forgets it here.
            child.before = _Chance()


def _search(scores: Array, width: int, paths: int, merge: bool) -> list[tuple[list[int], float]]:
    """Return the likeliest label sequences and their log-probabilities, for log-probabilities (times, classes)."""
    root = _Prefix(None, -1)
    root.now = _Chance(0.0, 0.0, _NEVER)
    beam = _Beam(width)
    beam.push(root)
    for row in scores:
        beam = _step(beam, width, row, len(row) - 1)
    found = [(prefix.labels(merge), prefix.now.total) for prefix in beam.ordered()[:paths]]
    if len(found) < paths:
        raise InvalidArgumentError(None, None, "Less leaves in the beam search than requested.")
    return found


def _sparse(rows: list[list[int]]) -> tuple[Array, Array, Array]:
    """Return label sequences as places, values and shape of a sparse tensor."""
    places = [(i, j) for i, row in enumerate(rows) for j in range(len(row))]
    longest = max(map(len, rows), default=0)
    return (
        np.array(places, np.int64).reshape(-1, 2), np.array([label for row in rows for label in row], np.int64),
        np.array([len(rows), longest], np.int64),
    )  # fmt: skip


def _check(inputs: Array, lengths: Array) -> None:
    if inputs.ndim != 3:
        raise InvalidArgumentError(None, None, "inputs is not a 3-Tensor")
    if lengths.shape != (inputs.shape[1],):
        raise InvalidArgumentError(None, None, f"len(sequence_length) != batch_size.  len(sequence_length):  {lengths.size} "
                                   f"batch_size: {inputs.shape[1]}")  # fmt: skip
    if (lengths > inputs.shape[0]).any():
        first = int(np.flatnonzero(lengths > inputs.shape[0])[0])
        raise FailedPreconditionError(None, None, f"sequence_length({first}) <= {inputs.shape[0]}")


def _batch(node: Operation) -> int | None:
    inputs = shapes.with_rank(node.inputs[0].dims, 3)
    return shapes.merge_dim(inputs[1], shapes.with_rank(node.inputs[1].dims, 1)[0])


def _greedy_shapes(node: Operation) -> list[Shape]:
    return [(None, 2), (None,), (2,), (_batch(node), 1)]


@op(
    "CTCGreedyDecoder", shape=_greedy_shapes, T=TYPES, devices="CPU", differentiable=False, defaults={"T": dtypes.float32},
    types="inputs: T, sequence_length: int32 -> decoded_indices: int64, decoded_values: int64, decoded_shape: int64, "
    "log_probability: T",
)  # fmt: skip
def ctc_greedy_op(
    xp: Namespace, inputs: Array, sequence_length: Array, *, merge_repeated: bool = False, blank_index: int = -1
) -> list[Array]:
    """Returns the likeliest class at each time, without blanks, and the negative sum of its logits."""
    _check(inputs, sequence_length)
    blank = blank_index + inputs.shape[2] if blank_index < 0 else blank_index
    running = np.arange(inputs.shape[0])[:, None] < sequence_length
    best = inputs.argmax(axis=2)
    kept = running & (best != blank)
    if merge_repeated:
        kept[1:] &= best[1:] != best[:-1]
    rows = [best[kept[:, i], i].tolist() for i in range(inputs.shape[1])]
    total = np.where(running, inputs.max(axis=2), inputs.dtype.type(0)).sum(axis=0, keepdims=True).T
    return [*_sparse(rows), np.negative(total).astype(inputs.dtype)]


def _beam_shapes(node: Operation) -> list[Shape]:
    paths = node.attrs["top_paths"]
    parts: list[Shape] = [(None, 2)] * paths + [(None,)] * paths + [(2,)] * paths
    return [*parts, (_batch(node), paths)]


@op(
    "CTCBeamSearchDecoder", shape=_beam_shapes, T=TYPES, devices="CPU", differentiable=False,
    defaults={"T": dtypes.float32},
    types="inputs: T, sequence_length: int32 -> decoded_indices: top_paths*int64, decoded_values: top_paths*int64, "
    "decoded_shape: top_paths*int64, log_probability: T",
)  # fmt: skip
def ctc_beam_op(
    xp: Namespace,
    inputs: Array,
    sequence_length: Array,
    *,
    beam_width: int,
    top_paths: int,
    merge_repeated: bool = True,
) -> list[Array]:
    """Returns the likeliest label sequences, by a search over prefixes; the last class is the blank."""
    _check(inputs, sequence_length)
    if top_paths > beam_width:
        raise InvalidArgumentError(None, None, "requested more paths than the beam width.")
    wide = inputs.astype(np.float64)
    wide = wide - wide.max(axis=2, keepdims=True)
    scores = wide - np.log(np.exp(wide).sum(axis=2, keepdims=True))
    found = [
        _search(scores[:length, i], beam_width, top_paths, merge_repeated) for i, length in enumerate(sequence_length)
    ]
    parts = [_sparse([paths[k][0] for paths in found]) for k in range(top_paths)]
    chances = np.array([[chance for _, chance in paths] for paths in found], inputs.dtype).reshape(-1, top_paths)
    return [*(part[i] for i in range(3) for part in parts), chances]


Decoded = tuple[list[SparseTensor], Tensor]


def ctc_greedy_decoder(
    inputs: Any, sequence_length: Any, merge_repeated: bool = True, blank_index: int | None = None
) -> Decoded:
    """Return the likeliest class at each time.

    Args:
      inputs: logits (times, batch, classes). sequence_length: int32 (batch,).
      merge_repeated: whether equal neighbours in time give one label.
      blank_index: the blank's class; the last one when None.

    Returns:
      A list of one int64 SparseTensor (batch, most labels), and the negative sums of the logits, (batch, 1).
    """
    blank = -1 if blank_index is None else blank_index
    places, values, shape, chances = ctc_greedy_op(
        inputs, sequence_length, merge_repeated=merge_repeated, blank_index=blank
    )
    return [SparseTensor(places, values, shape)], chances


def ctc_beam_search_decoder(
    inputs: Any, sequence_length: Any, beam_width: int = 100, top_paths: int = 1, merge_repeated: bool = True
) -> Decoded:
    """Return the likeliest label sequences, by a search over prefixes.

    Args:
      inputs: logits (times, batch, classes); the last class is the blank. sequence_length: int32 (batch,).
      beam_width: how many prefixes to keep. top_paths: how many sequences to return, at most `beam_width`.
      merge_repeated: whether equal neighbours in the sequences are made one.

    Returns:
      A list of `top_paths` int64 SparseTensors (batch, most labels), and log-probabilities, (batch, top_paths).
    """
    places, values, dims, chances = ctc_beam_op(
        inputs, sequence_length, beam_width=beam_width, top_paths=top_paths, merge_repeated=merge_repeated
    )
    parts = zip(places, values, dims, strict=True)
    return [SparseTensor(*part) for part in parts], chances


def ctc_beam_search_decoder_v2(inputs: Any, sequence_length: Any, beam_width: int = 100, top_paths: int = 1) -> Decoded:
    """Return the likeliest label sequences with their repeats; see `ctc_beam_search_decoder`."""
    return ctc_beam_search_decoder(inputs, sequence_length, beam_width, top_paths, merge_repeated=False)
