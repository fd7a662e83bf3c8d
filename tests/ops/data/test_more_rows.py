"""Every further op of datasets, in sessions: caches in files, threads that interleave, choosing, tables, optionals, old names."""

import sqlite3

import numpy as np

import millstream as tf
from millstream.ops.core.registry import lookup
from support.opcheck_programs import Program, program_table, program_tests
from support.pipelines import as_it_is

Dataset = tf.data.Dataset
experimental = tf.data.experimental


def strings(*items):
    made = np.empty(len(items), object)
    made[:] = items
    return made


def int64s(*items):
    return np.array(items, np.int64)


def first(dataset):
    return dataset.make_one_shot_iterator().get_next()


def gives(op, dataset, *expected, label="", check=None):
    """Returns a program of all elements of a dataset, stacked."""
    reference = None if check else lambda: expected
    return Program(op, lambda: first(dataset().batch(100)), reference=reference, label=label, check=check)


def through(op, dataset, *inputs, types=None, dims=(), **attrs):
    """Returns the dataset that an op makes which no public function makes."""
    types = dataset._components if types is None else types
    made = lookup(op)(dataset._variant_tensor, *inputs, output_types=[tf.int64], output_shapes=[dims], **attrs)
    return Dataset(made, types)


def function_of(dataset, function, name="f"):
    """Returns what an op takes that calls a function of an element: the function and what it captured."""
    traced = dataset._trace(function, name)
    return traced.region, traced.captured, traced.results


def called(op, dataset, function, *inputs, attr="f", **attrs):
    """Returns the dataset that an op makes of another one and a function."""
    region, captured, results = function_of(dataset, function)
    inner = getattr(results, "inner", None) or (dataset._components if attr == "predicate" else results)
    return through(op, dataset, captured, *inputs, types=inner, Targuments=[], **{attr: region}, **attrs)


def repeated(x):
    return Dataset.from_tensors(x).repeat(3)


def same(op, *inputs, **attrs):
    """Returns the row of an op that hands a dataset on."""
    return gives(op, lambda: through(op, Dataset.range(3), *[make() for make in inputs], **attrs), int64s(0, 1, 2))


def table(folder):
    (folder / "table").write_bytes(b'a,b,c,d\r\n1,2.5,"x, ""y""",7\n-2,,plain,\n3,1e3,"two\nlines",9')
    return [strings(str(folder / "table").encode())]


TABLE = int64s(1, -2, 3), np.float32([2.5, 0.5, 1000]), strings(b'x, "y"', b"plain", b"two\nlines")


def csv(names, **options):
    defaults = [tf.int64, tf.constant([0.5]), tf.string]
    return experimental.CsvDataset(names, defaults, header=True, select_cols=[0, 1, 2], **options)


def csv_v2(names):
    defaults = [tf.int64, tf.constant([0.5]), tf.string]
    return experimental.CsvDataset(names, defaults, header=True, exclude_cols=[3])


def old_csv(names):
    dataset = csv(names)
    op = dataset._variant_tensor.op
    made = lookup("ExperimentalCSVDataset")(*op.inputs[:8], list(op.inputs[8:]), **_attrs(op))
    return Dataset(made, dataset._components)


def _attrs(op):
    return {name: op.attrs[name] for name in ("output_types", "output_shapes")}


def database(folder):
    connection = sqlite3.connect(folder / "base")
    connection.execute("create table people (name text, age integer, height real)")
    rows = [("ann", 40, 1.75), ("bob", None, 1.5), (None, 7, None)]
    connection.executemany("insert into people values (?, ?, ?)", rows)
    connection.commit()
    connection.close()
    return [strings(str(folder / "base").encode())]


def people(path):
    return experimental.SqlDataset(
        "sqlite", path, "select name, age, height from people", (tf.string, tf.int32, tf.float64)
    )


PEOPLE = strings(b"ann", b"bob", b""), np.int32([40, 0, 7]), np.array([1.75, 1.5, 0])


def old_sql(path):
    made = lookup("ExperimentalSqlDataset")(
        *people(path)._variant_tensor.op.inputs, **_attrs(people(path)._variant_tensor.op)
    )
    return Dataset(made, people(path)._components)


def from_file(make):
    """Returns what a dataset of a file's name gives, stacked: by an iterator that a control input initialises."""

    def build(names):
        iterator = make(names).batch(100).make_initializable_iterator()
        with tf.control_dependencies([iterator.initializer]):
            return iterator.get_next()

    return build


def writing(op):
    def build(paths):
        if op == "DatasetToTFRecord":
            written = experimental.TFRecordWriter(paths[0], "GZIP").write(
                Dataset.from_tensor_slices(["one", "", "three"])
            )
        else:
            dataset = Dataset.from_tensor_slices(["one", "", "three"])
            written = lookup(op)(dataset._variant_tensor, paths[0], "GZIP")
        with tf.control_dependencies([written]):
            path = tf.identity(paths[0])
        return from_file(lambda name: tf.data.TFRecordDataset(name, "GZIP"))(path)

    return build


def cached(paths):
    """Returns the elements of a dataset that the first pass writes to files and the second one reads."""
    dataset = Dataset.from_tensor_slices(([1, 2, 3], ["a", "b", "c"], [[0.5], [1.5], [2.5]])).cache(paths[0])
    return from_file(lambda _: dataset.repeat(2))(paths)


def files(folder):
    for i in range(3):
        with tf.python_io.TFRecordWriter(folder / f"r{i}") as writer:
            for j in range(i + 1):
                writer.write(f"{i}{j}".encode())
    return [strings(*(str(folder / f"r{i}").encode() for i in range(3)))]


def example(*values):
    feature = {"a": tf.train.Feature(int64_list=tf.train.Int64List(value=values))}
    feature["b"] = tf.train.Feature(float_list=tf.train.FloatList(value=[len(values)]))
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


FEATURES = {"b": tf.FixedLenFeature([1], tf.float32), "a": tf.VarLenFeature(tf.int64)}
PARSED = int64s([0, 0], [0, 1], [1, 0]), int64s(5, 6, 7), int64s(2, 2), np.float32([[2], [1]])


def parsed(op):
    def build():
        dataset = Dataset.from_tensor_slices([example(5, 6), example(7)]).batch(2)
        made = dataset.apply(experimental.parse_example_dataset(FEATURES))
        if op != "ParseExampleDataset":
            node = made._variant_tensor.op
            kept = (
                "sparse_keys",
                "dense_keys",
                "sparse_types",
                "Tdense",
                "dense_shapes",
                "output_types",
                "output_shapes",
            )
            attrs = {name: node.attrs[name] for name in kept}
            other = lookup(op)(node.inputs[0], node.inputs[1], list(node.inputs[2:]), **attrs)
            made = Dataset(other, made._components)
        found = first(made)
        return found["a"].indices, found["a"].values, found["a"].dense_shape, found["b"]

    return Program(op, build, reference=lambda: PARSED)


def summed(op):
    def build():
        reducer = experimental.Reducer(lambda k: (k * 100, 0), lambda s, x: (s[0] + x, s[1] + 1), lambda s, n: (s, n))
        dataset = Dataset.range(7)
        made = dataset.apply(experimental.group_by_reducer(lambda x: 1 - x % 2, reducer))
        if op != "GroupByReducerDataset":
            node = made._variant_tensor.op
            decl = node.decl
            attrs = {name: node.attrs[name] for name in decl.kernel_attrs}
            made = Dataset(lookup(op)(node.inputs[0], [], [], [], [], **attrs), made._components)
        return first(made.batch(9))

    return Program(op, build, reference=lambda: (int64s(9, 112), np.int32([3, 4])))


def sparse_batches(op):
    def build():
        dataset = Dataset.range(1, 4).map(lambda n: tf.fill([tf.cast(n, tf.int32)], n))
        made = dataset.apply(experimental.dense_to_sparse_batch(2, [None]))
        if op != "DenseToSparseBatchDataset":
            node = made._variant_tensor.op
            made = Dataset(lookup(op)(*node.inputs, **_attrs(node)), made._components)
        return first(made.map(lambda s: (s.indices, s.values, s.dense_shape)))

    return Program(op, build, reference=lambda: (int64s([0, 0], [1, 0], [1, 1]), int64s(1, 2, 2), int64s(2, 2)))


def sliding(op):
    def build():
        component = Dataset.range(1).batch(1)._components
        return through(op, Dataset.range(7), 3, 2, 2, types=component, dims=(None,)).batch(9)

    return Program(op, lambda: first(build()), reference=lambda: int64s([0, 2, 4], [2, 4, 6]))


def interleaved(op, *rest, **attrs):
    order = int64s(0, 0, 1, 1, 0, 1, 2, 2, 3, 3, 2, 3)
    return gives(op, lambda: called(op, Dataset.range(4), repeated, 2, 2, *rest, **attrs), order)


def grouped(op):
    def build():
        dataset = Dataset.range(4).apply(experimental.group_by_window(lambda x: x % 2, lambda k, w: w.batch(2), 2))
        node = dataset._variant_tensor.op
        attrs = {name: node.attrs[name] for name in lookup(op).kernel_attrs}
        return first(
            Dataset(lookup(op)(node.inputs[0], [], [], [list(node.inputs)[-1]][:0], **attrs), dataset._components)
        )

    return Program(op, build, reference=lambda: int64s(0, 2))


def optionals():
    iterator = Dataset.range(5, 6).map(lambda x: (x, x * 2)).make_one_shot_iterator()
    one = experimental.get_next_as_optional(iterator)
    with tf.control_dependencies([one.has_value()]):
        two = experimental.get_next_as_optional(iterator)
    return [one.has_value(), *one.get_value(), two.has_value()]


def optional_value():
    made = experimental.Optional.from_value((tf.constant(1.5), tf.constant([2, 3])))
    return [made.has_value(), *made.get_value()]


def no_value():
    like = experimental.Optional.from_value(tf.constant(1.5)).value_structure
    return experimental.Optional.none_from_structure(like)


def random_numbers(op):
    def build():
        made = experimental.RandomDataset(3)
        if op != "RandomDataset":
            node = made._variant_tensor.op
            made = Dataset(lookup(op)(*node.inputs, **_attrs(node)), made._components)
        return first(as_it_is(made.batch(5)))

    return Program(op, build, check=lambda values, _: (np.unique(values[0]).size == 5) or 1 / 0)


def sizes():
    """Returns the cardinalities of datasets of many kinds."""
    numbers = Dataset.range(10)
    made = [
        numbers, numbers.repeat(), numbers.repeat(3), numbers.take(4), numbers.skip(7), numbers.shard(3, 1), numbers.batch(3),
        numbers.batch(3, drop_remainder=True), numbers.filter(lambda x: x > 1), numbers.concatenate(numbers),
        Dataset.zip((numbers, numbers.repeat())), numbers.shuffle(3).prefetch(2).cache(), numbers.repeat().take(7),
        Dataset.from_tensors(1), numbers.window(4, 2), numbers.flat_map(Dataset.range), numbers.skip(-1), numbers.repeat(0),
    ]  # fmt: skip
    return tf.stack([experimental.cardinality(dataset) for dataset in made])


SIZES = int64s(10, -1, 30, 4, 3, 3, 4, 3, -2, 20, 10, 10, 7, 1, 5, -2, 0, 0)


def old_size():
    return lookup("ExperimentalDatasetCardinality")(Dataset.range(4)._variant_tensor)


def choosing(op):
    def build():
        sources = [Dataset.range(3), Dataset.range(10, 12), Dataset.range(20, 30)]
        choice = Dataset.from_tensor_slices(int64s(0, 1, 2, 1, 1, 0, 2))
        made = experimental.choose_from_datasets(sources, choice)
        if op != "DirectedInterleaveDataset":
            attrs = {"output_types": [tf.int64], "output_shapes": [()]}
            node = lookup(op)(choice._variant_tensor, [s._variant_tensor for s in sources], **attrs)
            made = Dataset(node, made._components)
        return first(made.batch(9))

    return Program(op, build, reference=lambda: int64s(0, 10, 20, 11, 1, 21))


def scanned():
    dataset = Dataset.range(4).apply(experimental.scan(np.int64(1), lambda s, x: (s + x, s * 10)))
    node = dataset._variant_tensor.op
    attrs = {name: node.attrs[name] for name in ("f", "output_types", "output_shapes")}
    return Dataset(
        lookup("ExperimentalScanDataset")(node.inputs[0], [node.inputs[1]], [], **attrs), dataset._components
    )


def forgiving():
    dataset = Dataset.from_tensor_slices([2.0, 0.0, 4.0]).map(lambda x: tf.check_numerics(1 / x, ""))
    made = lookup("ExperimentalIgnoreErrorsDataset")(
        dataset._variant_tensor, output_types=[tf.float32], output_shapes=[()]
    )
    return Dataset(made, dataset._components)


def square(x):
    return x * x


def small(x):
    return x < 3


def number():
    return Dataset.range(1)._components


def pairs():
    return Dataset.range(4).batch(2)


SQUARES = np.arange(20) ** 2


def batches(op, *inputs, function=None):
    """Returns the batches that an op makes of numbers, or of what a function makes of them."""

    def build():
        dataset, dims = Dataset.range(7), (None,)
        types = dataset._components.with_dims(dims)
        extra = {}
        given = inputs
        if function is not None:
            region, captured, _ = function_of(dataset, function)
            given, extra = (captured, *inputs), {"f": region, "Targuments": []}
        return first(through(op, dataset, *given, types=types, dims=dims, **extra).batch(9))

    values = np.arange(6) if function is None else np.arange(6) ** 2
    return Program(op, build, reference=lambda: values.reshape(2, 3))


def sequences():
    """Returns two SequenceExamples whose lists have different lengths."""

    def ints(*values):
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

    def made(context, lists):
        features = {key: tf.train.FeatureList(feature=rows) for key, rows in lists.items()}
        return tf.train.SequenceExample(
            context=tf.train.Features(feature=context), feature_lists=tf.train.FeatureLists(feature_list=features)
        ).SerializeToString()

    one = made({"l": ints(3), "v": ints(1, 2)}, {"t": [ints(1), ints(2, 3), ints()], "x": [ints(1, 2), ints(3, 4)]})
    two = made({"l": ints(5)}, {"x": [ints(9, 8)], "y": [ints(4), ints(5), ints(6)]})
    return [strings(one, two)]


def parsed_sequences(batch):
    context, lists, lengths = tf.io.parse_sequence_example(
        batch, {"l": tf.FixedLenFeature([], tf.int64), "v": tf.VarLenFeature(tf.int64)},
        {
            "t": tf.VarLenFeature(tf.int64), "x": tf.FixedLenSequenceFeature([2], tf.int64),
            "y": tf.FixedLenSequenceFeature([], tf.int64, allow_missing=True),
        },
    )  # fmt: skip
    ragged = [part for found in (context["v"], lists["t"]) for part in (found.indices, found.values, found.dense_shape)]
    return [*ragged[:3], context["l"], *ragged[3:], lists["x"], lists["y"], lengths["x"], lengths["y"]]


def parsed_sequences_v2(batch):
    found = lookup("ParseSequenceExampleV2")(
        batch, [], ["v"], ["l"], [], ["t"], ["x", "y"], [], [False, True], [tf.constant([], tf.int64)], Ncontext_sparse=1,
        context_sparse_types=[tf.int64], context_dense_shapes=[()], Nfeature_list_sparse=1, Nfeature_list_dense=2,
        feature_list_dense_types=[tf.int64, tf.int64], feature_list_sparse_types=[tf.int64],
        feature_list_dense_shapes=[(2,), ()],
    )  # fmt: skip
    return [tensor for part in found for tensor in part]


SEQUENCES = (
    int64s([0, 0], [0, 1]), int64s(1, 2), int64s(2, 2), int64s(3, 5), int64s([0, 0, 0], [0, 1, 0], [0, 1, 1]), int64s(1, 2, 3),
    int64s(2, 3, 2), int64s([[1, 2], [3, 4]], [[9, 8], [0, 0]]), int64s([0, 0, 0], [4, 5, 6]), int64s(2, 1), int64s(0, 3),
)  # fmt: skip


PROGRAMS = program_table(
    Program("ParseSequenceExample", parsed_sequences, lambda folder: sequences(), reference=lambda x: SEQUENCES),
    Program("ParseSequenceExampleV2", parsed_sequences_v2, lambda folder: sequences(), reference=lambda x: SEQUENCES),
    Program(
        "ParseSequenceExample",
        lambda x: tf.io.parse_sequence_example(x, sequence_features={"y": tf.FixedLenSequenceFeature([], tf.int64)})[1]["y"],
        lambda folder: sequences(),
        raises=(tf.errors.InvalidArgumentError, "Feature list 'y' is required but could not be found"), label="missing",
    ),
    Program(
        "CacheDataset", cached, lambda folder: [strings(str(folder / "cache").encode())],
        reference=lambda paths: (
            np.int32([1, 2, 3] * 2), strings(*[b"a", b"b", b"c"] * 2), np.float32([[0.5], [1.5], [2.5]] * 2)
        ),
        label="files",
    ),
    interleaved("ParallelInterleaveDatasetV2", 2),
    interleaved("ParallelInterleaveDatasetV3", 2),
    interleaved("ParallelInterleaveDatasetV4", -1, -1, 2),
    interleaved("ParallelInterleaveDataset", False, 4, 0),
    interleaved("LegacyParallelInterleaveDatasetV2", 1, 4),
    interleaved("ExperimentalParallelInterleaveDataset", False, 3, 1),
    Program(
        "ParallelInterleaveDataset", from_file(lambda n: tf.data.TFRecordDataset(n, num_parallel_reads=2)), files,
        reference=lambda n: strings(b"00", b"10", b"11", b"20", b"21", b"22"), label="files",
    ),
    gives("ParallelMapDatasetV2", lambda: called("ParallelMapDatasetV2", Dataset.range(20), square, 3), SQUARES),
    gives("ExperimentalMapDataset", lambda: called("ExperimentalMapDataset", Dataset.range(20), square), SQUARES),
    gives(
        "ParallelFilterDataset",
        lambda: as_it_is(called("ParallelFilterDataset", Dataset.range(9), small, 3, attr="predicate").batch(9)),
        int64s([0, 1, 2]),
    ),
    batches("MapAndBatchDataset", 3, 2, True, function=square),
    batches("ExperimentalMapAndBatchDataset", 3, 2, True, function=square),
    batches("ParallelBatchDataset", 3, 2, True),
    gives("TakeWhileDataset", lambda: Dataset.range(9).apply(experimental.take_while(small)), int64s(0, 1, 2)),
    gives(
        "ExperimentalTakeWhileDataset",
        lambda: called("ExperimentalTakeWhileDataset", Dataset.range(9), small, attr="predicate"), int64s(0, 1, 2),
    ),
    gives("UniqueDataset", lambda: Dataset.from_tensor_slices([3, 1, 3, 2, 1]).apply(experimental.unique()), [3, 1, 2]),
    gives(
        "UniqueDataset", lambda: Dataset.from_tensor_slices(["a", "b", "a"]).apply(experimental.unique()),
        strings(b"a", b"b"), label="strings",
    ),
    gives(
        "ExperimentalUniqueDataset",
        lambda: through("ExperimentalUniqueDataset", Dataset.range(3).repeat(2)), int64s(0, 1, 2),
    ),
    choosing("DirectedInterleaveDataset"),
    choosing("ExperimentalDirectedInterleaveDataset"),
    random_numbers("RandomDataset"),
    random_numbers("ExperimentalRandomDataset"),
    gives(
        "AssertCardinalityDataset", lambda: Dataset.range(3).apply(experimental.assert_cardinality(3)), int64s(0, 1, 2)
    ),
    Program(
        "AssertCardinalityDataset",
        lambda: first(Dataset.range(3).apply(experimental.assert_cardinality(4)).batch(9)),
        raises=(tf.errors.FailedPreconditionError, "expected to contain 4 elements but contained only 3 elements"),
        label="fewer",
    ),
    Program("DatasetCardinality", sizes, reference=lambda: SIZES),
    Program("ExperimentalDatasetCardinality", old_size, reference=lambda: np.int64(4)),
    Program(
        "DatasetToSingleElement", lambda: experimental.get_single_element(Dataset.range(3).batch(3)),
        reference=lambda: int64s(0, 1, 2),
    ),
    Program(
        "DatasetToSingleElement", lambda: experimental.get_single_element(Dataset.range(3)),
        raises=(tf.errors.InvalidArgumentError, "more than one element"), label="several",
    ),
    Program(
        "DatasetToSingleElement", lambda: experimental.get_single_element(Dataset.range(0)),
        raises=(tf.errors.InvalidArgumentError, "was empty"), label="none",
    ),
    summed("GroupByReducerDataset"),
    summed("ExperimentalGroupByReducerDataset"),
    sparse_batches("DenseToSparseBatchDataset"),
    sparse_batches("ExperimentalDenseToSparseBatchDataset"),
    sliding("SlidingWindowDataset"),
    sliding("ExperimentalSlidingWindowDataset"),
    parsed("ParseExampleDataset"),
    parsed("ParseExampleDatasetV2"),
    parsed("ExperimentalParseExampleDataset"),
    Program("CSVDataset", from_file(csv), table, reference=lambda n: TABLE),
    Program("CSVDatasetV2", from_file(csv_v2), table, reference=lambda n: TABLE),
    Program("ExperimentalCSVDataset", from_file(old_csv), table, reference=lambda n: TABLE),
    Program("SqlDataset", from_file(lambda n: people(n[0])), database, reference=lambda n: PEOPLE),
    Program("ExperimentalSqlDataset", from_file(lambda n: old_sql(n[0])), database, reference=lambda n: PEOPLE),
    *[
        Program(
            op, writing(op), lambda folder: [strings(str(folder / "written").encode())],
            reference=lambda n: strings(b"one", b"", b"three"),
        )
        for op in ("DatasetToTFRecord", "ExperimentalDatasetToTFRecord")
    ],
    Program("IteratorGetNextAsOptional", optionals, reference=lambda: (True, np.int64(5), np.int64(10), False)),
    Program("OptionalFromValue", optional_value, reference=lambda: (True, np.float32(1.5), np.int32([2, 3]))),
    Program("OptionalHasValue", lambda: no_value().has_value(), reference=lambda: False),
    Program(
        "OptionalNone", lambda: no_value().get_value(),
        raises=(tf.errors.InvalidArgumentError, "does not have a value"),
    ),
    Program("OptionalGetValue", optional_value, reference=lambda: (True, np.float32(1.5), np.int32([2, 3]))),
    same("OptionsDataset", serialized_options=""),
    same("OptimizeDataset", lambda: strings()),
    same("OptimizeDatasetV2", strings, strings, strings),
    same("ModelDataset"),
    same("FinalizeDataset"),
    same("RewriteDataset", lambda: "replicate_on_split"),
    same("NonSerializableDataset"),
    same("ExperimentalNonSerializableDataset"),
    same("MaxIntraOpParallelismDataset", lambda: 1),
    same("ExperimentalMaxIntraOpParallelismDataset", lambda: 1),
    same("PrivateThreadPoolDataset", lambda: 1),
    same("ExperimentalPrivateThreadPoolDataset", lambda: 1),
    same("SleepDataset", lambda: 10),
    same("ExperimentalSleepDataset", lambda: 10),
    gives("ExperimentalScanDataset", scanned, int64s(10, 10, 20, 40)),
    gives("ExperimentalIgnoreErrorsDataset", forgiving, np.float32([0.5, 0.25])),
    gives(
        "ExperimentalUnbatchDataset", lambda: through("ExperimentalUnbatchDataset", pairs(), types=number()), int64s(0, 1, 2, 3),
    ),
    grouped("ExperimentalGroupByWindowDataset"),
)  # fmt: skip

test_program = program_tests(PROGRAMS)[0]
