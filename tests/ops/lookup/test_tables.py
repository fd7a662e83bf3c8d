"""Lookup tables: filled once, from tensors and files, with buckets, and such as change."""

import numpy as np
import pytest

import millstream as tf
from millstream.engine.api import lookup
from millstream.ops.core.registry import REGISTRY
from millstream.ops.lookup.table_ops import import_op
from support.opcheck_programs import Program, program_table, program_tests

KEYS, VALUES = ["a", "b", "c"], np.array([10, 20, 30])


@pytest.fixture
def session():
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


@pytest.fixture
def words(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("emerson\nlake\npalmer\n")
    return str(path)


def test_a_table_is_filled_once(session) -> None:
    table = lookup.HashTable(lookup.KeyValueTensorInitializer(KEYS, VALUES), -1)
    found = table.lookup(tf.constant([["b", "x"], ["a", "c"]]))
    assert found.shape.as_list() == [2, 2]
    with pytest.raises(tf.errors.FailedPreconditionError, match="Table not initialized"):
        session.run(found)
    session.run(tf.tables_initializer())
    session.run(table.init)
    assert session.run([found, table.size()])[0].tolist() == [[20, -1], [10, 30]]
    assert session.run(table.size()) == 3


def test_an_import_fills_a_table_as_tensorflow_2_does(session) -> None:
    table = lookup.HashTable(lookup.KeyValueTensorInitializer(KEYS, VALUES), -1)
    imported = import_op.node(table.resource_handle, ["a", "z"], np.array([1, 26]))
    session.run(imported)
    assert session.run(table.lookup(tf.constant(["z", "b", "a"]))).tolist() == [26, -1, 1]
    with pytest.raises(tf.errors.FailedPreconditionError, match="Table already initialized"):
        session.run(table.initializer)


def test_one_key_has_one_value(session) -> None:
    table = lookup.StaticHashTable(lookup.KeyValueTensorInitializer(["a", "a"], [1, 2]), -1)
    with pytest.raises(tf.errors.InvalidArgumentError, match="different value for same key"):
        session.run(table.initializer)
    with pytest.raises(TypeError, match="Signature mismatch"):
        table.lookup(tf.constant([1]))


def test_words_of_a_file(session, words) -> None:
    table = tf.contrib.lookup.index_table_from_file(words, num_oov_buckets=2)
    back = lookup.index_to_string_table_from_file(words)
    session.run(tf.tables_initializer())
    ids = session.run(table.lookup(tf.constant(["lake", "emerson", "and"])))
    assert ids[:2].tolist() == [1, 0]
    assert ids[2] in (3, 4)
    assert session.run(table.size()) == 5
    assert session.run(back.lookup(tf.constant([2, 7], tf.int64))).tolist() == [b"palmer", b"UNK"]
    assert tf.get_collection(tf.GraphKeys.ASSET_FILEPATHS)


def test_columns_of_a_file(session, tmp_path) -> None:
    path = tmp_path / "table.tsv"
    path.write_text("a,1.5\nb,2.5\n")
    table = lookup.StaticHashTable(
        lookup.TextFileInitializer(str(path), tf.string, 0, tf.float32, 1, delimiter=","), 0.0
    )
    session.run(table.initializer)
    assert session.run(table.lookup(tf.constant(["b", "z"]))).tolist() == [2.5, 0.0]


def test_elements_of_a_vector(session) -> None:
    table = lookup.index_table_from_tensor(np.array([7, 9, 8]), dtype=tf.int64)
    names = lookup.index_to_string_table_from_tensor(["x", "y"])
    sparse = tf.SparseTensor([[0, 1], [1, 0]], tf.constant([9, 5], tf.int64), [2, 2])
    session.run(tf.tables_initializer())
    found = session.run(table.lookup(sparse))
    assert found.values.tolist() == [1, -1]
    assert found.indices.tolist() == [[0, 1], [1, 0]]
    assert session.run(names.lookup(tf.constant([1, 0], tf.int64))).tolist() == [b"y", b"x"]
    assert session.run([table.lookup(tf.constant(9, tf.int64)), names.lookup(tf.constant(1, tf.int64))]) == [1, b"y"]


def test_buckets_are_tensorflows(session) -> None:
    table = lookup.StaticVocabularyTable(lookup.KeyValueTensorInitializer(["a"], np.array([0])), 5)
    session.run(tf.tables_initializer())
    hashed = session.run(tf.strings.to_hash_bucket_fast(["q", "r"], 5))
    assert session.run(table.lookup(tf.constant(["a", "q", "r"]))).tolist() == [0, *(hashed + 1)]


def test_tables_that_change(session) -> None:
    table = lookup.MutableHashTable(tf.string, tf.int64, -1)
    insert = table.insert(tf.constant(["a", "b"]), tf.constant([1, 2], tf.int64))
    session.run(insert)
    assert session.run(table.lookup(tf.constant(["b", "c"]))).tolist() == [2, -1]
    session.run(table.remove(tf.constant(["a"])))
    assert session.run(table.size()) == 1
    keys, values = session.run(table.export())
    assert (keys.tolist(), values.tolist()) == ([b"b"], [2])


def test_wrong_arguments_are_refused(session) -> None:
    with pytest.raises(ValueError, match="Values must be dtype"):
        lookup.TextFileInitializer("x", tf.string, -2, tf.int32, -1)
    with pytest.raises(ValueError, match="vocabulary_file"):
        lookup.index_table_from_file("")
    with pytest.raises(ValueError, match="num_oov_buckets"):
        lookup.index_table_from_tensor(KEYS, num_oov_buckets=-1)
    missing = lookup.index_table_from_file("/nowhere/words.txt")
    with pytest.raises(tf.errors.NotFoundError):
        session.run(missing.initializer)


def static(keys):
    table = lookup.HashTable(lookup.KeyValueTensorInitializer(tf.constant(KEYS), tf.constant(VALUES)), -1)
    with tf.control_dependencies([table.initializer]):
        return [table.lookup(tf.identity(keys)), table.size()]


def from_file(keys, path):
    table = lookup.HashTable(lookup.TextFileIdTableInitializer(path), -1)
    with tf.control_dependencies([table.initializer]):
        return table.lookup(tf.identity(keys))


def changing(keys, values):
    table = lookup.MutableHashTable(tf.int64, tf.float32, 0.5)
    with tf.control_dependencies([table.insert(keys, values)]), tf.control_dependencies([table.remove(keys[:1])]):
        return [table.lookup(tf.identity(keys)), *sorted_export(table)]


def of_vectors(keys, values):
    table = lookup.MutableHashTable(tf.int64, tf.float32, [0.0, 0.0])
    with tf.control_dependencies([table.insert(keys, values)]):
        return table.lookup(tf.identity(keys) + 1)


def dense(keys, values):
    """Fill one table, and another with what the first one holds; ask the second."""
    first, second = (lookup.MutableDenseHashTable(tf.int64, tf.float32, 0.5, empty_key=-1, deleted_key=-2,
                                                  initial_num_buckets=4) for _ in range(2))  # fmt: skip
    with tf.control_dependencies([first.insert(keys, values)]), tf.control_dependencies([first.remove(keys[:1])]):
        held = first.export()
    with tf.control_dependencies([import_op.node(second.resource_handle, *held)]):
        return [*held, second.lookup(tf.identity(keys)), second.size()]


def of_pairs(keys, values):
    table = lookup.MutableDenseHashTable(tf.int64, tf.float32, [0.5, 0.5], empty_key=[0, 0], deleted_key=[0, -1])
    pairs = tf.stack([keys, -keys], 1)
    with tf.control_dependencies([table.insert(pairs, tf.stack([values, values], 1))]):
        return table.lookup(tf.add(tf.reverse(tf.identity(pairs), [0]), [[0, 1], [0, 0], [0, 0]]))


def sorted_export(table):
    """Export a table, whose keys come in the order of its hashing, in order of the keys."""
    keys, values = table.export()
    order = tf.argsort(keys)
    return [tf.gather(keys, order), tf.gather(values, order)]


def old(kind, **attrs):
    """Build the program of a table that changes from the op types that references of strings were the handles of."""

    def build(keys, values):
        makers = {"key_dtype": tf.int64, "value_dtype": tf.float32, **attrs}
        table, other = (REGISTRY[kind](**makers, shared_name=shared_name) for shared_name in ("", "other"))
        rows, default = (tf.stack([values, -values], 1), [0.0, 0.0]) if "value_shape" in attrs else (values, 0.0)
        with tf.control_dependencies([REGISTRY["LookupTableInsert"].node(table, keys, rows)]):
            exported = REGISTRY["LookupTableExport"](table, Tkeys=tf.int64, Tvalues=tf.float32)
        with tf.control_dependencies([REGISTRY["LookupTableImport"].node(other, *exported)]):
            found = REGISTRY["LookupTableFind"](other, tf.identity(keys) + 1, tf.constant(default))
            return [found, REGISTRY["LookupTableSize"](other)]

    return build


def old_static():
    def build(keys, *files):
        names = {"key_dtype": tf.string, "value_dtype": tf.int64, "shared_name": "words"}
        table = REGISTRY["HashTable"](**names)
        if files:
            fill = REGISTRY["InitializeTableFromTextFile"].node(table, *files, key_index=-2, value_index=-1)
        else:
            fill = REGISTRY["InitializeTable"].node(table, tf.constant(KEYS), tf.constant(VALUES))
        with tf.control_dependencies([fill]):
            found = REGISTRY["LookupTableFind"](table, tf.identity(keys), tf.constant(-1, tf.int64))
            return [found, REGISTRY["LookupTableSize"](REGISTRY["HashTable"](**names))]

    return build


def words_of(folder):
    path = folder / "w.txt"
    path.write_text("x\ny\n")
    return [np.array([b"y", b"q"], object), np.array(str(path).encode(), object)]


ASKED = np.array([b"c", b"?", b"a"], object)
NUMBERS, REALS = np.array([1, 2, 3]), np.array([1.5, 2.5, 3.5], np.float32)
PROGRAMS = program_table(
    *[Program(op, static, [ASKED], reference=lambda _: (np.array([30, -1, 10]), np.int64(3)))
      for op in ("HashTableV2", "InitializeTableV2", "LookupTableFindV2", "LookupTableSizeV2")],
    Program("InitializeTableFromTextFileV2", from_file, words_of, reference=lambda *_: np.array([1, -1])),
    *[Program(op, changing, [NUMBERS, REALS], reference=lambda *_: (np.array([0.5, 2.5, 3.5], "f4"), NUMBERS[1:], REALS[1:]))
      for op in ("MutableHashTableV2", "LookupTableInsertV2", "LookupTableRemoveV2", "LookupTableExportV2")],
    Program("MutableHashTableOfTensorsV2", of_vectors, [NUMBERS, np.stack([REALS, -REALS], 1)],
            reference=lambda _, v: np.concatenate([v[1:], np.zeros((1, 2))])),
    *[Program(op, dense, [NUMBERS, REALS], reference=lambda *_: (
        np.array([[-1], [-2], [2], [3]]), np.array([[0], [1.5], [2.5], [3.5]]), np.array([0.5, 2.5, 3.5]), np.int64(2)))
      for op in ("MutableDenseHashTableV2", "LookupTableImportV2")],
    Program("MutableDenseHashTableV2", of_pairs, [NUMBERS, REALS], label="of pairs",
            reference=lambda *_: np.array([[0.5, 0.5], [2.5, 2.5], [1.5, 1.5]])),
    *[Program(op, old("MutableHashTable"), [NUMBERS, REALS], reference=lambda *_: (np.array([2.5, 3.5, 0]), np.int64(3)))
      for op in ("MutableHashTable", "LookupTableFind", "LookupTableInsert", "LookupTableImport", "LookupTableSize",
                 "LookupTableExport")],
    Program("MutableHashTableOfTensors", old("MutableHashTableOfTensors", value_shape=[2]), [NUMBERS, REALS],
            reference=lambda *_: (np.array([[2.5, -2.5], [3.5, -3.5], [0, 0]]), np.int64(3))),
    *[Program(op, old_static(), [ASKED], reference=lambda _: (np.array([30, -1, 10]), np.int64(3)))
      for op in ("HashTable", "InitializeTable")],
    Program("InitializeTableFromTextFile", old_static(), words_of, reference=lambda *_: (np.array([1, -1]), np.int64(2))),
)  # fmt: skip

(test_programs,) = program_tests(PROGRAMS)
