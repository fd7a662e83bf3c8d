"""Metrics over batches: TensorFlow's values and variable names, collections, weights that do not fit, empty streams."""

import gzip
import json
import pathlib
import warnings

import numpy as np
import pytest

import millstream as tf
from support.metric_cases import cases, results

GOLDEN = json.loads(gzip.decompress((pathlib.Path(__file__).parents[2] / "golden" / "metrics.json.gz").read_bytes()))


@pytest.fixture(scope="module")
def found() -> dict:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Trapezoidal rule is known")
        return results(tf)


@pytest.mark.parametrize("case", GOLDEN)
def test_values_are_tensorflows(case: str, found: dict) -> None:
    for ours, theirs in zip(found[case]["values"], GOLDEN[case]["values"], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("case", [case for case in GOLDEN if not case.startswith("average_precision")])
def test_variables_have_tensorflows_names(case: str, found: dict) -> None:
    assert found[case]["variables"] == GOLDEN[case]["variables"]


def test_every_metric_has_a_case() -> None:
    tried = {name.split(" ")[0] for name in cases(tf)}
    public = {name for name in dir(tf.metrics) if name.isidentifier() and not name.startswith("_")}
    assert public - tried == {"sparse_precision_at_k", "sparse_average_precision_at_k"}


def test_results_go_into_collections() -> None:
    with tf.Graph().as_default():
        value, update = tf.metrics.accuracy([1], [1], metrics_collections="m", updates_collections=["u", "v"])
        assert tf.get_collection("m") == [value]
        assert tf.get_collection("u") == tf.get_collection("v") == [update]
        names = ["accuracy/total:0", "accuracy/count:0"]
        assert [v.name for v in tf.get_collection(tf.GraphKeys.METRIC_VARIABLES)] == names
        assert (value.op.name, update.op.name) == ("accuracy/value", "accuracy/update_op")
        assert not tf.global_variables() and not tf.trainable_variables()


def test_sparse_labels() -> None:
    """Sparse labels are as dense ones; rows may have different numbers of them."""
    scores = np.array([[0.1, 0.9, 0.5], [0.8, 0.1, 0.4]], np.float32)
    labels = tf.SparseTensorValue(np.array([[0, 0], [1, 0], [1, 1]]), np.array([1, 0, 1]), np.array([2, 2]))
    with tf.Graph().as_default(), tf.Session() as session:
        sparse = tf.SparseTensor.from_value(labels)
        metrics = [tf.metrics.recall_at_k(sparse, scores, 1), tf.metrics.precision_at_k(sparse, scores, 2)]
        session.run(tf.local_variables_initializer())
        assert session.run([update for _, update in metrics]) == [pytest.approx(2 / 3), pytest.approx(2 / 4)]


def test_nothing_counted_yet() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        values = [tf.metrics.mean([1.0])[0], tf.metrics.precision([1], [1])[0], tf.metrics.mean_iou([1], [1], 2)[0]]
        session.run(tf.local_variables_initializer())
        assert session.run(values) == [0.0, 0.0, 0.0]


REFUSED = {
    "weights": (lambda: tf.metrics.mean(np.ones((2, 3)), np.ones((2, 2))), "weights can not be broadcast to values"),
    "shapes": (lambda: tf.metrics.accuracy([1, 2, 3], [1, 2]), "are incompatible"),
    "curve": (lambda: tf.metrics.auc([1], [0.5], curve="XY"), "curve must be either ROC or PR"),
    "method": (lambda: tf.metrics.auc([1], [0.5], summation_method="x"), "Invalid summation_method"),
    "thresholds": (lambda: tf.metrics.auc([1], [0.5], num_thresholds=1), "num_thresholds must be > 1"),
    "specificity": (lambda: tf.metrics.sensitivity_at_specificity([1], [0.5], 1.5), "must be in the range"),
    "k": (lambda: tf.metrics.average_precision_at_k([[1]], [[0.5, 0.1]], 0), "Invalid k=0"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case: str) -> None:
    build, words = REFUSED[case]
    with tf.Graph().as_default(), pytest.raises(ValueError, match=words):
        build()


def test_predictions_out_of_range_fail_when_they_run() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        _, update = tf.metrics.auc([1, 0], tf.placeholder_with_default([0.5, 1.5], [2]))
        session.run(tf.local_variables_initializer())
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"predictions must be in \[0, 1\]"):
            session.run(update)


def test_confusion_matrix() -> None:
    labels, guesses = [0, 1, 2, 2, 1], [0, 2, 2, 2, 1]
    with tf.Graph().as_default(), tf.Session() as session:
        plain = tf.confusion_matrix(labels, guesses)
        weighted = tf.confusion_matrix(labels, guesses, 4, tf.float32, weights=[1, 2, 3, 4, 5])
        assert weighted.shape.as_list() == [4, 4]
        np.testing.assert_array_equal(session.run(plain), [[1, 0, 0], [0, 1, 1], [0, 0, 2]])
        np.testing.assert_array_equal(session.run(weighted), [[1, 0, 0, 0], [0, 5, 2, 0], [0, 0, 7, 0], [0, 0, 0, 0]])
        with pytest.raises(tf.errors.InvalidArgumentError, match="`labels` out of bound"):
            session.run(tf.confusion_matrix(tf.placeholder_with_default([5], [1]), [0], 2))


def test_weights_of_any_rank_that_is_fed() -> None:
    """A dimension of one more or less is dropped or added when a run tells of it; the numbers are TensorFlow's."""
    weights, x = tf.placeholder(tf.int32), tf.placeholder(tf.float32)
    _, accuracy = tf.metrics.accuracy([[1], [0], [0]], tf.constant([1, 1, 1]), weights)
    _, mean = tf.metrics.mean(x, weights)
    with tf.Session() as session:
        for given, wanted in (([[100], [1], [1]], 100 / 102), ([100, 1, 1], 100 / 102), (2, 1 / 3)):
            session.run(tf.local_variables_initializer())
            np.testing.assert_allclose(session.run(accuracy, {weights: given}), wanted, rtol=1e-6)
        session.run(tf.local_variables_initializer())
        assert session.run(mean, {x: [[1.0, 2.0], [3.0, 4.0]], weights: 1}) == 2.5
        np.testing.assert_allclose(session.run(mean, {x: [1.0, 2.0], weights: [[1], [2]]}), 15 / 7, rtol=1e-6)
