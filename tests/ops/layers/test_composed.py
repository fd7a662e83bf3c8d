"""Losses, clipping, embeddings, dropout, crops and assertions against TensorFlow's own values."""

import importlib.util
import json
import pathlib

import numpy as np
import pytest

import millstream as tf

GOLDEN = pathlib.Path(__file__).parents[2] / "golden" / "composed_values.py"
_spec = importlib.util.spec_from_file_location("composed_values", GOLDEN)
composed_values = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(composed_values)
EXPECTED = json.loads(GOLDEN.with_suffix(".json").read_text())


@pytest.mark.parametrize("expression", EXPECTED)
def test_values_are_tensorflows(expression: str) -> None:
    found, expected = composed_values.evaluate(tf, expression), EXPECTED[expression]
    if isinstance(expected, dict | str):
        assert found == expected
    else:
        assert isinstance(found, list), found
        for value, wanted in zip(found, expected, strict=True):
            np.testing.assert_allclose(value, wanted, rtol=2e-5, atol=1e-6)


def test_the_golden_file_has_every_expression() -> None:
    assert set(EXPECTED) == set(composed_values.EXPRESSIONS)


@pytest.fixture
def session():
    with tf.Graph().as_default(), tf.Session() as opened:
        yield opened


def test_dropout_keeps_the_mean_and_draws_anew(session) -> None:
    y = tf.nn.dropout(tf.ones([100, 100]), rate=0.25, seed=3)
    first, second = session.run(y), session.run(y)
    assert set(np.unique(first)) == {0.0, np.float32(1 / 0.75)}
    assert abs(first.mean() - 1) < 0.05
    assert (first != second).any()


def test_dropout_along_a_noise_shape_and_with_a_fed_rate(session) -> None:
    rate = tf.placeholder(tf.float32, [])
    y = tf.nn.dropout(tf.ones([4, 50]), rate=rate, noise_shape=[1, 50], seed=3)
    found = session.run(y, {rate: 0.5})
    assert (found == found[0]).all()
    assert set(np.unique(found)) == {0.0, 2.0}
    np.testing.assert_array_equal(session.run(y, {rate: 0.0}), np.ones([4, 50]))


def test_gradients_of_dropout_follow_its_choices(session) -> None:
    x = tf.ones([50])
    y = tf.nn.dropout(x, rate=0.5, seed=3)
    found, dx = session.run([y, tf.gradients(y, x)[0]])
    np.testing.assert_array_equal(found, dx)


@pytest.mark.parametrize("keep", [None, 0.0, -1.0, 2.0])
def test_dropout_checks_its_numbers(session, keep) -> None:
    with pytest.raises(ValueError, match=r"rate|keep_prob"):
        tf.nn.dropout(tf.ones([2]), keep_prob=keep)


def test_crops_are_slices_at_any_place(session) -> None:
    crop = tf.random_crop(tf.reshape(tf.range(12), [4, 3]), [2, 3], seed=1)
    seen = {tuple(session.run(crop)[:, 0]) for _ in range(60)}
    assert seen == {(0, 3), (3, 6), (6, 9)}
    with pytest.raises(ValueError, match=r"Need value\.shape >= size"):
        tf.random_crop(tf.zeros([2, 2]), [3, 2])


def test_embedding_gradients_are_rows(session) -> None:
    shards = [tf.Variable(tf.ones([2, 3]), use_resource=kind) for kind in (False, True)]
    loss = tf.reduce_sum(tf.nn.embedding_lookup(shards, [0, 1, 1, 2]))
    first, second = tf.gradients(loss, shards)
    assert isinstance(first, tf.IndexedSlices) and isinstance(second, tf.IndexedSlices)
    session.run(tf.global_variables_initializer())
    np.testing.assert_array_equal(session.run(tf.convert_to_tensor(first)), [[1, 1, 1], [1, 1, 1]])
    np.testing.assert_array_equal(session.run(tf.convert_to_tensor(second)), [[2, 2, 2], [0, 0, 0]])


def test_clipped_sparse_gradients_stay_sparse() -> None:
    with tf.Graph().as_default():
        slices = tf.IndexedSlices(tf.constant([[3.0, 4.0]]), tf.constant([1]), tf.constant([4, 2]))
        for clipped in (tf.clip_by_norm(slices, 1.0), tf.clip_by_global_norm([slices], 1.0)[0][0]):
            assert isinstance(clipped, tf.IndexedSlices)
            assert clipped.indices is slices.indices


def test_losses_are_collected() -> None:
    with tf.Graph().as_default():
        x = tf.zeros([2, 2])
        with tf.name_scope("a"):
            first = tf.losses.mean_squared_error(x, x)
        second = tf.losses.absolute_difference(x, x)
        tf.losses.hinge_loss(x, x, loss_collection=None)
        assert tf.losses.get_losses() == [first, second]
        assert tf.losses.get_losses("a/") == [first]
        assert first.name == "a/mean_squared_error/value:0"
        assert tf.losses.get_total_loss().name == "total_loss:0"


def test_a_missed_tolerance_shows_it(session) -> None:
    x = tf.placeholder(tf.float64, [2])
    check = tf.assert_near(x, [1.0, 2.0], atol=0.1, message="words")
    assert session.run(check, {x: [1.05, 2.0]}) is None
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"\[words\] \[x and y not equal to tolerance rtol = \].*\[1.5 2\]"):
        session.run(check, {x: [1.5, 2.0]})


def test_checks_that_are_settled_make_no_assertion() -> None:
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.int32, [None, 2])
        assert {tf.assert_rank(x, 2).type, tf.assert_type(x, tf.int32).type, tf.assert_integer(x).type} == {"NoOp"}
        assert tf.assert_scalar(tf.constant(1)).shape == ()
        with pytest.raises(ValueError, match="Expected scalar shape"):
            tf.assert_scalar(x)
        with pytest.raises(TypeError, match="integer type"):
            tf.assert_integer(1.5)
        assert "Assert" not in {op.type for op in graph.get_operations()}
