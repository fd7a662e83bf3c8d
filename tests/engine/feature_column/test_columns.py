"""Feature columns: the numbers are what TensorFlow gives for the same features."""

import numpy as np
import pytest

import millstream as tf

fc = tf.feature_column


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default():
        yield


def features():
    return {
        "a": tf.constant([[1.0, 2.0], [3.0, 4.0], [-1.0, 0.0]]),
        "age": tf.constant([5.0, 25.0, 70.0]),
        "word": tf.constant([["x", "y"], ["z", ""], ["q", "x"]]),
        "id": tf.constant([[0], [2], [1]], tf.int64),
        "sparse": tf.SparseTensor([[0, 0], [0, 1], [2, 0]], ["y", "x", "z"], [3, 2]),
        "weight": tf.constant([[2.0, 3.0], [4.0, 5.0], [6.0, 7.0]]),
    }


def value(tensor):
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        return sess.run(tensor)


def words(key="word", **options):
    return fc.categorical_column_with_vocabulary_list(key, ["x", "y", "z"], **options)


AGE = fc.numeric_column("age")
ONES = tf.ones_initializer()
DENSE = [
    ("numeric", lambda: fc.numeric_column("a", shape=2), [[1, 2], [3, 4], [-1, 0]]),
    ("normalised", lambda: fc.numeric_column("a", shape=2, normalizer_fn=lambda x: x * 2.0), [[2, 4], [6, 8], [-2, 0]]),
    ("buckets", lambda: fc.bucketized_column(AGE, [10, 30, 60]), [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]]),
    ("identity", lambda: fc.indicator_column(fc.categorical_column_with_identity("id", 3)),
     [[1, 0, 0], [0, 0, 1], [0, 1, 0]]),
    ("identity_default", lambda: fc.indicator_column(fc.categorical_column_with_identity("id", 2, default_value=0)),
     [[1, 0], [1, 0], [0, 1]]),
    ("words", lambda: fc.indicator_column(words()), [[1, 1, 0], [0, 0, 1], [1, 0, 0]]),
    ("default_word", lambda: fc.indicator_column(words(default_value=1)), [[1, 1, 0], [0, 0, 1], [1, 1, 0]]),
    ("sparse_words", lambda: fc.indicator_column(words("sparse")), [[1, 1, 0], [0, 0, 0], [0, 0, 1]]),
    ("weighted", lambda: fc.indicator_column(fc.weighted_categorical_column(words(), "weight")),
     [[2, 3, 0], [0, 0, 4], [7, 0, 0]]),
    ("embedding", lambda: fc.embedding_column(words("sparse"), 2, initializer=ONES), [[1, 1], [0, 0], [1, 1]]),
    ("embedding_sum", lambda: fc.embedding_column(words(), 1, combiner="sum", initializer=ONES), [[2], [1], [1]]),
    ("embedding_root", lambda: fc.embedding_column(words(), 1, combiner="sqrtn", initializer=ONES), [[2**0.5], [1], [1]]),
    ("embedding_clipped", lambda: fc.embedding_column(words(), 4, initializer=ONES, max_norm=1.0), [[0.5] * 4] * 3),
    ("bucket_embedding", lambda: fc.embedding_column(fc.bucketized_column(AGE, [10]), 1, initializer=ONES), [[1]] * 3),
]  # fmt: skip


@pytest.mark.parametrize(("make", "expected"), [row[1:] for row in DENSE], ids=[row[0] for row in DENSE])
def test_dense_columns(make, expected):
    np.testing.assert_allclose(value(fc.input_layer(features(), [make()])), expected, rtol=1e-6)


def test_columns_stand_in_the_order_of_their_names():
    columns = [fc.indicator_column(words()), fc.numeric_column("a", shape=2)]
    by_column: dict = {}
    layer = fc.input_layer(features(), columns, cols_to_output_tensors=by_column)
    np.testing.assert_array_equal(value(layer), [[1, 2, 1, 1, 0], [3, 4, 0, 0, 1], [-1, 0, 1, 0, 0]])
    assert by_column[columns[0]].shape.as_list() == [3, 3]


def test_a_linear_model_sums_its_columns():
    columns = [fc.numeric_column("a", shape=2), fc.bucketized_column(AGE, [10, 30, 60]), words()]
    variables: dict = {}
    logits = fc.linear_model(features(), columns, units=2, cols_to_vars=variables)
    assert [v.op.name for v in tf.trainable_variables()] == [
        "linear_model/a/weights", "linear_model/age_bucketized/weights", "linear_model/word/weights",
        "linear_model/bias_weights",
    ]  # fmt: skip
    assert variables["bias"] == [tf.trainable_variables()[-1]]
    with tf.Session() as sess:
        for variable in tf.trainable_variables():
            size = variable.shape.num_elements()
            sess.run(variable.assign(np.arange(size, dtype="f").reshape(variable.shape.as_list())))
        numbers = np.array([[1, 2], [3, 4], [-1, 0]]) @ [[0, 1], [2, 3]]
        ages, words_found, bias = (
            np.array([[0, 1], [2, 3], [6, 7]]),
            np.array([[2, 4], [4, 5], [0, 1]]),
            np.array([0, 1]),
        )
        np.testing.assert_array_equal(sess.run(logits), numbers + ages + words_found + bias)


def test_shared_embeddings_have_one_table():
    columns = fc.shared_embedding_columns([words(), words("sparse")], 2, initializer=ONES)
    fc.input_layer(features(), columns)
    assert len(tf.trainable_variables()) == 1


def test_vocabularies_come_from_files_too(tmp_path):
    (tmp_path / "words").write_text("x\ny\nz\n")
    column = fc.categorical_column_with_vocabulary_file("word", str(tmp_path / "words"), vocabulary_size=2)
    np.testing.assert_array_equal(
        value(fc.input_layer(features(), [fc.indicator_column(column)])), [[1, 1], [0, 0], [1, 0]]
    )


def test_the_spec_for_parsing():
    spec = fc.make_parse_example_spec([fc.bucketized_column(AGE, [10]), fc.indicator_column(words())])
    assert spec == {"age": tf.FixedLenFeature((1,), tf.float32), "word": tf.VarLenFeature(tf.string)}


REFUSED = [
    (lambda: fc.input_layer(features(), [words()]), "must be a dense column"),
    (lambda: fc.input_layer(features(), []), "must not be empty"),
    (lambda: fc.input_layer(features(), [AGE, AGE]), "Duplicate feature column name"),
    (lambda: fc.input_layer({}, [AGE]), "Feature age is not in features dictionary"),
    (lambda: fc.numeric_column("a", shape=0), "shape dimensions must be greater than 0"),
    (lambda: fc.bucketized_column(AGE, [3, 1]), "boundaries must be a sorted list"),
    (lambda: fc.categorical_column_with_identity("id", 0), "num_buckets 0 < 1"),
    (lambda: fc.categorical_column_with_vocabulary_list("w", []), "must be non-empty"),
    (lambda: fc.categorical_column_with_vocabulary_list("w", ["a", "a"]), "Duplicate keys"),
    (lambda: words(num_oov_buckets=1, default_value=2), "Can't specify both num_oov_buckets and default_value"),
    (lambda: fc.embedding_column(words(), 0), "Invalid dimension"),
    (lambda: fc.crossed_column(["a"], 10), "length > 1"),
]


@pytest.mark.parametrize(("make", "words_of_error"), REFUSED)
def test_what_is_refused(make, words_of_error):
    with pytest.raises(ValueError, match=words_of_error):
        make()
