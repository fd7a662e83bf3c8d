"""tf.logging: levels, places and counts."""

import logging

import pytest

import millstream as tf


@pytest.fixture(autouse=True)
def level():
    before = tf.get_logger().level
    yield
    tf.get_logger().setLevel(before)


def messages(caplog):
    return [(record.levelname, record.getMessage()) for record in caplog.records]


def test_levels(caplog):
    tf.logging.set_verbosity(tf.logging.INFO)
    tf.logging.debug("hidden")
    tf.logging.info("%d steps", 3)
    tf.logging.warn("careful")
    tf.logging.fatal("lost")
    tf.logging.log(tf.logging.ERROR, "wrong")
    tf.logging.vlog(tf.logging.INFO, "detail")
    assert messages(caplog) == [
        ("INFO", "3 steps"), ("WARNING", "careful"), ("CRITICAL", "lost"), ("ERROR", "wrong"), ("INFO", "detail"),
    ]  # fmt: skip
    assert tf.logging.get_verbosity() == tf.logging.INFO == logging.INFO


def test_the_record_names_the_program(caplog):
    tf.logging.error("here")
    assert caplog.records[0].filename == "test_log.py" and caplog.records[0].name == "tensorflow"


def test_now_and_then(caplog):
    for i in range(5):
        tf.logging.log_every_n(tf.logging.ERROR, "every %d", 2, i)
        tf.logging.log_first_n(tf.logging.ERROR, "first %d", 2, i)
        tf.logging.log_if(tf.logging.ERROR, "if %d", i == 3, i)
    assert [text for _, text in messages(caplog)] == ["every 0", "first 0", "first 1", "every 2", "if 3", "every 4"]
