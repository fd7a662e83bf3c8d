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
