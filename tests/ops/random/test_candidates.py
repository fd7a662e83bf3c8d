"""Candidate samplers: which classes are drawn, how often, and what the expected counts say. Values are in tests/golden."""

# A table reads best with a row on each line.
# ruff: noqa: E501

import numpy as np
import pytest

import millstream as tf
from millstream.ops.core.registry import lookup
from support.opcheck_programs import Program, program_table, program_tests

TRUE = np.array([[1, 2], [0, 5]])
DRAWN = 40
FREQUENCIES = [4.0, 0.0, 3.0, 2.0, 1.0]


def check(limit, unique, never=()):
    """Returns a check of a sample: ids in range, each once where `unique`, expected counts of the right shape and sum."""

    def check_sample(values, arrays):
        classes, true_counts, counts = values
        assert classes.dtype == np.int64 and ((classes >= 0) & (classes < limit)).all()
        assert len(set(classes.tolist())) == len(classes) or not unique
        assert not set(never) & set(classes.tolist())
        assert true_counts.shape == arrays[0].shape and counts.shape == classes.shape
        assert (true_counts >= 0).all() and ((counts > 0) & ((counts <= 1) | (not unique))).all()
        known = dict(zip(classes.tolist(), counts.tolist(), strict=True))
        for row, expected in zip(arrays[0].reshape(-1).tolist(), true_counts.reshape(-1).tolist(), strict=True):
            assert known.get(row, expected) == expected

    return check_sample


def sampler(name, limit, unique=True, count=DRAWN, **more):
    kind = getattr(tf.nn, f"{name}_candidate_sampler")
    return lambda true: kind(true, 2, count, unique, limit, seed=3, **more)


def hits(true, drawn):
    found = [(row, max(np.flatnonzero(drawn == c))) for row, classes in enumerate(true) for c in classes if c in drawn]
    rows, places = (np.array(column) for column in zip(*found, strict=True))
    return rows, places, np.full(len(found), -np.finfo(np.float32).max)


PROGRAMS = program_table(
    Program("UniformCandidateSampler", sampler("uniform", 1000), [TRUE], check=check(1000, True), random=True),
    Program("UniformCandidateSampler", sampler("uniform", 64, False), [TRUE], check=check(64, False), random=True, label="any"),
    Program("LogUniformCandidateSampler", sampler("log_uniform", 10**6), [TRUE], check=check(10**6, True), random=True),
    Program("LogUniformCandidateSampler", sampler("log_uniform", 6, True, 6), [TRUE], check=check(6, True), label="all of them"),
    Program("LearnedUnigramCandidateSampler", sampler("learned_unigram", 100), [TRUE], check=check(100, True), random=True),
    Program("ThreadUnsafeUnigramCandidateSampler",
            lambda true: lookup("ThreadUnsafeUnigramCandidateSampler")(true, num_true=2, num_sampled=5, unique=True, range_max=20, seed=1),
            [TRUE], check=check(20, True), random=True),
    Program("FixedUnigramCandidateSampler", sampler("fixed_unigram", 7, False, num_reserved_ids=2, unigrams=FREQUENCIES, distortion=0.5),
            [TRUE], check=check(7, False, never=(0, 1, 3)), random=True),
    Program("AllCandidateSampler", lambda true: tf.nn.all_candidate_sampler(true, 2, 5, True), [TRUE],
            reference=lambda true: (np.arange(5), np.ones((2, 2)), np.ones(5)), label="beyond"),
    Program("AllCandidateSampler", lambda true: tf.nn.all_candidate_sampler(true, 2, 12, True), [TRUE],
            reference=lambda true: (np.arange(12), np.ones((2, 2)), np.ones(12))),
    Program("ComputeAccidentalHits", lambda true, drawn: tf.nn.compute_accidental_hits(true, drawn, 2), [TRUE, np.array([5, 9, 1, 5, 7])],
            reference=hits),
)  # fmt: skip


(test_program,) = program_tests(PROGRAMS)


def test_learned_sampler_follows_what_it_saw() -> None:
    """After many runs with class 7 as the true one, most of the classes drawn are 7; the first run knew nothing."""
    with tf.Graph().as_default(), tf.Session() as session:
        true = tf.constant([[7]] * 50, tf.int64)
        sample = tf.nn.learned_unigram_candidate_sampler(true, 1, 20, False, 10, seed=1)
        first = session.run(sample)
        for _ in range(20):
            last = session.run(sample)
    np.testing.assert_allclose(first[1], 2.0, rtol=1e-6)
    assert (last[0] == 7).mean() > 0.9 and last[1].min() > 19


def test_frequencies_from_a_file(tmp_path) -> None:
    path = tmp_path / "words.csv"
    path.write_text("the,6\nof,0\nand,2\n")
    with tf.Graph().as_default(), tf.Session() as session:
        sample = tf.nn.fixed_unigram_candidate_sampler([[0]], 1, 400, False, 3, vocab_file=str(path), seed=5)
        classes, true_counts, _ = session.run(sample)
    assert true_counts.item() == pytest.approx(300)
    assert set(classes) == {0, 2} and (classes == 0).mean() == pytest.approx(0.75, abs=0.1)


ERRORS = {
    "range": (lambda: tf.nn.uniform_candidate_sampler([[1]], 1, 5, True, 4), "Sampler's range is too small"),
    "columns": (lambda: tf.nn.log_uniform_candidate_sampler([[1, 2]], 1, 2, True, 9), "num_true columns"),
    "frequencies": (lambda: tf.nn.fixed_unigram_candidate_sampler([[1]], 1, 2, True, 9, unigrams=[1.0]), "range_max is 9"),
    "hits": (lambda: tf.nn.compute_accidental_hits(tf.placeholder_with_default(np.array([[1, 2]]), None), [1], 1), "num_true columns"),
}  # fmt: skip


@pytest.mark.parametrize("case", ERRORS)
def test_errors(case: str) -> None:
    build, words = ERRORS[case]
    with tf.Graph().as_default(), tf.Session() as session, pytest.raises(tf.errors.InvalidArgumentError, match=words):
        session.run(build()[0])
