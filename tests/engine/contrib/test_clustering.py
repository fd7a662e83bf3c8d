"""k-means: every way to begin and to go on finds three heaps of points, and says how far points are from their centres."""

import numpy as np
import pytest

import millstream as ms

factorization = ms.contrib.factorization
HEAPS = np.array([[6.0, 0.0], [-3.0, 5.0], [-3.0, -5.0]])
OWNERS = np.arange(60) % 3
X = (HEAPS[OWNERS] + np.random.RandomState(2).randn(60, 2) * 0.3).astype(np.float32)


def trained(steps=8, **arguments):
    with ms.Graph().as_default(), ms.Session() as session:
        points = ms.placeholder(ms.float32, [None, 2])
        graph = factorization.KMeans(points, 3, **arguments).training_graph()
        every, (nearest,), (scores,), begun, init, train = graph
        session.run(ms.global_variables_initializer())
        assert not session.run(begun)
        session.run(init, {points: X})
        for _ in range(steps):
            session.run(train, {points: X})
        centres = ms.global_variables("clusters")[0]
        return session.run([every[0], nearest, scores, centres, begun], {points: X})


@pytest.mark.parametrize(
    "arguments",
    [
        {"initial_clusters": "kmeans_plus_plus"},
        {"initial_clusters": "kmeans_plus_plus", "distance_metric": "cosine"},
        {"initial_clusters": "kmeans_plus_plus", "use_mini_batch": True, "distance_metric": "cosine"},
        {"initial_clusters": "kmeans_plus_plus", "use_mini_batch": True, "mini_batch_steps_per_iteration": 3},
        {"initial_clusters": X[:3]},
        {"initial_clusters": lambda points, number: points[:number], "use_mini_batch": True},
    ],
)
def test_heaps_are_found(arguments):
    every, nearest, scores, centres, begun = trained(**arguments)
    assert begun and every.shape == (60, 3)
    assert len({tuple(set(nearest[heap == OWNERS])) for heap in range(3)}) == 3
    np.testing.assert_array_equal(nearest, every.argmin(1))
    np.testing.assert_allclose(scores, every.min(1))
    if "distance_metric" not in arguments and not arguments.get("mini_batch_steps_per_iteration"):
        means = np.stack([X[nearest == i].mean(0) for i in range(3)])
        np.testing.assert_allclose(centres, means, atol=0.15 if arguments.get("use_mini_batch") else 1e-3)
        expected = ((X[:, None] - centres) ** 2).sum(-1)
        np.testing.assert_allclose(every, expected, rtol=1e-3, atol=1e-3)


def test_random_points_are_points_and_centres_stay_until_steps_ask_for_more():
    *_, centres, _ = trained(steps=0, initial_clusters="random", random_seed=4)
    assert len({tuple(c) for c in centres} & {tuple(x) for x in X}) == 3
    *_, normalised, _ = trained(steps=0, initial_clusters="random", distance_metric="cosine")
    np.testing.assert_allclose(np.linalg.norm(normalised, axis=1), 1, rtol=1e-5)


def test_several_batches_and_wrong_arguments():
    with ms.Graph().as_default(), ms.Session() as session:
        made = factorization.KMeans([ms.constant(X[:40]), ms.constant(X[40:])], 3, "kmeans_plus_plus").training_graph()
        session.run(ms.global_variables_initializer())
        session.run(made[4])
        session.run(made[5])
        assert [len(ids) for ids in session.run(made[1])] == [40, 20]
        few = factorization.KMeans(ms.constant(X[:2]), 3).training_graph()
        session.run(ms.global_variables_initializer())
        with pytest.raises(ms.errors.InvalidArgumentError, match="3 first centres need as many points"):
            session.run(few[4])
    for wrong, words in (
        ({"distance_metric": "city"}, "city; there are"),
        ({"initial_clusters": "kmc2"}, "'kmc2'; there are"),
    ):
        with pytest.raises(ValueError, match=words):
            factorization.KMeans(X, 3, **wrong)
