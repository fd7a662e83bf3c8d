"""Every op of datasets, iterators and Examples, in sessions: what a pipeline through it gives."""

import numpy as np

import millstream as tf
from millstream.ops.core.registry import lookup
from support.opcheck_programs import Program, program_table, program_tests
from support.pipelines import as_it_is

Dataset = tf.data.Dataset


def strings(*items):
    made = np.empty(len(items), object)
    made[:] = items
    return made


def first(dataset):
    return dataset.make_one_shot_iterator().get_next()


def whole(dataset):
    """Returns the tensors of all elements, stacked."""
    return first(dataset.batch(100))


def gives(op, dataset, *expected, label=""):
    return Program(op, lambda: whole(dataset()), reference=lambda: expected, label=label)


def int64s(*items):
    return np.array(items, np.int64)


def sparse():
    return tf.SparseTensor([[0, 1], [1, 0], [1, 2]], [1, 2, 3], [3, 4])


def older(decl, dataset, *inputs, dims=()):
    """Returns what an op that no public function makes gives for a dataset."""
    made = lookup(decl)(dataset._variant_tensor, *inputs, output_types=[tf.int64], output_shapes=[dims])
    return Dataset(made, dataset._components.with_dims(dims))


def initialized(kind):
    """Returns the first element by way of an iterator that a control input initialises."""
    dataset = Dataset.range(3, 6)
    if kind == "structure":
        iterator = tf.data.Iterator.from_structure(dataset.output_types, dataset.output_shapes)
        ready = iterator.make_initializer(dataset)
    else:
        iterator = dataset.make_initializable_iterator()
        ready = iterator.initializer
    with tf.control_dependencies([ready]):
        if kind == "handle":
            handle = tf.identity(iterator.string_handle())
            return tf.data.Iterator.from_string_handle(handle, tf.int64, []).get_next()
        return iterator.get_next()


def by_old_handle():
    iterator = Dataset.range(3, 6).make_one_shot_iterator()
    found = lookup("IteratorFromStringHandle")(iterator.string_handle(), output_types=[tf.int64], output_shapes=[()])
    return lookup("IteratorGetNextSync")(found, output_types=[tf.int64], output_shapes=[()])


def written(folder):
    (folder / "lines").write_bytes(b"one\r\ntwo\n\nthree")
    (folder / "fixed").write_bytes(b"HHaabbccF")
    with tf.python_io.TFRecordWriter(folder / "records") as writer:
        for record in (b"first", b"", b"third"):
            writer.write(record)
    return [strings(*(str(folder / name).encode() for name in ("lines", "fixed", "records")))]


def line():
    return tf.data.TextLineDataset("")._components


def from_file(make):
    """Returns the records of a file through a function that maps its name to a dataset."""

    def build(names):
        dataset = Dataset.from_tensors(0).flat_map(lambda _: make(names))
        return dataset.reduce(tf.constant(b""), lambda a, b: tf.string_join([a, b, "|"]))

    return build


def example(**features):
    kinds = {
        "int": ("int64_list", tf.train.Int64List),
        "flo": ("float_list", tf.train.FloatList),
        "byt": ("bytes_list", tf.train.BytesList),
    }
    made = {}
    for key, (kind, values) in features.items():
        field, message = kinds[kind]
        made[key] = tf.train.Feature(**{field: message(value=values)})
    return tf.train.Example(features=tf.train.Features(feature=made)).SerializeToString()


ONE = example(a=("int", [1, 300]), b=("flo", [0.5]), c=("byt", [b"x", b"y"]))
TWO = example(a=("int", [-1, 4]), b=("flo", [1.5]), c=("byt", [b"z"]))
FEATURES = {
    "a": tf.FixedLenFeature([2], tf.int64), "b": tf.FixedLenFeature([], tf.float32), "c": tf.VarLenFeature(tf.string),
    "d": tf.FixedLenFeature([1], tf.int64, default_value=7),
}  # fmt: skip


def parsed(found):
    return [found["a"], found["b"], found["c"].indices, found["c"].values, found["c"].dense_shape, found["d"]]


def parsed_v2():
    found = lookup("ParseExampleV2")(
        [ONE, TWO], [], ["c"], ["a"], [], [tf.constant([], tf.int64)], num_sparse=1, sparse_types=[tf.string],
        ragged_value_types=[], ragged_split_types=[], dense_shapes=[(2,)],
    )  # fmt: skip
    return [tensor for part in found for tensor in part]


def sequence():
    def feature(*values):
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

    lists = {
        "t": tf.train.FeatureList(feature=[feature(1), feature(2, 3)]),
        "x": tf.train.FeatureList(feature=[feature(4), feature(5)]),
    }
    return tf.train.SequenceExample(
        context=tf.train.Features(feature={"l": feature(3)}), feature_lists=tf.train.FeatureLists(feature_list=lists)
    ).SerializeToString()


def parsed_sequence():
    context, lists = tf.parse_single_sequence_example(
        sequence(), {"l": tf.FixedLenFeature([], tf.int64)},
        {
            "t": tf.VarLenFeature(tf.int64), "x": tf.FixedLenSequenceFeature([], tf.int64),
            "y": tf.FixedLenSequenceFeature([2], tf.float32, allow_missing=True),
        },
    )  # fmt: skip
    return context["l"], lists["t"].indices, lists["t"].values, lists["t"].dense_shape, lists["x"], lists["y"]


BATCH = (
    int64s([1, 300], [-1, 4]), np.array([0.5, 1.5], np.float32), int64s([0, 0], [0, 1], [1, 0]), strings(b"x", b"y", b"z"),
    int64s(2, 2), int64s([7], [7]),
)  # fmt: skip
SINGLE = (int64s(1, 300), np.float32(0.5), int64s([0], [1]), strings(b"x", b"y"), int64s(2), int64s(7))
SEQUENCE = (
    np.int64(3), int64s([0, 0], [1, 0], [1, 1]), int64s(1, 2, 3), int64s(2, 2), int64s(4, 5), np.zeros((0, 2), np.float32),
)  # fmt: skip
experimental = tf.data.experimental

PROGRAMS = program_table(
    gives("TensorDataset", lambda: Dataset.from_tensors((1, [2, 3])), [1], [[2, 3]]),
    gives(
        "TensorSliceDataset",
        lambda: Dataset.from_tensor_slices({"a": [1, 2], "b": [[3], [4]]}).map(lambda d: (d["a"], d["b"])),
        [1, 2],
        [[3], [4]],
    ),
    gives("RangeDataset", lambda: Dataset.range(9, 0, -3), int64s(9, 6, 3)),
    gives(
        "SparseTensorSliceDataset",
        lambda: Dataset.from_sparse_tensor_slices(sparse()).map(lambda places, values, shape: tf.size(values)),
        [1, 2, 0],
    ),
    gives("SerializeSparse", lambda: Dataset.from_tensors(sparse()).map(lambda s: s.values), [[1, 2, 3]]),
    Program(
        "DeserializeSparse",
        lambda: list(first(Dataset.from_tensors(sparse()).repeat(2).batch(2))._fetch_parts()[0]),
        reference=lambda: (
            int64s([0, 0, 1], [0, 1, 0], [0, 1, 2], [1, 0, 1], [1, 1, 0], [1, 1, 2]),
            np.int32([1, 2, 3, 1, 2, 3]),
            int64s(2, 3, 4),
        ),
    ),
    gives(
        "GeneratorDataset",
        lambda: Dataset.from_generator(lambda n: ((i, b"x" * i) for i in range(n)), (tf.int32, tf.string), args=(3,)),
        np.int32([0, 1, 2]),
        strings(b"", b"x", b"xx"),
    ),
    gives("RepeatDataset", lambda: Dataset.range(2).repeat(3), int64s(0, 1, 0, 1, 0, 1)),
    gives("RepeatDataset", lambda: Dataset.range(2).repeat().take(5), int64s(0, 1, 0, 1, 0), label="endless"),
    gives("TakeDataset", lambda: Dataset.range(5).take(2), int64s(0, 1)),
    gives("SkipDataset", lambda: Dataset.range(5).skip(3), int64s(3, 4)),
    gives("ShardDataset", lambda: Dataset.range(7).shard(3, 1), int64s(1, 4)),
    gives("ConcatenateDataset", lambda: Dataset.range(2).concatenate(Dataset.range(3)), int64s(0, 1, 0, 1, 2)),
    gives("ZipDataset", lambda: Dataset.zip((Dataset.range(2), Dataset.range(5, 9))), int64s(0, 1), int64s(5, 6)),
    gives("ShuffleDataset", lambda: Dataset.range(10).shuffle(4, seed=3), int64s(0, 3, 2, 1, 4, 7, 6, 5, 8, 9)),
    gives(
        "ShuffleDataset",
        lambda: Dataset.range(5).shuffle(3, seed=1).repeat(3),
        int64s(1, 3, 0, 4, 2, 1, 3, 0, 4, 2, 0, 3, 1, 4, 2),
        label="repeated",
    ),
    gives(
        "ShuffleAndRepeatDataset",
        lambda: Dataset.range(5).apply(experimental.shuffle_and_repeat(3, 2, seed=1)),
        int64s(1, 3, 0, 4, 2, 1, 3, 0, 4, 2),
    ),
    gives("MapDataset", lambda: Dataset.range(4).map(lambda x: x * x), int64s(0, 1, 4, 9)),
    gives(
        "ParallelMapDataset", lambda: Dataset.range(40).map(lambda x: x * x, num_parallel_calls=3), np.arange(40) ** 2
    ),
    gives("FilterDataset", lambda: Dataset.range(6).filter(lambda x: x % 3 > 0), int64s(1, 2, 4, 5)),
    gives("FlatMapDataset", lambda: Dataset.range(4).flat_map(Dataset.range), int64s(0, 0, 1, 0, 1, 2)),
    gives(
        "InterleaveDataset",
        lambda: Dataset.range(4).interleave(lambda x: Dataset.from_tensors(x).repeat(3), 2, 2),
        int64s(0, 0, 1, 1, 0, 1, 2, 2, 3, 3, 2, 3),
    ),
    gives(
        "ScanDataset",
        lambda: Dataset.range(4).apply(experimental.scan(np.int64(1), lambda s, x: (s + x, s * 10))),
        int64s(10, 10, 20, 40),
    ),
    gives("CacheDataset", lambda: Dataset.range(3).cache().repeat(2), int64s(0, 1, 2, 0, 1, 2)),
    gives("PrefetchDataset", lambda: Dataset.range(30).prefetch(2), np.arange(30)),
    gives(
        "IgnoreErrorsDataset",
        lambda: (
            Dataset.from_tensor_slices([2.0, 0.0, 4.0])
            .map(lambda x: tf.check_numerics(1 / x, ""))
            .apply(experimental.ignore_errors())
        ),
        np.float32([0.5, 0.25]),
    ),
    gives("BatchDatasetV2", lambda: Dataset.range(7).batch(3, drop_remainder=True), int64s([0, 1, 2], [3, 4, 5])),
    gives(
        "BatchDataset",
        lambda: as_it_is(older("BatchDataset", Dataset.range(4), 2, dims=(None,))),
        int64s([0, 1], [2, 3]),
    ),
    gives(
        "PaddedBatchDatasetV2",
        lambda: Dataset.range(3).map(lambda x: tf.fill([tf.cast(x, tf.int32)], x)).padded_batch(3, [4], np.int64(-1)),
        int64s([[-1, -1, -1, -1], [1, -1, -1, -1], [2, 2, -1, -1]]),
    ),
    gives(
        "PaddedBatchDataset",
        lambda: as_it_is(
            Dataset(
                lookup("PaddedBatchDataset")(
                    Dataset.range(2).map(lambda x: tf.fill([tf.cast(x, tf.int32)], x))._variant_tensor,
                    2,
                    [int64s(-1)],
                    [np.int64(0)],
                    output_shapes=[(None, None)],
                    Toutput_types=[tf.int64],
                    N=1,
                ),
                Dataset.range(1)._components.with_dims((None, None)),
            )
        ),
        int64s([[0], [1]]),
    ),
    gives(
        "WindowDataset",
        lambda: Dataset.range(7).window(2, 3, 2, True).flat_map(lambda w: w.batch(2)),
        int64s([0, 2], [3, 5]),
    ),
    gives("UnbatchDataset", lambda: Dataset.range(5).batch(2).apply(experimental.unbatch()), int64s(0, 1, 2, 3, 4)),
    gives(
        "GroupByWindowDataset",
        lambda: Dataset.range(8).apply(experimental.group_by_window(lambda x: x % 2, lambda k, w: w.batch(2), 2)),
        int64s([0, 2], [1, 3], [4, 6], [5, 7]),
    ),
    Program(
        "ReduceDataset",
        lambda x: Dataset.range(5).reduce(x, lambda a, b: a + b),
        [np.int64(3)],
        reference=lambda x: x + 10,
    ),
    Program("OneShotIterator", lambda: first(Dataset.range(2, 3)), reference=lambda: np.int64(2)),
    Program("IteratorGetNext", lambda: first(Dataset.range(2, 3)), reference=lambda: np.int64(2)),
    Program(
        "IteratorGetNext",
        lambda: first(Dataset.range(0)),
        raises=(tf.errors.OutOfRangeError, "End of sequence"),
        label="end",
    ),
    Program("IteratorV2", lambda: initialized("plain"), reference=lambda: np.int64(3)),
    Program(
        "IteratorV2",
        lambda: Dataset.range(3).make_initializable_iterator().get_next(),
        raises=(tf.errors.FailedPreconditionError, "has not been initialized"),
        label="too early",
    ),
    Program("MakeIterator", lambda: initialized("structure"), reference=lambda: np.int64(3)),
    Program("IteratorToStringHandle", lambda: initialized("handle"), reference=lambda: np.int64(3)),
    Program("IteratorFromStringHandleV2", lambda: initialized("handle"), reference=lambda: np.int64(3)),
    Program("IteratorFromStringHandle", by_old_handle, reference=lambda: np.int64(3)),
    Program("IteratorGetNextSync", by_old_handle, reference=lambda: np.int64(3)),
    Program(
        "TextLineDataset",
        from_file(lambda n: tf.data.TextLineDataset(n[0])),
        written,
        reference=lambda n: b"one|two||three|",
    ),
    Program(
        "FixedLengthRecordDataset",
        from_file(lambda n: Dataset(lookup("FixedLengthRecordDataset")(n[1], 2, 2, 1, 0), line())),
        written,
        reference=lambda n: b"aa|bb|cc|",
    ),
    Program(
        "FixedLengthRecordDatasetV2",
        from_file(lambda n: tf.data.FixedLengthRecordDataset(n[1], 2, 2, 1, compression_type="")),
        written,
        reference=lambda n: b"aa|bb|cc|",
    ),
    Program(
        "TFRecordDataset",
        from_file(lambda n: tf.data.TFRecordDataset(n[2])),
        written,
        reference=lambda n: b"first||third|",
    ),
    Program(
        "ParseExample", lambda x: parsed(tf.parse_example(x, FEATURES)), [strings(ONE, TWO)], reference=lambda x: BATCH
    ),
    Program("ParseExampleV2", parsed_v2, reference=lambda: (*BATCH[2:5], BATCH[0])),
    Program(
        "ParseSingleExample",
        lambda x: parsed(tf.parse_single_example(x[0], FEATURES)),
        [strings(ONE)],
        reference=lambda x: SINGLE,
    ),
    Program("ParseSingleSequenceExample", parsed_sequence, reference=lambda: SEQUENCE),
    Program(
        "DecodeJSONExample",
        lambda x: tf.parse_example(tf.decode_json_example(x), {"a": tf.FixedLenFeature([], tf.int64)})["a"],
        [strings(b'{"features": {"feature": {"a": {"int64_list": {"value": [5]}}}}}')],
        reference=lambda x: int64s(5),
    ),
)

test_program = program_tests(PROGRAMS)[0]
