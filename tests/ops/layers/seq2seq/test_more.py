"""Monotonic attention, scheduled sampling of outputs, coverage over several mechanisms, trees of arrays."""

from collections.abc import Iterator

import numpy as np
import pytest

import millstream as tf

seq2seq, cells = tf.contrib.seq2seq, tf.nn.rnn_cell
RANDOM = np.random.RandomState(2)
P = RANDOM.uniform(0.1, 0.9, (2, 5)).astype("f")
BEFORE = RANDOM.dirichlet(np.ones(5), 2).astype("f")
MEMORY = np.sin(np.arange(24.0)).reshape(2, 4, 3).astype("f")
QUERY = np.cos(np.arange(6.0)).reshape(2, 3).astype("f")


@pytest.fixture(autouse=True)
def graph() -> Iterator[tf.Graph]:
    with tf.Graph().as_default() as opened:
        tf.set_random_seed(5)
        yield opened


def value(tensors, feeds=None):
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return session.run(tensors, feeds)


def monotonic(p, before):
    """The definition: attend at i if one comes to i and stays, having passed all since the last place."""
    found = np.zeros_like(p)
    for b in range(len(p)):
        for i in range(p.shape[1]):
            found[b, i] = p[b, i] * sum(before[b, k] * np.prod(1 - p[b, k:i]) for k in range(i + 1))
    return found


@pytest.mark.parametrize("mode", ["recursive", "parallel"])
def test_probabilities_move_on(mode: str) -> None:
    p = tf.constant(P)
    found = seq2seq.monotonic_attention(p, BEFORE, mode)
    values, gradient = value([found, tf.gradients(found, p)[0]])
    np.testing.assert_allclose(values, monotonic(P, BEFORE), rtol=1e-4)
    assert np.isfinite(gradient).all()


def test_hard_choices() -> None:
    before = np.eye(5, dtype="f")[[1, 3]]
    chosen = np.array([[1, 0, 0, 1, 1], [1, 1, 1, 0, 0]], "f")
    found = value(seq2seq.monotonic_attention(chosen, before, "hard"))
    assert found.tolist() == [[0, 0, 0, 1, 0], [0, 0, 0, 0, 0]]
    with pytest.raises(ValueError, match="mode must be"):
        seq2seq.monotonic_attention(chosen, before, "soft")


def test_products_of_zeros_have_derivatives() -> None:
    x = tf.constant([[0.0, 0.5, 1.0]])
    product = seq2seq.safe_cumprod(x, axis=1, exclusive=True)
    found, gradient = value([product, tf.gradients(product, x)[0]])
    np.testing.assert_allclose(found, [[1.0, 0.0, 0.0]], atol=1e-30)
    assert np.isfinite(gradient).all()
    assert value(seq2seq.hardmax([[0.1, 0.7, 0.2], [3.0, 1.0, 2.0]])).tolist() == [[0, 1, 0], [1, 0, 0]]


@pytest.mark.parametrize("kind", ["Bahdanau", "Luong"])
@pytest.mark.parametrize("mode", ["parallel", "recursive", "hard"])
def test_mechanisms(kind: str, mode: str) -> None:
    plain, monotonic_kind = getattr(seq2seq, f"{kind}Attention"), getattr(seq2seq, f"{kind}MonotonicAttention")
    with tf.variable_scope("a"):
        mechanism = monotonic_kind(3, MEMORY, [4, 2], mode=mode, score_bias_init=-1.0)
        start = mechanism.initial_state(2, tf.float32)
        alignments, state = mechanism(tf.constant(QUERY), start)
    with tf.variable_scope("b"):
        scores, _ = plain(3, MEMORY, probability_fn=tf.identity)(tf.constant(QUERY), None)
    names = {v.op.name for v in tf.global_variables() if v.op.name.startswith("a/")}
    assert f"a/{kind.lower()}_monotonic_attention/attention_score_bias" in names
    shared = [(v, w) for v in tf.global_variables("a/") for w in tf.global_variables("b/")
              if v.op.name.replace("_monotonic", "")[2:] == w.op.name[2:]]  # fmt: skip
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run([w.assign(v) for v, w in shared])
        found, first, again, score = session.run([alignments, start, state, scores])
    assert first.tolist() == [[1, 0, 0, 0]] * 2 and (found == again).all()
    score = np.where(np.arange(4) < np.array([[4], [2]]), score - 1, -np.inf)
    chosen = (score > 0).astype("f") if mode == "hard" else 1 / (1 + np.exp(-score))
    np.testing.assert_allclose(found, monotonic(chosen, first), rtol=1e-4, atol=1e-6)


def test_noise_is_drawn() -> None:
    mechanism = seq2seq.LuongMonotonicAttention(3, MEMORY, sigmoid_noise=1.0, sigmoid_noise_seed=3)
    found, _ = mechanism(tf.constant(QUERY), mechanism.initial_state(2, tf.float32))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert (session.run(found) != session.run(found)).any()
    with pytest.raises(ValueError, match="mode must be"):
        seq2seq.LuongMonotonicAttention(3, MEMORY, mode="x")


class Counting(cells.RNNCell):
    """A cell that adds one to its inputs: what it gives tells what it was given."""

    state_size = output_size = 2

    def call(self, inputs, state):
        return inputs[:, :2] + 1.0, state


@pytest.mark.parametrize("chance", [0.0, 1.0])
@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("doubled", [False, True])
def test_scheduled_outputs(chance: float, beside: bool, doubled: bool) -> None:
    inputs = np.arange(12, dtype="f").reshape(2, 3, 2)
    helper = seq2seq.ScheduledOutputTrainingHelper(
        inputs, [3, 3], chance, auxiliary_inputs=np.full((2, 3, 1), 7, "f") if beside else None,
        next_inputs_fn=(lambda x: 2.0 * x) if doubled else None,
    )  # fmt: skip
    decoder = seq2seq.BasicDecoder(Counting(), helper, tf.zeros([2, 2]))
    outputs, _, lengths = seq2seq.dynamic_decode(decoder)
    found, ids, sizes = value([outputs.rnn_output, outputs.sample_id, lengths])
    wanted, x = [], inputs[:, 0]
    for t in range(3):
        wanted.append(x + 1)
        x = (2 * wanted[-1] if doubled else wanted[-1]) if chance else inputs[:, min(t + 1, 2)]
    np.testing.assert_array_equal(found, np.stack(wanted, 1))
    assert (ids == chance).all() and sizes.tolist() == [3, 3]
    with pytest.raises(ValueError, match="scalar or a vector"):
        seq2seq.ScheduledOutputTrainingHelper(inputs, [3, 3], np.zeros((1, 2), "f"))


def test_some_examples_are_sampled() -> None:
    inputs = np.arange(12, dtype="f").reshape(2, 3, 2)
    helper = seq2seq.ScheduledOutputTrainingHelper(inputs, [3, 3], [1.0, 0.0], seed=1)
    outputs, _, _ = seq2seq.dynamic_decode(seq2seq.BasicDecoder(Counting(), helper, tf.zeros([2, 2])))
    assert value(outputs.rnn_output)[:, :, 0].tolist() == [[1, 2, 3], [7, 9, 11]]


def test_arrays_follow_the_final_beams() -> None:
    values = np.arange(18).reshape(3, 1, 3, 2)
    parents = np.array([[[0, 0, 0]], [[0, 1, 1]], [[2, 1, 2]]], np.int32)
    found = value(seq2seq.gather_tree_from_array(values, parents, [[3, 3, 3]]))
    lanes = [[[1, 1, 1]], [[2, 1, 2]], [[0, 1, 2]]]
    np.testing.assert_array_equal(found, np.take_along_axis(values, np.array(lanes)[..., None], 2))
    short = value(seq2seq.gather_tree_from_array(values, parents, [[3, 1, 3]]))
    np.testing.assert_array_equal(short[1:, 0, 1], values[1:, 0, 1])


def test_coverage_is_the_mean_of_the_mechanisms() -> None:
    mechanisms = [
        seq2seq.LuongAttention(3, np.repeat(MEMORY, 2, 0)),
        seq2seq.BahdanauAttention(3, np.repeat(MEMORY, 2, 0)),
    ]
    cell = seq2seq.AttentionWrapper(cells.GRUCell(3), mechanisms, attention_layer_size=[2, 2])
    decoder = seq2seq.BeamSearchDecoder(
        cell, np.eye(5, 3, dtype="f"), [1, 2], 0, cell.zero_state(4, tf.float32), 2,
        output_layer=tf.layers.Dense(5), coverage_penalty_weight=0.4, length_penalty_weight=0.5,
    )  # fmt: skip
    outputs, state, _ = seq2seq.dynamic_decode(decoder, maximum_iterations=4)
    ids, seen, lengths = value([outputs.predicted_ids, state.accumulated_attention_probs, state.lengths])
    assert ids.shape[::2] == (2, 2)
    np.testing.assert_allclose(seen.sum(-1), lengths, rtol=1e-4)
    plain = seq2seq.BeamSearchDecoder(cells.GRUCell(5), np.eye(5, dtype="f"), [1], 0, tf.zeros([2, 5]), 2,
                                      coverage_penalty_weight=0.1)  # fmt: skip
    with pytest.raises(ValueError, match="coverage_penalty_weight needs"):
        seq2seq.dynamic_decode(plain)


@pytest.mark.parametrize("width", [1, 2])
def test_only_finished_beams_answer_for_what_they_have_not_seen(width: int) -> None:
    """Where a source ends nobody can look, so that nothing is to be answered for there."""
    found, ends = [], tf.constant_initializer([2.0, 0, 0, 0, 0])
    for weight in (0.0, 0.3):
        with tf.variable_scope("same", reuse=bool(weight), initializer=tf.random_normal_initializer(seed=3)):
            memory, lengths = (seq2seq.tile_batch(x, width) for x in (tf.constant(MEMORY), tf.constant([4, 2])))
            cell = seq2seq.AttentionWrapper(cells.GRUCell(3), seq2seq.LuongAttention(3, memory, lengths))
            decoder = seq2seq.BeamSearchDecoder(
                cell, np.eye(5, 3, dtype="f"), [1, 2], 0, cell.zero_state(2 * width, tf.float32), width,
                output_layer=tf.layers.Dense(5, name="words", bias_initializer=ends), coverage_penalty_weight=weight,
            )  # fmt: skip
            outputs, state, counted = seq2seq.dynamic_decode(decoder, maximum_iterations=8)
        found.append((outputs.beam_search_decoder_output.scores, state, counted))
    (plain, _, _), (scores, state, counted) = value(found)
    np.testing.assert_allclose(scores[:, 0], plain[:, 0], rtol=1e-5)
    assert np.isfinite(scores).all()
    np.testing.assert_array_equal(counted, state.lengths)
    seen = state.accumulated_attention_probs
    missed = 0.3 * np.log(np.where(seen == 0, 1, np.minimum(seen, 1))).sum(-1)
    before = state.finished & (state.lengths < len(scores[0]))
    np.testing.assert_allclose(scores[:, -1][before], (state.log_probs + missed)[before], rtol=1e-4)
    running = ~state.finished
    np.testing.assert_allclose(scores[:, -1][running], state.log_probs[running], rtol=1e-4)
    assert width == 1 or before.any()
