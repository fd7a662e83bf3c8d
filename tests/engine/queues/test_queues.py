"""Queues between threads, what ends their waits, and the pipelines that are built of them."""

import threading

import numpy as np
import pytest

import millstream as tf
from support.patience import Threads, join, wait_until


@pytest.fixture(autouse=True)
def graph():
    """A graph of the test's own; afterwards no thread is left, once those that are ending have ended."""
    threads = Threads()
    with tf.Graph().as_default() as graph:
        yield graph
    threads.wait()


def initialised():
    session = tf.Session()
    session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
    return session


def run_to_the_end(session, fetches):
    """Returns what runs give until the input ends, having stopped all threads."""
    coordinator, found = tf.train.Coordinator(), []
    threads = tf.train.start_queue_runners(session, coordinator)
    try:
        while not coordinator.should_stop():
            found.append(session.run(fetches))
    except tf.errors.OutOfRangeError:
        coordinator.request_stop()
    coordinator.join(threads)
    return found


def test_the_order_of_shuffled_elements_is_tensorflows():
    tf.set_random_seed(3)
    queue = tf.RandomShuffleQueue(50, 2, tf.int32, [[]], seed=7)
    with tf.Session() as session:
        session.run(queue.enqueue_many([list(range(20))]))
        assert session.run(queue.dequeue_many(10)).tolist() == [16, 14, 3, 12, 10, 0, 13, 1, 5, 2]
        assert session.run(queue.dequeue()) == 17


def test_nodes_and_shapes():
    queue = tf.FIFOQueue(5, [tf.float32, tf.int32], [[], [2]], names=["a", "b"], name="q")
    element = queue.dequeue()
    assert sorted(element) == ["a", "b"] and element["b"].op.name == "q_Dequeue"
    batch = queue.dequeue_many(3)
    assert batch["b"].shape.as_list() == [3, 2] and queue.dequeue_up_to(3)["a"].shape.as_list() == [None]
    assert queue.enqueue({"a": 1.0, "b": [1, 2]}).name == "q_enqueue"
    for wrong, words in (({"a": 1.0}, "do not match names"), ((1.0, [1, 2]), "enqueue a dictionary")):
        with pytest.raises(ValueError, match=words):
            queue.enqueue(wrong)
    with pytest.raises(ValueError, match=r"not compatible|incompatible"):
        queue.enqueue({"a": 1.0, "b": [1, 2, 3]})
    with pytest.raises(ValueError, match="same length as dtypes"):
        tf.FIFOQueue(5, [tf.float32, tf.int32], [[]])


def test_what_a_wait_ends_with():
    queue = tf.FIFOQueue(1, tf.float32, [[]])
    with tf.Session() as session:
        with pytest.raises(tf.errors.DeadlineExceededError):
            session.run(queue.dequeue(), options=tf.RunOptions(timeout_in_ms=50))
        put = queue.enqueue(1.0)
        session.run(put)
        with pytest.raises(tf.errors.DeadlineExceededError):
            session.run(put, options=tf.RunOptions(timeout_in_ms=50))
        errors = []

        def wait():
            try:
                session.run(put)
            except tf.errors.CancelledError as error:
                errors.append(error.message)

        thread = threading.Thread(target=wait)
        thread.start()
        session.run(queue.close(cancel_pending_enqueues=True))
        join(thread)
        assert len(errors) == 1
        assert session.run(queue.dequeue()) == 1.0
        with pytest.raises(tf.errors.OutOfRangeError, match="is closed and has insufficient elements"):
            session.run(queue.dequeue())
        with pytest.raises(tf.errors.CancelledError, match="is closed"):
            session.run(put)


def test_a_batch_that_cannot_be_filled_puts_back_what_it_took():
    queue = tf.FIFOQueue(10, tf.int32, [[]])
    with tf.Session() as session:
        session.run(queue.enqueue_many([[1, 2, 3]]))
        with pytest.raises(tf.errors.DeadlineExceededError):
            session.run(queue.dequeue_many(5), options=tf.RunOptions(timeout_in_ms=50))
        session.run(queue.close())
        with pytest.raises(tf.errors.OutOfRangeError, match=r"requested 5, current size 3"):
            session.run(queue.dequeue_many(5))
        assert session.run(queue.dequeue_many(3)).tolist() == [1, 2, 3]


def test_batches_larger_than_the_queue_come_together():
    queue = tf.FIFOQueue(2, tf.int32, [[]])
    with tf.Session() as session:
        put = queue.enqueue_many([np.arange(9)])
        thread = threading.Thread(target=session.run, args=(put,))
        thread.start()
        assert session.run(queue.dequeue_many(9)).tolist() == list(range(9))
        thread.join()


def test_threads_lose_and_double_nothing():
    queue = tf.FIFOQueue(7, tf.int32, [[]])
    x = tf.placeholder(tf.int32, [])
    put, get = queue.enqueue(x), queue.dequeue_many(5)
    found = []
    with tf.Session() as session:
        fill = session.make_callable(put, [x])
        writers = [threading.Thread(target=lambda k=k: [fill(k * 100 + i) for i in range(100)]) for k in range(4)]
        readers = [
            threading.Thread(target=lambda: [found.extend(session.run(get)) for _ in range(20)]) for _ in range(4)
        ]
        for thread in (*writers, *readers):
            thread.start()
        for thread in (*writers, *readers):
            thread.join()
    assert sorted(found) == list(range(400))


def test_queues_share_by_name_and_not_between_sessions():
    one, other = (tf.FIFOQueue(3, tf.int32, [[]], shared_name="both", name=name) for name in ("one", "other"))
    put, get, size = one.enqueue(7), other.dequeue(), other.size()
    with tf.Session() as first, tf.Session() as second:
        first.run(put)
        assert second.run(size) == 0 and first.run(get) == 7


def test_a_pipeline_over_files(tmp_path):
    for i in range(3):
        (tmp_path / f"{i}.csv").write_text("".join(f"{i * 10 + j}\n" for j in range(4)))
    names = [str(tmp_path / f"{i}.csv") for i in range(3)]
    queue = tf.train.string_input_producer(names, num_epochs=2, shuffle=False)
    _, line = tf.TextLineReader().read(queue)
    batch = tf.train.batch([tf.string_to_number(line, tf.int32)], 5, allow_smaller_final_batch=True)
    with initialised() as session:
        found = run_to_the_end(session, batch)
    assert np.concatenate(found).tolist() == [i * 10 + j for _ in range(2) for i in range(3) for j in range(4)]


def test_shuffled_rows_stay_together():
    x, y = tf.train.slice_input_producer([np.arange(20), np.arange(20) ** 2], num_epochs=1, seed=1)
    batch = tf.train.shuffle_batch({"x": x, "y": y}, 4, capacity=30, min_after_dequeue=5, num_threads=2)
    with initialised() as session:
        found = run_to_the_end(session, batch)
    xs = np.concatenate([b["x"] for b in found])
    assert sorted(xs) == list(range(20)) and xs.tolist() != list(range(20))
    assert (np.concatenate([b["y"] for b in found]) == xs**2).all()


def test_batches_are_padded_joined_and_filtered():
    n = tf.train.range_input_producer(6, num_epochs=1, shuffle=False).dequeue()
    padded = tf.train.batch([tf.range(n)], 3, dynamic_pad=True, shapes=[[None]])
    m = tf.train.range_input_producer(10, num_epochs=1, shuffle=False).dequeue()
    even = tf.train.maybe_batch([m], tf.equal(m % 2, 0), 5)
    lists = [[tf.train.range_input_producer(4, num_epochs=1, shuffle=False).dequeue()] for _ in range(2)]
    joined = tf.train.batch_join(lists, 8)
    with initialised() as session:
        first = run_to_the_end(session, [padded, even, joined])
    assert first[0][0].tolist() == [[0, 0], [0, 0], [0, 1]]
    assert first[0][1].tolist() == [0, 2, 4, 6, 8]
    assert sorted(first[0][2]) == [0, 0, 1, 1, 2, 2, 3, 3]


def test_errors_of_threads_reach_who_joins():
    queue = tf.FIFOQueue(3, tf.float32, [[]])
    bad = queue.enqueue(tf.py_func(lambda: 1 / 0, [], tf.float32))
    tf.train.add_queue_runner(tf.train.QueueRunner(queue, [bad] * 2))
    with tf.Session() as session:
        coordinator = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(session, coordinator)
        with pytest.raises(tf.errors.OutOfRangeError):
            session.run(queue.dequeue())
        with pytest.raises(tf.errors.OpError, match="division by zero"):
            coordinator.join(threads)


def test_runners_go_out_and_come_back(tmp_path):
    queue = tf.train.input_producer([1, 2, 3], num_epochs=1, shuffle=False)
    tf.identity(queue.dequeue(), name="out")
    tf.train.export_meta_graph(str(tmp_path / "graph"))
    with tf.Graph().as_default():
        tf.train.import_meta_graph(str(tmp_path / "graph"))
        with initialised() as session:
            assert run_to_the_end(session, "out:0") == [1, 2, 3]


def test_definitions_name_operations_as_tensorflows_do():
    queue = tf.FIFOQueue(3, tf.int32, [[]])
    runner = tf.train.QueueRunner(queue, [queue.enqueue(1)] * 2)
    made = runner.to_proto()
    assert (made.queue_name, list(made.enqueue_op_name)) == ("fifo_queue", ["fifo_queue_enqueue"] * 2)
    assert list(made.queue_closed_exception_types) == [tf.errors.OUT_OF_RANGE]
    assert tf.train.QueueRunner.from_proto(made).queue.queue_ref is queue.queue_ref
    names = tf.train.match_filenames_once("*", name="files")
    assert names.op.name == "files" and names.shape.ndims is None


def test_the_queue_of_several_is_chosen_by_each_run():
    first = tf.FIFOQueue(2, [tf.int32, tf.string], shapes=[[2, 3], []], names=["a", "b"])
    second = tf.PaddingFIFOQueue(2, [tf.int32, tf.string], shapes=[[2, None], []], names=["a", "b"])
    which = tf.placeholder(tf.int32, [])
    chosen = tf.QueueBase.from_list(which, [first, second])
    assert [str(shape) for shape in chosen.shapes] == ["(2, ?)", "()"] and chosen.names == ["a", "b"]
    taken = chosen.dequeue()
    with tf.Session() as session:
        session.run([queue.enqueue({"a": np.full((2, 3), i), "b": str(i)}) for i, queue in enumerate((first, second))])
        found = [session.run(taken, {which: i}) for i in (1, 0)]
        assert [(item["a"].tolist(), item["b"]) for item in found] == [([[i] * 3] * 2, b"%d" % i) for i in (1, 0)]
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"indices = 2 is not in \[0, 2\)"):
            session.run(taken, {which: 2})
    with pytest.raises(TypeError, match="matching component dtypes"):
        tf.QueueBase.from_list(which, [first, tf.FIFOQueue(2, tf.int32)])
    with pytest.raises(TypeError, match="matching component names"):
        tf.QueueBase.from_list(which, [first, tf.FIFOQueue(2, [tf.int32, tf.string])])
    with pytest.raises(TypeError, match="A list of queues expected"):
        tf.QueueBase.from_list(which, [])


def test_mistakes_are_told():
    with pytest.raises(ValueError, match="non-null input tensor"):
        tf.train.string_input_producer([])
    with pytest.raises(ValueError, match="num_epochs must be > 0"):
        tf.train.limit_epochs(1, 0)
    with pytest.raises(ValueError, match="Must provide queue and enqueue_ops"):
        tf.train.QueueRunner()
    with pytest.raises(ValueError, match="No default session is registered"):
        tf.train.start_queue_runners()
    with pytest.raises(ValueError, match="All shapes must be fully defined"):
        tf.train.batch([tf.placeholder(tf.float32)], 2)
    with pytest.raises(ValueError, match="at least one set of tensors"):
        tf.train.batch_join([], 2)


def test_a_reader_gives_every_record_once_and_nobody_waits_for_it_for_ever(tmp_path):
    """A line at a time, then two, then all that is left of a file of seven; then one run waits for work, another for that one."""
    (tmp_path / "lines").write_text("".join(f"{i}\n" for i in range(7)))
    work, reader = tf.FIFOQueue(5, tf.string, [[]]), tf.TextLineReader()
    one, some, rest = reader.read(work)[1], reader.read_up_to(work, 2)[1], reader.read_up_to(work, 9)[1]
    session = tf.Session()
    session.run(work.enqueue(str(tmp_path / "lines")))
    found = [session.run(one), *session.run(some), *session.run(some), *session.run(rest)]
    assert found == [b"%d" % i for i in range(7)]
    raised = []

    def wait():
        with pytest.raises(tf.errors.CancelledError) as caught:
            session.run(one)
        raised.append(caught.value)

    thread = threading.Thread(target=wait)
    thread.start()
    wait_until(lambda: session._runs)
    with pytest.raises(tf.errors.DeadlineExceededError):
        session.run(one, options=tf.RunOptions(timeout_in_ms=200))
    session.close()
    join(thread)
    assert raised


def test_sparse_examples_come_in_batches_too():
    def example(i):
        return tf.SparseTensor(tf.fill([1, 1], i % 2), tf.reshape(tf.cast(i, tf.float32), [1]), [2])

    numbers = tf.cast(tf.train.range_input_producer(6, num_epochs=1, shuffle=False).dequeue(), tf.int64)
    rows = tf.SparseTensor([[0, 1], [1, 0], [3, 2]], [5, 6, 7], [4, 3])
    fetches = [
        tf.train.batch({"number": numbers, "sparse": example(numbers)}, 3, allow_smaller_final_batch=True),
        tf.train.maybe_batch([rows, [10, 11, 12, 13]], [True, False, False, True], 2, enqueue_many=True),
        tf.train.batch_join([[rows], [rows]], 8, enqueue_many=True),
    ]
    found = run_to_the_end(initialised(), fetches[0])
    assert [part["sparse"].values.tolist() for part in found] == [[0, 1, 2], [3, 4, 5]]
    assert found[1]["sparse"].indices.tolist() == [[0, 1], [1, 0], [2, 1]]
    assert found[1]["sparse"].dense_shape.tolist() == [3, 2]
    assert fetches[0]["sparse"].indices.name == "batch/control_dependency_1:0"
    assert fetches[2].values.op.type == "TakeManySparseFromTensorsMap" and fetches[2].dense_shape.shape.as_list() == [2]
    with initialised() as session:
        coordinator = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(session, coordinator)
        kept, joined = session.run(fetches[1:])
        coordinator.request_stop()
        coordinator.join(threads)
    assert kept[1].tolist() == [10, 13] and kept[0].indices.tolist() == [[0, 1], [1, 2]]
    assert sorted(joined.values.tolist()) == [5, 5, 6, 6, 7, 7] and joined.dense_shape.tolist() == [8, 3]


def test_what_examples_to_keep_is_one_answer_or_one_for_each():
    for keep, many, words in (([True], False, "cannot be a vector"), ([[True]], True, "must be 0 or 1 dimensions"),
                              (tf.placeholder(tf.bool), True, "dimensions must be known")):  # fmt: skip
        with pytest.raises(ValueError, match=words):
            tf.train.maybe_batch([[1]], keep, 2, enqueue_many=many)


@pytest.mark.parametrize(
    ("make", "shape", "words"),
    [
        (lambda s: tf.FIFOQueue(2, [tf.float32], [s]), [None], "fully defined"),
        (lambda s: tf.RandomShuffleQueue(2, 1, [tf.float32], [s]), tf.TensorShape(None), "fully defined"),
        (lambda s: tf.PriorityQueue(2, [tf.float32], [s]), [3, None], "fully defined"),
        (lambda s: tf.PaddingFIFOQueue(2, [tf.float32], [s]), tf.TensorShape(None), "have a defined rank"),
    ],
)
def test_queues_say_which_shapes_they_need(make, shape, words):
    with tf.Graph().as_default():
        with pytest.raises(ValueError, match=f"All shapes must (be|have) ?.*{words.split()[-1]}"):
            make(shape)
        assert make([3]).shapes[-1].as_list() == [3]
