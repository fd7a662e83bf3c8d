"""FileWriter: what it takes and refuses, and what comes of it when it is closed."""

import gc
import subprocess
import sys
import threading

import pytest
from tensorboard.compat.tensorflow_stub import pywrap_tensorflow
from tensorboard.summary.writer import record_writer

import millstream as tf
from millstream.ops.core import checksums


def kinds(folder):
    """Returns step and content of every event in a folder, file after file."""
    return [
        (event.step, event.WhichOneof("what"))
        for path in sorted(folder.iterdir(), key=lambda p: p.stat().st_mtime_ns)
        for event in tf.train.summary_iterator(path)
    ]


def test_a_closed_writer_warns_and_a_reopened_one_goes_on(tmp_path):
    writer = tf.summary.FileWriter(str(tmp_path), filename_suffix=".mine")
    writer.add_summary(tf.Summary(), 1)
    writer.close()
    for call in (lambda: writer.add_summary(tf.Summary(), 2), writer.flush):
        with pytest.warns(UserWarning, match="Attempting to use a closed FileWriter"):
            call()
    writer.close()
    writer.reopen()
    writer.reopen()
    writer.add_summary(tf.Summary(), 3)
    writer.close()
    found = kinds(tmp_path)
    assert [pair for pair in found if pair[1] == "summary"] == [(1, "summary"), (3, "summary")]
    assert found.count((0, "file_version")) == 2
    assert all(path.name.endswith(".mine") for path in tmp_path.iterdir())


def test_every_kind_of_event(tmp_path):
    with tf.Graph().as_default() as graph, tf.summary.FileWriter(str(tmp_path), graph) as writer:
        tf.constant(1.0)
        writer.add_graph(graph, 1)
        writer.add_graph(None, 2, graph_def=graph.as_graph_def())
        writer.add_meta_graph(tf.train.export_meta_graph(), 3)
        writer.add_session_log(tf.SessionLog(status=tf.SessionLog.START), 4)
        writer.add_event(tf.Event(step=5, file_version="x"))
        writer.add_run_metadata(tf.RunMetadata(), "tag", 6)
        assert writer.get_logdir() == str(tmp_path)
    assert kinds(tmp_path) == [
        (0, "file_version"), (0, "graph_def"), (0, "meta_graph_def"), (1, "graph_def"), (2, "graph_def"), (3, "meta_graph_def"),
        (4, "session_log"), (5, "file_version"), (6, "tagged_run_metadata"),
    ]  # fmt: skip


@pytest.mark.parametrize("as_graph", [True, False])
def test_a_graph_is_written_with_its_collections(tmp_path, as_graph):
    with tf.Graph().as_default() as graph:
        tf.add_to_collection("mine", tf.identity(tf.get_variable("v", []), name="kept"))
        given = {"graph": graph} if as_graph else {"graph_def": graph.as_graph_def()}
        tf.summary.FileWriter(str(tmp_path), **given).close()
    (path,) = map(str, tmp_path.iterdir())
    (content,) = (e.meta_graph_def for e in tf.train.summary_iterator(path) if e.WhichOneof("what") == "meta_graph_def")
    with tf.Graph().as_default() as again:
        tf.train.import_meta_graph(tf.MetaGraphDef.FromString(content))
        assert [v.op.name for v in tf.global_variables()] == ["v"]
        assert tf.get_collection("mine") == [again.get_tensor_by_name("kept:0")]


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda w, g: w.add_graph("x"), TypeError, "must be an instance of `Graph`"),
        (lambda w, g: w.add_graph(g, graph_def=g.as_graph_def()), ValueError, "but not both"),
        (lambda w, g: w.add_meta_graph(g), TypeError, "must be type MetaGraphDef"),
        (lambda w, g: [w.add_run_metadata(tf.RunMetadata(), "a") for _ in range(2)], ValueError, "already used"),
    ],
)
def test_what_is_no_event(tmp_path, call, kind, words):
    with (
        tf.Graph().as_default() as graph,
        tf.summary.FileWriter(str(tmp_path)) as writer,
        pytest.raises(kind, match=words),
    ):
        call(writer, graph)


def test_one_writer_per_folder(tmp_path):
    cache = tf.summary.FileWriterCache
    first = cache.get(str(tmp_path))
    assert cache.get(str(tmp_path)) is first
    cache.clear()
    second = cache.get(str(tmp_path))
    assert second is not first
    cache.clear()


def test_a_writer_that_is_forgotten_writes_and_ends_its_thread(tmp_path):
    before = set(threading.enumerate())
    writer = tf.summary.FileWriter(str(tmp_path))
    writer.add_summary(tf.Summary(), 1)
    own = set(threading.enumerate()) - before
    assert own
    del writer
    gc.collect()
    for thread in own:
        thread.join(60)
    assert not [thread for thread in own if thread.is_alive()]
    assert kinds(tmp_path) == [(0, "file_version"), (1, "summary")]


ENDS_BY_AN_ERROR = """
import sys
import millstream as tf
for writer in (tf.summary.FileWriter(sys.argv[1]), tf.summary.FileWriterCache.get(sys.argv[1] + "/cached")):
    for step in range(1, 40):
        writer.add_summary(tf.Summary(), step)
raise SystemExit(7)
"""


def test_a_program_that_ends_without_closing_loses_nothing(tmp_path):
    done = subprocess.run([sys.executable, "-c", ENDS_BY_AN_ERROR, str(tmp_path / "own")], check=False)
    assert done.returncode == 7
    for path in tmp_path.rglob("*tfevents*"):
        steps = [event.step for event in tf.train.summary_iterator(path) if event.WhichOneof("what") == "summary"]
        assert steps == list(range(1, 40)), path


def test_checksums_are_computed_by_compiled_code(tmp_path):
    """In Python they take a second for a few megabytes, such as a graph with its data, and hold up all else."""
    ours, theirs = checksums.masked_crc, pywrap_tensorflow.masked_crc32c
    assert [ours(data) for data in (b"", b"a", bytes(range(256)))] == [
        theirs(data) for data in (b"", b"a", bytes(range(256)))
    ]
    tf.summary.FileWriter(str(tmp_path)).close()
    assert record_writer.masked_crc32c is ours
    assert len(list(tf.train.summary_iterator(str(next(tmp_path.iterdir()))))) == 1
