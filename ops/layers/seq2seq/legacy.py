"""The older sequence-to-sequence functions, unrolled over lists of steps (`tf.contrib.legacy_seq2seq`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...array import concat, expand_dims, reshape, shape, stop_gradient, zeros
from ...core.convert import convert_to_tensor
from ...core.node import Tensor
from ...core.scopes import name_scope
from ...flow import cond
from ...flow.structure import flatten, pack
from ...math import add_n, argmax, cast, matmul, reduce_sum, tanh
from ...nn import softmax, sparse_softmax_cross_entropy_with_logits, xw_plus_b
from ...variables.scope import get_variable, get_variable_scope, variable_scope
from ..embedding import embedding_lookup
from ..rnn.extra_cells import EmbeddingWrapper, OutputProjectionWrapper, linear
from ..rnn.rnn_cell import batch_of
from ..rnn.static import static_rnn

LoopFunction = Callable[[Any, int], Any] | None


def _fed_back(embedding: Any, projection: Any, update: bool) -> Callable[[Any, int], Any]:
    """Return the function that embeds what scored best in the step before."""

    def feed(previous: Any, _: int) -> Any:
        scores = previous if projection is None else xw_plus_b(previous, projection[0], projection[1])
        found = embedding_lookup(embedding, argmax(scores, 1))
        return found if update else stop_gradient(found)

    return feed


def rnn_decoder(
    decoder_inputs: Any, initial_state: Any, cell: Any, loop_function: LoopFunction = None, scope: Any = None
) -> Any:
    """Run a cell over a list of inputs, or over what `loop_function(previous output, step)` makes of its outputs.

    Returns:
      (list of outputs, final state).
    """
    with variable_scope(scope or "rnn_decoder"):
        state, outputs, previous = initial_state, [], None
        for i, given in enumerate(decoder_inputs):
            if loop_function is not None and previous is not None:
                with variable_scope("loop_function", reuse=True):
                    given = loop_function(previous, i)
            if i > 0:
                get_variable_scope().reuse_variables()
            output, state = cell(given, state)
            outputs.append(output)
            previous = output if loop_function is not None else None
    return outputs, state


def basic_rnn_seq2seq(
    encoder_inputs: Any, decoder_inputs: Any, cell: Any, dtype: Any = "float32", scope: Any = None
) -> Any:
    """Encode a list of inputs with a cell, and decode another list from its final state with the same type of cell."""
    with variable_scope(scope or "basic_rnn_seq2seq"):
        _, state = static_rnn(_copied(cell), encoder_inputs, dtype=dtype)
        return rnn_decoder(decoder_inputs, state, cell)


def tied_rnn_seq2seq(
    encoder_inputs: Any, decoder_inputs: Any, cell: Any, loop_function: LoopFunction = None, dtype: Any = "float32",
    scope: Any = None,
) -> Any:  # fmt: skip
    """Encode and decode with the same variables."""
    with variable_scope("combined_tied_rnn_seq2seq"):
        shared = scope or "tied_rnn_seq2seq"
        _, state = static_rnn(cell, encoder_inputs, dtype=dtype, scope=shared)
        get_variable_scope().reuse_variables()
        return rnn_decoder(decoder_inputs, state, cell, loop_function, scope=shared)


def _copied(cell: Any) -> Any:
    """Return a cell like another one that has made no variables, so that the two make their own."""
    if isinstance(cell, list | tuple):
        return type(cell)(_copied(part) for part in cell)
    if not hasattr(cell, "__dict__"):
        return cell
    made = object.__new__(type(cell))
    made.__dict__.update(cell.__dict__)
    if hasattr(cell, "_variables"):
        made._variables, made._losses, made.built, made._scope = [], [], False, None
    for name in ("_cell", "_cells"):
        if name in made.__dict__:
            made.__dict__[name] = _copied(made.__dict__[name])
    return made


def embedding_rnn_decoder(
    decoder_inputs: Any, initial_state: Any, cell: Any, num_symbols: int, embedding_size: int, output_projection: Any = None,
    feed_previous: bool = False, update_embedding_for_previous: bool = True, scope: Any = None,
) -> Any:  # fmt: skip
    """Run a cell over the embeddings of a list of ids; `feed_previous` uses the ids that it gave itself."""
    with variable_scope(scope or "embedding_rnn_decoder"):
        embedding = get_variable("embedding", [num_symbols, embedding_size])
        feed = _fed_back(embedding, output_projection, update_embedding_for_previous) if feed_previous else None
        return rnn_decoder(
            [embedding_lookup(embedding, i) for i in decoder_inputs], initial_state, cell, loop_function=feed
        )


def _by_flag(feed_previous: Any, decode: Callable[[bool], Any]) -> Any:
    """Return what `decode(flag)` gives; for a tensor flag, both ways share their variables."""
    if isinstance(feed_previous, bool):
        return decode(feed_previous)
    results: dict[bool, Any] = {}

    def branch(flag: bool, reuse: bool | None) -> Callable[[], Any]:
        def build() -> list[Any]:
            with variable_scope(get_variable_scope(), reuse=reuse):
                results[flag] = decode(flag)
                return flatten(results[flag])

        return build

    leaves = cond(convert_to_tensor(feed_previous), branch(True, None), branch(False, True), strict=True)
    return pack(results[True], list(leaves))


def embedding_rnn_seq2seq(
    encoder_inputs: Any, decoder_inputs: Any, cell: Any, num_encoder_symbols: int, num_decoder_symbols: int,
    embedding_size: int, output_projection: Any = None, feed_previous: Any = False, dtype: Any = None, scope: Any = None,
) -> Any:  # fmt: skip
    """Encode a list of ids and decode another one; see `embedding_attention_seq2seq` for the arguments."""
    with variable_scope(scope or "embedding_rnn_seq2seq") as opened:
        kind = dtype or opened.dtype
        _, state = static_rnn(
            EmbeddingWrapper(_copied(cell), num_encoder_symbols, embedding_size), encoder_inputs, dtype=kind
        )
        if output_projection is None:
            cell = OutputProjectionWrapper(cell, num_decoder_symbols)

        def decode(flag: bool) -> Any:
            return embedding_rnn_decoder(
                decoder_inputs, state, cell, num_decoder_symbols, embedding_size, output_projection, flag
            )

        return _by_flag(feed_previous, decode)


def attention_decoder(
    decoder_inputs: Any, initial_state: Any, attention_states: Any, cell: Any, output_size: int | None = None,
    num_heads: int = 1, loop_function: LoopFunction = None, dtype: Any = None, scope: Any = None,
    initial_state_attention: bool = False,
) -> Any:  # fmt: skip
    """Run a cell that attends to `attention_states` [batch, length, size] in every step.

    Args:
      decoder_inputs: a list of tensors [batch, n]. initial_state: the cell's first state.
      output_size: the size of the outputs; the cell's when None. num_heads: how often the memory is read in a step.
      loop_function: from (previous output, step) to the next input.
      initial_state_attention: whether to attend before the first step; else it sees zeros.

    Raises:
      ValueError: without inputs or heads, or when the length and size of the memory are not known.
    """
    if not decoder_inputs:
        raise ValueError("Must provide at least 1 input to attention decoder.")
    if num_heads < 1:
        raise ValueError("With less than 1 heads, use a non-attention decoder.")
    if attention_states.dims is None or attention_states.dims[2] is None:
        raise ValueError(f"Shape[2] of attention_states must be known: {attention_states.shape}")
    with variable_scope(scope or "attention_decoder", dtype=dtype) as opened:
        heads = _Heads(attention_states, num_heads, opened.dtype if dtype is None else dtype)
        size = output_size or cell.output_size
        state, outputs, previous = initial_state, [], None
        attentions = heads.nothing(decoder_inputs[0])
        if initial_state_attention:
            attentions = heads.read(initial_state)
        for i, given in enumerate(decoder_inputs):
            if i > 0:
                get_variable_scope().reuse_variables()
            if loop_function is not None and previous is not None:
                with variable_scope("loop_function", reuse=True):
                    given = loop_function(previous, i)
            if given.dims is None or given.dims[1] is None:
                raise ValueError(f"Could not infer input size from input: {given.name}")
            output, state = cell(linear([given, *attentions], given.dims[1], True), state)
            if i == 0 and initial_state_attention:
                with variable_scope(get_variable_scope(), reuse=True):
                    attentions = heads.read(state)
            else:
                attentions = heads.read(state)
            with variable_scope("AttnOutputProjection"):
                output = linear([output, *attentions], size, True)
            previous = output if loop_function is not None else None
            outputs.append(output)
    return outputs, state


class _Heads:
    """The heads of an attention decoder. State: the memory, and per head its image and the vector of comparison."""

    def __init__(self, memory: Tensor, count: int, dtype: Any) -> None:
        self.memory, self.count = memory, count
        dims = memory.dims or ()
        self.size: int = dims[2] or 0
        length = shape(memory)[1] if dims[1] is None else dims[1]
        self.features, self.vectors = [], []
        for head in range(count):
            k = get_variable(f"AttnW_{head}", [1, 1, self.size, self.size], dtype=dtype)
            flat = matmul(reshape(memory, [-1, self.size]), reshape(k, [self.size, self.size]))
            self.features.append(reshape(flat, [-1, length, self.size]))
            self.vectors.append(get_variable(f"AttnV_{head}", [self.size], dtype=dtype))

    def nothing(self, like: Tensor) -> list[Tensor]:
        """Return what a step sees before anything was read."""
        made = []
        for _ in range(self.count):
            zero: Tensor = zeros([batch_of(like), self.size], self.memory.dtype)
            zero.set_shape([None, self.size])
            made.append(zero)
        return made

    def read(self, query: Any) -> list[Tensor]:
        """Return what each head finds for a state."""
        parts = flatten(query)
        joined = parts[0] if len(parts) == 1 else concat(parts, 1)
        found = []
        for head in range(self.count):
            with variable_scope(f"Attention_{head}"):
                compared = expand_dims(linear(joined, self.size, True), 1)
                weights = softmax(reduce_sum(self.vectors[head] * tanh(self.features[head] + compared), [2]))
                read = reduce_sum(expand_dims(weights, 2) * self.memory, [1])
                found.append(reshape(read, [-1, self.size]))
        return found


def embedding_attention_decoder(
    decoder_inputs: Any, initial_state: Any, attention_states: Any, cell: Any, num_symbols: int, embedding_size: int,
    num_heads: int = 1, output_size: int | None = None, output_projection: Any = None, feed_previous: bool = False,
    update_embedding_for_previous: bool = True, dtype: Any = None, scope: Any = None, initial_state_attention: bool = False,
) -> Any:  # fmt: skip
    """Run `attention_decoder` over the embeddings of a list of ids; `feed_previous` uses the ids that it gave itself."""
    with variable_scope(scope or "embedding_attention_decoder", dtype=dtype):
        embedding = get_variable("embedding", [num_symbols, embedding_size])
        feed = _fed_back(embedding, output_projection, update_embedding_for_previous) if feed_previous else None
        given = [embedding_lookup(embedding, i) for i in decoder_inputs]
        return attention_decoder(
            given, initial_state, attention_states, cell, output_size or cell.output_size, num_heads, feed,
            initial_state_attention=initial_state_attention,
        )  # fmt: skip


def embedding_attention_seq2seq(
    encoder_inputs: Any, decoder_inputs: Any, cell: Any, num_encoder_symbols: int, num_decoder_symbols: int,
    embedding_size: int, num_heads: int = 1, output_projection: Any = None, feed_previous: Any = False, dtype: Any = None,
    scope: Any = None, initial_state_attention: bool = False,
) -> Any:  # fmt: skip
    """Encode a list of ids and decode another one with attention to the encoder's outputs.

    Args:
      encoder_inputs, decoder_inputs: lists of int vectors [batch]. cell: the cell of both.
      num_encoder_symbols, num_decoder_symbols: how many ids there are. embedding_size: the size of embeddings.
      num_heads: how often the memory is read in a step.
      output_projection: (weights, biases) of logits; without it the decoder's outputs are logits.
      feed_previous: whether the decoder sees what it gave itself; a bool, or a tensor that decides in each run.

    Returns:
      (list of outputs, final state).
    """
    with variable_scope(scope or "embedding_attention_seq2seq", dtype=dtype) as opened:
        kind = dtype or opened.dtype
        wrapped = EmbeddingWrapper(_copied(cell), num_encoder_symbols, embedding_size)
        outputs, state = static_rnn(wrapped, encoder_inputs, dtype=kind)
        memory = concat([reshape(o, [-1, 1, cell.output_size]) for o in outputs], 1)
        size = None
        if output_projection is None:
            cell, size = OutputProjectionWrapper(cell, num_decoder_symbols), num_decoder_symbols

        def decode(flag: bool) -> Any:
            return embedding_attention_decoder(
                decoder_inputs, state, memory, cell, num_decoder_symbols, embedding_size, num_heads, size, output_projection,
                flag, initial_state_attention=initial_state_attention,
            )  # fmt: skip

        return _by_flag(feed_previous, decode)


def sequence_loss_by_example(
    logits: Any, targets: Any, weights: Any, average_across_timesteps: bool = True, softmax_loss_function: Any = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return each example's weighted cross-entropy, [batch], of lists of logits [batch, classes] and classes [batch].

    Raises:
      ValueError: when the lists have other lengths.
    """
    if len(targets) != len(logits) or len(weights) != len(logits):
        raise ValueError(
            f"Lengths of logits, weights, and targets must be the same {len(logits)}, {len(weights)}, {len(targets)}."
        )
    with name_scope(name, "sequence_loss_by_example", [*logits, *targets, *weights]):
        losses = []
        for logit, target, weight in zip(logits, targets, weights, strict=True):
            if softmax_loss_function is None:
                labels = reshape(target, [-1])
                loss = sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logit)
            else:
                loss = softmax_loss_function(labels=target, logits=logit)
            losses.append(loss * weight)
        total = add_n(losses)
        if average_across_timesteps:
            total = total / (add_n([convert_to_tensor(weight) for weight in weights]) + 1e-12)
        return total


def sequence_loss(
    logits: Any, targets: Any, weights: Any, average_across_timesteps: bool = True, average_across_batch: bool = True,
    softmax_loss_function: Any = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return the sum of `sequence_loss_by_example`, divided by the number of examples where `average_across_batch`."""
    with name_scope(name, "sequence_loss", [*logits, *targets, *weights]):
        losses = sequence_loss_by_example(logits, targets, weights, average_across_timesteps, softmax_loss_function)
        total: Tensor = reduce_sum(losses)
        return total / cast(shape(convert_to_tensor(targets[0]))[0], total.dtype) if average_across_batch else total


def model_with_buckets(
    encoder_inputs: Any, decoder_inputs: Any, targets: Any, weights: Any, buckets: Any, seq2seq: Callable[[Any, Any], Any],
    softmax_loss_function: Any = None, per_example_loss: bool = False, name: str | None = None,
) -> Any:  # fmt: skip
    """Build `seq2seq(encoder inputs, decoder inputs)` for each bucket (encoder length, decoder length), sharing variables.

    Returns:
      (the outputs of each bucket, the loss of each bucket).

    Raises:
      ValueError: when a list is shorter than the last bucket.
    """
    for what, given, length in (("encoder_inputs", encoder_inputs, buckets[-1][0]), ("targets", targets, buckets[-1][1]),
                                ("weights", weights, buckets[-1][1])):  # fmt: skip
        if len(given) < length:
            raise ValueError(f"Length of {what} ({len(given)}) must be at least that of last bucket ({length}).")
    outputs, losses = [], []
    loss_of = sequence_loss_by_example if per_example_loss else sequence_loss
    with name_scope(name, "model_with_buckets", [*encoder_inputs, *decoder_inputs, *targets, *weights]):
        for j, (encoder_length, decoder_length) in enumerate(buckets):
            with variable_scope(get_variable_scope(), reuse=True if j > 0 else None):
                found, _ = seq2seq(encoder_inputs[:encoder_length], decoder_inputs[:decoder_length])
                outputs.append(found)
                losses.append(
                    loss_of(
                        found,
                        targets[:decoder_length],
                        weights[:decoder_length],
                        softmax_loss_function=softmax_loss_function,
                    )
                )
    return outputs, losses


__all__ = [
    "attention_decoder", "basic_rnn_seq2seq", "embedding_attention_decoder", "embedding_attention_seq2seq",
    "embedding_rnn_decoder", "embedding_rnn_seq2seq", "model_with_buckets", "rnn_decoder", "sequence_loss",
    "sequence_loss_by_example", "tied_rnn_seq2seq",
]  # fmt: skip
