"""Beginning with another training's values, and waiting for its checkpoints."""

import numpy as np
import pytest

import millstream as tf


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default():
        yield


@pytest.fixture
def saved(tmp_path):
    """Saves a = 1 and b/w = 2, and returns the checkpoint."""
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.get_variable("a", initializer=1.0)
        tf.get_variable("b/w", initializer=2.0)
        sess.run(tf.global_variables_initializer())
        return tf.train.Saver().save(sess, str(tmp_path / "model"))


CASES = [({}, [1, 2]), ({"vars_to_warm_start": "b"}, [0, 2]), ({"vars_to_warm_start": ["a"]}, [1, 0]),
         ({"vars_to_warm_start": "a", "var_name_to_prev_var_name": {"a": "b/w"}}, [2, 0])]  # fmt: skip


@pytest.mark.parametrize(("options", "expected"), CASES)
def test_variables_begin_with_saved_values(saved, options, expected):
    variables = [tf.get_variable("a", initializer=0.0), tf.get_variable("b/w", initializer=0.0)]
    tf.train.warm_start(saved, **options)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        np.testing.assert_array_equal(sess.run(variables), expected)


def test_names_that_mean_nothing_are_refused(saved):
    tf.get_variable("a", initializer=0.0)
    with pytest.raises(ValueError, match=r"not used: .'c'."):
        tf.train.warm_start(saved, var_name_to_prev_var_name={"c": "a"})
    with pytest.raises(ValueError, match="not remapped"):
        tf.train.warm_start(saved, var_name_to_vocab_info={"a": None})


def test_checkpoints_come_as_they_are_written(tmp_path):
    tf.get_variable("a", initializer=1.0)
    found = []
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        saver = tf.train.Saver()
        saver.save(sess, str(tmp_path / "model"), global_step=0)
        for path in tf.train.checkpoints_iterator(str(tmp_path), timeout=0.1):
            found.append(path)
            if len(found) < 3:
                saver.save(sess, str(tmp_path / "model"), global_step=len(found))
    assert found == [str(tmp_path / f"model-{step}") for step in range(3)]
    endings = iter([False, True])
    assert (
        list(tf.train.checkpoints_iterator(str(tmp_path / "none"), timeout=0, timeout_fn=lambda: next(endings))) == []
    )
