"""Event files read back: by us, and damaged."""

import os
import random

import pytest

import millstream as tf


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default():
        yield


def written(folder, count=3):
    """Writes `count` scalars and returns the file's path."""
    with tf.summary.FileWriter(str(folder)) as writer:
        for step in range(count):
            writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=step / 2)]), step)
    (path,) = folder.iterdir()
    return path


def test_events_come_back_in_order(tmp_path):
    events = list(tf.train.summary_iterator(str(written(tmp_path))))
    assert events[0].file_version == "brain.Event:2"
    assert [(e.step, v.tag, v.simple_value) for e in events[1:] for v in e.summary.value] == [
        (0, "loss", 0.0), (1, "loss", 0.5), (2, "loss", 1.0),
    ]  # fmt: skip


def test_a_file_that_is_being_written_ends_at_its_last_whole_record(tmp_path):
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[:-1])
    assert [e.step for e in tf.train.summary_iterator(path) if e.summary.value] == [0, 1]


def test_no_file_is_said_by_name(tmp_path):
    with pytest.raises(tf.errors.NotFoundError, match="nothing"):
        next(tf.train.summary_iterator(str(tmp_path / "nothing")))


def test_damage_is_told_and_costs_nothing(tmp_path):
    """Mutated files give their events or DataLossError, never more."""
    path, rng = written(tmp_path), random.Random(0)
    whole = path.read_bytes()
    for _ in range(500):
        data = bytearray(whole)
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        path.write_bytes(data[: rng.randrange(len(data) + 1)])
        try:
            assert len(list(tf.train.summary_iterator(path))) <= 4
        except tf.errors.DataLossError as error:
            assert os.fspath(path) in error.message


def test_a_description_is_written_once(tmp_path):
    made = tf.summary.text("words", tf.constant("x"))
    with tf.Session() as sess, tf.summary.FileWriter(str(tmp_path)) as writer:
        for step in range(2):
            writer.add_summary(sess.run(made), step)
    (path,) = tmp_path.iterdir()
    values = [v for e in tf.train.summary_iterator(path) for v in e.summary.value]
    assert [v.HasField("metadata") for v in values] == [True, False]


@pytest.mark.parametrize("as_text", [True, False])
def test_a_graph_is_written_as_a_file(tmp_path, as_text):
    tf.constant(1.0, name="one")
    path = tf.train.write_graph(tf.get_default_graph(), tmp_path / "new", "graph.pb", as_text=as_text)
    read = tf.GraphDef()
    if as_text:
        from google.protobuf import text_format

        text_format.Parse((tmp_path / "new" / "graph.pb").read_text(), read)
    else:
        read.ParseFromString((tmp_path / "new" / "graph.pb").read_bytes())
    assert path == str(tmp_path / "new" / "graph.pb") and [node.name for node in read.node] == ["one"]


def test_what_is_not_here_says_so():
    with pytest.raises(tf.errors.UnimplementedError, match="FileWriter"):
        tf.summary.initialize()
    assert tf.summary.all_v2_summary_ops() == []
    tf.summary.tensor_summary("ten", tf.zeros([2]))
    with pytest.raises(ValueError, match="get_summary_description on"):
        tf.summary.get_summary_description(tf.get_default_graph().get_operations()[0].node_def)
