"""Candidate samplers and sampled losses as programs that TensorFlow and Millstream both run.

`results(tf)` gives arrays by name: three runs of each sampler, losses and gradients for a given sample.
"""

import itertools
from typing import Any

import numpy as np

TRUE = np.array([[1, 2], [3, 90], [0, 7]], "i8")
RNG = np.random.RandomState(0)
WEIGHTS, BIASES = RNG.randn(30, 5).astype("f4"), RNG.randn(30).astype("f4")
INPUTS, LABELS = RNG.randn(4, 5).astype("f4"), RNG.randint(0, 30, (4, 2))
IMAGES = np.random.RandomState(1).randn(2, 11, 13, 2).astype("f4")
COMMON = [float(i % 7) for i in range(100)]


def samplers(tf: Any) -> dict[str, Any]:
    """Return every sampler, with seeds."""
    nn = tf.nn
    return {
        "uniform": nn.uniform_candidate_sampler(TRUE, 2, 20, True, 100, seed=3),
        "uniform any": nn.uniform_candidate_sampler(TRUE, 2, 20, False, 128, seed=3),
        "log": nn.log_uniform_candidate_sampler(TRUE, 2, 64, True, 50000, seed=5),
        "log crowded": nn.log_uniform_candidate_sampler(TRUE, 2, 64, True, 100, seed=5),
        "log any": nn.log_uniform_candidate_sampler(TRUE, 2, 64, False, 500, seed=5),
        "learned": nn.learned_unigram_candidate_sampler(TRUE, 2, 10, True, 100, seed=5),
        "learned any": nn.learned_unigram_candidate_sampler(TRUE, 2, 10, False, 100, seed=5),
        "fixed": nn.fixed_unigram_candidate_sampler(TRUE, 2, 10, True, 100, unigrams=COMMON, distortion=0.75, seed=9),
        "fixed reserved": nn.fixed_unigram_candidate_sampler(
            TRUE % 4, 2, 10, False, 64, unigrams=COMMON[:62], num_reserved_ids=2, seed=9
        ),
        "fixed shard": nn.fixed_unigram_candidate_sampler(
            TRUE % 4, 2, 10, False, 50, unigrams=[c + 1 for c in COMMON], num_shards=2, shard=1, seed=9
        ),
        "hits": nn.compute_accidental_hits(TRUE, np.array([3, 3, 1, 7, 2, 9, 9, 9, 9, 90], "i8"), 2),
    }


def shards(array: np.ndarray, strategy: str) -> list[np.ndarray]:
    """Return the rows of an array in three (or for "div" two) parts."""
    return [array[i::3] for i in range(3)] if strategy == "mod" else [array[:15], array[15:]]


def losses(tf: Any) -> dict[str, Any]:
    """Return losses and their gradients by inputs, weights and biases."""
    found: dict[str, Any] = {}
    x = tf.constant(INPUTS)

    def add(name: str, loss: Any, count: int, strategy: str = "", **options: Any) -> None:
        labels = LABELS[:, :count]
        sample = tf.nn.log_uniform_candidate_sampler(labels.astype("i8"), count, 12, True, 30, seed=4)
        parts = [shards(array, strategy) if strategy else [array] for array in (WEIGHTS, BIASES)]
        weights, biases = ([tf.constant(part) for part in group] for group in parts)
        if strategy:
            options["partition_strategy"] = strategy
        value = loss(weights, biases, labels, x, 12, 30, count, sampled_values=sample, **options)
        found[name] = value
        for i, gradient in enumerate(tf.gradients(value, [x, *weights, *biases])):
            found[f"{name}, gradient {i}"] = tf.convert_to_tensor(gradient)

    add("nce", tf.nn.nce_loss, 1)
    add("nce two", tf.nn.nce_loss, 2, remove_accidental_hits=True)
    add("nce mod", tf.nn.nce_loss, 2, "mod")
    add("nce div", tf.nn.nce_loss, 2, "div")
    add("softmax", tf.nn.sampled_softmax_loss, 2)
    add("softmax mod", tf.nn.sampled_softmax_loss, 1, "mod", remove_accidental_hits=False)
    return found


def fractional_pools(tf: Any) -> dict[str, Any]:
    """Return fractional pools with seeds, their cuts, and gradients."""
    found: dict[str, Any] = {}
    for even, shared, kind in itertools.product((False, True), (False, True), ("max", "avg")):
        pool = getattr(tf.nn, f"fractional_{kind}_pool")
        x = tf.constant(IMAGES)
        parts = pool(x, [1.0, 1.44, 1.73, 1.0], even, shared, deterministic=True, seed=3, seed2=5)
        for part, name in zip(
            (*parts, tf.gradients(parts[0] ** 2, x)[0]), ("pooled", "rows", "columns", "gradient"), strict=True
        ):
            found[f"fractional {kind}, even {even}, overlapping {shared}, {name}"] = part
    return found


def results(tf: Any) -> dict[str, np.ndarray]:
    """Run everything."""
    found = {}
    with tf.Graph().as_default():
        tf.set_random_seed(11)
        drawn, values = samplers(tf), {**losses(tf), **fractional_pools(tf)}
        with tf.Session() as session:
            found.update(session.run(values))
            for run in range(3):
                for name, parts in session.run(drawn).items():
                    for kind, part in zip(("classes", "true", "counts"), parts, strict=True):
                        found[f"{name}, run {run}, {kind}"] = part
    return found
