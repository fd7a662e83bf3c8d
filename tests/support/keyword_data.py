"""What keywords do that only programs show: records, datasets, queues, readers and the pipelines made of them."""

from __future__ import annotations

import gzip
import pathlib
import zlib
from typing import Any

import numpy as np
import pytest

from .keyword_programs import run
from .keywords import Caller, proves

OPTIONS = "compression_type flush_mode input_buffer_size output_buffer_size window_bits compression_level compression_method " \
          "mem_level compression_strategy"  # fmt: skip


def drained(tf: Any, dataset: Any) -> list[Any]:
    """Return all elements of a dataset."""
    following = tf.data.make_one_shot_iterator(dataset).get_next()
    found = []
    with tf.Session() as session:
        while True:
            try:
                found.append(session.run(following))
            except tf.errors.OutOfRangeError:
                return found


@proves({"python_io.TFRecordOptions": OPTIONS, "python_io.TFRecordWriter": "options", "TFRecordReader": "name options",
         "data.TFRecordDataset": "compression_type buffer_size num_parallel_reads"})  # fmt: skip
def records(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    kinds = tf.python_io.TFRecordCompressionType
    texts = [bytes(np.random.RandomState(n).randint(0, 4, 3000).astype("u1")) for n in range(3)]
    sizes = {}
    for label, given in {
        "plain": {"compression_type": "", "output_buffer_size": 512},
        "best": {"compression_type": kinds.ZLIB, "compression_level": 9, "mem_level": 9, "compression_method": 8},
        "none": {"compression_type": kinds.ZLIB, "compression_level": 0},
        "narrow": {"compression_type": kinds.ZLIB, "window_bits": 9, "mem_level": 1},
        "huffman": {"compression_type": kinds.ZLIB, "compression_strategy": 2},
        "gzip": {"compression_type": kinds.GZIP, "window_bits": 31},
        "flushed": {"compression_type": kinds.ZLIB, "flush_mode": 3, "input_buffer_size": 1000},
    }.items():  # fmt: skip
        options = call("python_io.TFRecordOptions", **given)
        with call("python_io.TFRecordWriter", str(folder / label), options=options) as writer:
            for text in texts:
                writer.write(text)
        sizes[label] = (folder / label).stat().st_size
    assert sizes["best"] < sizes["narrow"] and sizes["best"] < sizes["plain"] <= sizes["none"] != sizes["huffman"]
    assert sizes["flushed"] > sizes["best"]
    assert (folder / "narrow").read_bytes()[0] >> 4 == 1 and (folder / "gzip").read_bytes()[:2] == b"\x1f\x8b"
    assert zlib.decompress((folder / "best").read_bytes()) == (folder / "plain").read_bytes()
    for label, kind in (("best", "ZLIB"), ("gzip", "GZIP"), ("plain", None)):
        found = call("data.TFRecordDataset", [str(folder / label)], compression_type=kind, buffer_size=100)
        assert drained(tf, found) == texts
    both = [str(folder / "plain")] * 2
    assert drained(tf, call("data.TFRecordDataset", both, num_parallel_reads=2)) == [t for t in texts for _ in range(2)]
    queue = tf.FIFOQueue(1, [tf.string])
    reader = call(
        "TFRecordReader", name="named", options=call("python_io.TFRecordOptions", compression_type=kinds.GZIP)
    )
    with tf.control_dependencies([queue.enqueue([str(folder / "gzip")])]):
        _, value = reader.read(queue)
    assert reader.reader_ref.op.name == "named" and run(tf, value) == texts[0]


@proves({"data.TextLineDataset": "compression_type buffer_size", "data.experimental.map_and_batch":
         "num_parallel_batches drop_remainder num_parallel_calls", "data.experimental.parallel_interleave":
         "block_length sloppy buffer_output_elements prefetch_input_elements"})  # fmt: skip
def datasets(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    (folder / "a.gz").write_bytes(gzip.compress(b"one\ntwo\n"))
    lines = call("data.TextLineDataset", [str(folder / "a.gz")], compression_type="GZIP", buffer_size=3)
    assert drained(tf, lines) == [b"one", b"two"]
    numbers = tf.data.Dataset.range(5)
    for given in ({"num_parallel_batches": 2}, {"num_parallel_calls": 2}):
        batched = numbers.apply(
            call("data.experimental.map_and_batch", lambda x: x * 2, 2, drop_remainder=True, **given)
        )
        assert [b.tolist() for b in drained(tf, batched)] == [[0, 2], [4, 6]]
        assert tf.data.get_output_shapes(batched).as_list() == [2]
    rows = tf.data.Dataset.from_tensor_slices(np.arange(8).reshape(2, 4))
    woven = {
        "blocks": call("data.experimental.parallel_interleave", tf.data.Dataset.from_tensor_slices, 2, block_length=2),
        "any": call("data.experimental.parallel_interleave", tf.data.Dataset.from_tensor_slices, 2, sloppy=True,
                    buffer_output_elements=1, prefetch_input_elements=1),
    }  # fmt: skip
    assert drained(tf, rows.apply(woven["blocks"])) == [0, 1, 4, 5, 2, 3, 6, 7]
    assert sorted(drained(tf, rows.apply(woven["any"]))) == list(range(8))


@proves({"FIFOQueue": "shapes names shared_name name", "RandomShuffleQueue": "shapes names seed shared_name name"})
def queues(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    for kind, more in (("FIFOQueue", {}), ("RandomShuffleQueue", {"min_after_dequeue": 0})):
        given = {"capacity": 9, "dtypes": [tf.float32, tf.int32], "names": ["x", "y"], "shapes": [[2], []], **more}
        queue = call(kind, shared_name=f"shared_{kind}", name=f"named_{kind}", **given)
        same = call(kind, shared_name=f"shared_{kind}", **given)
        assert queue.name == f"named_{kind}" and queue.names == ["x", "y"]
        with pytest.raises(ValueError):
            queue.enqueue({"x": tf.ones([3]), "y": 1})
        put = queue.enqueue({"x": tf.ones([2]), "y": 7})
        taken = same.dequeue()
        assert taken["x"].shape.as_list() == [2]
        with tf.Session() as session:
            session.run(put)
            assert session.run(taken)["y"] == 7
    orders = []
    for seed in (3, 3, 4):
        with tf.Graph().as_default(), tf.Session() as session:
            queue = call("RandomShuffleQueue", 100, 0, [tf.int32], shapes=[[]], seed=seed)
            session.run(queue.enqueue_many([list(range(50))]))
            orders.append(session.run(queue.dequeue_many(50)).tolist())
    assert orders[0] == orders[1] != orders[2] and sorted(orders[2]) == list(range(50))


@proves({"FixedLengthRecordReader": "header_bytes footer_bytes hop_bytes name encoding", "TextLineReader":
         "skip_header_lines name", "WholeFileReader": "name"})  # fmt: skip
def readers(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    (folder / "a").write_bytes(b"HHabcdefgF")
    (folder / "z").write_bytes(zlib.compress(b"abcdef"))
    (folder / "lines").write_text("title\nfirst\nsecond\n")
    cases = [
        ("a", call("FixedLengthRecordReader", 3, header_bytes=2, footer_bytes=1, hop_bytes=2, name="fixed"),
         [b"abc", b"cde", b"efg"]),
        ("z", call("FixedLengthRecordReader", 3, encoding="ZLIB"), [b"abc", b"def"]),
        ("lines", call("TextLineReader", skip_header_lines=1, name="text"), [b"first", b"second"]),
        ("lines", call("WholeFileReader", name="whole"), [b"title\nfirst\nsecond\n"]),
    ]  # fmt: skip
    for name, reader, wanted in cases:
        queue = tf.FIFOQueue(2, [tf.string])
        put, (_, value) = queue.enqueue([str(folder / name)]), reader.read(queue)
        with tf.Session() as session:
            session.run(put)
            assert [session.run(value) for _ in wanted] == wanted
    names = [reader.reader_ref.op.name for _, reader, _ in cases]
    assert (names[0], *names[2:]) == ("fixed", "text", "whole")


def fed(tf: Any, found: Any, times: int, **options: Any) -> list[Any]:
    """Return what a pipeline gives while its queues are filled."""
    coordinator = tf.train.Coordinator()
    with tf.Session() as session:
        session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        threads = tf.train.start_queue_runners(session, coordinator)
        values: list[Any] = []
        try:
            while len(values) < times:
                values.append(session.run(found))
        except tf.errors.OutOfRangeError:
            pass
        coordinator.request_stop()
        coordinator.join(threads)
    return values


PRODUCED = "num_epochs shuffle seed capacity shared_name name"


@proves({"train.slice_input_producer": PRODUCED, "train.string_input_producer": f"{PRODUCED} cancel_op"})
def producers(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    def built(which: str, data: Any, **given: Any) -> tuple[list[Any], Any]:
        with tf.Graph().as_default() as graph:
            made = call(f"train.{which}_input_producer", data, **given)
            item = made[0] if which == "slice" else made.dequeue()
            return fed(tf, item, 40), graph

    for which, data in (("slice", [np.arange(9)]), ("string", [bytes([65 + n]) for n in range(9)])):
        plain = sorted(data[0] if which == "slice" else data)
        values, graph = built(which, data, shuffle=False, num_epochs=2, capacity=5, shared_name="ours", name="named")
        assert values == plain * 2
        kinds = {n.op: n for n in graph.as_graph_def().node if "Queue" in n.op and "Enqueue" not in n.op}
        queue = kinds["FIFOQueueV2"]
        assert (
            queue.attr["capacity"].i == 5 and queue.attr["shared_name"].s == b"ours" and queue.name.startswith("named")
        )
        first, second, other = (built(which, data, seed=seed, num_epochs=1)[0] for seed in (3, 3, 4))
        assert first == second != other and sorted(other) == plain
    with tf.Graph().as_default():
        cancel = tf.no_op(name="stop")
        call("train.string_input_producer", ["a"], cancel_op=cancel)
        (runner,) = tf.get_collection(tf.GraphKeys.QUEUE_RUNNERS)
        assert runner.cancel_op is cancel


BATCHED = "capacity enqueue_many shapes allow_smaller_final_batch shared_name name"


@proves({"train.batch": f"{BATCHED} num_threads dynamic_pad", "train.batch_join": f"{BATCHED} dynamic_pad",
         "train.shuffle_batch": f"{BATCHED} num_threads seed"})  # fmt: skip
def batches(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    def items() -> Any:
        return tf.train.slice_input_producer([np.arange(5)], num_epochs=1, shuffle=False)[0]

    for kind in ("batch", "batch_join", "shuffle_batch"):
        more: dict[str, Any] = {"capacity": 20, **({"min_after_dequeue": 1} if kind == "shuffle_batch" else {})}

        def made(tensor: Any, kind: str = kind, more: dict[str, Any] = more, **given: Any) -> Any:
            return call(f"train.{kind}", [[tensor]] if kind == "batch_join" else [tensor], 2, **more, **given)

        with tf.Graph().as_default() as graph:
            few = made(items(), allow_smaller_final_batch=True, shared_name="ours", name="named")
            sizes = [len(value) for value in fed(tf, few, 9)]
            (queue,) = [n for n in graph.as_graph_def().node if n.attr["shared_name"].s == b"ours"]
            assert sizes == [2, 2, 1] and queue.name.startswith("named/") and queue.attr["capacity"].i == 20
        with tf.Graph().as_default():
            assert [len(value) for value in fed(tf, made(items()), 9)] == [2, 2]
        with tf.Graph().as_default():
            several = made(tf.reshape(items(), [1]) + tf.zeros([3], tf.int64), enqueue_many=True)
            assert several.shape.as_list() == [2] and len(fed(tf, several, 7)) == 7
        with tf.Graph().as_default():
            odd = made(tf.placeholder_with_default([1.0, 2.0], None), shapes=[[2]])
            assert odd.shape.as_list() == [2, 2] and fed(tf, odd, 1)[0].tolist() == [[1, 2]] * 2
        if kind != "shuffle_batch":
            with tf.Graph().as_default():
                padded = made(tf.ones([items()]), dynamic_pad=True)
                assert [value.shape for value in fed(tf, padded, 9)] == [(2, 1), (2, 3)]
        if kind != "batch_join":
            with tf.Graph().as_default():
                made(items(), num_threads=3)
                assert len(tf.get_collection(tf.GraphKeys.QUEUE_RUNNERS)[-1].enqueue_ops) == 3
    with tf.Graph().as_default() as graph:
        call("train.shuffle_batch", [tf.constant(1)], 2, 4, 0, seed=7)
        (queue,) = [node for node in graph.as_graph_def().node if node.op == "RandomShuffleQueueV2"]
        assert queue.attr["seed2"].i == 7


@proves({"train.QueueRunner": "queue enqueue_ops close_op cancel_op queue_closed_exception_types queue_runner_def import_scope",
         "train.start_queue_runners": "sess coord daemon start collection",
         "train.Coordinator": "clean_stop_exception_types"})  # fmt: skip
def runners(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    queue = tf.FIFOQueue(4, [tf.float32], name="queue")
    put, close, cancel = queue.enqueue(1.0, name="put"), tf.no_op("close"), tf.no_op("cancel")
    ended = (tf.errors.OutOfRangeError, tf.errors.CancelledError)
    runner = call("train.QueueRunner", queue=queue, enqueue_ops=[put], close_op=close, cancel_op=cancel,
                  queue_closed_exception_types=ended)  # fmt: skip
    assert (runner.close_op, runner.cancel_op, runner.queue_closed_exception_types) == (close, cancel, ended)
    proto = runner.to_proto()
    again = call("train.QueueRunner", queue_runner_def=proto)
    assert again.enqueue_ops == [put] and again.name == "queue"
    with tf.Graph().as_default():
        tf.import_graph_def(queue.queue_ref.graph.as_graph_def(), name="in")
        assert call("train.QueueRunner", queue_runner_def=proto, import_scope="in").name == "in/queue"
    tf.train.add_queue_runner(runner, collection="mine")
    coordinator = call("train.Coordinator", clean_stop_exception_types=(ValueError,))
    with tf.Session() as session:
        assert call("train.start_queue_runners", sess=session, coord=coordinator) == []
        threads = call("train.start_queue_runners", sess=session, coord=coordinator, daemon=False, start=False,
                       collection="mine")  # fmt: skip
        assert threads and not any(t.daemon or t.is_alive() for t in threads)
        with coordinator.stop_on_exception():
            raise ValueError("ends cleanly")
        coordinator.join([])
    assert coordinator.should_stop()
