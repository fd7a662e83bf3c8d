"""Candidate sampling: which classes stand in for all when a loss over very many classes is estimated.

A sampler draws classes from its distribution, unique or not, and tells for every class how often it was to be expected in the
sample. The numbers are TensorFlow's for the same seeds. They are drawn on the host: a sample is small, and its ids are
wanted by gathers. Invariant: a run of a node reserves `RESERVED` words for each class it draws, as TensorFlow does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from ...devices.types import Array, Namespace
from ..core.context import KernelContext
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import OpDecl, op
from ..core.shapes import Shape, with_rank
from .different import first_different
from .seeds import seed_attrs
from .simple_philox import SimplePhilox, SuccessiveRuns
from .stream import PhiloxStream

RESERVED = 2048
_WORDS = 4
TYPES = (
    "true_classes: int64 -> sampled_candidates: int64, true_expected_count: float32, sampled_expected_count: float32"
)


class Sampler(Protocol):
    """A distribution of classes below `limit`; it `draws_ahead` where a class takes two words, whatever came before."""

    limit: int
    draws_ahead: bool

    def draw(self, source: SimplePhilox, count: int) -> Array:
        """Return up to `count` classes, int64."""

    def probability(self, classes: Array) -> Array:
        """Return the classes' probabilities, float32."""

    def learn(self, classes: Array) -> None:
        """Take note of true classes."""


class _Known:
    """A distribution that learns nothing."""

    draws_ahead = False

    def learn(self, classes: Array) -> None:
        """Ignore true classes."""


class Uniform(_Known):
    """Every class is equally likely."""

    def __init__(self, limit: int) -> None:
        self.limit = limit

    def draw(self, source: SimplePhilox, count: int) -> Array:
        """Return up to `count` classes."""
        return source.integers64(count, self.limit)

    def probability(self, classes: Array) -> Array:
        """Return 1 / limit for each class."""
        return np.full(classes.shape, np.float32(1.0 / self.limit))


class LogUniform(_Known):
    """Zipf's law, roughly: the probability of class c is log((c + 2) / (c + 1)) / log(limit + 1)."""

    draws_ahead = True

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._log = float(np.log1p(limit))

    def draw(self, source: SimplePhilox, count: int) -> Array:
        """Return `count` classes."""
        return (np.exp(source.doubles(count) * self._log).astype(np.int64) - 1) % self.limit

    def probability(self, classes: Array) -> Array:
        """Return the probabilities of the law."""
        return (np.log((classes + 2.0) / (classes + 1.0)) / self._log).astype(np.float32)


class Learned:
    """The frequencies of the true classes that were seen so far, each counted once more than it was seen."""

    draws_ahead = False

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._weights = np.ones(limit, np.int64)

    def draw(self, source: SimplePhilox, count: int) -> Array:
        """Return up to `count` classes."""
        ends = np.cumsum(self._weights)
        return np.searchsorted(ends, source.integers32(count, int(ends[-1])), side="right").astype(np.int64)

    def probability(self, classes: Array) -> Array:
        """Return the classes' shares of all counts."""
        return self._weights[classes].astype(np.float32) / np.float32(self._weights.sum())

    def learn(self, classes: Array) -> None:
        """Count true classes."""
        weights = self._weights.copy()
        np.add.at(weights, classes.reshape(-1), 1)
        self._weights = weights


class Fixed(_Known):
    """Given frequencies, raised to a power; drawn by the alias method."""

    def __init__(self, weights: Array) -> None:
        self.limit = weights.size
        self._weights, self._total = weights, np.float32(weights.sum(dtype=np.float32))
        self._keep, self._other = _alias_table(weights)

    def draw(self, source: SimplePhilox, count: int) -> Array:
        """Return `count` classes."""
        fractions, places = source.floats_and_integers(count, self.limit)
        return np.where(fractions < self._keep[places], places, self._other[places])

    def probability(self, classes: Array) -> Array:
        """Return the classes' shares of all weights; 0 for a class beyond them."""
        inside = (classes >= 0) & (classes < self.limit)
        found = self._weights[np.where(inside, classes, 0)] / self._total
        return np.where(inside, found, np.float32(0)).astype(np.float32)


def _alias_table(weights: Array) -> tuple[Array, Array]:
    """Return for every place how likely its own class is, float32, and which class it yields otherwise."""
    size = weights.size
    shares = (weights.astype(np.float64) * size / weights.sum(dtype=np.float64)).tolist()
    low = [i for i in range(size) if shares[i] < 1.0]
    high = [i for i in range(size) if shares[i] >= 1.0]
    other = np.arange(size)
    while high and low:
        short, tall = low.pop(), high.pop()
        other[short] = tall
        shares[tall] -= 1.0 - shares[short]
        (low if shares[tall] < 1.0 else high).append(tall)
    for i in (*high, *low):
        shares[i], other[i] = 1.0, i
    return np.array(shares, np.float32), other


def expected_count(probability: Array, wanted: int, tries: int) -> Array:
    """Return how often classes are to be expected among `wanted` that were found in `tries` draws, float32."""
    if tries == wanted:
        return probability * np.float32(wanted)
    return -np.expm1(np.float32(tries) * np.log1p(-probability))


def _sample(sampler: Sampler, source: SimplePhilox, wanted: int, unique: bool) -> tuple[Array, int]:
    """Return the classes drawn and the number of draws that they took."""
    if not unique:
        parts = [sampler.draw(source, wanted)]
        while (missing := wanted - sum(part.size for part in parts)) > 0:
            parts.append(sampler.draw(source, missing))
        return np.concatenate(parts), wanted
    drawn = _first_draws(sampler, source, _likely_draws(wanted))
    while (found := first_different(drawn, wanted)) is None:
        drawn = np.concatenate([drawn, sampler.draw(source, wanted)])
    return found


def _first_draws(sampler: Sampler, source: SimplePhilox, count: int) -> Array:
    return sampler.draw(source, count) if source.drawn is None else source.drawn


def _likely_draws(wanted: int) -> int:
    """Return how many draws give that many different classes as a rule."""
    return wanted + wanted // 2 + 8


def _check(true_classes: Array, num_true: int, num_sampled: int, unique: bool, limit: int) -> None:
    if true_classes.ndim != 2:
        raise InvalidArgumentError(None, None, "true_classes must be a matrix")
    if true_classes.shape[1] != num_true:
        raise InvalidArgumentError(
            None, None, f"true_classes must have num_true columns, expected: {true_classes.shape[1]} was: {num_true}"
        )
    if unique and num_sampled > limit:
        raise InvalidArgumentError(None, None, "Sampler's range is too small.")


@dataclass(frozen=True)
class _State:
    """What a node keeps between runs: its sampler, its runs, and a lock around both."""

    sampler: Sampler
    runs: SuccessiveRuns
    lock: Any = field(default_factory=threading.Lock)


def _state(sampler: Sampler, attrs: dict[str, Any]) -> _State:
    reserved = RESERVED * attrs["num_sampled"] // _WORDS
    draws = _likely_draws(attrs["num_sampled"])
    ahead = sampler.draw if sampler.draws_ahead and attrs["unique"] else None
    stream = PhiloxStream(attrs["seed"], attrs["seed2"])
    return _State(sampler, SuccessiveRuns(stream, reserved, 2 * draws, draws, ahead))


def _run(ctx: KernelContext, make: Callable[[], Sampler], true_classes: Array, attrs: dict[str, Any]) -> list[Array]:
    """Draw a sample with the sampler of the node that runs; `make` makes it in the first run."""
    wanted, unique = attrs["num_sampled"], attrs["unique"]
    state = ctx.node_state(lambda: _state(make(), attrs))
    sampler = state.sampler
    _check(true_classes, attrs["num_true"], wanted, unique, sampler.limit)
    with state.lock:
        sampled, tries = _sample(sampler, state.runs.begin(), wanted, unique)
        chances = sampler.probability(np.concatenate([true_classes.reshape(-1), sampled]))
        sampler.learn(true_classes)
    counts = expected_count(chances, wanted, tries)
    return [sampled, counts[: true_classes.size].reshape(true_classes.shape), counts[true_classes.size :]]


def _shapes(node: Operation) -> list[Shape]:
    rows = with_rank(node.inputs[0].dims, 2)[0]
    return [(node.attrs["num_sampled"],), (rows, node.attrs["num_true"]), (node.attrs["num_sampled"],)]


def _declare(name: str, doc: str, make: Callable[[int], Sampler]) -> OpDecl:
    """Declare a sampler that its range tells all about."""

    @op(name, types=TYPES, shape=_shapes, stateful=True, devices="CPU", differentiable=False)
    def block(
        ctx: KernelContext, xp: Namespace, true_classes: Array, *, num_true: int, num_sampled: int, unique: bool,
        range_max: int, seed: int = 0, seed2: int = 0,
    ) -> list[Array]:  # fmt: skip
        attrs = {"num_true": num_true, "num_sampled": num_sampled, "unique": unique, "seed": seed, "seed2": seed2}
        return _run(ctx, lambda: make(range_max), true_classes, attrs)

    block.doc = block.__doc__ = doc
    return block


uniform_sampler = _declare("UniformCandidateSampler", "Draws classes that are equally likely.", Uniform)
log_uniform_sampler = _declare("LogUniformCandidateSampler", "Draws classes by Zipf's law, roughly.", LogUniform)
learned_sampler = _declare("LearnedUnigramCandidateSampler", "Draws classes by their frequencies so far.", Learned)
thread_unsafe_sampler = _declare(
    "ThreadUnsafeUnigramCandidateSampler", "Draws classes by their frequencies so far.", Learned
)


@op("FixedUnigramCandidateSampler", types=TYPES, shape=_shapes, stateful=True, devices="CPU", differentiable=False,
    defaults={"unigrams": []})  # fmt: skip
def fixed_sampler(
    ctx: KernelContext, xp: Namespace, true_classes: Array, *, num_true: int, num_sampled: int, unique: bool,
    range_max: int, vocab_file: str = "", distortion: float = 1.0, num_reserved_ids: int = 0, num_shards: int = 1,
    shard: int = 0, unigrams: list[float], seed: int = 0, seed2: int = 0,
) -> list[Array]:  # fmt: skip
    """Draws classes by given frequencies, raised to the power `distortion`."""

    def make() -> Sampler:
        counts = _read_counts(vocab_file) if vocab_file else list(unigrams)
        powers = [float(np.float32(count) ** np.float32(distortion)) for count in counts]
        weights = np.array([0.0] * num_reserved_ids + powers, np.float32)[shard::num_shards]
        if weights.size != range_max:
            raise InvalidArgumentError(
                None, None, f"range_max is {range_max} but there are {weights.size} frequencies, reserved ids included"
            )
        return Fixed(weights)

    attrs = {"num_true": num_true, "num_sampled": num_sampled, "unique": unique, "seed": seed, "seed2": seed2}
    return _run(ctx, make, true_classes, attrs)


def _read_counts(path: str) -> list[float]:
    """Return the last column of a file of comma-separated lines."""
    with open(path, encoding="utf-8") as lines:
        return [float(line.rsplit(",", 1)[-1]) for line in lines if line.strip()]


@op("AllCandidateSampler", types=TYPES, shape=_shapes, stateful=True, devices="CPU", differentiable=False)
def all_sampler(
    xp: Namespace, true_classes: Array, *, num_true: int, num_sampled: int, unique: bool, seed: int = 0, seed2: int = 0
) -> list[Array]:
    """Draws every class once."""
    _check(true_classes, num_true, num_sampled, unique, num_sampled)
    return [np.arange(num_sampled), np.ones(true_classes.shape, np.float32), np.ones(num_sampled, np.float32)]


def _hit_shapes(node: Operation) -> list[Shape]:
    rows = with_rank(node.inputs[0].dims, 2)
    with_rank(node.inputs[1].dims, 1)
    if rows[1] not in (None, node.attrs["num_true"]):
        raise ValueError(f"Dimension must be {node.attrs['num_true']} but is {rows[1]}")
    return [(None,)] * 3


@op(
    "ComputeAccidentalHits", shape=_hit_shapes, devices="CPU", differentiable=False,
    types="true_classes: int64, sampled_candidates: int64 -> indices: int32, ids: int64, weights: float32",
)  # fmt: skip
def accidental_hits_op(
    xp: Namespace, true_classes: Array, sampled_candidates: Array, *, num_true: int, seed: int = 0, seed2: int = 0
) -> list[Array]:
    """Finds where a true class was drawn: its row, its last place in the sample, and a weight as low as float32 has."""
    if true_classes.ndim != 2 or true_classes.shape[1] != num_true:
        raise InvalidArgumentError(None, None, "true_classes must have num_true columns")
    order = np.argsort(sampled_candidates, kind="stable")
    flat, ordered = true_classes.reshape(-1), sampled_candidates[order]
    starts, stops = (np.searchsorted(ordered, flat, side=side) for side in ("left", "right"))
    found = np.flatnonzero(stops > starts)
    places = order[stops[found] - 1]
    lowest = np.full(places.size, -np.finfo(np.float32).max, np.float32)
    return [(found // num_true).astype(np.int32), places.astype(np.int64), lowest]


Sample = tuple[Tensor, Tensor, Tensor]
_HOW = {
    uniform_sampler: "that are equally likely",
    log_uniform_sampler: "by Zipf's law, roughly: class 0 is the most frequent one",
    learned_sampler: "by the frequencies of the true classes that were seen so far",
}


def _public(name: str, decl: OpDecl) -> Callable[..., Sample]:
    def sampler(
        true_classes: Any, num_true: int, num_sampled: int, unique: bool, range_max: int, seed: int | None = None,
        name: str | None = None,
    ) -> Sample:  # fmt: skip
        return decl.named(  # type: ignore[no-any-return]
            true_classes, num_true=num_true, num_sampled=num_sampled, unique=unique, range_max=range_max,
            name=name, **seed_attrs(seed),
        )  # fmt: skip

    sampler.__name__ = sampler.__qualname__ = name
    sampler.__doc__ = f"""Draw classes {_HOW[decl]}.

    Args:
      true_classes: int64 (batch, num_true).
      num_sampled: how many classes to draw, each once when `unique`, from those below `range_max`.
      seed: for the draws.

    Returns:
      A named tuple: the classes, int64 (num_sampled,); how often the true classes, float32 (batch, num_true), and the drawn ones,
      float32 (num_sampled,), are to be expected in such a sample.
    """
    return sampler


uniform_candidate_sampler = _public("uniform_candidate_sampler", uniform_sampler)
log_uniform_candidate_sampler = _public("log_uniform_candidate_sampler", log_uniform_sampler)
learned_unigram_candidate_sampler = _public("learned_unigram_candidate_sampler", learned_sampler)


def fixed_unigram_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, range_max: int, vocab_file: str = "",
    distortion: float = 1.0, num_reserved_ids: int = 0, num_shards: int = 1, shard: int = 0, unigrams: Any = (),
    seed: int | None = None, name: str | None = None,
) -> Sample:  # fmt: skip
    """Draw classes by given frequencies.

    Args:
      vocab_file: comma-separated lines whose last field is the frequency of the next class; or
      unigrams: the frequencies. One of the two is needed.
      distortion: the power that frequencies are raised to.
      num_reserved_ids: classes, the first ones, that are never drawn.
      num_shards, shard: draw only classes `shard`, `shard + num_shards`, …, numbered among themselves.
      The others are as in `uniform_candidate_sampler`, and so is what returns.
    """
    return fixed_sampler.named(  # type: ignore[no-any-return]
        true_classes, num_true=num_true, num_sampled=num_sampled, unique=unique, range_max=range_max,
        vocab_file=vocab_file, distortion=distortion, num_reserved_ids=num_reserved_ids, num_shards=num_shards,
        shard=shard, unigrams=list(unigrams), name=name, **seed_attrs(seed),
    )  # fmt: skip


def all_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, seed: int | None = None, name: str | None = None
) -> Sample:
    """Draw every class below `num_sampled` once; see `uniform_candidate_sampler` for what returns."""
    return all_sampler.named(  # type: ignore[no-any-return]
        true_classes, num_true=num_true, num_sampled=num_sampled, unique=unique, name=name, **seed_attrs(seed)
    )


def compute_accidental_hits(
    true_classes: Any, sampled_candidates: Any, num_true: int, seed: int | None = None, name: str | None = None
) -> Sample:
    """Return where true classes were drawn: rows int32, places in the sample int64, weights `-FLOAT_MAX`; (hits,) each."""
    return accidental_hits_op.named(  # type: ignore[no-any-return]
        true_classes, sampled_candidates, num_true=num_true, name=name, **seed_attrs(seed)
    )
