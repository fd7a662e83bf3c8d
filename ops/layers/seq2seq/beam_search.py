"""Beam search: the decoder that follows the `beam_width` likeliest sequences of each example.

Cells see beams as further examples, [batch · beams, ...]; scores are [batch, beams]. Each step keeps the best of all
continuations and remembers which beam each came from; the sequences are read backwards along these parents in the end.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...array import (
    concat,
    expand_dims,
    fill,
    gather,
    gather_nd,
    identity,
    one_hot,
    reshape,
    sequence_mask,
    shape,
    stack,
    tile,
    transpose,
    zeros,
    zeros_like,
)
from ...core import dtypes
from ...core.convert import constant, convert_to_tensor
from ...core.node import Tensor
from ...core.scopes import name_scope
from ...core.shapes import TensorShape
from ...flow import TensorArray, cond, scan
from ...flow.structure import flatten, pack
from ...math import (
    add,
    add_n,
    cast,
    cumsum,
    equal,
    floor_div,
    floormod,
    greater,
    less,
    log,
    logical_or,
    multiply,
    reduce_all,
    reduce_max,
    reduce_sum,
    where,
)
from ...math import pow as power
from ...math import range as range_
from ...nn import log_softmax, top_k
from ..rnn.checks import check_cell
from .attention import AttentionWrapperState
from .decoder import Decoder
from .helpers import embedding_function


class BeamSearchDecoderState(NamedTuple):
    """The state of a beam search."""

    cell_state: Any
    log_probs: Any
    finished: Any
    lengths: Any
    accumulated_attention_probs: Any


class BeamSearchDecoderOutput(NamedTuple):
    """What a step gives: scores, tokens and the beams that these continue, each [batch, beams]."""

    scores: Any
    predicted_ids: Any
    parent_ids: Any


class FinalBeamSearchDecoderOutput(NamedTuple):
    """What a search gives: the sequences [batch, time, beams], best beam first, and what the steps gave."""

    predicted_ids: Any
    beam_search_decoder_output: BeamSearchDecoderOutput


def tile_batch(t: Any, multiplier: int, name: str | None = None) -> Any:
    """Repeat every example `multiplier` times in a row, in each tensor of a structure.

    Raises:
      ValueError: for scalars.
    """
    with name_scope(name, "tile_batch", [leaf for leaf in flatten(t) if isinstance(leaf, Tensor)]):
        return pack(t, [_tiled(convert_to_tensor(leaf), multiplier) for leaf in flatten(t)])


def _tiled(tensor: Tensor, multiplier: int) -> Tensor:
    if tensor.dims is None:
        raise ValueError("t must have statically known rank")
    if not tensor.dims:
        raise ValueError("t must have rank at least 1")
    repeats = [1, multiplier, *[1] * (len(tensor.dims) - 1)]
    rows = tile(expand_dims(tensor, 1), repeats)
    found: Tensor = reshape(rows, concat([[-1], shape(tensor)[1:]], 0))
    first = tensor.dims[0]
    found.set_shape([None if first is None else first * multiplier, *tensor.dims[1:]])
    return found


def gather_tree(
    step_ids: Any, parent_ids: Any, max_sequence_lengths: Any, end_token: Any, name: str | None = None
) -> Tensor:
    """Return whole sequences out of the tokens of each step and the beams that these continue.

    Args:
      step_ids, parent_ids: ints [time, batch, beams].
      max_sequence_lengths: the length of each example's longest beam, [batch].
      end_token: what stands after a sequence's first end.

    Returns:
      The sequences, [time, batch, beams].
    """
    with name_scope(name, "GatherTree", [step_ids, parent_ids]):
        steps, parents = convert_to_tensor(step_ids), convert_to_tensor(parent_ids)
        end = convert_to_tensor(end_token, dtypes.int32)
        count, batch, beams = shape(steps)[0], shape(steps)[1], shape(steps)[2]
        lanes = tile(expand_dims(range_(beams), 0), stack([batch, 1]))
        known = steps.dims[1:] if steps.dims else None
        lanes.set_shape(known)
        offsets = expand_dims(range_(batch) * beams, 1)
        lengths = expand_dims(convert_to_tensor(max_sequence_lengths), 1)

        def back(state: Any, row: Any) -> Any:
            lane, _ = state
            ids, before, time = row
            inside = less(time, lengths) & (lanes >= 0)
            places = lane + offsets
            chosen = where(inside, gather(reshape(ids, [-1]), places), fill(shape(lane), end))
            following = where(inside, gather(reshape(before, [-1]), places), lane)
            for tensor in (following, chosen):
                tensor.set_shape(known)
            return following, chosen

        _, tokens = scan(back, (steps, parents, range_(count)), initializer=(lanes, steps[0]), reverse=True)
        ended = cast(equal(tokens, end), dtypes.int32)
        after = greater(cumsum(ended, axis=0, exclusive=True), 0)
        found: Tensor = where(after, fill(shape(tokens), end), tokens)
        found.set_shape(steps.dims)
        return found


class BeamSearchDecoder(Decoder):
    """Follows the likeliest sequences of each example.

    Args:
      cell: an RNNCell that gives logits of the vocabulary, or does behind `output_layer`.
      embedding: a tensor of embeddings, or a function from ids to them.
      start_tokens: an int32 vector [batch]. end_token: an int32 scalar.
      initial_state: the cell's state, of batch · beam_width examples (see `tile_batch`).
      beam_width: how many sequences are followed.
      output_layer: a layer for the cell's outputs.
      length_penalty_weight: how much long sequences are preferred (Wu et al., 2016); 0 for not at all.
      coverage_penalty_weight: how much attention that covers the whole source is preferred; 0 for not at all.
      reorder_tensor_arrays: whether TensorArrays in the cell's state, such as alignment histories, follow the beams when the
        search is over.
    """

    def __init__(
        self, cell: Any, embedding: Any, start_tokens: Any, end_token: Any, initial_state: Any, beam_width: int,
        output_layer: Any = None, length_penalty_weight: float = 0.0, coverage_penalty_weight: float = 0.0,
        reorder_tensor_arrays: bool = True,
    ) -> None:  # fmt: skip
        check_cell("cell", cell)
        if output_layer is not None and not callable(output_layer):
            raise TypeError(f"output_layer must be a Layer, received: {type(output_layer)}")
        self._cell, self._layer, self._beam_width = cell, output_layer, beam_width
        self._embed = embedding_function(embedding)
        self._start_tokens = convert_to_tensor(start_tokens, dtypes.int32, name="start_tokens")
        if self._start_tokens.dims is not None and len(self._start_tokens.dims) != 1:
            raise ValueError("start_tokens must be a vector")
        self._end_token = convert_to_tensor(end_token, dtypes.int32, name="end_token")
        if self._end_token.dims not in ((), None):
            raise ValueError("end_token must be a scalar")
        self._length_weight, self._coverage_weight = length_penalty_weight, coverage_penalty_weight
        self._reorder = reorder_tensor_arrays
        dims = self._start_tokens.dims
        self._batch_size = dims[0] if dims and dims[0] is not None else shape(self._start_tokens)[0]
        self._initial = pack(initial_state, [self._split(leaf) for leaf in _leaves(initial_state)])
        start = tile(expand_dims(self._start_tokens, 1), [1, beam_width])
        self._start_inputs = self._embed(start)

    # -- shapes --------------------------------------------------------------------------------------------------------

    def _split(self, leaf: Any) -> Any:
        """Return [batch, beams, ...] for [batch · beams, ...]; scalars and arrays stay as they are."""
        if isinstance(leaf, TensorArray):
            return leaf.flow
        if leaf.dims == ():
            return leaf
        made = reshape(leaf, concat([stack([self._batch_size, self._beam_width]), shape(leaf)[1:]], 0))
        made.set_shape([self._static_batch, self._beam_width, *leaf.dims[1:]])
        return made

    def _merge(self, leaf: Any) -> Any:
        """Return [batch · beams, ...] for [batch, beams, ...]; scalars and arrays stay as they are."""
        if isinstance(leaf, TensorArray):
            return leaf.flow
        if leaf.dims == ():
            return leaf
        made = reshape(leaf, concat([[-1], shape(leaf)[2:]], 0))
        batch = self._static_batch
        made.set_shape([None if batch is None else batch * self._beam_width, *leaf.dims[2:]])
        return made

    @property
    def _static_batch(self) -> int | None:
        return self._batch_size if isinstance(self._batch_size, int) else None

    @property
    def batch_size(self) -> Any:
        """The number of examples."""
        return self._batch_size

    @property
    def tracks_own_finished(self) -> bool:
        """Say yes: beams change places, so that a finished place can become unfinished."""
        return True

    @property
    def output_size(self) -> BeamSearchDecoderOutput:
        """The sizes of a step's outputs."""
        width = TensorShape([self._beam_width])
        return BeamSearchDecoderOutput(width, width, width)

    @property
    def output_dtype(self) -> BeamSearchDecoderOutput:
        """The types of a step's outputs."""
        kind = flatten(self._initial)[0].dtype.base_dtype
        return BeamSearchDecoderOutput(kind, dtypes.int32, dtypes.int32)

    # -- steps ---------------------------------------------------------------------------------------------------------

    def initialize(self, name: str | None = None) -> Any:
        """Return that no beam is finished, the first inputs, and the first state: only each first beam counts."""
        finished = fill([self._batch_size, self._beam_width], False)
        kind = self.output_dtype.scores
        first = one_hot(zeros([self._batch_size], dtypes.int32), self._beam_width, 0.0, -np.inf, dtype=kind)
        seen: Any = ()
        if self._coverage_weight != 0.0:
            size = self._alignments_size()
            seen = zeros(stack([self._batch_size, self._beam_width, size]), dtypes.float32)
        lengths = zeros([self._batch_size, self._beam_width], dtypes.int64)
        return finished, self._start_inputs, BeamSearchDecoderState(self._initial, first, finished, lengths, seen)

    def _alignments_size(self) -> Any:
        return shape(_alignments(self._initial))[-1]

    def step(self, time: Any, inputs: Any, state: Any, name: str | None = None) -> Any:
        """Return the outputs, the next state and inputs, and which beams are finished."""
        with name_scope(name, "BeamSearchDecoderStep", [time]):
            given = pack(inputs, [self._merge(leaf) for leaf in flatten(inputs)])
            cell_state = pack(state.cell_state, [self._merge(leaf) for leaf in _leaves(state.cell_state)])
            outputs, cell_state = self._cell(given, cell_state)
            if self._layer is not None:
                outputs = self._layer(outputs)
            logits = self._split(outputs)
            cell_state = pack(cell_state, [self._split(leaf) for leaf in _leaves(cell_state)])
            found, new = self._search(logits, cell_state, state)
            ended = reduce_all(new.finished)
            following = cond(ended, lambda: identity(self._start_inputs), lambda: self._embed(found.predicted_ids))
            return found, new, following, new.finished

    def _search(self, logits: Tensor, cell_state: Any, state: BeamSearchDecoderState) -> Any:
        """Keep the best continuations of all beams."""
        width, vocabulary = self._beam_width, _last(logits)
        step_scores = _masked(log_softmax(logits), self._end_token, state.finished)
        total = expand_dims(state.log_probs, 2) + step_scores
        lengths = self._next_lengths(state, vocabulary)
        seen = self._seen(cell_state, state)
        scores = self._scored(total, lengths, seen, state.finished)
        best, places = top_k(reshape(scores, [self._batch_size, -1]), k=width)
        words, beams = (
            cast(floormod(places, vocabulary), dtypes.int32),
            cast(floor_div(places, vocabulary), dtypes.int32),
        )
        log_probs = self._picked(reshape(total, [self._batch_size, -1]), places)
        was_finished = self._picked(state.finished, beams)
        finished = logical_or(was_finished, equal(words, self._end_token))
        grown = cast(where(was_finished, words * 0, words * 0 + 1), dtypes.int64)
        cell_state = pack(cell_state, [self._follow(leaf, beams) for leaf in _leaves(cell_state)])
        new = BeamSearchDecoderState(
            cell_state, log_probs, finished, add(self._picked(state.lengths, beams), grown),
            () if isinstance(seen, tuple) else self._picked(seen, beams),
        )  # fmt: skip
        return BeamSearchDecoderOutput(best, words, beams), new

    def _next_lengths(self, state: BeamSearchDecoderState, vocabulary: Any) -> Tensor:
        """Return how long each continuation is: finished beams grow no more, nor does the end token count."""
        ends = one_hot(
            tile(reshape(self._end_token, [1, 1]), stack([self._batch_size, self._beam_width])), vocabulary, 0, 1
        )
        grows = cast(ends, dtypes.int64) * expand_dims(
            cast(where(state.finished, _zeros(state), _zeros(state) + 1), dtypes.int64), 2
        )
        return add(grows, expand_dims(state.lengths, 2))

    def _seen(self, cell_state: Any, state: BeamSearchDecoderState) -> Any:
        if self._coverage_weight == 0.0:
            return ()
        alignments = _alignments(cell_state)
        running = expand_dims(1.0 - cast(state.finished, dtypes.float32), 2)
        return state.accumulated_attention_probs + alignments * running

    def _scored(self, total: Tensor, lengths: Tensor, seen: Any, finished: Tensor) -> Tensor:
        """Return what beams are ranked by: only finished ones answer for what they have not looked at."""
        scores = total
        if self._length_weight != 0.0:
            grown = cast(lengths, total.dtype)
            scores = scores / (power(5.0 + grown, self._length_weight) / 6.0**self._length_weight)
        if not isinstance(seen, tuple):
            # Nobody can look behind the end of a source: attention of 0 costs nothing.
            ones = seen * 0.0 + 1.0
            covered = reduce_sum(log(where(logical_or(equal(seen, 0.0), less(ones, seen)), ones, seen)), 2)
            covered = covered * cast(finished, dtypes.float32)
            scores = scores + expand_dims(covered * self._coverage_weight, 2)
        return scores

    def _picked(self, values: Tensor, beams: Tensor) -> Tensor:
        """Return `values[b, beams[b, k], ...]`."""
        count = shape(values)[1]
        offsets = expand_dims(range_(self._batch_size) * count, 1)
        rows = reshape(values, concat([[-1], shape(values)[2:]], 0))
        found: Tensor = gather(rows, beams + offsets)
        found.set_shape([self._static_batch, self._beam_width, *(values.dims or ())[2:]])
        return found

    def _follow(self, leaf: Any, beams: Tensor) -> Any:
        if isinstance(leaf, TensorArray):
            return leaf.flow
        return leaf if leaf.dims == () else self._picked(leaf, beams)

    def finalize(self, outputs: Any, final_state: Any, sequence_lengths: Any) -> Any:
        """Return the sequences, read backwards along the beams' parents."""
        longest = cast(reduce_max(final_state.lengths, axis=1), dtypes.int32)
        ids = gather_tree(outputs.predicted_ids, outputs.parent_ids, longest, self._end_token)
        if self._reorder:
            leaves = [self._sorted(leaf, outputs.parent_ids, longest) for leaf in _leaves(final_state.cell_state)]
            if any(isinstance(leaf, TensorArray) for leaf in _leaves(final_state.cell_state)):
                final_state = final_state._replace(cell_state=_with_leaves(final_state.cell_state, leaves))
        return FinalBeamSearchDecoderOutput(ids, outputs), final_state

    def _sorted(self, leaf: Any, parents: Tensor, longest: Tensor) -> Any:
        """Return the elements of an array [time] of [batch · beams, ...] along the final beams."""
        if not isinstance(leaf, TensorArray):
            return leaf
        rows = leaf.stack()
        count = shape(parents)[0]
        lanes = tile(reshape(range_(self._beam_width), [1, 1, -1]), stack([count, self._batch_size, 1]))
        beams = gather_tree(lanes, parents, longest, self._beam_width + 1)
        beams = where(less(beams, self._beam_width), beams, lanes)
        size = multiply(constant(self._beam_width), self._batch_size)
        flat = reshape(rows, concat([stack([-1]), shape(rows)[2:]], 0))
        offsets = reshape(range_(count) * size, [-1, 1, 1]) + reshape(
            range_(self._batch_size) * self._beam_width, [1, -1, 1]
        )
        return reshape(gather(flat, reshape(beams + offsets, [-1])), shape(rows))


def _alignments(cell_state: Any) -> Tensor:
    """Return the alignments in a cell's state; the mean over its mechanisms, where there are several.

    Raises:
      ValueError: when no part of the state is an attention's.
    """
    parts = [cell_state] if isinstance(cell_state, AttentionWrapperState) else cell_state
    states = (
        [part for part in parts if isinstance(part, AttentionWrapperState)] if isinstance(parts, list | tuple) else []
    )
    found = [leaf for state in states for leaf in flatten(state.alignments)]
    if not found:
        raise ValueError(
            "coverage_penalty_weight needs a cell state of type AttentionWrapperState, or a tuple with one in it, not "
            f"{type(cell_state).__name__}"
        )
    return found[0] if len(found) == 1 else add_n(found) / float(len(found))


def gather_tree_from_array(t: Any, parent_ids: Any, sequence_length: Any) -> Tensor:
    """Return what each step's beams hold, in the order of the final beams.

    Args:
      t: [time, batch, beams, ...].
      parent_ids: int32 [time, batch, beams]: the beam that each continues.
      sequence_length: int32 [batch, beams].

    Returns:
      A tensor like `t`.
    """
    values, parents = convert_to_tensor(t), convert_to_tensor(parent_ids)
    lengths = convert_to_tensor(sequence_length)
    time, batch, beams = (shape(parents)[axis] for axis in range(3))
    lanes = tile(reshape(range_(beams), [1, 1, -1]), stack([time, batch, 1]))
    found = gather_tree(lanes, parents, cast(reduce_max(lengths, axis=1), dtypes.int32), beams + 1)
    inside = transpose(sequence_mask(lengths, time), [2, 0, 1])
    found = where(inside, found, lanes)
    steps = tile(reshape(range_(time), [-1, 1, 1]), stack([1, batch, beams]))
    examples = tile(reshape(range_(batch), [1, -1, 1]), stack([time, 1, beams]))
    ordered: Tensor = gather_nd(values, stack([steps, examples, found], axis=-1))
    ordered.set_shape(values.dims)
    return ordered


def _leaves(structure: Any) -> list[Any]:
    """Return the leaves of a structure, TensorArrays as they are."""
    if isinstance(structure, dict):
        return [leaf for key in sorted(structure) for leaf in _leaves(structure[key])]
    if isinstance(structure, list | tuple):
        return [leaf for part in structure for leaf in _leaves(part)]
    return [structure if isinstance(structure, TensorArray) else convert_to_tensor(structure)]


def _with_leaves(structure: Any, leaves: list[Any]) -> Any:
    """Return the structure with other leaves, whatever they are."""
    queue = iter(leaves)

    def build(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: build(value[key]) for key in sorted(value)}
        if isinstance(value, list | tuple):
            parts = [build(part) for part in value]
            return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
        return next(queue)

    return build(structure)


def _last(tensor: Tensor) -> Any:
    known = tensor.dims[-1] if tensor.dims else None
    return shape(tensor)[-1] if known is None else known


def _zeros(state: BeamSearchDecoderState) -> Tensor:
    return cast(state.finished, dtypes.int32) * 0


def _masked(scores: Tensor, end_token: Tensor, finished: Tensor) -> Tensor:
    """Let finished beams continue with the end token only, at no cost."""
    vocabulary = _last(scores)
    kind = scores.dtype.base_dtype
    ends = one_hot(end_token, vocabulary, on_value=0.0, off_value=float(kind.min), dtype=kind)
    flags = expand_dims(finished, 2)
    rows = reshape(ends, [1, 1, -1]) + zeros_like(scores)
    return where(logical_or(flags, rows > 1.0), rows, scores)
