"""Losses against TensorFlow's: values with every kind of weights and reduction, gradients, scopes in the collection."""

import gzip
import json
import pathlib

import numpy as np
import pytest

import millstream as tf
from support.loss_cases import results

GOLDEN = json.loads(gzip.decompress((pathlib.Path(__file__).parents[2] / "golden" / "losses.json.gz").read_bytes()))


@pytest.fixture(scope="module")
def found() -> dict:
    return results(tf)


@pytest.mark.parametrize("case", GOLDEN)
def test_loss(case: str, found: dict) -> None:
    ours, theirs = found[case], GOLDEN[case]
    np.testing.assert_allclose(ours["value"], theirs["value"], rtol=2e-5, atol=1e-6)
    np.testing.assert_allclose(ours["slopes"], theirs["slopes"], rtol=2e-5, atol=1e-6)
    assert [name.split("/")[0] for name in ours["losses"]] == [name.split("/")[0] for name in theirs["losses"]]


def test_total_loss() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        tf.losses.mean_squared_error([1.0], [3.0])
        tf.losses.add_loss(tf.constant(2.0))
        tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, tf.constant(0.5))
        assert session.run(tf.losses.get_total_loss()) == 6.5
        assert session.run(tf.losses.get_total_loss(add_regularization_losses=False)) == 6.0
        assert session.run(tf.losses.get_regularization_loss()) == 0.5
        assert len(tf.losses.get_losses()) == 2


def test_losses_of_a_scope() -> None:
    with tf.Graph().as_default():
        with tf.name_scope("one"):
            one = tf.losses.mean_squared_error([1.0], [3.0])
        tf.losses.mean_squared_error([1.0], [3.0])
        assert tf.losses.get_losses("one") == [one]


REFUSED = {
    "weights": lambda: tf.losses.mean_squared_error(np.ones((2, 3)), np.ones((2, 3)), np.ones((2, 2))),
    "rank": lambda: tf.losses.mean_squared_error(np.ones((2, 3)), np.ones((2, 3)), np.ones((2,))),
    "shapes": lambda: tf.losses.log_loss([1.0, 2.0], [1.0]),
    "reduction": lambda: tf.losses.absolute_difference([1.0], [1.0], reduction="some"),
    "axis": lambda: tf.losses.cosine_distance([1.0], [1.0]),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case: str) -> None:
    with tf.Graph().as_default(), pytest.raises(ValueError):
        REFUSED[case]()


FEEDS = {"same": (4, 3), "ones": (1, 3), "scalar": (), "row": (3,), "other": (2, 3)}


@pytest.mark.parametrize("known", [None, [None, None]])
@pytest.mark.parametrize("case", FEEDS)
def test_weights_are_held_against_shapes_that_only_a_run_knows(case: str, known: list | None) -> None:
    fits = len(FEEDS[case]) != 1 and FEEDS[case] != (2, 3)
    if known and len(FEEDS[case]) != 2:
        return
    with tf.Graph().as_default(), tf.Session() as session:
        errors, weights = tf.placeholder(tf.float32, known), tf.placeholder(tf.float32, known)
        loss = tf.losses.compute_weighted_loss(errors, weights)
        pairs = tf.losses.mean_pairwise_squared_error(errors, 2 * errors, weights)
        mean, update = tf.metrics.mean(errors, weights, name="m")
        assert loss.shape == pairs.shape == mean.shape == ()
        session.run(tf.local_variables_initializer())
        given = {errors: np.arange(12.0).reshape(4, 3), weights: np.full(FEEDS[case], 2.0)}
        for node, wanted in ((loss, 11.0), (update, 5.5)):
            if fits:
                assert session.run(node, given) == wanted
            else:
                with pytest.raises(
                    tf.errors.InvalidArgumentError, match=r"\[weights can not be broadcast to values.\]"
                ):
                    session.run(node, given)
        if fits:
            assert session.run(pairs, given) == pytest.approx(2 * 4 * 2.0 * (3 if FEEDS[case] else 1))


@pytest.mark.parametrize("dims", [None, [None, None], [None, 1], [None]])
def test_class_indices_lose_a_last_dimension_of_one(dims: list | None) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        labels, weights = tf.placeholder(tf.int32, dims), tf.placeholder(tf.float32, dims)
        logits = tf.constant([[0.0, 1.0], [2.0, 0.0]])
        loss = tf.losses.sparse_softmax_cross_entropy(labels, logits, weights)
        wanted = np.log1p(np.exp([-1.0, 2.0])) @ [1, 3] / 2
        for shape in ([2],) if dims == [None] else ([2, 1],) if dims else ([2], [2, 1]):
            given = {labels: np.reshape([1, 1], shape), weights: np.reshape([1.0, 3.0], shape)}
            assert session.run(loss, given) == pytest.approx(wanted, rel=1e-5)


def test_both_names_of_an_axis() -> None:
    with tf.Graph().as_default(), pytest.raises(ValueError, match="Cannot specify both 'dim' and 'axis'"):
        tf.losses.cosine_distance([1.0], [1.0], axis=0, dim=0)
