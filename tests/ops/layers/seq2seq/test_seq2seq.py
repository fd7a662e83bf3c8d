"""Attention against its formulas, decoders step by step, beam search against exhaustive search, losses."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import millstream as tf

seq2seq, cells = tf.contrib.seq2seq, tf.nn.rnn_cell
MEMORY = np.sin(np.arange(24.0)).reshape(2, 4, 3).astype(np.float32)
QUERY = np.cos(np.arange(6.0)).reshape(2, 3).astype(np.float32)


@pytest.fixture(autouse=True)
def graph() -> Iterator[tf.Graph]:
    with tf.Graph().as_default() as opened:
        tf.set_random_seed(5)
        yield opened


def value(tensors: Any, feeds: Any = None) -> Any:
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return session.run(tensors, feeds)


def softmax(scores: Any, lengths: Any) -> Any:
    scores = np.where(np.arange(scores.shape[1]) < np.array(lengths)[:, None], scores, -np.inf)
    exps = np.exp(scores - scores.max(1, keepdims=True))
    return exps / exps.sum(1, keepdims=True)


@pytest.mark.parametrize("scale", [False, True])
def test_multiplicative_attention(scale: bool) -> None:
    mechanism = seq2seq.LuongAttention(3, MEMORY, memory_sequence_length=[4, 2], scale=scale)
    alignments, state = mechanism(tf.constant(QUERY), None)
    found, keys, again = value([alignments, mechanism.keys, state])
    np.testing.assert_allclose(found, softmax((keys * QUERY[:, None]).sum(2), [4, 2]), rtol=1e-5)
    assert (found == again).all() and (keys[1, 2:] == 0).all()
    assert [v.op.name for v in tf.global_variables()] == ["memory_layer/kernel", "luong_attention/attention_g"][
        : 1 + scale
    ]


@pytest.mark.parametrize("normalize", [False, True])
def test_additive_attention(normalize: bool) -> None:
    mechanism = seq2seq.BahdanauAttention(5, MEMORY, [3, 4], normalize=normalize)
    alignments, _ = mechanism(tf.constant(QUERY), None)
    weights = {v.op.name.rpartition("/")[2]: v for v in tf.global_variables() if "attention_" in v.op.name}
    query = next(v for v in tf.global_variables() if "query_layer" in v.op.name)
    found, keys, w, named = value([alignments, mechanism.keys, query, weights])
    v, shift = named["attention_v"], 0.0
    if normalize:
        v, shift = named["attention_g"] * v / np.sqrt((v**2).sum()), named["attention_b"]
    scores = (v * np.tanh(keys + (QUERY @ w)[:, None] + shift)).sum(2)
    np.testing.assert_allclose(found, softmax(scores, [3, 4]), rtol=1e-5)


def test_a_wrapped_cell_sees_its_attention() -> None:
    mechanism = seq2seq.LuongAttention(3, MEMORY)
    cell = seq2seq.AttentionWrapper(cells.GRUCell(3), mechanism, attention_layer_size=6, alignment_history=True)
    state = cell.zero_state(2, tf.float32).clone(cell_state=tf.constant(QUERY))
    outputs, after = cell(tf.constant(QUERY), state)
    assert (cell.output_size, outputs.shape.as_list()) == (6, [2, 6])
    found = value([outputs, after.attention, after.time, after.alignments, after.alignment_history.stack()])
    np.testing.assert_array_equal(found[0], found[1])
    assert found[2] == 1 and (found[3] == found[4][0]).all()
    names = [v.op.name for v in tf.global_variables()]
    assert names[0] == "memory_layer/kernel" and names[-1] == "attention_wrapper/attention_layer/kernel"


def test_several_mechanisms() -> None:
    mechanisms = [seq2seq.LuongAttention(3, MEMORY), seq2seq.BahdanauAttention(3, MEMORY)]
    cell = seq2seq.AttentionWrapper(cells.GRUCell(3), mechanisms, output_attention=False)
    outputs, state = cell(tf.constant(QUERY), cell.zero_state(2, tf.float32))
    assert (
        outputs.shape.as_list() == [2, 3] and state.attention.shape.as_list() == [2, 6] and len(state.alignments) == 2
    )


def test_refusals() -> None:
    with pytest.raises(TypeError, match="must be an AttentionMechanism"):
        seq2seq.AttentionWrapper(cells.GRUCell(3), 3)
    with pytest.raises(ValueError, match="exactly one integer per attention_mechanism"):
        seq2seq.AttentionWrapper(cells.GRUCell(3), seq2seq.LuongAttention(3, MEMORY), attention_layer_size=[1, 2])
    with pytest.raises(ValueError, match="Incompatible or unknown inner dimensions"):
        seq2seq.LuongAttention(4, MEMORY)(tf.constant(QUERY), None)
    with pytest.raises(TypeError, match="Expected decoder to be type Decoder"):
        seq2seq.dynamic_decode(3)
    with pytest.raises(ValueError, match="start_tokens must be a vector"):
        seq2seq.GreedyEmbeddingHelper(QUERY, 1, 0)
    with pytest.raises(ValueError, match="at least 1"):
        seq2seq.tile_batch(tf.constant(1.0), 2)


def test_training_runs_as_long_as_each_example() -> None:
    decoder = seq2seq.BasicDecoder(
        cells.GRUCell(3), seq2seq.TrainingHelper(MEMORY, [4, 2]), tf.constant(QUERY), tf.layers.Dense(5, name="words")
    )
    outputs, state, lengths = seq2seq.dynamic_decode(decoder, impute_finished=True)
    with tf.variable_scope("decoder", reuse=True):
        given, last = tf.nn.dynamic_rnn(
            cells.GRUCell(3), MEMORY, [4, 2], initial_state=tf.constant(QUERY), scope=tf.get_variable_scope()
        )
    a, b, c, d, e = value([state, last, lengths, outputs.rnn_output, outputs.sample_id])
    np.testing.assert_allclose(a, b, rtol=1e-6)
    assert c.tolist() == [4, 2] and d.shape == (2, 4, 5) and (d[1, 2:] == 0).all()
    np.testing.assert_array_equal(e[0], d[0].argmax(1))
    assert given.shape.as_list() == [2, 4, 3] and "decoder/words/kernel" in [v.op.name for v in tf.global_variables()]


def test_gradients_flow_through_a_decoder() -> None:
    x = tf.placeholder(tf.float32, [2, 4, 3])
    decoder = seq2seq.BasicDecoder(cells.GRUCell(3), seq2seq.TrainingHelper(x, [4, 2]), tf.constant(QUERY))
    outputs, _, _ = seq2seq.dynamic_decode(decoder, impute_finished=True)
    found = value(tf.gradients(outputs.rnn_output, x)[0], {x: MEMORY})
    assert (found[0] != 0).all() and (found[1, :2] != 0).all() and (found[1, 2:] == 0).all()


class Chain(cells.RNNCell):
    """A cell that gives the logits of the next token of a Markov chain; its state only counts."""

    def __init__(self, logits: Any) -> None:
        super().__init__()
        self.logits = tf.constant(logits)

    output_size = property(lambda self: self.logits.shape[1].value)
    state_size = property(lambda self: 1)

    def call(self, inputs: Any, state: Any) -> Any:
        return tf.matmul(inputs, self.logits), state + 1.0


LOGITS = (2 * np.sin(np.arange(16.0) ** 2)).reshape(4, 4).astype(np.float32)


def test_greedy_decoding_ends_with_the_end() -> None:
    logits = np.array([[9, 0, 0, 0], [0, 0, 9, 0], [0, 0, 0, 9], [9, 0, 0, 0]], np.float32)
    helper = seq2seq.GreedyEmbeddingHelper(np.eye(4, dtype=np.float32), [1, 2], 0)
    outputs, state, lengths = seq2seq.dynamic_decode(seq2seq.BasicDecoder(Chain(logits), helper, tf.zeros([2, 1])))
    ids, count, sizes = value([outputs.sample_id, state, lengths])
    assert ids.tolist() == [[2, 3, 0], [3, 0, 0]] and sizes.tolist() == [3, 2] and count.tolist() == [[3], [3]]


def test_a_limit_of_steps() -> None:
    helper = seq2seq.SampleEmbeddingHelper(np.eye(4, dtype=np.float32), [1, 2], 9, softmax_temperature=0.5, seed=1)
    decoder = seq2seq.BasicDecoder(Chain(LOGITS), helper, tf.zeros([2, 1]))
    outputs, _, lengths = seq2seq.dynamic_decode(decoder, maximum_iterations=5, output_time_major=True)
    ids, sizes = value([outputs.sample_id, lengths])
    assert ids.shape == (5, 2) and sizes.tolist() == [5, 5]


def exhaustive(start: int, steps: int, end: int, penalty: float) -> list[tuple[float, list[int]]]:
    """Returns the scores and tokens of all sequences, best first, padded with `end`."""
    logs = LOGITS - np.log(np.exp(LOGITS).sum(1, keepdims=True))
    found = {}
    for tokens in itertools.product(range(4), repeat=steps):
        length = tokens.index(end) + 1 if end in tokens else steps
        words = tokens[:length] + (end,) * (steps - length)
        total = sum(logs[a, b] for a, b in zip((start, *words), words[:length], strict=False))
        # As in TensorFlow, the end counts from the step after it.
        grown = length - (tokens.index(end) == steps - 1 if end in tokens else False)
        found[words] = total / ((5.0 + grown) / 6.0) ** penalty
    return sorted(((score, list(words)) for words, score in found.items()), reverse=True)


@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_a_wide_beam_finds_the_best_sequences(penalty: float) -> None:
    width, steps = 30, 3
    decoder = seq2seq.BeamSearchDecoder(
        Chain(LOGITS),
        np.eye(4, dtype=np.float32),
        [1, 2],
        0,
        tf.zeros([2 * width, 1]),
        width,
        length_penalty_weight=penalty,
    )
    outputs, _, _ = seq2seq.dynamic_decode(decoder, maximum_iterations=steps)
    ids, scores = value([outputs.predicted_ids, outputs.beam_search_decoder_output.scores])
    assert ids.shape == (2, steps, width)
    for example, start in enumerate((1, 2)):
        for beam, (score, words) in enumerate(exhaustive(start, steps, 0, penalty)[:5]):
            assert ids[example, :, beam].tolist() == words
            assert scores[example, -1, beam] == pytest.approx(score, rel=1e-4)


def test_beams_with_attention() -> None:
    memory = seq2seq.tile_batch(tf.constant(MEMORY), 3)
    cell = seq2seq.AttentionWrapper(cells.GRUCell(3), seq2seq.LuongAttention(3, memory), alignment_history=True)
    decoder = seq2seq.BeamSearchDecoder(
        cell, np.ones((5, 3), np.float32), [1, 2], 0, cell.zero_state(6, tf.float32), 3, tf.layers.Dense(5),
        coverage_penalty_weight=0.1,
    )  # fmt: skip
    outputs, state, lengths = seq2seq.dynamic_decode(decoder, maximum_iterations=4)
    ids, history, sizes = value([outputs.predicted_ids, state.cell_state.alignment_history, lengths])
    assert ids.shape[0::2] == (2, 3) and history.shape[1:] == (6, 4) and sizes.shape == (2, 3)


def test_whole_sequences_from_parents() -> None:
    steps = [[[1, 2, 3]], [[4, 5, 6]], [[7, 8, 9]], [[10, 10, 10]]]
    parents = [[[0, 0, 0]], [[0, 1, 1]], [[2, 1, 2]], [[-1, -1, -1]]]
    found = value(seq2seq.gather_tree(steps, parents, [3], 10))
    assert found[:, 0].tolist() == [[2, 2, 2], [6, 5, 6], [7, 8, 9], [10, 10, 10]]


def test_the_loss_of_sequences() -> None:
    logits = np.sin(np.arange(24.0)).reshape(2, 3, 4).astype(np.float32)
    targets, weights = np.array([[0, 1, 2], [3, 0, 0]]), np.array([[1, 1, 1], [1, 0, 0]], np.float32)
    logs = logits - np.log(np.exp(logits).sum(2, keepdims=True))
    losses = -np.take_along_axis(logs, targets[..., None], 2)[..., 0] * weights
    options = [{}, {"average_across_timesteps": False}, {"average_across_batch": False},
               {"average_across_timesteps": False, "average_across_batch": False}]  # fmt: skip
    found = value([seq2seq.sequence_loss(logits, targets, weights, **given) for given in options])
    for one, wanted in zip(found, [losses.sum() / 4, losses.sum(0) / weights.sum(0), losses.sum(1) / weights.sum(1), losses],
                           strict=True):  # fmt: skip
        np.testing.assert_allclose(one, wanted, rtol=1e-5)
    with pytest.raises(ValueError, match="Logits must be a"):
        seq2seq.sequence_loss(logits[0], targets, weights)


def test_the_older_losses() -> None:
    legacy = tf.contrib.legacy_seq2seq
    logits, targets, weights = [tf.zeros([2, 4])] * 3, [tf.constant([0, 1])] * 3, [tf.ones([2])] * 3
    by_example, total = value([
        legacy.sequence_loss_by_example(logits, targets, weights), legacy.sequence_loss(logits, targets, weights),
    ])  # fmt: skip
    np.testing.assert_allclose([*by_example, total], np.log(4), rtol=1e-6)
    with pytest.raises(ValueError, match="must be the same 3, 3, 2"):
        legacy.sequence_loss_by_example(logits, targets[:2], weights)
