"""`tf.contrib.factorization.KMeans`: k-means as a graph, of whole batches or of small ones.

Centres are a variable that `init_op` fills from its batch, and that `training_op` moves. Distances to centres are those of the
metric: squared lengths of differences, or 1 less the cosine. Invariant: where centres are kept normalised, they have length 1.
"""

from __future__ import annotations

from typing import Any

from ...ops.array import concat, gather, identity, ones_like, shape, squeeze, zeros
from ...ops.core import dtypes
from ...ops.core.convert import constant, convert_to_tensor
from ...ops.core.node import Tensor
from ...ops.core.scopes import control_dependencies, name_scope
from ...ops.core.shapes import TensorShape
from ...ops.flow import cond, while_loop
from ...ops.layers.assertions import Assert
from ...ops.math import (
    add_n,
    argmin,
    cast,
    greater_equal,
    less_equal,
    log,
    matmul,
    maximum,
    minimum,
    reduce_min,
    reduce_sum,
    square,
    unsorted_segment_sum,
)
from ...ops.math import range as range_
from ...ops.nn import l2_normalize
from ...ops.random import multinomial, random_shuffle, random_uniform
from ...ops.state import assign, assign_add, scatter_add
from ...ops.state.group import group
from ...ops.variables import Variable

SQUARED_EUCLIDEAN_DISTANCE = "squared_euclidean"
COSINE_DISTANCE = "cosine"
RANDOM_INIT = "random"
KMEANS_PLUS_PLUS_INIT = "kmeans_plus_plus"
_EPSILON = 1e-6
_TINY = 1e-30


class KMeans:
    """Makes the graph of k-means.

    Args:
      inputs: a batch of points, (points, numbers), or a list of batches. num_clusters: how many centres there are.
      initial_clusters: "random" points, "kmeans_plus_plus", the centres, or a function of the points and `num_clusters`.
      distance_metric: "squared_euclidean" or "cosine".
      use_mini_batch: move centres by each batch's points, by less the more points they had, instead of to their means.
      mini_batch_steps_per_iteration: after how many small batches centres become those that points are held against.
      random_seed: of the first centres. kmeans_plus_plus_num_retries: how many points are tried for a centre.
      kmc2_chain_length: accepted; there are no Markov chains of first centres.

    Raises:
      ValueError: for another metric or another way to begin.
    """

    def __init__(
        self, inputs: Any, num_clusters: int, initial_clusters: Any = RANDOM_INIT,
        distance_metric: str = SQUARED_EUCLIDEAN_DISTANCE, use_mini_batch: bool = False,
        mini_batch_steps_per_iteration: int = 1, random_seed: int = 0, kmeans_plus_plus_num_retries: int = 2,
        kmc2_chain_length: int = 200,
    ) -> None:  # fmt: skip
        if distance_metric not in (SQUARED_EUCLIDEAN_DISTANCE, COSINE_DISTANCE):
            raise ValueError(
                f"Unsupported distance metric passed to KMeans: {distance_metric}; there are squared_euclidean and cosine"
            )
        if isinstance(initial_clusters, str) and initial_clusters not in (RANDOM_INIT, KMEANS_PLUS_PLUS_INIT):
            raise ValueError(
                f"Unsupported initial clusters passed to KMeans: {initial_clusters!r}; there are 'random' and "
                "'kmeans_plus_plus', centres, and functions"
            )
        self._inputs = [convert_to_tensor(item) for item in (inputs if isinstance(inputs, list) else [inputs])]
        self._count, self._first, self._cosine = num_clusters, initial_clusters, distance_metric == COSINE_DISTANCE
        self._small, self._per_iteration = use_mini_batch, mini_batch_steps_per_iteration
        self._seed, self._tries = random_seed, max(kmeans_plus_plus_num_retries, 1)
        self._normalised = self._cosine and (not use_mini_batch or mini_batch_steps_per_iteration > 1)

    def training_graph(self) -> tuple[Any, Any, Any, Variable, Any, Any]:
        """Return (all_scores, cluster_idx, scores, cluster_centers_initialized, init_op, training_op).

        The first three are tuples with an item for each batch: the distances of points to all centres, the number of the
        nearest centre, and the distance to it. Run `init_op` once before `training_op`.
        """
        numbers = self._inputs[0].shape.as_list()[-1]
        held = Variable(zeros([0], self._inputs[0].dtype), name="clusters", validate_shape=False)
        begun = Variable(False, name="initialized")
        delayed = self._small and self._per_iteration > 1
        moved = (
            Variable(zeros([0], held.dtype.base_dtype), name="clusters_updated", validate_shape=False)
            if delayed
            else held
        )
        points = [l2_normalize(batch, 1) for batch in self._inputs] if self._cosine else self._inputs
        init = self._init_op(points, [held, moved] if delayed else [held], begun)
        centres = identity(held)
        centres.set_shape([self._clusters(), numbers])
        if self._cosine and not self._normalised:
            centres = l2_normalize(centres, 1)
        every = tuple(self._distances(batch, centres) for batch in points)
        nearest = tuple(argmin(scores, 1) for scores in every)
        scores = tuple(reduce_min(scores, 1) for scores in every)
        if not self._small:
            train = assign(held, self._means(points, nearest), validate_shape=False)
        else:
            train = self._small_step(points, nearest, held, moved, delayed)
        return every, nearest, scores, begun, init, train

    def _clusters(self) -> int:
        """Return how many centres there are; ValueError when centres are given and their number is not known."""
        if isinstance(self._first, str) or callable(self._first):
            return int(self._count)
        known = convert_to_tensor(self._first).shape.as_list()[0]
        if known is None:
            raise ValueError(f"How many centres there are must be known while building; got {self._first}")
        return int(known)

    def _distances(self, points: Tensor, centres: Tensor) -> Tensor:
        products: Any = matmul(points, centres, transpose_b=True)
        if self._cosine:
            return 1.0 - products  # type: ignore[no-any-return]
        found: Tensor = reduce_sum(square(points), 1, keepdims=True) - 2.0 * products + reduce_sum(square(centres), 1)
        return maximum(found, 0.0)

    # -- the first centres -------------------------------------------------------------------------------------------

    def _init_op(self, points: list[Tensor], variables: list[Variable], begun: Variable) -> Any:
        def fill() -> Tensor:
            with name_scope("initial_clusters"):
                first = self._first_centres(concat(points, 0))
                if self._normalised:
                    first = l2_normalize(first, 1)
                filled = [assign(variable, first, validate_shape=False).op for variable in variables]
                with control_dependencies(filled):
                    done: Tensor = assign(begun, True)
                    return done

        return cond(begun, lambda: identity(begun), fill).op

    def _first_centres(self, points: Tensor) -> Tensor:
        if callable(self._first):
            return convert_to_tensor(self._first(points, self._count), points.dtype)
        if not isinstance(self._first, str):
            return convert_to_tensor(self._first, points.dtype)
        rows = shape(points)[0]
        enough = Assert(
            greater_equal(rows, self._count), [f"{self._count} first centres need as many points, not", rows]
        )
        with control_dependencies([enough]):
            points = identity(points)
        if self._first == RANDOM_INIT:
            chosen = random_shuffle(range_(rows), seed=self._seed)[: self._count]
        else:
            chosen = self._far_apart(points, rows)
        return gather(points, chosen)

    def _far_apart(self, points: Tensor, rows: Tensor) -> Tensor:
        """Return the numbers of points that are chosen with a chance by their distance from those chosen before."""
        first = random_uniform([1], 0, rows, dtypes.int32, seed=self._seed)

        def step(chosen: Tensor, least: Tensor) -> tuple[Tensor, Tensor]:
            tried = cast(multinomial(log(least + _TINY)[None], self._tries, seed=self._seed)[0], dtypes.int32)
            closer = minimum(least[:, None], self._distances(points, gather(points, tried)))
            best = cast(argmin(reduce_sum(closer, 0)), dtypes.int32)
            return concat([chosen, tried[best][None]], 0), gather(closer, best, axis=1)

        least = squeeze(self._distances(points, gather(points, first)), [1])
        found = while_loop(
            lambda chosen, least: shape(chosen)[0] < self._count, step, (first, least),
            shape_invariants=(TensorShape([None]), TensorShape([None])), back_prop=False,
        )  # fmt: skip
        chosen: Tensor = found[0]
        return chosen

    # -- moving them -------------------------------------------------------------------------------------------------

    def _sums(self, points: list[Tensor], nearest: tuple[Tensor, ...]) -> tuple[Any, Any]:
        """Return the sum of each centre's points, and how many they are, (centres, 1)."""
        number = self._clusters()
        pairs = list(zip(points, nearest, strict=True))
        counts = [unsorted_segment_sum(ones_like(batch[:, :1]), ids, number) for batch, ids in pairs]
        return add_n([unsorted_segment_sum(batch, ids, number) for batch, ids in pairs]), add_n(counts)

    def _means(self, points: list[Tensor], nearest: tuple[Tensor, ...]) -> Tensor:
        sums, counts = self._sums(points, nearest)
        means: Tensor = sums / (counts + _EPSILON)
        return l2_normalize(means, 1) if self._normalised else means

    def _small_step(
        self, points: list[Tensor], nearest: tuple[Tensor, ...], held: Variable, moved: Variable, delayed: bool
    ) -> Any:
        number = self._clusters()
        seen = Variable(
            (zeros if delayed else _ones)([number, 1], held.dtype.base_dtype), name="counts", trainable=False
        )
        sync = self._sync(held, moved, seen) if delayed else group()
        with control_dependencies([sync]):
            sums, counts = self._sums(points, nearest)
            rate = 1.0 / maximum(seen + counts, 1.0)
            change = (sums - counts * identity(moved)) * rate
            everyone = range_(number)
            with control_dependencies([change]):
                return group(scatter_add(moved, everyone, change), assign_add(seen, counts))

    def _sync(self, held: Variable, moved: Variable, seen: Variable) -> Any:
        """Return what hands moved centres over after so many steps, and begins to count anew."""
        left = Variable(constant(self._per_iteration, dtypes.int64), name="update_in_steps", trainable=False)

        def hand_over() -> Tensor:
            centres = l2_normalize(identity(moved), 1) if self._cosine else identity(moved)
            done = [
                assign(held, centres, validate_shape=False).op, assign(moved, centres, validate_shape=False).op,
                assign(seen, zeros(shape(seen), seen.dtype.base_dtype)).op,
            ]  # fmt: skip
            with control_dependencies(done):
                told: Tensor = assign(left, constant(self._per_iteration - 1, dtypes.int64))
                return told

        return cond(
            less_equal(left, constant(0, dtypes.int64)), hand_over, lambda: assign_add(left, constant(-1, dtypes.int64))
        ).op


def _ones(sizes: Any, dtype: Any) -> Tensor:
    return ones_like(zeros(sizes, dtype))
